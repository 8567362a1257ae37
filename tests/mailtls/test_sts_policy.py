"""The MTA-STS policy file against RFC 8461 section 3.2, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.sts_policy import MAX_AGE_LIMIT_S, Mode, StsPolicy, parse_policy, render_policy

BASE = {"version": "STSv1", "mode": "enforce", "mx": "mx1.a.example", "max_age": "2592000"}


def policy(*extra: str, **changes: str | None) -> str:
    """Give a good file with some values changed or left out, and lines added."""
    pairs = {key: value for key, value in (BASE | changes).items() if value is not None}
    return "".join(f"{line}\n" for line in [*(f"{k}: {v}" for k, v in pairs.items()), *extra])


GOOD = {
    "LF": policy(),
    "CRLF": policy().replace("\n", "\r\n"),
    "mixed line ends": policy().replace("\n", "\r\n", 2),
    "no end of the last line": policy().rstrip("\n"),
    "another order": "max_age: 2592000\nmx: mx1.a.example\nmode: enforce\nversion: STSv1\n",
    "blanks after the value": policy().replace("\n", " \t\n"),
    "tabs after the colon": policy().replace(": ", ":\t "),
    "no blank after the colon": policy().replace(": ", ":"),
    "upper case host": policy(mx="MX1.A.Example"),
    "leading zeros": policy(max_age="0002592000"),
}
VALID = {
    "one year": policy(max_age=str(MAX_AGE_LIMIT_S)),
    "none without mx": policy(mode="none", mx=None),
    "none with mx": policy(mode="none"),
    "wildcard": policy(mx="*.a.example"),
    "wildcard below a top-level domain": policy(mx="*.example"),
    "many hosts": policy("mx: mx2.a.example", "mx: *.b.example"),
    "A-label": policy(mx="mx.xn--bcher-kva.example"),
    "equal patterns": policy("mx: mx1.a.example"),
}
RISKY = {
    "max_age 0": (policy(max_age="0"), "sts.policy.max-age-zero"),
    "unknown key": (policy("foo: bar baz"), "sts.policy.unknown-key"),
    "UTF-8 in an unknown key": (policy("note: Grüße"), "sts.policy.unknown-key"),
    "second mode": (policy("mode: none"), "sts.policy.duplicate-key"),
    "second version": (policy("version: STSv2"), "sts.policy.duplicate-key"),
    "second max_age": (policy("max_age: x"), "sts.policy.duplicate-key"),
    "blank line": (policy().replace("\n", "\n\n", 1), "sts.policy.blank-line"),
    "blank line at the end": (policy() + "\n", "sts.policy.blank-line"),
    "indented": ("  " + policy().replace("\n", "\n  ").rstrip(), "sts.policy.leading-space"),
    "byte order mark": ("\ufeff" + policy(), "sts.policy.bom"),
    "dot at the end": (policy(mx="mx1.a.example."), "sts.policy.mx-trailing-dot"),
    "key of another case beside the right one": (policy("Mode: x"), "sts.policy.unknown-key"),
}
INVALID = {
    "empty": ("", "sts.policy.empty"),
    "blanks": ("  \n \n", "sts.policy.empty"),
    "a page": ("<!doctype html><p>Not found", "sts.policy.html"),
    "JSON": ('{"version": "STSv1"}', "sts.policy.json"),
    "the record": ("v=STSv1; id=1", "sts.policy.is-record"),
    "CR alone": (policy().replace("\n", "\r"), "sts.policy.bare-cr"),
    "CR inside a line": (policy().replace("enforce", "en\rforce"), "sts.policy.bare-cr"),
    "no version": (policy(version=None), "sts.policy.version-missing"),
    "version 2": (policy(version="STSv2"), "sts.policy.version"),
    "version 10": (policy(version="STSv10"), "sts.policy.version"),
    "version in lower case": (policy(version="stsv1"), "sts.policy.version"),
    "empty version": (policy(version=""), "sts.policy.version"),
    "no mode": (policy(mode=None), "sts.policy.mode-missing"),
    "empty mode": (policy(mode=""), "sts.policy.mode"),
    "mode in upper case": (policy(mode="Enforce"), "sts.policy.mode"),
    "mode of a draft": (policy(mode="report"), "sts.policy.mode"),
    "no max_age": (policy(max_age=None), "sts.policy.max-age-missing"),
    "no mx": (policy(mx=None), "sts.policy.mx-missing"),
    "no mx in testing": (policy(mx=None, mode="testing"), "sts.policy.mx-missing"),
    "misspelt mx": (policy("nmx: mx1.a.example", mx=None), "sts.policy.key-misspelt"),
    "misspelt max_age": (policy("max-age: 1000", max_age=None), "sts.policy.key-misspelt"),
    "misspelt mode": (policy("mod: none", mode=None), "sts.policy.key-misspelt"),
    "keys in upper case": (policy("Mode: enforce", mode=None), "sts.policy.key-case"),
    "mx in upper case": (policy("MX: a.example", mx=None), "sts.policy.key-case"),
    "no colon": (policy("mode none"), "sts.policy.no-colon"),
    "equals sign": (policy("mode=none"), "sts.policy.no-colon"),
    "blank before the colon": (policy("foo : bar"), "sts.policy.space-before-colon"),
    "comment": (policy("# ours"), "sts.policy.comment"),
    "key with underscore first": (policy("_x: y"), "sts.policy.bad-key"),
    "key of 33 characters": (policy("k" * 33 + ": y"), "sts.policy.bad-key"),
    "key without value": (policy("ext:"), "sts.policy.empty-value"),
    "control character": (policy("ext: a\x07b"), "sts.policy.control-character"),
    "comma list": (policy(mx="a.example, b.example"), "sts.policy.mx-list"),
    "blank list": (policy(mx="a.example b.example"), "sts.policy.mx-list"),
    "one bad mx among good": (policy("mx: *"), "sts.policy.mx-pattern"),
}
MAX_AGES = ["x", "-1", "+5", "1.5", "1e6", "0x10", "1_000", "604 800", "7d", "", "١٢٣", "²"]
LARGE_AGES = ["31557601", "9999999999", "99999999999", "9" * 5000]
PATTERNS = [
    "",
    "*",
    "*.",
    "**.a.example",
    "*.*.a.example",
    ".a.example",
    "mx.*.example",
    "mx*.a.example",
    "*mx.a.example",
    "a..example",
    "a-.example",
    "-a.example",
    "a_b.example",
    "192.0.2.1",
    "*.192.0.2.1",
    "[192.0.2.1]",
    "2001:db8::1",
    "https://a.example",
    "a.example:25",
    "10 mx.a.example",
    "x" * 64 + ".example",
    "mx.a.example;",
]


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_every_lawful_spelling_gives_the_same_policy(body: str):
    parsed = parse_policy(body.encode())

    assert parsed.value == StsPolicy(mode=Mode.ENFORCE, max_age_s=2592000, mx=("mx1.a.example",))
    assert parsed.findings == ()


@pytest.mark.parametrize("body", VALID.values(), ids=VALID)
def test_a_valid_policy_has_no_warning(body: str):
    parsed = parse_policy(body)

    assert parsed.value is not None
    assert {finding.severity.value for finding in parsed.findings} <= {"info"}


@pytest.mark.parametrize(("body", "code"), RISKY.values(), ids=RISKY)
def test_a_risky_policy_is_used_with_a_warning(body: str, code: str):
    parsed = parse_policy(body)

    assert parsed.value is not None
    assert (parsed.value.mode, parsed.value.mx) == (Mode.ENFORCE, ("mx1.a.example",))
    assert [(f.code, f.severity.value) for f in parsed.findings] == [(code, "warning")]


@pytest.mark.parametrize(("body", "code"), INVALID.values(), ids=INVALID)
def test_an_invalid_policy_names_the_exact_mistake(body: str, code: str):
    parsed = parse_policy(body.encode())

    assert parsed.value is None
    assert {f.code for f in parsed.findings if f.severity == "error"} == {code}


@pytest.mark.parametrize("found", MAX_AGES)
def test_max_age_is_ascii_digits_and_nothing_else(found: str):
    parsed = parse_policy(policy(max_age=found))

    assert [finding.code for finding in parsed.findings] == ["sts.policy.max-age"]


@pytest.mark.parametrize("found", LARGE_AGES, ids=len)
def test_max_age_ends_at_a_year(found: str):
    parsed = parse_policy(policy(max_age=found))

    assert [finding.code for finding in parsed.findings] == ["sts.policy.max-age-range"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_mx_pattern_is_a_host_with_at_most_one_star_at_the_left(pattern: str):
    parsed = parse_policy(policy(mx=pattern))

    assert parsed.value is None
    assert {finding.code for finding in parsed.findings} <= {
        "sts.policy.mx-pattern",
        "sts.policy.mx-list",
    }


def test_an_mx_pattern_of_u_labels_gets_its_a_label():
    [finding] = parse_policy(policy(mx="møx.example")).findings

    assert finding.code == "sts.policy.mx-u-label"
    assert finding.params["suggestion"] == "xn--mx-lka.example"


@pytest.mark.parametrize("body", [b"\xff\xfev\x00", b"version: STSv1\nmode: \xff\n"])
def test_what_is_not_utf8_is_told(body: bytes):
    assert [f.code for f in parse_policy(body).findings] == ["sts.policy.encoding"]


def test_the_first_of_repeated_keys_counts():
    parsed = parse_policy(policy("mode: enforce", "max_age: 5", mode="none"))

    assert parsed.value is not None
    assert (parsed.value.mode, parsed.value.max_age_s) == (Mode.NONE, 2592000)


HOSTS = st.from_regex(r"(\*\.)?[a-z][a-z0-9]{0,8}\.(example|test)", fullmatch=True)
EXTENSIONS = st.tuples(
    st.from_regex(r"x[A-Za-z0-9_.-]{1,10}", fullmatch=True),
    st.from_regex(r"[!-~][ -~]{0,10}[!-~]", fullmatch=True),
)
POLICIES = st.builds(
    StsPolicy,
    mode=st.sampled_from([Mode.ENFORCE, Mode.TESTING]),
    max_age_s=st.integers(0, MAX_AGE_LIMIT_S),
    mx=st.lists(HOSTS, min_size=1, max_size=5, unique=True).map(tuple),
    extensions=st.lists(EXTENSIONS, max_size=3).map(tuple),
)


@given(POLICIES)
def test_what_is_rendered_reads_back_the_same(value: StsPolicy):
    assert parse_policy(render_policy(value)).value == value


def test_an_unusable_policy_is_not_rendered():
    with pytest.raises(ValueError, match="mx-missing"):
        render_policy(StsPolicy(mode=Mode.ENFORCE, max_age_s=86400))


LINES = st.sampled_from(
    [
        *policy().splitlines(),
        *("mode: none", "mx: *", "mx: *.b.example", "max_age: " + "9" * 30, "Version: STSv1"),
        *("", " ", "x", "x:", "\ufeff", "\x00", "mode: enforce\r", "<html>", "{"),
    ]
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(LINES, max_size=9).map(lambda lines: "\n".join(lines).encode()),
        st.lists(LINES, max_size=9).map(lambda lines: "\r\n".join(lines).encode()),
    )
)
def test_no_bytes_raise_and_a_refusal_has_a_reason(body: bytes):
    parsed = parse_policy(body)

    assert (parsed.value is None) == parsed.has_errors
