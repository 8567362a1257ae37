"""The tables of the page of a cause as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db.models import QuerySet

from domains.models import Domain
from mailtls.catalogue.result_types import explain_reason
from reports.cause_key import CauseKey
from reports.cause_parts import Part
from reports.evidence import Reason
from reports.models import FailureDetail
from tlsrpt_portal.pages.failure_parts import Taken
from webui.exports import Sheet

# So many details are worth a file; a cause of years may have millions.
MOST_EVIDENCE_IN_FILES = 10_000

# What is told of a domain: its part of the cause, or a number.
Told = TypeVar("Told")


def with_domains(parts: Sequence[Part]) -> Iterator[tuple[Domain, Part]]:
    return named([(part.key, part) for part in parts])


def named(rows: Sequence[tuple[int, Told]]) -> Iterator[tuple[Domain, Told]]:
    """Give what is told of each domain together with it; one query."""
    domains = Domain.objects.select_related("team").in_bulk([key for key, _ in rows])
    return ((domains[key], told) for key, told in rows if key in domains)


def sheets_of(
    cause: CauseKey,
    parts: Taken,
    reasons: Sequence[Reason],
    found: QuerySet[FailureDetail],
    given: Reason | None,
) -> list[Sheet]:
    of_reason = _sheets_of_reason(given) if given else []
    return [
        Sheet(
            name="domains",
            file_name="failures-domains",
            header=("Domain", "Team", "Failed sessions", "First day", "Last day"),
            rows=lambda: (
                (
                    domain.display_name,
                    domain.team or "",
                    part.failed_sessions,
                    part.first_day,
                    part.last_day,
                )
                for domain, part in with_domains(parts.by_domain.shown)
            ),
        ),
        Sheet(
            name="reporters",
            file_name="failures-reporters",
            header=("Reporter", "Failed sessions", "First day", "Last day"),
            rows=lambda: (
                (part.key, part.failed_sessions, part.first_day, part.last_day)
                for part in parts.by_reporter
            ),
        ),
        Sheet(
            name="mx",
            file_name="failures-receiving-mx",
            header=(
                "MX operator" if cause.operator is None else "Receiving MX",
                "Failed sessions",
                "Domains",
                "First day",
                "Last day",
            ),
            rows=lambda: map(_part_cells, parts.by_place.shown),
        ),
        Sheet(
            name="reasons",
            file_name="failures-reasons",
            header=("Reason given", "Meaning", "Failed sessions", "Domains", "Reporters"),
            rows=lambda: (
                (
                    one.code,
                    explain_reason(one.code) or "",
                    one.failed_sessions,
                    len(one.by_domain),
                    len(one.by_reporter),
                )
                for one in reasons
            ),
        ),
        Sheet(
            name="evidence",
            file_name="failures-evidence",
            header=(
                "Report",
                "Reporter",
                "Day",
                "Domain",
                "Failed sessions",
                "Sending MTA",
                "Receiving MX",
                "Reason given",
            ),
            rows=lambda: map(_detail_cells, found[:MOST_EVIDENCE_IN_FILES]),
        ),
        *of_reason,
    ]


def _sheets_of_reason(given: Reason) -> list[Sheet]:
    return [
        Sheet(
            name="reason-domains",
            file_name="failures-reason-domains",
            header=("Domain", "Team", "Failed sessions"),
            rows=lambda: (
                (domain.display_name, domain.team or "", failed)
                for domain, failed in named(given.by_domain)
            ),
        ),
        Sheet(
            name="reason-reporters",
            file_name="failures-reason-reporters",
            header=("Reporter", "Failed sessions"),
            rows=lambda: given.by_reporter,
        ),
    ]


def _part_cells(part: Part) -> tuple[object, ...]:
    return part.key, part.failed_sessions, part.domains, part.first_day, part.last_day


def _detail_cells(detail: FailureDetail) -> tuple[object, ...]:
    return (
        detail.result.report.report_id,
        detail.result.reporter,
        detail.result.day,
        detail.result.display_domain,
        detail.failed_sessions,
        detail.sending_mta_ip,
        detail.receiving_mx_hostname,
        detail.failure_reason_code,
    )
