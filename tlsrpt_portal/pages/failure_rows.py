"""Failed sessions of the fleet in groups: by cause, reporter, domain, provider or policy type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar, overload

from domains.models import NO_PROVIDER, Domain, Posture
from reports import cause_queries, queries
from reports.cause_queries import Cause, Extent, extents
from reports.fleet import of_domains
from reports.models import PolicyKind
from reports.queries import Sums
from reports.signs import cause_name
from tlsrpt_portal.pages.failure_scope import Asked, provider_words
from webui.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of failed sessions; None where the grouping does not tell."""

    name: str
    href: str
    failed: int
    # Where exactly these sessions are; empty where the page behind the name shows more.
    failed_href: str = ""
    receiving_mx: str | None = None
    # The sessions that those are a part of.
    sessions: int | None = None
    domains: int | None = None
    domains_href: str = ""
    reporters: int | None = None
    reporters_href: str = ""
    first_day: date | None = None
    last_day: date | None = None


T = TypeVar("T")


class _Rows(Sequence[Row], Generic[T]):
    """Rows that are made when they are read: a fleet may have very many groups."""

    def __init__(self, groups: Sequence[T], make: Callable[[Sequence[T]], list[Row]]) -> None:
        self._groups = groups
        self._make = make

    def __len__(self) -> int:
        return len(self._groups)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, int):
            return self._make([self._groups[at]])[0]
        return self._make(self._groups[at])


def _by_cause_and_mx(asked: Asked) -> Sequence[Row]:
    span = asked.span
    return _cause_rows(
        asked, cause_queries.causes_by_receiving_mx(asked.domains, span.since, span.until)
    )


def _by_cause(asked: Asked) -> Sequence[Row]:
    return _cause_rows(
        asked, cause_queries.causes(asked.domains, asked.span.since, asked.span.until)
    )


def _cause_rows(asked: Asked, found: Sequence[Cause]) -> Sequence[Row]:
    def make(chosen: Sequence[Cause]) -> list[Row]:
        reach = extents(asked.domains, chosen, asked.span.since, asked.span.until)
        return [
            _cause_row(one, extent, asked.group_href(one))
            for one, extent in zip(chosen, reach, strict=True)
        ]

    return _Rows([one for one in found if asked.cause in {"", one.result_type}], make)


def _cause_row(one: Cause, extent: Extent, href: str) -> Row:
    return Row(
        name=cause_name(one.result_type),
        href=href,
        failed=one.failed_sessions,
        failed_href=href,
        receiving_mx=_mx_words(one),
        domains=extent.domains,
        domains_href=f"{href}#domains",
        reporters=extent.reporters,
        reporters_href=f"{href}#reporters",
        first_day=one.first_day,
        last_day=one.last_day,
    )


def _mx_words(one: Cause) -> str:
    if one.receiving_mx or not one.receiving_mxs:
        return one.receiving_mx or "none named"
    return plural(one.receiving_mxs, "MX host")


def _by_reporter(asked: Asked) -> list[Row]:
    found = queries.by_reporter(asked.domains, asked.span.since, asked.span.until)
    return [
        Row(
            name=one.reporter,
            href=(href := asked.reports_href(reporter=one.reporter, content="failures")),
            failed=one.failures,
            failed_href=href,
            sessions=one.sessions,
            domains=one.domains,
            first_day=one.first_day,
            last_day=one.last_day,
        )
        for one in sorted(found, key=lambda one: -one.failures)
        if one.failures
    ]


def _by_domain(asked: Asked) -> Sequence[Row]:
    span = asked.span

    def make(chosen: Sequence[tuple[int, Sums]]) -> list[Row]:
        shown = Domain.objects.filter(pk__in=[pk for pk, _ in chosen])
        names = shown.in_bulk()
        reporters = queries.reporters_per_domain(shown, span.since, span.until)
        return [
            _domain_row(names[pk], sums, reporters.get(pk, 0), span.days)
            for pk, sums in chosen
            if pk in names
        ]

    found = queries.per_domain_sums(asked.domains, span.since, span.until)
    failing = [(pk, sums) for pk, sums in found.items() if sums.failures]
    return _Rows(sorted(failing, key=lambda one: -one[1].failures), make)


def _domain_row(domain: Domain, sums: Sums, reporters: int, days: int) -> Row:
    page = f"{domain.get_absolute_url()}?days={days}"
    return Row(
        name=domain.display_name,
        href=f"{page}#failures",
        failed=sums.failures,
        failed_href=f"{page}#failures",
        sessions=sums.sessions,
        reporters=reporters,
        reporters_href=f"{page}#reporters",
    )


def _by_provider(asked: Asked) -> list[Row]:
    found = queries.per_domain_sums(asked.domains, asked.span.since, asked.span.until)
    postures = of_domains(Posture.objects.all(), asked.domains)
    providers = dict(postures.values_list("domain_id", "mx_provider"))
    groups: defaultdict[str, list[Sums]] = defaultdict(list)
    for key, total in found.items():
        if total.failures:
            groups[providers.get(key) or NO_PROVIDER].append(total)
    rows = [
        _provider_row(asked.list_href(by="domain", provider=provider), provider, group)
        for provider, group in groups.items()
    ]
    return sorted(rows, key=lambda row: -row.failed)


def _provider_row(href: str, provider: str, group: Sequence[Sums]) -> Row:
    return Row(
        name=provider_words(provider),
        href=href,
        failed=sum(one.failures for one in group),
        failed_href=href,
        sessions=sum(one.sessions for one in group),
        domains=len(group),
        domains_href=href,
    )


def _by_policy_type(asked: Asked) -> list[Row]:
    found = queries.by_policy_type(asked.domains, asked.span.since, asked.span.until)
    rows = [
        Row(
            name=PolicyKind(one.policy_type).label,
            href=(href := asked.reports_href(policy=one.policy_type, content="failures")),
            failed=one.failures,
            failed_href=href,
            sessions=one.successes + one.failures,
        )
        for one in found
        if one.failures
    ]
    return sorted(rows, key=lambda row: -row.failed)


# By the word in the address: how it is called, and its rows, most failed sessions first.
GROUPINGS: dict[str, tuple[str, Callable[[Asked], Sequence[Row]]]] = {
    "cause-mx": ("Cause and MX", _by_cause_and_mx),
    "cause": ("Cause", _by_cause),
    "reporter": ("Reporter", _by_reporter),
    "domain": ("Domain", _by_domain),
    "provider": ("MX provider", _by_provider),
    "policy": ("Policy type", _by_policy_type),
}
