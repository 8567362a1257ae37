"""People: invitations, roles, the end of an account. For administrators."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.forms import InviteForm, PersonForm
from accounts.models import User
from accounts.services import people as services
from webui.exports import Sheet, asked_file

_HAS_SECOND_FACTOR = Exists(
    Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
)


def people(request: HttpRequest) -> HttpResponse:
    """List everybody who has an account."""
    access.require_administrator(request.user)
    rows = (
        User.objects.annotate(has_second_factor=_HAS_SECOND_FACTOR)
        .prefetch_related("memberships__team")
        .order_by("-is_active", "email")
    )
    if file := asked_file(request, _sheet(rows)):
        return file
    return render(request, "settings/people.html", {"people": rows})


def _sheet(rows: QuerySet[User]) -> Sheet:
    return Sheet(
        name="people",
        file_name="people",
        header=(
            "Person",
            "E-mail",
            "Administrator",
            "Role everywhere",
            "Roles",
            "Two-factor log-in",
            "Last log-in",
            "Active",
        ),
        rows=lambda: (
            (
                user.name,
                user.email,
                "yes" if user.is_administrator else "no",
                user.role_everywhere,
                "; ".join(f"{one.role}: {one.team}" for one in user.memberships.all()),
                "yes" if user.has_second_factor else "no",  # type: ignore[attr-defined]
                user.last_login,
                "yes" if user.is_active else "no",
            )
            for user in rows
        ),
    )


def invite(request: HttpRequest) -> HttpResponse:
    """Make an account and show the link with which its password is set."""
    access.require_administrator(request.user)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            user, link = services.invite(
                values["email"],
                values["name"],
                form.role,
                is_administrator=values["is_administrator"],
                membership=form.membership,
            )
        except ValidationError as error:
            form.add_error("email", error)
        else:
            return _show_link(request, user, link)
    return render(request, "settings/invite.html", {"form": form})


def _show_link(request: HttpRequest, user: User, link: str) -> HttpResponse:
    has_role = user.is_administrator or user.role_everywhere or user.memberships.exists()
    context = {"invited": user, "link": link, "has_role": has_role}
    return render(request, "settings/invited.html", context)


def person_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a person's name and roles."""
    access.require_administrator(request.user)
    user = get_object_or_404(User.objects.annotate(has_second_factor=_HAS_SECOND_FACTOR), pk=pk)
    initial = {
        "name": user.name,
        "role_everywhere": user.role_everywhere,
        "is_administrator": user.is_administrator,
    }
    form = PersonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            services.update_person(
                user,
                name=values["name"],
                role_everywhere=form.role,
                is_administrator=values["is_administrator"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{user} is saved.")
            return redirect("settings:people")
    context = {
        "person": user,
        "form": form,
        "memberships": user.memberships.select_related("team"),
    }
    return render(request, "settings/person.html", context)


@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    """End an account or let its person in again."""
    access.require_administrator(request.user)
    user = get_object_or_404(User, pk=pk)
    try:
        if "reactivate" in request.POST:
            services.reactivate(user)
            messages.success(request, f"{user} can log in again.")
        else:
            services.deactivate(user)
            messages.success(request, f"{user} can no longer log in.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("settings:person", pk)


@require_POST
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Help somebody whose phone is lost."""
    access.require_administrator(request.user)
    user = get_object_or_404(User, pk=pk)
    services.remove_second_factor(user)
    messages.success(request, f"{user} logs in with the password alone.")
    return redirect("settings:person", pk)


@require_POST
def new_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a new link with which the person's password is set."""
    access.require_administrator(request.user)
    user = get_object_or_404(User, pk=pk, is_active=True)
    link = services.password_link(user)
    return _show_link(request, user, link)
