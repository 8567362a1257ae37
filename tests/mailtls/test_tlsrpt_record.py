"""The TLSRPT record against RFC 8460 section 3, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.tlsrpt_record import (
    TlsrptRecord,
    parse_record,
    render_record,
    select_record,
)

# Each with the destinations that come out.
VALID = {
    "v=TLSRPTv1; rua=mailto:r@a.example": ("mailto:r@a.example",),
    "v=TLSRPTv1;rua=mailto:r@a.example": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=mailto:r@a.example;": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=mailto:r@a.example ; ": ("mailto:r@a.example",),
    "v=TLSRPTv1;\t rua=mailto:r@a.example\t;\t": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=https://a.example/v1/tlsrpt": ("https://a.example/v1/tlsrpt",),
    "v=TLSRPTv1; rua=HTTPS://a.example/": ("HTTPS://a.example/",),
    "v=TLSRPTv1; rua=MailTo:r@a.example": ("MailTo:r@a.example",),
    "v=TLSRPTv1; rua=https://a.example:8443/x?k=v&l=w": ("https://a.example:8443/x?k=v&l=w",),
    "v=TLSRPTv1; rua=https://a.example:65535/": ("https://a.example:65535/",),
    "v=TLSRPTv1; rua=https://a.example:": ("https://a.example:",),
    "v=TLSRPTv1; rua=https://192.0.2.1/x": ("https://192.0.2.1/x",),
    "v=TLSRPTv1; rua=https://[2001:db8::1]/x": ("https://[2001:db8::1]/x",),
    "v=TLSRPTv1; rua=mailto:a%21b@a.example": ("mailto:a%21b@a.example",),
    "v=TLSRPTv1; rua=mailto:a+tls@xn--bcher-kva.example": ("mailto:a+tls@xn--bcher-kva.example",),
    "v=TLSRPTv1; ext=yes; rua=mailto:r@a.example": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=mailto:r@a.example; a.b-c_d=x:y<z>": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=mailto:r@a.example; " + "n" * 32 + "=1": ("mailto:r@a.example",),
    "v=TLSRPTv1; rua=mailto:r@a.example,mailto:s@b.example": (
        "mailto:r@a.example",
        "mailto:s@b.example",
    ),
    "v=TLSRPTv1; rua=mailto:r@a.example \t, https://b.example/": (
        "mailto:r@a.example",
        "https://b.example/",
    ),
}

# Usable, with a warning of that code.
RISKY = {
    "v=TLSRPTv1 ; rua=mailto:r@a.example": "tlsrpt.version.space-before-semicolon",
    "v=TLSRPTv1; rua=mailto:r@a.example ": "tlsrpt.record.trailing-space",
    "v=TLSRPTv1; rua=mailto:r@a.example; rua=mailto:s@a.example": "tlsrpt.rua.repeated",
    "v=TLSRPTv1; rua=mailto:r@a.example,http://a.example/": "tlsrpt.rua.scheme",
    "v=TLSRPTv1; rua=ftp://a.example,mailto:r@a.example": "tlsrpt.rua.scheme",
    "v=TLSRPTv1; rua=mailto:r@a.example,mailto:nobody": "tlsrpt.rua.bad-address",
    "v=TLSRPTv1; rua=mailto:r@a.example,https://a.example:65536/": "tlsrpt.rua.bad-url",
    "v=TLSRPTv1; rua=mailto:r@a.example,https://[2001:db8::1]:0": "tlsrpt.rua.bad-url",
    f"v=TLSRPTv1; rua=mailto:r@a.example,https://a.example:{'9' * 5000}": "tlsrpt.rua.bad-url",
    "v=TLSRPTv1; rua=mailto:r@a.example,mailto:r@a.example": "tlsrpt.rua.duplicate",
}

INVALID = {
    # the version
    "v=TLSRPTv2; rua=mailto:r@a.example": "tlsrpt.version.other",
    "v=TLSRPTv10; rua=mailto:r@a.example": "tlsrpt.version.other",
    "v=TLSRPTv1.1; rua=mailto:r@a.example": "tlsrpt.version.other",
    "V=TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.case",
    "v=tlsrptv1; rua=mailto:r@a.example": "tlsrpt.version.case",
    "v=TLSRPTV1; rua=mailto:r@a.example": "tlsrpt.version.case",
    "v = TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.spaced-equals",
    "v= TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.spaced-equals",
    " v=TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.leading-space",
    "\ufeffv=TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.leading-space",
    "rua=mailto:r@a.example; v=TLSRPTv1": "tlsrpt.version.not-first",
    "v=TSLRPTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v=TLSPRTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v=TLSRPT1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v=TLS-RPTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v=TLSRTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v:TLSRPTv1; rua=mailto:r@a.example": "tlsrpt.version.misspelt",
    "v=TLSRPTv1 rua=mailto:r@a.example": "tlsrpt.version.missing-semicolon",
    "v=TLSRPTv1,rua=mailto:r@a.example": "tlsrpt.version.missing-semicolon",
    '"v=TLSRPTv1; rua=mailto:r@a.example"': "tlsrpt.record.quoted",
    "'v=TLSRPTv1; rua=mailto:r@a.example'": "tlsrpt.record.quoted",
    "“v=TLSRPTv1; rua=mailto:r@a.example”": "tlsrpt.record.quoted",
    r"v=TLSRPTv1\; rua=mailto:r@a.example": "tlsrpt.record.escaped",
    r"v=TLSRPTv1; rua=mailto:r@a.example\;": "tlsrpt.record.escaped",
    "something else": "tlsrpt.version.missing",
    # the fields
    "v=TLSRPTv1": "tlsrpt.rua.missing",
    "v=TLSRPTv1;": "tlsrpt.rua.missing",
    "v=TLSRPTv1; ext=1": "tlsrpt.rua.missing",
    "v=TLSRPTv1; rua=mailto:r@a.example;;": "tlsrpt.field.empty",
    "v=TLSRPTv1;; rua=mailto:r@a.example": "tlsrpt.field.empty",
    "v=TLSRPTv1; rua=mailto:r@a.example; foo": "tlsrpt.field.no-equals",
    "v=TLSRPTv1; rua=mailto:r@a.example; foo=": "tlsrpt.field.empty-value",
    "v=TLSRPTv1; rua=mailto:r@a.example; foo==": "tlsrpt.field.bad-value",
    "v=TLSRPTv1; rua=mailto:r@a.example; foo=a b": "tlsrpt.field.bad-value",
    "v=TLSRPTv1; rua=mailto:r@a.example; _x=1": "tlsrpt.field.bad-name",
    "v=TLSRPTv1; rua=mailto:r@a.example; " + "n" * 33 + "=1": "tlsrpt.field.bad-name",
    "v=TLSRPTv1; rua=mailto:r@a.example; foo=ü": "tlsrpt.field.non-ascii",
    "v=TLSRPTv1; rua =mailto:r@a.example": "tlsrpt.field.spaced-equals",
    "v=TLSRPTv1; rua= mailto:r@a.example": "tlsrpt.field.spaced-equals",
    "v=TLSRPTv1; RUA=mailto:r@a.example": "tlsrpt.rua.case",
    "v=TLSRPTv1; Rua=mailto:r@a.example": "tlsrpt.rua.case",
    "v=TLSRPTv1; ruf=mailto:r@a.example": "tlsrpt.rua.misspelt",
    "v=TLSRPTv1; rau=mailto:r@a.example": "tlsrpt.rua.misspelt",
    "v=TLSRPTv1; rua:mailto:r@a.example": "tlsrpt.rua.misspelt",
    # the destinations
    "v=TLSRPTv1; rua=": "tlsrpt.rua.empty-item",
    "v=TLSRPTv1; rua=,,": "tlsrpt.rua.empty-item",
    "v=TLSRPTv1; rua=mailto:r@a.example,": "tlsrpt.rua.empty-item",
    "v=TLSRPTv1; rua=r@a.example": "tlsrpt.rua.no-scheme",
    "v=TLSRPTv1; rua=mailto:r@a.example,s@a.example": "tlsrpt.rua.no-scheme",
    "v=TLSRPTv1; rua=a.example/path": "tlsrpt.rua.no-scheme",
    "v=TLSRPTv1; rua=mailto:r@a.example!10m": "tlsrpt.rua.bang",
    "v=TLSRPTv1; rua=mailto:r@a.example!": "tlsrpt.rua.bang",
    "v=TLSRPTv1; rua=mailto:r@a.example mailto:s@a.example": "tlsrpt.rua.space-separated",
    "v=TLSRPTv1; rua=mailto:r@a.example;mailto:s@a.example": "tlsrpt.rua.semicolon-separated",
    "v=TLSRPTv1; rua=mailto:r@a.example; https://a.example/x": "tlsrpt.rua.semicolon-separated",
    "v=TLSRPTv1; rua=http://a.example/": "tlsrpt.rua.scheme",
    "v=TLSRPTv1; rua=htps://a.example/": "tlsrpt.rua.scheme",
    "v=TLSRPTv1; rua=mail:r@a.example": "tlsrpt.rua.scheme",
    "v=TLSRPTv1; rua=mailto:r@bücher.example": "tlsrpt.rua.non-ascii",
    "v=TLSRPTv1; rua=mailto:<r@a.example>": "tlsrpt.rua.bad-uri",
    "v=TLSRPTv1; rua=mailto:r%2@a.example": "tlsrpt.rua.bad-uri",
    "v=TLSRPTv1; rua=mailto://r@a.example": "tlsrpt.rua.mailto-slashes",
    "v=TLSRPTv1; rua=mailto:": "tlsrpt.rua.bad-address",
    "v=TLSRPTv1; rua=mailto:nobody": "tlsrpt.rua.bad-address",
    "v=TLSRPTv1; rua=mailto:r@": "tlsrpt.rua.bad-address",
    "v=TLSRPTv1; rua=mailto:r@a..example": "tlsrpt.rua.bad-address",
    "v=TLSRPTv1; rua=https:a.example": "tlsrpt.rua.bad-url",
    "v=TLSRPTv1; rua=https://": "tlsrpt.rua.bad-url",
    "v=TLSRPTv1; rua=https:///path": "tlsrpt.rua.bad-url",
}


@pytest.mark.parametrize(("text", "rua"), VALID.items())
def test_a_valid_record_gives_its_destinations(text: str, rua: tuple[str, ...]):
    parsed = parse_record(text)

    assert parsed.value is not None
    assert parsed.value.rua == rua
    assert {finding.severity.value for finding in parsed.findings} <= {"info"}


@pytest.mark.parametrize(("text", "code"), RISKY.items())
def test_a_risky_record_is_used_with_a_warning(text: str, code: str):
    parsed = parse_record(text)

    assert parsed.value is not None
    assert code in {f.code for f in parsed.findings if f.severity == "warning"}


@pytest.mark.parametrize(("text", "code"), INVALID.items())
def test_an_invalid_record_names_the_exact_mistake(text: str, code: str):
    parsed = parse_record(text)

    assert parsed.value is None
    assert {f.code for f in parsed.findings if f.severity == "error"} == {code}


def test_unknown_fields_are_kept():
    parsed = parse_record("v=TLSRPTv1; a=1; rua=mailto:r@a.example; b=2")

    assert parsed.value == TlsrptRecord(
        rua=("mailto:r@a.example",), extensions=(("a", "1"), ("b", "2"))
    )


def test_a_long_record_is_noted():
    many = ",".join(f"mailto:reports{number}@a.example" for number in range(20))

    parsed = parse_record(f"v=TLSRPTv1; rua={many}")

    assert "tlsrpt.record.long" in {finding.code for finding in parsed.findings}


GOOD = "v=TLSRPTv1; rua=mailto:r@a.example"


@pytest.mark.parametrize(
    ("texts", "chosen", "codes"),
    [
        ((), None, set()),
        ((GOOD,), GOOD, set()),
        ((GOOD, "google-site-verification=x"), GOOD, {"tlsrpt.record.unrelated"}),
        ((GOOD, "v=spf1 -all"), GOOD, {"tlsrpt.record.unrelated"}),
        ((GOOD, "v=TLSRPTv2; rua=mailto:x@a.example"), GOOD, {"tlsrpt.record.near-miss-beside"}),
        ((GOOD, "v=TLSRPTv1 ; rua=mailto:x@a.example"), GOOD, {"tlsrpt.record.rival"}),
        ((GOOD, "v=TLSRPTv1"), GOOD, {"tlsrpt.record.rival"}),
        ((GOOD, GOOD), None, {"tlsrpt.record.multiple"}),
        ((GOOD, "v=TLSRPTv1; broken"), None, {"tlsrpt.record.multiple"}),
        (("v=spf1 -all",), None, {"tlsrpt.record.wildcard-spf"}),
        (("v=DMARC1; p=none",), None, {"tlsrpt.record.other-protocol"}),
        (("v=STSv1; id=1",), None, {"tlsrpt.record.other-protocol"}),
        (("v=TSLRPTv1; rua=mailto:r@a.example",), None, {"tlsrpt.version.misspelt"}),
    ],
)
def test_of_several_texts_exactly_one_must_be_a_record(
    texts: tuple[str, ...], chosen: str | None, codes: set[str]
):
    selection = select_record(texts)

    assert selection.text == chosen
    assert {finding.code for finding in selection.findings} == codes


def test_a_text_that_claims_to_be_a_record_is_told_from_one_that_does_not():
    assert select_record(("V=TLSRPTv1; rua=mailto:r@a.example",)).claimants
    assert not select_record(("v=spf1 -all", "hello", "v=DKIM1; p=")).claimants


ADDRESS = st.from_regex(r"[a-z0-9]{1,12}@[a-z]{1,10}\.(example|test)", fullmatch=True)
URL = st.from_regex(r"https://[a-z]{1,10}\.example(/[A-Za-z0-9_-]{1,10}){0,3}", fullmatch=True)


@given(st.lists(st.one_of(ADDRESS.map("mailto:{}".format), URL), min_size=1, max_size=4))
def test_what_is_rendered_reads_back_the_same(uris: list[str]):
    parsed = parse_record(render_record(uris))

    assert parsed.value is not None
    assert list(parsed.value.rua) == uris


@pytest.mark.parametrize("uris", [[], ["r@a.example"], ["mailto:r@a.example!10m"], [""]])
def test_unusable_destinations_are_not_rendered(uris: list[str]):
    with pytest.raises(ValueError, match="make no TLSRPT record"):
        render_record(uris)


PIECES = st.sampled_from(
    [
        *("v=TLSRPTv1", "v=", ";", "rua", "=", "mailto:", "a@b.example", ",", "https://"),
        *("\\", '"', "ü", "%", "[", "]", "TLSRPT", "v1", " ", "\t", "\x00", "\ud7ff"),
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join)))
def test_no_text_raises_and_a_refusal_has_a_reason(text: str):
    parsed = parse_record(text)
    select_record((text, text[1:]))

    assert (parsed.value is None) == parsed.has_errors
