from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.audit import acting_as
from accounts.models import AuditEntry
from accounts.roles import Role
from domains.exception_queries import (
    excepted_by_team,
    expiring_exceptions,
    lapsed_exceptions,
    running_exceptions,
)
from domains.lacks import Lack
from domains.models import CoverageException, Domain
from domains.services.coverage_exceptions import (
    LONGEST,
    Granted,
    end_exception,
    grant_exceptions,
    renew_exception,
)
from tests.factories import TeamFactory, make_domain, make_member, make_span

pytestmark = pytest.mark.django_db


def today():
    return timezone.now().date()


def days(count):
    return timedelta(days=count)


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def manager(team):
    return make_member(team, Role.MANAGER, name="Mara")


def grant(user, *names, lacks=(Lack.TLSRPT,), until=60, **fields):
    fields.setdefault("reason", "Moves in spring.")
    return grant_exceptions(
        Domain.objects.filter(name__in=names),
        user,
        lacks=lacks,
        expires_on=today() + days(until),
        **fields,
    )


def lacks_on(day):
    running = running_exceptions(Domain.objects.all(), day)
    return sorted((str(one.domain), one.lack) for one in running.select_related("domain"))


def test_many_domains_get_many_exceptions_and_running_ones_stay(team, manager):
    for name in ("a.example", "b.example"):
        make_domain(name, team, tlsrpt="missing")
    grant(manager, "a.example", reason="The first reason.")

    granted = grant(manager, "a.example", "b.example", lacks=(Lack.TLSRPT, Lack.DANE))

    assert granted == Granted(made=3, running=1)
    first = CoverageException.objects.get(domain__name="a.example", lack=Lack.TLSRPT)
    assert first.reason == "The first reason."
    assert len(lacks_on(today())) == 4


def test_who_granted_what_is_in_the_audit_log_under_the_domain(team, manager):
    domain = make_domain("a.example", team)
    with acting_as(manager, "web"):
        grant(manager, "a.example")

    entry = AuditEntry.objects.get(verb="granted an exception")
    assert (entry.actor, entry.target_id, entry.team) == (manager, str(domain.pk), team)
    assert entry.after["may lack"] == "TLS-RPT"
    assert entry.after["approved by"] == "Mara"


def test_nobody_excepts_the_domains_of_another_team(team, manager):
    make_domain("ours.example", team)
    make_domain("theirs.example", TeamFactory())

    with pytest.raises(PermissionDenied):
        grant(manager, "ours.example", "theirs.example")
    assert not CoverageException.objects.exists()


def test_an_analyst_does_not_grant(team):
    make_domain("ours.example", team)

    with pytest.raises(PermissionDenied):
        grant(make_member(team, Role.ANALYST), "ours.example")


def test_the_approver_is_a_manager_of_the_team_too(team, manager):
    make_domain("ours.example", team)
    boss = make_member(team, Role.MANAGER, name="Boss")

    with pytest.raises(ValidationError) as refused:
        grant(manager, "ours.example", approver=make_member(TeamFactory(), Role.MANAGER))
    grant(manager, "ours.example", approver=boss)

    assert list(refused.value.message_dict) == ["approver"]
    held = CoverageException.objects.get()
    assert (held.approver, held.approver_name) == (boss, "Boss")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"reason": "  "}, "reason"),
        ({"until": 0}, "expires_on"),
        ({"until": LONGEST.days + 1}, "expires_on"),
    ],
    ids=["no reason", "over today", "longer than two years"],
)
def test_an_exception_needs_a_reason_and_an_end(team, manager, fields, wrong):
    make_domain("ours.example", team)

    with pytest.raises(ValidationError) as refused:
        grant(manager, "ours.example", **fields)

    assert list(refused.value.message_dict) == [wrong]


def test_an_exception_runs_until_the_end_of_its_last_day(team, manager):
    make_domain("ours.example", team)
    grant(manager, "ours.example", until=5)

    assert lacks_on(today() - days(1)) == []
    assert lacks_on(today()) == lacks_on(today() + days(5)) == [("ours.example", "tlsrpt")]
    assert lacks_on(today() + days(6)) == []
    assert expiring_exceptions(Domain.objects.all(), today(), within_days=5).exists()
    assert not expiring_exceptions(Domain.objects.all(), today(), within_days=4).exists()


def test_renewing_keeps_each_approval_on_the_days_it_held(team, manager):
    make_domain("ours.example", team)
    start = timezone.now()
    with time_machine.travel(start - days(40), tick=False):
        grant(manager, "ours.example", until=50, reason="The first reason.")
    old = CoverageException.objects.get()

    new = renew_exception(old, manager, reason="The second reason.", expires_on=today() + days(100))

    old.refresh_from_db()
    assert (new.renews, old.ended_on, old.is_renewed) == (old, today(), True)
    every = Domain.objects.all()
    assert running_exceptions(every, today() - days(1)).get() == old
    assert running_exceptions(every, today()).get() == new
    with pytest.raises(ValidationError):
        renew_exception(old, manager, reason="Again.", expires_on=today() + days(9))


