"""What is remembered of the certificate a host shows, so that a renewal is told, and told once.

Behind one name may stand several servers with different certificates: which of them answers is
chance, and no news. So the memory of a host only ever moves forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from mailtls.certificates import is_current, is_name_valid
from mailtls.observed import Certificate, Observed, PolicyFetch, ProbeResult, StarttlsProbe

# Certificates of days are renewed every few days: that is no event.
_SHORT_LIFE = timedelta(days=14)


class Standing(StrEnum):
    """Whether senders that check certificates take what a host shows."""

    NEVER = "never"  # none was seen that they take
    PASSES = "passes"
    FAILS = "fails"  # it passed before
    MENDED = "mended"  # it failed and passed again; said once of each certificate


class KeptCertificate(msgspec.Struct, frozen=True, array_like=True):
    """The certificate issued last that passed at a host; before there is one, the last seen.

    Later fields go to the end and need defaults.
    """

    host: str
    not_before: datetime
    not_after: datetime
    standing: Standing = Standing.PASSES

    @property
    def is_short_lived(self) -> bool:
        """Say whether its renewal is everyday business."""
        return self.not_after - self.not_before <= _SHORT_LIFE


def keep_policy_host(
    fetch: PolicyFetch | None, earlier: KeptCertificate | None
) -> KeptCertificate | None:
    """Give what is remembered of the policy host after a fetch."""
    if fetch is None or fetch.certificate is None:
        return earlier
    is_refused = fetch.result.value.startswith("cert-")
    return _keep(earlier, fetch.host, fetch.certificate, passes=not is_refused)


def keep_mx_hosts(
    observed: Observed, earlier: Iterable[KeptCertificate]
) -> tuple[KeptCertificate, ...]:
    """Give what is remembered of the MX hosts after a check; hosts that are none are forgotten."""
    known = {kept.host: kept for kept in earlier}
    if observed.mx is None or not observed.mx.status.is_known:
        return tuple(known.values())
    kept = {record.host: known.get(record.host) for record in observed.mx.records}
    for host in observed.mx_hosts:
        kept[host.name] = _keep_probed(
            known.get(host.name), host.name, host.starttls, observed.checked_at
        )
    return tuple(one for one in kept.values() if one is not None)


def _keep_probed(
    earlier: KeptCertificate | None, host: str, probe: StarttlsProbe | None, now: datetime
) -> KeptCertificate | None:
    if probe is None or probe.result is not ProbeResult.TLS or not probe.chain:
        return earlier
    leaf = probe.chain[0]
    # As senders check that hold an MTA-STS policy (RFC 8461 section 4.2), whether there is one
    # or not.
    passes = not probe.verify_code and is_current(leaf, now) and is_name_valid(host, leaf.dns_names)
    return _keep(earlier, host, leaf, passes=passes)


def _keep(
    earlier: KeptCertificate | None, host: str, shown: Certificate, *, passes: bool
) -> KeptCertificate:
    """Move the memory of a host forward, or leave it.

    The issue of what passed only gets later, and of each certificate an end of failing is kept
    once: servers that answer by turns, also with a bad one among them, cannot make it go round.
    """
    standing = Standing.PASSES if passes else Standing.NEVER
    seen = KeptCertificate(host, shown.not_before, shown.not_after, standing)
    if earlier is None:
        return seen
    if not passes:
        if earlier.standing is Standing.NEVER:
            return seen
        is_news = earlier.standing is Standing.PASSES
        return msgspec.structs.replace(earlier, standing=Standing.FAILS) if is_news else earlier
    if seen.not_before > earlier.not_before:
        return seen
    if earlier.standing is Standing.NEVER:
        return msgspec.structs.replace(seen, standing=Standing.MENDED)
    if earlier.standing is Standing.FAILS:
        return msgspec.structs.replace(earlier, standing=Standing.MENDED)
    return earlier
