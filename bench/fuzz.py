#!/usr/bin/env python3
"""Feeds damaged inputs to the parsers: nothing may raise, hang, or refuse without a reason.

python bench/fuzz.py --inputs 1000000 [--seed 1] [--only sts_policy] [--keep tests/mailtls/data]

With --keep, the shortest input found for each new outcome is written down; tests replay them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from mailtls import mx_match, names, sts_policy, sts_record, tlsrpt_record
from prober.dns_wire import BadAnswerError, pack_question, unpack_answer

SLOW_S = 0.05
MAX_KEPT = 200


@dataclass(frozen=True)
class Target:
    """A parser: what it is fed with, and what comes out as a comparable outcome."""

    seeds: Sequence[str]
    pieces: Sequence[str]
    run: Callable[[str], tuple[str, ...]]


def run_tlsrpt_record(text: str) -> tuple[str, ...]:
    """Read a record, and a set with it."""
    parsed = tlsrpt_record.parse_record(text)
    assert (parsed.value is None) == parsed.has_errors
    if parsed.value is not None:
        again = tlsrpt_record.parse_record(tlsrpt_record.render_record(parsed.value.rua))
        assert again.value is not None
        assert again.value.rua == parsed.value.rua
    tlsrpt_record.select_record((text, "v=TLSRPTv1; rua=mailto:a@b.example"))
    return outcome(parsed)


def run_sts_record(text: str) -> tuple[str, ...]:
    """Read a record, and a set with it."""
    parsed = sts_record.parse_record(text)
    assert (parsed.value is None) == parsed.has_errors
    if parsed.value is not None:
        again = sts_record.parse_record(sts_record.render_record(parsed.value.id))
        assert again.value is not None
        assert again.value.id == parsed.value.id
    sts_record.select_record((text, "v=STSv1; id=1"))
    return outcome(parsed)


def run_sts_policy(text: str) -> tuple[str, ...]:
    """Read a file as text and as bytes."""
    parsed = sts_policy.parse_policy(text.encode("utf-8", "surrogatepass"))
    assert (parsed.value is None) == parsed.has_errors
    sts_policy.parse_policy(text.encode("utf-16", "surrogatepass"))
    if parsed.value is not None:
        again = sts_policy.parse_policy(sts_policy.render_policy(parsed.value))
        assert again.value == parsed.value
    return outcome(parsed)


def run_mx_match(text: str) -> tuple[str, ...]:
    """Match the two halves of a text with each other."""
    host, _, pattern = text.partition("|")
    is_match = mx_match.matches(host, pattern)
    if is_match:
        assert host.strip().rstrip(".").count(".") == pattern.strip().rstrip(".").count(".") or (
            not (host + pattern).isascii()
        )
    parsed = mx_match.parse_pattern(pattern)
    return (str(is_match), *outcome(parsed))


def run_names(text: str) -> tuple[str, ...]:
    """Read a domain; what comes out reads as itself."""
    parsed = names.parse_domain(text)
    if parsed.value is not None:
        assert names.parse_domain(parsed.value).value == parsed.value
        names.display_name(parsed.value)
    return outcome(parsed)


_QUESTION = pack_question("_smtp._tls.example.com", 16)


def run_dns_answer(text: str) -> tuple[str, ...]:
    """Read a datagram."""
    try:
        message = unpack_answer(text.encode("latin-1", "replace"), 7, _QUESTION)
    except BadAnswerError as error:
        return (str(error).split(":")[0],)
    return (str(message.rcode), str(len(message.answers)), str(message.is_truncated))


def outcome(parsed: Any) -> tuple[str, ...]:
    """Give what tells one result from another: usable or not, and the codes."""
    codes = sorted({finding.code for finding in parsed.findings})
    return ("valid" if parsed.value is not None else "invalid", *codes)


def _dns_seeds() -> list[str]:
    head = b"\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01" + _QUESTION
    text = b"\x22v=TLSRPTv1; rua=mailto:a@b.example"
    record = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x01\x2c" + len(text).to_bytes(2, "big") + text
    opt = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x06\x00\x0f\x00\x02\x00\x06"
    alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x02\xc0\x12"
    return [(head + part + opt).decode("latin-1") for part in (record, alias, record[:20])]


_POLICY = (
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.a.example\r\nmx: *.b.example\r\nmax_age: 604800\r\n"
)

TARGETS = {
    "tlsrpt_record": Target(
        ["v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d; e=f;", "v=TLSRPTv1;rua=x"],
        [
            *(";", ",", "=", "!", " ", "\t", '"', "\\", "%", "%21", "//", "\x00", "\ufeff", "ü"),
            *("rua=", "RUA=", "mailto:", "https://", "http:", "a@b.example", "x" * 33),
            *("v=TLSRPTv1", "v=TLSRPTv2", "TSLRPT"),
        ],
        run_tlsrpt_record,
    ),
    "sts_record": Target(
        ["v=STSv1; id=20260101T000000; more=x;", "v=STSv1;id=1"],
        [
            *(";", "=", " ", "\t", "-", '"', "\\", "é", "\x00", "a=b", "1" * 33),
            *("id=", "ID=", "v=STSv1", "v=STSv2"),
        ],
        run_sts_record,
    ),
    "sts_policy": Target(
        [_POLICY, _POLICY.replace("\r", ""), "version: STSv1\nmode: none\nmax_age: 0\n"],
        [
            *("\r\n", "\n", "\r", " ", "\t", ":", "=", ",", "<", "{", "ü", "\x00", "\ufeff"),
            *("\u0661", "a.example.", "x" * 33, "#\n", "mx: *", "mx: ", "mx: m*.a.example\n"),
            *("mode: testing\n", "Mode: none\n", "max_age: 99999999999\n", "nmx: a.example\n"),
            "version: STSv2\n",
        ],
        run_sts_policy,
    ),
    "mx_match": Target(
        ["mx.a.example|*.a.example", "mx.a.example.|mx.a.example", "mx.bücher.example|*.x"],
        ["*", ".", "*.", "|", "a", "-", "ü", "xn--", "..", " ", ",", "1.2.3.4", "\x00", "_"],
        run_mx_match,
    ),
    "names": Target(
        ["example.com", "bücher.example", "xn--bcher-kva.example", "EXAMPLE.com."],
        [
            *(".", "-", "xn--", "ü", "\u3002", "\u200d", "ß", "@", "://", ":", "[", "_", " "),
            *("a" * 64, "1", "\ud800", "\x00", "\u0130", "\u03c2", "\u0660"),
        ],
        run_names,
    ),
    "dns_answer": Target(
        _dns_seeds(),
        ["\xc0\x0c", "\xc0", "\x00", "\xff", "\x3f", "\x00\x10\x00\x01", "\x00\x05", "\x81\x83"],
        run_dns_answer,
    ),
}


def mutate(chance: random.Random, text: str, pieces: Sequence[str]) -> str:
    """Give a text with a few cuts, doublings, swaps and insertions."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randint(0, len(text))
        kind = chance.random()
        if kind < 0.45:
            text = text[:place] + chance.choice(pieces) + text[place:]
        elif kind < 0.65:
            text = text[:place] + text[place + chance.randint(1, 6) :]
        elif kind < 0.75:
            end = place + chance.randint(1, 20)
            text = text[:end] + text[place:]
        elif kind < 0.9 and text:
            place = min(place, len(text) - 1)
            changed = chr((ord(text[place]) + chance.choice((1, 32, 128, -32))) % 0x250)
            text = text[:place] + changed + text[place + 1 :]
        else:
            text = text[:place] + chr(chance.randint(0, 0x2FF)) + text[place:]
    return text[:2000]


