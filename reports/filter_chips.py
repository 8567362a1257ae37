"""What a list of reports is narrowed to beside its visible filters, each with a way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http.request import QueryDict

from accounts.access import Person, teams_for
from domains.models import NO_PROVIDER
from reports.filters import ABOUT_CHOICES
from reports.signs import cause_name
from reports.sum_models import NO_TEAM
from webui.wording import day, isolated


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words, and the address of the list without it."""

    words: str
    href_without: str


def chips_of(query: QueryDict, asked: Mapping[str, Any], person: Person) -> list[Chip]:
    """Give a chip for each condition that no visible filter shows, in words for this person."""
    since, until = asked["since"], asked["until"]
    words: dict[tuple[str, ...], str] = {
        ("about",): dict(ABOUT_CHOICES).get(asked["about"], ""),
        ("team",): _team(asked["team"], person),
        ("sts",): f"Policy in mode {asked['sts']}" if asked["sts"] else "",
        ("provider",): _provider(asked["provider"]),
        ("reporter",): f"By {isolated(asked['reporter'])}" if asked["reporter"] else "",
        ("cause", "operator", "mx"): _cause(asked["cause"], query.get("operator"), query.get("mx")),
        ("since", "until"): " ".join(
            f"{word} {day(value)}" for word, value in (("From", since), ("to", until)) if value
        ),
    }
    return [Chip(text, address_without(query, *names)) for names, text in words.items() if text]


def _team(pk: Any, person: Person) -> str:
    if pk is None:
        return ""
    if pk == NO_TEAM:
        return "No team"
    name = teams_for(person).filter(pk=int(pk)).values_list("name", flat=True).first()
    return f"Team {name}" if name else "Another team"


def _provider(provider: str) -> str:
    if not provider:
        return ""
    return "Own or unknown MX hosts" if provider == NO_PROVIDER else f"MX at {provider}"


def _cause(result_type: str, operator: str | None, receiving_mx: str | None) -> str:
    if not result_type:
        return ""
    place = operator if receiving_mx is None else receiving_mx
    where = "" if place is None else f" at {place}" if place else ", no MX named"
    return f"{cause_name(result_type)}{where}"


def address_without(query: QueryDict, *names: str) -> str:
    """Give the address of the first page of the list without these conditions."""
    left = query.copy()
    for name in (*names, "page"):
        left.pop(name, None)
    return f"?{left.urlencode()}"
