"""The verdict on record and policy together, and on what the policy covers."""

from __future__ import annotations

from typing import Any

import pytest

from mailtls.aspects import Status
from mailtls.observed import (
    DnsStatus,
    FamilyTry,
    FetchResult,
    MxAnswer,
    MxRecord,
    TxtAnswer,
)
from mailtls.posture import Posture, judge
from tests.mailtls.observations import (
    NOW,
    address,
    certificate,
    fetched,
    healthy,
    mx_answer,
    mx_host,
    txt,
)

NAME = "_mta-sts.example.com"


def policy(*mx: str, mode: str = "enforce", max_age: int = 2_592_000) -> bytes:
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in mx)]
    return "\n".join([*lines, f"max_age: {max_age}", ""]).encode()


def judged(body: bytes | None = None, **changes: Any) -> Posture:
    if body is not None:
        changes["policy"] = fetched(body)
    return judge(healthy(**changes), NOW)


def found(posture: Posture) -> dict[str, str]:
    return {finding.code: finding.severity.value for finding in posture.mta_sts.findings}


@pytest.mark.parametrize(
    ("mode", "severity"), [("enforce", "error"), ("testing", "warning"), ("none", "info")]
)
def test_an_uncovered_host_weighs_as_much_as_the_mode_makes_it(mode: str, severity: str):
    posture = judged(
        policy("mx1.example.com", mode=mode), mx=mx_answer("mx1.example.com", "mx2.example.net")
    )

    assert posture.mta_sts.status is Status.VALID
    assert found(posture)["sts.mx.not-covered"] == severity
    assert [host.covered for host in posture.mx.hosts] == [True, False]


def test_a_moved_mail_provider_is_named_with_the_pattern_that_would_fit():
    posture = judged(
        policy("*.mail.protection.outlook.com"), mx=mx_answer("example-com.n-v1.mx.microsoft")
    )

    finding = posture.mta_sts.findings[0]
    assert finding.code == "sts.mx.not-covered"
    assert finding.params["suggestion"] == "example-com.n-v1.mx.microsoft"
    assert posture.mx.provider == "Microsoft 365"


def test_the_name_of_the_record_is_compared_and_not_its_alias():
    aliased = mx_host(
        "mx1.example.com", v4=address("mx1.example.com", "192.0.2.1", cnames=("a.other.example",))
    )

    posture = judged(policy("mx1.example.com"), mx_hosts=(aliased,))

    assert posture.mx.hosts[0].covered is True


def test_without_mx_the_domain_itself_must_be_covered():
    nothing = MxAnswer(name="example.com", status=DnsStatus.NODATA)
    apex = {"apex_v4": address("example.com", "192.0.2.1"), "apex_v6": address("example.com")}

    posture = judged(policy("*.example.com"), mx=nothing, mx_hosts=(), **apex)

    assert found(posture)["sts.mx.not-covered"] == "error"
    assert [(host.name, host.covered) for host in posture.mx.hosts] == [("example.com", False)]


def test_a_pattern_that_covers_nothing_is_noted():
    posture = judged(policy("mx1.example.com", "old.example.net"))

    assert found(posture) == {"sts.mx.pattern-unused": "info"}


def test_a_wildcard_over_the_own_domain_is_noted():
    assert found(judged(policy("*.example.com"))) == {"sts.policy.wide-wildcard": "info"}


def test_an_unknown_mx_set_is_no_reason_to_complain():
    posture = judged(
        policy("mx1.example.com"), mx=MxAnswer(name="example.com", status=DnsStatus.TIMEOUT)
    )

    assert posture.mta_sts.status is Status.VALID
    assert found(posture) == {}
    assert posture.mx.hosts == ()


@pytest.mark.parametrize(
    ("max_age", "mode", "expected"),
    [
        (0, "enforce", {"sts.policy.max-age-zero": "warning"}),
        (86_399, "enforce", {"sts.policy.max-age-short": "warning"}),
        (86_400, "enforce", {"sts.policy.max-age-below-weeks": "info"}),
        (1_209_599, "enforce", {"sts.policy.max-age-below-weeks": "info"}),
        (1_209_600, "enforce", {}),
        (86_399, "testing", {}),
        (86_400, "none", {"sts.policy.mode-none": "info"}),
    ],
)
def test_max_age_is_weighed_where_it_protects(max_age: int, mode: str, expected: dict[str, str]):
    assert found(judged(policy("mx1.example.com", mode=mode, max_age=max_age))) == expected


