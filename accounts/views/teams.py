"""Teams and their members."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.forms import MemberForm, TeamForm
from accounts.models import Membership, Team, User
from accounts.requests import person
from accounts.roles import Role
from accounts.services import teams as services
from webui.exports import Sheet, asked_file


def teams(request: HttpRequest) -> HttpResponse:
    """List the person's teams; administrators make new ones here."""
    user = person(request)
    form = TeamForm(request.POST or None)
    if request.method == "POST":
        access.require_administrator(user)
        if form.is_valid():
            try:
                team = services.create_team(form.cleaned_data["name"])
            except ValidationError as error:
                form.add_error("name", error)
            else:
                messages.success(request, f"The team {team} is made. Add its members.")
                return redirect("settings:team", team.pk)
    # Through the keys: joined to the person's own roles, the person would be the only member.
    rows = Team.objects.filter(pk__in=access.teams_for(user).values("pk")).annotate(
        member_count=Count("memberships", distinct=True),
        domain_count=Count("domains", filter=Q(domains__is_active=True), distinct=True),
    )
    if file := asked_file(request, _teams_sheet(rows)):
        return file
    return render(request, "settings/teams.html", {"teams": rows, "form": form})


def team_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a team with its members, and let its managers add some."""
    user = person(request)
    team = get_object_or_404(access.teams_for(user), pk=pk)
    form = MemberForm(request.POST or None)
    if request.method == "POST":
        access.require(user, Role.MANAGER, team)
        if form.is_valid():
            member, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
            services.set_role(team, member, role)
            messages.success(request, f"{member} is {role.short_label.lower()} of {team} now.")
            return redirect("settings:team", team.pk)
    memberships = team.memberships.select_related("user").order_by("user__email")
    if file := asked_file(request, _members_sheet(memberships)):
        return file
    context = {
        "team": team,
        "memberships": memberships,
        "roles": Role,
        "form": form,
        "name_form": TeamForm(initial={"name": team.name}, auto_id="name_%s"),
        "may_manage": access.may(user, Role.MANAGER, team),
        "domain_count": team.domains.count(),
    }
    return render(request, "settings/team.html", context)


def _teams_sheet(rows: QuerySet[Any]) -> Sheet:
    return Sheet(
        name="teams",
        file_name="teams",
        header=("Team", "Members", "Domains"),
        rows=lambda: ((row.name, row.member_count, row.domain_count) for row in rows),
    )


def _members_sheet(rows: QuerySet[Membership]) -> Sheet:
    return Sheet(
        name="members",
        file_name="members",
        header=("Person", "E-mail", "Role", "Active"),
        rows=lambda: (
            (row.user.name, row.user.email, row.role, "yes" if row.user.is_active else "no")
            for row in rows
        ),
    )


@require_POST
def rename_team(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a team another name."""
    access.require_administrator(request.user)
    team = get_object_or_404(Team, pk=pk)
    form = TeamForm(request.POST)
    try:
        if form.is_valid():
            services.rename_team(team, form.cleaned_data["name"])
            messages.success(request, f"The team is called {team} now.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("settings:team", pk)


@require_POST
def delete_team(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a team that has no domains."""
    access.require_administrator(request.user)
    team = get_object_or_404(Team, pk=pk)
    try:
        services.delete_team(team)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("settings:team", pk)
    messages.success(request, f"The team {team} is removed.")
    return redirect("settings:teams")


@require_POST
def set_role(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    """Change a member's role, or take them out of the team."""
    team = get_object_or_404(access.teams_for(request.user), pk=pk)
    access.require(request.user, Role.MANAGER, team)
    member = get_object_or_404(User.objects.filter(memberships__team=team), pk=user_pk)
    role = request.POST.get("role", "")
    if role in set(Role):
        services.set_role(team, member, Role(role))
        messages.success(request, f"{member} is {Role(role).short_label.lower()} now.")
    elif role == "none":
        services.remove_member(team, member)
        messages.success(request, f"{member} is no longer in {team}.")
    return redirect("settings:team", pk)
