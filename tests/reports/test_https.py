"""The HTTPS intake: stored before the answer, refused only for size, rate and a wrong key."""

from __future__ import annotations

import io

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from reports.channels import https
from reports.models import Channel, Intake, Outcome, RawReport, Receipt
from reports.services.process import process
from tests.mailtls.samples import text, zipped

pytestmark = pytest.mark.django_db


@pytest.fixture
def intake() -> Intake:
    return Intake.objects.create(name="main")


@pytest.fixture
def sender() -> Client:
    """A reporter: no cookie, no token, CSRF checks on."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize(
    "content_type",
    ["application/tlsrpt+gzip", "application/tlsrpt+json", "text/html", "nonsense", ""],
)
def test_a_report_is_stored_whatever_its_type_says(intake, sender, content_type):
    response = sender.post(intake.path, zipped(text()), content_type=content_type)

    assert response.status_code == 201
    receipt = Receipt.objects.get()
    assert receipt.raw.content == zipped(text())
    assert (receipt.channel, receipt.intake) == (Channel.HTTPS, intake)
    assert receipt.sender == "127.0.0.1"


def test_what_cannot_be_read_is_stored_as_well(intake, sender):
    assert sender.post(intake.path, b"junk", content_type="x/y").status_code == 201
    assert sender.post(intake.path, b"", content_type="x/y").status_code == 201

    process()

    assert Receipt.objects.filter(outcome=Outcome.REJECTED).count() == 2


def test_reading_brings_the_intakes_counters_up_to_date(intake, sender):
    for body in (text(), text(), b"junk"):
        sender.post(intake.path, body, content_type="x/y")

    process()

    intake.refresh_from_db()
    assert (intake.received, intake.accepted, intake.rejected) == (3, 1, 1)
    assert intake.last_used_at == Receipt.objects.latest("received_at").received_at


@pytest.mark.parametrize("path", ["/tlsrpt/nobody", "/tlsrpt/", "/tlsrpt/a/b"])
def test_an_unknown_key_is_not_found(intake, sender, path):
    assert sender.post(path, text(), content_type="x/y").status_code == 404
    assert not Receipt.objects.exists()


def test_a_revoked_key_is_not_found(intake, sender):
    Intake.objects.update(revoked_at=timezone.now())

    assert sender.post(intake.path, text(), content_type="x/y").status_code == 404


def test_a_slash_at_the_end_is_no_redirect(intake, sender):
    assert sender.post(f"{intake.path}/", text(), content_type="x/y").status_code == 201


def test_https_only_sites_do_not_redirect_reporters(intake, sender, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert sender.post(intake.path, text(), content_type="x/y").status_code == 201


def test_a_body_over_the_limit_is_refused_unread(intake, sender, settings):
    settings.INTAKE_MAX_MEGABYTES = 1
    at_limit = b"x" * 1024 * 1024

    assert sender.post(intake.path, at_limit, content_type="x/y").status_code == 201
    assert sender.post(intake.path, at_limit + b"x", content_type="x/y").status_code == 413
    assert RawReport.objects.count() == 1


def test_a_body_without_a_length_stops_at_the_limit(intake, rf, settings):
    settings.INTAKE_MAX_MEGABYTES = 1
    middleware = https.IntakeMiddleware(lambda request: None)

    def post(body: bytes) -> tuple[int, int]:
        stream = io.BytesIO(body)
        request = rf.post(intake.path)
        del request.META["CONTENT_LENGTH"]
        request.META["HTTP_TRANSFER_ENCODING"] = "chunked"
        request.META["wsgi.input"] = stream
        return middleware(request).status_code, stream.tell()

    assert post(text()) == (201, len(text()))
    assert post(b"x" * 5_000_000) == (413, 1024 * 1024 + 1)


def test_a_body_that_drips_is_given_up(intake, rf, monkeypatch):
    monkeypatch.setattr(https, "_READ_WITHIN_S", 0.0)
    request = rf.post(intake.path, text(), content_type="x/y")

    assert https.IntakeMiddleware(lambda request: None)(request).status_code == 408


def test_too_many_reports_a_minute_are_asked_to_come_later(intake, sender, settings):
    settings.INTAKE_PER_MINUTE = 2
    other = Intake.objects.create(name="other")

    codes = [sender.post(intake.path, text(), content_type="x/y").status_code for _ in range(3)]
    last = sender.post(intake.path, text(), content_type="x/y")

    assert codes == [201, 201, 429]
    assert int(last["Retry-After"]) > 0
    assert sender.post(other.path, text(), content_type="x/y").status_code == 201


def test_the_rate_counts_what_other_processes_took_in(intake, settings):
    settings.INTAKE_PER_MINUTE = 2
    for _ in range(2):
        Client().post(intake.path, text(), content_type="x/y")

    assert Client().post(intake.path, text(), content_type="x/y").status_code == 429


def test_a_database_that_is_away_is_said_so(intake, sender, monkeypatch):
    def fail(*args: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(https, "accept_together", fail)
    response = sender.post(intake.path, text(), content_type="x/y")

    assert (response.status_code, response["Retry-After"]) == (503, "60")


def test_people_who_look_are_told_what_this_is(intake, sender):
    response = sender.get(intake.path)

    assert response.status_code == 200
    assert b"POST" in response.content
    assert "Set-Cookie" not in response.headers


def test_keys_cannot_be_guessed_and_fit_a_mail_address():
    keys = {Intake.objects.create(name=str(number)).key for number in range(50)}

    assert len(keys) == 50
    assert all(len(key) == 32 and key.isalnum() and key == key.lower() for key in keys)
