"""What of an incident those may read who see the domains of some teams only."""

from datetime import timedelta
from importlib import import_module
from time import monotonic

import pytest
from django.apps import apps
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from accounts.services.tokens import create_token
from alerts.lifecycle import Event
from alerts.messages import digest_message, incident_message
from alerts.readers import EVERYTHING, Reader, reader_of, see
from alerts.services import deliver
from alerts.services.incidents import step
from alerts.services.picture import Picture, failure_sentences
from domains.models import Domain
from domains.services.edit_domains import delete_domains
from reports.models import DailyFailures
from tests.factories import (
    TeamFactory,
    make_destination,
    make_domain,
    make_incident,
    make_member,
)

pytestmark = pytest.mark.django_db
ALL = "812 of 4,100 sessions failed (19.8\N{NO-BREAK SPACE}%) at 2 domains; reported by Google."
SOME = "Sessions failed at 2 domains; reported by Google."


@pytest.fixture
def ours():
    return TeamFactory(name="Ours")


@pytest.fixture
def theirs():
    return TeamFactory(name="Theirs")


@pytest.fixture
def incident(ours, theirs):
    """Give an incident at a domain of each team, whose texts tell of both."""
    found = make_incident(
        make_domain("mine.example", ours, owner="anna@corp.example"),
        make_domain("other.example", theirs, owner="ben@corp.example"),
        title="Certificate expired at other.example",
        receiving_mx=["mx1.hoster.example", "mx.other.example"],
    )
    step(found, Event.WORSEN, ALL, SOME, tell=False)
    step(found, Event.COMMENT, "No longer part of it: mine.example and other.example.", tell=False)
    return found


@pytest.fixture
def member(ours):
    return make_member(ours, Role.ANALYST)


def failed(domain, host):
    DailyFailures.objects.create(
        domain=domain,
        day=timezone.now().date() - timedelta(days=2),
        result_type="certificate-expired",
        receiving_mx=host,
        reporter="Google Inc.",
        failed_sessions=3,
        counted_failed_sessions=3,
    )


def read(reader, text, incident):
    event = step(incident, Event.COMMENT, text, tell=False)
    (found,) = see(reader, incident).texts([event])
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ended at other.example.", "Ended at a domain of another team."),
        ("Ended at OTHER.example.", "Ended at a domain of another team."),
        ("Ended at bücher.example.", "Ended at a domain of another team."),
        ("Ended at straße.example.", "Ended at a domain of another team."),
        ("Ended at mine.example.", "Ended at mine.example."),
        ("Ended at not-ours.test.", "Ended at not-ours.test."),
        (
            "Out: a.example, mine.example, other.example and xn--bcher-kva.example.",
            "Out: a.example, mine.example, 2 domains of other teams.",
        ),
        (
            "The policy does not cover the MX host mx.other.example and others.",
            "The policy does not cover an MX host of another team and others.",
        ),
        ("mta-sts.other.example has none", "A host of another team has none"),
        ("mx1.mine.example has none", "mx1.mine.example has none"),
    ],
)
def test_names_of_others_are_taken_out_of_what_the_portal_wrote(
    incident, theirs, member, text, expected
):
    make_domain("xn--bcher-kva.example", theirs)
    make_domain("xn--strae-oqa.example", theirs)

    assert read(reader_of(member), text, incident) == expected
    assert read(EVERYTHING, text, incident) == text


def test_the_host_that_is_the_cause_everywhere_is_named(incident, member):
    incident.evidence = {"params": {"mx": "mx.other.example"}, "differing": []}

    assert "mx.other.example" in read(reader_of(member), "Not covered: mx.other.example", incident)

    incident.evidence["differing"] = ["mx"]
    assert read(reader_of(member), "Not covered: mx.other.example", incident) == (
        "Not covered: a host of another team"
    )


def test_what_a_person_wrote_stays_as_it_is(incident, member):
    event = step(incident, Event.COMMENT, "As at other.example.", user=member, tell=False)

    assert see(reader_of(member), incident).texts([event]) == ["As at other.example."]


def test_sessions_of_all_teams_are_told_to_those_who_see_all_domains(incident, ours, member):
    event = incident.events.get(text=ALL)

    assert see(reader_of(member), incident).texts([event]) == [SOME]
    assert see(EVERYTHING, incident).texts([event]) == [ALL]

    incident.incident_domains.filter(domain__name="other.example").delete()
    assert see(reader_of(member), incident).texts([event]) == [ALL]


def test_a_picture_is_told_with_and_without_numbers(ours):
    now = timezone.now()
    picture = Picture(
        key="x",
        title="",
        sentence="",
        severity="high",
        since_on=now.date(),
        last_on=now.date(),
        domains={},
        reporters=("Google Inc.",),
        failed_sessions=3,
        sessions=10,
    )
    with_numbers, without = failure_sentences(picture)

    assert with_numbers.startswith("3 of 10 sessions failed (30.0\N{NO-BREAK SPACE}%) at 0 domains")
    assert not any(number in without for number in ("3 of", "10 sessions", "30.0"))


