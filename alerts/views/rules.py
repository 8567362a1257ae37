"""The rules incidents come from, each with what it would have found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from alerts.forms import RuleForm
from alerts.models import Incident, Rule, Severity
from alerts.rules import PARAMETERS, ParameterType, RuleKind, read_rule
from alerts.services.replay import Misses, Replayed, find_misses, replay
from alerts.services.rules import delete_rule, save_rule
from webui.exports import Sheet, asked_file
from webui.forms import spread_errors
from webui.wording import PER_CENT

BACKTEST_DAYS = 90


def rules(request: HttpRequest) -> HttpResponse:
    """List the rules for the person's teams."""
    seen = Incident.objects.visible_to(request.user).values("pk")
    counted = Count("incidents", filter=Q(incidents__in=seen))
    rows = _visible(request).select_related("team").annotate(incident_count=counted)
    if file := asked_file(request, _sheet(rows)):
        return file
    context = {
        "rules": [(rule, _in_words(rule)) for rule in rows],
        "may_add": access.may_anywhere(request.user, Role.MANAGER),
        "sees_everything": access.sees_everything(request.user),
    }
    return render(request, "settings/rules.html", context)


def _sheet(rows: QuerySet[Any]) -> Sheet:
    return Sheet(
        name="rules",
        file_name="rules",
        header=("Rule", "Kind", "Team", "Severity", "Parameters", "Active", "Incidents", "Made"),
        rows=lambda: (
            (
                rule.name,
                rule.get_kind_display(),
                rule.team or "all domains",
                rule.severity,
                _in_words(rule),
                "yes" if rule.is_active else "no",
                rule.incident_count,
                rule.created_at,
            )
            for rule in rows
        ),
    )


def rule_page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a rule; "Try it" shows what it would have found, and stores nothing."""
    user = person(request)
    rule = get_object_or_404(_visible(request), pk=pk) if pk else None
    may_edit = access.may(user, Role.MANAGER, rule.team) if rule else True
    if not access.may_anywhere(user, Role.MANAGER) and (rule is None or request.method == "POST"):
        raise PermissionDenied("Rules need the role manager in a team.")
    kind = _kind(rule, request)
    form = RuleForm(user, kind, request.POST or None, initial=_initial(rule) if rule else None)
    backtest: Backtest | None = None
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST:
            backtest = _backtest(form, kind)
        else:
            try:
                saved = save_rule(user, rule=rule, **_values(form, kind))
            except ValidationError as error:
                spread_errors(form, error)
            else:
                messages.success(request, f"The rule {saved} is saved.")
                return redirect("settings:rules")
    seen = Incident.objects.visible_to(user)
    context = {
        "rule": rule,
        "incident_count": seen.filter(rule=rule).count() if rule else 0,
        "form": form,
        "kind": kind,
        "kinds": [] if rule else list(RuleKind),
        "may_edit": may_edit,
        "backtest": backtest,
        "has_certificates": kind == RuleKind.POSTURE,
        "backtest_days": BACKTEST_DAYS,
    }
    return render(request, "settings/rule.html", context)


@require_POST
def remove_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a rule that never found anything."""
    rule = get_object_or_404(_visible(request), pk=pk)
    try:
        delete_rule(person(request), rule)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("settings:rule", pk)
    messages.success(request, f"The rule {rule} is removed.")
    return redirect("settings:rules")


def _visible(request: HttpRequest) -> QuerySet[Rule]:
    return access.visible_to(request.user, Rule.objects.all())


def _kind(rule: Rule | None, request: HttpRequest) -> RuleKind:
    """Give the kind of a rule, or of the one to make: as the address says."""
    if rule is not None:
        return RuleKind(rule.kind)
    asked = request.GET.get("kind", "")
    return RuleKind(asked) if asked in set(RuleKind) else RuleKind.REGRESSION


def _in_words(rule: Rule) -> str:
    """Give the parameters of a rule as a line."""
    held = read_rule(rule.kind, rule.parameters)
    parts = []
    for parameter in PARAMETERS[RuleKind(rule.kind)]:
        value = getattr(held, parameter.name)
        if parameter.type is ParameterType.FLAG:
            parts.append(f"{parameter.label}: {'yes' if value else 'no'}")
        elif parameter.type is ParameterType.SHARE:
            percent = f"{100 * value:.10f}".rstrip("0").rstrip(".")
            parts.append(f"{parameter.label}: {percent}{PER_CENT}")
        elif parameter.type is ParameterType.FACTOR:
            parts.append(f"{parameter.label}: {value:g} times")
        else:
            parts.append(f"{parameter.label}: {value:g}")
    return ", ".join(parts)


def _initial(rule: Rule) -> dict[str, Any]:
    held = read_rule(rule.kind, rule.parameters)
    shown = PARAMETERS[RuleKind(rule.kind)]
    return {
        "name": rule.name,
        "team": rule.team,
        "severity": rule.severity,
        "is_active": rule.is_active,
    } | {parameter.name: getattr(held, parameter.name) for parameter in shown}


def _values(form: RuleForm, kind: RuleKind) -> dict[str, Any]:
    return {
        "name": form.cleaned_data["name"],
        "kind": kind,
        "parameters": form.parameters(),
        "severity": Severity(form.cleaned_data["severity"]),
        "team": form.cleaned_data["team"],
        "is_active": form.cleaned_data["is_active"],
    }


class Backtest(NamedTuple):
    """What a rule would have found, newest first, and what of today's it would have missed."""

    found: list[Replayed]
    misses: Misses


def _backtest(form: RuleForm, kind: RuleKind) -> Backtest | None:
    """Replay the rule of the form; None where it cannot work."""
    today = timezone.now().date()
    days = [today - timedelta(days=ago) for ago in range(BACKTEST_DAYS - 1, -1, -1)]
    values = _values(form, kind)
    try:
        read_rule(kind, values["parameters"])
    except ValueError as error:
        form.add_error(None, str(error))
        return None
    rule = Rule(**values)
    found = sorted(replay(days, [rule]), key=lambda one: one.opened_on, reverse=True)
    return Backtest(found, find_misses(found, [rule], days[0]))
