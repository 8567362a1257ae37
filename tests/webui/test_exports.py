import io
from datetime import date, datetime, timedelta, timezone

import openpyxl
import pytest
import tablib
from django.urls import reverse
from django.utils.timezone import now

from accounts.roles import Role
from reports.services.roll_up import roll_up
from tests.factories import make_domain, make_incident, make_member, make_report
from webui import lists
from webui.exports import Format, file_response, neutralise
from webui.wording import failure_rate, share


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\uff1dcmd"],
)
def test_a_text_that_a_spreadsheet_would_run_is_quoted(text):
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("value", [0, -3, 2.5, True, "example.com", "a=b", ""])
def test_other_values_stay_as_they_are(value):
    assert neutralise(value) == value


def test_a_csv_file_holds_the_rows_in_order():
    response = file_response(Format.CSV, "domains", ["a", "b"], [["=1", 2], ["x", None]])

    assert response.content.decode().splitlines() == ["a,b", "'=1,2", "x,"]
    assert response["Content-Disposition"] == 'attachment; filename="domains.csv"'


def test_an_xlsx_file_keeps_numbers_as_numbers():
    response = file_response(Format.XLSX, "domains", ["a", "b"], [["=1", 2]])

    rows = tablib.Dataset().load(io.BytesIO(response.content), format="xlsx")
    assert rows[0] == ("'=1", 2)


def cells(*values):
    """Give one row of an XLSX file."""
    response = file_response(Format.XLSX, "f", ["a"] * len(values), [values])
    _, row = openpyxl.load_workbook(io.BytesIO(response.content)).active.iter_rows()
    return row


def csv_line(*values):
    response = file_response(Format.CSV, "f", ["a"] * len(values), [values])
    return response.content.decode().splitlines()[1]


def test_shares_are_numbers_that_a_spreadsheet_adds_up():
    row = cells(failure_rate(778, 10_000), failure_rate(1, 32_000), share(1, 3), failure_rate(0, 0))

    assert [cell.value for cell in row] == [0.0778, 1 / 32_000, 1 / 3, None]
    assert [cell.number_format for cell in row[:3]] == ["0.00%"] * 3


def test_shares_in_csv_are_as_spreadsheets_take_them():
    rates = [failure_rate(*one) for one in ((778, 10_000), (1, 32_000), (0, 9), (9, 9), (0, 0))]

    assert csv_line(*rates, share(1, 3)) == "7.78%,0.0031%,0.00%,100.00%,,33.33%"


def test_days_and_moments_are_no_texts():
    zone = timezone(timedelta(hours=2))
    moment = datetime(2026, 11, 28, 1, 30, 5, 999, tzinfo=zone)
    row = cells(date(2026, 11, 28), moment, "2026-11-28", "2026-11-28 09:30", "2026-02-31")

    assert [str(cell.value) for cell in row] == [
        "2026-11-28 00:00:00",
        "2026-11-27 23:30:05",
        "2026-11-28 00:00:00",
        "2026-11-28 09:30:00",
        "2026-02-31",
    ]
    assert [cell.is_date for cell in row] == [True] * 4 + [False]
    assert row[0].number_format == "yyyy-mm-dd"
    assert csv_line(date(2026, 11, 28), moment) == "2026-11-28,2026-11-27 23:30:05"


def test_what_xml_cannot_hold_stops_no_file():
    assert [cell.value for cell in cells("a\x0bb", "=1")] == ["a\ufffdb", "'=1"]


@pytest.mark.django_db
def test_a_file_has_what_belongs_to_every_row_however_many_there_are(client, monkeypatch):
    monkeypatch.setattr(lists, "EXPORT_BATCH", 2)
    client.force_login(make_member(None, Role.VIEWER))
    yesterday = now().date() - timedelta(days=1)
    for at in range(5):
        make_report(make_domain(f"d{at}.example"), yesterday)
    roll_up()

    answer = client.get(reverse("domains:list"), {"export": "csv"})

    _, *rows = answer.content.decode().splitlines()
    assert [row.count(yesterday.isoformat()) for row in rows] == [1] * 5


@pytest.mark.django_db
@pytest.mark.parametrize("sort", ["", "severity", "-severity", "since_on"])
def test_a_file_has_the_order_of_the_screen(client, sort):
    client.force_login(make_member(None, Role.VIEWER))
    for at, severity in enumerate(("low", "critical", "medium", "high", "low")):
        since_on = now().date() - timedelta(days=at * 3 % 5)
        make_incident(title=f"No. {at}", severity=severity, since_on=since_on)
    query = {"sort": sort} if sort else {}

    page = client.get(reverse("alerts:incidents"), query)
    answer = client.get(reverse("alerts:incidents"), query | {"export": "csv"})

    shown = [row.record.title for row in page.context["table"].paginated_rows]
    _, *rows = answer.content.decode().splitlines()
    assert [row.split(",")[0] for row in rows] == shown
