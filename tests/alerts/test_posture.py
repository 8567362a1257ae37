from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from accounts.models import Team
from alerts.lifecycle import State
from alerts.models import Incident, Rule, RuleKind
from alerts.rules.posture import PostureRule, rua_operator
from alerts.services.evaluate import evaluate
from alerts.words import words_of
from domains.lacks import Lack
from domains.models import Domain, StateChange
from domains.services.record_check import record_check
from mailtls.aspects import Status
from mailtls.catalogue import describe
from mailtls.facts import Facts, with_certificates
from mailtls.findings import Finding, Severity
from mailtls.kept_certificates import KeptCertificate
from mailtls.observed import AddressAnswer, DnsStatus, FetchResult, TlsaAnswer, TlsaRecord
from mailtls.sts_policy import Mode
from tests.alerts.test_coverage import except_from
from tests.domains.observations import AT, RUA, observed, servfail

pytestmark = pytest.mark.django_db
BROKEN = "v=TLSRPTv1; rua=nowhere"


@pytest.fixture(autouse=True)
def rule():
    Rule.objects.exclude(kind=RuleKind.POSTURE).delete()
    return Rule.objects.get()


@pytest.fixture
def domain():
    return Domain.objects.create(name="a.example")


def check(domain, hours, seen=None, **world):
    at = AT + timedelta(hours=hours)
    record_check(domain, seen or observed(domain.name, at=at, **world), at)
    evaluate(at)


def test_a_removed_record_is_told_once_two_checks_have_seen_it(domain):
    check(domain, 0)
    check(domain, 1, tlsrpt=None)
    assert not Incident.objects.exists()

    check(domain, 2, tlsrpt=None)
    check(domain, 3, tlsrpt=None)

    incident = Incident.objects.get()
    assert incident.evidence["code"] == "change.tlsrpt.removed"
    assert incident.severity == "medium"
    assert incident.due_at is not None
    assert not StateChange.objects.filter(claimed_at=None, confirmed_at__isnull=False).exists()


def test_it_is_over_after_two_checks_that_find_it_mended(domain):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=None)
    check(domain, 3, tlsrpt=RUA)
    check(domain, 4, tlsrpt=RUA)
    assert Incident.objects.get().state == State.OPEN

    check(domain, 5, tlsrpt=RUA)
    check(domain, 6, tlsrpt=RUA)

    assert Incident.objects.get().state == State.RESOLVED


def test_what_cannot_be_found_out_opens_and_closes_nothing(domain):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=None)
    for hours in range(3, 8):
        at = AT + timedelta(hours=hours)
        check(domain, hours, servfail(domain.name, at=at))

    assert Incident.objects.get().state == State.OPEN


def test_an_mx_outside_an_enforced_policy_is_critical_and_grouped_by_operator():
    domains = [Domain.objects.create(name=f"d{n}.example") for n in range(5)]
    for one in domains:
        check(one, 0)
        for hours in (1, 2):
            at = AT + timedelta(hours=hours)
            record_check(one, observed(one.name, at=at, mx=("mx1.new.test",)), at)

    evaluate(AT + timedelta(hours=3))

    incident = Incident.objects.get()
    assert incident.cause_key == "sts.mx.not-covered@new.test"
    assert incident.severity == "critical"
    assert incident.incident_domains.count() == 5


def test_no_domains_own_host_stands_for_those_of_all():
    domains = [Domain.objects.create(name=f"d{n}.example") for n in range(4)]
    for number, one in enumerate(domains):
        check(one, 0)
        for hours in (1, 2):
            at = AT + timedelta(hours=hours)
            host = f"mx{number // 2}.new.test"
            record_check(one, observed(one.name, at=at, mx=(host,)), at)
        if number == 1:
            evaluate(AT + timedelta(hours=3))
            alike = Incident.objects.get()
            assert alike.title == "The policy does not cover the MX host mx0.new.test at 2 domains"

    evaluate(AT + timedelta(hours=3))

    incident = Incident.objects.get()
    assert incident.title.endswith(" and others at 4 domains")
    assert " and others" in words_of(incident).title
    # What the incident is known by again stays a name.
    assert "others" not in incident.evidence["params"]["mx"]


