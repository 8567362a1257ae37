"""The verdict on DANE (RFC 7672), without the network."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from mailtls.aspects import Status
from mailtls.observed import (
    Certificate,
    DnsStatus,
    MxHost,
    ProbeResult,
    StarttlsProbe,
    TlsaAnswer,
    TlsaRecord,
    TxtAnswer,
    Validation,
)
from mailtls.posture import Posture, judge
from tests.mailtls.observations import NOW, address, certificate, healthy, mx_answer, mx_host

MX = "mx1.example.com"
KEY = "ab" * 32


def tlsa(*records: tuple[int, int, int, str], secure: bool = True) -> TlsaAnswer:
    values = tuple(
        TlsaRecord(usage=u, selector=s, matching_type=m, data=data) for u, s, m, data in records
    )
    status = DnsStatus.OK if values else DnsStatus.NXDOMAIN
    return TlsaAnswer(name=f"_25._tcp.{MX}", status=status, records=values, is_secure=secure)


def signed_host(answer: TlsaAnswer, **changes: Any) -> MxHost:
    v4 = address(MX, "192.0.2.25", is_secure=True)
    return mx_host(MX, **({"v4": v4, "tlsa": answer} | changes))


def judged(host: MxHost, **changes: Any) -> Posture:
    fields = {"mx": mx_answer(MX, is_secure=True), "mx_hosts": (host,)} | changes
    return judge(healthy(**fields), NOW)


def found(posture: Posture) -> dict[str, str]:
    return {finding.code: finding.severity.value for finding in posture.dane.findings}


def visited(*chain: Certificate) -> StarttlsProbe:
    return StarttlsProbe(result=ProbeResult.TLS, chain=chain, verify_code=0)


def leaf(name: str = MX, **more: Any) -> Certificate:
    return certificate(name, **({"spki_sha256": KEY, "is_signed_by_next": True} | more))


def root(**more: Any) -> Certificate:
    return certificate(spki_sha256="cd" * 32, days_left=900, life_days=3000, **more)


def test_a_signed_denial_is_missing():
    posture = judged(signed_host(tlsa()))

    assert posture.dane.status is Status.MISSING
    assert found(posture) == {}


def test_usable_records_are_valid_though_not_compared():
    posture = judged(signed_host(tlsa((3, 1, 1, KEY), (3, 1, 1, "00" * 32))))

    assert posture.dane.status is Status.VALID
    assert found(posture) == {"dane.certificate-not-checked": "info"}


def test_a_match_is_valid():
    posture = judged(signed_host(tlsa((3, 1, 1, KEY)), starttls=visited(leaf())))

    assert posture.dane.status is Status.VALID
    assert found(posture) == {"dane.rollover.no-spare": "info"}


@pytest.mark.parametrize(
    ("record", "status", "codes"),
    [
        ((0, 1, 1, KEY), Status.INVALID, {"dane.tlsa.usage": "warning"}),
        ((1, 1, 1, KEY), Status.INVALID, {"dane.tlsa.usage": "warning"}),
        ((4, 1, 1, KEY), Status.INVALID, {"dane.tlsa.unknown-parameter": "warning"}),
        ((255, 1, 1, KEY), Status.INVALID, {"dane.tlsa.unknown-parameter": "warning"}),
        ((3, 2, 1, KEY), Status.INVALID, {"dane.tlsa.unknown-parameter": "warning"}),
        ((3, 1, 3, KEY), Status.INVALID, {"dane.tlsa.unknown-parameter": "warning"}),
        ((3, 1, 1, "ab" * 20), Status.INVALID, {"dane.tlsa.malformed": "error"}),
        ((3, 1, 2, KEY), Status.INVALID, {"dane.tlsa.malformed": "error"}),
        ((3, 1, 1, ""), Status.INVALID, {"dane.tlsa.malformed": "error"}),
        ((3, 0, 0, ""), Status.INVALID, {"dane.tlsa.malformed": "error"}),
        ((3, 0, 0, "30" * 400), Status.VALID, {"dane.tlsa.full-data": "warning"}),
        ((3, 0, 1, KEY), Status.VALID, {"dane.tlsa.not-recommended": "info"}),
        ((3, 1, 2, KEY * 2), Status.VALID, {"dane.tlsa.not-recommended": "info"}),
        ((2, 1, 1, KEY), Status.VALID, {}),
    ],
)
def test_each_kind_of_record_is_weighed(
    record: tuple[int, int, int, str], status: Status, codes: dict[str, str]
):
    posture = judged(signed_host(tlsa(record)))

    outcome = {"dane.rollover.no-spare", "dane.certificate-not-checked", "dane.tlsa.none-usable"}
    assert posture.dane.status is status
    assert {c: s for c, s in found(posture).items() if c not in outcome} == codes
    assert ("dane.tlsa.none-usable" in found(posture)) == (status is Status.INVALID)


def test_the_digest_of_the_whole_data_matches():
    data = b"a whole key"
    record = (3, 1, 0, data.hex())
    cert = leaf(spki_sha256=hashlib.sha256(data).hexdigest())

    posture = judged(signed_host(tlsa(record), starttls=visited(cert)))

    assert posture.dane.status is Status.VALID


def test_a_host_key_counts_whatever_name_and_date():
    expired = certificate("other.example", days_left=-5, spki_sha256=KEY)

    posture = judged(signed_host(tlsa((3, 1, 1, KEY)), starttls=visited(expired)))

    assert posture.dane.status is Status.VALID
    assert {"dane.ee.name-ignored", "dane.ee.expiry-ignored"} <= set(found(posture))


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        ((leaf(), root()), None),
        ((leaf(),), "dane.ta.not-sent"),
        ((leaf("other.example"), root()), "dane.ta.name"),
        ((leaf("example.com"), root()), None),
        ((leaf(is_signed_by_next=False), root()), "dane.ta.broken-chain"),
    ],
)
def test_an_authority_is_followed_to_the_leaf(chain: tuple[Certificate, ...], code: str | None):
    posture = judged(signed_host(tlsa((2, 1, 1, "cd" * 32)), starttls=visited(*chain)))

    assert posture.dane.status is (Status.INVALID if code else Status.VALID)
    assert code is None or found(posture)[code] == "error"


def test_an_expired_leaf_below_an_authority_fails():
    chain = (
        certificate(MX, days_left=-1, spki_sha256=KEY, is_signed_by_next=True),
        root(),
    )

    posture = judged(signed_host(tlsa((2, 1, 1, "cd" * 32)), starttls=visited(*chain)))

    assert found(posture)["dane.ta.expired"] == "error"


def test_one_match_is_enough():
    records = tlsa((3, 1, 1, "00" * 32), (2, 1, 1, "11" * 32), (3, 1, 1, KEY))

    posture = judged(signed_host(records, starttls=visited(leaf())))

    assert posture.dane.status is Status.VALID


@pytest.mark.parametrize("result", [ProbeResult.NO_STARTTLS, ProbeResult.STARTTLS_REFUSED])
def test_records_without_starttls_fail(result: ProbeResult):
    probe = StarttlsProbe(result=result)

    posture = judged(signed_host(tlsa((3, 1, 1, KEY)), starttls=probe))

    assert posture.dane.status is Status.INVALID
    assert found(posture)["dane.no-starttls"] == "error"


def test_a_bogus_lookup_below_a_signed_host_fails():
    answer = TlsaAnswer(name=f"_25._tcp.{MX}", status=DnsStatus.SERVFAIL)

    posture = judged(signed_host(answer))

    assert posture.dane.status is Status.INVALID
    assert found(posture) == {"dane.tlsa.lookup-failed": "error", "combined.dane-fails": "error"}


@pytest.mark.parametrize("status", [DnsStatus.TIMEOUT, DnsStatus.REFUSED, DnsStatus.LAME])
def test_another_failed_lookup_is_unknown(status: DnsStatus):
    answer = TlsaAnswer(name=f"_25._tcp.{MX}", status=status)

    assert judged(signed_host(answer)).dane.status is Status.UNKNOWN


def test_an_unsigned_address_ends_it():
    host = signed_host(tlsa((3, 1, 1, KEY)), v4=address(MX, "192.0.2.25"))

    posture = judged(host)

    assert posture.dane.status is Status.INVALID
    assert found(posture) == {"dane.insecure.mx-host": "warning"}


def test_one_unsigned_family_ends_it():
    host = signed_host(tlsa((3, 1, 1, KEY)), v6=address(MX, "2001:db8::25"))

    assert found(judged(host)) == {"dane.insecure.mx-host": "warning"}


def test_an_unsigned_mx_record_ends_it():
    posture = judged(signed_host(tlsa((3, 1, 1, KEY))), mx=mx_answer(MX))

    assert posture.dane.status is Status.INVALID
    assert found(posture) == {"dane.insecure.mx-record": "warning"}


def test_unsigned_records_end_it():
    posture = judged(signed_host(tlsa((3, 1, 1, KEY), secure=False)))

    assert found(posture) == {"dane.insecure.tlsa": "warning"}


@pytest.mark.parametrize(
    ("dnssec", "code"),
    [
        (Validation.NOT_VALIDATING, "dane.resolver.not-validating"),
        (Validation.UNKNOWN, "dane.resolver.unknown"),
    ],
)
def test_without_a_validating_resolver_nothing_is_called_insecure(dnssec: Validation, code: str):
    host = mx_host(MX, tlsa=tlsa((3, 1, 1, KEY), secure=False))

    posture = judged(host, dnssec=dnssec, mx=mx_answer(MX))

    assert posture.dane.status is Status.UNKNOWN
    assert found(posture) == {code: "warning"}


def test_an_alias_of_the_host_is_a_warning():
    v4 = address(MX, "192.0.2.25", is_secure=True, cnames=("real.example.net",))

    posture = judged(signed_host(tlsa((3, 1, 1, KEY)), v4=v4))

    assert posture.dane.status is Status.VALID
    assert found(posture)["dane.mx-host.cname"] == "warning"


@pytest.mark.parametrize(
    ("answer", "is_told"),
    [
        (TxtAnswer(name="x", status=DnsStatus.NXDOMAIN), True),
        (TxtAnswer(name="x", status=DnsStatus.TIMEOUT), False),
        (TxtAnswer(name="x", status=DnsStatus.OK, texts=("v=TLSRPTv1; rua=…",)), False),
        (None, False),
    ],
)
def test_a_host_with_records_may_have_a_tlsrpt_record_too(answer: TxtAnswer | None, is_told: bool):
    posture = judged(signed_host(tlsa((3, 1, 1, KEY)), tlsrpt=answer))

    assert ("dane.mx-host.no-tlsrpt" in found(posture)) == is_told


def test_a_host_without_records_beside_one_with_is_a_warning():
    other = mx_host("mx2.example.com")
    both = mx_answer(MX, "mx2.example.com", is_secure=True)

    posture = judged(
        signed_host(tlsa((3, 1, 1, KEY))),
        mx=both,
        mx_hosts=(signed_host(tlsa((3, 1, 1, KEY))), other),
    )

    assert posture.dane.status is Status.VALID
    assert found(posture)["dane.hosts.partial"] == "warning"


def test_records_at_the_domain_are_told():
    at_domain = TlsaAnswer(
        name="_25._tcp.example.com", status=DnsStatus.OK, records=tlsa((3, 1, 1, KEY)).records
    )

    posture = judged(signed_host(tlsa()), tlsa_at_domain=at_domain)

    assert posture.dane.status is Status.MISSING
    assert found(posture) == {"dane.tlsa.wrong-owner": "warning"}