def test_the_days_between_two_approvals_were_excused_by_nobody(team, manager):
    make_domain("ours.example", team, tlsrpt="missing")
    with time_machine.travel(timezone.now() - days(40), tick=False):
        grant(manager, "ours.example", until=10)
    assert lapsed_exceptions(Domain.objects.all(), today()).count() == 1

    grant(manager, "ours.example")

    assert lacks_on(today() - days(20)) == []
    assert not lapsed_exceptions(Domain.objects.all(), today()).exists()
    assert CoverageException.objects.get(starts_on=today()).renews is not None


def test_what_ran_out_is_told_of_only_while_the_lack_stands(team, manager):
    make_domain("mended.example", team)
    make_domain("tested.example", team, sts_mode="testing")
    with time_machine.travel(timezone.now() - days(40), tick=False):
        grant(manager, "mended.example", lacks=(Lack.TLSRPT, Lack.MTA_STS, Lack.DANE), until=10)
        grant(manager, "tested.example", lacks=(Lack.MTA_STS, Lack.ENFORCE), until=10)

    lapsed = lapsed_exceptions(Domain.objects.all(), today())

    found = {(one.domain.name, one.lack) for one in lapsed.select_related("domain")}
    assert found == {("mended.example", "dane"), ("tested.example", "enforce")}


def test_what_ran_out_is_not_told_of_while_a_wider_one_allows_it(team, manager):
    make_domain("ours.example", team, sts_mode="testing")
    with time_machine.travel(timezone.now() - days(40), tick=False):
        grant(manager, "ours.example", lacks=(Lack.ENFORCE,), until=10)
        grant(manager, "ours.example", lacks=(Lack.MTA_STS,), until=60)

    assert not lapsed_exceptions(Domain.objects.all(), today()).exists()
    assert lapsed_exceptions(Domain.objects.all(), today() + days(30)).get().lack == Lack.ENFORCE


def test_ending_one_counts_from_today_and_keeps_the_past(team, manager):
    make_domain("ours.example", team)
    with time_machine.travel(timezone.now() - days(3), tick=False):
        grant(manager, "ours.example")
    held = CoverageException.objects.get()

    with pytest.raises(ValidationError):
        end_exception(held, manager, " ")
    with pytest.raises(ValidationError, match="1,001 characters; at most 1,000"):
        end_exception(held, manager, "x" * 1_001)
    end_exception(held, manager, "The record stands.")

    assert lacks_on(today()) == []
    assert lacks_on(today() - days(1)) == [("ours.example", "tlsrpt")]
    with pytest.raises(ValidationError):
        end_exception(held, manager, "Again.")
    with pytest.raises(PermissionDenied):
        end_exception(held, make_member(TeamFactory(), Role.MANAGER), "Not mine.")


def test_an_exception_excuses_what_it_names_and_nothing_broken(team, manager):
    every = (Lack.TLSRPT, Lack.MTA_STS, Lack.DANE)
    make_domain("none.example", team, tlsrpt="missing", mta_sts="missing")
    make_domain("broken.example", team, tlsrpt="invalid", mta_sts="invalid", dane="invalid")
    make_domain("testing.example", team, sts_mode="testing", dane="valid")
    make_domain("slow.example", team, sts_mode="testing", dane="valid")
    make_domain("bare.example", team, mta_sts="missing", dane="valid")
    grant(manager, "none.example", "broken.example", "testing.example", lacks=every)
    grant(manager, "slow.example", "bare.example", lacks=(Lack.ENFORCE,))

    counts = excepted_by_team(Domain.objects.all(), today())

    assert counts == {
        team.pk: {
            ("tlsrpt", "missing"): 1,
            ("sts", "missing"): 1,
            ("dane", "missing"): 1,
            ("sts", "testing"): 2,
        }
    }


def test_a_past_day_counts_the_exceptions_and_the_states_of_that_day(team, manager):
    domain = make_domain("ours.example", team, first_day=today() - days(20))
    make_span(domain, today() - days(60), today() - days(21), tlsrpt="missing")
    Domain.objects.update(created_at=timezone.now() - days(60))
    with time_machine.travel(timezone.now() - days(40), tick=False):
        grant(manager, "ours.example", until=50)

    def excepted(back):
        return excepted_by_team(Domain.objects.all(), today() - days(back))

    assert excepted(50) == excepted(0) == {}
    assert excepted(30) == {team.pk: {("tlsrpt", "missing"): 1}}