def fuzz(target: Target, inputs: int, seed: int) -> dict[tuple[str, ...], str]:
    """Give the shortest input found for each outcome; raises at the first that misbehaves."""
    chance = random.Random(seed)
    found: dict[tuple[str, ...], str] = {}
    pool = list(target.seeds)
    for _ in range(inputs):
        text = mutate(chance, chance.choice(pool), target.pieces)
        # Time of this thread alone: a busy machine makes no input slow.
        started = time.thread_time()
        try:
            result = target.run(text)
        except Exception as error:
            raise SystemExit(f"{error!r} for {text!r}") from error
        if time.thread_time() - started > SLOW_S:
            print(f"slow: {text[:200]!r}", file=sys.stderr)
        known = found.get(result)
        if known is None or len(text) < len(known):
            found[result] = text
            if known is None and len(pool) < 2000:
                pool.append(text)
    return found


def keep(directory: Path, name: str, found: dict[tuple[str, ...], str]) -> None:
    """Write down the inputs with the plainest outcomes, for tests to replay."""
    plainest = sorted(found.items(), key=lambda item: (len(item[0]), item))[:MAX_KEPT]
    cases = [{"input": text, "outcome": list(result)} for result, text in plainest]
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"fuzz_{name}.json"
    path.write_text(json.dumps(cases, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def main() -> None:
    """Fuzz every parser and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(TARGETS))
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY")
    arguments = parser.parse_args()
    for name, target in TARGETS.items():
        if arguments.only in (None, name):
            started = time.perf_counter()
            found = fuzz(target, arguments.inputs, arguments.seed)
            took_s = time.perf_counter() - started
            print(f"{name}: {arguments.inputs} inputs, {len(found)} outcomes, {took_s:.0f} s")
            if arguments.keep:
                keep(arguments.keep, name, found)


if __name__ == "__main__":
    main()
