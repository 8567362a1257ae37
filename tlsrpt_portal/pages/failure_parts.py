"""The parts of a cause as its page shows them, and where they are in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reports import cause_parts
from reports.cause_key import CauseKey
from reports.cause_parts import Part, Parts
from reports.fleet import Scope
from tlsrpt_portal.pages.failure_scope import operator_words
from tlsrpt_portal.pages.span import Span

MOST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A cause taken apart; `by_place` by operator, of a cause at one operator by its hosts."""

    by_domain: Parts
    by_reporter: list[Part]
    by_place: Parts


def read_parts(domains: Scope, cause: CauseKey, span: Span, most: int | None) -> Taken:
    """Take a cause apart: the first domains and hosts, or all."""
    asked = domains, cause, span.since, span.until
    nothing = Parts(shown=[], count=0)
    if not (told := cause_parts.told_of(*asked)):
        return Taken(by_domain=nothing, by_reporter=[], by_place=nothing)
    if cause.receiving_mx is not None:
        by_place = nothing
    elif cause.operator is not None:
        by_place = cause_parts.parts_by_host(*asked, most)
    else:
        operators = cause_parts.parts_by_operator(told, *asked)
        by_place = Parts(shown=operators, count=len(operators))
    return Taken(
        by_domain=cause_parts.parts_by_domain(*asked, most),
        by_reporter=cause_parts.parts_by_reporter(told),
        by_place=by_place,
    )


def at_place(cause: CauseKey, place: str) -> CauseKey:
    """Give the part of a cause at one operator or, where it is at one already, at one host."""
    if cause.operator is None:
        return replace(cause, operator=place)
    return replace(cause, receiving_mx=place)


def place_of(cause: CauseKey) -> str:
    """Give in words where a cause is; empty for anywhere."""
    if cause.receiving_mx is not None:
        return cause.receiving_mx or "no MX named"
    return "" if cause.operator is None else operator_words(cause.operator)


def place_words(cause: CauseKey, place: str) -> str:
    """Give a part's place in words: an operator, or a host of one."""
    if cause.operator is None:
        return operator_words(place)
    return place or "not named"
