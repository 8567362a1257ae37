"""The verdict on where the mail goes."""

from __future__ import annotations

import pytest

from mailtls.aspects import Status
from mailtls.observed import DnsStatus, MxAnswer, MxRecord
from mailtls.posture import Posture, judge
from tests.mailtls.observations import NOW, address, healthy, mx_answer, mx_host


def codes(posture: Posture) -> set[str]:
    return {finding.code for finding in posture.mx.findings}


def test_a_null_mx_beside_others_is_an_error():
    records = (MxRecord(preference=0, host="."), MxRecord(preference=10, host="mx1.example.com"))
    answer = MxAnswer(name="example.com", status=DnsStatus.OK, records=records)

    posture = judge(healthy(mx=answer), NOW)

    assert posture.mx.status is Status.VALID
    assert codes(posture) == {"mx.null-beside-others"}
    assert [host.name for host in posture.mx.hosts] == ["mx1.example.com"]


def test_a_name_that_does_not_exist_is_told():
    answer = MxAnswer(name="example.com", status=DnsStatus.NXDOMAIN)

    posture = judge(healthy(mx=answer, mx_hosts=()), NOW)

    assert posture.mx.status is Status.MISSING
    assert codes(posture) == {"mx.domain-nxdomain"}


def test_no_mx_and_an_address_that_is_unknown_is_unknown():
    answer = MxAnswer(name="example.com", status=DnsStatus.NODATA)
    broken = address("example.com", status=DnsStatus.SERVFAIL)

    posture = judge(healthy(mx=answer, mx_hosts=(), apex_v4=broken, apex_v6=broken), NOW)

    assert posture.mx.status is Status.UNKNOWN


def test_without_knowing_the_mail_host_nothing_is_missing():
    answer = MxAnswer(name="example.com", status=DnsStatus.NODATA)
    broken = address("example.com", status=DnsStatus.TIMEOUT)
    apex = {"apex_v4": address("example.com", status=DnsStatus.NODATA), "apex_v6": broken}

    posture = judge(healthy(mx=answer, mx_hosts=(), was_starttls_asked=True, **apex), NOW)

    assert posture.dane.status is Status.UNKNOWN
    assert posture.starttls.status is Status.UNKNOWN
    assert {finding.code for finding in posture.dane.findings} == {"dns.timeout"}


def test_no_mx_and_an_address_is_an_implicit_mx():
    answer = MxAnswer(name="example.com", status=DnsStatus.NODATA)
    apex = address("example.com", "192.0.2.1")

    posture = judge(healthy(mx=answer, mx_hosts=(), apex_v4=apex), NOW)

    assert posture.mx.status is Status.MISSING
    assert codes(posture) == {"mx.implicit"}
    assert [host.name for host in posture.mx.hosts] == ["example.com"]


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("192.0.2.1", "mx.host.address"),
        ("mx_1.example.com", "mx.host.bad-name"),
        ("-mx.example.com", "mx.host.bad-name"),
    ],
)
def test_an_mx_that_names_no_host_is_an_error(host: str, code: str):
    posture = judge(healthy(mx=mx_answer(host), mx_hosts=()), NOW)

    assert posture.mx.status is Status.INVALID
    assert codes(posture) == {code}


def test_a_host_without_address_is_an_error_and_the_other_one_serves():
    dead = mx_host("mx2.example.com", v4=address("mx2.example.com"))
    both = mx_answer("mx1.example.com", "mx2.example.com")

    posture = judge(healthy(mx=both, mx_hosts=(mx_host("mx1.example.com"), dead)), NOW)

    assert posture.mx.status is Status.VALID
    assert codes(posture) == {"mx.host.no-address"}


def test_a_host_whose_address_is_unknown_is_not_blamed():
    broken = address("mx1.example.com", status=DnsStatus.TIMEOUT)

    posture = judge(healthy(mx_hosts=(mx_host("mx1.example.com", v4=broken, v6=broken),)), NOW)

    assert posture.mx.status is Status.VALID
    assert codes(posture) == {"dns.timeout"}


def test_a_host_that_is_an_alias_is_a_warning():
    alias = address("mx1.example.com", "192.0.2.1", cnames=("real.example.net",))

    posture = judge(healthy(mx_hosts=(mx_host("mx1.example.com", v4=alias),)), NOW)

    assert codes(posture) == {"mx.host.cname"}
