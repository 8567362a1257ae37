"""What people do with domains: edit one or many, check now, remove."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.models import User
from accounts.roles import Role
from domains.forms import BulkForm, DomainForm
from domains.models import Domain
from domains.selection import chosen_again, chosen_domains, visible_domain
from domains.services.edit_domains import delete_domains, update_domains
from domains.services.request_checks import request_checks
from domains.views.chosen import posted_by_list
from webui.wording import plural


def edit_page(request: HttpRequest, name: str) -> HttpResponse:
    """Change team, owner, tags, interval and notes of one domain."""
    user, domain = _user(request), visible_domain(request, name)
    access.require(user, Role.MANAGER, domain.team)
    held = tuple(tag.name for tag in domain.tags.all())
    initial = {
        "team": domain.team,
        "owner": domain.owner,
        "tags": ", ".join(held),
        "check_every_hours": domain.check_every_hours,
        "is_active": domain.is_active,
        "notes": domain.notes,
    }
    form = DomainForm(user, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        wanted = values.pop("tags")
        removed = set(held) - set(wanted)
        chosen = Domain.objects.filter(pk=domain.pk)
        update_domains(chosen, user, add_tags=wanted, remove_tags=removed, **values)
        messages.success(request, f"{domain.display_name} is saved.")
        return redirect(domain)
    return render(request, "domains/edit.html", {"form": form, "domain": domain})


@require_POST
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Remove one domain."""
    user, domain = _user(request), visible_domain(request, name)
    try:
        delete_domains(Domain.objects.filter(pk=domain.pk), user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("domains:policy", domain.name)
    messages.success(request, f"{domain.display_name} is removed. Its reports are kept.")
    return redirect("domains:list")


@require_POST
def check(request: HttpRequest, name: str) -> HttpResponse:
    """Check one domain now."""
    domain = visible_domain(request, name)
    access.require(request.user, Role.ANALYST, domain.team)
    request_checks(Domain.objects.filter(pk=domain.pk))
    return redirect(f"{domain.get_absolute_url()}?checking=1")


@posted_by_list
def check_chosen(request: HttpRequest) -> HttpResponse:
    """Check the chosen domains now."""
    count = request_checks(chosen_domains(request, Role.ANALYST))
    if count:
        messages.success(request, f"{plural(count, 'domain')} will be checked now.")
    else:
        messages.warning(request, "Nothing to check: no domain chosen that you may check.")
    return redirect("domains:list")


@posted_by_list
def edit_chosen(request: HttpRequest) -> HttpResponse:
    """Change the chosen domains: first the form, then the doing."""
    user = _user(request)
    domains = chosen_domains(request, Role.MANAGER)
    count = domains.count()
    if not count:
        messages.warning(request, "Nothing to edit: no domain chosen that you may edit.")
        return redirect("domains:list")
    form = BulkForm(user, request.POST if "apply" in request.POST else None)
    if form.is_bound and form.is_valid():
        changed = update_domains(domains, user, **form.changes())
        messages.success(request, f"{plural(changed, 'domain')} changed.")
        return redirect("domains:list")
    return render(
        request, "domains/edit_chosen.html", chosen_again(request, count) | {"form": form}
    )


@posted_by_list
def delete_chosen(request: HttpRequest) -> HttpResponse:
    """Remove the chosen domains, after a page that asks."""
    user = _user(request)
    domains = chosen_domains(request, Role.MANAGER)
    count = domains.count()
    if not count:
        messages.warning(request, "Nothing to remove: no domain chosen that you may remove.")
        return redirect("domains:list")
    if "apply" in request.POST:
        try:
            messages.success(request, f"{plural(delete_domains(domains, user), 'domain')} removed.")
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return redirect("domains:list")
    context = chosen_again(request, count) | {"examples": domains[:8], "rest": max(0, count - 8)}
    return render(request, "domains/delete_chosen.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
