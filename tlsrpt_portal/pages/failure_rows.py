"""Failed sessions of the fleet in groups: by cause, reporter, domain, provider or policy type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from domains.models import NO_PROVIDER, Domain
from reports import cause_queries, queries, reporter_queries
from reports.cause_queries import Cause, Causes
from reports.models import PolicyKind
from reports.queries import ProviderFigures, Sums
from reports.signs import cause_name
from tlsrpt_portal.pages.failure_scope import Asked, operator_words, provider_words
from webui.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of failed sessions; None where the grouping does not tell."""

    name: str
    href: str
    failed: int
    # Where exactly these sessions are; empty where the page behind the name shows more.
    failed_href: str = ""
    operator: str | None = None
    # The sessions that those are a part of.
    sessions: int | None = None
    domains: int | None = None
    domains_href: str = ""
    reporters: int | None = None
    reporters_href: str = ""
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The first groups, most failed sessions first, and how many there are."""

    shown: list[Row]
    count: int


def _by_cause_and_operator(asked: Asked, most: int | None) -> Rows:
    return _cause_rows(asked, cause_queries.causes_by_operator, most)


def _by_cause(asked: Asked, most: int | None) -> Rows:
    return _cause_rows(asked, cause_queries.causes, most)


def _cause_rows(asked: Asked, read: Callable[..., Causes], most: int | None) -> Rows:
    days = asked.span.since, asked.span.until
    found = read(asked.domains, *days, most, asked.types)
    domains = cause_queries.domain_counts(asked.domains, found.shown, *days)
    rows = [
        _cause_row(one, count, asked.group_href(one))
        for one, count in zip(found.shown, domains, strict=True)
    ]
    return Rows(shown=rows, count=found.count)


def _cause_row(one: Cause, domains: int, href: str) -> Row:
    return Row(
        name=cause_name(one.result_type),
        href=href,
        failed=one.failed_sessions,
        failed_href=href,
        operator=_operators(one),
        domains=domains,
        domains_href=f"{href}#domains",
        reporters=one.reporters,
        reporters_href=f"{href}#reporters",
        first_day=one.first_day,
        last_day=one.last_day,
    )


def _operators(one: Cause) -> str:
    if one.operator is None and one.operators:
        return plural(one.operators, "operator")
    return operator_words(one.operator or "")


def _by_reporter(asked: Asked, most: int | None) -> Rows:
    found = reporter_queries.sums_by_reporter(asked.domains, asked.span.since, asked.span.until)
    rows = [
        Row(
            name=one.reporter,
            href=(href := asked.reports_href(reporter=one.reporter, content="failures")),
            failed=one.failures,
            failed_href=href,
            sessions=one.sessions,
            domains=one.domains,
        )
        for one in found
        if one.failures
    ]
    return Rows(shown=rows[:most], count=len(rows))


def _by_domain(asked: Asked, most: int | None) -> Rows:
    span = asked.span
    order = [one for one in asked.order if one.removeprefix("-") in queries.DOMAIN_ORDERS]
    found, count = queries.failing_domains(
        asked.domains, span.since, span.until, most, order or ["-failed"]
    )
    chosen = Domain.objects.filter(pk__in=[pk for pk, _ in found])
    names = chosen.in_bulk()
    reporters = queries.reporters_per_domain(chosen, span.since, span.until)
    rows = [
        _domain_row(names[pk], sums, reporters.get(pk, 0), span.days)
        for pk, sums in found
        if pk in names
    ]
    return Rows(shown=rows, count=count)


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


def _by_provider(asked: Asked, most: int | None) -> Rows:
    found = queries.failures_by_provider(asked.domains, asked.span.since, asked.span.until)
    rows = [_provider_row(asked, one) for one in found]
    return Rows(shown=rows[:most], count=len(rows))


def _provider_row(asked: Asked, one: ProviderFigures) -> Row:
    provider = one.provider or NO_PROVIDER
    href = asked.list_href(by="domain", provider=provider)
    return Row(
        name=provider_words(provider),
        href=href,
        failed=one.failures,
        failed_href=href,
        sessions=one.sessions,
        domains=one.domains,
        domains_href=href,
    )


def _by_policy_type(asked: Asked, most: int | None) -> Rows:
    found = reporter_queries.by_policy_type(asked.domains, asked.span.since, asked.span.until)
    rows = [
        Row(
            name=PolicyKind(one.policy_type).label,
            href=(href := asked.reports_href(policy=one.policy_type, content="failures")),
            failed=one.failures,
            failed_href=href,
            sessions=one.successes + one.failures,
        )
        for one in sorted(found, key=lambda one: -one.failures)
        if one.failures
    ]
    return Rows(shown=rows[:most], count=len(rows))


# Of these the database finds the first rows in any order; of the others there are not many.
ORDERED = frozenset({"domain"})
# Only these tell causes apart.
BY_CAUSE = frozenset({"cause-operator", "cause"})
# By the word in the address: how it is called, and what gives its first rows, or all.
GROUPINGS: dict[str, tuple[str, Callable[[Asked, int | None], Rows]]] = {
    "cause-operator": ("Cause and MX operator", _by_cause_and_operator),
    "cause": ("Cause", _by_cause),
    "reporter": ("Reporter", _by_reporter),
    "domain": ("Domain", _by_domain),
    "provider": ("MX provider", _by_provider),
    "policy": ("Policy type", _by_policy_type),
}
