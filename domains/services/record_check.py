"""Stores what a check saw: the judged posture, the history of records, and confirmed changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from domains.models import CheckRun, Domain, Posture, RecordKind, RecordVersion, StateChange, Status
from domains.services.schedule import next_check_after
from domains.services.state_spans import coverage_state_of, keep_state
from mailtls import changes as kernel
from mailtls import posture as judgement
from mailtls.changes import Change, Facts
from mailtls.facts import adopt, decode_facts, encode_facts, facts_of
from mailtls.findings import Severity
from mailtls.observed import Observed, encode_observed

# A change is looked at again this soon; only then does it count.
CONFIRM_AFTER = timedelta(minutes=5)
ASPECTS = ("tlsrpt", "mta_sts", "mx", "dane", "starttls")
# What every check should find out. DANE needs a validating resolver and STARTTLS an open port 25:
# where the portal has neither, that is no news about a domain.
EXPECTED_ASPECTS = frozenset({"tlsrpt", "mta_sts", "mx"})
_UNSEEN = frozenset({Status.UNKNOWN, Status.NOT_CHECKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of one check."""

    domain: Domain
    has_changed: bool
    is_known: bool


@transaction.atomic
def record_check(
    domain: Domain, observed: Observed, now: datetime, our_rua: tuple[str, ...] = ()
) -> Recorded:
    """Judge one observation and store it with everything that follows from it.

    `our_rua` are the destinations that reach this portal; with none, nothing is said of them.
    """
    row = Posture.objects.select_for_update().filter(domain=domain).first()
    judged = judgement.judge(observed, now, judgement.Expected(our_rua=our_rua))
    earlier = decode_facts(bytes(row.facts)) if row else None
    facts = facts_of(observed, judged, earlier)
    baseline = decode_facts(bytes(row.confirmed_facts)) if row else facts
    baseline, is_pending, is_confirmed = _follow_changes(domain, baseline, facts, now)
    _keep_versions(domain, facts, now)
    row = row or Posture(domain=domain)
    published = coverage_state_of(row)
    _write_posture(row, judged, observed, facts, baseline)
    if coverage_state_of(row) != published or earlier is None:
        keep_state(domain, coverage_state_of(row), observed.checked_at.date())
    has_changed = is_pending or is_confirmed
    statuses = {aspect: getattr(judged, aspect).status.value for aspect in ASPECTS}
    is_known = all(statuses[aspect] != Status.UNKNOWN for aspect in EXPECTED_ASPECTS)
    CheckRun.objects.create(
        domain=domain,
        checked_at=observed.checked_at,
        took_ms=observed.took_ms,
        has_changed=has_changed,
        **statuses,
    )
    domain.next_check_at = now + CONFIRM_AFTER if is_pending else next_check_after(domain, now)
    Domain.objects.filter(pk=domain.pk).update(
        next_check_at=domain.next_check_at, claimed_at=None, **row.listed
    )
    return Recorded(
        domain=domain,
        has_changed=has_changed,
        is_known=is_known,
    )


def _follow_changes(
    domain: Domain, baseline: Facts, facts: Facts, now: datetime
) -> tuple[Facts, bool, bool]:
    """Confirm what was seen before, note what is new, withdraw what is gone, aspect by aspect.

    Gives the new baseline, whether a second look is wanted, and whether anything was confirmed.
    """
    seen: dict[str, list[Change]] = defaultdict(list)
    for change in kernel.compare(baseline, facts):
        seen[kernel.aspect_of(change.kind)].append(change)
    pending: dict[str, list[StateChange]] = defaultdict(list)
    for row in StateChange.objects.filter(domain=domain, confirmed_at=None):
        pending[row.aspect].append(row)
    adopted = [aspect for aspect in ASPECTS if aspect not in seen and aspect not in facts.stale]
    # A second look guards against a passing failure that is taken for a state. That a certificate
    # of a later issue was shown cannot be such, and another server behind the name, asked a moment
    # later, does not take it back: it counts at once.
    renewed = [
        _state_change(domain, aspect, change, now, confirmed_at=now)
        for aspect in kernel.CERTIFICATE_ASPECTS
        for change in seen[aspect]
    ]
    StateChange.objects.bulk_create(renewed)
    adopted += kernel.CERTIFICATE_ASPECTS
    is_pending, is_confirmed = False, bool(renewed)
    for aspect in ASPECTS:
        if aspect in facts.stale:
            continue  # nothing was seen, so nothing is confirmed and nothing withdrawn
        now_seen = {_key(change.kind.value, change.after) for change in seen[aspect]}
        ids = [row.pk for row in pending[aspect]]
        if now_seen and now_seen == {_key(row.kind, row.after) for row in pending[aspect]}:
            StateChange.objects.filter(pk__in=ids).update(confirmed_at=now)
            adopted.append(aspect)
            is_confirmed = True
            continue
        StateChange.objects.filter(pk__in=ids).delete()
        StateChange.objects.bulk_create(
            [_state_change(domain, aspect, change, now) for change in seen[aspect]]
        )
        is_pending = is_pending or bool(now_seen)
    return adopt(baseline, facts, adopted), is_pending, is_confirmed


