"""The reader of RFC 8460 section 4.4: strict about numbers, tolerant about everything else."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from mailtls.findings import Parsed
from mailtls.limits import DEFAULT_LIMITS, Limits
from mailtls.names import MAX_NAME_LENGTH
from mailtls.report import fields
from mailtls.report.hints import Hints
from mailtls.report.json_text import decode_json
from mailtls.report.notes import Notes, RejectedError
from mailtls.report.values import (
    RESULT_TYPES,
    FailureDetail,
    PolicyResult,
    PolicyType,
    Report,
)

_DAY = dt.timedelta(days=1)
_WIDEST_DAY = dt.timedelta(days=1, seconds=60)
_RESULT_TYPE_CHARS = 64
_POLICY_TYPES = {
    kind.value: kind for kind in (PolicyType.STS, PolicyType.TLSA, PolicyType.NO_POLICY_FOUND)
}
_NO_HINTS = Hints()

Members = dict[str, object]


def parse_report(
    data: bytes, *, hints: Hints = _NO_HINTS, limits: Limits = DEFAULT_LIMITS
) -> Parsed[Report]:
    """Read an aggregate report (RFC 8460 section 4.4).

    A bad entry drops itself, not the report. Missing texts are empty and missing counts None.
    `hints` fill in what the body leaves out and are never believed against it (section 5.6).
    Never raises for bad input; `value` is None when no usable report remains, and the last
    finding says why.
    """
    notes = Notes()
    try:
        report = _read(data, hints, limits, notes)
    except RejectedError as rejection:
        return Parsed(None, (*notes.findings(), rejection.finding))
    return Parsed(report, notes.findings())


def _read(data: bytes, hints: Hints, limits: Limits, notes: Notes) -> Report:
    body = _top_level_object(decode_json(data, limits, notes), notes)
    entries = _policy_entries(body, limits, notes)
    start_at, end_at = _date_range(body.get("date-range"), notes)
    contact = _contact_info(body.get("contact-info"), limits, notes)
    contact_domain = _domain_of_contact(contact)
    submitter = hints.submitter or contact_domain
    organization = fields.read_text(
        body.get("organization-name"), limits.text_chars, notes, "organization-name"
    )
    if not organization:
        notes.warn("report.organization.missing")
        organization = contact_domain or hints.submitter
    report_id = _report_id(body.get("report-id"), data, limits, notes)
    reader = _PolicyReader(hints, limits, notes)
    policies = tuple(
        policy for index, entry in enumerate(entries) if (policy := reader.read(entry, index))
    )
    _compare_with_hints(policies, hints, notes)
    return Report(
        organization_name=organization,
        report_id=report_id,
        contact_info=contact,
        submitter=submitter,
        identity_submitter=contact_domain or hints.submitter,
        start_at=start_at,
        end_at=end_at,
        policies=policies,
    )


def _top_level_object(value: object, notes: Notes) -> Members:
    if isinstance(value, list) and len(value) == 1:
        notes.warn("report.shape.wrapped")
        value = value[0]
    if not isinstance(value, dict):
        raise RejectedError("report.shape.not-an-object", found=type(value).__name__)
    return value


def _policy_entries(body: Members, limits: Limits, notes: Notes) -> list[object]:
    value = body.get("policies")
    if isinstance(value, dict):
        notes.warn("report.policies.not-an-array")
        value = [value]
    if not isinstance(value, list):
        raise RejectedError("report.policies.missing")
    if len(value) > limits.policies:
        raise RejectedError("report.policies.too-many", policies=len(value), limit=limits.policies)
    if not value:
        notes.warn("report.policies.empty")
    return value


def _date_range(value: object, notes: Notes) -> tuple[dt.datetime, dt.datetime]:
    if not isinstance(value, dict):
        raise RejectedError("report.date.missing")
    start = fields.read_time(value.get("start-datetime"), notes, "start-datetime")
    end = fields.read_time(value.get("end-datetime"), notes, "end-datetime")
    try:
        if start is None and end is not None:
            notes.warn("report.date.start-missing")
            start = (end - dt.timedelta(microseconds=1)).replace(
                hour=0, minute=0, second=0, microsecond=0
            )
        elif start is not None and end is None:
            notes.warn("report.date.end-missing")
            end = start + _DAY
    except OverflowError as error:
        raise RejectedError("report.date.missing") from error
    if start is None or end is None:
        raise RejectedError("report.date.missing")
    if end < start:
        notes.warn("report.date.reversed")
    elif end - start > _WIDEST_DAY:
        # Google has sent weeks. The report stays on the day it starts.
        notes.warn(
            "report.date.longer-than-a-day", hours=round((end - start).total_seconds() / 3600)
        )
    return start, end


def _contact_info(value: object, limits: Limits, notes: Notes) -> str:
    contact = fields.read_text(value, limits.text_chars, notes, "contact-info")
    if not contact:
        # Stalwart and many others send null.
        notes.warn("report.contact.missing")
    return contact.removeprefix("mailto:")


def _domain_of_contact(contact: str) -> str:
    _, at, domain = contact.rpartition("@")
    if not at:
        return ""
    name, is_valid = fields.normalise_domain(domain.strip("<> "))
    return name if is_valid else ""


def _report_id(value: object, data: bytes, limits: Limits, notes: Notes) -> str:
    report_id = fields.read_text(value, limits.text_chars, notes, "report-id")
    if not report_id:
        notes.warn("report.id.missing")
        return hashlib.sha256(data).hexdigest()
    return report_id


def _compare_with_hints(policies: tuple[PolicyResult, ...], hints: Hints, notes: Notes) -> None:
    domains = {policy.policy_domain for policy in policies}
    # A tlsa result may name the MX host, which no header does.
    if not domains or any(policy.policy_type is PolicyType.TLSA for policy in policies):
        return
    others = [name for name in hints.policy_domains if name not in domains]
    if others:
        notes.warn("report.metadata.differs", named=others[0])


class _PolicyReader:
    """Reads the entries of `policies`, counting details over all of them against the limit."""

    def __init__(self, hints: Hints, limits: Limits, notes: Notes) -> None:
        self._hints = hints
        self._limits = limits
        self._notes = notes
        self._details_left = limits.failure_details

    def read(self, entry: object, index: int) -> PolicyResult | None:
        notes = self._notes
        if not isinstance(entry, dict):
            notes.error("report.policy.dropped", entry=index, reason="not an object")
            return None
        policy = entry.get("policy")
        if not isinstance(policy, dict):
            notes.warn("report.policy.missing", entry=index)
            policy = entry
        try:
            successes, failures = self._summary(entry.get("summary"))
        except fields.BadCountError as error:
            notes.error("report.count.invalid", entry=index, field=str(error))
            return None
        kind, raw_kind = self._policy_type(policy)
        return PolicyResult(
            policy_type=kind,
            policy_type_raw=raw_kind,
            policy_domain=self._policy_domain(policy),
            policy_strings=self._policy_strings(policy.get("policy-string")),
            mx_hosts=self._mx_hosts(policy),
            successes=successes,
            failures=failures,
            details=self._details(entry.get("failure-details"), failures),
        )

    def _policy_type(self, policy: Members) -> tuple[PolicyType, str]:
        raw = fields.read_text(policy.get("policy-type"), 100, self._notes, "policy-type")
        folded = raw.lower()
        kind = _POLICY_TYPES.get(folded, PolicyType.OTHER)
        if kind is PolicyType.OTHER:
            self._notes.warn("report.policy-type.unknown", value=raw[:80])
        elif folded != raw:
            self._notes.warn("report.policy-type.case", value=raw)
        return kind, raw

    def _policy_domain(self, policy: Members) -> str:
        name = fields.read_domain(policy.get("policy-domain"), self._notes, "policy-domain")
        if name:
            return name
        # Postfix leaves it out for no-policy-found; only the envelope tells.
        hint = self._hints.policy_domain
        self._notes.warn("report.policy-domain.missing", taken_from_envelope=hint or None)
        return hint

    def _policy_strings(self, value: object) -> tuple[str, ...]:
        # Microsoft sends the TLSA records as one text that holds a JSON array.
        if isinstance(value, list) and len(value) == 1:
            value = self._unwrapped(value[0]) or value
        elif isinstance(value, str):
            value = self._unwrapped(value) or value
        limits = self._limits
        return fields.read_lines(
            value, limits.policy_lines, limits.text_chars, self._notes, "policy-string"
        )

    def _unwrapped(self, value: object) -> list[object] | None:
        if not isinstance(value, str) or not value.lstrip().startswith("["):
            return None
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return None
        if not isinstance(inner, list):
            return None
        self._notes.warn("report.policy-string.nested")
        return inner

    def _mx_hosts(self, policy: Members) -> tuple[str, ...]:
        value = policy.get("mx-host")
        if value is None and "mx-host-pattern" in policy:
            # The RFC's prose names the production so; parts of the world took it for the key.
            self._notes.warn("report.mx-host.alias")
            value = policy["mx-host-pattern"]
        limits = self._limits
        hosts = fields.read_lines(
            value, limits.policy_lines, limits.text_chars, self._notes, "mx-host"
        )
        if any(host.startswith("mx:") for host in hosts):
            self._notes.warn("report.mx-host.prefix")
            hosts = tuple(host.removeprefix("mx:").strip() for host in hosts)
        return hosts

    def _summary(self, value: object) -> tuple[int | None, int | None]:
        if not isinstance(value, dict):
            self._notes.warn("report.summary.missing")
            return None, None
        successes = self._total(value, "total-successful-session-count")
        failures = self._total(value, "total-failure-session-count")
        return successes, failures

    def _total(self, summary: Members, field: str) -> int | None:
        count = fields.read_count(summary.get(field), self._notes, field)
        if count is None:
            self._notes.warn("report.count.missing", field=field)
        return count

    def _details(self, value: object, failures: int | None) -> tuple[FailureDetail, ...]:
        if value is None:
            return ()
        if isinstance(value, dict):
            self._notes.warn("report.array.wrong-type", field="failure-details")
            value = [value]
        if not isinstance(value, list):
            self._notes.warn("report.array.wrong-type", field="failure-details")
            return ()
        self._details_left -= len(value)
        if self._details_left < 0:
            limit = self._limits.failure_details
            raise RejectedError("report.details.too-many", limit=limit)
        details = tuple(detail for item in value if (detail := self._detail(item)))
        if details and failures is not None:
            counted = sum(detail.failed_sessions or 0 for detail in details)
            if counted != failures:
                # Types of failure overlap (RFC 8460 section 4): both figures stand.
                self._notes.inform("report.details.differ", in_details=counted, total=failures)
        return details

    def _detail(self, item: object) -> FailureDetail | None:
        notes, limits = self._notes, self._limits
        raw = ""
        if isinstance(item, dict):
            raw = fields.read_text(item.get("result-type"), limits.text_chars, notes, "result-type")
        if not isinstance(item, dict) or not raw:
            notes.error("report.detail.dropped")
            return None
        result_type = raw.lower()[:_RESULT_TYPE_CHARS]
        if result_type not in RESULT_TYPES:
            notes.warn("report.result-type.unknown", value=raw[:80])
        elif result_type != raw:
            notes.warn("report.result-type.case", value=raw)
        return FailureDetail(
            result_type=result_type,
            result_type_raw=raw,
            failed_sessions=self._failed_sessions(item.get("failed-session-count")),
            sending_mta_ip=fields.read_address(item.get("sending-mta-ip"), notes, "sending-mta-ip"),
            receiving_mx_hostname=self._host(item, "receiving-mx-hostname"),
            receiving_mx_helo=self._text(item, "receiving-mx-helo"),
            receiving_ip=fields.read_address(item.get("receiving-ip"), notes, "receiving-ip"),
            additional_information=self._additional_information(item),
            failure_reason_code=fields.read_text(
                item.get("failure-reason-code"), limits.reason_chars, notes, "failure-reason-code"
            ),
        )

    def _failed_sessions(self, value: object) -> int | None:
        try:
            count = fields.read_count(value, self._notes, "failed-session-count")
        except fields.BadCountError:
            self._notes.error("report.detail.count-invalid")
            return None
        if count is None:
            self._notes.warn("report.detail.count-missing")
        return count

    def _host(self, item: Members, field: str) -> str:
        name = fields.read_text(item.get(field), MAX_NAME_LENGTH, self._notes, field)
        return name.rstrip(".").lower()

    def _text(self, item: Members, field: str) -> str:
        return fields.read_text(item.get(field), self._limits.text_chars, self._notes, field)

    def _additional_information(self, item: Members) -> str:
        field = "additional-information"
        if field not in item and "additional-info-uri" in item:
            self._notes.warn("report.additional-information.alias")
            field = "additional-info-uri"
        return fields.read_text(item.get(field), self._limits.reason_chars, self._notes, field)
