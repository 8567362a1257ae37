"""Judges silence: who reported regularly and has stopped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q

from alerts import facts
from alerts.causes import DomainFigures
from alerts.models import ArrivalDay, Incident, Rule, RuleKind
from alerts.rules.parameters import read_rule
from alerts.rules.silence import BASELINE_DAYS, Arrivals, SilenceRule
from alerts.services.evaluate_rates import rule_scope
from alerts.services.picture import Picture, where
from alerts.services.resting import is_resting, resolved_by_people
from alerts.services.store_incident import Outcome, close, take
from alerts.silences import SEVERITY, SilenceBook, SilenceKind, SilentCause
from webui.wording import day, plural

# Four weeks to learn from, and the time after which silence is the new normal.
INTAKE_KEY = "silent-intake"
SPAN_DAYS = 2 * BASELINE_DAYS + 7
# How late reporters are is learnt up to so many mornings, from so many pairs and mornings on.
LATEST = 5
FEWEST_PAIRS = 5
FEWEST_MORNINGS = 3


def silence_rules() -> list[Rule]:
    """Give the active rules about silence."""
    return list(Rule.objects.filter(is_active=True, kind=RuleKind.SILENCE).order_by("pk"))


def read_silence_rule(rule: Rule) -> SilenceRule:
    """Read the parameters of a rule about silence."""
    read = read_rule(rule.kind, rule.parameters)
    assert isinstance(read, SilenceRule)
    return read


def regular_counts(pairs: Counter[str]) -> dict[str, int]:
    """Give how many domains each reporter tells of regularly; those of a single one are left out
    where others tell of many, because a small sender comes and goes."""
    most = max(pairs.values(), default=0)
    return {name: count for name, count in pairs.items() if count >= min(5, most)}


def picture_of_silence(cause: SilentCause, first_on: date) -> Picture:
    """Give a silence as its incident tells it."""
    last_on = first_on + timedelta(days=cause.last)
    domains = {
        name: DomainFigures(
            first_on=first_on + timedelta(days=day),
            last_on=last_on,
        )
        for name, day in sorted(cause.first.items())
    }
    who = ", ".join(sorted(cause.reporters))
    place = where(domains)
    title = {
        SilenceKind.REPORTER: f"{who} no longer reports",
        SilenceKind.DOMAIN: f"No reports any more about {place}",
        SilenceKind.PAIR: f"{who} no longer reports about {place}",
        SilenceKind.INTAKE: "No reports arrive at all",
    }[cause.kind]
    since_on = first_on + timedelta(days=cause.since)
    return Picture(
        key=cause.key,
        title=title[:300],
        sentence=(
            f"{title}: expected on every usual day since {day(since_on)}, at "
            f"{plural(len(domains), 'domain')}, and nothing came."
        ),
        severity=SEVERITY[cause.kind],
        since_on=since_on,
        last_on=last_on,
        domains=domains,
        reporters=tuple(sorted(cause.reporters)),
        evidence={"kind": cause.kind.value, "team": cause.team},
    )


def evaluate_silence(now: datetime, outcome: Outcome) -> None:
    """Apply the rules about silence to the complete days before `now`, and to the intake."""
    today = now.astimezone(UTC).date()
    for rule in silence_rules():
        read = read_silence_rule(rule)
        if rule.team_id is None and _evaluate_intake(rule, read, now, outcome):
            continue  # nothing came in at all: who exactly is silent says nothing
        _evaluate_rule(rule, read, today, now, outcome)


def _evaluate_rule(
    rule: Rule, read: SilenceRule, today: date, now: datetime, outcome: Outcome
) -> None:
    first_on = today - timedelta(days=SPAN_DAYS)
    scope = rule_scope(rule)
    causes = list(_read_causes(rule, first_on, now))
    recent = facts.recent_pairs(scope, today)
    arrivals = _learn_arrivals(rule, today, recent.ages)
    names = {name for cause in causes for name in cause.first if cause.resolved_on is None}
    concerned = scope.filter(Q(pk__in=recent.missing) | Q(name__in=list(names)[:5_000]))
    presence = facts.presence_of(concerned, first_on, today - timedelta(days=1))
    teams = dict(concerned.order_by().values_list("name", "team"))
    book = SilenceBook(read, first_on, causes)
    regular = regular_counts(recent.regular)
    book.judge(today, presence.days, regular, teams, arrivals, presence.volumes)
    held = {one.cause_key: one for one in Incident.objects.active().filter(rule=rule)}
    for cause in book.causes:
        if cause.resolved_on is None:
            take(rule, picture_of_silence(cause, first_on), now, outcome)
        elif cause.resolved_on == today and cause.key in held:
            close(held[cause.key], "Reports come in again, or have ended for good.", now, outcome)


def _learn_arrivals(
    rule: Rule, today: date, ages: Mapping[str, Counter[int]]
) -> dict[str, Arrivals]:
    """Note how old the newest reports are this morning; give how late each reporter usually is."""
    shares = {}
    for reporter, counts in ages.items():
        total = counts.total()
        upto = [sum(counts[age] for age in range(day + 1)) / total for day in range(1, LATEST + 1)]
        # Who tells of hardly any domain any more is silent, not late.
        if total >= FEWEST_PAIRS and upto[-1] >= 0.5:
            shares[reporter] = upto
    ArrivalDay.objects.update_or_create(rule=rule, day=today, defaults={"shares": shares})
    since = today - timedelta(days=BASELINE_DAYS + LATEST)
    ArrivalDay.objects.filter(rule=rule, day__lt=since).delete()
    # The newest mornings are left out: what is missed there may be the very silence in question.
    mornings = ArrivalDay.objects.filter(rule=rule, day__lte=today - timedelta(days=LATEST))
    noted: dict[str, list[Arrivals]] = defaultdict(list)
    for held in mornings.values_list("shares", flat=True):
        for reporter, upto in held.items():
            noted[reporter].append(upto)
    return {
        # The last share stands for all later mornings: by then what is to come is there.
        reporter: [*(sum(days) / len(days) for days in zip(*rows, strict=True)), 1.0]
        for reporter, rows in noted.items()
        if len(rows) >= FEWEST_MORNINGS
    }


def _read_causes(rule: Rule, first_on: date, now: datetime) -> Iterator[SilentCause]:
    """Read the incidents about silence that are open or rest."""
    mine = Incident.objects.filter(rule=rule).exclude(cause_key=INTAKE_KEY)
    resting = mine.filter(is_resting(now))
    by_people = set(resolved_by_people(resting).values_list("pk", flat=True))
    for one in mine.active() | resting:
        rows = one.incident_domains.values_list("domain__name", "first_on")
        if rows and "kind" in one.evidence:
            yield SilentCause(
                kind=SilenceKind(one.evidence["kind"]),
                reporters=set(one.reporters),
                team=one.evidence.get("team"),
                first={name: max(0, (day - first_on).days) for name, day in rows},
                since=(one.since_on - first_on).days,
                last=(one.last_seen_on - first_on).days,
                key=one.cause_key,
                opened_on=one.opened_at.date(),
                resolved_on=one.resolved_at.date() if one.resolved_at else None,
                resolved_by_person=one.pk in by_people,
            )


def _evaluate_intake(rule: Rule, read: SilenceRule, now: datetime, outcome: Outcome) -> bool:
    """Say whether the portal receives nothing although it does every day, and tell so."""
    last = facts.last_arrival(now, days=read.intake_hours // 24 + BASELINE_DAYS)
    is_dead = last is not None and now - last > timedelta(hours=read.intake_hours)
    if is_dead and last is not None:
        title = "No reports arrive at all"
        picture = Picture(
            key=INTAKE_KEY,
            title=title,
            sentence=(
                f"{title}: the last came at {day(last.date())} {last:%H:%M} UTC, and on most "
                "days some do. Look at the mail receiver, the intake's address and the rua of the "
                "domains."
            ),
            severity=SEVERITY[SilenceKind.INTAKE],
            since_on=last.date(),
            last_on=now.date(),
            domains={},
            evidence={"kind": SilenceKind.INTAKE.value},
        )
        take(rule, picture, now, outcome)
        return True
    for incident in Incident.objects.active().filter(rule=rule, cause_key=INTAKE_KEY):
        close(incident, "Reports arrive again.", now, outcome)
    return False
