import logging

import pytest
from kombu.exceptions import OperationalError

from webui.background import nudge

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """What was sent, or what sending fails with."""
    calls = []

    def send_task(task, **options):
        calls.append(task)
        for error in failures:
            raise error

    failures = []
    monkeypatch.setattr("webui.background.current_app.send_task", send_task)
    return calls, failures


def test_a_worker_is_woken_after_the_commit(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        nudge("domains.tasks.dispatch_due_checks")
        assert sent[0] == []

    assert sent[0] == ["domains.tasks.dispatch_due_checks"]


@pytest.mark.parametrize("error", [OperationalError(), ConnectionRefusedError()])
def test_a_broker_that_is_away_fails_nobody(
    sent, error, caplog, django_capture_on_commit_callbacks
):
    sent[1].append(error)

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        nudge("domains.tasks.dispatch_due_checks")

    assert "the next tick does it" in caplog.text


def test_a_portal_that_has_not_run_yet_is_not_worth_a_line(
    sent, caplog, django_capture_on_commit_callbacks
):
    sent[1].append(FileNotFoundError())

    with caplog.at_level(logging.INFO), django_capture_on_commit_callbacks(execute=True):
        nudge("domains.tasks.dispatch_due_checks")

    assert caplog.text == ""
