"""What an incident should show: rules of every kind bring their causes into this form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from alerts.causes import DomainFigures
from alerts.rules.kinds import Severity
from alerts.words import failing_days
from mailtls.catalogue.result_types import UNKNOWN, describe_result_type
from mailtls.names import display_name
from webui.wording import day, failure_rate, isolated, number, plural

SHOWN_REPORTERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One cause as its incident tells it."""

    key: str
    title: str
    sentence: str
    severity: Severity
    since_on: date
    last_on: date
    domains: Mapping[str, DomainFigures]
    # The newest check that saw it; None where it comes from the figures of whole days.
    checked_at: datetime | None = None
    result_type: str = ""
    receiving_mx: tuple[str, ...] = ()
    reporters: tuple[str, ...] = ()
    failed_sessions: int = 0
    sessions: int = 0
    failed_first_on: date | None = None
    failed_last_on: date | None = None
    # The sentence for those who do not see all domains, where it tells of the sessions of all.
    sentence_for_some: str = ""
    # Whether a domain that is named no more is out of it; else it stays as one that was touched.
    names_all: bool = False
    # What the rule needs to know the cause again.
    evidence: Mapping[str, Any] = field(default_factory=dict)


def told(picture: Picture, before: str = "") -> tuple[str, str]:
    """Give the sentence as `step` takes it, for all and for some; `before` stands before both."""
    for_some = picture.sentence_for_some
    return before + picture.sentence, before + for_some if for_some else ""


def told_again(picture: Picture, by_person: bool) -> tuple[str, str]:
    """Give the sentence for what comes back; a person said it was over, or the portal did."""
    if picture.checked_at is None:
        return told(picture)
    at = picture.checked_at.astimezone(UTC)
    how = "still sees it" if by_person else "sees it again"
    return told(picture, f"The check of {day(at.date())} {at:%H:%M} UTC {how}: ")


def where(names: Mapping[str, object]) -> str:
    """Give the place for a title: the domain, or how many."""
    if len(names) == 1:
        return isolated(display_name(next(iter(names))))
    return plural(len(names), "domain")


def failure_title(result_type: str, names: Mapping[str, object]) -> str:
    """Give the title of failing sessions."""
    what = describe_result_type(result_type)
    # A type that is not registered says more by its own name.
    title = result_type if what is UNKNOWN else what.title
    return f"{title} at {where(names)}"[:300]


def failure_sentences(picture: Picture) -> tuple[str, str]:
    """Say how many of how many failed, where, since when, and who says so; with and without the
    numbers."""
    rate = failure_rate(picture.failed_sessions, picture.sessions)
    days = failing_days(picture.failed_first_on, picture.failed_last_on)
    reporters = ", ".join(map(isolated, picture.reporters[:SHOWN_REPORTERS]))
    where_and_when = (
        f"at {plural(len(picture.domains), 'domain')} {days}; reported by {reporters.rstrip('.')}."
    )
    many = f"{number(picture.failed_sessions)} of {plural(picture.sessions, 'session')} failed"
    return f"{many} ({rate}) {where_and_when}", f"Sessions failed {where_and_when}"
