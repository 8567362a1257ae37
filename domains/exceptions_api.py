"""The API of exceptions: list, grant, renew, end."""

from datetime import date, datetime

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from accounts.api import person
from accounts.models import User
from domains.exception_queries import with_lacking
from domains.lacks import Lack
from domains.models import CoverageException, CoverageExceptionQuerySet, Domain
from domains.services import coverage_exceptions as services
from mailtls.names import fold_name
from webui.api_shapes import Body, Pages

router = Router(tags=["exceptions"])
# A refusal names so many of the domains that it is about.
_MOST_NAMED = 10


class ExceptionOut(Schema):
    """What a domain may lack, why, until when; `is_lacking` says whether it lacks it now."""

    id: int
    domain: str = Field(alias="domain.name")
    team: str | None = None
    lack: Lack
    reason: str
    approved_by: str = Field(alias="approver_name")
    granted_by: str = Field(alias="granted_by_name")
    granted_at: datetime
    starts_on: date
    expires_on: date
    ended_on: date | None = None
    end_reason: str
    is_running: bool
    is_lacking: bool = Field(alias="lacks")

    @staticmethod
    def resolve_team(row: CoverageException) -> str | None:
        """Give the name of the domain's team."""
        return row.domain.team.name if row.domain.team else None

    @staticmethod
    def resolve_is_running(row: CoverageException) -> bool:
        """Say whether it holds today (UTC)."""
        return row.is_running(timezone.now().date())


class Filters(Schema):
    """How to narrow the list. `on`: those that held on this day."""

    domain: str | None = None
    lack: Lack | None = None
    on: date | None = None


class Approval(Body):
    """Why, until when (the last day), and who approves; by default the token's owner."""

    reason: str
    expires_on: date
    approver: str | None = None


class Grant(Approval):
    """What these domains may lack."""

    domains: list[str] = Field(min_length=1)
    lacks: list[Lack] = Field(min_length=1)


class GrantedOut(Schema):
    """How many were made, and how many were running already and stay as they are."""

    made: int
    running: int


class Words(Body):
    """Why it ends."""

    reason: str


@router.get("", response=list[ExceptionOut])
@paginate(Pages)
def list_exceptions(request: HttpRequest, filters: Query[Filters]) -> CoverageExceptionQuerySet:
    """Give the exceptions of domains this person may see, past ones too, soonest end first."""
    rows = _visible(request)
    if filters.domain is not None:
        rows = rows.filter(domain__name=fold_name(filters.domain))
    if filters.lack is not None:
        rows = rows.filter(lack=filters.lack)
    return rows.running_on(filters.on) if filters.on is not None else rows


@router.post("", response=GrantedOut)
def grant(request: HttpRequest, body: Grant) -> services.Granted:
    """Grant exceptions; all of them, or none where one of the domains is not this person's."""
    user = person(request)
    names = {fold_name(name) for name in body.domains}
    domains = Domain.objects.visible_to(user).filter(name__in=names)
    if unknown := sorted(names - set(domains.values_list("name", flat=True))):
        raise HttpError(404, f"Not Found among your domains: {_named(unknown)}.")
    return services.grant_exceptions(
        domains,
        user,
        lacks=list(dict.fromkeys(body.lacks)),
        reason=body.reason,
        expires_on=body.expires_on,
        approver=_approver(body.approver),
    )


@router.get("/{pk}", response=ExceptionOut)
def get_exception(request: HttpRequest, pk: int) -> CoverageException:
    """Give one."""
    return _find(request, pk)


@router.post("/{pk}/renew", response=ExceptionOut)
def renew(request: HttpRequest, pk: int, body: Approval) -> CoverageException:
    """Grant the next one in its place, from today; gives the new one."""
    new = services.renew_exception(
        _find(request, pk),
        person(request),
        reason=body.reason,
        expires_on=body.expires_on,
        approver=_approver(body.approver),
    )
    return _find(request, new.pk)


@router.post("/{pk}/end", response=ExceptionOut)
def end(request: HttpRequest, pk: int, body: Words) -> CoverageException:
    """End it today."""
    services.end_exception(_find(request, pk), person(request), body.reason)
    return _find(request, pk)


def _visible(request: HttpRequest) -> CoverageExceptionQuerySet:
    rows = CoverageException.objects.visible_to(person(request))
    return with_lacking(rows).select_related("domain__team")


def _find(request: HttpRequest, pk: int) -> CoverageException:
    return get_object_or_404(_visible(request), pk=pk)


def _approver(email: str | None) -> User | None:
    if email is None:
        return None
    approver = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if approver is None:
        raise HttpError(404, f"Not Found: an approver with the address {email}.")
    return approver


def _named(names: list[str]) -> str:
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
