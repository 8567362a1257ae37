"""Incidents: the list, the page, and what people do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.models import User, ViewedPage
from accounts.saved_views import ViewedListPage
from alerts.filters import IncidentFilter
from alerts.forms import AssignForm, CommentForm, QuietForm, ReopenForm, ResolveForm
from alerts.lifecycle import NotPossible
from alerts.models import Incident
from alerts.services import handle
from alerts.tables import FILE_COLUMNS, IncidentTable
from alerts.words import how_it_returns
from webui.lists import InFullOrder


class IncidentList(ViewedListPage):
    """All incidents a person may see."""

    viewed_page = ViewedPage.INCIDENTS
    fixed_columns = ("title", *FILE_COLUMNS)

    table_class = IncidentTable
    filterset_class = IncidentFilter
    template_name = "alerts/incidents.html"
    export_name = "incidents"
    thing, things = "incident", "incidents"

    def get_queryset(self) -> QuerySet[Incident]:
        """Give the incidents with the person who has them."""
        seen = Incident.objects.visible_to(self.request.user)
        return seen.with_seen_figures(self.request.user).select_related("assignee")

    def get_table_data(self) -> InFullOrder:
        """Give the rows; many are as bad as others."""
        return InFullOrder(super().get_table_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the words for an empty list."""
        context = super().get_context_data(**kwargs)
        context["empty_template"] = "alerts/_incidents_empty.html"
        return context


def visible_incident(request: HttpRequest, pk: int) -> Incident:
    """Give the incident, or raise Http404 where it is not this person's to see."""
    incidents = Incident.objects.visible_to(request.user).with_seen_figures(request.user)
    return get_object_or_404(incidents.select_related("rule", "assignee"), pk=pk)


Act = Callable[[Incident, User, HttpRequest], str | None]


@require_POST
def act(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    """Do one thing with an incident and go back to its page."""
    incident = visible_incident(request, pk)
    if deed not in _DEEDS:
        raise Http404
    assert isinstance(request.user, User)
    try:
        said = _DEEDS[deed](incident, request.user, request)
    except (ValidationError, NotPossible) as error:
        text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        messages.error(request, text)
    else:
        messages.success(request, said or "Done.")
    return redirect(incident)


def _acknowledge(incident: Incident, user: User, request: HttpRequest) -> str:
    handle.acknowledge(incident, user, request.POST.get("text", ""))
    return "You have it. No further message is sent until it is over or its severity rises."


def _comment(incident: Incident, user: User, request: HttpRequest) -> str:
    form = CommentForm(request.POST)
    _require_valid(form)
    handle.comment(incident, user, form.cleaned_data["text"])
    return "The comment is on the timeline."


def _assign(incident: Incident, user: User, request: HttpRequest) -> str:
    form = AssignForm(incident, request.POST)
    _require_valid(form)
    assignee = form.cleaned_data["assignee"]
    handle.assign(incident, user, assignee)
    return f"{assignee} has it now." if assignee else "Nobody has it now."


def _mute(incident: Incident, user: User, request: HttpRequest) -> str:
    form = QuietForm(request.POST)
    _require_valid(form)
    handle.mute(incident, user, form.until_at, form.cleaned_data["text"])
    return "Muted. It opens again by itself when the time is over."


def _accept(incident: Incident, user: User, request: HttpRequest) -> str:
    form = QuietForm(request.POST, needs_reason=True)
    _require_valid(form)
    handle.accept_risk(incident, user, form.until_at, form.cleaned_data["text"])
    return "The risk is accepted until then. It opens again by itself afterwards."


def _resolve(incident: Incident, user: User, request: HttpRequest) -> str:
    form = ResolveForm(request.POST)
    _require_valid(form)
    handle.resolve(incident, user, form.cleaned_data["text"])
    return f"Resolved. {how_it_returns(incident)}"


def _reopen(incident: Incident, user: User, request: HttpRequest) -> str:
    form = ReopenForm(request.POST)
    _require_valid(form)
    handle.reopen(incident, user, form.cleaned_data["text"])
    return "It is open again."


def _require_valid(form: Any) -> None:
    if not form.is_valid():
        raise ValidationError(
            [f"{form[name].label}: {text}" for name, texts in form.errors.items() for text in texts]
        )


_DEEDS: dict[str, Act] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "comment": _comment,
    "mute": _mute,
    "accept": _accept,
    "resolve": _resolve,
    "reopen": _reopen,
}
