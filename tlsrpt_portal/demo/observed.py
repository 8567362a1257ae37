"""What checks of the demo's domains see; stands in for the network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import prober
from mailtls.observed import (
    AddressAnswer,
    Certificate,
    DnsStatus,
    FetchResult,
    MxAnswer,
    MxHost,
    MxRecord,
    Observed,
    PolicyFetch,
    TlsaAnswer,
    TlsaRecord,
    TxtAnswer,
    Validation,
)
from tlsrpt_portal.demo.world import Zone, domains

HTTP_OK = 200
# Certificates for 90 days, renewed with 30 left.
CERT_LIFE, CERT_RENEWAL = timedelta(days=90), timedelta(days=60)
FIRST_ISSUE = datetime(2026, 1, 1, 3, tzinfo=UTC)


def run_checks(requests: Iterable[prober.Request], options: prober.Options) -> Iterator[Observed]:
    """Give what `prober.run_checks` gives; names that are no demo domains are really checked."""
    made_up = {domain.name: domain for domain in domains()}
    real = []
    for request in requests:
        if request.domain in made_up:
            yield observe(made_up[request.domain].name, made_up[request.domain].zone, _now())
        else:
            real.append(request)
    if real:
        yield from prober.run_checks(real, options)


def observe(name: str, zone: Zone, at: datetime, today: date | None = None) -> Observed:
    """Give what a check at this time sees of a domain that publishes this.

    `today` is the day from which the world counts back; the day of the check unless given.
    """
    if zone.is_dns_failing:
        return _dead(name, at)
    sts = zone.sts_record
    return Observed(
        domain=name,
        checked_at=at,
        took_ms=40 + _number(name, 120),
        dnssec=Validation.VALIDATING,
        tlsrpt=_txt(f"_smtp._tls.{name}", zone.tlsrpt),
        sts=_txt(f"_mta-sts.{name}", sts),
        policy=_fetch(name, zone, at, today or at.date()) if sts is not None else None,
        mx=_mx(name, zone),
        mx_hosts=tuple(_host(host, zone) for host in _hosts(zone)),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _dead(name: str, at: datetime) -> Observed:
    return Observed(
        domain=name,
        checked_at=at,
        took_ms=5000,
        dnssec=Validation.VALIDATING,
        tlsrpt=TxtAnswer(name=f"_smtp._tls.{name}", status=DnsStatus.SERVFAIL),
        sts=TxtAnswer(name=f"_mta-sts.{name}", status=DnsStatus.SERVFAIL),
        mx=MxAnswer(name=name, status=DnsStatus.SERVFAIL),
    )


def _txt(name: str, text: str | None) -> TxtAnswer:
    if text is None:
        return TxtAnswer(name=name, status=DnsStatus.NXDOMAIN)
    return TxtAnswer(name=name, status=DnsStatus.OK, texts=(text,), ttl_s=3600)


def _fetch(name: str, zone: Zone, at: datetime, today: date) -> PolicyFetch:
    host = f"mta-sts.{name}"
    is_fine = zone.policy_result is FetchResult.OK
    certificate = _certificate(host, zone, at, today)
    if not is_fine:
        return PolicyFetch(
            host=host,
            result=zone.policy_result,
            address="192.0.2.80",
            certificate=certificate,
            verify_code=10,
            verify_message="certificate has expired",
        )
    body = (zone.policy or "").encode()
    return PolicyFetch(
        host=host,
        result=FetchResult.OK,
        address="192.0.2.80",
        took_ms=120,
        tls_version="TLSv1.3",
        certificate=certificate,
        http_status=HTTP_OK,
        content_type="text/plain",
        body=body,
        size_bytes=len(body),
    )


def _certificate(host: str, zone: Zone, at: datetime, today: date) -> Certificate:
    """Give the certificate a host shows: the newest of its series, or the one nobody renews."""
    if zone.cert_end_day is None:
        first = FIRST_ISSUE + timedelta(hours=_number(host, CERT_RENEWAL.days * 24))
        issued_at = first + (at - first) // CERT_RENEWAL * CERT_RENEWAL
    else:
        ended_on = today - timedelta(days=zone.cert_end_day)
        issued_at = datetime.combine(ended_on, time(5), UTC) - CERT_LIFE
    return Certificate(
        subject=f"CN={host}",
        issuer="CN=Example Public CA",
        not_before=issued_at,
        not_after=issued_at + CERT_LIFE,
        dns_names=(host,),
        common_name=host,
    )


def _mx(name: str, zone: Zone) -> MxAnswer:
    if not zone.mx:
        return MxAnswer(name=name, status=DnsStatus.NODATA)
    records = []
    for line in zone.mx:
        preference, _, host = line.partition(" ")
        records.append(MxRecord(preference=int(preference), host=host))
    return MxAnswer(
        name=name,
        status=DnsStatus.OK,
        records=tuple(records),
        is_secure=zone.has_tlsa,
        ttl_s=3600,
    )


def _hosts(zone: Zone) -> list[str]:
    return [host for line in zone.mx if (host := line.partition(" ")[2]) != "."]


def _host(host: str, zone: Zone) -> MxHost:
    owner = f"_25._tcp.{host}"
    digest = hashlib.sha256(host.encode()).hexdigest()
    spare = hashlib.sha256(f"next {host}".encode()).hexdigest()
    return MxHost(
        name=host,
        v4=AddressAnswer(
            name=host,
            status=DnsStatus.OK,
            addresses=(f"192.0.2.{_number(host, 200) + 1}",),
            is_secure=zone.has_tlsa,
        ),
        v6=AddressAnswer(name=host, status=DnsStatus.NODATA, is_secure=zone.has_tlsa),
        tlsa=TlsaAnswer(
            name=owner,
            status=DnsStatus.OK,
            is_secure=True,
            records=tuple(
                TlsaRecord(usage=3, selector=1, matching_type=1, data=data)
                for data in (digest, spare)
            ),
        )
        if zone.has_tlsa
        else TlsaAnswer(name=owner, status=DnsStatus.NXDOMAIN),
    )


def _number(text: str, below: int) -> int:
    """Give a number that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % below
