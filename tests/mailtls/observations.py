"""Builds observations: a healthy domain, from which each test takes away what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

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
    TxtAnswer,
    Validation,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 2592000\r\n"


def txt(name: str, *texts: str, **more: Any) -> TxtAnswer:
    return TxtAnswer(name=name, status=DnsStatus.OK, texts=texts, **more)


def address(name: str, *addresses: str, **more: Any) -> AddressAnswer:
    status = DnsStatus.OK if addresses else DnsStatus.NODATA
    return AddressAnswer(name=name, status=more.pop("status", status), addresses=addresses, **more)


def certificate(
    *names: str, days_left: float = 60, life_days: int = 90, **more: Any
) -> Certificate:
    end = NOW + timedelta(days=days_left)
    return Certificate(
        subject=f"CN={names[0]}" if names else "",
        issuer="CN=Test CA",
        not_before=end - timedelta(days=life_days),
        not_after=end,
        dns_names=names,
        **more,
    )


def mx_host(name: str, **more: Any) -> MxHost:
    fields = {
        "v4": address(name, "192.0.2.25"),
        "v6": address(name),
        "tlsa": TlsaAnswer(name=f"_25._tcp.{name}", status=DnsStatus.NXDOMAIN),
    }
    return MxHost(name=name, **(fields | more))


def mx_answer(*hosts: str, **more: Any) -> MxAnswer:
    records = tuple(
        MxRecord(preference=10 * place, host=host) for place, host in enumerate(hosts, 1)
    )
    return MxAnswer(name="example.com", status=DnsStatus.OK, records=records, **more)


def fetched(body: bytes = POLICY, **more: Any) -> PolicyFetch:
    fields: dict[str, Any] = {
        "result": FetchResult.OK,
        "address": "192.0.2.80",
        "http_status": 200,
        "content_type": "text/plain",
        "body": body,
        "certificate": certificate("mta-sts.example.com"),
        "v4": address("mta-sts.example.com", "192.0.2.80"),
        "v6": address("mta-sts.example.com"),
    }
    return PolicyFetch(host="mta-sts.example.com", **(fields | more))


HEALTHY = Observed(
    domain="example.com",
    checked_at=NOW,
    took_ms=84,
    dnssec=Validation.VALIDATING,
    tlsrpt=txt("_smtp._tls.example.com", "v=TLSRPTv1; rua=mailto:tls@example.com"),
    sts=txt("_mta-sts.example.com", "v=STSv1; id=20261101T000000"),
    policy=fetched(),
    mx=mx_answer("mx1.example.com"),
    mx_hosts=(mx_host("mx1.example.com"),),
)


def healthy(**changes: Any) -> Observed:
    return msgspec.structs.replace(HEALTHY, **changes)
