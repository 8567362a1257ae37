"""The span of days that a page shows, chosen in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest

from reports.queries import last_complete_days
from webui.addresses import read_number

CHOICES = (7, 30, 90, 365)
DEFAULT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One span to choose."""

    days: int
    href: str
    is_current: bool

    @property
    def words(self) -> str:
        """Give the span in words."""
        return "1 year" if self.days == 365 else f"{self.days} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The days a page shows; both ends belong to it, the last is the last complete day."""

    days: int
    since: date
    until: date
    choices: tuple[Choice, ...]

    @property
    def in_reports(self) -> dict[str, str]:
        """Give what narrows the list of reports to the same days."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}


def read_span(request: HttpRequest) -> Span:
    """Give the span that `?days=` asks for, or the usual one."""
    asked = read_number(request.GET.get("days", ""))
    days = asked if asked in CHOICES else DEFAULT
    since, until = last_complete_days(days)
    choices = []
    for choice in CHOICES:
        query = request.GET.copy()
        query["days"] = str(choice)
        choices.append(Choice(days=choice, href=f"?{query.urlencode()}", is_current=choice == days))
    return Span(days=days, since=since, until=until, choices=tuple(choices))
