"""How do we get all domains to enforce safely? A board from no record to enforce."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_tables2 import RequestConfig

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.models import Domain, DomainQuerySet
from tlsrpt_portal.pages.failure_scope import scope_words
from tlsrpt_portal.pages.rollout_board import LANES, list_places, read_board
from tlsrpt_portal.pages.rollout_table import StageTable
from tlsrpt_portal.pages.stages import EVIDENCE_DAYS, Stage
from tlsrpt_portal.pages.team_choice import ChosenTeam, read_team, team_choices
from webui.exports import asked_format
from webui.lists import table_file


def rollout(request: HttpRequest) -> HttpResponse:
    """Show the board."""
    team = read_team(request)
    domains = team.narrow(Domain.objects.visible_to(request.user).active())
    stage = request.GET.get("stage", "")
    if stage in set(Stage) or asked_format(request):
        stages = [Stage(stage)] if stage in set(Stage) else [*Stage]
        return _show_stages(request, domains, stages, team)
    board = read_board(domains, team.in_address)
    is_empty = not any(lane.count for lane in board.lanes)
    context = {
        "lanes": board.lanes,
        "is_empty": is_empty,
        "has_watched": is_empty and domains.exists(),
        "may_manage": may_anywhere(request.user, Role.MANAGER),
        "what_if": board.what_if,
        "days": EVIDENCE_DAYS,
        "teams": team_choices(request.user),
        "team": team.word,
    }
    return render(request, "pages/rollout.html", context)


def _show_stages(
    request: HttpRequest, domains: DomainQuerySet, stages: list[Stage], team: ChosenTeam
) -> HttpResponse:
    """Show every domain of a stage as a table, or give it, or the whole board, as a file."""
    places = [place for stage in stages for place in list_places(domains, stage)]
    table = StageTable(places, exclude=["stage"] if len(stages) == 1 else [])
    if form := asked_format(request):
        return table_file(form, "rollout", table)
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    table.decorate([row.record for row in table.paginated_rows])
    title, means, step = LANES[stages[0]]
    context = {
        "title": title,
        "means": means,
        "step": step,
        "narrowed_to": scope_words(team.in_address, request.user),
        "team": team.word,
        "count": len(places),
        "days": EVIDENCE_DAYS,
        "table": table,
        "thing": "domain",
        "things": "domains",
    }
    return render(request, "pages/rollout_stage.html", context)
