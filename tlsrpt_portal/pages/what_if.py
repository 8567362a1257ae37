"""What enforce would have refused, were all domains in testing in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domains.models import Domain, StsMode
from reports import queries, reporter_queries
from reports.fleet import Fleet
from reports.queries import Sums
from reports.signs import cause_name
from reports.under_enforce import (
    NOT_APART,
    Apart,
    UnderEnforce,
    read_refusals,
    split,
)
from tlsrpt_portal.pages.failure_scope import failures_href, group_href, operator_words
from tlsrpt_portal.pages.stages import EVIDENCE_DAYS
from tlsrpt_portal.pages.team_choice import read_team, team_choices
from webui.wording import number, plural

MOST_REFUSED = 5
_IN_ADDRESS = {"sts": StsMode.TESTING.value, "days": str(EVIDENCE_DAYS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The sessions of domains in testing, and what enforce would have done to those that failed.

    `scope` narrows pages of failures to the same domains and days.
    """

    domains: int
    sessions: int
    failed: UnderEnforce
    scope: dict[str, str]

    @property
    def failures_href(self) -> str:
        """Give the page of the causes of these failures."""
        return failures_href(by="cause", **self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A part of the sessions that enforce would have refused."""

    name: str
    detail: str
    sessions: int
    href: str


def what_if(request: HttpRequest) -> HttpResponse:
    """Show whom enforce would have refused mail of, for what and by whom."""
    team = read_team(request)
    testing = Fleet(request.user, team.key, StsMode.TESTING)
    span = queries.last_complete_days(EVIDENCE_DAYS)
    told = queries.per_domain_sums(testing, *span)
    refusals = read_refusals(testing, *span, MOST_REFUSED)
    found = add_up_what_if(testing.domains.count(), told, team.in_address)
    context = {
        "what_if": found,
        "by_domain": _by_domain(told),
        "by_cause": [_cause(*cause, found.scope) for cause in refusals.causes],
        "by_sender": _by_sender(
            reporter_queries.failures_by_reporter(testing, *span), refusals.apart, found.scope
        ),
        "days": EVIDENCE_DAYS,
        "teams": team_choices(request.user),
        "team": team.word,
    }
    return render(request, "pages/what_if.html", context)


def add_up_what_if(domains: int, told: Mapping[int, Sums], team: Mapping[str, str]) -> WhatIf:
    """Add up the figures of domains in testing; `domains` is how many these are."""
    failed = [sums.failed for sums in told.values() if sums.failures]
    return WhatIf(
        domains=domains,
        sessions=sum(sums.sessions for sums in told.values()),
        failed=UnderEnforce(*map(sum, zip(*failed, strict=True))),
        scope={**team, **_IN_ADDRESS},
    )


def _by_domain(told: Mapping[int, Sums]) -> list[Refused]:
    refused = {pk: sums.failed.refused for pk, sums in told.items() if sums.failures}
    worst = [pk for pk in nlargest(MOST_REFUSED, refused, key=refused.__getitem__) if refused[pk]]
    held = Domain.objects.in_bulk(worst)
    return [
        Refused(
            name=held[pk].display_name,
            detail=f"of {plural(told[pk].sessions, 'session')}",
            sessions=refused[pk],
            href=f"{held[pk].get_absolute_url()}#readiness",
        )
        for pk in worst
        if pk in held
    ]


def _cause(result_type: str, operator: str, failed: int, scope: Mapping[str, str]) -> Refused:
    return Refused(
        name=cause_name(result_type),
        detail=operator_words(operator),
        sessions=failed,
        href=group_href(cause=result_type, operator=operator, **scope),
    )


def _by_sender(
    told: Iterable[tuple[str, int]], apart: Mapping[str, Apart], scope: Mapping[str, str]
) -> list[Refused]:
    """Give who told of most sessions that enforce would have refused."""
    href = failures_href(by="reporter", **scope)
    found = [(split(failed, apart.get(name, NOT_APART)), name) for name, failed in told]
    worst = nlargest(MOST_REFUSED, found, key=lambda one: one[0].refused)
    return [_sender(name, failed, href) for failed, name in worst if failed.refused]


def _sender(name: str, failed: UnderEnforce, href: str) -> Refused:
    # The page behind it counts all that failed.
    detail = f"of {number(failed.failures)} failed" if failed.refused < failed.failures else ""
    return Refused(name=name, detail=detail, sessions=failed.refused, href=href)
