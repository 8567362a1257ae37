"""The page of one incident: cause, domains, evidence, remedy, timeline, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.access import Person, sees_everything, visible_to
from accounts.models import User
from alerts.forms import AssignForm, CommentForm, QuietForm, ReopenForm, ResolveForm
from alerts.lifecycle import Event, State, possible_events
from alerts.models import Destination, Incident, IncidentDomain
from alerts.readers import Seen, reader_of, see
from alerts.rules.kinds import RATE_KINDS, RuleKind
from alerts.services.handle import LONGEST_ACCEPTANCE, may_handle
from alerts.services.notify import MAX_OWNERS, count_owners
from alerts.services.resting import was_resolved_by_person
from alerts.views.incidents import visible_incident
from alerts.words import how_it_returns, words_of
from domains.models import Domain, DomainQuerySet
from domains.operators import operator_of
from reports import queries
from reports.charts import sessions_chart
from tlsrpt_portal.pages.incident_evidence import read_check_evidence
from tlsrpt_portal.pages.marks import fleet_marks
from webui.charting import Chart
from webui.exports import Sheet, asked_file
from webui.wording import failure_rate

DOMAINS_PER_PAGE = 25


def incident_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one incident."""
    incident = visible_incident(request, pk)
    domains = Domain.objects.visible_to(request.user).filter(incident_domains__incident=incident)
    touched = _touched(incident, domains)
    page = Paginator(touched, DOMAINS_PER_PAGE).get_page(request.GET.get("page"))
    worst = list(page) if page.number == 1 else list(touched[:DOMAINS_PER_PAGE])
    parts = list(incident.parts.select_related("rule"))
    seen = see(reader_of(request.user), incident)
    cause_words, *part_words = seen.words([words_of(one) for one in (incident, *parts)])
    events = list(incident.events.select_related("actor"))
    kinds = {RuleKind(one.rule.kind) for one in (incident, *parts)}
    is_about_sessions = not kinds.isdisjoint(RATE_KINDS)
    chart = _evidence(incident, domains, [row.domain.name for row in worst])
    sheets = [_domains_sheet(incident, domains), *([chart.sheet] if chart else [])]
    if file := asked_file(request, *sheets):
        return file
    context = {
        "incident": incident,
        "now": timezone.now(),
        "seen": seen,
        "cause_words": cause_words,
        "part_words": part_words,
        "chart": chart,
        "checks": read_check_evidence(incident, worst),
        "is_about_sessions": is_about_sessions,
        # Of a failure rate the first and last day are just those.
        "shows_failing_days": RuleKind(incident.rule.kind) not in RATE_KINDS,
        "group_href": _group_href(seen) if is_about_sessions else "",
        "page": page,
        "touched_count": page.paginator.count,
        "all_count": incident.incident_domains.count(),
        "events": list(zip(events, seen.texts(events), strict=True)),
        **_messages(incident, request.user, domains),
    }
    return render(request, "alerts/incident.html", context | _forms(request, incident))


def _evidence(incident: Incident, domains: DomainQuerySet, names: Sequence[str]) -> Chart | None:
    """Draw the touched domains' sessions from two weeks before it began, with their changes.

    None where nobody reported on them.
    """
    _, until = queries.last_complete_days(1)
    until = min(until, incident.last_seen_on + timedelta(days=7))
    since = incident.since_on - timedelta(days=14)
    figures = queries.daily_figures(domains, since, until)
    if not any(one.sessions for one in figures):
        return None
    marks = fleet_marks(domains, since, until)
    return sessions_chart(
        figures,
        marks,
        chart_id="evidence-chart",
        title="The touched domains, from two weeks before",
        query=_reports_query(incident, names),
        height=320,
    )


def _reports_query(incident: Incident, names: Sequence[str]) -> dict[str, str]:
    """Narrow the reports that a click on a day leads to, to those on the domains of the chart."""
    return {"domain": names[0]} if len(names) == 1 else {"incident": str(incident.pk)}


def _group_href(seen: Seen) -> str:
    return f"{reverse('failures:group')}?{urlencode(_cause_query(seen) | {'days': '90'})}"


def _cause_query(seen: Seen) -> dict[str, str]:
    if not seen.incident.result_type:
        return {}
    hosts = seen.receiving_mx
    operators = {operator_of(host) for host in hosts}
    if len(hosts) == 1:
        at = {"mx": hosts[0]}
    else:
        at = {"operator": operators.pop()} if len(operators) == 1 else {}
    return {"cause": seen.incident.result_type, **at}


def _messages(incident: Incident, user: Person, domains: DomainQuerySet) -> dict[str, Any]:
    """Give whom the portal told; of others' destinations and owners only how many messages."""
    told = incident.notifications.select_related("destination")
    if sees_everything(user):
        owners = count_owners(incident)
        return {
            "notifications": list(told),
            "other_messages": 0,
            "owner_count": owners,
            "untold_owners": max(0, owners - MAX_OWNERS),
            "told_owners": MAX_OWNERS,
        }
    known = list(
        told.filter(
            Q(destination__in=visible_to(user, Destination.objects.all()).values("pk"))
            | Q(email__in=domains.order_by().values("owner"), destination=None)
        )
    )
    return {"notifications": known, "other_messages": told.count() - len(known)}


def _touched(incident: Incident, domains: DomainQuerySet) -> QuerySet[IncidentDomain]:
    """Give these domains as the incident touches them, worst first."""
    rows = incident.incident_domains.filter(domain__in=domains.order_by().values("pk"))
    return rows.select_related("domain__team").order_by("-failed_sessions", "pk")


def _domains_sheet(incident: Incident, domains: DomainQuerySet) -> Sheet:
    return Sheet(
        name="domains",
        file_name=f"incident-{incident.pk}-domains",
        header=(
            "Domain",
            "Team",
            "Owner",
            "Failed",
            "Sessions",
            "Rate",
            "First failing day",
            "Last failing day",
            "First day",
            "Last day",
        ),
        rows=lambda: (
            (
                row.domain.display_name,
                row.domain.team or "",
                row.domain.owner,
                row.failed_sessions,
                row.sessions,
                failure_rate(row.failed_sessions, row.sessions) if row.sessions else "",
                row.failed_first_on,
                row.failed_last_on,
                row.first_on,
                row.last_on,
            )
            for row in _touched(incident, domains)
        ),
    )


def _forms(request: HttpRequest, incident: Incident) -> dict[str, Any]:
    """Give the forms for what can be done now; none where this person may not."""
    assert isinstance(request.user, User)
    if not may_handle(incident, request.user):
        return {"may_handle": False}
    state = State(incident.state)
    possible = possible_events(state)
    may_reopen = Event.REOPEN in possible and (
        incident.is_active or was_resolved_by_person(incident)
    )
    return {
        "may_handle": True,
        "may_acknowledge": Event.ACKNOWLEDGE in possible,
        "comment_form": CommentForm(prefix=None),
        "assign_form": AssignForm(incident, initial={"assignee": incident.assignee}),
        "mute_form": QuietForm(auto_id="mute_%s") if Event.MUTE in possible else None,
        "accept_form": (
            QuietForm(auto_id="accept_%s", days=90, longest=LONGEST_ACCEPTANCE, needs_reason=True)
            if Event.ACCEPT_RISK in possible
            else None
        ),
        "returns": how_it_returns(incident),
        "reopen_form": ReopenForm(auto_id="reopen_%s") if may_reopen else None,
        "resolve_form": (ResolveForm(auto_id="resolve_%s") if Event.RESOLVE in possible else None),
    }
