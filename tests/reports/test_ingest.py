"""`manage.py ingest`: the contract's JSON, and once however often it runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError

from reports.models import PolicyResult, Receipt, Report
from tests.mailtls.samples import mail, report, text, zipped
from tests.reports.arrivals import inventory, numbered

pytestmark = pytest.mark.django_db


def run(*paths: Path, **options: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    options.setdefault("processes", 1)
    call_command("ingest", *paths, json=True, stdout=out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def folder(tmp_path) -> Path:
    """One of each: a report, the same as a mail, a DMARC report, junk."""
    (tmp_path / "a.json").write_bytes(text())
    (tmp_path / "b.eml").write_bytes(mail(zipped(text())))
    (tmp_path / "c.xml").write_bytes(b"<feedback/>")
    (tmp_path / "d.json").write_bytes(b'{"policies": ')
    return tmp_path


def test_each_document_is_one_line_in_the_contracts_form(folder):
    accepted, duplicate, other, rejected, summary = run(folder)

    assert list(accepted) == [
        "file", "status", "code", "organization", "report_id", "start", "end", "trust",
        "warnings", "policies",
    ]  # fmt: skip
    assert accepted["file"] == str(folder / "a.json")
    assert (accepted["status"], accepted["code"]) == ("accepted", None)
    assert accepted["organization"] == "Example Sender"
    assert (accepted["start"], accepted["end"]) == ("2026-03-10T00:00:00Z", "2026-03-10T23:59:59Z")
    assert (accepted["trust"], accepted["warnings"]) == ("upload", [])
    assert accepted["policies"] == [
        {
            "type": "sts",
            "domain": "recipient.example",
            "successes": 40,
            "failures": 2,
            "failure_details": [{"result_type": "certificate-expired", "failed_sessions": 2}],
        }
    ]
    assert (duplicate["status"], duplicate["trust"]) == ("duplicate", "unsigned-mail")
    assert (other["status"], other["code"]) == ("not-a-report", "unpack.not-a-report")
    assert (rejected["status"], rejected["code"]) == ("rejected", "report.json.invalid")
    assert summary == {
        "summary": {"files": 4, "accepted": 1, "duplicates": 1, "rejected": 1, "not_reports": 1}
    }


def test_a_second_run_doubles_nothing(folder):
    run(folder)
    inventory("recipient.example")

    again = run(folder)

    assert again[-1]["summary"]["duplicates"] == 2
    assert Report.objects.count() == PolicyResult.objects.count() == 1


def test_a_dry_run_stores_nothing_and_says_the_same(folder):
    dry = run(folder, dry_run=True)

    assert not Receipt.objects.exists()
    assert dry == run(folder)
    assert run(folder, dry_run=True)[0]["status"] == "duplicate"


def test_other_processes_read_ahead_and_keep_the_order(tmp_path, monkeypatch):
    monkeypatch.setattr("reports.read_ahead._BATCH_ITEMS", 2)
    for number in range(7):
        (tmp_path / f"{number}.json").write_text(json.dumps(numbered(number)))

    lines = run(tmp_path, processes=2)

    assert [line["report_id"] for line in lines[:-1]] == [f"report-{n}" for n in range(7)]
    assert Report.objects.count() == 7


def test_absent_counts_are_null_and_unknown_types_stay_as_sent(tmp_path):
    entry = {"policy": {"policy-type": "Bogus"}, "failure-details": [{"result-type": "x"}]}
    (tmp_path / "a.json").write_text(json.dumps(report(policies=[entry])))

    [policy] = run(tmp_path)[0]["policies"]

    assert policy == {
        "type": "Bogus",
        "domain": None,
        "successes": None,
        "failures": None,
        "failure_details": [{"result_type": "x", "failed_sessions": None}],
    }


def test_a_path_that_is_not_there_is_a_bad_argument(tmp_path):
    with pytest.raises(CommandError) as caught:
        run(tmp_path / "nothing")

    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("no such table: reports_rawreport"),
        OperationalError("table reports_receipt has no column named is_released"),
        ProgrammingError('relation "reports_rawreport" does not exist\nLINE 1: SELECT'),
    ],
)
def test_a_database_behind_the_program_is_told_in_one_line(
    folder, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def fail(*_args: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr("reports.management.commands.ingest.ingest", fail)

    with pytest.raises(CommandError, match=r"\AStopped: [^\n]+ run `manage.py migrate`"):
        run(folder)


def test_a_reader_that_goes_away_ends_the_run_in_one_line(folder):
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(CommandError, match="nobody reads"):
        call_command("ingest", folder, json=True, processes=1, stdout=Closed())


def test_details_that_do_not_add_up_are_flagged_and_both_figures_stand(tmp_path):
    differing = json.loads(text())
    policy = differing["policies"][0]
    policy["summary"]["total-failure-session-count"] = 1
    policy["failure-details"] = [
        {"result-type": "certificate-expired", "failed-session-count": 1},
        {"result-type": "certificate-not-trusted", "failed-session-count": 1},
    ]
    (tmp_path / "a.json").write_text(json.dumps(differing))

    line, _ = run(tmp_path)

    assert "report.details.differ" in line["warnings"]
    assert line["policies"][0]["failures"] == 1
    assert [d["failed_sessions"] for d in line["policies"][0]["failure_details"]] == [1, 1]


def test_people_get_one_line_each_and_no_control_characters(tmp_path):
    (tmp_path / "a.json").write_bytes(text(organization_name="E\x1b[31mvil"))
    out = io.StringIO()

    call_command("ingest", tmp_path, processes=1, stdout=out)

    assert "\x1b" not in out.getvalue()
    assert "1 accepted" in out.getvalue()
