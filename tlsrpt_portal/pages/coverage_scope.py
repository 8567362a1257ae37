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

    @property
    def is_today(self) -> bool:
        """Say whether the day is not over yet."""
        return self.on == self.today

    @property
    def query(self) -> str:
        """Give the address parameters that mean the same."""
        return urlencode({"on": self.on.isoformat()} | ({"team": self.team} if self.team else {}))


def read_scope(request: HttpRequest) -> Scope:
    """Read day and team; whatever is none means today, and all one may see."""
    domains = Domain.objects.visible_to(request.user).active()
    today = timezone.now().date()
    teams = tuple(teams_for(request.user))
    asked = read_team(request)
    chosen = next((team for team in teams if team.pk == asked.key), None)
    team = ""
    if chosen is not None or asked.is_none:
        team, domains = asked.word, asked.narrow(domains)
    if chosen is not None:
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
        domains=domains,
        words=words,
        on=read_day(request),
        today=today,
        team=team,
        teams=teams,
        choices=team_choices(request.user, teams),
    )


def read_day(request: HttpRequest) -> date:
    """Read the day; whatever is none, or is still to come, means today."""
    today = timezone.now().date()
    try:
        day = date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return today
    return min(day, today)
