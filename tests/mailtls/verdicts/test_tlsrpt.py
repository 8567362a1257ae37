"""The verdict on the TLSRPT record, beyond its grammar."""

from __future__ import annotations

from typing import Any

import pytest

from mailtls.aspects import Expected, Status
from mailtls.observed import DnsStatus, TxtAnswer
from mailtls.posture import Posture, judge
from tests.mailtls.observations import NOW, healthy, txt

NAME = "_smtp._tls.example.com"
RECORD = "v=TLSRPTv1; rua=mailto:tls@example.com"


def judged(answer: TxtAnswer, expected: Expected | None = None, **changes: Any) -> Posture:
    return judge(healthy(tlsrpt=answer, **changes), NOW, expected)


def codes(posture: Posture) -> set[str]:
    return {finding.code for finding in posture.tlsrpt.findings}


@pytest.mark.parametrize("status", [DnsStatus.NXDOMAIN, DnsStatus.NODATA])
def test_no_record_is_missing(status: DnsStatus):
    posture = judged(TxtAnswer(name=NAME, status=status))

    assert posture.tlsrpt.status is Status.MISSING
    assert codes(posture) == {"tlsrpt.record.missing"}


def test_unrelated_texts_are_missing_and_named():
    posture = judged(txt(NAME, "v=spf1 -all"))

    assert posture.tlsrpt.status is Status.MISSING
    assert codes(posture) == {"tlsrpt.record.wildcard-spf", "tlsrpt.record.missing"}


def test_a_text_that_claims_to_be_one_is_invalid_and_shown():
    posture = judged(txt(NAME, "v=TSLRPTv1; rua=mailto:tls@example.com"))

    assert posture.tlsrpt.status is Status.INVALID
    assert posture.tlsrpt.record == "v=TSLRPTv1; rua=mailto:tls@example.com"
    assert posture.tlsrpt.rua == ()


def test_two_equal_records_are_invalid():
    posture = judged(txt(NAME, RECORD, RECORD))

    assert posture.tlsrpt.status is Status.INVALID
    assert posture.tlsrpt.record is None


@pytest.mark.parametrize("name", ["example.com", "_tls.example.com", "_smtp-tlsrpt.example.com"])
def test_a_record_at_a_wrong_name_is_missing_and_found(name: str):
    nothing = TxtAnswer(name=NAME, status=DnsStatus.NXDOMAIN)

    posture = judged(nothing, tlsrpt_elsewhere=(txt(name, RECORD),))

    assert posture.tlsrpt.status is Status.MISSING
    [finding] = posture.tlsrpt.findings
    assert (finding.code, finding.params["found"]) == ("tlsrpt.record.wrong-name", name)


def test_a_record_by_alias_is_valid():
    posture = judged(txt(NAME, RECORD, cnames=("tls.provider.example",)))

    assert posture.tlsrpt.status is Status.VALID
    assert codes(posture) == {"tlsrpt.cname.followed"}


def test_an_alias_to_nothing_is_told():
    answer = TxtAnswer(name=NAME, status=DnsStatus.NXDOMAIN, cnames=("gone.example",))

    posture = judged(answer)

    assert posture.tlsrpt.status is Status.MISSING
    assert codes(posture) == {"tlsrpt.cname.dangling"}


def test_a_short_ttl_is_told_where_it_is_the_zones_own():
    assert codes(judged(txt(NAME, RECORD, ttl_s=60, is_authoritative=True))) == {"tlsrpt.ttl.short"}
    assert codes(judged(txt(NAME, RECORD, ttl_s=60))) == set()


def test_a_bogus_answer_is_unknown_and_told_apart():
    answer = TxtAnswer(name=NAME, status=DnsStatus.SERVFAIL, extended_error=6)

    posture = judged(answer)

    assert posture.tlsrpt.status is Status.UNKNOWN
    assert codes(posture) == {"dns.dnssec-bogus"}


@pytest.mark.parametrize(
    ("uri", "party"),
    [
        ("mailto:x@reports.example", "reports.example"),
        ("https://reports.example:8443/v1", "reports.example"),
        ("mailto:x@notexample.com", "notexample.com"),
    ],
)
def test_another_party_is_shown(uri: str, party: str):
    posture = judged(txt(NAME, f"v=TLSRPTv1; rua={uri}"))

    [finding] = posture.tlsrpt.findings
    assert (finding.code, finding.params["party"]) == ("tlsrpt.rua.external", party)


@pytest.mark.parametrize("uri", ["mailto:x@example.com", "mailto:x@sub.example.com"])
def test_the_domains_own_hosts_are_no_other_party(uri: str):
    assert codes(judged(txt(NAME, f"v=TLSRPTv1; rua={uri}"))) == set()


OURS = Expected(our_rua=("mailto:Reports@portal.example", "https://portal.example/tlsrpt/k1"))


@pytest.mark.parametrize(
    ("rua", "code"),
    [
        ("mailto:reports@portal.example", None),
        ("MAILTO:reports@PORTAL.example", None),
        ("https://portal.example/tlsrpt/k1", None),
        ("https://portal.example:443/tlsrpt/k1/", None),
        ("mailto:reports@portal.example,mailto:x@example.com", None),
        ("mailto:x@example.com,mailto:reports@portal.example", "tlsrpt.rua.ours-not-first"),
        ("mailto:x@example.com", "tlsrpt.rua.ours-missing"),
        ("mailto:report@portal.example", "tlsrpt.rua.near-ours"),
        ("https://portal.example/tlsrpt/k2", "tlsrpt.rua.near-ours"),
    ],
)
def test_our_own_destination_must_be_there_and_first(rua: str, code: str | None):
    posture = judged(txt(NAME, f"v=TLSRPTv1; rua={rua}"), OURS)

    about_ours = {c for c in codes(posture) if "ours" in c}
    assert about_ours == ({code} if code else set())
    assert posture.tlsrpt.status is Status.VALID
