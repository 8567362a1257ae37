from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from domains.models import LISTED, CheckRun, Domain, Posture, RecordVersion, StateChange, StateSpan
from domains.services.record_check import CONFIRM_AFTER, record_check
from tests.domains.observations import AT, RUA, observed, servfail

pytestmark = pytest.mark.django_db

OTHER_RUA = "v=TLSRPTv1; rua=mailto:elsewhere@other.example"


@pytest.fixture
def domain():
    return Domain.objects.create(name="a.example")


def check(domain, observation, minutes=0):
    return record_check(domain, observation, AT + timedelta(minutes=minutes))


def test_the_first_check_gives_a_posture_and_no_change(domain):
    check(domain, observed())

    posture = Posture.objects.get(domain=domain)
    assert (posture.tlsrpt, posture.mta_sts, posture.sts_mode) == ("valid", "valid", "enforce")
    assert posture.judgement["tlsrpt"]["record"] == RUA
    assert not StateChange.objects.exists()
    assert CheckRun.objects.count() == 1


@pytest.mark.parametrize("second", [observed(tlsrpt=None, mx=("mx2.b.example",)), servfail()])
def test_a_domain_repeats_what_its_posture_says(domain, second):
    for observation in (observed(), second):
        check(domain, observation)

        told = Domain.objects.filter(pk=domain.pk).values(*LISTED).get()
        assert told == Posture.objects.get(domain=domain).listed


def test_the_migration_repeats_what_postures_say(domain):
    check(domain, servfail())
    check(domain, observed(tlsrpt=None))
    Domain.objects.create(name="unchecked.example")
    told = list(Domain.objects.values(*LISTED))
    Domain.objects.update(tlsrpt="", mx="", errors=9, has_uncovered_mx=True)

    with connection.cursor() as cursor:
        cursor.execute(import_module("domains.migrations.0010_fill_domain_listed").FILL)

    assert list(Domain.objects.filter(pk=domain.pk).values(*LISTED)) == told[:1]


def test_a_change_counts_when_a_second_check_has_seen_it(domain):
    check(domain, observed())

    check(domain, observed(tlsrpt=OTHER_RUA), 60)
    first = StateChange.objects.get()
    assert (first.kind, first.confirmed_at) == ("tlsrpt-record", None)
    assert domain.next_check_at == AT + timedelta(minutes=60) + CONFIRM_AFTER

    check(domain, observed(tlsrpt=OTHER_RUA), 65)
    confirmed = StateChange.objects.get()
    assert confirmed.confirmed_at == AT + timedelta(minutes=65)
    assert confirmed.seen_at == AT + timedelta(minutes=60)


def test_a_confirmed_change_is_told_once(domain):
    for minutes, tlsrpt in ((0, RUA), (60, OTHER_RUA), (65, OTHER_RUA), (70, OTHER_RUA)):
        check(domain, observed(tlsrpt=tlsrpt), minutes)

    assert StateChange.objects.count() == 1


def test_a_change_that_is_gone_at_the_second_look_is_withdrawn(domain):
    check(domain, observed())
    check(domain, observed(tlsrpt=None), 60)

    check(domain, observed(), 65)

    assert not StateChange.objects.exists()


def test_an_aspect_that_flaps_does_not_hold_up_the_others(domain):
    check(domain, observed(mx=("mx1.a.example",)))
    check(domain, observed(tlsrpt=None, mx=("mx2.a.example",)), 60)

    check(domain, observed(tlsrpt=None, mx=("mx3.a.example",)), 65)

    confirmed = StateChange.objects.exclude(confirmed_at=None)
    assert {row.aspect for row in confirmed} == {"tlsrpt"}


def test_a_dns_failure_keeps_the_known_state_and_marks_it(domain):
    check(domain, observed())

    check(domain, servfail(at=AT + timedelta(hours=1)), 60)

    posture = Posture.objects.get(domain=domain)
    assert (posture.tlsrpt, posture.mta_sts, posture.sts_mode) == ("valid", "valid", "enforce")
    assert posture.judgement["tlsrpt"]["record"] == RUA
    assert posture.unknown_since == AT + timedelta(hours=1)
    assert posture.known_at == AT
    assert "tlsrpt" in posture.unknown_aspects
    assert not StateChange.objects.exists()


def test_a_dns_failure_neither_confirms_nor_withdraws_a_change(domain):
    check(domain, observed())
    check(domain, observed(tlsrpt=None), 60)

    check(domain, servfail(), 65)
    assert StateChange.objects.filter(confirmed_at=None, aspect="tlsrpt").exists()

    check(domain, observed(tlsrpt=None), 70)
    assert StateChange.objects.filter(aspect="tlsrpt").exclude(confirmed_at=None).exists()


