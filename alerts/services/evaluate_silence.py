"""Judges silence: who reported regularly and has stopped."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from alerts.causes import DomainFigures
from alerts.models import Rule, RuleKind
from alerts.rules.parameters import read_rule
from alerts.rules.silence import BASELINE_DAYS, SilenceRule
from alerts.services.picture import Picture, where
from alerts.silences import SEVERITY, SilenceKind, SilentCause

# Four weeks to learn from, and the time after which silence is the new normal.
SPAN_DAYS = 2 * BASELINE_DAYS + 7


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
            failed_sessions=0,
            sessions=0,
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
            f"{title}: expected on every usual day since {since_on}, at {len(domains)} "
            f"domain{'s' if len(domains) != 1 else ''}, and nothing came."
        ),
        severity=SEVERITY[cause.kind],
        since_on=since_on,
        last_on=last_on,
        domains=domains,
        reporters=tuple(sorted(cause.reporters)),
        evidence={"kind": cause.kind.value, "team": cause.team},
    )
