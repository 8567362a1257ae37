"""The backtest of rules about records and coverage, from the confirmed changes that are kept.

What a change of the past meant is judged by the MX hosts and the policy the domain had then.
Exceptions that ended are not replayed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

from alerts.causes import DomainFigures
from alerts.models import Rule, RuleKind
from alerts.rules.coverage import CoverageRule
from alerts.rules.posture import LACKS, PostureRule, Trouble, mx_operator
from alerts.services.evaluate_coverage import (
    NEW_FOR,
    NewByTeam,
    picture_of_new,
    read_coverage_rule,
    rule_scope_of_new,
)
from alerts.services.evaluate_posture import evidence_of, read_posture_rule, title_of
from alerts.services.evaluate_rates import rule_scope
from alerts.services.past import Past
from alerts.services.picture import Picture
from alerts.services.replay_certificates import Told, replay_certificates
from domains.exception_queries import exceptions_by_domain
from domains.history import states_on
from domains.lacks import Lack
from domains.models import Domain, DomainQuerySet, StateChange
from mailtls.changes import CERTIFICATE_KINDS
from mailtls.facts import Facts

_CHUNK = 500
# Reading is for what a person looks at: more changes than these are no fault but a migration.
_MOST_CHANGES = 50_000

Found = tuple[date, date | None, Picture]


def replay_records(rule: Rule, days: Sequence[date]) -> list[Found]:
    """Give the incidents a rule would have opened on these days: from, to, and how they look."""
    replay = _replay_posture if rule.kind == RuleKind.POSTURE else _replay_coverage
    return list(replay(rule, days))


@dataclass(kw_only=True)
class _Open:
    """An incident of the replay while it is put together."""

    trouble: Trouble
    team: int | None
    operator: str
    opened_on: date
    domains: dict[str, date] = field(default_factory=dict)
    ends: list[date | None] = field(default_factory=list)

    def add(self, one: Told) -> None:
        self.domains.setdefault(one.name, one.on)
        self.ends.append(one.end)
        if one.trouble.severity.rank < self.trouble.severity.rank:
            self.trouble = one.trouble

    @property
    def resolved_on(self) -> date | None:
        """Give when the last domain was mended; None where one never was."""
        ends = [end for end in self.ends if end is not None]
        return max(ends) if len(ends) == len(self.ends) else None


def _replay_posture(rule: Rule, days: Sequence[date]) -> Iterator[Found]:
    read = read_posture_rule(rule)
    scope = rule_scope(rule)
    told = [*_tell_changes(read, scope, days), *replay_certificates(read, scope, days)]
    found: list[_Open] = []
    for one in sorted(told, key=lambda one: one.on):
        held = _find_open(found, one)
        if held is None:
            operator = mx_operator(one.facts)
            held = _Open(trouble=one.trouble, team=one.team, operator=operator, opened_on=one.on)
            found.append(held)
        held.add(one)
    return map(partial(_finish, until=days[-1]), found)


def _finish(one: _Open, until: date) -> Found:
    last_on = one.resolved_on or until
    domains = {
        name: DomainFigures(first_on=day, last_on=last_on)
        for name, day in sorted(one.domains.items())
    }
    title = title_of(one.trouble, domains)
    picture = Picture(
        key=f"{one.trouble.code}@{one.trouble.site or one.team} {one.opened_on}",
        title=title,
        sentence=title,
        severity=one.trouble.severity,
        since_on=one.opened_on,
        last_on=last_on,
        domains=domains,
        evidence={
            **evidence_of(one.trouble, team=one.team),
            "operators": [one.operator] if one.operator else [],
        },
    )
    return one.opened_on, one.resolved_on, picture


def _tell_changes(read: PostureRule, scope: DomainQuerySet, days: Sequence[date]) -> Iterator[Told]:
    """Give what the confirmed changes of these days meant."""
    since = datetime.combine(days[0], time(), UTC)
    until = datetime.combine(days[-1] + timedelta(days=1), time(), UTC)
    changes = StateChange.objects.filter(
        domain__in=scope.order_by().values("pk"), confirmed_at__range=(since, until)
    ).exclude(kind__in=CERTIFICATE_KINDS)
    rows = [
        (pk, name, team, kind, confirmed_at, findings)
        for pk, name, team, kind, confirmed_at, findings in changes.order_by(
            "confirmed_at", "pk"
        ).values_list("domain", "domain__name", "domain__team", "kind", "confirmed_at", "findings")[
            :_MOST_CHANGES
        ]
        if confirmed_at is not None
    ]
    ends = _ends_of([(pk, kind, _day(at)) for pk, _, _, kind, at, _ in rows])
    past = Past({row[0] for row in rows})
    excepted = cache(exceptions_by_domain)
    for (pk, name, team, _, at, findings), end in zip(rows, ends, strict=True):
        on, facts = _day(at), past.facts_at(pk, at)
        if facts is None:
            continue
        for trouble in _troubles_of(read, findings, facts):
            lacks = LACKS.get(trouble.code, frozenset())
            if not (lacks and lacks & excepted(on).get(pk, {}).keys()):
                yield Told(name=name, team=team, trouble=trouble, facts=facts, on=on, end=end)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _troubles_of(
    read: PostureRule, findings: Sequence[Mapping[str, Any]], facts: Facts
) -> Iterator[Trouble]:
    for finding in findings:
        trouble = read.read_past(finding["code"], finding["params"], facts)
        if trouble is not None:
            yield trouble


def _find_open(found: Sequence[_Open], told: Told) -> _Open | None:
    """Give what the trouble belongs to: the same at its site, or in the team since yesterday."""
    trouble = told.trouble
    for one in reversed(found):
        is_same = one.trouble.code == trouble.code and one.trouble.site == trouble.site
        is_open = one.resolved_on is None or one.resolved_on >= told.on
        is_near = told.on - one.opened_on <= timedelta(days=1)
        if is_same and (is_open if trouble.site else is_near and one.team == told.team):
            return one
    return None


def _ends_of(rows: Sequence[tuple[int, str, date]]) -> list[date | None]:
    """Give for each change when the next of its kind at its domain came; None for the last one."""
    ends: list[date | None] = [None] * len(rows)
    following: dict[tuple[int, str], date] = {}
    for index in range(len(rows) - 1, -1, -1):
        pk, kind, on = rows[index]
        ends[index] = following.get((pk, kind))
        following[pk, kind] = on
    return ends


def _replay_coverage(rule: Rule, days: Sequence[date]) -> Iterator[Found]:
    """Look at each new domain on the day its time was up, and at what it lacks today."""
    read = read_coverage_rule(rule)
    allowed = timedelta(days=read.days)
    first = datetime.combine(days[0], time(), UTC) - NEW_FOR
    last = datetime.combine(days[-1] + timedelta(days=1), time(), UTC) - allowed
    domains = rule_scope_of_new(rule).filter(created_at__range=(first, last))
    told: dict[date, list[int]] = defaultdict(list)
    names: dict[int, str] = {}
    for pk, name, created_at in domains.values_list("pk", "name", "created_at"):
        names[pk] = name
        told[max(days[0], (created_at + allowed).astimezone(UTC).date())].append(pk)
    lacking_now = _lacking_on(read, list(names), days[-1])
    groups = NewByTeam()
    open_teams = set()
    for on, pks in sorted(told.items()):
        for pk, (team, lacks) in _lacking_on(read, pks, on).items():
            groups[team].add(names[pk], on, lacks)
            if pk in lacking_now:
                open_teams.add(team)
    for team, new in groups.items():
        picture = picture_of_new(new, read.days, days[-1])
        end = None if team in open_teams else days[-1]
        yield picture.since_on, end, picture


def _lacking_on(
    read: CoverageRule, pks: Sequence[int], on: date
) -> dict[int, tuple[int | None, list[Lack]]]:
    """Give the domains that lacked on a day what the rule expects, with their teams."""
    found = {}
    moment = datetime.combine(on, time(), UTC)
    for start in range(0, len(pks), _CHUNK):
        chunk = pks[start : start + _CHUNK]
        excepted = exceptions_by_domain(on, chunk)
        for state in states_on(Domain.objects.filter(pk__in=chunk), on):
            excused = excepted.get(state.domain_id, ())
            long_ago = moment - timedelta(days=read.days)
            lacks = read.missing(long_ago, moment, state.tlsrpt, state.sts, excused)
            if lacks:
                found[state.domain_id] = (state.team_id, lacks)
    return found
