"""What the newest checks say of domains, as the rule about records and policies asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerts.facts import policy_site_of
from alerts.models import Rule
from alerts.rules.found import VAGUE_TYPES
from alerts.rules.kinship import FAILS_WITH
from alerts.rules.posture import (
    LACKS,
    RUA_CODES,
    PostureRule,
    Trouble,
    rua_operator,
    still_holds,
    was_seen,
)
from alerts.services.evaluate_rates import rule_scope
from domains.exception_queries import exceptions_by_domain
from domains.lacks import Lack
from domains.models import Posture, StateChange
from mailtls.catalogue.result_types import POLICY_HOST_TYPES
from mailtls.facts import Facts, decode_facts

_CHUNK = 500


@dataclass(kw_only=True)
class Seen:
    """One domain as its newest check left it."""

    name: str
    team: int | None
    facts: Facts
    excepted: frozenset[Lack] = frozenset()
    policy_site: str = ""
    checked_at: datetime
    troubles: list[Trouble] = field(default_factory=list)
    # What the newest check alone says, read where an incident is known.
    newest: Facts | None = None
    newest_found: frozenset[tuple[str, str]] = frozenset()

    def shares(self, code: str) -> str:
        """Give what domains with this trouble may have in common; empty where nobody knows."""
        if code in RUA_CODES:
            return rua_operator(self.facts)
        return self.policy_site if _is_of_policy_host(code) else ""

    def still_sees(self, code: str, site: str, params: Mapping[str, Any]) -> bool:
        """Say whether the newest check, and not only those before it, sees a trouble."""
        if self.newest is None or not was_seen(code, self.newest):
            return False
        return (code, site) in self.newest_found or bool(still_holds(code, params, self.newest))


def read_postures(
    rule: Rule,
    read: PostureRule,
    ids: Iterable[int],
    changes: Mapping[int, list[StateChange]],
    now: datetime,
) -> list[Seen]:
    """Give these domains, those that the rule looks at, with what is wrong at each."""
    found = []
    wanted = sorted(ids)
    excepted = exceptions_by_domain(now.astimezone(UTC).date()) if wanted else {}
    for start in range(0, len(wanted), _CHUNK):
        scope = rule_scope(rule).filter(pk__in=wanted[start : start + _CHUNK])
        rows = Posture.objects.filter(domain__in=scope).exclude(confirmed_facts=b"")
        for pk, name, team, checked_at, confirmed, judgement in rows.values_list(
            "domain", "domain__name", "domain__team", "checked_at", "confirmed_facts", "judgement"
        ):
            try:
                facts = decode_facts(bytes(confirmed))
            except msgspec.DecodeError:
                continue  # written by another version; the next check writes it anew
            one = Seen(
                name=name,
                team=team,
                facts=facts,
                checked_at=checked_at,
                excepted=frozenset(excepted.get(pk, ())),
            )
            one.troubles = list(read.find(facts, judgement, now))
            for change in changes.get(pk, ()):
                for finding in change.findings:
                    trouble = read.read_change(finding["code"], finding["params"], facts)
                    if trouble is None or one.excepted & LACKS.get(trouble.code, frozenset()):
                        continue
                    if still_holds(trouble.code, trouble.params or {}, facts):
                        one.troubles.append(trouble)
            found.append(one)
    _add_policy_sites(found)
    return found


def _is_of_policy_host(code: str) -> bool:
    return FAILS_WITH.get(code, VAGUE_TYPES) <= POLICY_HOST_TYPES


def _add_policy_sites(seen: Iterable[Seen]) -> None:
    """Say who operates the policy hosts at which something is wrong."""
    wanted = {
        one.name: one
        for one in seen
        if any(_is_of_policy_host(trouble.code) for trouble in one.troubles)
    }
    names = sorted(wanted)
    for start in range(0, len(names), _CHUNK):
        rows = Posture.objects.filter(domain__name__in=names[start : start + _CHUNK])
        for name, observed in rows.values_list("domain__name", "observed").iterator():
            wanted[name].policy_site = policy_site_of(bytes(observed))


def add_newest(read: PostureRule, seen: Mapping[str, Seen], now: datetime) -> None:
    """Add to domains what their newest check alone says: what counts waits for a second one."""
    names = sorted(seen)
    for start in range(0, len(names), _CHUNK):
        rows = Posture.objects.filter(domain__name__in=names[start : start + _CHUNK])
        for name, newest, judgement in rows.values_list("domain__name", "facts", "judgement"):
            facts = decode_facts(bytes(newest))
            found = read.find(facts, judgement, now)
            seen[name].newest = facts
            seen[name].newest_found = frozenset((one.code, one.site) for one in found)