def test_the_same_change_in_one_team_on_one_day_is_one_incident():
    teams = [Team.objects.create(name=name) for name in ("Mail", "Web")]
    domains = [Domain.objects.create(name=f"d{n}.example", team=teams[n % 2]) for n in range(6)]
    for one in domains:
        check(one, 0)
        for hours in (1, 2):
            at = AT + timedelta(hours=hours)
            record_check(one, observed(one.name, at=at, tlsrpt=None), at)

    evaluate(AT + timedelta(hours=3))

    assert sorted(incident.incident_domains.count() for incident in Incident.objects.all()) == [
        3,
        3,
    ]


def test_policy_hosts_of_one_provider_that_break_on_one_day_are_one_incident():
    teams = [Team.objects.create(name=name) for name in ("Mail", "Web")]
    domains = [Domain.objects.create(name=f"d{n}.example", team=teams[n % 2]) for n in range(6)]
    for n, one in enumerate(domains):
        provider = "pages.provider.test" if n < 4 else "elsewhere.test"
        check(one, 0)
        for hours in (1, 2):
            at = AT + timedelta(hours=hours)
            seen = observed(one.name, at=at)
            gone = structs.replace(
                seen.policy,
                result=FetchResult.HTTP_STATUS,
                http_status=404,
                body=None,
                v4=AddressAnswer(
                    name=seen.policy.host, cnames=(provider,), addresses=("192.0.2.1",)
                ),
            )
            record_check(one, structs.replace(seen, policy=gone), at)

    evaluate(AT + timedelta(hours=3))

    assert {
        incident.cause_key: incident.incident_domains.count() for incident in Incident.objects.all()
    } == {
        "change.sts.broken@provider.test 2026-11-01": 4,
        "change.sts.broken@elsewhere.test 2026-11-01": 2,
    }


@pytest.mark.parametrize(
    ("rua", "operator"),
    [
        ((), ""),
        (("mailto:tls@in.reports.test",), "reports.test"),
        (("https://tls.reports.test/in?x=1", "mailto:a@b.test"), "reports.test"),
    ],
)
def test_reports_go_to_an_operator(rua, operator):
    facts = Facts(domain="a.example", observed_at=AT, tlsrpt_rua=rua)

    assert rua_operator(facts) == operator


def test_a_weakened_policy_is_told_until_it_is_as_strong_again(domain):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, mode="testing", sts_id="2")

    incident = Incident.objects.get()
    assert incident.evidence["code"] == "change.sts.weakened"

    for hours in range(3, 7):
        check(domain, hours, mode="enforce", sts_id="3")

    incident.refresh_from_db()
    assert incident.state == State.RESOLVED


def test_old_changes_are_history(domain):
    check(domain, 0)
    for hours in (1, 2):
        at = AT + timedelta(hours=hours)
        record_check(domain, observed(domain.name, at=at, tlsrpt=None), at)

    evaluate(AT + timedelta(days=30))

    assert not Incident.objects.exists()


def test_removed_tlsa_records_are_taken_as_meant_after_two_weeks(domain):
    def at(hours, tlsa=()):
        moment = AT + timedelta(hours=hours)
        seen = observed(domain.name, at=moment)
        answer = TlsaAnswer(
            name="_25._tcp.mx1.a.example",
            status=DnsStatus.OK if tlsa else DnsStatus.NXDOMAIN,
            is_secure=True,
            records=tlsa,
        )
        v4 = AddressAnswer(
            name="mx1.a.example",
            status=DnsStatus.OK,
            is_secure=True,
            addresses=("192.0.2.1",),
        )
        hosts = tuple(structs.replace(host, tlsa=answer, v4=v4) for host in seen.mx_hosts)
        secure = structs.replace(seen.mx, is_secure=True)
        record_check(domain, structs.replace(seen, mx_hosts=hosts, mx=secure), moment)
        evaluate(moment)

    at(0, (TlsaRecord(usage=3, selector=1, matching_type=1, data="ab" * 32),))
    for hours in (1, 2):
        at(hours)
    incident = Incident.objects.get(evidence__code="change.dane.removed")

    at(13 * 24)
    incident.refresh_from_db()
    assert incident.state == State.OPEN
    at(14 * 24 + 1)

    incident.refresh_from_db()
    assert incident.state == State.RESOLVED
    assert "taken as meant" in incident.events.last().text


