"""The front door."""

from __future__ import annotations

import pytest

from reports.models import Channel, Outcome, RawReport, Receipt
from reports.services.accept import Provenance, accept
from tests.mailtls.samples import text

pytestmark = pytest.mark.django_db


def test_what_arrives_is_stored_as_it_was():
    receipt = accept(text(), Provenance(channel=Channel.HTTPS, sender="192.0.2.1"))

    assert receipt.raw.content == text()
    assert receipt.raw.size_bytes == len(text())
    assert (receipt.outcome, receipt.sender) == (Outcome.PENDING, "192.0.2.1")


def test_the_same_bytes_twice_are_kept_once_with_two_receipts():
    accept(text(), Provenance(channel=Channel.HTTPS))
    accept(text(), Provenance(channel=Channel.SMTP))

    assert RawReport.objects.count() == 1
    assert Receipt.objects.count() == 2


def test_names_from_outside_are_made_storable():
    provenance = Provenance(channel=Channel.SMTP, sender="a\0\udcffb", file_name="x" * 900)

    receipt = accept(b"\0\xff", provenance)

    assert (receipt.sender, len(receipt.file_name)) == ("ab", 500)
    assert RawReport.objects.get().content == b"\0\xff"
