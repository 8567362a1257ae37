"""Signed report mail: valid, and by somebody who speaks for the reporter."""

from __future__ import annotations

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reports.models import Channel, Receipt, Report, Trust
from reports.reading import read_documents
from reports.services import find_signer as module
from reports.services.find_signer import find_signer
from tests.mailtls.samples import mail, text, zipped
from tests.reports.arrivals import take_in

MAIL = mail(zipped(text()))
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
)


def signed(domain: str, data: bytes = MAIL, **options) -> bytes:
    return dkim.sign(data, b"s1", domain.encode(), PRIVATE, **options) + data


def publish(record: bytes = b"v=DKIM1; s=tlsrpt; p=" + PUBLIC):
    return lambda name, timeout: record


def signer(data: bytes, look_up=None) -> str:
    return find_signer(data, read_documents(data), look_up=look_up or publish())


@pytest.mark.parametrize("domain", ["sender.example", "mail.sender.example"])
def test_the_reporter_signs(domain):
    assert signer(signed(domain)) == domain


@pytest.mark.parametrize("record", [b"v=DKIM1; p=" + PUBLIC, b"v=DKIM1; s=*; p=" + PUBLIC])
def test_a_key_for_tlsrpt_alone_is_not_required(record):
    assert signer(signed("sender.example"), publish(record)) == "sender.example"


def test_a_stranger_does_not_speak_for_the_reporter():
    assert signer(signed("gateway.example")) == ""
    both = signed("gateway.example", signed("sender.example"))
    assert signer(both) == "sender.example"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(MAIL, id="unsigned"),
        pytest.param(
            signed("sender.example").replace(b"A TLS report", b"A tls report"), id="changed"
        ),
        pytest.param(signed("sender.example", length=True), id="part of the body"),
        pytest.param(b"DKIM-Signature: v=1; a=nonsense\r\n" + MAIL, id="nonsense"),
        pytest.param(b"DKIM-Signature: \xff\x00\r\n" + MAIL, id="noise"),
        pytest.param(b"DKIM-Signature: v=1; " * 3 + b"\r\n" + MAIL, id="repeated"),
    ],
)
def test_what_does_not_verify_is_unsigned(data):
    assert signer(data) == ""


def test_a_key_that_cannot_be_found_is_no_signature():
    assert signer(signed("sender.example"), lambda name, timeout: None) == ""


def test_a_key_is_looked_up_once(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        module, "_resolve", lambda name, timeout: asked.append(name) or b"v=DKIM1; p=" + PUBLIC
    )
    keys = module._Keys()

    assert [signer(signed("sender.example"), keys) for _ in range(3)] == ["sender.example"] * 3
    assert asked == ["s1._domainkey.sender.example."]


def test_slow_names_cost_a_limited_time_each_minute(monkeypatch):
    clock = [1000.0]

    def take_three_seconds(name: str, timeout: float) -> None:
        clock[0] += 3

    monkeypatch.setattr(module, "_resolve", take_three_seconds)
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    keys = module._Keys()

    for number in range(20):
        keys(b"%d" % number, 3.0)
    assert clock[0] == 1018
    clock[0] += 60
    keys(b"another", 3.0)
    assert clock[0] == 1081


@pytest.mark.django_db
def test_the_trust_of_signed_mail_is_stored_with_its_signer(monkeypatch):
    monkeypatch.setattr(module, "_look_up_key", publish())

    take_in(signed("sender.example"), channel=Channel.SMTP)

    receipt = Receipt.objects.get()
    assert (receipt.trust, receipt.signed_by) == (Trust.DKIM_MAIL, "sender.example")
    assert Report.objects.get().trust == Trust.DKIM_MAIL


@pytest.mark.django_db
def test_files_ask_for_no_keys(monkeypatch):
    def fail(*args: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(module, "_look_up_key", fail)

    [receipt] = take_in(signed("sender.example"), channel=Channel.COMMAND)
    assert receipt.trust == Trust.UNSIGNED_MAIL
