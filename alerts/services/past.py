"""What domains had published at a moment of the past, for the backtest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

import msgspec

from domains.models import Posture, RecordKind, RecordVersion
from mailtls.facts import Facts, decode_facts
from mailtls.sts_policy import Mode, parse_policy

_CHUNK = 500


class Past:
    """What some domains had published at any moment: MX hosts and policies from their versions, the
    rest as it is now."""

    def __init__(self, pks: Collection[int]) -> None:
        self._now: dict[int, Facts] = {}
        self._versions: dict[tuple[int, str], list[tuple[datetime, datetime | None, str]]] = (
            defaultdict(list)
        )
        wanted = sorted(pks)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            rows = Posture.objects.filter(domain__in=chunk).exclude(confirmed_facts=b"")
            for pk, confirmed in rows.values_list("domain", "confirmed_facts"):
                try:
                    self._now[pk] = decode_facts(bytes(confirmed))
                except msgspec.DecodeError:
                    continue  # written by another version
            versions = RecordVersion.objects.filter(
                domain__in=chunk, kind__in=[RecordKind.MX, RecordKind.POLICY]
            )
            for version in versions.iterator():
                held = (version.first_seen_at, version.replaced_at, version.content)
                self._versions[version.domain_id, version.kind].append(held)

    def facts_at(self, pk: int, moment: datetime) -> Facts | None:
        """Give what is known of a domain at a moment; None where nothing is."""
        facts = self._now.get(pk)
        if facts is None:
            return None
        mx = self._content(pk, RecordKind.MX, moment)
        policy = self._content(pk, RecordKind.POLICY, moment)
        if mx is not None:
            facts = msgspec.structs.replace(facts, mx=tuple(mx.splitlines()))
        if policy is not None:
            facts = msgspec.structs.replace(facts, policy_mode=_mode_of(policy))
        return facts

    def _content(self, pk: int, kind: str, moment: datetime) -> str | None:
        versions = self._versions.get((pk, kind), ())
        for first_seen_at, replaced_at, content in versions:
            if first_seen_at <= moment and (replaced_at is None or moment < replaced_at):
                return content
        # What is not published has no version before its first.
        return "" if versions else None


@lru_cache(maxsize=1_000)
def _mode_of(policy: str) -> Mode | None:
    parsed = parse_policy(policy).value
    return parsed.mode if parsed else None
