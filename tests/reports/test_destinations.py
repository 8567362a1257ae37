import pytest
from django.utils import timezone

from reports.destinations import our_destinations, rua_of
from reports.models import Intake

pytestmark = pytest.mark.django_db


def test_the_address_for_all_comes_first_and_revoked_intakes_not_at_all(settings):
    settings.SITE_URL, settings.MAIL_ADDRESS = "https://tlsrpt.corp.example", "t@in.corp.example"
    live = Intake.objects.create(name="All")
    Intake.objects.create(name="Old", revoked_at=timezone.now())

    assert our_destinations() == (
        "mailto:t@in.corp.example",
        f"https://tlsrpt.corp.example/tlsrpt/{live.key}",
        f"mailto:{live.key}@in.corp.example",
    )


def test_plain_http_is_no_destination(settings):
    settings.SITE_URL, settings.MAIL_ADDRESS = "http://localhost:8000", ""

    assert rua_of(Intake(name="All", key="k")) == ()
