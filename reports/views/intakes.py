"""The addresses that reporters send to."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from reports.destinations import https_rua, mail_rua
from reports.forms import IntakeForm
from reports.models import Intake
from reports.services.edit_intakes import create_intake, revoke_intake


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownIntake:
    """An intake with the addresses to publish."""

    intake: Intake
    https_rua: str
    mail_rua: str


def intakes(request: HttpRequest) -> HttpResponse:
    """List the intakes a person manages, and make one."""
    user = person(request)
    if not access.may_anywhere(user, Role.MANAGER):
        raise PermissionDenied("Intakes need the role manager: their addresses are secrets.")
    form = IntakeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        intake = create_intake(form.cleaned_data["name"], team=form.cleaned_data["team"], user=user)
        messages.success(request, f"{intake} is made. Publish its address in TLSRPT records.")
        return redirect("settings:intakes")
    shown = [_show(intake) for intake in _managed(request).select_related("team")]
    context = {"intakes": shown, "form": form, "mail_address": settings.MAIL_ADDRESS}
    return render(request, "settings/intakes.html", context)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an intake take nothing more."""
    intake = get_object_or_404(_managed(request), pk=pk, revoked_at=None)
    revoke_intake(intake, person(request))
    messages.success(request, f"{intake} takes nothing more.")
    return redirect("settings:intakes")


def _managed(request: HttpRequest) -> QuerySet[Intake]:
    return access.managed_by(request.user, Intake.objects.all()).order_by("revoked_at", "name")


def _show(intake: Intake) -> ShownIntake:
    return ShownIntake(intake=intake, https_rua=https_rua(intake), mail_rua=mail_rua(intake))
