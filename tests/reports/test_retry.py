"""The quarantine: read again after an upgrade."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Membership, Team, User
from accounts.roles import Role
from mailtls.limits import MIB
from mailtls.report.notes import MAIL_TOO_LARGE
from reports.models import Channel, Intake, Outcome, Receipt
from reports.services.accept import Provenance, accept, refuse
from reports.services.process import process
from reports.services.retry import retry
from tests.factories import make_member, make_receipt
from tests.mailtls.samples import text, zipped
from tests.reports.arrivals import take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return User.objects.create_user("admin@example.com", is_superuser=True)


def test_what_can_be_read_now_is_read(admin, settings):
    settings.REPORT_MAX_MEGABYTES = 0
    rejected, other = take_in(zipped(text()), b"<feedback/>")
    assert rejected.code == "unpack.too-large"
    settings.REPORT_MAX_MEGABYTES = 20

    assert retry(Receipt.objects.all(), admin) == 1
    process()

    rejected.refresh_from_db()
    other.refresh_from_db()
    assert (rejected.outcome, rejected.code) == (Outcome.ACCEPTED, "")
    assert other.outcome == Outcome.NOT_A_REPORT
    assert AuditEntry.objects.get().verb == "retried"


def test_what_still_cannot_be_read_is_back_with_its_reason(admin):
    [rejected] = take_in(b"junk")

    retry(Receipt.objects.all(), admin)
    process()

    rejected.refresh_from_db()
    assert (rejected.outcome, rejected.code) == (Outcome.REJECTED, "unpack.unrecognised")


def test_a_team_retries_what_came_by_its_own_intake():
    team = Team.objects.create(name="Mail")
    alice = User.objects.create_user("alice@example.com")
    Membership.objects.create(user=alice, team=team, role="analyst")
    intake = Intake.objects.create(name="mail", team=team)
    accept(b"junk", Provenance(channel=Channel.HTTPS, intake_id=intake.pk))
    accept(b"other junk", Provenance(channel=Channel.HTTPS))
    process()

    mine = Receipt.objects.visible_to(alice)
    assert retry(mine, alice) == 1
    with pytest.raises(PermissionDenied):
        retry(Receipt.objects.all(), alice)
    assert Receipt.objects.filter(outcome=Outcome.REJECTED).count() == 1


def test_what_was_left_in_its_mailbox_is_not_offered_to_be_read_again(client: Client) -> None:
    kept = make_receipt("no report")
    left = refuse(Provenance(channel=Channel.IMAP), MAIL_TOO_LARGE, bytes=30 * MIB, limit=15 * MIB)
    client.force_login(make_member(None, Role.ANALYST))

    page = client.get(reverse("inbox:list")).content.decode()

    assert f'name="pk" value="{kept.pk}"' in page
    assert f'name="pk" value="{left.pk}"' not in page
    assert "The mail has 30.0 MB; the limit is 15.0 MB" in page


def test_the_inbox_tells_of_mail_that_was_no_report(client: Client) -> None:
    client.force_login(make_member(None, Role.ANALYST))
    before = client.get(reverse("inbox:list")).content.decode()

    take_in(b"Subject: test\r\n\r\nDoes it arrive?\r\n")

    page = client.get(reverse("inbox:list")).content.decode()
    assert "no TLS report" not in before
    assert "1 other mail or file came that is no TLS report" in page
