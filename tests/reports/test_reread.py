"""An upgrade that reads more reads the quarantine again, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AuditEntry
from reports import tasks
from reports.models import Channel, Intake, Outcome, Receipt, Report
from reports.reading import READER_VERSION
from reports.services import reread as reread_module
from reports.services import store as store_module
from reports.services.accept import Provenance, accept
from reports.services.process import process
from reports.services.reread import reread
from tests.mailtls.samples import text, zipped
from tests.reports.arrivals import take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let everything so far have been read by an older version."""

    def run() -> None:
        for module in (reread_module, store_module):
            monkeypatch.setattr(module, "READER_VERSION", READER_VERSION + 1)

    return run


def test_what_can_be_read_now_is_read_by_itself(upgrade, settings):
    settings.REPORT_MAX_MEGABYTES = 0
    rejected, junk = take_in(zipped(text()), b"junk")
    assert rejected.outcome == Outcome.REJECTED
    settings.REPORT_MAX_MEGABYTES = 20
    assert reread() == 0
    upgrade()

    tasks.process_receipts()

    rejected.refresh_from_db()
    junk.refresh_from_db()
    assert (rejected.outcome, rejected.code) == (Outcome.ACCEPTED, "")
    assert (junk.outcome, junk.code) == (Outcome.REJECTED, "unpack.unrecognised")
    assert Report.objects.count() == 1
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["read after an upgrade"]
    assert reread_module._put_back() == []


def test_what_was_held_back_waits_for_a_person(upgrade, settings):
    settings.REPORT_TRUST = "signed-only"
    [receipt] = take_in(text())
    upgrade()

    assert reread() == 0
    assert Receipt.objects.get().processed_at == receipt.processed_at


def test_an_intake_counts_what_is_read_again_once(upgrade, settings):
    settings.REPORT_MAX_MEGABYTES = 0
    intake = Intake.objects.create(name="all")
    accept(zipped(text()), Provenance(channel=Channel.HTTPS, intake_id=intake.pk))
    process()
    settings.REPORT_MAX_MEGABYTES = 20
    upgrade()

    reread()

    intake.refresh_from_db()
    assert (intake.received, intake.accepted, intake.rejected) == (1, 1, 0)
