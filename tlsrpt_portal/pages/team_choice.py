"""The choice of a team on pages of the fleet: one of the person's teams, none, or any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.access import Person, sees_everything, teams_for
from accounts.models import Team
from domains.filters import NO_TEAM
from domains.models import DomainQuerySet
from reports import sum_models
from webui.addresses import read_number


@dataclass(frozen=True, slots=True)
class ChosenTeam:
    """Whose domains are asked for: the key of a team, that of no team, or None for any."""

    key: int | None = None

    @property
    def word(self) -> str:
        """Give it as addresses name it; empty for any."""
        if self.key is None:
            return ""
        return NO_TEAM if self.is_none else str(self.key)

    @property
    def is_none(self) -> bool:
        """Say whether the domains that belong to no team are meant."""
        return self.key == sum_models.NO_TEAM

    @property
    def in_address(self) -> dict[str, str]:
        """Give the address parameters that mean the same."""
        return {"team": self.word} if self.word else {}

    def narrow(self, domains: DomainQuerySet) -> DomainQuerySet:
        """Narrow domains to those of the team, or of none."""
        return domains if self.key is None else domains.filter(team=self.key or None)


def read_team(request: HttpRequest) -> ChosenTeam:
    """Read the team; whatever is none means any."""
    word = request.GET.get("team", "")
    return ChosenTeam(sum_models.NO_TEAM if word == NO_TEAM else read_number(word))


def team_choices(person: Person, teams: Iterable[Team] | None = None) -> list[tuple[str, str]]:
    """Give the person's teams to choose from; no team to those who may see such domains."""
    found = teams_for(person) if teams is None else teams
    choices = [(str(team.pk), team.name) for team in found]
    return [*choices, (NO_TEAM, "No team")] if sees_everything(person) else choices
