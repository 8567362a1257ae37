"""The log while the database is away."""

from __future__ import annotations

import logging

import pytest
from django.db import DatabaseError, DataError, OperationalError

from reports.channels.outages import log_not_stored


def caused_by(cause: Exception) -> DatabaseError:
    error = DatabaseError("not stored")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "has_trace"),
    [
        (OperationalError("refused\n\tIs it running?"), False),
        (caused_by(OperationalError("refused\n\tIs it running?")), False),
        (DataError("too long"), True),
        (caused_by(DataError("too long")), True),
    ],
    ids=["away", "away for all", "a fault", "a fault in a batch"],
)
def test_an_outage_is_one_line_and_a_fault_has_its_trace(error, has_trace, caplog):
    with caplog.at_level(logging.ERROR):
        log_not_stored("a mail", error)

    [record] = caplog.records
    assert bool(record.exc_info) == has_trace
    assert "\n" not in record.getMessage()
    assert record.getMessage().startswith("a mail could not be stored")