def test_what_is_excepted_is_not_told_and_ends_what_was(domain):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=None)
    other = Domain.objects.create(name="b.example")
    for one in (domain, other):
        except_from(one, Lack.TLSRPT, AT.date(), AT.date() + timedelta(days=30))
    check(other, 0)
    for hours in (1, 2):
        check(other, hours, tlsrpt=None)

    for hours in (3, 4):
        check(domain, hours, tlsrpt=None)

    incident = Incident.objects.get()
    assert [str(row.domain) for row in incident.incident_domains.all()] == ["a.example"]
    assert incident.state == State.RESOLVED


def test_a_renewed_certificate_is_no_trouble(domain):
    check(domain, 0, cert_ends=AT + timedelta(days=60), mx_cert_ends=AT + timedelta(days=60))

    check(domain, 1, cert_ends=AT + timedelta(days=90), mx_cert_ends=AT + timedelta(days=90))

    assert StateChange.objects.exclude(claimed_at=None).count() == 2
    assert not Incident.objects.exists()


def test_the_mx_host_whose_certificate_ends_is_named():
    kept = [
        KeptCertificate(f"mx{n}.a.example", AT, AT + timedelta(days=days))
        for n, days in ((1, 60), (2, 3))
    ]
    facts = Facts(
        domain="a.example",
        observed_at=AT,
        mx=("10 mx1.a.example", "20 mx2.a.example"),
        starttls_status=Status.VALID,
    )

    [trouble] = PostureRule().find_certificates(with_certificates(facts, None, tuple(kept)), AT)

    assert (trouble.code, trouble.params["mx"]) == ("starttls.cert.expires-soon", "mx2.a.example")


def test_a_certificate_that_ends_and_has_ended_is_one_incident_in_true_words(domain):
    ends = AT + timedelta(days=10, hours=1)
    check(domain, 0, cert_ends=ends)
    assert Incident.objects.get().title == (
        "The certificate of mta-sts.a.example expires in 10 days at a.example"
    )

    check(domain, 11 * 24, cert_ends=ends)

    incident = Incident.objects.get()
    assert incident.title == "The certificate of mta-sts.a.example has expired at a.example"
    assert words_of(incident).title == "The certificate of mta-sts.a.example has expired"


def test_every_trouble_is_worded_in_full():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    facts = Facts(
        domain="a.example",
        observed_at=now,
        sts_status=Status.VALID,
        policy_mode=Mode.ENFORCE,
        mx=("10 mx1.a.example",),
        mx_uncovered=("mx1.a.example",),
        mx_status=Status.VALID,
        starttls_status=Status.INVALID,
        dane_status=Status.INVALID,
        tlsrpt_status=Status.INVALID,
        policy_cert_not_after=now + timedelta(days=3),
        mx_cert_not_after=now + timedelta(days=3),
    )

    troubles = list(PostureRule().find(facts, {}, now))

    assert len(troubles) == 6
    for trouble in troubles:
        words = describe(Finding(trouble.code, Severity.WARNING, trouble.params or {}))
        assert "?" not in words.title, trouble.code


def test_a_record_that_is_gone_is_seen_so_by_every_check(domain):
    check(domain, 0)
    for hours in (1, 2, 50):
        check(domain, hours, tlsrpt=None)

    incident = Incident.objects.get()
    last_on = (AT + timedelta(hours=50)).date()
    assert incident.last_seen_on == last_on
    assert incident.incident_domains.get().last_on == last_on

    check(domain, 75, servfail(domain.name, at=AT + timedelta(hours=75)))
    for hours in (100, 101):
        check(domain, hours, tlsrpt=RUA)
    incident.refresh_from_db()
    assert incident.last_seen_on == last_on


def test_a_domain_that_is_mended_was_last_seen_so_before(domain):
    other = Domain.objects.create(name="b.example")
    for one in (domain, other):
        record_check(one, observed(one.name, tlsrpt=BROKEN, mode=None), AT)
    evaluate(AT)
    for hours in (30, 31):
        check(domain, hours, tlsrpt=RUA, mode=None)
    check(other, 54, tlsrpt=BROKEN, mode=None)

    last_days = Incident.objects.get().incident_domains.values_list("domain__name", "last_on")

    assert dict(last_days) == {
        "a.example": AT.date(),
        "b.example": (AT + timedelta(hours=54)).date(),
    }
