"""The backtest: the incidents there would have been, had the rules looked every day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerts import facts
from alerts.causes import Book
from alerts.models import Incident, Rule, RuleKind
from alerts.rules.kinds import RATE_KINDS
from alerts.rules.kinship import is_kin
from alerts.rules.regression import BASELINE_DAYS
from alerts.rules.silence import is_regular
from alerts.services.evaluate_rates import picture_of, rate_rules, read_rate_rule, rule_scope
from alerts.services.evaluate_silence import (
    SPAN_DAYS,
    picture_of_silence,
    read_silence_rule,
    regular_counts,
    silence_rules,
)
from alerts.services.kin import signs_of
from alerts.services.picture import Picture
from alerts.services.replay_records import replay_records
from alerts.silences import SilenceBook


@dataclass(kw_only=True)
class Replayed:
    """One incident of the replay. `resolved_on` is None while it is open on the last day."""

    rule: Rule
    opened_on: date
    resolved_on: date | None
    picture: Picture

    @property
    def result_type(self) -> str:
        """Give the result type most sessions failed with."""
        return self.picture.result_type

    @property
    def failed_sessions(self) -> int:
        """Give the failed sessions of all its domains."""
        return self.picture.failed_sessions

    @property
    def sessions(self) -> int:
        """Give all sessions of its failing days."""
        return self.picture.sessions

    @property
    def domains(self) -> set[str]:
        """Give the names of the touched domains."""
        return set(self.picture.domains)

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "rule": self.rule.kind,
            "name": self.rule.name,
            "severity": self.picture.severity.value,
            "opened_on": self.opened_on.isoformat(),
            "resolved_on": self.resolved_on.isoformat() if self.resolved_on else None,
            "result_type": self.result_type or None,
            "reporters": list(self.picture.reporters),
            "receiving_mx": list(self.picture.receiving_mx),
            "domains": sorted(self.domains),
            "failed_sessions": self.picture.failed_sessions,
            "sessions": self.picture.sessions,
        }


def replay(days: Sequence[date], rules: Iterable[Rule] | None = None) -> Iterator[Replayed]:
    """Replay the days in order, each as if it were today, with only the complete days before it.

    Reads the figures once; writes nothing. `rules` may be rules that are not saved.
    """
    found: list[Replayed] = []
    for rule in active_rules() if rules is None else rules:
        if rule.kind == RuleKind.SILENCE:
            found += _replay_silence(rule, days)
        elif rule.kind in {RuleKind.POSTURE, RuleKind.COVERAGE}:
            found += [
                Replayed(rule=rule, opened_on=opened_on, resolved_on=resolved_on, picture=picture)
                for opened_on, resolved_on, picture in replay_records(rule, days)
            ]
        else:
            told = [one for one in found if one.rule.kind in RATE_KINDS]
            found += [one for one in _replay_rates(rule, days) if not _is_told(one, told)]
    yield from sorted(_without_parts(found), key=lambda one: (one.opened_on, one.picture.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """What is open today and would not have been found."""

    open_count: int
    missed: list[Incident]


def find_misses(found: Iterable[Replayed], rules: Iterable[Rule], since: date) -> Misses:
    """Give which of the incidents that are open today, and began in the days replayed, these rules
    would have missed. Asked are those of rules of the same kinds, at the same teams' domains."""
    found = list(found)
    asked = Incident.objects.none()
    for rule in rules:
        kinds = RATE_KINDS if rule.kind in RATE_KINDS else (rule.kind,)
        mine = Incident.objects.active().filter(rule__kind__in=kinds, since_on__gte=since)
        if rule.team_id is not None:
            mine = mine.filter(incident_domains__domain__team=rule.team_id)
        asked |= mine.filter(incident_domains__domain__is_active=True)
    incidents = list(asked.distinct().order_by("opened_at", "pk"))
    missed = [one for one in incidents if not any(_tells_of(other, one) for other in found)]
    return Misses(open_count=len(incidents), missed=missed)


