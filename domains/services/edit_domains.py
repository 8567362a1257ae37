"""Changes and removes domains, one or many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import access, audit
from accounts.models import AuditEntry, Team, User
from accounts.roles import Role
from domains.models import DELETED, MOST_TAG_CHARS, Domain, DomainQuerySet, Tag
from domains.services.publish_policy import find_in_use
from webui.wording import sentence_list


class _Unchanged:
    """Stands for "leave this as it is", because None means "no team"."""


UNCHANGED: Final = _Unchanged()
# So many domains are changed by one statement.
PART = 5000


@transaction.atomic
def update_domains(
    domains: DomainQuerySet,
    user: User,
    *,
    team: Team | _Unchanged | None = UNCHANGED,
    owner: str | _Unchanged = UNCHANGED,
    add_tags: Collection[str] = (),
    remove_tags: Iterable[str] = (),
    check_every_hours: int | _Unchanged | None = UNCHANGED,
    is_active: bool | _Unchanged = UNCHANGED,
    notes: str | _Unchanged = UNCHANGED,
) -> int:
    """Set the given fields on all of them; give how many there were.

    Raises PermissionDenied, changing nothing, unless the person is manager for each domain's
    team and for the new one; ValidationError for an owner or a tag that cannot be.
    """
    keys = _permitted_keys(domains, user)
    if isinstance(owner, str) and owner:
        validate_email(owner)
    if any(len(tag) > MOST_TAG_CHARS for tag in add_tags):
        raise ValidationError(f"A tag has more than {MOST_TAG_CHARS} characters.")
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
    for part in _parts(keys):
        _update_part(part, wanted, set(add_tags), set(remove_tags))
    return len(keys)


def _update_part(keys: list[int], wanted: dict[str, Any], add: set[str], remove: set[str]) -> None:
    """Change some domains by one statement, and write down what each was before."""
    some = Domain.objects.filter(pk__in=keys)
    chosen = list(some.select_related("team").prefetch_related("tags"))
    entries: list[AuditEntry] = []
    for domain in chosen:
        held = domain.team
        before = {name: _plain(getattr(domain, name)) for name in wanted}
        after = {name: _plain(value) for name, value in wanted.items()}
        for name, value in wanted.items():
            setattr(domain, name, value)
        if before != after:
            entries += entries_of_change(domain, held, before, after)
    if wanted:
        some.update(**wanted)
    entries += _change_tags(chosen, add, remove)
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def entries_of_change(
    domain: Domain, held: Team | None, before: dict[str, Any], after: dict[str, Any]
) -> list[AuditEntry]:
    """Give what the audit log tells of a change; to the team that the domain has left as well."""
    entries = [audit.entry("changed domain", domain, before=before, after=after)]
    if held is not None and held != domain.team:
        entries.append(
            audit.entry("moved domain away", domain, before=before, after=after, team=held)
        )
    return entries


@transaction.atomic
def delete_domains(domains: DomainQuerySet, user: User) -> int:
    """Remove domains with all that checks saw of them; give how many.

    Reports stay; their rows for these domains become unassigned.
    Raises PermissionDenied, removing nothing, unless the person is manager for all;
    ValidationError where the portal serves a policy that senders still go by.
    """
    keys = _permitted_keys(domains, user)
    _require_no_policy_in_use(keys)
    for part in _parts(keys):
        some = Domain.objects.filter(pk__in=part)
        entries = [
            audit.entry(
                DELETED,
                domain,
                before={"team": _plain(domain.team), "owner": domain.owner},
            )
            for domain in some.select_related("team")
        ]
        AuditEntry.objects.bulk_create(entries, batch_size=500)
        some.delete()
    return len(keys)


def _permitted_keys(domains: DomainQuerySet, user: User) -> list[int]:
    """Give the ids of the domains, or raise unless the person is manager for each one's team."""
    found = list(domains.order_by("pk").values_list("pk", "team"))
    teams = Team.objects.in_bulk({team for _, team in found if team is not None})
    _require_manager(user, {teams.get(team) if team else None for _, team in found})
    return [pk for pk, _ in found]


def _require_no_policy_in_use(keys: list[int]) -> None:
    """Raise unless the portal may stop to serve the policies of these domains."""
    parts = (find_in_use(Domain.objects.filter(pk__in=part)) for part in _parts(keys))
    served = [domain.display_name for part in parts for domain in part]
    if served:
        raise ValidationError(
            f"The portal serves the MTA-STS policy of {sentence_list(served, 5)}. Publish it in "
            "mode none first, and remove the domain when senders have forgotten the policy before "
            "(RFC 8461 section 8.3)."
        )


def _parts(keys: list[int]) -> Iterator[list[int]]:
    """Cut into parts that every database takes as the parameters of one statement."""
    return (keys[start : start + PART] for start in range(0, len(keys), PART))


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
