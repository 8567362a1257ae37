"""The backtest of what the rule about records says of certificates that end.

What hosts showed on a day is known from the renewals that checks have seen since, and from the
certificates there are now; of what was shown before a certificate was issued, nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from alerts.rules.posture import PostureRule, Trouble
from alerts.services.past import Past
from domains.models import Domain, DomainQuerySet, Posture, StateChange
from mailtls.changes import VALID_UNTIL, Kind
from mailtls.facts import Facts, with_certificates
from mailtls.kept_certificates import KeptCertificate

_CHUNK = 500
_DAY = timedelta(days=1)
_RENEWALS = (Kind.STS_CERTIFICATE, Kind.MX_CERTIFICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What would have been told of one domain, and on which day it was renewed, if it was."""

    name: str
    team: int | None
    trouble: Trouble
    facts: Facts
    on: date
    end: date | None


def replay_certificates(
    rule: PostureRule, scope: DomainQuerySet, days: Sequence[date]
) -> Iterator[Told]:
    """Ask the rule at the end of each day of each domain at which a certificate may be told."""
    margin = timedelta(days=rule.certificate_days)
    wanted = sorted(_renewed_closely(scope, days, margin) | _ending_now(scope, days, margin))
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        past, shown = Past(chunk), _read_renewals(chunk, days[0])
        domains = Domain.objects.filter(pk__in=chunk).order_by("pk")
        for pk, name, team, created_at in domains.values_list("pk", "name", "team", "created_at"):
            known = [day for day in days if day >= created_at.date()]
            for trouble, facts, on, end in _replay_domain(rule, pk, past, shown[pk], known):
                yield Told(name=name, team=team, trouble=trouble, facts=facts, on=on, end=end)


def _replay_domain(
    rule: PostureRule, pk: int, past: Past, shown: _Shown, days: Sequence[date]
) -> Iterator[tuple[Trouble, Facts, date, date | None]]:
    held: dict[tuple[str, str], tuple[Trouble, Facts, date]] = {}
    for day in days:
        moment = _end_of(day)
        facts = past.facts_at(pk, moment)
        if facts is None:
            return
        facts = shown.facts_at(facts, moment)
        found = {(one.code, one.site): one for one in rule.find_certificates(facts, moment)}
        for key in held.keys() - found.keys():
            yield (*held.pop(key), day)
        for key, trouble in found.items():
            # The nearer the end, the worse: as it was last is how the incident came to look.
            on = held[key][2] if key in held else day
            held[key] = trouble, facts, on
    for one in held.values():
        yield (*one, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renewal:
    """A renewal that a check saw: the certificates before and after."""

    seen_at: datetime
    before: KeptCertificate
    after: KeptCertificate


@dataclass(kw_only=True)
class _Shown:
    """The certificates that the hosts of one domain showed in the past."""

    renewals: dict[tuple[str, str], list[_Renewal]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def facts_at(self, facts: Facts, moment: datetime) -> Facts:
        """Give facts with the certificates of a moment instead of those of now."""
        host = f"mta-sts.{facts.domain}"
        policy = self._at(Kind.STS_CERTIFICATE, host, facts.policy_cert, moment)
        now = {kept.host: kept for kept in facts.mx_certs}
        hosts = dict.fromkeys(line.split()[-1] for line in facts.mx if line)
        of_mx = [self._at(Kind.MX_CERTIFICATE, mx, now.get(mx), moment) for mx in hosts]
        return with_certificates(
            facts,
            policy if facts.policy_mode is not None else None,
            tuple(kept for kept in of_mx if kept is not None),
        )

    def _at(
        self, kind: Kind, host: str, now: KeptCertificate | None, moment: datetime
    ) -> KeptCertificate | None:
        renewals = self.renewals.get((kind, host), [])
        later = [one.before for one in renewals if one.seen_at > moment]
        last = now or (renewals[-1].after if renewals else None)
        kept = later[0] if later else last
        return kept if kept is not None and kept.not_before <= moment else None


def _read_renewals(pks: Iterable[int], since: date) -> Mapping[int, _Shown]:
    shown: dict[int, _Shown] = defaultdict(_Shown)
    rows = StateChange.objects.filter(
        domain__in=pks, kind__in=_RENEWALS, confirmed_at__gte=_start_of(since)
    ).order_by("seen_at", "pk")
    for pk, kind, seen_at, findings in rows.values_list("domain", "kind", "seen_at", "findings"):
        params = findings[0]["params"]
        renewal = _Renewal(
            seen_at=seen_at,
            before=_read_certificate(params, "earlier_"),
            after=_read_certificate(params),
        )
        shown[pk].renewals[kind, params["host"]].append(renewal)
    return shown


def _read_certificate(params: Mapping[str, Any], prefix: str = "") -> KeptCertificate:
    issued, ends = (
        datetime.fromisoformat(params[f"{prefix}{name}"]) for name in ("not_before", "not_after")
    )
    return KeptCertificate(params["host"], issued, ends)


def _renewed_closely(scope: DomainQuerySet, days: Sequence[date], margin: timedelta) -> set[int]:
    """Give the domains with a certificate that was not renewed before it was told."""
    rows = StateChange.objects.filter(
        domain__in=scope.order_by().values("pk"),
        kind__in=_RENEWALS,
        confirmed_at__gte=_start_of(days[0]),
    )
    return {
        pk
        for pk, seen_at, before in rows.values_list("domain", "seen_at", "before").iterator()
        if date.fromisoformat(before.partition(VALID_UNTIL)[2]) - margin <= seen_at.date()
    }


class _Certificates(msgspec.Struct):
    """What has to be read of the facts to know when certificates end."""

    policy_cert: KeptCertificate | None = None
    mx_certs: tuple[KeptCertificate, ...] = ()


def _ending_now(scope: DomainQuerySet, days: Sequence[date], margin: timedelta) -> set[int]:
    """Give the domains with a certificate that is told by the last day, or has been."""
    told_by = _end_of(days[-1]) + margin
    decoder = msgspec.json.Decoder(_Certificates)
    rows = Posture.objects.filter(domain__in=scope.order_by().values("pk"))
    found = set()
    for pk, facts in rows.values_list("domain", "confirmed_facts").iterator():
        try:
            kept = decoder.decode(bytes(facts))
        except msgspec.DecodeError:
            continue  # written by another version, or never checked
        ends = [one.not_after for one in (kept.policy_cert, *kept.mx_certs) if one is not None]
        if min(ends, default=told_by) < told_by:
            found.add(pk)
    return found


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: date) -> datetime:
    return _start_of(day) + _DAY
