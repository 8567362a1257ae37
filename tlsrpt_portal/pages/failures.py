"""What breaks across the fleet: groups of failed sessions, and a heat map of domains by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import ViewedPage
from accounts.saved_views import Column, KeptViews
from domains.models import Domain, StsMode
from reports import queries
from reports.fleet import Fleet, Scope
from tlsrpt_portal.pages.failure_rows import BY_CAUSE, GROUPINGS, ORDERED, Row
from tlsrpt_portal.pages.failure_scope import CONCERNS, Asked, provider_words, read_asked
from tlsrpt_portal.pages.failure_table import FailureTable, untold_columns
from tlsrpt_portal.pages.heat import HeatRow, heat_rows
from tlsrpt_portal.pages.none_yet import none_yet
from tlsrpt_portal.pages.span import Span
from tlsrpt_portal.pages.team_choice import team_choices
from webui.exports import asked_format
from webui.lists import table_file

MOST_ROWS = 50
MOST_HEAT_ROWS = 20
DEFAULT_GROUPING = "cause-operator"
# As earlier addresses, and the views that people have saved, call a grouping.
_EARLIER = {"cause-mx": DEFAULT_GROUPING}


def failures(request: HttpRequest) -> HttpResponse:
    """Show the failed sessions of the span, grouped as `?by=` asks."""
    kept_views = KeptViews(request, ViewedPage.FAILURES)
    if first := kept_views.opens_with:
        return redirect(first)
    asked = read_asked(request)
    by = request.GET.get("by", DEFAULT_GROUPING)
    by = _EARLIER.get(by, by)
    if by not in GROUPINGS:
        raise Http404
    needs_all = bool((asked.order and by not in ORDERED) or asked_format(request))
    rows = GROUPINGS[by][1](asked, None if needs_all else MOST_ROWS)
    untold = untold_columns(rows.shown)
    columns = [
        column for column in kept_views.columns(FailureTable, ("name",)) if column.key not in untold
    ]
    table = _table(asked, rows.shown, columns, untold)
    if form := asked_format(request):
        return table_file(form, "failures", table)
    table.paginate(per_page=MOST_ROWS)
    context = _context(request, asked, by) | kept_views.context(columns)
    if not rows.count:
        context |= none_yet(Fleet(request.user))
    context |= {"table": table, "count": rows.count, "left_out": max(0, rows.count - MOST_ROWS)}
    return render(request, "failures/list.html", context)


def _context(request: HttpRequest, asked: Asked, by: str) -> dict[str, Any]:
    span = asked.span
    heat_days = min(span.days, 30)
    return {
        "span": span,
        "by": by,
        "groupings": [
            (key, words, _query(request, by=key)) for key, (words, _) in GROUPINGS.items()
        ],
        "totals": queries.sum_up(asked.domains, span.since, span.until),
        "heat": _heat(asked.domains, span),
        "heat_days": [span.until - timedelta(days=n) for n in range(heat_days)][::-1],
        "teams": team_choices(request.user),
        "scope": asked.scope,
        "provider": provider_words(asked.scope.get("provider", "")),
        "modes": StsMode.choices,
        "cause": asked.cause if by in BY_CAUSE else "",
        "is_by_cause": by in BY_CAUSE,
        "concerns": CONCERNS.items(),
        "concern": asked.concern,
        "is_narrowed": bool(asked.scope or (by in BY_CAUSE and asked.is_of_causes)),
        "unapplied": by not in BY_CAUSE and asked.is_of_causes,
    }


def _query(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    # Another grouping has other columns: their choice and order end with it.
    ended = ["sort", "columns"]
    if changes.get("by") not in BY_CAUSE:
        ended += ["cause", "concern"]
    for name in ended:
        query.pop(name, None)
    for key, value in changes.items():
        query[key] = value
    return f"?{query.urlencode()}"


def _table(
    asked: Asked, rows: Sequence[Row], columns: Sequence[Column], untold: Sequence[str]
) -> FailureTable:
    hidden = [column.key for column in columns if not column.is_shown]
    return FailureTable(rows, exclude=[*untold, *hidden], order_by=asked.order or None)


def _heat(domains: Scope, span: Span) -> list[HeatRow]:
    """Give the worst domains of the span with their days, at most the last thirty."""
    since = max(span.since, span.until - timedelta(days=29))
    failing, _ = queries.failing_domains(domains, since, span.until, MOST_HEAT_ROWS)
    worst = [pk for pk, _ in failing]
    chosen = Domain.objects.filter(pk__in=worst)
    daily = queries.per_domain_daily(chosen, since, span.until)
    names = {domain.pk: domain for domain in chosen}
    return heat_rows([(names[key], daily[key]) for key in worst if key in daily])
