"""Imports: send domains, see each line's fate, confirm, watch it run, look at past ones."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts import access
from accounts.models import User
from accounts.requests import person
from accounts.roles import Role
from domains.forms import ImportForm
from domains.import_tables import (
    ImportJobFilter,
    ImportJobTable,
    ImportLineFilter,
    ImportLineTable,
    fate_sign,
)
from domains.models import ImportJob, ImportLine, ImportOutcome, ImportPhase
from domains.services import import_jobs
from domains.services.import_domains import Sent, UnreadableTable, read_lines, read_table
from webui.addresses import read_number
from webui.lists import ListPage
from webui.wording import plural, sentence_list


def import_page(request: HttpRequest) -> HttpResponse:
    """Take pasted lines or a file; the next page shows each line's fate.

    Pages that name a domain lead here with it in `?text=`, and those where several can be chosen
    post them: both stand in the form, to be given a team.
    """
    user = _manager_of_anything(request)
    chosen = request.POST.getlist("chosen")
    initial = {"text": "\n".join(chosen or request.GET.getlist("text"))}
    sent = None if chosen else request.POST or None
    form = ImportForm(user, sent, request.FILES or None, initial=initial)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            lines = _read(form.cleaned_data)
        except UnreadableTable as error:
            form.add_error(None, str(error))
        else:
            source = file.name if file else "pasted lines"
            job = import_jobs.start_import(lines, user, source, form.cleaned_data["team"])
            # A button beside a name says what it does: nobody has to see the line first.
            if "confirm" in request.POST:
                return _confirm(request, job, job.preview)
            return redirect(job)
    return render(request, "domains/import.html", {"form": form})


class ImportPage(ListPage):
    """What becomes of each line of an import, and how far is it?"""

    table_class = ImportLineTable
    filterset_class = ImportLineFilter
    template_name = "domains/import_job.html"
    thing, things = "line", "lines"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show it; while it runs htmx asks for the progress alone."""
        self.job = _find(request, kwargs["pk"])
        self.export_name = f"import-{self.job.pk}"
        if request.htmx and "progress" in request.GET:  # type: ignore[attr-defined]
            if not self.job.is_working:
                return HttpResponseClientRedirect(request.path)
            return render(request, "domains/_import_progress.html", {"job": self.job})
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_queryset(self) -> QuerySet[ImportLine]:
        """Give the lines in the order of the file; while it runs, those that were handled."""
        lines = ImportLine.objects.filter(job=self.job)
        if self.job.phase == ImportPhase.TAKING:
            return lines.filter(position__lt=self.job.position)
        return lines

    def get_table_kwargs(self) -> dict[str, Any]:
        """Tell the table whether anything is stored yet, and the team of lines that name none."""
        return super().get_table_kwargs() | {
            "is_draft": self.is_draft,
            "fallback_team": self.job.team_name or str(self.job.team or ""),
        }

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        """Tell the filters as well, which use the same words."""
        kwargs: dict[str, Any] = super().get_filterset_kwargs(filterset_class)
        is_again = self.is_draft and self.job.preview > 1
        return kwargs | {"is_draft": self.is_draft, "is_again": is_again}

    @property
    def is_draft(self) -> bool:
        """Say whether nothing is stored yet."""
        return self.job.phase == ImportPhase.TRIED

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the import, and its counts, each a link to its lines."""
        counts = self.job.counts
        return super().get_context_data(**kwargs) | {
            "job": self.job,
            "phase": ImportPhase,
            "fates": [
                (outcome, fate_sign(outcome, is_draft=self.is_draft).word, counts[outcome.value])
                for outcome in ImportOutcome
            ],
            "teams": import_jobs.teams_made(self.job) if self.job.phase == ImportPhase.DONE else [],
            "empty_template": "domains/_import_empty.html",
        }


class ImportList(ListPage):
    """Who imported what, when, and what came of it?"""

    table_class = ImportJobTable
    filterset_class = ImportJobFilter
    template_name = "domains/imports.html"
    export_name = "imports"
    thing, things = "import", "imports"

    def get_queryset(self) -> QuerySet[ImportJob]:
        """Give the person's own imports; administrators see everybody's."""
        return ImportJob.objects.visible_to(self.request.user).defer("content")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the words for an empty list."""
        return super().get_context_data(**kwargs) | {
            "empty_template": "domains/_imports_empty.html"
        }


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Take what the person has seen."""
    _manager_of_anything(request)
    seen = read_number(request.POST.get("preview", ""))
    return _confirm(request, _find(request, pk), seen or 0)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget an import that was not confirmed."""
    job = _find(request, pk)
    if not import_jobs.discard_import(job):
        messages.error(request, "This import runs already, or is done.")
        return redirect(job)
    messages.success(request, "The import is discarded. Nothing was stored.")
    return redirect("domains:import")


def _confirm(request: HttpRequest, job: ImportJob, seen: int) -> HttpResponse:
    if not import_jobs.confirm_import(job, seen):
        is_newer = job.phase in (ImportPhase.TRYING, ImportPhase.TRIED)
        messages.info(
            request,
            "There is a newer preview than the one you saw."
            if is_newer
            else "This import was confirmed already.",
        )
        return redirect(job)
    if job.phase == ImportPhase.DONE:
        messages.success(request, _what_was_imported(job))
        return redirect("domains:list")
    return redirect(job)


def _find(request: HttpRequest, pk: int) -> ImportJob:
    jobs = ImportJob.objects.visible_to(request.user).select_related("team").defer("content")
    return get_object_or_404(jobs, pk=pk)


def _manager_of_anything(request: HttpRequest) -> User:
    if not access.may_anywhere(request.user, Role.MANAGER):
        raise PermissionDenied("Importing needs the role manager in a team.")
    return person(request)


def _read(values: dict[str, Any]) -> Sent:
    if file := values["file"]:
        return read_table(file.name, file.read())
    return read_lines(values["text"])


def _what_was_imported(job: ImportJob) -> str:
    counts = job.counts
    parts = [f"{plural(counts[ImportOutcome.CREATED], 'domain')} added"]
    if counts[ImportOutcome.UPDATED]:
        parts.append(f"{counts[ImportOutcome.UPDATED]:,} updated")
    if counts[ImportOutcome.EXISTS]:
        parts.append(f"{counts[ImportOutcome.EXISTS]:,} were there already")
    if counts[ImportOutcome.REJECTED]:
        parts.append(f"{counts[ImportOutcome.REJECTED]:,} refused")
    sentences = [", ".join(parts) + "."]
    if teams := import_jobs.teams_made(job):
        sentences.append(
            f"New {'team' if len(teams) == 1 else 'teams'}: {sentence_list(teams, 5)}."
        )
    if counts[ImportOutcome.CREATED]:
        sentences.append("The first checks run now.")
    return " ".join(sentences)
