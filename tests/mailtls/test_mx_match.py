"""MX names against policy patterns (RFC 8461 section 4.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.mx_match import is_covered, matches

COVERED = [
    ("mx.a.example", "mx.a.example"),
    ("mx.a.example.", "mx.a.example"),
    ("mx.a.example", "mx.a.example."),
    ("MX.A.Example", "mx.a.EXAMPLE"),
    ("mx.a.example", "*.a.example"),
    ("mx.a.example.", "*.a.example."),
    ("a.example", "*.example"),
    ("mx.bücher.example", "mx.xn--bcher-kva.example"),
    ("mx.xn--bcher-kva.example", "*.bücher.example"),
]
NOT_COVERED = [
    ("a.example", "*.a.example"),
    ("x.mx.a.example", "*.a.example"),
    ("x.h1.mx.microsoft", "*.mx.microsoft"),
    ("evil-mx.a.example", "mx.a.example"),
    ("xmx.a.example", "mx.a.example"),
    ("mx.a.example.evil.test", "mx.a.example"),
    ("mx.a.example.evil.test", "*.a.example"),
    ("mxxa.example", "mx.a.example"),
    ("mx.axexample", "*.a.example"),
    ("mx.a.example", "mx.*.example"),
    ("mx.a.example", "*.*.example"),
    ("mx.a.example", "**.a.example"),
    ("mx.a.example", ".a.example"),
    ("mx.a.example", "m*.a.example"),
    ("mx.a.example", "*"),
    ("mx.a.example", "*."),
    ("mx.a.example", ""),
    ("", "*.a.example"),
    (".a.example", "*.a.example"),
    ("", ""),
    (".", "."),
    ("*.a.example", "*.a.example"),
    ("192.0.2.1", "192.0.2.1"),
]


@pytest.mark.parametrize(("host", "pattern"), COVERED)
def test_a_pattern_covers(host: str, pattern: str):
    assert matches(host, pattern)


@pytest.mark.parametrize(("host", "pattern"), NOT_COVERED)
def test_a_pattern_does_not_cover(host: str, pattern: str):
    assert not matches(host, pattern)


def test_one_pattern_of_several_is_enough():
    assert is_covered("mx.b.example", ["*.a.example", "*.b.example"])
    assert not is_covered("mx.c.example", ["*.a.example", "*.b.example"])


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)


@given(st.lists(LABEL, min_size=1, max_size=4), st.lists(LABEL, min_size=1, max_size=4))
def test_a_wildcard_stands_for_exactly_one_label(front: list[str], parent: list[str]):
    parent = [*parent, "example"]

    is_one_label = len(front) == 1
    assert matches(".".join([*front, *parent]), "*." + ".".join(parent)) == is_one_label


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_raises(host: str, pattern: str):
    assert matches(host, pattern) in (True, False)
