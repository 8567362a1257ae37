import csv
import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from alerts.lifecycle import State
from alerts.models import Incident, IncidentDomain, Rule, RuleKind
from alerts.services import handle
from tests.factories import (
    TeamFactory,
    UserFactory,
    make_destination,
    make_domain,
    make_incident,
    make_member,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return TeamFactory()


@pytest.fixture
def incident(team):
    return make_incident(make_domain("ours.example", team))


@pytest.fixture
def analyst(client, team):
    user = make_member(team, Role.ANALYST)
    client.force_login(user)
    return user


def post(client, incident, deed, **values):
    return client.post(reverse("alerts:act", args=[incident.pk, deed]), values)


def test_the_list_shows_what_is_not_over(client, incident, analyst):
    make_incident(title="Long gone", state=State.RESOLVED)
    over = make_incident(
        *[row.domain for row in incident.incident_domains.all()],
        title="It was the cable",
        state=State.RESOLVED,
    )

    text = client.get(reverse("alerts:incidents")).content.decode()
    assert incident.title in text
    assert over.title not in text

    text = client.get(reverse("alerts:incidents"), {"state": "any"}).content.decode()
    assert over.title in text
    assert "Long gone" not in text


def test_the_worst_come_first(client, team, analyst):
    domain = make_domain("ours.example", team)
    for severity in ("low", "critical", "medium", "high"):
        make_incident(domain, severity=severity, title=f"a {severity} one")

    page = client.get(reverse("alerts:incidents"))

    order = [row.record.severity for row in page.context["table"].rows]
    assert order == ["critical", "high", "medium", "low"]


def test_a_member_sees_the_sessions_of_their_own_domains_only(client, incident, analyst):
    theirs = make_domain("theirs.example", TeamFactory())
    IncidentDomain.objects.filter(incident=incident).update(failed_sessions=12, sessions=100)
    IncidentDomain.objects.create(
        incident=incident,
        domain=theirs,
        first_on=incident.since_on,
        last_on=incident.last_seen_on,
        failed_sessions=800,
        sessions=4000,
    )

    page = client.get(incident.get_absolute_url())
    [row] = client.get(reverse("alerts:incidents")).context["table"].paginated_rows
    saved = client.get(reverse("alerts:incidents"), {"export": "csv"}).content.decode()
    needs = client.get(reverse("overview")).context["attention"]

    assert (page.context["incident"].seen_failed, page.context["incident"].seen_sessions) == (
        12,
        100,
    )
    assert "812" not in page.content.decode()
    assert "12 <span" in row.get_cell("failed_sessions")
    assert ",12," in saved
    assert any(need.detail.startswith("12.0\xa0% of 100 sessions") for need in needs)
    client.force_login(make_member(None, Role.VIEWER))
    assert client.get(incident.get_absolute_url()).context["incident"].seen_failed == 812


def test_the_incidents_of_a_rule_are_those_it_counts(client, incident, analyst):
    client.force_login(UserFactory(is_superuser=True))
    make_incident(make_domain("more.example"), state=State.RESOLVED)
    make_incident(make_domain("part.example"), part_of=incident)
    other = Rule.objects.create(name="Other", kind=RuleKind.SILENCE)
    Incident.objects.create(
        rule=other,
        cause_key="x",
        severity="low",
        since_on=incident.since_on,
        last_seen_on=incident.since_on,
    )
    href = f"{reverse('alerts:incidents')}?rule={incident.rule_id}&state=any"

    for page in (
        client.get(reverse("settings:rules")),
        client.get(reverse("settings:rule", args=[incident.rule_id])),
    ):
        text = page.content.decode()
        assert f'<a href="{href.replace("&", "&amp;")}">2 incidents</a>' in text
    assert client.get(href).context["table"].paginator.count == 2


def test_a_rule_of_another_team_is_no_choice(client, incident, analyst):
    theirs = Rule.objects.create(name="Theirs", kind=RuleKind.SILENCE, team=TeamFactory())

    text = client.get(reverse("alerts:incidents")).content.decode()

    assert incident.rule.name in text
    assert theirs.name not in text


def test_taking_an_incident_makes_one_its_owner(client, incident, analyst):
    post(client, incident, "acknowledge")

    incident.refresh_from_db()
    assert (incident.state, incident.assignee) == (State.ACKNOWLEDGED, analyst)


def test_muting_lasts_until_the_end_of_the_chosen_day(client, incident, analyst):
    until = (timezone.now() + timedelta(days=3)).date()

    post(client, incident, "mute", until=until.isoformat(), text="the hoster knows")

    incident.refresh_from_db()
    assert incident.state == State.MUTED
    assert incident.quiet_until.date() == until


@pytest.mark.parametrize(
    ("deed", "days", "state", "said"),
    [
        ("mute", 90, State.MUTED, "Muted."),
        ("mute", 91, State.OPEN, "At most 90 days: until"),
        ("accept", 731, State.ACCEPTED, "The risk is accepted"),
        ("accept", 732, State.OPEN, "At most two years: until"),
        ("mute", -1, State.OPEN, "The end lies in the past."),
    ],
)
def test_nothing_is_laid_aside_for_longer_than_it_is_remembered(
    client, incident, analyst, deed, days, state, said
):
    until = (timezone.now() + timedelta(days=days)).date()

    response = post(client, incident, deed, until=until.isoformat(), text="moves soon")

    incident.refresh_from_db()
    assert incident.state == state
    assert said in client.get(response["Location"]).content.decode()


def test_the_page_offers_no_end_that_is_refused(client, incident, analyst):
    text = client.get(incident.get_absolute_url()).content.decode()

    for days in (90, 731):
        last_on = timezone.now().date() + timedelta(days=days)
        assert f'max="{last_on.isoformat()}"' in text


def test_a_risk_is_not_accepted_without_a_reason(client, incident, analyst):
    until = (timezone.now() + timedelta(days=90)).date().isoformat()

    post(client, incident, "accept", until=until, text="")
    incident.refresh_from_db()
    assert incident.state == State.OPEN

    post(client, incident, "accept", until=until, text="legacy relay, replaced in spring")
    incident.refresh_from_db()
    assert incident.state == State.ACCEPTED


def test_resolving_and_commenting_stand_on_the_timeline(client, incident, analyst):
    post(client, incident, "comment", text="asked the hoster")
    post(client, incident, "resolve", text="certificate renewed")

    text = client.get(incident.get_absolute_url()).content.decode()
    assert "asked the hoster" in text
    assert "certificate renewed" in text


def test_what_is_too_long_for_the_timeline_is_refused_whole(client, incident, analyst):
    post(client, incident, "acknowledge", text="x" * 5_001)

    page = client.get(incident.get_absolute_url()).content.decode()
    assert "5,001 characters; at most 5,000 may be." in page
    assert incident.events.filter(event="acknowledge").count() == 0


def test_what_cannot_happen_is_refused_in_words(client, incident, analyst):
    post(client, incident, "resolve")

    until = (timezone.now() + timedelta(days=3)).date()
    response = post(client, incident, "mute", until=until.isoformat())

    text = client.get(response["Location"]).content.decode()
    assert "The incident is resolved, so it cannot be muted." in text


def test_a_viewer_sees_an_incident_and_cannot_act(client, incident, team):
    client.force_login(make_member(team, Role.VIEWER))

    assert client.get(incident.get_absolute_url()).context["may_handle"] is False
    assert post(client, incident, "acknowledge").status_code == 403


def test_a_stranger_does_not_learn_that_an_incident_exists(client, incident):
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    assert client.get(incident.get_absolute_url()).status_code == 404
    assert post(client, incident, "acknowledge").status_code == 404


def test_the_page_names_only_the_domains_one_may_see(client, team, analyst):
    theirs = make_domain("theirs.example", TeamFactory())
    incident = make_incident(make_domain("ours.example", team), theirs)

    text = client.get(incident.get_absolute_url()).content.decode()

    assert "ours.example" in text
    assert "theirs.example" not in text


def test_the_list_counts_the_domains_one_may_see(client, team, analyst):
    theirs = make_domain("theirs.example", TeamFactory())
    incident = make_incident(make_domain("ours.example", team), theirs)

    table = client.get(reverse("alerts:incidents")).context["table"]

    [row] = table.rows
    assert f'<a href="{incident.get_absolute_url()}#domains">1</a>' in row.get_cell("domains")


def test_the_list_names_the_team_of_an_incident(client, team, analyst):
    client.force_login(UserFactory(is_superuser=True))
    ours, theirs = make_domain("ours.example", team), make_domain("theirs.example", TeamFactory())
    make_incident(ours, title="The same")
    make_incident(theirs, title="The same")
    make_incident(ours, theirs, title="Both")
    make_incident(make_domain("a.example"), title="Nobody's")

    rows = client.get(reverse("alerts:incidents")).context["table"].paginated_rows
    shown = sorted((row.record.title, row.get_cell("teams")) for row in rows)

    assert shown == [
        ("Both", "2 teams"),
        ("Nobody's", "–"),
        *sorted(("The same", one.name) for one in (team, theirs.team)),
    ]
    client.force_login(analyst)
    rows = client.get(reverse("alerts:incidents")).context["table"].paginated_rows
    assert {row.get_cell("teams") for row in rows} == {team.name}


def test_small_numbers_of_a_rule_are_shown_with_their_zeros(client):
    client.force_login(make_member(None, Role.MANAGER))

    page = client.get(reverse("settings:add_rule"), {"kind": "regression"})

    text = page.content.decode()
    assert 'value="0.001"' in text
    assert "e-05" not in text


def test_of_what_others_were_told_a_member_sees_how_many_messages(client):
    ours, theirs = TeamFactory(name="Ours"), TeamFactory(name="Theirs")
    incident = make_incident(
        make_domain("a.example", ours, owner="anna@corp.example"),
        make_domain("b.example", theirs, owner="ben@corp.example"),
    )
    event = incident.events.get()
    for team in (ours, theirs, None):
        name = f"Channel of {team}"
        incident.notifications.create(event=event, destination=make_destination(name, team))
    for owner in ("anna@corp.example", "ben@corp.example"):
        incident.notifications.create(event=event, email=owner)

    def page_of(user):
        client.force_login(user)
        return client.get(reverse("alerts:incident", args=[incident.pk])).content.decode()

    mine = page_of(make_member(ours, Role.MANAGER))
    assert "Channel of Ours" in mine
    assert "anna@corp.example" in mine
    assert "Channel of Theirs" not in mine
    assert "ben@corp.example" not in mine
    assert "And 3 messages to others." in mine
    everything = page_of(make_member(None, Role.VIEWER))
    assert "ben@corp.example" in everything
    assert "Channel of None" in everything
    assert "to others" not in everything


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (RuleKind.POSTURE, "change.sts.broken", "with the next check that still sees it"),
        (RuleKind.POSTURE, "change.dane.removed", "it does not come back"),
        (RuleKind.REGRESSION, "", "with the figures of the next day if it is not over"),
    ],
)
def test_who_resolves_reads_when_it_comes_back(client, incident, analyst, kind, code, said):
    incident.rule = Rule.objects.create(name="Of this kind", kind=kind)
    incident.evidence = {"code": code}
    incident.save()

    assert said in client.get(incident.get_absolute_url()).content.decode()
    response = post(client, incident, "resolve")
    assert said in client.get(response["Location"]).content.decode()


