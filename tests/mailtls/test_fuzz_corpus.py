"""Inputs that fuzzing found interesting: each still ends as it did when it was kept.

`bench/fuzz.py --keep tests/mailtls/data` writes them anew after a change of outcome.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.fuzz import TARGETS, fuzz

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_kept_input_ends_as_before(name: str):
    cases = json.loads((DATA / f"fuzz_{name}.json").read_text(encoding="utf-8"))

    outcomes = {case["input"]: TARGETS[name].run(case["input"]) for case in cases}

    assert outcomes == {case["input"]: tuple(case["outcome"]) for case in cases}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_short_fuzz_finds_nothing_that_raises(name: str):
    assert len(fuzz(TARGETS[name], 300, seed=7)) > 3
