import io
from datetime import timedelta

import pytest
import tablib
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from reports.services.roll_up import roll_up
from tests.factories import make_domain, make_member, make_report
from webui import lists
from webui.exports import Format, file_response, neutralise


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


@pytest.mark.django_db
def test_a_file_has_what_belongs_to_every_row_however_many_there_are(client, monkeypatch):
    monkeypatch.setattr(lists, "EXPORT_BATCH", 2)
    client.force_login(make_member(None, Role.VIEWER))
    yesterday = timezone.now().date() - timedelta(days=1)
    for at in range(5):
        make_report(make_domain(f"d{at}.example"), yesterday)
    roll_up()

    answer = client.get(reverse("domains:list"), {"export": "csv"})

    _, *rows = answer.content.decode().splitlines()
    assert [row.count(yesterday.isoformat()) for row in rows] == [1] * 5