@pytest.mark.parametrize("state", [State.MUTED, State.ACCEPTED, State.RESOLVED])
def test_what_was_laid_aside_is_opened_again_on_its_page(client, incident, analyst, state):
    until = (timezone.now() + timedelta(days=3)).date().isoformat()
    deed = {State.MUTED: "mute", State.ACCEPTED: "accept", State.RESOLVED: "resolve"}[state]
    post(client, incident, deed, until=until, text="for now")
    assert "Open it again" in client.get(incident.get_absolute_url()).content.decode()

    post(client, incident, "reopen", text="It goes on.")

    incident.refresh_from_db()
    assert (incident.state, incident.quiet_until, incident.resolved_at) == (State.OPEN, None, None)
    text = client.get(incident.get_absolute_url()).content.decode()
    assert "It goes on." in text
    assert "Open it again" not in text


def test_what_the_portal_resolved_offers_no_way_to_open_it(client, incident, analyst):
    Incident.objects.filter(pk=incident.pk).update(state=State.RESOLVED)
    incident.events.create(event="resolved", actor_name="the portal")

    assert "Open it again" not in client.get(incident.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("deed", "state"), [("mute", State.MUTED), ("accept", State.ACCEPTED)])
def test_a_mute_and_an_acceptance_are_given_another_end(client, incident, analyst, deed, state):
    for days in (3, 30):
        until = (timezone.now() + timedelta(days=days)).date()
        post(client, incident, deed, until=until.isoformat(), text="the hoster knows")

    incident.refresh_from_db()
    assert (incident.state, incident.quiet_until.date()) == (state, until)