def _tells_of(one: Replayed, incident: Incident) -> bool:
    """Say whether the replay tells of an incident: the same thing, at one of its domains, then."""
    kinds = {one.rule.kind, incident.rule.kind}
    if len(kinds) > 1 and not kinds <= set(RATE_KINDS):
        return False
    if one.resolved_on is not None and one.resolved_on < incident.since_on:
        return False
    same = ("code", "kind")
    if any(one.picture.evidence.get(key) != incident.evidence.get(key) for key in same):
        return False
    is_same_type = one.result_type == incident.result_type
    if incident.rule.kind in RATE_KINDS and not is_same_type:
        types = set(incident.evidence.get("types", ())) & set(one.picture.evidence.get("types", ()))
        if not types:
            return False
    return incident.incident_domains.filter(domain__name__in=sorted(one.domains)[:500]).exists()


def active_rules() -> list[Rule]:
    """Give the active rules in the order in which causes are theirs."""
    records = Rule.objects.filter(is_active=True, kind__in=[RuleKind.POSTURE, RuleKind.COVERAGE])
    return [*rate_rules(), *silence_rules(), *records.order_by("pk")]


def _without_parts(found: Iterable[Replayed]) -> list[Replayed]:
    """Leave out what would have joined an earlier incident of another rule with the same cause."""
    whole: list[Replayed] = []
    for one in sorted(found, key=lambda one: one.opened_on):
        new = signs_of(RuleKind(one.rule.kind), one.picture, len(one.domains))
        if new is None or not any(
            other.resolved_on is None or other.resolved_on >= one.opened_on
            for other in whole
            if (held := signs_of(RuleKind(other.rule.kind), other.picture, len(other.domains)))
            and is_kin(held, new, len(one.domains & other.domains))
        ):
            whole.append(one)
    return whole


def _is_told(one: Replayed, told: Iterable[Replayed]) -> bool:
    """Say whether an earlier rule's incident tells of the same cause at that time."""
    return any(
        other.result_type == one.result_type
        and other.domains & one.domains
        and other.opened_on <= (one.resolved_on or date.max)
        and one.opened_on <= (other.resolved_on or date.max)
        for other in told
    )


def _replay_rates(rule: Rule, days: Sequence[date]) -> list[Replayed]:
    first_on = days[0] - timedelta(days=BASELINE_DAYS + 7)
    figures = facts.load_figures(
        rule_scope(rule), first_on, days[-1] - timedelta(days=1), look_from=days[0] - timedelta(7)
    )
    book = Book(read_rate_rule(rule), figures)
    for today in days:
        # The first look is at the days before, too: what fails already is found, not skipped.
        book.judge(today, 7 if today == days[0] else 1)
    found = []
    for cause in book.causes:
        if not cause.is_foreign:
            summed = book.sum_up(cause, figures.span)
            found.append(
                Replayed(
                    rule=rule,
                    opened_on=cause.opened_on,
                    resolved_on=cause.resolved_on,
                    picture=picture_of(rule, cause, summed, figures),
                )
            )
    return found


def _replay_silence(rule: Rule, days: Sequence[date]) -> list[Replayed]:
    first_on = days[0] - timedelta(days=SPAN_DAYS)
    scope = rule_scope(rule)
    presence = facts.presence_of(scope, first_on, days[-1] - timedelta(days=1))
    teams = dict(scope.order_by().values_list("name", "team"))
    book = SilenceBook(read_silence_rule(rule), first_on)
    for today in days:
        end = (today - first_on).days
        seen = (1 << end) - 1  # later days are still to come
        upto = {pair: bits & seen for pair, bits in presence.days.items()}
        regular = Counter(
            reporter
            for (_, reporter), bits in upto.items()
            if is_regular(bits, end - 1) or is_regular(bits, end - 4)
        )
        counts = regular_counts(regular)
        book.judge(today, upto, counts, teams, volumes=presence.volumes)
    return [
        Replayed(
            rule=rule,
            opened_on=cause.opened_on,
            resolved_on=cause.resolved_on,
            picture=picture_of_silence(cause, first_on),
        )
        for cause in book.causes
    ]
