import os
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from domains.models import CheckRun, Domain
from tlsrpt_portal import housekeeping

pytestmark = pytest.mark.django_db


def test_messages_of_the_file_queue_go_when_they_are_old(tmp_path):
    old, new = tmp_path / "old.msg", tmp_path / "new.msg"
    for file in (old, new):
        file.write_text("{}")
    os.utime(old, (0, 0))

    assert housekeeping.purge_processed(tmp_path) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["new.msg"]


def test_a_queue_that_does_not_exist_is_clean(tmp_path):
    assert housekeeping.purge_processed(tmp_path / "missing") == 0


def test_old_rows_go_and_new_ones_stay():
    now = timezone.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(days=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(days=1))
    domain = Domain.objects.create(name="a.example")
    for days in (1, 200):
        CheckRun.objects.create(
            domain=domain,
            checked_at=now - timedelta(days=days),
            took_ms=1,
            tlsrpt="valid",
            mta_sts="valid",
            mx="valid",
            dane="missing",
            starttls="not-checked",
        )

    removed = housekeeping.keep_house()

    assert (removed["sessions"], removed["check runs"]) == (1, 1)
    assert Session.objects.get().session_key == "new"
    assert CheckRun.objects.count() == 1