def test_only_who_may_act_on_an_incident_is_given_it(client, incident, analyst, team):
    colleague = make_member(team, Role.MANAGER)
    everywhere = make_member(None, Role.ANALYST)
    root = UserFactory(is_superuser=True)
    barred = [
        make_member(team, Role.VIEWER),
        make_member(None, Role.VIEWER),
        make_member(TeamFactory(), Role.MANAGER),
        UserFactory(is_superuser=True, is_active=False),
    ]

    form = client.get(incident.get_absolute_url()).context["assign_form"]
    offered = form.fields["assignee"].queryset

    assert set(offered) == {analyst, colleague, everywhere, root}
    assert all(handle.may_handle(incident, one) for one in offered)
    for one in barred:
        post(client, incident, "assign", assignee=one.pk)
        with pytest.raises(ValidationError, match="role analyst"):
            handle.assign(incident, analyst, one)
    incident.refresh_from_db()
    assert incident.assignee is None


def test_who_has_an_incident_stays_named_without_the_role(client, incident, analyst, team):
    viewer = make_member(team, Role.VIEWER)
    Incident.objects.filter(pk=incident.pk).update(assignee=viewer)

    form = client.get(incident.get_absolute_url()).context["assign_form"]

    assert viewer in form.fields["assignee"].queryset
    assert form.initial["assignee"] == viewer


