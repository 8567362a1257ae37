"""The columns of the domain list that the inventory and the checks fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import django_tables2 as tables
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from domains import signs
from domains.exception_queries import exceptions_by_domain
from domains.models import CoverageException, Domain, Posture
from webui.status import Sign
from webui.tables import KEY, PortalTable, TickColumn

_SIGNS: dict[str, Callable[[Posture | None], Sign]] = {
    "tlsrpt": signs.tlsrpt_sign,
    "mta_sts": signs.mta_sts_sign,
    "dane": signs.dane_sign,
}


class DomainTable(PortalTable):
    """One row a domain."""

    tick = TickColumn()
    name = tables.Column(verbose_name="Domain", attrs=KEY, empty_values=())
    team = tables.Column(
        verbose_name="Team",
        order_by=("team__name", "name"),
        empty_values=(),
        attrs={"td": {"class": "team"}},
    )
    # In the files a column of its own.
    owner = tables.Column(verbose_name="Owner", visible=False)
    tlsrpt = tables.Column(verbose_name="TLS-RPT", order_by=("tlsrpt", "name"), empty_values=())
    mta_sts = tables.Column(
        verbose_name="MTA-STS",
        order_by=("mta_sts", "sts_mode", "name"),
        empty_values=(),
    )
    dane = tables.Column(verbose_name="DANE", order_by=("dane", "name"), empty_values=())
    mx_provider = tables.Column(
        verbose_name="MX provider",
        order_by=("mx_provider", "name"),
        attrs={"td": {"class": "provider"}},
        empty_values=(),
    )
    # In the files only, and there last: earlier columns stay where they were.
    ascii_name = tables.Column(
        verbose_name="ASCII name", accessor="name", orderable=False, visible=False
    )

    class Meta(PortalTable.Meta):
        model = Domain
        fields: tuple[str, ...] = ()
        order_by = "name"
        caption = "Domains"

    def decorate(self, records: Sequence[Domain]) -> None:
        """Fetch the exceptions that run today."""
        today = timezone.now().date()
        self.exceptions = exceptions_by_domain(today, [record.pk for record in records])

    def render_name(self, record: Domain) -> SafeString:
        """Give the name as people read it, a link to its page, and below it the owner."""
        paused = "" if record.is_active else format_html(' <span class="tag">{}</span>', "paused")
        owner = (
            format_html('<span class="owner clip" title="Owner: {0}">{0}</span>', record.owner)
            if record.owner
            else ""
        )
        return format_html(
            '<a href="{}">{}</a>{}{}', record.get_absolute_url(), record.display_name, paused, owner
        )

    def value_name(self, record: Domain) -> str:
        """Give the name for files, as the page does."""
        return record.display_name

    def value_ascii_name(self, record: Domain) -> str:
        """Give the name as DNS and the API have it."""
        return record.name

    def render_team(self, record: Domain) -> str:
        """Give the team."""
        return record.team.name if record.team else "–"

    def value_team(self, record: Domain) -> str:
        """Give the team for files."""
        return record.team.name if record.team else ""

    def render_tlsrpt(self, record: Domain) -> SafeString:
        """Give the state of the TLSRPT record."""
        return self._with_mark(record, "tlsrpt")

    def value_tlsrpt(self, record: Domain) -> str:
        """Give the state for files."""
        return self._word(record, "tlsrpt")

    def render_mta_sts(self, record: Domain) -> SafeString:
        """Give the mode of MTA-STS."""
        return self._with_mark(record, "mta_sts")

    def value_mta_sts(self, record: Domain) -> str:
        """Give the mode for files."""
        return self._word(record, "mta_sts")

    def render_dane(self, record: Domain) -> SafeString:
        """Give the state of DANE."""
        return self._with_mark(record, "dane")

    def value_dane(self, record: Domain) -> str:
        """Give the state for files."""
        return self._word(record, "dane")

    def render_mx_provider(self, record: Domain) -> str:
        """Give who runs the MX hosts."""
        return self.value_mx_provider(record) or "–"

    def value_mx_provider(self, record: Domain) -> str:
        """Give the name for files."""
        posture = record.last_posture
        return posture.mx_provider if posture else ""

    def _with_mark(self, record: Domain, aspect: str) -> SafeString:
        """Give the state, with a mark below where an exception excuses it."""
        sign = self._sign(record, aspect)
        excuse = self._excuse(record, aspect)
        if excuse is None:
            return sign.html()
        mark = signs.excepted_sign(excuse).html()
        return format_html('{}<span class="excepted">{}</span>', sign.html(), mark)

    def _word(self, record: Domain, aspect: str) -> str:
        word = self._sign(record, aspect).word
        return f"{word} (excepted)" if self._excuse(record, aspect) else word

    def _sign(self, record: Domain, aspect: str) -> Sign:
        return _SIGNS[aspect](record.last_posture)

    def _excuse(self, record: Domain, aspect: str) -> CoverageException | None:
        held = self.exceptions.get(record.pk, {})
        return signs.excuse_of(aspect, record.last_posture, held)
