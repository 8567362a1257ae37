"""Judges what checks saw: confirmed changes and the state that two checks in a row have seen.

Looks only at domains that were checked since the last look, so the cost follows the checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from alerts.causes import DomainFigures
from alerts.models import Incident, IncidentDomain, Mark, Rule, RuleKind, Severity
from alerts.rules.parameters import read_rule
from alerts.rules.posture import (
    LACKS,
    TAKEN_AS_MEANT_AFTER,
    PostureRule,
    Trouble,
    differing_hosts,
    in_general,
    mx_operator,
    still_holds,
    worded_as,
)
from alerts.services.picture import Picture, where
from alerts.services.resting import is_resting, resolved_by_people
from alerts.services.seen_postures import Seen, add_newest, read_postures
from alerts.services.store_incident import Outcome, close, take
from domains.models import CheckRun, Posture, StateChange
from mailtls.catalogue import Words, describe
from mailtls.findings import Finding
from mailtls.findings import Severity as FindingSeverity

# Older changes are history: an upgrade or a rule switched on tells nothing of them.
CHANGE_COUNTS_FOR = timedelta(days=7)
# Checks commit in any order; this many rows are looked at twice rather than one never.
OVERLAP = 500


def evaluate_posture(now: datetime, outcome: Outcome) -> None:
    """Apply the rules about records, policies and certificates."""
    rules = Rule.objects.filter(is_active=True, kind=RuleKind.POSTURE).order_by("pk")
    with transaction.atomic():
        # The claim and the incidents it leads to are one transaction: a kill undoes both.
        changes = _claim_changes(now)
        for rule in rules:
            _evaluate_rule(rule, changes, now, outcome)


def read_posture_rule(rule: Rule) -> PostureRule:
    """Read the parameters of a rule about records, policies and certificates."""
    read = read_rule(rule.kind, rule.parameters)
    assert isinstance(read, PostureRule)
    return read


def _claim_changes(now: datetime) -> dict[int, list[StateChange]]:
    """Take the confirmed changes nobody has taken, by domain."""
    claimed: dict[int, list[StateChange]] = defaultdict(list)
    waiting = StateChange.objects.filter(claimed_at=None, confirmed_at__isnull=False)
    for change in waiting.order_by("confirmed_at"):
        mine = StateChange.objects.filter(pk=change.pk, claimed_at=None).update(claimed_at=now)
        confirmed_at = change.confirmed_at
        if mine and confirmed_at is not None and confirmed_at >= now - CHANGE_COUNTS_FOR:
            claimed[change.domain_id].append(change)
    return claimed


def _evaluate_rule(
    rule: Rule, changes: Mapping[int, list[StateChange]], now: datetime, outcome: Outcome
) -> None:
    read = read_posture_rule(rule)
    checked = _checked_since(f"posture {rule.pk}") | set(changes)
    seen = read_postures(rule, read, checked, changes, now)
    mine = Incident.objects.filter(rule=rule)
    held = list(mine.active())
    resting = list(mine.filter(is_resting(now)).order_by("-resolved_at")) if seen else []
    known = _recall(read, held, resting, seen)
    if any(one.troubles for one in seen):
        known |= _known_causes(held)
    groups: dict[str, list[tuple[Seen, Trouble]]] = defaultdict(list)
    for one in seen:
        for trouble in one.troubles:
            groups[_key(trouble, one, held, known, now.date())].append((one, trouble))
    by_key = {incident.cause_key: incident for incident in (*reversed(resting), *held)}
    rested = {key for key in groups if key in by_key and not by_key[key].is_active}
    touched = IncidentDomain.objects.filter(incident__in=[one.pk for one in held])
    wanted = set(touched.values_list("domain__name", flat=True)) if seen and held else set()
    wanted.update(one.name for key in rested for one, _ in groups[key])
    add_newest(read, {one.name: one for one in seen if one.name in wanted}, now)
    for key, found in groups.items():
        incident = by_key.get(key)
        members = _seen_since(incident, found) if incident is not None and key in rested else found
        if members:
            take(rule, _picture(key, members, incident, now), now, outcome)
    _mend(read, list(mine.active()), {one.name: one for one in seen}, now, outcome)


def _recall(
    read: PostureRule, held: list[Incident], resting: list[Incident], seen: Iterable[Seen]
) -> dict[tuple[str, str], str]:
    """Give the causes of what rests, as `_known_causes` does, and add to what is seen what people
    resolved and still holds: a change is told once, so that nothing else would find it again."""
    known = _known_causes(resting, "-incident__resolved_at")
    if not known:
        return known
    by_name = {one.name: one for one in seen}
    open_ones = _known_causes(held)
    by_people = resolved_by_people(Incident.objects.filter(pk__in=[one.pk for one in resting]))
    left = set(by_people.values_list("pk", flat=True))
    by_key = {one.cause_key: one for one in reversed(resting)}
    for (code, name), key in known.items():
        one, incident = by_name.get(name), by_key[key]
        if one is None or (code, name) in open_ones or incident.pk not in left:
            continue
        if code in TAKEN_AS_MEANT_AFTER or one.excepted & LACKS.get(code, frozenset()):
            continue  # who resolves it says that it is meant
        params = incident.evidence.get("params", {})
        if any(trouble.code == code for trouble in one.troubles):
            continue
        trouble = read.read_change(code, params, one.facts)
        if trouble is not None and still_holds(code, params, one.facts):
            one.troubles.append(trouble)
    return known


def _seen_since(
    rested: Incident, members: Iterable[tuple[Seen, Trouble]]
) -> list[tuple[Seen, Trouble]]:
    """Narrow to what a check of after the end still sees."""
    since = rested.resolved_at
    return [
        (one, trouble)
        for one, trouble in members
        if (since is None or one.checked_at > since)
        and one.still_sees(trouble.code, trouble.site, trouble.params or {})
    ]


def _checked_since(name: str) -> set[int]:
    """Give the domains checked since the last look, and move the mark."""
    newest = CheckRun.objects.aggregate(newest=Max("pk"))["newest"] or 0
    mark, is_new = Mark.objects.get_or_create(name=name)
    if is_new:
        Mark.objects.filter(pk=mark.pk).update(position=newest)
        return set(Posture.objects.values_list("domain", flat=True))
    if mark.position == newest:
        return set()
    runs = CheckRun.objects.filter(pk__gt=mark.position - OVERLAP)
    Mark.objects.filter(pk=mark.pk).update(position=newest)
    return set(runs.values_list("domain", flat=True))


def _known_causes(held: Sequence[Incident], order: str = "pk") -> dict[tuple[str, str], str]:
    """Give by finding and domain the cause of the first incident that has it."""
    if not held:
        return {}
    by_pk = {one.pk: (one.evidence.get("code", ""), one.cause_key) for one in held}
    rows = IncidentDomain.objects.filter(incident__in=list(by_pk), is_of_part=False)
    found: dict[tuple[str, str], str] = {}
    for pk, name in rows.order_by(order, "pk").values_list("incident", "domain__name").iterator():
        code, key = by_pk[pk]
        found.setdefault((code, name), key)
    return found


def _key(
    trouble: Trouble,
    one: Seen,
    held: list[Incident],
    known: Mapping[tuple[str, str], str],
    today: date,
) -> str:
    """Give the cause a trouble belongs to: what is open for this domain or at this site; since
    yesterday, at what they share or in this team; else a new one."""
    if trouble.site:
        return f"{trouble.code}@{trouble.site}"
    if (trouble.code, one.name) in known:
        return known[trouble.code, one.name]
    shared = one.shares(trouble.code)
    for incident in held:
        if incident.evidence.get("code") != trouble.code:
            continue
        theirs = incident.evidence.get("shared", "")
        is_same_team = incident.evidence.get("team") == one.team
        is_near = today - incident.since_on <= timedelta(days=1)
        if is_near and (shared == theirs if shared and theirs else is_same_team):
            return incident.cause_key
    whose = f"team {one.team}" if one.team is not None else "no team"
    return f"{trouble.code}@{shared or whose} {today}"


def _picture(
    key: str, members: list[tuple[Seen, Trouble]], incident: Incident | None, now: datetime
) -> Picture:
    today = now.astimezone(UTC).date()
    known = _days_of(incident)
    severity = min((trouble.severity for _, trouble in members), key=lambda one: one.rank)
    if incident is not None:
        severity = min(severity, Severity(incident.severity), key=lambda one: one.rank)
    # Domains that are known have their last day from `_mend`, which looks at each check.
    days = {one.name: (today, today) for one, _ in members} | known
    is_seen = any(
        one.name not in known or one.still_sees(held.code, held.site, held.params or {})
        for one, held in members
    )
    domains = {
        name: DomainFigures(first_on=first_on, last_on=last_on)
        for name, (first_on, last_on) in sorted(days.items())
    }
    sample, trouble = members[0]
    differing = _differing(members, incident)
    title = title_of(trouble, domains, differing)
    return Picture(
        key=key[:400],
        title=title,
        checked_at=max(one.checked_at for one, _ in members),
        sentence=f"{title}. {_words_of(trouble, differing).meaning}".strip(),
        severity=severity,
        since_on=min((row.first_on for row in domains.values()), default=today),
        last_on=today if is_seen else max(row.last_on for row in domains.values()),
        domains=domains,
        evidence={
            **evidence_of(trouble, team=sample.team),
            "differing": differing,
            "shared": sample.shares(trouble.code),
            "operators": sorted({mx_operator(one.facts) for one, _ in members} - {""})[:2],
        },
    )


def _differing(members: Sequence[tuple[Seen, Trouble]], incident: Incident | None) -> list[str]:
    """Give the parameters in which the domains differ, those that joined before included."""
    told = [trouble.params or {} for _, trouble in members]
    before = incident.evidence if incident is not None else {}
    found = differing_hosts([*told, before.get("params", {})])
    return sorted({*found, *before.get("differing", ())})


def title_of(trouble: Trouble, domains: Mapping[str, object], differing: Sequence[str] = ()) -> str:
    """Give the title of a trouble at some domains; they differ in the parameters `differing`."""
    return f"{_words_of(trouble, differing).title} at {where(domains)}"[:300]


def evidence_of(trouble: Trouble, *, team: int | None) -> dict[str, object]:
    """Give what a trouble is known by again."""
    params = dict(trouble.params or {})
    return {"code": trouble.code, "params": params, "team": team, "site": trouble.site}


def _words_of(trouble: Trouble, differing: Sequence[str]) -> Words:
    params = in_general(trouble.params or {}, differing)
    return describe(Finding(worded_as(trouble.code, params), FindingSeverity.WARNING, params))


def _days_of(incident: Incident | None) -> dict[str, tuple[date, date]]:
    """Give by domain the first and the last day on which it was seen so."""
    if incident is None:
        return {}
    own = incident.incident_domains.filter(is_of_part=False)
    rows = own.values_list("domain__name", "first_on", "last_on")
    return {name: (first_on, last_on) for name, first_on, last_on in rows}


def _mend(
    read: PostureRule,
    held: list[Incident],
    seen: Mapping[str, Seen],
    now: datetime,
    outcome: Outcome,
) -> None:
    """Count the checks in a row that find nothing, and close what is mended everywhere. What they
    still find was seen on their day, also where a change was told once."""
    for incident in held:
        code = incident.evidence.get("code", "")
        params = incident.evidence.get("params", {})
        own = incident.incident_domains.filter(is_of_part=False)
        counted = []
        for row in own.select_related("domain") if seen else ():
            one = seen.get(row.domain.name)
            if one is None or row.evidence.get("checked_at") == one.checked_at.isoformat():
                continue  # not checked since it was counted
            state = _is_there(code, params, one)
            if state is not None:
                row.clean_checks = 0 if state else row.clean_checks + 1
                if state and one.still_sees(code, incident.evidence.get("site", ""), params):
                    row.last_on = max(row.last_on, one.checked_at.astimezone(UTC).date())
                row.evidence = {"checked_at": one.checked_at.isoformat()}
                counted.append(row)
        fields = ["clean_checks", "last_on", "evidence"]
        IncidentDomain.objects.bulk_update(counted, fields, batch_size=500)
        _see_on(incident, max((row.last_on for row in counted), default=incident.last_seen_on))
        is_left = own.filter(clean_checks__lt=read.clean_checks, domain__is_active=True)
        if not is_left.exists():
            close(incident, "The checks find it mended.", now, outcome)
        elif code in TAKEN_AS_MEANT_AFTER and _has_aged(incident, code, now):
            days = TAKEN_AS_MEANT_AFTER[code].days
            words = f"It has been so for {days} days and senders report no failure: taken as meant."
            close(incident, words, now, outcome)


def _see_on(incident: Incident, last_on: date) -> None:
    """Note the day on which it was seen, at what it is a part of as well."""
    concerned = Incident.objects.filter(pk__in=[incident.pk, incident.part_of_id])
    concerned.filter(last_seen_on__lt=last_on).update(last_seen_on=last_on)


def _has_aged(incident: Incident, code: str, now: datetime) -> bool:
    """Say whether the last domain joined long enough ago."""
    newest = incident.incident_domains.aggregate(newest=Max("first_on"))["newest"]
    return newest is not None and now.date() - newest >= TAKEN_AS_MEANT_AFTER[code]


def _is_there(code: str, params: Mapping[str, Any], one: Seen) -> bool | None:
    if any(trouble.code == code for trouble in one.troubles):
        return True
    if one.excepted & LACKS.get(code, frozenset()):
        return False
    return still_holds(code, params, one.facts)
