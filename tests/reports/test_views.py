import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from reports.models import Channel, PolicyResult, Receipt
from tests.factories import TeamFactory, make_domain, make_member, make_report

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 1)


@pytest.fixture
def team():
    return TeamFactory()


@pytest.fixture
def analyst(client, team):
    user = make_member(team, Role.ANALYST)
    client.force_login(user)
    return user


def listed(client, **query):
    table = client.get(reverse("reports:list"), query).context["table"]
    return {row.record.report_id for row in table.rows}


def test_the_list_shows_reports_on_ones_own_domains(client, team, analyst):
    make_report(make_domain("ours.example", team), DAY)
    make_report(make_domain("theirs.example", TeamFactory()), DAY)
    make_report(None, DAY, policy_domain="nobodys.example")

    assert listed(client) == {"2026-11-01.ours.example"}


def test_the_filters_narrow_the_list(client, team, analyst):
    ours = make_domain("ours.example", team)
    make_report(ours, DAY, "Google Inc.", failures=3)
    make_report(ours, date(2026, 11, 2), "Comcast")

    failed, clean = {"2026-11-01.ours.example"}, {"2026-11-02.ours.example"}
    assert listed(client, q="goog") == failed
    assert listed(client, content="failures") == failed
    assert listed(client, cause="certificate-expired") == failed
    assert listed(client, reporter="Comcast") == clean
    assert listed(client, day="2026-11-02") == clean
    assert listed(client, since="2026-11-02") == clean
    assert listed(client, until="2026-11-01") == failed
    assert listed(client, domain="OURS.example") == failed | clean
    assert listed(client, domain="other.example") == set()


def test_failures_of_other_teams_do_not_bring_a_report_into_the_list(client, team, analyst):
    report = make_report(make_domain("ours.example", team), DAY)
    theirs = make_report(make_domain("theirs.example", TeamFactory()), DAY, failures=3)
    theirs.results.update(report=report, position=1)

    assert listed(client) == {report.report_id}
    assert listed(client, content="failures") == set()


def test_the_list_is_ordered_and_paged(client, team, analyst):
    ours = make_domain("ours.example", team)
    for day in range(1, 29):
        for reporter in ("Comcast", "Google Inc."):
            make_report(ours, date(2026, 10, day), reporter)

    first = client.get(reverse("reports:list")).context["table"]
    second = client.get(reverse("reports:list"), {"page": 2}).context["table"]
    by_name = client.get(reverse("reports:list"), {"sort": "reporter"}).context["table"]

    days = [row.record.day.day for row in (*first.paginated_rows, *second.paginated_rows)]
    assert days == [day for day in range(28, 0, -1) for _ in range(2)]
    assert first.paginator.count == 56
    names = [row.record.reporter for row in by_name.paginated_rows]
    assert names == ["Comcast"] * 28 + ["Google Inc."] * 22


def test_an_administrator_sees_reports_without_any_result(client):
    make_report(make_domain("ours.example"), DAY).results.all().delete()
    client.force_login(make_member(None, Role.VIEWER))

    assert listed(client) == {"2026-11-01.ours.example"}
    assert listed(client, domain="ours.example") == set()


def test_a_report_hides_what_it_says_of_other_teams(client, team, analyst):
    report = make_report(make_domain("ours.example", team), DAY)
    theirs = make_domain("theirs.example", TeamFactory())
    PolicyResult.objects.create(
        report=report,
        position=1,
        policy_type="sts",
        policy_domain=theirs.name,
        domain=theirs,
        day=DAY,
        reporter="Google Inc.",
        successes=7,
        failures=0,
        is_counted=True,
    )

    page = client.get(report.get_absolute_url())

    assert page.context["sessions"] == 90
    assert "theirs.example" not in page.content.decode()
    assert client.get(reverse("reports:json", args=[report.pk])).status_code == 403


def test_the_whole_document_can_be_had_by_those_who_see_all_of_it(client, team, analyst):
    report = make_report(make_domain("ours.example", team), DAY)

    response = client.get(reverse("reports:json", args=[report.pk]))

    assert response.content == report.json_text


def test_a_stranger_does_not_learn_that_a_report_exists(client, team):
    report = make_report(make_domain("ours.example", team), DAY)
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    assert client.get(report.get_absolute_url()).status_code == 404
    assert client.get(reverse("reports:json", args=[report.pk])).status_code == 404


def test_an_uploaded_file_enters_by_the_same_door_as_all(client, analyst):
    file = SimpleUploadedFile("report.json", b'{"organization-name": "x"}')

    client.post(reverse("reports:upload"), {"file": file})

    receipt = Receipt.objects.get()
    assert (receipt.channel, receipt.uploaded_by) == (Channel.UPLOAD, analyst)
    assert receipt.raw.content == b'{"organization-name": "x"}'


def test_a_file_over_the_limit_is_refused(client, analyst, settings):
    settings.INTAKE_MAX_MEGABYTES = 0
    file = SimpleUploadedFile("report.json", b"{}")

    response = client.post(reverse("reports:upload"), {"file": file})

    assert "the limit is" in response.content.decode()
    assert not Receipt.objects.exists()


def test_a_viewer_cannot_upload(client, team):
    client.force_login(make_member(team, Role.VIEWER))

    assert client.get(reverse("reports:upload")).status_code == 403


@pytest.mark.parametrize(
    ("role", "name", "is_offered"),
    [
        (Role.MANAGER, "stray.example", True),
        (Role.MANAGER, "no domain", False),
        (Role.ANALYST, "stray.example", False),
    ],
    ids=["a domain", "no domain", "no manager"],
)
def test_a_domain_that_is_not_in_the_inventory_can_be_added(client, role, name, is_offered):
    client.force_login(make_member(None, role))
    report = make_report(None, date(2026, 11, 20), policy_domain=name)

    text = client.get(report.get_absolute_url()).content.decode()
    found = re.search(r'href="([^"]*text=[^"]*)"', text)

    assert "Not in the inventory" in text
    assert (found is not None) is is_offered
    if found:
        form = client.get(found[1]).context["form"]
        assert form["text"].value() == name


def test_reported_names_stand_as_people_read_them(client):
    client.force_login(make_member(None, Role.MANAGER))
    report = make_report(None, date(2026, 11, 20), policy_domain="xn--mller-kva.example")

    pages = [reverse("inbox:unmanaged"), reverse("reports:list"), report.get_absolute_url()]

    for page in pages:
        assert "müller.example" in client.get(page).content.decode()


def test_files_of_the_list_hold_no_markup(client, team, analyst):
    report = make_report(make_domain("ours.example", team), DAY)

    answer = client.get(reverse("reports:list"), {"export": "csv"})

    text = answer.getvalue().decode()
    assert "<" not in text
    assert f"{report.received_at:%Y-%m-%d %H:%M:%S}" in text
