"""Which domain of the inventory a result is about."""

from __future__ import annotations

import json

import pytest

from mailtls.report import Hints, Report, parse_report
from reports.attribution import (
    attribute,
    domain_of_report_id,
    mx_hosts_to_look_up,
    names_to_look_up,
)
from tests.mailtls.samples import policy_entry, report

MANAGED = {"a.example": 1, "b.example": 2}


def read(**changes: object) -> Report:
    value = parse_report(json.dumps(report(**changes)).encode()).value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("entries", "report_id", "hints", "expected"),
    [
        pytest.param([("sts", "a.example")], "1", Hints(), [1], id="by name"),
        pytest.param(
            [("sts", "x.example")], "1", Hints(policy_domains=("a.example",)), [None], id="foreign"
        ),
        pytest.param(
            [("tlsa", "mx.h.example")],
            "1",
            Hints(policy_domains=("a.example",)),
            [1],
            id="MX by header",
        ),
        pytest.param(
            [("tlsa", "mx.h.example"), ("sts", "b.example")],
            "1",
            Hints(),
            [2, 2],
            id="MX by neighbour",
        ),
        pytest.param(
            [("tlsa", "mx.h.example"), ("sts", "b.example"), ("sts", "a.example")],
            "1",
            Hints(),
            [None, 2, 1],
            id="MX of two",
        ),
        pytest.param(
            [("no-policy-found", None)],
            "2026-03-10T00:00:00Z_idx1_b.example",
            Hints(),
            [2],
            id="report-id",
        ),
        pytest.param(
            [("no-policy-found", None)], "123+a.example", Hints(), [1], id="Microsoft's report-id"
        ),
        pytest.param(
            [("no-policy-found", None)], "1", Hints(recipients=("a.example",)), [1], id="recipient"
        ),
        pytest.param([("no-policy-found", None)], "1", Hints(), [None], id="nothing"),
    ],
)
def test_results_find_their_domain(entries, report_id, hints, expected):
    parsed = read(
        report_id=report_id, policies=[policy_entry(kind, domain) for kind, domain in entries]
    )

    assert attribute(parsed, hints, MANAGED) == expected
    found = {name for name in MANAGED if MANAGED[name] in expected}
    assert found <= names_to_look_up(parsed, hints)


@pytest.mark.parametrize(
    ("report_id", "domain"),
    [
        ("2026-03-10T00:00:00Z_a.example", "a.example"),
        ("20240225.A.example@remote.example", ""),
        ("1234567890+", ""),
        ("5065427c-23d3-47ca-b6e0-946ea0e8c4be", ""),
        ("x_a.example@sender.example", "a.example"),
    ],
)
def test_the_tail_of_a_report_id_may_be_a_domain(report_id, domain):
    assert domain_of_report_id(report_id) == domain


def test_an_mx_host_stands_for_its_domain_where_nothing_else_tells():
    entries = [policy_entry("tlsa", "mx.h.example"), policy_entry("sts", "mx.h.example")]
    alone = read(policies=entries)

    assert mx_hosts_to_look_up(alone, Hints(), MANAGED) == {"mx.h.example"}
    assert attribute(alone, Hints(), MANAGED, {"mx.h.example": 2}) == [2, None]


@pytest.mark.parametrize(
    ("hints", "others"),
    [(Hints(policy_domains=("a.example",)), []), (Hints(), [policy_entry("sts", "a.example")])],
    ids=["header", "neighbour"],
)
def test_what_the_report_tells_comes_before_the_mx_set(hints, others):
    told = read(policies=[policy_entry("tlsa", "mx.h.example"), *others])

    assert mx_hosts_to_look_up(told, hints, MANAGED) == set()
    assert attribute(told, hints, MANAGED, {"mx.h.example": 2})[0] == 1