@pytest.mark.parametrize(
    ("status", "is_told"),
    [(DnsStatus.NXDOMAIN, True), (DnsStatus.OK, False), (DnsStatus.TIMEOUT, False)],
)
def test_testing_without_reports_is_blind(status: DnsStatus, is_told: bool):
    record = txt("_smtp._tls.example.com", "v=TLSRPTv1; rua=mailto:tls@example.com")
    answer = record if status is DnsStatus.OK else TxtAnswer(name=record.name, status=status)

    posture = judged(policy("mx1.example.com", mode="testing"), tlsrpt=answer)

    assert ("sts.testing.no-reports" in found(posture)) == is_told


def test_a_policy_without_its_record_is_missing_and_told():
    posture = judged(sts=TxtAnswer(name=NAME, status=DnsStatus.NXDOMAIN))

    assert posture.mta_sts.status is Status.MISSING
    assert posture.mta_sts.policy is None
    assert found(posture) == {"sts.record.missing-with-policy": "warning"}


def test_a_record_whose_policy_is_broken_is_invalid():
    posture = judged(b"version: STSv1\nmode: enforce\n")

    assert posture.mta_sts.status is Status.INVALID
    assert posture.mta_sts.id == "20261101T000000"
    assert posture.mta_sts.policy is None
    assert posture.mx.hosts[0].covered is None


def test_a_record_that_is_invalid_is_shown_and_has_no_id():
    posture = judged(sts=txt(NAME, "v=STSv1; id=2026-01-01"))

    assert posture.mta_sts.status is Status.INVALID
    assert posture.mta_sts.record == "v=STSv1; id=2026-01-01"
    assert posture.mta_sts.id is None
    assert posture.mx.hosts[0].covered is None


def test_a_chain_of_aliases_is_valid():
    posture = judged(sts=txt(NAME, "v=STSv1; id=1", cnames=("a.example", "b.example")))

    assert posture.mta_sts.status is Status.VALID
    assert found(posture) == {"sts.cname.followed": "info"}


def test_an_alias_to_nothing_is_told():
    answer = TxtAnswer(name=NAME, status=DnsStatus.NXDOMAIN, cnames=("gone.example",))

    posture = judged(sts=answer, policy=fetched(result=FetchResult.NO_ADDRESS, body=None))

    assert posture.mta_sts.status is Status.MISSING
    assert found(posture) == {"sts.cname.dangling": "error"}


def test_a_policy_for_a_null_mx_is_noted():
    null = MxAnswer(
        name="example.com", status=DnsStatus.OK, records=(MxRecord(preference=0, host="."),)
    )

    posture = judged(policy("mx1.example.com"), mx=null, mx_hosts=())

    assert found(posture) == {"sts.policy.null-mx": "info"}


@pytest.mark.parametrize(
    ("days_left", "life_days", "is_told"),
    [(60, 90, False), (22, 90, False), (20, 90, True), (1, 90, True), (3, 6, False), (1, 6, True)],
)
def test_a_certificate_that_should_be_renewed_by_now_is_told(
    days_left: int, life_days: int, is_told: bool
):
    leaf = certificate("mta-sts.example.com", days_left=days_left, life_days=life_days)

    posture = judged(policy=fetched(certificate=leaf))

    assert ("sts.cert.expires-soon" in found(posture)) == is_told


def test_an_address_that_fails_beside_one_that_works_is_told():
    tries = (
        FamilyTry(address="192.0.2.80", result=FetchResult.OK),
        FamilyTry(address="2001:db8::80", result=FetchResult.CONNECT_TIMEOUT),
    )

    posture = judged(policy=fetched(tries=tries))

    assert found(posture) == {"sts.host.address-broken": "warning"}


def test_an_address_without_a_route_from_here_is_no_fault_of_the_domain():
    tries = (
        FamilyTry(address="192.0.2.80", result=FetchResult.OK),
        FamilyTry(address="2001:db8::80", result=FetchResult.NO_ROUTE),
    )

    posture = judged(policy=fetched(tries=tries))

    assert found(posture) == {"check.no-route": "info"}


def test_a_failed_lookup_of_one_family_is_told():
    broken = address("mta-sts.example.com", status=DnsStatus.SERVFAIL)

    posture = judged(policy=fetched(v6=broken))

    assert posture.mta_sts.status is Status.VALID
    assert found(posture) == {"dns.servfail": "warning"}


UNKNOWN_RESULTS = {
    FetchResult.DNS_FAILED,
    FetchResult.DEADLINE,
    FetchResult.NOT_TRIED,
    FetchResult.NO_ROUTE,
}


@pytest.mark.parametrize("result", [r for r in FetchResult if r is not FetchResult.OK])
def test_every_result_of_a_fetch_has_a_verdict(result: FetchResult):
    posture = judged(policy=fetched(result=result, body=None))

    expected = Status.UNKNOWN if result in UNKNOWN_RESULTS else Status.INVALID
    assert posture.mta_sts.status is expected
    assert posture.mta_sts.findings
    assert posture.mta_sts.policy is None
