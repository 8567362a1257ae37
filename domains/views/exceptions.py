"""Exceptions: what a domain may lack, why, until when and who approved it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access
from accounts.models import Team
from accounts.requests import person
from accounts.roles import Role
from domains.exception_filters import ExceptionFilter
from domains.exception_forms import GrantForm, RenewForm
from domains.exception_queries import with_lacking
from domains.exception_tables import ExceptionTable
from domains.lacks import Lack
from domains.models import CoverageException, DomainQuerySet
from domains.selection import chosen_again, chosen_domains
from domains.services import coverage_exceptions as services
from domains.services.coverage_exceptions import Granted
from domains.signs import exception_sign, state_of_lack
from domains.views.chosen import posted_by_list
from webui.forms import spread_errors
from webui.lists import InFullOrder, ListPage
from webui.wording import plural


class ExceptionList(ListPage):
    """Which domains may lack what, why, and until when? For the security team and the auditor."""

    table_class = ExceptionTable
    filterset_class = ExceptionFilter
    template_name = "domains/exceptions.html"
    export_name = "exceptions"
    thing, things = "exception", "exceptions"

    def get_queryset(self) -> QuerySet[CoverageException]:
        """Give the exceptions of domains this person may see."""
        rows = CoverageException.objects.visible_to(self.request.user)
        return with_lacking(rows).select_related("domain__team", "domain__posture", "renewal")

    def get_table_data(self) -> InFullOrder:
        """Give the rows; many end on the same day."""
        return InFullOrder(super().get_table_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the words for an empty list."""
        empty = {"empty_template": "domains/_exceptions_empty.html"}
        return super().get_context_data(**kwargs) | empty


def exception_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one exception with those before and after it."""
    found = _find(request, pk)
    today = timezone.now().date()
    others = found.domain.exceptions.filter(lack=found.lack).exclude(pk=found.pk)
    context = {
        "exception": found,
        "meaning": Lack(found.lack).meaning,
        "sign": exception_sign(found, today),
        "state": state_of_lack(found),
        "is_running": found.is_running(today),
        "may_renew": found.ended_on is None and not found.is_renewed,
        "others": [
            (one, exception_sign(one, today))
            for one in others.select_related("renewal").order_by("-granted_at")
        ],
        "may_edit": access.may(request.user, Role.MANAGER, found.domain.team),
    }
    return render(request, "domains/exception.html", context)


@posted_by_list
def grant_chosen(request: HttpRequest) -> HttpResponse:
    """Grant exceptions to the chosen domains: first the form, then the doing."""
    user = person(request)
    domains = chosen_domains(request, Role.MANAGER)
    count = domains.count()
    if not count:
        messages.warning(request, "No exception: no domain chosen of which you are a manager.")
        return redirect("domains:list")
    form = GrantForm(user, _teams(domains), request.POST if "apply" in request.POST else None)
    if form.is_bound and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("reason", "expires_on", "approver")}
        try:
            granted = services.grant_exceptions(domains, user, lacks=form.chosen_lacks(), **values)
        except ValidationError as error:
            spread_errors(form, error)
        else:
            messages.success(request, _what_was_granted(granted))
            return redirect(domains.get() if count == 1 else reverse("coverage:exceptions"))
    context = chosen_again(request, count) | {"form": form, "examples": domains[:8]}
    context["rest"] = max(0, count - 8)
    return render(request, "domains/grant_exceptions.html", context)


def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant the next one in its place."""
    user, found = person(request), _find(request, pk)
    access.require(user, Role.MANAGER, found.domain.team)
    initial = {"reason": found.reason}
    form = RenewForm(user, {found.domain.team}, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            new = services.renew_exception(found, user, **form.cleaned_data)
        except ValidationError as error:
            spread_errors(form, error)
        else:
            messages.success(request, "The exception is renewed.")
            return redirect(new)
    return render(request, "domains/renew_exception.html", {"exception": found, "form": form})


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it today."""
    found = _find(request, pk)
    try:
        services.end_exception(found, person(request), request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The exception has ended. The lack counts again from today.")
    return redirect(found)


def _find(request: HttpRequest, pk: int) -> CoverageException:
    rows = with_lacking(CoverageException.objects.visible_to(request.user))
    return get_object_or_404(rows.select_related("domain__team", "domain__posture"), pk=pk)


def _teams(domains: DomainQuerySet) -> set[Team | None]:
    keys = set(domains.order_by().values_list("team", flat=True).distinct())
    teams: set[Team | None] = set(Team.objects.filter(pk__in=[key for key in keys if key]))
    return teams | {None} if None in keys else teams


def _what_was_granted(granted: Granted) -> str:
    text = f"{plural(granted.made, 'exception')} granted."
    if granted.running:
        stay = "stays as it is" if granted.running == 1 else "stay as they are"
        text += f" {plural(granted.running, 'was', 'were')} running already and {stay}."
    return text
