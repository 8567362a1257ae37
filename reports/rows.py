"""From what was read to unsaved rows; nothing is asked of the database here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from mailtls.report import Report as ParsedReport
from mailtls.report.notes import CONFLICTING
from reports.attribution import attribute, choose_counted
from reports.models import FailureDetail, PolicyResult, Receipt, Report, Trust
from reports.reading import ReadDocument

_REPORTER_CHARS = 200


def report_row(
    document: ReadDocument, *, trust: Trust, receipt: Receipt, identity: str, is_conflicting: bool
) -> Report:
    """Give the row of a report."""
    report = document.report
    assert report is not None
    warnings = [[note.code, note.params] for note in document.warnings]
    if is_conflicting:
        warnings.append([CONFLICTING, {}])
    return Report(
        content_sha256=document.sha256,
        organization_name=report.organization_name,
        submitter=report.submitter,
        reporter=_reporter(report),
        report_id=report.report_id,
        contact_info=report.contact_info,
        start_at=report.start_at,
        end_at=report.end_at,
        day=report.start_at.date(),
        received_at=receipt.received_at,
        trust=trust,
        warnings=warnings,
        document=document.compressed,
        first_receipt_id=receipt.pk,
        identity=identity,
    )


def _reporter(report: ParsedReport) -> str:
    return (report.organization_name or report.submitter or "unknown")[:_REPORTER_CHARS]


def result_rows(
    report_id: int,
    document: ReadDocument,
    managed: Mapping[str, int],
    mx_owners: Mapping[str, int],
    *,
    is_conflicting: bool,
) -> list[tuple[PolicyResult, list[FailureDetail]]]:
    """Give the rows of a report's policies, each with those of its failure details.

    `managed` leads from names to ids of the inventory, `mx_owners` from MX hosts.
    """
    report = document.report
    assert report is not None
    domains = attribute(report, document.hints, managed, mx_owners)
    groups: list[Hashable] = [
        domain if domain is not None else policy.policy_domain
        for domain, policy in zip(domains, report.policies, strict=True)
    ]
    counted = choose_counted(report.policies, groups)
    rows = []
    for position, policy in enumerate(report.policies):
        result = PolicyResult(
            report_id=report_id,
            position=position,
            policy_type=policy.policy_type.value,
            policy_type_raw=policy.policy_type_raw,
            policy_domain=policy.policy_domain,
            domain_id=domains[position],
            day=report.start_at.date(),
            reporter=_reporter(report),
            successes=policy.successes,
            failures=policy.failures,
            failures_in_details=policy.failures_in_details,
            is_counted=counted[position] and not is_conflicting,
            policy_strings=policy.policy_strings,
            mx_hosts=policy.mx_hosts,
        )
        details = [
            FailureDetail(
                position=index,
                result_type=detail.result_type,
                result_type_raw=detail.result_type_raw,
                failed_sessions=detail.failed_sessions,
                sending_mta_ip=detail.sending_mta_ip,
                receiving_mx_hostname=detail.receiving_mx_hostname,
                receiving_mx_helo=detail.receiving_mx_helo,
                receiving_ip=detail.receiving_ip,
                additional_information=detail.additional_information,
                failure_reason_code=detail.failure_reason_code,
            )
            for index, detail in enumerate(policy.details)
        ]
        rows.append((result, details))
    return rows