def test_the_file_says_what_the_list_shows_in_its_words(client, incident, analyst):
    until = timezone.now().date() + timedelta(days=30)
    post(client, incident, "accept", until=until.isoformat(), text="legacy")
    Incident.objects.filter(pk=incident.pk).update(due_at=timezone.now())

    answer = client.get(reverse("alerts:incidents"), {"export": "csv"})

    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    first_on, last_on = incident.since_on.isoformat(), incident.last_seen_on.isoformat()
    assert row == {
        "Incident": incident.title,
        "Severity": "High",
        "State": "Risk accepted",
        "Who has it": "",
        "Team": str(incident.incident_domains.get().domain.team),
        "Domains": "1",
        "Failed sessions": "400",
        "Since": first_on,
        "Due": "",
        "Last seen": last_on,
        "Until": until.isoformat(),
        "Sessions": "2000",
        "Rate": "20.00%",
        "First failing day": first_on,
        "Last failing day": last_on,
    }


def test_what_files_have_beside_the_list_is_no_column_to_choose(client, incident, analyst):
    text = client.get(reverse("alerts:incidents")).content.decode()

    assert "First failing day" not in text


def test_people_are_named_in_the_timeline_as_elsewhere(client, incident, analyst):
    analyst.name = "Lin Zhou"
    analyst.save()
    post(client, incident, "comment", text="asked the hoster")

    timeline = client.get(incident.get_absolute_url()).content.decode().partition("Timeline")[2]

    assert "by <bdi>Lin Zhou</bdi>" in timeline
    assert analyst.email not in timeline


def test_the_domain_tells_when_an_incident_ended(client, incident, analyst):
    domain = incident.incident_domains.get().domain

    def told():
        page = client.get(domain.get_absolute_url())
        return [moment.detail for moment in page.context["timeline"]]

    assert told() == ["Incident opened"]
    post(client, incident, "resolve")
    assert told() == ["Incident resolved", "Incident opened"]
    post(client, incident, "reopen")
    assert told() == ["Incident opened"]


def test_the_worst_needs_somebody_first_however_many_came_later(client):
    domain = make_domain("ours.example")
    worst = make_incident(domain, title="The worst", severity="critical")
    low = [make_incident(domain, title="Later", severity="low") for _ in range(60)]
    client.force_login(make_member(None, Role.VIEWER))

    needs = client.get(reverse("overview")).context["attention"]
    row = client.get(reverse("domains:list")).content.decode()

    assert needs[0].title == "The worst"
    assert needs[0].href == worst.get_absolute_url()
    assert 'title="The worst: Critical. Mail is refused."' in row
    Incident.objects.exclude(pk=low[0].pk).update(state=State.RESOLVED)
    row = client.get(reverse("domains:list")).content.decode()
    assert 'title="Low. To be tidied."' in row
