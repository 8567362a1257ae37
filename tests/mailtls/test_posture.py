"""The whole opinion, and its JSON form."""

from __future__ import annotations

import msgspec
import pytest

from mailtls.observed import (
    DnsStatus,
    MxAnswer,
    MxRecord,
    Observed,
    TxtAnswer,
    decode_observed,
    encode_observed,
)
from mailtls.posture import Status, judge
from tests.mailtls.observations import HEALTHY, NOW, address, fetched, healthy, mx_host

UNANSWERED = [
    DnsStatus.SERVFAIL,
    DnsStatus.REFUSED,
    DnsStatus.TIMEOUT,
    DnsStatus.LAME,
    DnsStatus.LOOP,
    DnsStatus.NOT_ASKED,
]


def test_a_healthy_domain_has_the_json_of_the_contract():
    posture = judge(HEALTHY, NOW)

    assert posture.as_dict() == {
        "domain": "example.com",
        "checked_at": "2026-11-22T10:00:00Z",
        "took_ms": 84,
        "tlsrpt": {
            "status": "valid",
            "record": "v=TLSRPTv1; rua=mailto:tls@example.com",
            "rua": ["mailto:tls@example.com"],
            "findings": [],
        },
        "mta_sts": {
            "status": "valid",
            "record": "v=STSv1; id=20261101T000000",
            "id": "20261101T000000",
            "policy": {"mode": "enforce", "max_age": 2592000, "mx": ["mx1.example.com"]},
            "findings": [],
        },
        "mx": {
            "status": "valid",
            "hosts": [{"name": "mx1.example.com", "preference": 10, "covered": True}],
            "findings": [],
        },
        "dane": {"status": "missing", "findings": []},
        "starttls": {"status": "not-checked", "hosts": [], "findings": []},
    }


@pytest.mark.parametrize("status", UNANSWERED)
def test_a_failed_lookup_is_unknown_and_never_missing(status: DnsStatus):
    observed = healthy(
        tlsrpt=TxtAnswer(name="_smtp._tls.example.com", status=status),
        sts=TxtAnswer(name="_mta-sts.example.com", status=status),
        mx=MxAnswer(name="example.com", status=status),
        mx_hosts=(),
    )

    posture = judge(observed, NOW)

    assert posture.tlsrpt.status is Status.UNKNOWN
    assert posture.mta_sts.status is Status.UNKNOWN
    assert posture.mx.status is Status.UNKNOWN
    assert posture.dane.status is Status.UNKNOWN
    for aspect in (posture.tlsrpt, posture.mta_sts, posture.mx, posture.dane):
        assert aspect.findings


def test_a_check_that_was_cut_short_is_unknown():
    posture = judge(Observed(domain="example.com", checked_at=NOW, took_ms=1), NOW)

    assert {posture.tlsrpt.status, posture.mta_sts.status, posture.mx.status} == {Status.UNKNOWN}
    assert posture.tlsrpt.findings[0].code == "check.incomplete"


def test_a_null_mx_domain_is_asked_for_nothing():
    nothing = DnsStatus.NXDOMAIN
    observed = healthy(
        tlsrpt=TxtAnswer(name="_smtp._tls.example.com", status=nothing),
        sts=TxtAnswer(name="_mta-sts.example.com", status=nothing),
        policy=None,
        mx=MxAnswer(
            name="example.com", status=DnsStatus.OK, records=(MxRecord(preference=0, host="."),)
        ),
        mx_hosts=(),
    )

    posture = judge(observed, NOW)

    assert posture.mx.status is Status.NULL_MX
    assert posture.tlsrpt.status is Status.MISSING
    assert posture.mta_sts.status is Status.MISSING
    assert [finding.code for finding in posture.findings] == ["mx.null"]


def test_a_parked_domain_is_asked_for_nothing():
    nothing = DnsStatus.NODATA
    observed = healthy(
        tlsrpt=TxtAnswer(name="_smtp._tls.example.com", status=nothing),
        sts=TxtAnswer(name="_mta-sts.example.com", status=nothing),
        policy=None,
        mx=MxAnswer(name="example.com", status=nothing),
        apex_v4=address("example.com"),
        apex_v6=address("example.com"),
        mx_hosts=(),
    )

    posture = judge(observed, NOW)

    assert posture.mx.status is Status.MISSING
    assert [finding.code for finding in posture.findings] == ["mx.none"]


def test_an_observation_survives_storage():
    observed = healthy(mx_hosts=(mx_host("mx1.example.com"), mx_host("mx2.example.com")))

    assert decode_observed(encode_observed(observed)) == observed


def test_an_observation_of_another_version_can_be_read():
    stored = msgspec.json.decode(encode_observed(HEALTHY))
    stored["seen_in_the_future"] = [1]
    del stored["mx_hosts"]

    observed = decode_observed(msgspec.json.encode(stored))

    assert observed.mx_hosts == ()
    assert observed.policy == fetched()
