"""The MTA-STS record against RFC 8461 section 3.1, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.sts_record import parse_record, render_record, select_record

VALID = {
    "v=STSv1; id=20260101T000000;": "20260101T000000",
    "v=STSv1;id=a": "a",
    "v=STSv1; id=A1b2; more=x; ext=2": "A1b2",
    "v=STSv1; ext=1; id=7": "7",
    "v=STSv1; \t id=20260101  \t;": "20260101",
    "v=STSv1; id=" + "1" * 32: "1" * 32,
}
RISKY = {
    "v=STSv1 ; id=foo": "sts.version.space-before-semicolon",
    "v=STSv1\t;\tid=foo": "sts.version.space-before-semicolon",
    "v=STSv1; id=foo; id=bar": "sts.field.duplicate",
    "v=STSv1; id=foo; id=bad-x": "sts.field.duplicate",
    "v=STSv1; id=foo; x=1; x=2": "sts.field.duplicate",
}
INVALID = {
    "v=STSv2; id=1": "sts.version.other",
    "v=STSv12; id=1": "sts.version.other",
    "v=stsv1; id=1": "sts.version.case",
    "V=STSv1; id=1": "sts.version.case",
    "v=STSV1; id=1": "sts.version.case",
    "v = STSv1; id=1": "sts.version.spaced-equals",
    " v=STSv1; id=1": "sts.version.leading-space",
    "id=1; v=STSv1": "sts.version.not-first",
    "v=STS1; id=1": "sts.version.misspelt",
    "v=SSTv1; id=1": "sts.version.misspelt",
    "STSv1; id=1": "sts.version.misspelt",
    "v=STSv1 id=1": "sts.version.missing-semicolon",
    "v=STSv1, id=1": "sts.version.missing-semicolon",
    '"v=STSv1; id=1"': "sts.record.quoted",
    r"v=STSv1\; id=1": "sts.record.escaped",
    "nothing of the kind": "sts.version.missing",
    "v=STSv1": "sts.id.missing",
    "v=STSv1;": "sts.id.missing",
    "v=STSv1; ext=1": "sts.id.missing",
    "v=STSv1; ID=1": "sts.id.case",
    "v=STSv1; id=": "sts.id.empty",
    "v=STSv1; id=" + "1" * 33: "sts.id.too-long",
    "v=STSv1; id=test-123": "sts.id.characters",
    "v=STSv1; id=2026_01_01": "sts.id.characters",
    "v=STSv1; id=1.0": "sts.id.characters",
    "v=STSv1; id=2026-01-01T00:00:00Z": "sts.id.characters",
    'v=STSv1; id="20260101"': "sts.id.characters",
    "v=STSv1; id=é": "sts.id.characters",
    "v=STSv1; id=1v=STSv1": "sts.field.run-together",
    "v=STSv1; id=foo include=x.example": "sts.field.bad-value",
    "v=STSv1; id=foo; note=two words": "sts.field.bad-value",
    "v=STSv1; id=foo; test==": "sts.field.bad-value",
    "v=STSv1; id=foo; more=": "sts.field.empty-value",
    "v=STSv1; id=foo; id=": "sts.field.empty-value",
    "v=STSv1; id=foo; note=café": "sts.field.non-ascii",
    "v=STSv1; id=foo;;": "sts.field.empty",
    "v=STSv1; id=foo; bogus": "sts.field.no-equals",
    "v=STSv1; id=foo; +x=1": "sts.field.bad-name",
    "v=STSv1; id = foo": "sts.field.spaced-equals",
    "v=STSv1; id=foo ": "sts.record.trailing-space",
}


@pytest.mark.parametrize(("text", "policy_id"), VALID.items())
def test_a_valid_record_gives_its_id(text: str, policy_id: str):
    parsed = parse_record(text)

    assert parsed.value is not None
    assert parsed.value.id == policy_id
    assert parsed.findings == ()


@pytest.mark.parametrize(("text", "code"), RISKY.items())
def test_a_risky_record_is_used_with_a_warning(text: str, code: str):
    parsed = parse_record(text)

    assert parsed.value is not None
    assert parsed.value.id == "foo"
    assert [(f.code, f.severity.value) for f in parsed.findings] == [(code, "warning")]


@pytest.mark.parametrize(("text", "code"), INVALID.items())
def test_an_invalid_record_names_the_exact_mistake(text: str, code: str):
    parsed = parse_record(text)

    assert parsed.value is None
    assert code in {finding.code for finding in parsed.findings}


def test_an_id_with_other_characters_gets_a_suggestion():
    [finding] = parse_record("v=STSv1; id=2026-01-01T00:00:00Z").findings

    assert finding.params["suggestion"] == "20260101T000000Z"


@pytest.mark.parametrize(
    ("texts", "chosen", "codes"),
    [
        ((), None, set()),
        (("v=STSv1; id=1",), "v=STSv1; id=1", set()),
        (("v=STSv1; id=1", "other"), "v=STSv1; id=1", {"sts.record.unrelated"}),
        (("v=STSv1; id=1", "v=spf1 -all"), "v=STSv1; id=1", {"sts.record.unrelated"}),
        (("v=STSv1; id=1", "v=STSv2; id=2"), "v=STSv1; id=1", {"sts.record.near-miss-beside"}),
        (("v=STSv1; id=1", "v=STSv1; id=1"), None, {"sts.record.multiple"}),
        (("v=STSv1; id=1", "v=STSv1; id=2"), None, {"sts.record.multiple"}),
        (("v=stsv1; id=1",), None, {"sts.version.case"}),
    ],
)
def test_of_several_texts_exactly_one_must_be_a_record(
    texts: tuple[str, ...], chosen: str | None, codes: set[str]
):
    selection = select_record(texts)

    assert selection.text == chosen
    assert {finding.code for finding in selection.findings} == codes


@given(st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True))
def test_what_is_rendered_reads_back_the_same(policy_id: str):
    parsed = parse_record(render_record(policy_id))

    assert parsed.value is not None
    assert parsed.value.id == policy_id


@pytest.mark.parametrize("policy_id", ["", "a-b", "1" * 33, "é"])
def test_a_bad_id_is_not_rendered(policy_id: str):
    with pytest.raises(ValueError, match="1 to 32 letters and digits"):
        render_record(policy_id)


PIECES = st.sampled_from(
    ["v=STSv1", "v=", ";", " ", "\t", "id", "=", "abc", "1", "-", '"', "ü", "\x00", "\\", "STS"]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join)))
def test_no_text_raises_and_a_refusal_has_a_reason(text: str):
    parsed = parse_record(text)
    select_record((text, text[1:]))

    assert (parsed.value is None) == parsed.has_errors