def _key(kind: str, after: str | None) -> tuple[str, str]:
    return kind, after or ""


def _state_change(
    domain: Domain,
    aspect: str,
    change: Change,
    now: datetime,
    confirmed_at: datetime | None = None,
) -> StateChange:
    return StateChange(
        domain=domain,
        aspect=aspect,
        kind=change.kind.value,
        severity=(change.severity or Severity.INFO).value,
        before=change.before or "",
        after=change.after or "",
        findings=[finding.as_dict() for finding in change.findings],
        seen_at=now,
        confirmed_at=confirmed_at,
    )


def _write_posture(
    row: Posture,
    judged: judgement.Posture,
    observed: Observed,
    facts: Facts,
    baseline: Facts,
) -> None:
    """Write what is known; an aspect that could not be found out keeps its last known state."""
    newest = judged.as_dict()
    unknown = []
    for aspect in ASPECTS:
        status = Status(getattr(judged, aspect).status.value)
        known_before = getattr(row, aspect) not in _UNSEEN
        if status is Status.UNKNOWN:
            if aspect in EXPECTED_ASPECTS:
                unknown.append(aspect)
            if known_before:
                newest[aspect] = row.judgement.get(aspect, newest[aspect])
                continue
        setattr(row, aspect, status)
    row.checked_at = observed.checked_at
    row.unknown_aspects = unknown
    row.unknown_since = (row.unknown_since or observed.checked_at) if unknown else None
    row.known_at = row.known_at if unknown else observed.checked_at
    row.sts_mode = facts.policy_mode.value if facts.policy_mode else ""
    row.mx_provider = facts.provider or ""
    row.has_uncovered_mx = bool(facts.mx_uncovered)
    severities = [finding.severity for finding in judged.findings]
    row.errors = severities.count(Severity.ERROR)
    row.warnings = severities.count(Severity.WARNING)
    row.judgement = newest
    row.observed = encode_observed(observed)
    row.facts = encode_facts(facts)
    row.confirmed_facts = encode_facts(baseline)
    row.save()


def _keep_versions(domain: Domain, facts: Facts, now: datetime) -> None:
    """Close the version that is no longer seen and open the one that is."""
    contents = {
        RecordKind.TLSRPT: ("tlsrpt", facts.tlsrpt_record or ""),
        RecordKind.MTA_STS: ("mta_sts", facts.sts_record or ""),
        RecordKind.POLICY: ("mta_sts", facts.policy_text or ""),
        RecordKind.MX: ("mx", "\n".join(facts.mx)),
    }
    live = {row.kind: row for row in RecordVersion.objects.filter(domain=domain, replaced_at=None)}
    opened = []
    for kind, (aspect, content) in contents.items():
        if aspect in facts.stale:
            continue
        row = live.get(kind.value)
        if row is not None and row.content == content:
            continue
        if row is not None:
            RecordVersion.objects.filter(pk=row.pk).update(replaced_at=now)
        if row is not None or content:
            opened.append(
                RecordVersion(domain=domain, kind=kind, content=content, first_seen_at=now)
            )
    if opened:
        RecordVersion.objects.bulk_create(opened)
