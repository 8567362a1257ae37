"""The API of the inventory: list, add, change, remove, check."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.pagination import paginate

from accounts import access
from accounts.api import person
from accounts.models import Team
from accounts.roles import Role
from domains.models import Domain, DomainQuerySet, Posture, StateChange, StsMode
from domains.models import Status as Known
from domains.services.edit_domains import UNCHANGED, delete_domains, update_domains
from domains.services.import_domains import Row, import_domains
from domains.services.request_checks import request_checks
from mailtls.names import fold_name
from webui.api_shapes import Body, Pages

router = Router(tags=["domains"])
# So many are taken before a proxy gives up on the answer; each batch of them is committed.
MOST_AT_ONCE = 10_000


class PostureOut(Schema):
    """What checks know of a domain, by aspect; the words of `checkdomain --json`."""

    checked_at: datetime
    unknown_since: datetime | None = None
    tlsrpt: str
    mta_sts: str
    sts_mode: str
    mx: str
    mx_provider: str
    dane: str
    starttls: str


class PostureDetail(PostureOut):
    """The same with the judgement in full, in the form of `checkdomain --json`."""

    judgement: dict[str, Any]


class DomainOut(Schema):
    """A domain with its current state; `posture` is null until it was checked."""

    domain: str = Field(alias="name")
    team: str | None = None
    owner: str
    tags: list[str]
    is_active: bool
    next_check_at: datetime
    posture: PostureOut | None = None

    @staticmethod
    def resolve_team(row: Domain) -> str | None:
        """Give the team's name."""
        return row.team.name if row.team else None

    @staticmethod
    def resolve_tags(row: Domain) -> list[str]:
        """Give the tags' names."""
        return [tag.name for tag in row.tags.all()]

    @staticmethod
    def resolve_posture(row: Domain) -> Posture | None:
        """Give the posture, if there is one yet."""
        return row.last_posture


class DomainDetail(DomainOut):
    """A domain with all that the newest check saw."""

    posture: PostureDetail | None = None


class DomainIn(Body):
    """A domain to add, or to change where it exists. What is left out stays as it is."""

    domain: str
    team: str | None = None
    owner: str | None = None
    tags: list[str] | None = None


class LineOut(Schema):
    """What became of one domain of an import."""

    line: int
    domain: str
    status: str
    reason: str | None = None


class DomainChange(Body):
    """Fields to change; those left out stay as they are. An empty team: no team."""

    team: str | None = None
    owner: str | None = None
    is_active: bool | None = None
    add_tags: list[str] = []
    remove_tags: list[str] = []


class ChangeOut(Schema):
    """A change between two checks; it counts once `confirmed_at` is set."""

    kind: str
    severity: str
    before: str
    after: str
    findings: list[dict[str, Any]]
    seen_at: datetime
    confirmed_at: datetime | None = None


class DomainFilter(Schema):
    """How to narrow the list. An empty team: the domains of no team."""

    search: str = ""
    team: str | None = None
    tlsrpt: Known | None = None
    mta_sts: Known | None = None
    sts_mode: StsMode | None = None


@router.get("", response=list[DomainOut])
@paginate(Pages)
def list_domains(request: HttpRequest, filters: Query[DomainFilter]) -> DomainQuerySet:
    """Give the domains this person may see, by name."""
    rows = _visible(request)
    if filters.search:
        rows = rows.filter(name__contains=fold_name(filters.search))
    if filters.team is not None:
        rows = rows.of_team_named(filters.team)
    for name in ("tlsrpt", "mta_sts", "sts_mode"):
        value = getattr(filters, name)
        if value is not None:
            rows = rows.filter(**{name: value})
    return rows


@router.post("", response=list[LineOut])
def add_domains(request: HttpRequest, body: list[DomainIn]) -> list[dict[str, object]]:
    """Add domains, or change those that exist; gives each one's fate, and a bad one stops none."""
    if len(body) > MOST_AT_ONCE:
        raise ValidationError(
            f"{len(body):,} domains; the limit of a call is {MOST_AT_ONCE:,}. Send them in parts."
        )
    rows = [
        Row(
            line=number,
            domain=item.domain,
            team=item.team,
            owner=item.owner,
            tags=tuple(item.tags) if item.tags is not None else None,
        )
        for number, item in enumerate(body, start=1)
    ]
    return [result.as_dict() for result in import_domains(rows, person(request))]


@router.get("/{name}", response=DomainDetail)
def get_domain(request: HttpRequest, name: str) -> Domain:
    """Give one domain with what the newest check saw."""
    return _find(request, name)


@router.patch("/{name}", response=DomainDetail)
def change_domain(request: HttpRequest, name: str, body: DomainChange) -> Domain:
    """Change one domain."""
    domain = _find(request, name)
    sent = body.model_fields_set
    update_domains(
        Domain.objects.filter(pk=domain.pk),
        person(request),
        team=_team(body.team) if "team" in sent else UNCHANGED,
        owner=(body.owner or "") if "owner" in sent else UNCHANGED,
        is_active=body.is_active if body.is_active is not None else UNCHANGED,
        add_tags=body.add_tags,
        remove_tags=body.remove_tags,
    )
    return _find(request, name)


@router.delete("/{name}", response={204: None})
def remove_domain(request: HttpRequest, name: str) -> Status[None]:
    """Remove one domain. Its reports stay, as those of a domain that is not managed."""
    delete_domains(Domain.objects.filter(pk=_find(request, name).pk), person(request))
    return Status(204, None)


@router.post("/{name}/check", response={202: None})
def check_domain(request: HttpRequest, name: str) -> Status[None]:
    """Ask for a check now; `checked_at` of the domain says when it is done."""
    domain = _find(request, name)
    access.require(person(request), Role.ANALYST, domain.team)
    request_checks(Domain.objects.filter(pk=domain.pk))
    return Status(202, None)


@router.get("/{name}/changes", response=list[ChangeOut])
@paginate(Pages)
def list_changes(request: HttpRequest, name: str) -> Any:
    """Give what changed at a domain, newest first."""
    return StateChange.objects.filter(domain=_find(request, name))


def _visible(request: HttpRequest) -> DomainQuerySet:
    rows = Domain.objects.visible_to(person(request))
    return rows.select_related("team", "posture").prefetch_related("tags").order_by("name")


def _find(request: HttpRequest, name: str) -> Domain:
    return get_object_or_404(_visible(request), name=fold_name(name))


def _team(name: str | None) -> Team | None:
    if not name:
        return None
    team = Team.objects.filter(name__iexact=name).first()
    if team is None:
        raise HttpError(404, f"Not Found: a team called {name}.")
    return team
