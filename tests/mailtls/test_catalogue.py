"""Every code that can be emitted has its words, and no words stand for nothing."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import mailtls
from mailtls.catalogue import ENTRIES, describe
from mailtls.findings import Finding, Severity, error

ROOT = Path(mailtls.__file__).parent
AREAS = {entry.partition(".")[0] for entry in ENTRIES}
CODE = re.compile(r"[a-z0-9]+(\.[a-z0-9-]+)+")


def emitted_codes() -> set[str]:
    """Give every string constant of the kernel that has the form of a code."""
    found = set()
    for path in ROOT.rglob("*.py"):
        if path.parent.name == "catalogue" or path.name == "providers.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                area = node.value.partition(".")[0]
                if CODE.fullmatch(node.value) and area in AREAS:
                    found.add(node.value)
    return found


def test_catalogue_and_emitted_codes_are_the_same():
    emitted = emitted_codes()

    assert sorted(emitted - set(ENTRIES)) == []
    assert sorted(set(ENTRIES) - emitted) == []


@pytest.mark.parametrize("code", sorted(ENTRIES))
def test_an_entry_is_complete_and_well_formed(code: str):
    entry = ENTRIES[code]

    assert entry.title
    assert entry.meaning
    assert entry.remedy
    assert not entry.title.endswith(".")
    assert re.fullmatch(r"(RFC \d+( [\d.]+)?)?", entry.section)
    for text in (entry.title, entry.meaning, entry.remedy):
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        assert all(name.isidentifier() for name in names)


def test_parameters_are_filled_in():
    words = describe(Finding("mx.host.no-address", Severity.ERROR, {"mx": "mx1.example.com"}))

    assert words.title == "The MX host has no address: mx1.example.com"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "expires in less than a day"),
        (1, "expires in 1 day"),
        (20, "expires in 20 days"),
    ],
)
def test_a_number_of_one_counts_one_thing(days, words):
    finding = error("sts.cert.expires-soon", host="mta-sts.a.example", days=days)

    assert describe(finding).title.endswith(words)


def test_sizes_read_in_megabytes():
    too_large = error("mail.too-large", bytes=25_000_194, limit=15_728_640)

    assert describe(too_large).title == "The mail has 23.8 MB; the limit is 15.0 MB"


def test_a_hostile_parameter_is_only_text():
    words = describe(error("mx.host.no-address", mx="{mx.__class__} {0} %s"))

    assert words.title.endswith("{mx.__class__} {0} %s")


def test_a_parameter_brings_no_control_characters():
    words = describe(error("mx.host.no-address", mx="a\x1b[2J\nb\x9b"))

    assert words.title.endswith("a\ufffd[2J\ufffdb\ufffd")


def test_a_missing_parameter_and_an_unknown_code_do_not_raise():
    assert "?" in describe(error("mx.host.no-address")).title
    assert "?" in describe(error("mail.too-large")).title
    assert describe(error("no.such-code")).title == "no.such-code"


@pytest.mark.parametrize(
    ("not_after", "words"),
    [
        ("2026-11-26", "(26 Nov 2026)"),
        ("2026-11-06T09:30:00Z", "(6 Nov 2026 09:30 UTC)"),
        ("2026-13-06", "(2026-13-06)"),
        ("soon", "(soon)"),
    ],
)
def test_days_read_as_everywhere_else(not_after, words):
    assert words in describe(error("sts.cert.expired", not_after=not_after)).meaning
