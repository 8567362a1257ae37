"""What counts as a change between two checks, and which changes are dangerous."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.aspects import Status
from mailtls.changes import CERTIFICATE_KINDS, Change, Kind, aspect_of, compare, judge_age
from mailtls.facts import (
    Facts,
    decode_facts,
    encode_facts,
    facts_of,
    safe_to_remove_after,
)
from mailtls.findings import Severity
from mailtls.observed import (
    Certificate,
    DnsStatus,
    FetchResult,
    MxAnswer,
    MxRecord,
    Observed,
    ProbeResult,
    StarttlsProbe,
    TlsaAnswer,
    TlsaRecord,
    TxtAnswer,
)
from mailtls.posture import judge
from tests.mailtls.observations import (
    HEALTHY,
    NOW,
    address,
    certificate,
    fetched,
    healthy,
    mx_answer,
    mx_host,
    txt,
)

DAY = timedelta(days=1)
STS = "_mta-sts.example.com"
TLSRPT = "_smtp._tls.example.com"


def policy(mode: str = "enforce", max_age: int = 2_592_000, mx: str = "mx1.example.com") -> bytes:
    return f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n".encode()


def facts(observed: Observed, earlier: Facts | None = None, days: float = 0) -> Facts:
    moved = msgspec.structs.replace(observed, checked_at=NOW + days * DAY)
    return facts_of(moved, judge(moved, moved.checked_at), earlier)


def changed(before: Observed, after: Observed, days: float = 1) -> tuple[Change, ...]:
    first = facts(before)
    return compare(first, facts(after, first, days))


def by_kind(changes: tuple[Change, ...]) -> dict[Kind, set[str]]:
    return {change.kind: {finding.code for finding in change.findings} for change in changes}


def unknown(status: DnsStatus = DnsStatus.TIMEOUT) -> Observed:
    return healthy(
        tlsrpt=TxtAnswer(name=TLSRPT, status=status),
        sts=TxtAnswer(name=STS, status=status),
        policy=fetched(result=FetchResult.DNS_FAILED, body=None),
        mx=MxAnswer(name="example.com", status=status),
        mx_hosts=(),
    )


def test_the_same_twice_is_no_change():
    assert changed(HEALTHY, HEALTHY) == ()


def test_unknown_is_no_change_and_keeps_what_was_known():
    first = facts(HEALTHY)

    second = facts(unknown(), first, days=1)

    assert compare(first, second) == ()
    assert second.tlsrpt_record == first.tlsrpt_record
    assert second.mx == first.mx
    assert second.policy_sha256 == first.policy_sha256
    assert set(second.stale) == {"tlsrpt", "mta_sts", "mx", "dane"}
    assert compare(second, facts(HEALTHY, second, days=2)) == ()


def test_what_was_never_known_is_no_change():
    first = facts(unknown())

    assert compare(first, facts(HEALTHY, first, days=1)) == ()


@pytest.mark.parametrize(
    ("texts", "kind", "codes"),
    [
        ((), Kind.TLSRPT_RECORD, {"change.tlsrpt.removed"}),
        (
            ("v=TLSRPTv1; rua=mailto:new@example.com",),
            Kind.TLSRPT_RECORD,
            {"change.tlsrpt.changed", "change.tlsrpt.rua-removed"},
        ),
        (
            ("v=TLSRPTv1; rua=mailto:tls@example.com,mailto:new@example.com",),
            Kind.TLSRPT_RECORD,
            {"change.tlsrpt.changed"},
        ),
        (("v=TLSRPTv1; rua=tls@example.com",), Kind.TLSRPT_STATUS, {"change.tlsrpt.broken"}),
    ],
)
def test_a_change_of_the_tlsrpt_record(texts: tuple[str, ...], kind: Kind, codes: set[str]):
    after = txt(TLSRPT, *texts) if texts else TxtAnswer(name=TLSRPT, status=DnsStatus.NODATA)

    assert by_kind(changed(HEALTHY, healthy(tlsrpt=after)))[kind] == codes


def test_a_new_and_a_repaired_tlsrpt_record():
    nothing = healthy(tlsrpt=TxtAnswer(name=TLSRPT, status=DnsStatus.NXDOMAIN))
    broken = healthy(tlsrpt=txt(TLSRPT, "v=TLSRPTv1;"))

    assert by_kind(changed(nothing, HEALTHY))[Kind.TLSRPT_RECORD] == {"change.tlsrpt.added"}
    assert by_kind(changed(broken, HEALTHY))[Kind.TLSRPT_STATUS] == {"change.tlsrpt.repaired"}


def test_another_policy_under_the_same_id_is_dangerous():
    after = healthy(policy=fetched(policy(mx="mx1.example.com\nmx: mx2.example.com")))

    changes = changed(HEALTHY, after)

    assert by_kind(changes)[Kind.STS_POLICY] == {
        "change.sts.policy-changed",
        "change.sts.id-not-bumped",
    }
    assert changes[0].severity is Severity.WARNING


def test_another_policy_under_a_new_id_is_the_proper_way():
    after = healthy(policy=fetched(policy(max_age=604_800 * 5)), sts=txt(STS, "v=STSv1; id=2"))

    found = by_kind(changed(HEALTHY, after))

    assert found[Kind.STS_POLICY] == {"change.sts.policy-changed"}
    assert found[Kind.STS_RECORD] == {"change.sts.record-changed"}


def test_a_new_id_for_the_same_policy_is_harmless():
    [change] = changed(HEALTHY, healthy(sts=txt(STS, "v=STSv1; id=2")))

    assert (change.kind, {f.code for f in change.findings}) == (
        Kind.STS_RECORD,
        {"change.sts.id-only"},
    )
    assert change.severity is Severity.INFO


def test_a_new_id_with_the_policy_out_of_reach_is_not_called_harmless():
    away = fetched(result=FetchResult.CONNECT_TIMEOUT, body=None)

    found = by_kind(changed(HEALTHY, healthy(sts=txt(STS, "v=STSv1; id=2"), policy=away)))

    assert found[Kind.STS_RECORD] == {"change.sts.record-changed"}
    assert found[Kind.STS_STATUS] == {"change.sts.broken"}


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("enforce", "testing", "change.sts.weakened"),
        ("enforce", "none", "change.sts.weakened"),
        ("testing", "none", "change.sts.weakened"),
        ("testing", "enforce", "change.sts.strengthened"),
        ("none", "enforce", "change.sts.strengthened"),
    ],
)
def test_a_change_of_mode(before: str, after: str, code: str):
    changes = changed(
        healthy(policy=fetched(policy(before))), healthy(policy=fetched(policy(after)))
    )

    assert by_kind(changes)[Kind.STS_MODE] == {code}


@pytest.mark.parametrize(
    ("after", "code"),
    [(86_400, "change.sts.max-age-cut"), (31_557_600, "change.sts.max-age-raised")],
)
def test_a_change_of_max_age(after: int, code: str):
    changes = changed(HEALTHY, healthy(policy=fetched(policy(max_age=after))))

    assert by_kind(changes)[Kind.STS_MAX_AGE] == {code}


REMOVED = {
    "sts": TxtAnswer(name=STS, status=DnsStatus.NXDOMAIN),
    "policy": fetched(result=FetchResult.NO_ADDRESS, body=None),
}


def test_a_removal_while_senders_hold_the_policy_names_the_safe_day():
    [change, _] = changed(HEALTHY, healthy(**REMOVED), days=10)

    [finding] = change.findings
    assert (finding.code, finding.severity) == ("change.sts.removed-while-cached", "error")
    assert finding.params["safe_after"] == "2026-12-22T10:00:00Z"


def test_a_removal_after_max_age_is_clean():
    none = healthy(policy=fetched(policy("none", 86_400)), sts=txt(STS, "v=STSv1; id=2"))
    first = facts(HEALTHY)
    second = facts(none, first, days=1)
    # The policy of mode none does not count, the longer one before it does.
    assert second.cached_until == NOW + 30 * DAY
    assert safe_to_remove_after(second) == NOW + 30 * DAY
    waited = facts(none, second, days=31)

    [change, _] = compare(waited, facts(healthy(**REMOVED), waited, days=32))

    assert {finding.code for finding in change.findings} == {"change.sts.removed"}
    assert safe_to_remove_after(waited) is None


def test_the_longest_max_age_ever_served_counts():
    long = facts(healthy(policy=fetched(policy(max_age=31_557_600))))

    short = facts(healthy(policy=fetched(policy(max_age=86_400))), long, days=5)

    assert short.cached_until == NOW + timedelta(seconds=31_557_600)


def test_a_policy_out_of_reach_breaks_and_stays_known():
    away = healthy(policy=fetched(result=FetchResult.CERT_EXPIRED, body=None))
    first = facts(HEALTHY)
    second = facts(away, first, days=1)

    [change] = compare(first, second)

    assert (change.kind, change.before, change.after) == (Kind.STS_STATUS, "valid", "invalid")
    assert {finding.code for finding in change.findings} == {"change.sts.broken"}
    assert second.policy_sha256 == first.policy_sha256
    back = healthy(policy=fetched(policy(max_age=5_000_000)))
    assert (
        "change.sts.id-not-bumped"
        in by_kind(compare(second, facts(back, second, days=2)))[Kind.STS_POLICY]
    )


@pytest.mark.parametrize(
    ("mode", "severity"),
    [("enforce", Severity.ERROR), ("testing", Severity.WARNING), ("none", Severity.INFO)],
)
def test_an_mx_that_the_policy_does_not_cover(mode: str, severity: Severity):
    body = fetched(policy(mode))
    moved = healthy(
        policy=body,
        mx=mx_answer("example-com.mail.protection.outlook.com"),
        mx_hosts=(mx_host("example-com.mail.protection.outlook.com"),),
    )

    found = {change.kind: change for change in changed(healthy(policy=body), moved)}

    assert found[Kind.MX_COVERAGE].severity is severity
    assert found[Kind.MX].before == "10 mx1.example.com"
    assert found[Kind.PROVIDER].after == "Microsoft 365"


def test_an_mx_that_is_covered_again():
    other = healthy(mx=mx_answer("mx2.example.net"))

    assert by_kind(changed(other, HEALTHY))[Kind.MX_COVERAGE] == {"change.mx.covered"}


def test_the_order_of_mx_records_is_no_change():
    records = (
        MxRecord(preference=10, host="mx2.example.com"),
        MxRecord(preference=10, host="mx1.example.com"),
    )
    one = MxAnswer(name="example.com", status=DnsStatus.OK, records=records)
    other = MxAnswer(name="example.com", status=DnsStatus.OK, records=records[::-1])

    assert changed(healthy(mx=one), healthy(mx=other)) == ()


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (MxAnswer(name="example.com", status=DnsStatus.NODATA), "change.mx.removed"),
        (
            MxAnswer(
                name="example.com",
                status=DnsStatus.OK,
                records=(MxRecord(preference=0, host="."),),
            ),
            "change.mx.null",
        ),
        (mx_answer("mx1.example.com", "mx2.example.com"), "change.mx.changed"),
    ],
)
def test_a_change_of_the_mx_set(after: MxAnswer, code: str):
    observed = healthy(mx=after, apex_v4=address("example.com"), apex_v6=address("example.com"))

    assert by_kind(changed(HEALTHY, observed))[Kind.MX] == {code}


def with_tlsa(*keys: str) -> Observed:
    records = tuple(TlsaRecord(usage=3, selector=1, matching_type=1, data=key) for key in keys)
    status = DnsStatus.OK if records else DnsStatus.NXDOMAIN
    tlsa = TlsaAnswer(name="x", status=status, records=records, is_secure=True)
    host = mx_host(
        "mx1.example.com",
        v4=address("mx1.example.com", "192.0.2.1", is_secure=True),
        tlsa=tlsa,
    )
    return healthy(mx=mx_answer("mx1.example.com", is_secure=True), mx_hosts=(host,))


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ((), ("ab" * 32,), "change.dane.added"),
        (("ab" * 32,), (), "change.dane.removed"),
        (("ab" * 32,), ("cd" * 32,), "change.dane.changed"),
    ],
)
def test_a_change_of_tlsa_records(before: tuple[str, ...], after: tuple[str, ...], code: str):
    assert by_kind(changed(with_tlsa(*before), with_tlsa(*after)))[Kind.DANE] == {code}


def test_testing_for_long_is_told():
    observed = healthy(policy=fetched(policy("testing")))
    first = facts(observed)
    later = facts(observed, first, days=89)

    assert later.mode_since == NOW
    assert judge_age(later, NOW + 89 * DAY) == ()
    [finding] = judge_age(later, NOW + 91 * DAY)
    assert (finding.code, finding.params["days"]) == ("sts.testing.long", 91)


def shown(
    host: str = "mx1.example.com",
    *,
    issued: float = -30,
    life: float = 90,
    refused: bool = False,
    mode: str = "testing",
    names: tuple[str, ...] = (),
) -> Observed:
    """An MX host that shows a certificate issued so many days after `NOW`."""
    probe = StarttlsProbe(
        result=ProbeResult.TLS,
        chain=(lasting(*(names or (host,)), issued=issued, life=life),),
        verify_code=20 if refused else 0,
    )
    return healthy(
        policy=fetched(policy(mode)),
        mx_hosts=(mx_host(host, starttls=probe),),
        was_starttls_asked=True,
    )


def served(*, issued: float = -30, life: float = 90, **more: Any) -> Observed:
    """A policy host that shows a certificate issued so many days after `NOW`."""
    shown = lasting("mta-sts.example.com", issued=issued, life=life)
    return healthy(policy=fetched(certificate=shown, **more))


def lasting(*names: str, issued: float, life: float) -> Certificate:
    return certificate(*names, days_left=issued + life, life_days=int(life))


def told(*checks: tuple[float, Observed]) -> list[tuple[float, str]]:
    """Give the changes of certificates that checks on these days tell."""
    earlier: Facts | None = None
    found = []
    for day, observed in checks:
        now = facts(observed, earlier, day)
        assert decode_facts(encode_facts(now)) == now
        if earlier is not None:
            found += [
                (day, finding.code)
                for change in compare(earlier, now)
                if change.kind in CERTIFICATE_KINDS
                for finding in change.findings
            ]
        earlier = now
    return found


def test_a_renewed_certificate_of_an_mx_host_is_told_with_both_ends():
    [change] = changed(shown(), shown(issued=20), days=21)

    assert (change.kind, change.severity) == (Kind.MX_CERTIFICATE, Severity.INFO)
    assert change.before == "mx1.example.com, valid until 2027-01-21"
    assert change.after == "mx1.example.com, valid until 2027-03-12"
    assert aspect_of(change.kind) == "mx_cert"


def test_a_renewed_certificate_of_the_policy_host_is_no_change_of_the_policy():
    [change] = changed(served(), served(issued=20), days=21)

    assert change.kind is Kind.STS_CERTIFICATE
    assert change.after == "mta-sts.example.com, valid until 2027-03-12"
    assert aspect_of(change.kind) == "sts_cert"


@pytest.mark.parametrize("show", [shown, served], ids=["mx", "policy host"])
def test_a_renewal_after_the_end_is_told_as_late(show: Callable[..., Observed]):
    [(_, code)] = told((0, show()), (70, show(issued=69)))

    assert code.endswith("cert-renewed-late")


@pytest.mark.parametrize("show", [shown, served], ids=["mx", "policy host"])
def test_two_servers_with_two_certificates_tell_one_renewal(show: Callable[..., Observed]):
    old, new = show(issued=-60), show(issued=-1)

    found = told((0, old), (1, old), *((day, (old, new)[day % 2]) for day in range(3, 20)))

    assert len(found) == 1


def test_a_certificate_seen_for_the_first_time_is_no_change():
    other = healthy(
        mx=mx_answer("mx2.example.com"),
        mx_hosts=shown("mx2.example.com", issued=-1).mx_hosts,
        was_starttls_asked=True,
    )

    assert told((0, HEALTHY), (1, shown()), (2, other)) == []


def test_a_check_that_sees_no_certificate_forgets_none():
    away = healthy(policy=fetched(result=FetchResult.CONNECT_TIMEOUT, body=None, certificate=None))

    assert told((0, shown()), (1, HEALTHY), (2, unknown()), (3, shown(issued=2))) == [
        (3, "change.starttls.cert-renewed")
    ]
    assert told((0, served()), (1, away), (2, served(issued=1))) == [(2, "change.sts.cert-renewed")]


def test_certificates_of_days_are_told_only_when_they_came_late():
    checks = [(day, shown(issued=day - 1, life=6)) for day in range(0, 12, 3)]

    assert told(*checks) == []
    assert told((0, shown(issued=-1, life=6)), (8, shown(issued=7, life=6))) == [
        (8, "change.starttls.cert-renewed-late")
    ]


def test_a_chain_that_was_completed_is_told_where_no_status_tells_it():
    [change] = changed(shown(refused=True), shown())

    assert change.kind is Kind.MX_CERTIFICATE_STATUS
    assert (change.before, {finding.code for finding in change.findings}) == (
        "mx1.example.com, refused",
        {"change.starttls.cert-mended"},
    )


def test_under_enforce_the_status_tells_that_a_certificate_passes():
    found = changed(shown(refused=True, mode="enforce"), shown(mode="enforce"))

    assert by_kind(found) == {Kind.STARTTLS_STATUS: {"change.starttls.repaired"}}


def test_an_older_certificate_that_is_put_back_ends_the_failures():
    wrong = shown(issued=0, names=("other.example.com",))

    assert told((0, shown()), (1, wrong), (2, wrong), (3, shown())) == [
        (3, "change.starttls.cert-mended")
    ]


def test_certificates_that_no_sender_takes_are_not_told():
    checks = [(day, shown(issued=day, refused=True)) for day in range(5)]

    assert told(*checks) == []


def test_facts_without_certificates_are_read_and_tell_nothing():
    """As the version before wrote them."""
    stored: dict[str, Any] = msgspec.json.decode(encode_facts(facts(shown())))
    del stored["mx_certs"], stored["policy_cert"]
    earlier = decode_facts(msgspec.json.encode(stored))

    now = facts(shown(issued=20), earlier, days=21)

    assert compare(earlier, now) == ()
    assert [kept.host for kept in now.mx_certs] == ["mx1.example.com"]


SHOWN = st.builds(
    shown, issued=st.integers(-40, 0), refused=st.booleans(), life=st.sampled_from([20, 90])
)


@given(st.lists(SHOWN, min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_servers_that_answer_by_turns_tell_each_certificate_at_most_twice(
    servers: list[Observed], turns: Random
):
    found = told(*((0, turns.choice(servers)) for _ in range(60)))

    assert len(found) <= 2 * len(servers)


OBSERVATIONS = st.sampled_from(
    [
        HEALTHY,
        unknown(),
        unknown(DnsStatus.SERVFAIL),
        healthy(**REMOVED),
        with_tlsa("ab" * 32),
        healthy(policy=fetched(policy("none"))),
        healthy(mx=mx_answer("mx9.example.net")),
    ]
)


@given(st.lists(OBSERVATIONS, min_size=1, max_size=6))
def test_facts_survive_storage_and_any_order_of_checks(observations: list[Observed]):
    earlier: Facts | None = None
    for day, observed in enumerate(observations):
        now = facts(observed, earlier, day)
        assert decode_facts(encode_facts(now)) == now
        assert compare(now, now) == ()
        if earlier is not None:
            for change in compare(earlier, now):
                assert change.before != change.after or change.kind is Kind.MX
        earlier = now


def test_facts_of_another_version_can_be_read():
    stored: dict[str, Any] = msgspec.json.decode(encode_facts(facts(HEALTHY)))
    stored["from_the_future"] = True
    del stored["mx"]

    read = decode_facts(msgspec.json.encode(stored))

    assert read.mx == ()
    assert read.mx_status is Status.VALID
    assert isinstance(read.observed_at, datetime)
