"""Grants, renews and ends exceptions: who approved which lack, why, and until when.

A manager of the domain's team records them. The approver is that person, or another one who is
manager there too; both names are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import access, audit
from accounts.models import AuditEntry, Team, User
from accounts.roles import Role
from domains.lacks import Lack
from domains.models import MOST_REASON_CHARS, CoverageException, Domain, DomainQuerySet
from webui.wording import day, too_long

# Whatever was right two years ago deserves another look.
LONGEST = timedelta(days=2 * 365 + 1)
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """How many exceptions were made, and how many were running already and stay as they are."""

    made: int
    running: int


@transaction.atomic
def grant_exceptions(
    domains: DomainQuerySet,
    user: User,
    *,
    lacks: Collection[Lack],
    reason: str,
    expires_on: date,
    approver: User | None = None,
) -> Granted:
    """Let each of these domains lack each of these things until the end of a day (UTC).

    One that ran out before is renewed by it.

    Raises PermissionDenied, granting nothing, unless the person and the approver are manager for
    each domain's team; ValidationError where reason or day will not do.
    """
    today, approver = timezone.now().date(), approver or user
    _check(reason, expires_on, today)
    keys = domains.order_by().values("pk")
    # Locked, so that two people who grant the same at once do not make two of each.
    chosen = list(
        Domain.objects.select_for_update(of=("self",))
        .filter(pk__in=keys)
        .select_related("team")
        .order_by("pk")
    )
    _require_managers(user, approver, {domain.team for domain in chosen})
    earlier = CoverageException.objects.filter(domain__in=keys)
    held = set(earlier.running_on(today).values_list("domain", "lack"))
    expired = {(one.domain_id, one.lack): one for one in earlier.expired_on(today)}
    made = []
    for domain in chosen:
        for lack in lacks:
            if (domain.pk, lack.value) not in held:
                one = _build(domain, lack, reason, expires_on, approver, today)
                one.renews = expired.get((domain.pk, lack.value))
                made.append(one)
    CoverageException.objects.bulk_create(made, batch_size=_BATCH)
    entries = [_entry("granted an exception", one) for one in made]
    AuditEntry.objects.bulk_create(entries, batch_size=_BATCH)
    return Granted(made=len(made), running=len(chosen) * len(lacks) - len(made))


@transaction.atomic
def renew_exception(
    exception: CoverageException,
    user: User,
    *,
    reason: str,
    expires_on: date,
    approver: User | None = None,
) -> CoverageException:
    """Grant the next one in place of one that runs or ran out; the old one ends today.

    Raises ValidationError where it was ended or renewed already.
    """
    today, approver = timezone.now().date(), approver or user
    _check(reason, expires_on, today)
    held = _locked(exception)
    if held.is_renewed or held.ended_on is not None:
        raise ValidationError("This exception is over. Grant a new one.")
    _require_managers(user, approver, {held.domain.team})
    if held.is_running(today):
        held.ended_on, held.ended_by_name = today, audit.current_actor().name
        held.end_reason = "Renewed."
        held.save(update_fields=["ended_on", "ended_by_name", "end_reason"])
    new = _build(held.domain, Lack(held.lack), reason, expires_on, approver, today)
    new.renews = held
    new.save()
    _entry("renewed an exception", new, before=held).save()
    return new


@transaction.atomic
def end_exception(exception: CoverageException, user: User, reason: str) -> None:
    """End a running one today, before its time.

    Raises ValidationError where it does not run, or the reason will not do.
    """
    today = timezone.now().date()
    held = _locked(exception)
    access.require(user, Role.MANAGER, held.domain.team)
    if not held.is_running(today):
        raise ValidationError("This exception is over already.")
    if not reason.strip():
        raise ValidationError("Say why it ends: an auditor will ask.")
    if problem := _too_long(reason):
        raise ValidationError(problem)
    held.ended_on, held.ended_by_name = today, audit.current_actor().name
    held.end_reason = reason.strip()
    held.save(update_fields=["ended_on", "ended_by_name", "end_reason"])
    audit.record(
        "ended an exception",
        held.domain,
        before=_facts(held),
        after={"may lack": "", "reason": held.end_reason},
    )


def _check(reason: str, expires_on: date, today: date) -> None:
    problems: dict[str, str] = {}
    if not reason.strip():
        problems["reason"] = "Say why the domain may lack it: an auditor will ask."
    elif problem := _too_long(reason):
        problems["reason"] = problem
    if expires_on <= today:
        problems["expires_on"] = "The last day must lie ahead."
    elif expires_on > today + LONGEST:
        problems["expires_on"] = (
            f"At most two years: until {day(today + LONGEST)}. It can be renewed."
        )
    if problems:
        raise ValidationError(problems)


def _too_long(reason: str) -> str:
    return too_long(reason.strip(), MOST_REASON_CHARS)


def _require_managers(user: User, approver: User, teams: Iterable[Team | None]) -> None:
    for team in teams:
        access.require(user, Role.MANAGER, team)
        if approver != user and not access.may(approver, Role.MANAGER, team):
            whose = f"team {team}" if team else "domains without a team"
            raise ValidationError({"approver": f"{approver} is not a manager for {whose}."})


def _build(
    domain: Domain, lack: Lack, reason: str, expires_on: date, approver: User, today: date
) -> CoverageException:
    return CoverageException(
        domain=domain,
        lack=lack,
        reason=reason.strip(),
        approver=approver,
        approver_name=str(approver)[:254],
        granted_by_name=audit.current_actor().name[:254],
        starts_on=today,
        expires_on=expires_on,
    )


def _locked(exception: CoverageException) -> CoverageException:
    """Read it again for writing: a second click waits for the first."""
    rows = CoverageException.objects.select_for_update(of=("self",))
    return rows.select_related("domain__team").get(pk=exception.pk)


def _entry(
    verb: str, exception: CoverageException, before: CoverageException | None = None
) -> AuditEntry:
    old = _facts(before) if before else None
    return audit.entry(verb, exception.domain, before=old, after=_facts(exception))


def _facts(exception: CoverageException) -> dict[str, object]:
    return {
        "may lack": Lack(exception.lack).label,
        "reason": exception.reason,
        "approved by": exception.approver_name,
        "until": exception.expires_on.isoformat(),
    }
