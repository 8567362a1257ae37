"""What the page of failures does with filters that its grouping cannot apply."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from reports.services.roll_up import roll_up
from tests.factories import make_domain, make_member, make_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client):
    client.force_login(make_member(None, Role.VIEWER))
    day = timezone.now().date() - timedelta(days=2)
    make_report(make_domain("a.example"), day, failures=20, result_type="sts-webpki-invalid")
    make_report(make_domain("b.example"), day, failures=5, result_type="certificate-expired")
    roll_up()
    return lambda **query: client.get(reverse("failures:list"), {"days": 90, **query})


def test_groupings_that_know_no_causes_are_reached_without_their_filters(page):
    shown = page(by="cause", concern="connection", cause="certificate-expired", sts="testing")

    hrefs = {key: href for key, _, href in shown.context["groupings"]}
    assert "concern=connection" in hrefs["cause-operator"]
    for key in ("reporter", "domain", "provider", "policy"):
        assert hrefs[key] == f"?days=90&by={key}&sts=testing"


@pytest.mark.parametrize("by", ["reporter", "domain", "provider", "policy"])
def test_what_a_grouping_cannot_apply_is_said_and_not_offered_to_be_cleared(page, by):
    shown = page(by=by, concern="connection", cause="certificate-expired")

    text = shown.content.decode()
    assert sum(row.record.failed for row in shown.context["table"].rows) == 25
    assert shown.context["is_narrowed"] is False
    assert ">Clear</a>" not in text
    assert "tell causes apart" in text
    assert "tell causes apart" not in page(by=by, sts="testing").content.decode()


@pytest.mark.parametrize("by", ["cause", "cause-operator"])
def test_causes_are_narrowed_to_what_becomes_of_the_mail(page, by):
    shown = page(by=by, concern="policy")

    assert [row.record.failed for row in shown.context["table"].rows] == [20]
    assert ">Clear</a>" in shown.content.decode()
