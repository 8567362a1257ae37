"""What breaks across the fleet: groups by cause, a heat map, and the page of one group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Generic, TypeVar, overload
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.access import teams_for
from accounts.models import Team
from domains.models import Domain, DomainQuerySet, Posture, Status, StsMode
from mailtls.catalogue.result_types import describe_result_type, explain_reason
from reports import cause_queries, queries
from reports.cause_queries import Cause, CauseKey, extents
from reports.charts import reports_href
from reports.fleet import Fleet, Scope, of_domains
from reports.models import PolicyKind
from reports.queries import Sums
from reports.signs import cause_name
from tlsrpt_portal.pages.heat import HeatRow, heat_rows
from tlsrpt_portal.pages.span import Span, read_span
from webui import charting
from webui.charting import Cell, Chart
from webui.exports import Format, file_response
from webui.wording import day as day_words
from webui.wording import number, plural

MOST_ROWS = 100
MOST_HEAT_ROWS = 20
MOST_EVIDENCE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of failed sessions."""

    name: str
    detail: str
    href: str
    failed: int
    domains: int | None
    reporters: int | None
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for: domains, days, one cause or any, and its own narrowing."""

    domains: Scope
    span: Span
    cause: str
    scope: dict[str, str]

    def href_of(self, cause: CauseKey) -> str:
        """Give the page of a cause within the same days and narrowing."""
        mx = {} if cause.receiving_mx is None else {"mx": cause.receiving_mx}
        days = str(self.span.days)
        return group_href(cause=cause.result_type, **mx, **self.scope, days=days)


def failures(request: HttpRequest) -> HttpResponse:
    """Show the failed sessions of the span, grouped as `?by=` asks."""
    asked = read_asked(request)
    by = request.GET.get("by", "cause-mx")
    if by not in _GROUPINGS:
        raise Http404
    rows = _GROUPINGS[by][1](asked)
    if request.GET.get("export") in set(Format):
        return _export(Format(request.GET["export"]), rows)
    span = asked.span
    context = {
        "span": span,
        "rows": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "by": by,
        "groupings": [
            (key, words, _query(request, by=key)) for key, (words, _) in _GROUPINGS.items()
        ],
        "totals": queries.sum_up(asked.domains, span.since, span.until),
        "heat": _heat(asked.domains, span),
        "heat_days": [span.until - timedelta(days=n) for n in range(min(span.days, 30))][::-1],
        "teams": teams_for(request.user),
        "scope": asked.scope,
        "modes": StsMode.choices,
        "cause": asked.cause,
        "query": request.GET.urlencode(),
    }
    return render(request, "failures/list.html", context)


def failure_group(request: HttpRequest) -> HttpResponse:
    """Show one cause: what it means, what to do, whom it touches, and who says so."""
    asked = read_asked(request)
    span, domains = asked.span, asked.domains
    if "cause" not in request.GET:
        raise Http404
    cause = CauseKey(result_type=asked.cause[:64], receiving_mx=request.GET.get("mx"))
    days = cause_queries.failed_by_day(domains, cause, span.since, span.until)
    parts = cause_queries.parts_of(domains, cause, span.since, span.until)
    shown = parts.by_domain[:MOST_ROWS]
    names = Domain.objects.select_related("team").in_bulk([part.key for part in shown])
    found = cause_queries.evidence(domains, cause, span.since, span.until)[:MOST_EVIDENCE]
    context = {
        "span": span,
        "cause": cause,
        "name": cause_name(cause.result_type),
        "words": describe_result_type(cause.result_type),
        "failed": sum(count for _, count in days),
        "chart": _group_chart(cause, days),
        "domains": [(names[part.key], part) for part in shown if part.key in names],
        "domain_count": len(parts.by_domain),
        "reporters": parts.by_reporter,
        "mxs": [
            (part, asked.href_of(replace(cause, receiving_mx=part.key)))
            for part in parts.by_receiving_mx
        ]
        if cause.receiving_mx is None
        else [],
        "list_href": failures_href(**asked.scope, days=str(span.days)),
        "narrowed_to": _scope_words(asked.scope),
        "evidence": [
            (detail, explain_reason(detail.failure_reason_code) or "") for detail in found
        ],
        "reports_href": reports_href(cause=cause.result_type),
    }
    return render(request, "failures/group.html", context)


def read_asked(request: HttpRequest) -> Asked:
    """Read the address: the watched domains this person may see, of one team or mode."""
    scope = {}
    if (team := request.GET.get("team", "")).isdecimal():
        scope["team"] = team
    fleet = Fleet(request.user, int(team) if "team" in scope else None)
    domains: Scope = fleet
    if (mode := request.GET.get("sts", "")) in StsMode.values:
        domains = narrow_to_mode(fleet.domains, StsMode(mode))
        scope["sts"] = mode
    cause = request.GET.get("cause", "")
    return Asked(domains=domains, span=read_span(request), cause=cause, scope=scope)


def _scope_words(scope: dict[str, str]) -> str:
    """Give in words what the figures are narrowed to; empty for everything."""
    words: list[str] = []
    if "team" in scope:
        words += Team.objects.filter(pk=int(scope["team"])).values_list("name", flat=True)
    if "sts" in scope:
        words.append(f"domains whose policy is in mode {scope['sts']}")
    return ", ".join(words)


def narrow_to_mode(domains: DomainQuerySet, mode: StsMode) -> DomainQuerySet:
    """Narrow to domains that take mail and have a policy of this mode that senders use."""
    using = domains.filter(posture__mta_sts=Status.VALID, posture__sts_mode=mode)
    return using.exclude(posture__mx=Status.NULL_MX)


def _query(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for key, value in changes.items():
        query[key] = value
    return f"?{query.urlencode()}"


def failures_href(**query: str) -> str:
    """Give the address of the failures that these parameters leave."""
    return f"{reverse('failures:list')}?{urlencode(query)}"


def group_href(**query: str) -> str:
    """Give the address of the page of one cause."""
    return f"{reverse('failures:group')}?{urlencode(query)}"


T = TypeVar("T")


class _Rows(Sequence[Row], Generic[T]):
    """Rows that are made when they are read: a fleet may have very many groups."""

    def __init__(self, groups: Sequence[T], make: Callable[[Sequence[T]], list[Row]]) -> None:
        self._groups = groups
        self._make = make

    def __len__(self) -> int:
        return len(self._groups)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, int):
            return self._make([self._groups[at]])[0]
        return self._make(self._groups[at])


def _by_cause_and_mx(asked: Asked) -> Sequence[Row]:
    span = asked.span
    return _cause_rows(
        asked, cause_queries.causes_by_receiving_mx(asked.domains, span.since, span.until)
    )


def _by_cause(asked: Asked) -> Sequence[Row]:
    return _cause_rows(
        asked, cause_queries.causes(asked.domains, asked.span.since, asked.span.until)
    )


def _cause_rows(asked: Asked, found: Sequence[Cause]) -> Sequence[Row]:
    def make(chosen: Sequence[Cause]) -> list[Row]:
        reach = extents(asked.domains, chosen, asked.span.since, asked.span.until)
        return [
            Row(
                name=cause_name(one.result_type),
                detail=_mx_words(one),
                href=asked.href_of(one),
                failed=one.failed_sessions,
                domains=extent.domains,
                reporters=extent.reporters,
                first_day=one.first_day,
                last_day=one.last_day,
            )
            for one, extent in zip(chosen, reach, strict=True)
        ]

    return _Rows([one for one in found if asked.cause in {"", one.result_type}], make)


def _mx_words(one: Cause) -> str:
    if one.receiving_mx or not one.receiving_mxs:
        return one.receiving_mx or "no MX named"
    return plural(one.receiving_mxs, "MX host")


def _by_reporter(asked: Asked) -> list[Row]:
    found = queries.by_reporter(asked.domains, asked.span.since, asked.span.until)
    return [
        Row(
            name=one.reporter,
            detail=f"of {number(one.sessions)} sessions",
            href=reports_href(reporter=one.reporter, content="failures"),
            failed=one.failures,
            domains=one.domains,
            reporters=None,
            first_day=one.first_day,
            last_day=one.last_day,
        )
        for one in sorted(found, key=lambda one: -one.failures)
        if one.failures
    ]


def _by_domain(asked: Asked) -> Sequence[Row]:
    span = asked.span

    def make(chosen: Sequence[tuple[int, Sums]]) -> list[Row]:
        shown = Domain.objects.filter(pk__in=[pk for pk, _ in chosen])
        names = shown.in_bulk()
        reporters = queries.reporters_per_domain(shown, span.since, span.until)
        return [
            Row(
                name=names[pk].display_name,
                detail=f"of {number(sums.sessions)} sessions",
                href=f"{names[pk].get_absolute_url()}?days={span.days}#failures",
                failed=sums.failures,
                domains=None,
                reporters=reporters.get(pk, 0),
                first_day=None,
                last_day=None,
            )
            for pk, sums in chosen
            if pk in names
        ]

    found = queries.per_domain_sums(asked.domains, span.since, span.until)
    failing = [(pk, sums) for pk, sums in found.items() if sums.failures]
    return _Rows(sorted(failing, key=lambda one: -one[1].failures), make)


def _by_provider(asked: Asked) -> list[Row]:
    found = queries.per_domain_sums(asked.domains, asked.span.since, asked.span.until)
    postures = of_domains(Posture.objects.all(), asked.domains)
    providers = dict(postures.values_list("domain_id", "mx_provider"))
    groups: defaultdict[str, list[queries.Sums]] = defaultdict(list)
    for key, total in found.items():
        if total.failures:
            groups[providers.get(key) or ""].append(total)
    listing = reverse("domains:list")
    rows = [
        Row(
            name=provider or "Own or unknown hosts",
            detail=f"of {number(sum(one.sessions for one in group))} sessions",
            href=f"{listing}?{urlencode({'q': provider})}" if provider else listing,
            failed=sum(one.failures for one in group),
            domains=len(group),
            reporters=None,
            first_day=None,
            last_day=None,
        )
        for provider, group in groups.items()
    ]
    return sorted(rows, key=lambda row: -row.failed)


def _by_policy_type(asked: Asked) -> list[Row]:
    found = queries.by_policy_type(asked.domains, asked.span.since, asked.span.until)
    rows = [
        Row(
            name=PolicyKind(one.policy_type).label,
            detail=f"of {number(one.successes + one.failures)} sessions under it",
            href=reports_href(policy=one.policy_type, content="failures"),
            failed=one.failures,
            domains=None,
            reporters=None,
            first_day=None,
            last_day=None,
        )
        for one in found
        if one.failures
    ]
    return sorted(rows, key=lambda row: -row.failed)


_GROUPINGS: dict[str, tuple[str, Callable[[Asked], Sequence[Row]]]] = {
    "cause-mx": ("Cause and MX", _by_cause_and_mx),
    "cause": ("Cause", _by_cause),
    "reporter": ("Reporter", _by_reporter),
    "domain": ("Domain", _by_domain),
    "provider": ("MX provider", _by_provider),
    "policy": ("Policy type", _by_policy_type),
}


def _heat(domains: Scope, span: Span) -> list[HeatRow]:
    """Give the worst domains of the span with their days, at most the last thirty."""
    since = max(span.since, span.until - timedelta(days=29))
    worst = cause_queries.worst_domains(domains, since, span.until, MOST_HEAT_ROWS)
    chosen = Domain.objects.filter(pk__in=worst)
    daily = queries.per_domain_daily(chosen, since, span.until)
    names = {domain.pk: domain for domain in chosen}
    return heat_rows([(names[key], daily[key]) for key in worst if key in daily])


def _export(form: Format, rows: Sequence[Row]) -> HttpResponse:
    header = ("Group", "Detail", "Failed sessions", "Domains", "Reporters", "First day", "Last day")
    values: list[tuple[Any, ...]] = [
        (row.name, row.detail, row.failed, row.domains, row.reporters, row.first_day, row.last_day)
        for row in rows[:]
    ]
    return file_response(form, "failures", header, values)


def _group_chart(cause: CauseKey, days: list[tuple[date, int]]) -> Chart:
    bar = {
        "type": "bar",
        "name": "Failed sessions",
        "x": [day.isoformat() for day, _ in days],
        "y": [count for _, count in days],
        "marker": {"color": charting.FAILURES},
        "hovertemplate": "%{y:,} failed<extra></extra>",
    }
    more = {
        "xaxis": charting.day_axis(),
        "yaxis": charting.axis(title={"text": "Failed sessions"}, tickformat="~s"),
        "showlegend": False,
    }
    return Chart(
        id="group-chart",
        title="Failed sessions by day",
        figure={"data": [bar], "layout": charting.layout(240, **more)},
        columns=("Day", "Failed sessions"),
        rows=[
            (
                Cell(
                    text=day_words(day),
                    href=reports_href(day=day.isoformat(), cause=cause.result_type),
                ),
                Cell(text=number(count)),
            )
            for day, count in reversed(days)
        ],
        height=240,
        day_href=reports_href(day="DAY", cause=cause.result_type),
    )