def test_the_page_names_no_domain_and_no_host_of_others(client, incident, member):
    failed(incident.incident_domains.get(domain__name="mine.example").domain, "mx1.hoster.example")
    client.force_login(member)

    text = client.get(reverse("alerts:incident", args=[incident.pk])).content.decode()

    assert "other.example" not in text
    assert "812" not in text
    assert "Certificate expired at a domain of another team" in text
    assert "No longer part of it: mine.example and a domain of another team." in text
    assert SOME in text
    assert "mx1.hoster.example" in text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/incidents/",
        "/incidents/?export=csv",
        "/domains/mine.example/",
        "/reports/?incident={}",
    ],
)
def test_no_list_names_a_domain_of_others_in_a_title(client, incident, member, path):
    client.force_login(member)

    answer = client.get(path.format(incident.pk))

    text = b"".join(answer).decode()
    assert answer.status_code == 200
    assert "other.example" not in text
    assert "Certificate expired at a domain of another team" in text


def test_the_api_tells_the_same_as_the_page(client, incident, member):
    _, secret = create_token(member, "script")
    call = {"headers": {"Authorization": f"Bearer {secret}"}}

    one = client.get(f"/api/v1/incidents/{incident.pk}", **call)
    many = client.get("/api/v1/incidents", **call)

    for answer in (one, many):
        assert answer.status_code == 200
        assert "other.example" not in answer.content.decode()
    assert one.json()["title"] == "Certificate expired at a domain of another team"
    assert [event["text"] for event in one.json()["events"]][1] == SOME
    assert many.json()["items"][0]["title"] == one.json()["title"]
    assert many.json()["count"] == 1


def test_a_team_and_an_owner_are_told_of_domains_of_theirs(incident, ours):
    event = incident.events.get(text=ALL)
    team, all_teams = make_destination("Ours", ours), make_destination("All")
    for destination in (team, all_teams):
        incident.notifications.create(event=event, destination=destination)
    incident.notifications.create(event=event, email="anna@corp.example")

    deliver.deliver_due()

    to_team, to_all, to_owner = mail.outbox
    for sent in (to_team, to_owner):
        text = f"{sent.subject} {sent.body} {sent.alternatives[0].content}"
        assert "other.example" not in text
        assert "Theirs" not in text
        assert "812" not in text
        assert "400 of 2,000 sessions failed at 1 of 2 domains" in sent.body
        assert SOME in sent.body
        assert sent.subject == "Worse: [high] Certificate expired at a domain of another team"
    assert "812 of 4,100 sessions failed at 2 domains" in to_all.body
    assert "- other.example (Theirs)" in to_all.body


def test_a_webhook_of_a_team_is_told_of_domains_of_theirs(incident, ours):
    event = incident.events.get(text=ALL)
    reader = Reader(ours.domains.all())

    told = incident_message(incident, event, "x", reader).payload
    digest = digest_message([(incident, event)], "x", reader)

    assert "other.example" not in str(told)
    assert told["text"] == SOME
    assert told["incident"]["domains"] == ["mine.example"]
    assert (told["incident"]["failed_sessions"], told["incident"]["sessions"]) == (400, 2000)
    assert told["incident"]["teams"] == ["Ours"]
    assert "other.example" not in f"{digest.payload}{digest.text}{digest.html}"


def test_older_texts_are_given_one_without_numbers(incident):
    fill = import_module("alerts.migrations.0010_older_texts_for_some").fill
    incident.events.update(text_for_some="")

    fill(apps, None)

    assert incident.events.get(text=ALL).text_for_some == SOME
    assert incident.events.exclude(text=ALL).filter(text_for_some="").count() == 2


@pytest.mark.parametrize(
    ("text", "is_found"), [("other.ex", False), ("MINE", True), ("expired", True), ("nope", False)]
)
def test_searching_does_not_find_out_what_others_names_are(
    client, incident, member, text, is_found
):
    client.force_login(member)

    page = client.get(reverse("alerts:incidents"), {"q": text})

    assert [row.record for row in page.context["table"].rows] == [incident] * is_found


def test_names_of_domains_that_are_gone_are_told_to_whose_they_were(incident, ours, theirs, member):
    make_domain("gone.example", theirs)
    make_domain("sold.example", ours)
    make_domain("back.example", theirs)
    root = make_member(None, Role.MANAGER)
    names = ["gone.example", "sold.example", "back.example"]
    delete_domains(Domain.objects.filter(name__in=names), root)
    make_domain("back.example", ours)
    text = "At gone.example, mx1.gone.example, sold.example, back.example, new.test."

    for reader in (reader_of(member), Reader(Domain.objects.filter(team=ours), [ours])):
        assert read(reader, text, incident) == (
            "At a domain of another team, a host of another team, sold.example, back.example, "
            "new.test."
        )
    assert read(EVERYTHING, text, incident) == text


def test_the_title_of_an_incident_hides_domains_that_are_gone(client, incident, member):
    root = make_member(None, Role.MANAGER)
    delete_domains(Domain.objects.filter(name="other.example"), root)
    client.force_login(member)

    pages = [
        client.get(reverse("alerts:incidents")).content.decode(),
        client.get(incident.get_absolute_url()).content.decode(),
    ]

    for page in pages:
        assert "other.example" not in page
        assert "Certificate expired at a domain of another team" in page


def test_a_long_word_is_read_at_once(incident, member):
    text = "x" * 200_000 + " at other.example"
    started = monotonic()

    assert read(reader_of(member), text, incident).endswith(" at a domain of another team")
    assert monotonic() - started < 5
