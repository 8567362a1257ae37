"""What the pages of failures are about: domains, days and a cause, as their address says."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.access import Person, teams_for
from domains.filters import NO_TEAM
from domains.models import NO_PROVIDER, StsMode
from domains.operators import provider_at
from mailtls.catalogue.result_types import Concern
from reports.cause_key import CauseKey
from reports.charts import fleet_reports_href
from reports.fleet import Fleet
from reports.under_enforce import of_concern
from tlsrpt_portal.pages.span import Span, read_span
from tlsrpt_portal.pages.team_choice import read_team

# What becomes of the mail of failed sessions, by what they failed of.
CONCERNS = {
    Concern.CONNECTION.value: "Refused under enforce",
    Concern.POLICY.value: "Policy not read",
    Concern.DANE.value: "Held back under DANE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for: domains, days, one cause or any, its own narrowing, and the order
    of the groups where it is not the groups' own."""

    domains: Fleet
    span: Span
    cause: str
    concern: str
    scope: dict[str, str]
    order: tuple[str, ...]

    @property
    def is_of_causes(self) -> bool:
        """Say whether only some causes are asked for; only groups by cause can tell them apart."""
        return bool(self.cause or self.concern)

    @property
    def types(self) -> Q:
        """Give the condition on result types of the causes that are asked for."""
        named = Q(result_type=self.cause) if self.cause else Q()
        return named & of_concern(Concern(self.concern)) if self.concern else named

    def group_href(self, cause: CauseKey, **query: str) -> str:
        """Give the page of a cause within the same days and narrowing."""
        within = {**cause.in_address, **self.scope, "days": str(self.span.days)}
        return group_href(cause=cause.result_type, **within, **query)

    def reports_href(self, **query: str) -> str:
        """Give the reports that these figures come from, narrowed further."""
        return fleet_reports_href(**self.scope, **self.span.in_reports, **query)

    def day_href(self, **query: str) -> str:
        """Give the reports of the day that stands for DAY in it, narrowed further."""
        return fleet_reports_href(day="DAY", **self.scope, **query)

    def list_href(self, **query: str) -> str:
        """Give the failures within the same days and narrowing."""
        return failures_href(**{**self.scope, **query}, days=str(self.span.days))


def read_asked(request: HttpRequest) -> Asked:
    """Read the address: the watched domains this person may see, of one team, mode or provider."""
    team = read_team(request)
    scope = team.in_address
    mode: StsMode | None = None
    if (word := request.GET.get("sts", "")) in StsMode.values:
        mode = StsMode(word)
        scope["sts"] = mode
    if provider := request.GET.get("provider", "")[:100]:
        scope["provider"] = provider
    concern = request.GET.get("concern", "")
    return Asked(
        domains=Fleet(request.user, team.key, mode, provider),
        span=read_span(request),
        cause=request.GET.get("cause", ""),
        concern=concern if concern in CONCERNS else "",
        scope=scope,
        order=tuple(name for name in request.GET.get("sort", "").split(",") if name),
    )


def scope_words(scope: dict[str, str], person: Person) -> str:
    """Give in words what the figures are narrowed to; empty for everything.

    A team that is not this person's is not named.
    """
    words: list[str] = []
    if scope.get("team") == NO_TEAM:
        words.append("domains that belong to no team")
    elif "team" in scope:
        named = teams_for(person).filter(pk=int(scope["team"]))
        words.append(named.values_list("name", flat=True).first() or "another team")
    if "sts" in scope:
        words.append(f"domains whose policy is in mode {scope['sts']}")
    if "provider" in scope:
        words.append(provider_words(scope["provider"]))
    return ", ".join(words)


def provider_words(provider: str) -> str:
    """Give an MX provider of the address in words."""
    return "Own or unknown hosts" if provider == NO_PROVIDER else provider


def operator_words(operator: str) -> str:
    """Give an operator of MX hosts in words; empty is where no host is named."""
    if not operator:
        return "no MX named"
    provider = provider_at(operator)
    return f"{provider} ({operator})" if provider else operator


def failures_href(**query: str) -> str:
    """Give the address of the failures that these parameters leave."""
    return f"{reverse('failures:list')}?{urlencode(query)}"


def group_href(**query: str) -> str:
    """Give the address of the page of one cause."""
    return f"{reverse('failures:group')}?{urlencode(query)}"
