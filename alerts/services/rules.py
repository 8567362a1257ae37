"""The rules incidents come from."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, audit
from accounts.models import Team, User
from accounts.roles import Role
from alerts.models import Incident, Rule, RuleKind, Severity
from alerts.rules import read_rule


@transaction.atomic
def save_rule(
    user: User,
    *,
    rule: Rule | None = None,
    name: str,
    kind: RuleKind,
    parameters: dict[str, Any],
    severity: Severity,
    team: Team | None,
    is_active: bool = True,
) -> Rule:
    """Make or change a rule; raises ValidationError for parameters that cannot work."""
    for concerned in {team, rule.team if rule else team}:
        access.require(user, Role.MANAGER, concerned)
    try:
        read_rule(kind, parameters)
    except (ValueError, TypeError) as error:
        raise ValidationError({"parameters": str(error)}) from error
    before = _facts(rule) if rule else None
    row = rule or Rule()
    row.name, row.kind, row.parameters = name, kind, parameters
    row.severity, row.team, row.is_active = severity, team, is_active
    row.full_clean()
    row.save()
    audit.record("changed rule" if rule else "created rule", row, before=before, after=_facts(row))
    return row


@transaction.atomic
def delete_rule(user: User, rule: Rule) -> None:
    """Remove a rule that has no incidents; one that has can be switched off, which ends them."""
    access.require(user, Role.MANAGER, rule.team)
    if Incident.objects.filter(rule=rule).exists():
        raise ValidationError("The rule has incidents. Switch it off instead of deleting it.")
    audit.record("deleted rule", rule, before=_facts(rule))
    rule.delete()


def _facts(row: Rule) -> dict[str, object]:
    return {
        "name": row.name,
        "kind": row.kind,
        "parameters": row.parameters,
        "severity": row.severity,
        "team": row.team.name if row.team else None,
        "is_active": row.is_active,
    }
