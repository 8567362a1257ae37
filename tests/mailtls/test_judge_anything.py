"""Whatever was observed, there is a verdict, with words for each finding."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mailtls.aspects import Expected, Status
from mailtls.catalogue import ENTRIES, describe
from mailtls.changes import compare
from mailtls.facts import facts_of
from mailtls.observed import (
    AddressAnswer,
    Certificate,
    DnsStatus,
    FamilyTry,
    FetchResult,
    MxAnswer,
    MxHost,
    MxRecord,
    Observed,
    PolicyFetch,
    ProbeResult,
    StarttlsProbe,
    TlsaAnswer,
    TlsaRecord,
    TxtAnswer,
    Validation,
    decode_observed,
    encode_observed,
)
from mailtls.posture import judge
from tests.mailtls.observations import NOW, POLICY, certificate

STATUS = st.sampled_from(DnsStatus)
SECURE = st.booleans()
CNAMES = st.sampled_from([(), ("a.example",), ("a.example", "b.example")])
TEXT = st.sampled_from(
    ["v=TLSRPTv1; rua=mailto:a@example.com", "v=STSv1; id=1", "v=spf1 -all", "v=TSLRPTv1", ""]
)
HOST = st.sampled_from(["mx1.example.com", "mx2.example.net", ".", "192.0.2.1", "a_b.example"])


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), strategy)


ERROR_CODE = st.sampled_from([None, 6, 22])
TXT = st.builds(
    TxtAnswer,
    name=st.just("x.example"),
    status=STATUS,
    cnames=CNAMES,
    texts=st.lists(TEXT, max_size=3).map(tuple),
    extended_error=ERROR_CODE,
    ttl_s=st.sampled_from([None, 60]),
    is_authoritative=SECURE,
)
ADDRESS = st.builds(
    AddressAnswer,
    name=st.just("x.example"),
    status=STATUS,
    is_secure=SECURE,
    cnames=CNAMES,
    addresses=st.sampled_from([(), ("192.0.2.1",)]),
)
RECORD = st.builds(
    TlsaRecord,
    usage=st.integers(0, 4),
    selector=st.integers(0, 2),
    matching_type=st.integers(0, 3),
    data=st.sampled_from(["", "ab" * 32, "ab" * 64, "ab" * 20]),
)
TLSA = st.builds(
    TlsaAnswer,
    name=st.just("_25._tcp.x.example"),
    status=STATUS,
    is_secure=SECURE,
    records=st.lists(RECORD, max_size=3).map(tuple),
)
CERTIFICATE: st.SearchStrategy[Certificate] = st.builds(
    certificate,
    st.sampled_from(["mx1.example.com", "*.example.com", "m*.example.com", ""]),
    days_left=st.integers(-100, 100),
    is_signed_by_next=st.sampled_from([None, True, False]),
    spki_sha256=st.just("ab" * 32),
)
PROBE = st.builds(
    StarttlsProbe,
    result=st.sampled_from(ProbeResult),
    address=st.sampled_from([None, "192.0.2.1"]),
    chain=st.lists(CERTIFICATE, max_size=3).map(tuple),
    verify_code=st.sampled_from([None, 0, 10, 18, 20]),
    detail=st.sampled_from([None, "something"]),
)
MX_HOST = st.builds(
    MxHost,
    name=HOST,
    v4=maybe(ADDRESS),
    v6=maybe(ADDRESS),
    tlsa=maybe(TLSA),
    tlsrpt=maybe(TXT),
    starttls=maybe(PROBE),
)
FETCH = st.builds(
    PolicyFetch,
    host=st.just("mta-sts.example.com"),
    address=st.just("192.0.2.80"),
    result=st.sampled_from(FetchResult),
    v4=maybe(ADDRESS),
    v6=maybe(ADDRESS),
    certificate=maybe(CERTIFICATE),
    body=st.sampled_from([None, b"", POLICY, POLICY.replace(b"enforce", b"testing"), b"<html>"]),
    content_type=st.sampled_from([None, "text/plain", "text/html"]),
    took_ms=st.sampled_from([10, 9000]),
    http_status=st.sampled_from([200, 301, 404]),
    detail=st.just("as the library says it"),  # the prober notes one where words need it
    location=st.sampled_from([None, "https://www.example.com/"]),
    tries=st.lists(
        st.builds(FamilyTry, address=st.just("192.0.2.1"), result=st.sampled_from(FetchResult)),
        max_size=2,
    ).map(tuple),
)
MX = st.builds(
    MxAnswer,
    name=st.just("example.com"),
    status=STATUS,
    is_secure=SECURE,
    records=st.lists(st.builds(MxRecord, preference=st.integers(0, 9), host=HOST), max_size=3).map(
        tuple
    ),
)
OBSERVED: st.SearchStrategy[Observed] = st.builds(
    Observed,
    domain=st.just("example.com"),
    checked_at=st.just(NOW),
    took_ms=st.just(5),
    dnssec=st.sampled_from(Validation),
    tlsrpt=maybe(TXT),
    tlsrpt_elsewhere=st.lists(TXT, max_size=2).map(tuple),
    sts=maybe(TXT),
    policy=maybe(FETCH),
    mx=maybe(MX),
    apex_v4=maybe(ADDRESS),
    apex_v6=maybe(ADDRESS),
    mx_hosts=st.lists(MX_HOST, max_size=3).map(tuple),
    tlsa_at_domain=maybe(TLSA),
    was_starttls_asked=st.booleans(),
)


@given(OBSERVED)
def test_every_observation_has_a_verdict_in_words(observed: Observed):
    posture = judge(observed, NOW, Expected(our_rua=("mailto:us@portal.example",)))

    assert json.loads(json.dumps(posture.as_dict()))["domain"] == "example.com"
    for finding in posture.findings:
        assert finding.code in ENTRIES
        assert "?" not in describe(finding).title
    for aspect in (posture.tlsrpt, posture.mta_sts, posture.mx, posture.dane, posture.starttls):
        if aspect.status in (Status.INVALID, Status.UNKNOWN):
            assert aspect.findings, "what is wrong or unknown is explained"


@given(OBSERVED)
def test_every_observation_survives_storage(observed: Observed):
    again = decode_observed(encode_observed(observed))

    assert again == observed
    assert judge(again, NOW) == judge(observed, NOW)


@given(st.lists(OBSERVED, min_size=2, max_size=4))
def test_any_two_observations_can_be_compared(observations: list[Observed]):
    earlier = facts_of(observations[0], judge(observations[0], NOW), None)
    for observed in observations[1:]:
        later = facts_of(observed, judge(observed, NOW), earlier)
        for change in compare(earlier, later):
            for finding in change.findings:
                assert finding.code in ENTRIES
        earlier = later
