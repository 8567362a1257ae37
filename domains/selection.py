"""Which domains a page or a bulk action is about, and which of them a person may change."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.http.request import QueryDict
from django.shortcuts import get_object_or_404

from accounts.access import Person, may, teams_for
from accounts.roles import Role
from domains.filters import DomainFilter
from domains.models import Domain, DomainQuerySet
from mailtls.names import fold_name
from webui.addresses import read_numbers


def permitted(user: Person, role: Role) -> DomainQuerySet:
    """Narrow the inventory to domains for which this person has at least this role."""
    allowed = Q(team__in=teams_for(user, role))
    if may(user, role, None):
        allowed |= Q(team=None)
    return Domain.objects.filter(allowed)


def matching(query: QueryDict, domains: DomainQuerySet, request: HttpRequest) -> DomainQuerySet:
    """Give those of these domains that the filters of the list leave.

    A filter for what there is not, or no longer, leaves none, as in the list: were it passed over,
    the rest of the filters would choose domains that nobody was shown.
    """
    asked = DomainFilter(query, queryset=domains, request=request)
    found: DomainQuerySet = asked.qs if asked.is_valid() else domains.none()
    return found


def chosen_domains(request: HttpRequest, role: Role) -> DomainQuerySet:
    """Give the domains that a posted list chose: by their boxes, or all that match its filters.

    Those for which the person lacks the role are left out.
    """
    domains = permitted(request.user, role)
    if request.POST.get("everything"):
        query = QueryDict(request.POST.get("query", ""))
        found = matching(query, domains, request)
        return Domain.objects.filter(pk__in=found.order_by().values("pk"))
    return domains.filter(pk__in=read_numbers(request.POST.getlist("pk")))


def chosen_again(request: HttpRequest, count: int) -> dict[str, Any]:
    """Give what the next page must post again to mean the same domains."""
    return {
        "count": count,
        "keys": request.POST.getlist("pk"),
        "everything": request.POST.get("everything", ""),
        "query": request.POST.get("query", ""),
    }


def visible_domain(request: HttpRequest, name: str) -> Domain:
    """Give the domain of this name, or raise Http404 where it is not this person's to see."""
    domains = Domain.objects.visible_to(request.user).select_related("team", "posture")
    return get_object_or_404(domains, name=fold_name(name))
