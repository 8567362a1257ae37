"""The domains of a stage of the roll-out as a table: all of them, with their evidence."""

from __future__ import annotations

from collections.abc import Sequence

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from domains.models import Domain
from reports import queries
from reports.queries import Totals
from tlsrpt_portal.pages.rollout_board import LANES, Place, tell_evidence
from tlsrpt_portal.pages.stages import EVIDENCE_DAYS, evidence_of
from webui.status import Sign, Tone
from webui.tables import END, KEY, PortalTable
from webui.wording import number

_TROUBLE = Sign(Tone.WARN, "Look", "", "Somebody should look at it before it goes on.")


class StageTable(PortalTable):
    """One row a domain, troubled ones on top."""

    stage = tables.Column(verbose_name="Stage", orderable=False, empty_values=())
    name = tables.Column(verbose_name="Domain", orderable=False, attrs=KEY)
    team = tables.Column(verbose_name="Team", accessor="pk", orderable=False)
    state = tables.Column(verbose_name="State", accessor="pk", orderable=False)
    evidence = tables.Column(
        verbose_name="Evidence", accessor="pk", orderable=False, attrs={"td": {"class": "wide"}}
    )
    sessions = tables.Column(
        verbose_name="Sessions", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    failed = tables.Column(
        verbose_name="Failed", accessor="pk", orderable=False, attrs=END, empty_values=()
    )

    class Meta(PortalTable.Meta):
        caption = "Domains"

    def decorate(self, records: Sequence[Place]) -> None:
        """Fetch the domains and their figures."""
        chosen = Domain.objects.filter(pk__in=[record.pk for record in records])
        since, self.until = queries.last_complete_days(EVIDENCE_DAYS)
        self.domains = chosen.select_related("team").in_bulk()
        self.totals = queries.per_domain_totals(chosen, since, self.until)

    def render_stage(self, record: Place) -> str:
        """Give the stage."""
        return LANES[record.stage][0]

    def render_name(self, record: Place) -> SafeString:
        """Give the name, a link to its page."""
        domain = self.domains[record.pk]
        return format_html('<a href="{}">{}</a>', domain.get_absolute_url(), domain.display_name)

    def value_name(self, record: Place) -> str:
        """Give the name for files."""
        return self.domains[record.pk].display_name

    def render_team(self, record: Place) -> str:
        """Give the team."""
        return str(self.domains[record.pk].team or "–")

    def value_team(self, record: Place) -> str:
        """Give the team for files."""
        return str(self.domains[record.pk].team or "")

    def render_state(self, record: Place) -> SafeString | str:
        """Say whether somebody should look at it."""
        return "–" if record.is_quiet else _TROUBLE.html()

    def value_state(self, record: Place) -> str:
        """Say so in files."""
        return "" if record.is_quiet else _TROUBLE.word

    def render_evidence(self, record: Place) -> str:
        """Say why it stands there."""
        seen = evidence_of(self.totals.get(record.pk, Totals()))
        return tell_evidence(record, seen, self.until)

    def render_sessions(self, record: Place) -> str:
        """Give the sessions of the days of evidence."""
        return number(self.value_sessions(record))

    def value_sessions(self, record: Place) -> int:
        """Give the count for files."""
        return self.totals.get(record.pk, Totals()).sessions

    def render_failed(self, record: Place) -> SafeString | str:
        """Give how many of them failed, a link to why."""
        failed = self.value_failed(record)
        if not failed:
            return number(failed)
        page = self.domains[record.pk].get_absolute_url()
        return format_html(
            '<a href="{}?days={}#failures">{}</a>', page, EVIDENCE_DAYS, number(failed)
        )

    def value_failed(self, record: Place) -> int:
        """Give the count for files."""
        return self.totals.get(record.pk, Totals()).failures
