"""Where messages go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from alerts.errors import DeliveryFailed
from alerts.forms import DestinationForm
from alerts.models import Destination, DestinationKind, Digest, Severity
from alerts.services.destinations import delete_destination, save_destination, send_test
from webui.exports import Sheet, asked_file
from webui.forms import spread_errors


def destinations(request: HttpRequest) -> HttpResponse:
    """List the destinations for the person's teams, with how deliveries went."""
    rows = (
        _visible(request)
        .select_related("team")
        .annotate(
            sent=Count("notifications", filter=Q(notifications__delivered_at__isnull=False)),
            failed=Count("notifications", filter=Q(notifications__failed_at__isnull=False)),
            last_sent_at=Max("notifications__delivered_at"),
        )
    )
    if file := asked_file(request, _sheet(rows)):
        return file
    context = {
        "destinations": rows,
        "managed": set(
            access.managed_by(request.user, Destination.objects.all()).values_list("pk", flat=True)
        ),
        "may_add": access.may_anywhere(request.user, Role.MANAGER),
        "sees_everything": access.sees_everything(request.user),
    }
    return render(request, "settings/destinations.html", context)


def _sheet(rows: QuerySet[Any]) -> Sheet:
    """Give the destinations without their addresses, which may hold a token."""
    return Sheet(
        name="destinations",
        file_name="destinations",
        header=(
            "Destination",
            "Kind",
            "Team",
            "Only with tag",
            "From severity",
            "Sends",
            "Quiet from",
            "Quiet until",
            "Only after minutes",
            "Active",
            "Sent",
            "Failed",
            "Last sent",
        ),
        rows=lambda: (
            (
                row.name,
                row.get_kind_display(),
                row.team or "all teams",
                row.tag or "",
                row.minimum_severity,
                row.get_digest_display(),
                row.quiet_from,
                row.quiet_until,
                row.escalate_after_minutes,
                "yes" if row.is_active else "no",
                row.sent,
                row.failed,
                row.last_sent_at,
            )
            for row in rows.select_related("team", "tag")
        ),
    )


def destination_page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a destination."""
    user = person(request)
    row = get_object_or_404(_visible(request), pk=pk) if pk else None
    if row is not None:
        access.require(user, Role.MANAGER, row.team)
    elif not access.may_anywhere(user, Role.MANAGER):
        raise PermissionDenied("Destinations need the role manager in a team.")
    form = DestinationForm(
        user,
        request.POST or None,
        initial=_initial(row) if row else None,
        has_address=row is not None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_destination(user, destination=row, **_values(form))
        except ValidationError as error:
            spread_errors(form, error)
        else:
            messages.success(request, f"{saved} is saved. Send it a test.")
            return redirect("settings:destinations")
    return render(request, "settings/destination.html", {"form": form, "destination": row})


@require_POST
def test_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message now."""
    row = get_object_or_404(_visible(request), pk=pk)
    try:
        send_test(person(request), row)
    except DeliveryFailed as error:
        messages.error(request, f"The test to {row} did not leave: {error}")
    else:
        if row.kind == DestinationKind.EMAIL and settings.EMAIL_BACKEND.endswith(
            ".console.EmailBackend"
        ):
            messages.warning(
                request,
                f"The test to {row} was only printed in the log: no mail leaves this portal until "
                "EMAIL_URL names a mail server.",
            )
        else:
            messages.success(request, f"The test to {row} left. See whether it arrives.")
    return redirect("settings:destinations")


@require_POST
def remove_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a destination."""
    row = get_object_or_404(_visible(request), pk=pk)
    delete_destination(person(request), row)
    messages.success(request, f"{row} is removed.")
    return redirect("settings:destinations")


def _visible(request: HttpRequest) -> QuerySet[Destination]:
    return access.visible_to(request.user, Destination.objects.defer("sealed_address"))


# The fields of the form that are fields of the row.
_KEPT = (
    "name",
    "kind",
    "team",
    "minimum_severity",
    "is_active",
    "tag",
    "digest",
    "quiet_from",
    "quiet_until",
    "escalate_after_minutes",
)


def _initial(row: Destination) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEPT}


def _values(form: DestinationForm) -> dict[str, Any]:
    values = form.cleaned_data
    return {
        **{name: values[name] for name in _KEPT},
        "kind": DestinationKind(values["kind"]),
        "digest": Digest(values["digest"]),
        "minimum_severity": Severity(values["minimum_severity"]),
        "address": values["address"].strip(),
        "secret": values["secret"],
    }
