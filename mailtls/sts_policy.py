"""The MTA-STS policy file (RFC 8461 section 3.2)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from mailtls.findings import Finding, Parsed, Severity, error, info, warning
from mailtls.mx_match import parse_pattern

# sts-policy-max-age-value = 1*10(DIGIT), while the text allows no more than 31557600, one year.
# Erratum 7282 (Reported) is about that gap; the text decides here, since some senders refuse.
MAX_AGE_LIMIT_S = 31_557_600
_MAX_AGE = re.compile(r"[0-9]{1,10}", re.ASCII)
# sts-policy-ext-name, and an sts-policy-ext-value of visible characters and inner blanks, UTF-8
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KNOWN_KEYS = ("version", "mode", "max_age", "mx")
_MISSING_CODES = {
    "version": "sts.policy.version-missing",
    "mode": "sts.policy.mode-missing",
    "max_age": "sts.policy.max-age-missing",
    "mx": "sts.policy.mx-missing",
}


class Mode(StrEnum):
    """What senders do with a host that fails the policy (RFC 8461 section 5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """A usable policy; `mx` holds folded patterns in the order of the file."""

    mode: Mode
    max_age_s: int
    mx: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form: `{"mode", "max_age", "mx"}`."""
        return {"mode": self.mode.value, "max_age": self.max_age_s, "mx": list(self.mx)}


@dataclass(slots=True, kw_only=True)
class _Lines:
    """The key-value pairs of a file with what was wrong around them."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def parse_policy(body: bytes | str) -> Parsed[StsPolicy]:
    """Read an MTA-STS policy file.

    Accepts LF as well as CRLF line ends (the ABNF of section 3.2 allows both). Unknown keys are
    kept in `extensions`. Of repeated keys other than `mx` the first counts. Never raises for bad
    input; `value` is None when a conforming sender would ignore the policy.
    """
    text, findings = _decode(body)
    if text is None:
        return Parsed(None, tuple(findings))
    foreign = _recognise_foreign(text)
    if foreign is not None:
        return Parsed(None, (*findings, foreign))
    if re.search(r"\r(?!\n)", text.removesuffix("\r")):
        return Parsed(None, (*findings, error("sts.policy.bare-cr")))
    lines = _cut_lines(text)
    findings += lines.findings
    values: dict[str, str] = {}
    patterns: list[str] = []
    extensions: list[tuple[str, str]] = []
    has_mx_line = False
    for key, value in lines.pairs:
        if key == "mx":
            has_mx_line = True
            parsed = parse_pattern(value)
            findings += parsed.findings
            if parsed.value in patterns:
                findings.append(info("sts.policy.mx-duplicate", mx=parsed.value))
            elif parsed.value is not None:
                patterns.append(parsed.value)
        elif key not in _KNOWN_KEYS:
            extensions.append((key, value))
        elif key in values:
            findings.append(warning("sts.policy.duplicate-key", key=key))
        else:
            values[key] = value
    mode, max_age_s = _read_values(values, findings)
    required = {"version", "mode", "max_age"} | ({"mx"} if mode is not Mode.NONE else set())
    present = set(values) | ({"mx"} if has_mx_line else set())
    unknown = [key for key, _ in extensions]
    findings += _explain_missing(required - present, unknown)
    findings += _explain_unknown(unknown, required - present)
    if mode is None or max_age_s is None or _has_error(findings):
        return Parsed(None, tuple(findings))
    policy = StsPolicy(
        mode=mode, max_age_s=max_age_s, mx=tuple(patterns), extensions=tuple(extensions)
    )
    return Parsed(policy, tuple(findings))


def render_policy(policy: StsPolicy) -> str:
    """Give the file of a policy, with CRLF line ends; raises ValueError if it would be unusable."""
    pairs = [("version", "STSv1"), ("mode", policy.mode.value)]
    pairs += [("mx", pattern) for pattern in policy.mx]
    pairs += [("max_age", str(policy.max_age_s)), *policy.extensions]
    text = "".join(f"{key}: {value}\r\n" for key, value in pairs)
    parsed = parse_policy(text)
    if parsed.value != policy:
        codes = ", ".join(finding.code for finding in parsed.findings)
        raise ValueError(f"These values make no MTA-STS policy: {codes or 'not in folded form'}")
    return text


def _decode(body: bytes | str) -> tuple[str | None, list[Finding]]:
    if isinstance(body, str):
        text = body
    elif body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, [error("sts.policy.encoding")]
    else:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return None, [error("sts.policy.encoding")]
    if text.startswith("\ufeff"):
        return text.removeprefix("\ufeff"), [warning("sts.policy.bom")]
    return text, []


def _recognise_foreign(text: str) -> Finding | None:
    """Name content that is no policy file at all, instead of a list of syntax errors."""
    head = text.lstrip()[:200].lower()
    if not head:
        return error("sts.policy.empty")
    if head.startswith("<"):
        return error("sts.policy.html")
    if head.startswith("{"):
        return error("sts.policy.json")
    if re.match(r"\"?v=stsv1\s*;", head):
        return error("sts.policy.is-record")
    return None


def _cut_lines(text: str) -> _Lines:
    result = _Lines()
    # One finding per kind of oddity: a file with 40 indented lines has one problem.
    seen: set[str] = set()
    for number, raw in enumerate(re.split(r"\r?\n", text.removesuffix("\n").removesuffix("\r")), 1):
        line = raw.strip(" \t")
        if not line:
            _add_once(result, seen, warning("sts.policy.blank-line", line=number))
            continue
        if raw[0] in " \t":
            _add_once(result, seen, warning("sts.policy.leading-space", line=number))
        fault = _find_line_fault(line, number)
        if fault is not None:
            _add_once(result, seen, fault)
            continue
        key, _, value = line.partition(":")
        result.pairs.append((key, value.strip(" \t")))
    return result


def _add_once(lines: _Lines, seen: set[str], finding: Finding) -> None:
    if finding.code not in seen:
        lines.findings.append(finding)
    seen.add(finding.code)


def _find_line_fault(line: str, number: int) -> Finding | None:
    found = line[:120]
    key, colon, value = line.partition(":")
    value = value.strip(" \t")
    if line.startswith(("#", "//")):
        return error("sts.policy.comment", line=number, found=found)
    if not colon:
        return error("sts.policy.no-colon", line=number, found=found)
    if key.rstrip(" \t") != key and _KEY.fullmatch(key.rstrip(" \t")):
        return error("sts.policy.space-before-colon", line=number, found=found)
    if not _KEY.fullmatch(key):
        return error("sts.policy.bad-key", line=number, found=found)
    # An empty value of a known key is named by that key's own rule.
    if not value and key not in _KNOWN_KEYS:
        return error("sts.policy.empty-value", line=number, found=found)
    if _CONTROL.search(value.replace("\t", " ")) or (key not in _KNOWN_KEYS and "\t" in value):
        return error("sts.policy.control-character", line=number)
    return None


def _read_values(values: dict[str, str], findings: list[Finding]) -> tuple[Mode | None, int | None]:
    """Read version, mode and max_age as far as present; what is wrong goes to `findings`."""
    version = values.get("version", "STSv1")
    if version != "STSv1":
        findings.append(error("sts.policy.version", found=version[:40]))
    mode: Mode | None = None
    if "mode" in values:
        found = values["mode"]
        mode = next((known for known in Mode if known.value == found), None)
        if mode is None:
            findings.append(
                error("sts.policy.mode", found=found[:40], suggestion=_guess_mode(found))
            )
    max_age_s: int | None = None
    if "max_age" in values:
        max_age_s = _read_max_age(values["max_age"], findings)
    return mode, max_age_s


def _guess_mode(found: str) -> str | None:
    folded = found.lower().strip("\"' ")
    if folded in ("report", "test", "monitor"):
        return Mode.TESTING.value
    close = difflib.get_close_matches(folded, [mode.value for mode in Mode], n=1)
    return close[0] if close else None


def _read_max_age(found: str, findings: list[Finding]) -> int | None:
    digits = found.isascii() and found.isdigit()
    if not digits:
        findings.append(error("sts.policy.max-age", found=found[:40]))
        return None
    if not _MAX_AGE.fullmatch(found) or int(found) > MAX_AGE_LIMIT_S:
        findings.append(
            error("sts.policy.max-age-range", found=found[:40], limit_s=MAX_AGE_LIMIT_S)
        )
        return None
    if int(found) == 0:
        findings.append(warning("sts.policy.max-age-zero"))
    return int(found)


def _explain_missing(missing: set[str], unknown: list[str]) -> list[Finding]:
    """Name each missing key, by the misspelt or wrongly cased key where one stands there."""
    findings = []
    for key in (key for key in _KNOWN_KEYS if key in missing):
        cased = next((name for name in unknown if name.lower() == key), None)
        close = _find_misspelling(key, unknown)
        if cased is not None:
            findings.append(error("sts.policy.key-case", found=cased, key=key))
        elif close is not None:
            findings.append(error("sts.policy.key-misspelt", found=close, key=key))
        else:
            findings.append(error(_MISSING_CODES[key]))
    return findings


def _explain_unknown(unknown: list[str], missing: set[str]) -> list[Finding]:
    named = {name for key in missing if (name := _find_misspelling(key, unknown))}
    return [
        warning("sts.policy.unknown-key", key=name)
        for name in dict.fromkeys(unknown)
        if name not in named and name.lower() not in missing
    ]


def _find_misspelling(key: str, unknown: list[str]) -> str | None:
    """Find the unknown key that was probably meant: `nmx` was seen in a live enforce policy."""
    if key == "mx":
        return next(
            (name for name in unknown if re.fullmatch(r"\w?mxs?\d*\w?|mail|host", name)), None
        )
    folded = {name.lower().replace("-", "_"): name for name in unknown}
    close = difflib.get_close_matches(key, list(folded), n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def _has_error(findings: list[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)