def test_a_domain_never_seen_is_unknown_and_not_missing(domain):
    check(domain, servfail())

    posture = Posture.objects.get(domain=domain)
    assert (posture.tlsrpt, posture.mta_sts) == ("unknown", "unknown")


def test_what_is_seen_first_after_a_failure_is_no_change(domain):
    check(domain, servfail())

    check(domain, observed(), 60)

    assert not StateChange.objects.exists()


def test_every_version_of_a_record_is_kept(domain):
    check(domain, observed())
    check(domain, observed(tlsrpt=OTHER_RUA), 60)
    check(domain, observed(tlsrpt=None), 120)

    versions = RecordVersion.objects.filter(kind="tlsrpt").order_by("first_seen_at")
    assert [row.content for row in versions] == [RUA, OTHER_RUA, ""]
    assert [row.replaced_at is None for row in versions] == [False, False, True]


def test_weakening_the_policy_is_a_warning(domain):
    for minutes, mode, policy_id in (
        (0, "enforce", "1"),
        (60, "testing", "2"),
        (65, "testing", "2"),
    ):
        check(domain, observed(mode=mode, sts_id=policy_id), minutes)

    change = StateChange.objects.get(kind="sts-mode")
    assert (change.before, change.after, change.severity) == ("enforce", "testing", "warning")
    assert [finding["code"] for finding in change.findings] == ["change.sts.weakened"]


def test_the_next_check_lies_one_interval_ahead(domain):
    check(domain, observed())

    domain.refresh_from_db()
    assert domain.check_interval * 0.9 <= domain.next_check_at - AT <= domain.check_interval
    assert domain.claimed_at is None


def test_an_mx_host_the_policy_does_not_name_is_marked(domain):
    check(domain, observed(mx=("mx1.a.example", "mx.elsewhere.test")))
    assert Posture.objects.get(domain=domain).has_uncovered_mx

    check(domain, observed(mx=("mx1.a.example",)), 60)
    assert not Posture.objects.get(domain=domain).has_uncovered_mx


def test_each_check_keeps_what_is_published_from_that_day_on(domain):
    check(domain, observed())
    day = timedelta(days=1)
    check(domain, servfail(at=AT + day))
    check(domain, observed(tlsrpt=None, at=AT + 3 * day))

    spans = StateSpan.objects.order_by("first_day")
    assert [(row.first_day, row.last_day, row.tlsrpt, row.sts) for row in spans] == [
        (AT.date(), (AT + 2 * day).date(), "valid", "enforce"),
        ((AT + 3 * day).date(), None, "missing", "enforce"),
    ]


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("which", "kind", "aspect"),
    [
        ("cert_ends", "sts-certificate", "sts_cert"),
        ("mx_cert_ends", "mx-certificate", "mx_cert"),
    ],
)
def test_a_renewed_certificate_counts_at_once_and_wants_no_second_look(domain, which, kind, aspect):
    check(domain, observed(**{which: AT + 60 * DAY}))

    check(domain, observed(**{which: AT + 90 * DAY}), 60)

    change = StateChange.objects.get()
    assert (change.kind, change.aspect, change.severity) == (kind, aspect, "info")
    assert change.seen_at == change.confirmed_at == AT + timedelta(minutes=60)
    assert domain.next_check_at > AT + timedelta(minutes=60) + CONFIRM_AFTER


def test_servers_with_two_certificates_hold_up_no_other_change(domain):
    def seen(minutes, tlsrpt=RUA):
        ends = AT + (60 if minutes % 2 else 90) * DAY
        check(domain, observed(tlsrpt=tlsrpt, cert_ends=ends, mx_cert_ends=ends), minutes)

    seen(1)
    seen(2)
    for minutes in range(3, 12):
        seen(minutes, OTHER_RUA)

    assert sorted(
        StateChange.objects.exclude(confirmed_at=None).values_list("kind", flat=True)
    ) == [
        "mx-certificate",
        "sts-certificate",
        "tlsrpt-record",
    ]
    assert not StateChange.objects.filter(confirmed_at=None).exists()


def test_a_policy_host_that_is_renewed_late_tells_status_and_certificate(domain):
    for day, ends in ((0, 5), (6, 5), (6.1, 5), (9, 99), (9.1, 99)):
        at = AT + day * DAY
        record_check(domain, observed(at=at, cert_ends=AT + ends * DAY), at)

    rows = StateChange.objects.order_by("seen_at", "kind")
    assert [(row.kind, row.after, row.seen_at - AT) for row in rows] == [
        ("sts-status", "invalid", 6 * DAY),
        ("sts-certificate", "mta-sts.a.example, valid until 2027-02-08", 9 * DAY),
        ("sts-status", "valid", 9 * DAY),
    ]
