"""The columns and filters of imports and their lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from domains.models import ImportJob, ImportLine, ImportOutcome, ImportPhase
from mailtls.names import display_name
from webui.status import Sign, Tone
from webui.tables import END, KEY, PortalTable
from webui.wording import NOTHING, day, number

FATES = {
    ImportOutcome.CREATED: Sign(Tone.OK, "Added", "plus"),
    ImportOutcome.UPDATED: Sign(Tone.INFO, "Changed"),
    ImportOutcome.EXISTS: Sign(Tone.NONE, "There already", "check"),
    ImportOutcome.REJECTED: Sign(Tone.BAD, "Refused"),
}
OTHER_THAN_SHOWN = "other"
_NEW = Sign(Tone.OK, "New", "plus")
_WAITING = Sign(Tone.NONE, "Not read yet", "clock")
_PHASES = {
    ImportPhase.TRYING: Sign(Tone.INFO, "Being read", "clock"),
    ImportPhase.TRIED: Sign(Tone.WARN, "Waits to be confirmed", "question"),
    ImportPhase.TAKING: Sign(Tone.INFO, "Running", "clock"),
    ImportPhase.DONE: Sign(Tone.OK, "Done"),
}


def fate_sign(outcome: ImportOutcome, *, is_draft: bool) -> Sign:
    """Give a fate as sign; before anything is stored, nothing is added."""
    return _NEW if is_draft and outcome is ImportOutcome.CREATED else FATES[outcome]


class ImportLineFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the lines of an import."""

    q = django_filters.CharFilter(method="search", label="Search domains and reasons")
    fate = django_filters.ChoiceFilter(
        method="of_fate",
        empty_label="Any fate",
        label="What happens",
    )

    class Meta:
        model = ImportLine
        fields: list[str] = []

    def __init__(
        self, *args: Any, is_draft: bool = False, is_again: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.filters["fate"].extra["choices"] = [
            *((outcome.value, fate_sign(outcome, is_draft=is_draft).word) for outcome in FATES),
            *([(OTHER_THAN_SHOWN, "Changed since the preview before")] if is_again else []),
        ]

    def of_fate(self, qs: QuerySet[ImportLine], _name: str, value: str) -> QuerySet[ImportLine]:
        """Narrow to one outcome, or to those that had another one in the preview before."""
        return qs.exclude(shown="") if value == OTHER_THAN_SHOWN else qs.filter(outcome=value)

    def search(self, qs: QuerySet[ImportLine], _name: str, value: str) -> QuerySet[ImportLine]:
        """Find the words in what was sent, in the name made of it, and in reasons."""
        text = value.strip()
        return qs.filter(
            Q(domain__icontains=text) | Q(name__contains=text.lower()) | Q(reason__icontains=text)
        )


class ImportJobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the list of imports."""

    q = django_filters.CharFilter(method="search", label="Search files and people")

    class Meta:
        model = ImportJob
        fields: list[str] = []

    def search(self, qs: QuerySet[ImportJob], _name: str, value: str) -> QuerySet[ImportJob]:
        """Find the words in the file's name or the person's."""
        text = value.strip()
        return qs.filter(Q(source__icontains=text) | Q(user_name__icontains=text))


class CountColumn(tables.Column):  # type: ignore[misc]
    """A count, with thousands set apart on the page and a number in files."""

    def __init__(self, verbose_name: str) -> None:
        super().__init__(verbose_name=verbose_name, attrs=END)

    def render(self, value: int) -> str:
        """Give the count for the page."""
        return number(value)

    def value(self, value: int) -> int:
        """Give the count for files."""
        return value


class DoneColumn(tables.Column):  # type: ignore[misc]
    """A count of what was done; nothing as long as it is only tried."""

    def __init__(self, verbose_name: str) -> None:
        super().__init__(verbose_name=verbose_name, attrs=END)

    def render(self, value: int, record: ImportJob) -> str:
        """Give the count for the page."""
        return number(value) if record.is_confirmed else NOTHING[0]

    def value(self, value: int, record: ImportJob) -> int | str:
        """Give the count for files."""
        return value if record.is_confirmed else ""


# What people sent may be of any length.
_SENT = {"td": {"class": "sent"}}


class ImportLineTable(PortalTable):
    """One row a line; before it is confirmed, what is to be added is new."""

    line = tables.Column(verbose_name="Line", order_by="position", attrs=END)
    domain = tables.Column(verbose_name="Domain", orderable=False, attrs=KEY)
    outcome = tables.Column(
        verbose_name="What happens", order_by=("outcome", "position"), empty_values=()
    )
    reason = tables.Column(
        verbose_name="Why, or what changes",
        orderable=False,
        default="",
        attrs={"td": {"class": "wide"}},
    )
    team = tables.Column(verbose_name="Team", orderable=False, empty_values=(), attrs=_SENT)
    owner = tables.Column(verbose_name="Owner", orderable=False, default="–", attrs=_SENT)
    tags = tables.Column(verbose_name="Tags", orderable=False, default="–", attrs=_SENT)

    class Meta(PortalTable.Meta):
        model = ImportLine
        fields: tuple[str, ...] = ()
        order_by = "line"
        caption = "Lines"

    def __init__(
        self, *args: Any, is_draft: bool = False, fallback_team: str = "", **kwargs: Any
    ) -> None:
        self.is_draft = is_draft
        self.fallback_team = fallback_team
        super().__init__(*args, **kwargs)

    def render_domain(self, record: ImportLine) -> SafeString:
        """Give what was sent, and the name it was read as where that differs."""
        sent = record.domain.strip()
        if not record.name or record.name == sent:
            return format_html("{}", sent[:253])
        return format_html(
            '{} <span class="muted small fw-normal">{}</span>', sent[:253], record.name
        )

    def value_domain(self, record: ImportLine) -> str:
        """Give the name for files."""
        return display_name(record.name) or record.domain

    def render_outcome(self, record: ImportLine) -> SafeString:
        """Give the fate as sign."""
        if not record.outcome:
            return _WAITING.html()
        sign = fate_sign(ImportOutcome(record.outcome), is_draft=self.is_draft).html()
        if not (record.shown and self.is_draft):
            return sign
        was = fate_sign(ImportOutcome(record.shown), is_draft=True).word
        return format_html('{} <span class="muted small">was: {}</span>', sign, was)

    def value_outcome(self, record: ImportLine) -> str:
        """Give the fate for files, in the words of `importdomains`."""
        return record.outcome

    def render_tags(self, record: ImportLine) -> str:
        """Give the tags."""
        return ", ".join(record.tags) if record.tags else "–"

    def value_tags(self, record: ImportLine) -> str:
        """Give the tags for files."""
        return ";".join(record.tags or ())

    def render_team(self, record: ImportLine) -> str:
        """Give the team: the one named, or the one that a new domain gets all the same."""
        return self.value_team(record) or "–"

    def value_team(self, record: ImportLine) -> str:
        """Give the team for files."""
        is_new = record.outcome == ImportOutcome.CREATED
        return record.team or (self.fallback_team if is_new else "")

    def value_owner(self, record: ImportLine) -> str:
        """Give the owner for files."""
        return record.owner or ""


class ImportJobTable(PortalTable):
    """One row an import."""

    source = tables.Column(verbose_name="Import", attrs=KEY)
    phase = tables.Column(verbose_name="State", orderable=False)
    total = CountColumn("Lines")
    created = DoneColumn("Added")
    updated = DoneColumn("Changed")
    exists = DoneColumn("There already")
    rejected = DoneColumn("Refused")
    user_name = tables.Column(verbose_name="Who")
    made_at = tables.Column(verbose_name="When (UTC)")

    class Meta(PortalTable.Meta):
        model = ImportJob
        fields: tuple[str, ...] = ()
        order_by = "-made_at"
        caption = "Imports"

    def render_source(self, record: ImportJob) -> SafeString:
        """Give the file's name, a link to the page."""
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record.source)

    def value_source(self, record: ImportJob) -> str:
        """Give the file's name for files."""
        return record.source

    def render_phase(self, record: ImportJob) -> SafeString:
        """Give how far it is."""
        return _PHASES[ImportPhase(record.phase)].html()

    def value_phase(self, record: ImportJob) -> str:
        """Give how far it is, for files."""
        return record.phase

    def render_made_at(self, record: ImportJob) -> SafeString:
        """Give when it was sent."""
        text = f"{day(record.made_at.date())} {record.made_at:%H:%M}"
        return format_html('<span class="nowrap">{}</span>', text)

    def value_made_at(self, record: ImportJob) -> datetime:
        """Give when it was sent, for files."""
        return record.made_at
