"""The structure of mail."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtls.mime import decode_words, from_base64, parse_entity


def entity(content_type: str, body: str = ""):
    return parse_entity(f"Content-Type: {content_type}\r\n\r\n{body}".encode())


def test_headers_are_unfolded_and_the_first_of_each_counts():
    message = parse_entity(b"Subject: Report\r\n\t Domain\r\nsubject: other\r\nX:y\r\n\r\nbody\r\n")

    assert message.headers == {"subject": "Report Domain", "x": "y"}
    assert message.body == b"body\r\n"


@pytest.mark.parametrize(
    ("raw", "headers", "body"),
    [
        (b"", {}, b""),
        (b"\r\nbody", {}, b"body"),
        (b"A: b", {"a": "b"}, b""),
        (b"A: b\n\nc", {"a": "b"}, b"c"),
        (b"no colon\r\nA: \xff\r\n\r\n", {"a": "\ufffd"}, b""),
    ],
)
def test_odd_heads_are_read(raw, headers, body):
    message = parse_entity(raw)

    assert (message.headers, message.body) == (headers, body)


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [
        ("application/TLSRPT+gzip; x=y", "application/tlsrpt+gzip"),
        ("", "text/plain"),
        ("nonsense", "text/plain"),
    ],
)
def test_the_media_type(content_type, media_type):
    assert entity(content_type).media_type == media_type


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a/b; name=x.json", "x.json"),
        ('a/b; NAME = "x y.json" ; z', "x y.json"),
        (r'a/b; name="x\"y.json"', 'x"y.json'),
        ('a/b; name="x;y.json"', "x;y.json"),
        ("a/b; name*0=x; name*1=y.json", "xy.json"),
        ("a/b; name*1=y.json; name*0=x", "xy.json"),
        ("a/b; name*=utf-8'en'b%C3%BC.json", "bü.json"),
        ("a/b; name*0*=iso-8859-1''b%FC; name*1=.json", "bü.json"),
        ("a/b; name*=nope''x.json", "x.json"),
        ("a/b; name==?utf-8?q?x=2Ejson?=", "x.json"),
        ('a/b; name="../../etc/x.json"', "x.json"),
        (r'a/b; name="C:\\tmp\\x.json"', "x.json"),
        ("a/b; name=", ""),
        ("a/b", ""),
    ],
)
def test_file_names_in_every_spelling(value, name):
    assert entity(value).file_name == name


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("--b\r\none\r\n--b\r\ntwo\r\n--b--\r\nend", [b"one", b"two"]),
        ("before\n--b\none\n--b--", [b"one"]),
        ("--b \t\r\none\r\n--bx\r\nstill\r\n--b--", [b"one\r\n--bx\r\nstill"]),
        ("--b\r\ncut off", [b"cut off"]),
        ("--b\r\n\r\n--b\r\n--b--", [b"", b""]),
        ("nothing", None),
        ("", None),
    ],
)
def test_parts_stand_between_boundary_lines(body, parts):
    assert entity('multipart/mixed; boundary="b"', body).parts() == parts


@pytest.mark.parametrize("content_type", ["multipart/mixed", "text/plain; boundary=b"])
def test_what_cannot_be_split_has_no_parts(content_type):
    assert entity(content_type, "--b\r\none\r\n--b--").parts() is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text,
        lambda text: text.rstrip(b"="),
        lambda text: text + b"====",
        lambda text: text.replace(b"Z", b"Z\r\n"),
        lambda text: b" " + text + b"\r\n\r\n",
        lambda text: text[:8] + b"!#\xff" + text[8:],
    ],
)
def test_bad_base64_is_decoded(damage):
    content = b"some bytes that end in padding."

    assert from_base64(damage(base64.b64encode(content))) == content


def test_a_lone_last_character_of_base64_is_left_out():
    assert from_base64(b"YWJjZ") == b"abc"


def test_transfer_encodings():
    quoted = parse_entity(b"Content-Transfer-Encoding: Quoted-Printable\r\n\r\na=3Db=\r\nc")

    assert quoted.decoded() == b"a=bc"
    assert parse_entity(b"Content-Transfer-Encoding: 8bit\r\n\r\n\xff").decoded() == b"\xff"


@pytest.mark.parametrize("text", ["=?nope?b?/w==?=", "=?utf-8?b?x?=", "=?", "=?a?q?b?="])
def test_words_that_cannot_be_decoded_stay(text):
    assert isinstance(decode_words(text), str)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_noise_never_raises(noise, value):
    head = f"Content-Type: multipart/x; boundary=b; {value}".encode("utf-8", "replace")
    for raw in (noise, head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\n" + noise):
        message = parse_entity(raw)
        message.parts()
        assert isinstance(message.file_name, str)
        assert isinstance(message.decoded(), bytes)
