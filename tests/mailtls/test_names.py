"""Names as people type them, and names as they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.names import (
    BadNameError,
    display_name,
    fold_name,
    is_host,
    normalise_domain,
    parse_domain,
)

GOOD = {
    "example.com": "example.com",
    "EXAMPLE.Com": "example.com",
    "example.com.": "example.com",
    "  example.com\n": "example.com",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "例え.テスト": "xn--r8jz45g.xn--zckzah",
    "straße.example": "xn--strae-oqa.example",
    "a-b.c1.example": "a-b.c1.example",
    "1.example": "1.example",
    "3com.com": "3com.com",
    "example。com": "example.com",
    "xn--i-7iq.example": "xn--i-7iq.example",
    "a" * 63 + ".example": "a" * 63 + ".example",
}
BAD = {
    "": "name.empty",
    "   ": "name.empty",
    "https://example.com": "name.url",
    "someone@example.com": "name.address",
    "_smtp._tls.example.com": "name.record",
    "_MTA-STS.example.com.": "name.record",
    "_smtp._tls.": "name.syntax",
    "192.0.2.1": "name.ip",
    "[192.0.2.1]": "name.ip",
    "2001:db8::1": "name.ip",
    "example": "name.single-label",
    "localhost.": "name.single-label",
    "a..example": "name.syntax",
    ".example.com": "name.syntax",
    "example.com..": "name.syntax",
    "-a.example": "name.syntax",
    "a-.example": "name.syntax",
    "a b.example": "name.syntax",
    "a_b.example": "name.syntax",
    "*.example.com": "name.syntax",
    "example.com/": "name.syntax",
    "example.com:25": "name.syntax",
    "example,com": "name.syntax",
    "a.123": "name.syntax",
    "a" * 64 + ".example": "name.too-long",
    "a." * 127 + "example": "name.too-long",
    "\u200bü.\u2028.example": "name.idna",
}


@pytest.mark.parametrize(("text", "name"), GOOD.items())
def test_a_good_name_is_folded(text: str, name: str):
    assert normalise_domain(text) == name


@pytest.mark.parametrize(("text", "code"), BAD.items())
def test_a_bad_name_is_told_why(text: str, code: str):
    parsed = parse_domain(text)

    assert parsed.value is None
    assert [finding.code for finding in parsed.findings] == [code]
    with pytest.raises(BadNameError):
        normalise_domain(text)


def test_names_are_shown_to_people_as_they_are_written():
    assert display_name("xn--bcher-kva.example") == "bücher.example"
    assert display_name("example.com") == "example.com"
    assert display_name("xn--999999999.example") == "xn--999999999.example"


@given(st.text(max_size=80))
def test_no_text_raises(text: str):
    parsed = parse_domain(text)

    assert (parsed.value is None) == bool(parsed.findings)
    if parsed.value is not None:
        assert is_host(parsed.value)
        assert parse_domain(parsed.value).value == parsed.value
        assert fold_name(display_name(parsed.value))
