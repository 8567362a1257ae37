"""Judges failure rates: the figures of the complete days against the rules, cause by cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from alerts import facts
from alerts.causes import LET_GO_AFTER, Book, Cause, CauseFigures, Figures, Member
from alerts.models import Incident, IncidentDomain, IncidentQuerySet, Rule, RuleKind, Severity
from alerts.rules.consequence import severity_of_failures
from alerts.rules.kinds import RATE_KINDS
from alerts.rules.parameters import read_rule
from alerts.rules.regression import BASELINE_DAYS, RegressionRule
from alerts.rules.threshold import FailureRateRule
from alerts.services.picture import Picture, failure_sentences, failure_title
from alerts.services.resting import is_resting, resolved_by_people
from alerts.services.store_incident import Outcome, close, take
from domains.models import Domain, DomainQuerySet, Posture, StsMode
from webui.wording import day

# Reports of a day come up to some days late; each evaluation looks at this many complete days.
LOOK_BACK_DAYS = 7
# No incident is followed further back than this; its earlier days keep the figures they have.
MOST_DAYS = 150


def rule_scope(rule: Rule) -> DomainQuerySet:
    """Give the domains a rule looks at."""
    scope = Domain.objects.active()
    return scope.filter(team=rule.team_id) if rule.team_id is not None else scope


def rate_rules() -> list[Rule]:
    """Give the active rules about failure rates, the finer judgement first."""
    rules = Rule.objects.filter(is_active=True, kind__in=RATE_KINDS).order_by("pk")
    return sorted(rules, key=lambda rule: RATE_KINDS.index(RuleKind(rule.kind)))


def read_rate_rule(rule: Rule) -> RegressionRule | FailureRateRule:
    """Read the parameters of a rule about failure rates."""
    read = read_rule(rule.kind, rule.parameters)
    assert isinstance(read, RegressionRule | FailureRateRule)
    return read


def evaluate_rates(now: datetime, outcome: Outcome, changed: set[int] | None = None) -> None:
    """Apply the rules; `changed` narrows the look to domains with figures newer than the last."""
    today = now.astimezone(UTC).date()
    for rule in rate_rules():
        _evaluate_rule(rule, today, now, outcome, changed)


def picture_of(rule: Rule, cause: Cause, held: CauseFigures, figures: Figures) -> Picture:
    """Give a cause as its incident tells it."""
    rate = held.failed_sessions / held.sessions if held.sessions else 1.0
    severity = Severity(rule.severity)
    if rule.kind == RuleKind.REGRESSION:
        names = list(held.domains)
        severity = severity_of_failures(cause.result_type, _enforcing(names), names, rate)
    picture = Picture(
        key=cause.key,
        title=failure_title(cause.result_type, held.domains),
        sentence="",
        severity=severity,
        since_on=figures.day(cause.since),
        last_on=figures.day(cause.last),
        domains=held.domains,
        result_type=cause.result_type,
        receiving_mx=held.receiving_mx,
        reporters=held.reporters,
        failed_sessions=held.failed_sessions,
        sessions=held.sessions,
        failed_first_on=held.failed_first_on,
        failed_last_on=held.failed_last_on,
        evidence={
            "types": sorted(cause.types),
            "site": cause.site,
            "hosts": sorted(cause.hosts)[:50],
        },
    )
    sentence, for_some = failure_sentences(picture)
    return replace(picture, sentence=sentence, sentence_for_some=for_some)


def _evaluate_rule(
    rule: Rule, today: date, now: datetime, outcome: Outcome, changed: set[int] | None
) -> None:
    held = list(_remembered(now))
    resolved = resolved_by_people(Incident.objects.filter(pk__in=[one.pk for one in held]))
    by_people = set(resolved.values_list("pk", flat=True))
    followed = [one for one in held if one.is_active or one.pk in by_people]
    touched = IncidentDomain.objects.filter(incident__in=[one.pk for one in followed])
    look_from = today - timedelta(days=LOOK_BACK_DAYS)
    first_on = look_from - timedelta(days=BASELINE_DAYS + 7)
    since = [one.since_on - timedelta(days=7) for one in followed]
    first_on = max(min([first_on, *since]), today - timedelta(days=MOST_DAYS))
    figures = facts.load_figures(
        rule_scope(rule),
        first_on,
        today - timedelta(days=1),
        look_from=look_from,
        also=touched.values_list("domain", flat=True).distinct(),
        changed=changed,
    )
    book = Book(read_rate_rule(rule), figures, _read_causes(rule, held, figures, by_people))
    book.judge(today, LOOK_BACK_DAYS)
    incidents = {one.cause_key: one for one in held if one.rule_id == rule.pk and one.is_active}
    for cause in book.causes:
        if cause.is_foreign:
            continue
        incident = incidents.get(cause.key)
        if cause.resolved_on is None:
            summed = book.sum_up(cause, figures.span)
            take(rule, picture_of(rule, cause, summed, figures), now, outcome)
        elif incident is not None and cause.resolved_on == today:
            last_on = figures.day(cause.last)
            close(incident, f"No failing day after {day(last_on)}.", now, outcome)


def _remembered(now: datetime) -> IncidentQuerySet:
    """Give the incidents about failure rates that are open or rest."""
    rates = Incident.objects.filter(rule__kind__in=RATE_KINDS)
    return rates.active() | rates.filter(is_resting(now))


def _read_causes(
    rule: Rule, held: list[Incident], figures: Figures, by_people: set[int]
) -> list[Cause]:
    """Read the incidents back into causes. Those of other rules are there to be joined."""
    causes: dict[int, Cause] = {}
    for one in held:
        causes[one.pk] = Cause(
            key=one.cause_key,
            result_type=one.result_type,
            types=set(one.evidence.get("types", [one.result_type])),
            site=one.evidence.get("site", ""),
            hosts=set(one.evidence.get("hosts", one.receiving_mx)),
            since=figures.index(one.since_on),
            members={},
            opened_on=one.opened_at.date(),
            resolved_on=one.resolved_at.date() if one.resolved_at and not one.is_active else None,
            resolved_by_person=one.pk in by_people,
            is_foreign=one.rule_id != rule.pk,
        )
    rows = IncidentDomain.objects.filter(incident__in=list(causes), is_of_part=False)
    rows = rows.order_by("pk")
    for incident, name, first_on, last_on in rows.values_list(
        "incident", "domain__name", "first_on", "last_on"
    ):
        causes[incident].members[name] = Member(figures.index(first_on), figures.index(last_on))
    return [cause for cause in causes.values() if cause.members]


def _enforcing(names: list[str]) -> set[str]:
    """Give which domains have a policy in enforce, as far as the checks know."""
    found: set[str] = set()
    for start in range(0, len(names), 500):
        rows = Posture.objects.filter(
            domain__name__in=names[start : start + 500], sts_mode=StsMode.ENFORCE
        )
        found.update(rows.values_list("domain__name", flat=True))
    return found


__all__ = ["LET_GO_AFTER", "evaluate_rates", "picture_of", "rate_rules", "rule_scope"]
