"""Which domains, and which day, a view of the coverage is about: in its address and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from accounts.access import sees_everything, teams_for
from accounts.models import Team
from domains.models import Domain, DomainQuerySet
from tlsrpt_portal.pages.team_choice import read_team, team_choices
from webui.wording import isolated, sentence_list

# More names than a sentence holds are counted.
MOST_NAMES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Some domains on a day."""

    domains: DomainQuerySet
    words: str
    on: date
    today: date
    # The chosen team as it stands in the address; empty for all.
    team: str
    teams: tuple[Team, ...]
    choices: list[tuple[str, str]]
    # A team that is asked for, and is not there or not this person's to see.
    is_team_unknown: bool
    # The day that is asked for, where it is still to come and today stands for it.
    day_ahead: date | None

    @property
    def is_today(self) -> bool:
        """Say whether the day is not over yet."""
        return self.on == self.today

    @property
    def query(self) -> str:
        """Give the address parameters that mean the same."""
        return urlencode({"on": self.on.isoformat()} | ({"team": self.team} if self.team else {}))


def read_scope(request: HttpRequest) -> Scope:
    """Read day and team; whatever is none means today, and all one may see.

    A team that is not there, or not this person's, has no domains.
    """
    domains = Domain.objects.visible_to(request.user).active()
    today = timezone.now().date()
    teams = tuple(teams_for(request.user))
    asked = read_team(request)
    chosen = next((team for team in teams if team.pk == asked.key), None)
    is_team_unknown = bool(asked.word) and chosen is None and not asked.is_none
    if is_team_unknown:
        words = "no domains, as this person sees no such team"
    elif chosen is not None:
        words = f"the watched domains of the team {isolated(chosen.name)}"
    elif asked.is_none:
        words = "the watched domains that belong to no team"
    elif sees_everything(request.user):
        words = "all watched domains of all teams"
    elif teams:
        names = sentence_list([isolated(one.name) for one in teams], MOST_NAMES)
        kind = "team" if len(teams) == 1 else "teams"
        words = f"the watched domains of the {kind} {names}, which are all this person may see"
    else:
        words = "no domains, as this person belongs to no team"
    return Scope(
        domains=asked.narrow(domains),
        words=words,
        on=read_day(request),
        today=today,
        team=asked.word,
        teams=teams,
        choices=team_choices(request.user, teams),
        is_team_unknown=is_team_unknown,
        day_ahead=find_day_ahead(request),
    )


def read_day(request: HttpRequest) -> date:
    """Read the day; whatever is none, or is still to come, means today."""
    today = timezone.now().date()
    return min(_asked_day(request) or today, today)


def find_day_ahead(request: HttpRequest) -> date | None:
    """Give the day that is asked for where it is still to come, to say that it is not shown."""
    day = _asked_day(request)
    return day if day is not None and day > timezone.now().date() else None


def _asked_day(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return None
