"""Rows inserted past the ORM are the rows the ORM reads."""

from __future__ import annotations

import datetime as dt

import pytest

from reports.bulk import give_ids, insert_rows
from reports.models import Channel, Outcome, RawReport, Receipt

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 3, 10, 12, 30, 0, 123456, tzinfo=dt.UTC)


def raw(number: int) -> RawReport:
    return RawReport(sha256=f"{number:064d}", body=b"\0\xff", size_bytes=2, received_at=AT)


def test_values_of_every_type_come_back_as_they_were():
    stored = [raw(1)]
    give_ids(stored)
    insert_rows(stored)
    receipt = Receipt(
        raw=stored[0], channel=Channel.SMTP, received_at=AT, params={"a": [1, "ä"]}, file_name="%s"
    )
    insert_rows([receipt])

    read = Receipt.objects.get()
    assert (read.channel, read.outcome) == (Channel.SMTP, Outcome.PENDING)
    assert (read.received_at, read.params, read.file_name) == (AT, {"a": [1, "ä"]}, "%s")
    assert bytes(read.raw.body) == b"\0\xff"


def test_reserved_keys_are_not_given_again():
    first, second = [raw(1), raw(2)], [raw(3)]
    give_ids(first)
    insert_rows(first)
    give_ids(second)
    insert_rows(second)
    ordinary = raw(4)
    ordinary.save()

    assert len({row.pk for row in (*first, *second, ordinary)}) == 4


def test_a_row_that_is_there_already_is_left_out():
    insert_rows([raw(1)])
    insert_rows([raw(1), raw(2)], ignore_conflicts=True)

    assert RawReport.objects.count() == 2


def test_no_rows_are_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        give_ids([])
        insert_rows([])
