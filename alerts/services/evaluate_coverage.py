"""Judges coverage once a day: new domains without records, and exceptions that end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q

from accounts.models import Team
from alerts.causes import DomainFigures
from alerts.models import Incident, Mark, Rule, RuleKind, Severity
from alerts.rules.coverage import CoverageKind, CoverageRule
from alerts.rules.parameters import read_rule
from alerts.services.evaluate_rates import rule_scope
from alerts.services.picture import Picture, where
from alerts.services.resting import is_resting, resolved_by_people
from alerts.services.store_incident import Outcome, close, take
from domains.exception_queries import (
    exceptions_by_domain,
    expiring_exceptions,
    lacking_only,
    lapsed_exceptions,
)
from domains.lacks import Lack
from domains.models import Domain, DomainQuerySet, Status
from webui.wording import day, isolated

# How long a domain is new. Of what was told before that, the incident lasts until it is covered.
NEW_FOR = timedelta(days=60)
_NEW_KEY = "coverage@team "


def evaluate_coverage(now: datetime, outcome: Outcome) -> None:
    """Apply the rules about coverage, on the first look of a day."""
    today = now.astimezone(UTC).date()
    for rule in Rule.objects.filter(is_active=True, kind=RuleKind.COVERAGE).order_by("pk"):
        mark, _ = Mark.objects.get_or_create(name=f"coverage {rule.pk}")
        if Mark.objects.filter(pk=mark.pk).exclude(day=today).update(day=today):
            _evaluate_rule(rule, now, outcome)


def read_coverage_rule(rule: Rule) -> CoverageRule:
    """Read the parameters of a rule about coverage."""
    read = read_rule(rule.kind, rule.parameters)
    assert isinstance(read, CoverageRule)
    return read


def _evaluate_rule(rule: Rule, now: datetime, outcome: Outcome) -> None:
    read = read_coverage_rule(rule)
    today = now.astimezone(UTC).date()
    held = list(Incident.objects.active().filter(rule=rule))
    pictures = [*_uncovered(rule, read, held, now), *_ending(rule, read, today)]
    for picture in pictures:
        take(rule, picture, now, outcome)
    found = {picture.key for picture in pictures}
    for incident in held:
        if incident.cause_key not in found:
            close(incident, "Nothing is lacking there that has to be.", now, outcome)


def rule_scope_of_new(rule: Rule) -> DomainQuerySet:
    """Give the domains that should have records: without mail there is nothing to protect."""
    return rule_scope(rule).exclude(mx=Status.NULL_MX)


@dataclass(kw_only=True)
class NewDomains:
    """The new domains of a team that lack records: since when, and what."""

    team: int | None
    team_name: str
    first_on: dict[str, date] = field(default_factory=dict)
    lacks: set[frozenset[Lack]] = field(default_factory=set)

    def add(self, name: str, first_on: date, lacks: Iterable[Lack]) -> None:
        """Add a domain."""
        self.first_on[name] = first_on
        self.lacks.add(frozenset(lacks))

    @property
    def lacking(self) -> str:
        """Say what they lack: all of it everywhere, or some here and some there."""
        union = frozenset().union(*self.lacks)
        labels = [str(lack.label) for lack in Lack if lack in union]
        return (" and " if self.lacks == {union} else " or ").join(labels)


class NewByTeam(dict[int | None, NewDomains]):
    """The new domains that lack records, by team."""

    def __init__(self) -> None:
        super().__init__()
        self._names = dict(Team.objects.values_list("pk", "name"))

    def __missing__(self, team: int | None) -> NewDomains:
        """Begin with a team."""
        name = "no team" if team is None else self._names.get(team, "")
        self[team] = NewDomains(team=team, team_name=name)
        return self[team]


def picture_of_new(new: NewDomains, days: int, today: date) -> Picture:
    """Give the new domains of a team that lack records as their incident tells it."""
    domains = _figures(new.first_on, today)
    whose = f" of {isolated(new.team_name)}" if len(domains) > 1 and new.team_name else ""
    title = f"Still without {new.lacking}: {where(domains)}{whose}"
    return Picture(
        key=f"{_NEW_KEY}{new.team}",
        title=title[:300],
        sentence=f"{title}. They were added {days} or more days ago.",
        severity=Severity.LOW,
        since_on=min(new.first_on.values()),
        last_on=today,
        domains=domains,
        names_all=True,
        evidence={"kind": CoverageKind.NEW, "team": new.team},
    )


def _uncovered(
    rule: Rule, read: CoverageRule, held: list[Incident], now: datetime
) -> Iterator[Picture]:
    """Find new domains that lack records though they had the time; one incident a team."""
    today = now.astimezone(UTC).date()
    # What a person resolved without the records lasts as well.
    rests = Incident.objects.filter(is_resting(now), rule=rule)
    # Not of exceptions: a domain is not new again because one of its own has ended.
    of_new = [
        one for one in (*held, *resolved_by_people(rests)) if one.cause_key.startswith(_NEW_KEY)
    ]
    told = Domain.objects.filter(incident_domains__incident__in=of_new).values("pk")
    asked = rule_scope_of_new(rule).filter(
        Q(created_at__gte=now - NEW_FOR) | Q(pk__in=told),
        created_at__lte=now - timedelta(days=read.days),
    )
    rows = asked.order_by("name").values_list(
        "pk", "name", "team", "created_at", "posture__tlsrpt", "posture__mta_sts"
    )
    excepted = exceptions_by_domain(today)
    groups = NewByTeam()
    for pk, name, team, created_at, tlsrpt, mta_sts in rows:
        lacks = read.missing(created_at, now, tlsrpt or "", mta_sts or "", excepted.get(pk, ()))
        if lacks:
            groups[team].add(name, (created_at + timedelta(days=read.days)).date(), lacks)
    for new in groups.values():
        yield picture_of_new(new, read.days, today)


def _ending(rule: Rule, read: CoverageRule, today: date) -> Iterator[Picture]:
    """Find exceptions that end soon or have ended while the lack stands; one incident for those
    that one person approved until the same day."""
    scope = rule_scope(rule)
    soon = lacking_only(expiring_exceptions(scope, today, read.warn_days)).filter(renewal=None)
    soon = soon.without_wider(today)
    # What ended long ago was told when it did; a rule that is new does not dig it up.
    recent = today - NEW_FOR
    over = lapsed_exceptions(scope, today).filter(expires_on__gte=recent)
    groups: dict[tuple[str, date], list[tuple[str, str]]] = defaultdict(list)
    for rows in (soon, over):
        for one in rows.select_related("domain").order_by("domain__name", "lack"):
            lack = str(one.get_lack_display())
            groups[one.approver_name, one.expires_on].append((one.domain.name, lack))
    for (approver, expires_on), excepted in sorted(groups.items()):
        yield _picture_of_end(approver, expires_on, excepted, read.warn_days, today)


def _picture_of_end(
    approver: str, expires_on: date, excepted: list[tuple[str, str]], warn_days: int, today: date
) -> Picture:
    is_over = expires_on < today
    names = dict.fromkeys(name for name, _ in excepted)
    lacks = ", ".join(sorted({lack for _, lack in excepted}))
    since_on = min(today, expires_on - timedelta(days=warn_days))
    domains = _figures(dict.fromkeys(names, since_on), today)
    what = "Exceptions" if len(excepted) > 1 else "Exception"
    verb = "ended" if is_over else ("end" if len(excepted) > 1 else "ends")
    title = f"{what} from {lacks} {verb} on {day(expires_on)}: {where(domains)}"
    still = "The lack stands, and nothing excuses it any more." if is_over else "The lack stands."
    return Picture(
        key=f"exceptions of {approver} until {expires_on}",
        title=title[:300],
        sentence=f"{title}. Approved by {approver}. {still}",
        severity=Severity.MEDIUM if is_over else Severity.LOW,
        since_on=since_on,
        last_on=today,
        domains=domains,
        names_all=True,
        evidence={"kind": CoverageKind.ENDED if is_over else CoverageKind.ENDING},
    )


def _figures(first_on: dict[str, date], today: date) -> dict[str, DomainFigures]:
    return {name: DomainFigures(first_on=day, last_on=today) for name, day in first_on.items()}
