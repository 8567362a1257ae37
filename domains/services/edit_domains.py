"""Changes and removes domains, one or many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from accounts import access, audit
from accounts.models import AuditEntry, Team, User
from accounts.roles import Role
from domains.models import Domain, DomainQuerySet, Tag


class _Unchanged:
    """Stands for "leave this as it is", because None means "no team"."""


UNCHANGED: Final = _Unchanged()


@transaction.atomic
def update_domains(
    domains: DomainQuerySet,
    user: User,
    *,
    team: Team | _Unchanged | None = UNCHANGED,
    owner: str | _Unchanged = UNCHANGED,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    check_every_hours: int | _Unchanged | None = UNCHANGED,
    is_active: bool | _Unchanged = UNCHANGED,
    notes: str | _Unchanged = UNCHANGED,
) -> int:
    """Set the given fields on all of them; give how many there were.

    Raises PermissionDenied, changing nothing, unless the person is manager for each domain's
    team and for the new one.
    """
    chosen = list(domains.select_related("team").prefetch_related("tags"))
    _require_manager(user, {domain.team for domain in chosen})
    wanted: dict[str, Any] = {
        name: value
        for name, value in (
            ("team", team),
            ("owner", owner),
            ("check_every_hours", check_every_hours),
            ("is_active", is_active),
            ("notes", notes),
        )
        if not isinstance(value, _Unchanged)
    }
    if "team" in wanted:
        _require_manager(user, {wanted["team"]})
    entries: list[AuditEntry] = []
    for domain in chosen:
        before = {name: _plain(getattr(domain, name)) for name in wanted}
        after = {name: _plain(value) for name, value in wanted.items()}
        for name, value in wanted.items():
            setattr(domain, name, value)
        if before != after:
            entries.append(audit.entry("changed domain", domain, before=before, after=after))
    if wanted:
        Domain.objects.bulk_update(chosen, list(wanted), batch_size=500)
    entries += _change_tags(chosen, set(add_tags), set(remove_tags))
    AuditEntry.objects.bulk_create(entries, batch_size=500)
    return len(chosen)


@transaction.atomic
def delete_domains(domains: DomainQuerySet, user: User) -> int:
    """Remove domains with all that checks saw of them; give how many.

    Reports stay; their rows for these domains become unassigned.
    Raises PermissionDenied, removing nothing, unless the person is manager for all.
    """
    chosen = list(domains.select_related("team"))
    _require_manager(user, {domain.team for domain in chosen})
    AuditEntry.objects.bulk_create(
        [
            audit.entry(
                "deleted domain",
                domain,
                before={"team": _plain(domain.team), "owner": domain.owner},
            )
            for domain in chosen
        ],
        batch_size=500,
    )
    Domain.objects.filter(pk__in=[domain.pk for domain in chosen]).delete()
    return len(chosen)


def _change_tags(chosen: list[Domain], add: set[str], remove: set[str]) -> list[AuditEntry]:
    entries = []
    through = Domain.tags.through
    if add:
        Tag.objects.bulk_create([Tag(name=name) for name in sorted(add)], ignore_conflicts=True)
        tags = Tag.objects.filter(name__in=add)
        through.objects.bulk_create(
            [through(domain_id=domain.pk, tag_id=tag.pk) for domain in chosen for tag in tags],
            ignore_conflicts=True,
            batch_size=500,
        )
    if remove:
        through.objects.filter(
            domain_id__in=[domain.pk for domain in chosen], tag__name__in=remove
        ).delete()
    for domain in chosen:
        before = {tag.name for tag in domain.tags.all()}
        after = (before | add) - remove
        if before != after:
            entries.append(
                audit.entry(
                    "changed domain",
                    domain,
                    before={"tags": sorted(before)},
                    after={"tags": sorted(after)},
                )
            )
    return entries


def _require_manager(user: User, teams: Iterable[Team | None]) -> None:
    for team in teams:
        access.require(user, Role.MANAGER, team)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Team) else value
