"""Writes what was read: reports, results, deliveries and what became of each receipt.

One transaction per batch. Unique constraints decide who was first, so the same batch may be
stored twice, or by two workers at once, and leaves the same rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from domains.models import Domain
from mailtls.report import Report as ParsedReport
from mailtls.report.notes import CONFLICTING
from reports.attribution import mx_hosts_to_look_up, names_to_look_up
from reports.bulk import give_ids, insert_rows
from reports.held_back import find_reason
from reports.models import (
    Channel,
    DirtyDay,
    FailureDetail,
    Intake,
    Outcome,
    PolicyResult,
    Receipt,
    Report,
    ReportReceipt,
    Trust,
)
from reports.mx_owners import find_mx_owners
from reports.reading import READER_VERSION, Note, ReadDocument
from reports.rows import report_row, result_rows
from reports.trust import RANK, RequiredTrust, judge_trust


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipt:
    """A receipt with what was read from its bytes."""

    receipt: Receipt
    documents: tuple[ReadDocument, ...]
    signed_by: str = ""

    @property
    def trust(self) -> Trust:
        """Say how sure it is that the named sender sent this."""
        is_mail = any(document.hints.is_mail for document in self.documents)
        return judge_trust(Channel(self.receipt.channel), is_mail=is_mail, signed_by=self.signed_by)

    def why_held_back(self, report: ParsedReport) -> Note | None:
        """Say why one of its reports waits for a person's word; None where it counts."""
        required = RequiredTrust(settings.REPORT_TRUST)
        return find_reason(report, self.receipt, self.trust, required, timezone.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of one document."""

    document: ReadDocument
    outcome: Outcome
    trust: Trust
    reason: Note | None = None
    extra_warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Batch:
    """The reports of a batch, by the digest of their text; the first arrival stands for all."""

    first: dict[str, tuple[ReadReceipt, ReadDocument]] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    # New reports whose identity an earlier one has: digest -> digest of that one.
    conflicts: dict[str, str] = field(default_factory=dict)
    held_back: set[str] = field(default_factory=set)


def store(read: Sequence[ReadReceipt]) -> list[list[Stored]]:
    """Store a batch; give what became of each document, in order.

    Receipts that another worker has finished meanwhile give an empty list. Daily figures are
    brought up to date by `roll_up`, for which the touched days are marked here.
    """
    with transaction.atomic():
        waiting = _lock([item.receipt.pk for item in read])
        todo = [item for item in read if item.receipt.pk in waiting]
        batch = _Batch()
        for item in todo:
            for document in item.documents:
                if document.report is None:
                    continue
                if item.why_held_back(document.report):
                    batch.held_back.add(document.sha256)
                else:
                    batch.first.setdefault(document.sha256, (item, document))
        _insert_reports(batch)
        _insert_results(batch)
        stored = {item.receipt.pk: _outcomes(item, batch) for item in todo}
        _insert_deliveries(todo, stored, batch)
        _finish_receipts(todo, stored)
        _count_intakes(todo, stored)
    return [stored.get(item.receipt.pk, []) for item in read]


def _lock(receipt_ids: list[int]) -> set[int]:
    waiting = Receipt.objects.filter(pk__in=receipt_ids, processed_at=None)
    if connection.features.has_select_for_update:
        waiting = waiting.select_for_update().order_by("pk")
    return set(waiting.values_list("pk", flat=True))


def _insert_reports(batch: _Batch) -> None:
    known = Report.objects.filter(content_sha256__in=batch.first.keys() | batch.held_back)
    batch.ids = dict(known.values_list("content_sha256", "pk"))
    candidates = {sha: pair for sha, pair in batch.first.items() if sha not in batch.ids}
    if not candidates:
        _raise_trust(batch)
        return
    identities = {sha: _identity(document.report) for sha, (_, document) in candidates.items()}
    earlier = _find_conflicts(batch, identities)
    # Sorted, so that two workers with some of the same reports meet them in the same order.
    insert_rows(
        [
            report_row(
                document,
                trust=item.trust,
                receipt=item.receipt,
                identity=identities[sha],
                is_conflicting=sha in batch.conflicts,
            )
            for sha, (item, document) in sorted(candidates.items())
        ],
        ignore_conflicts=True,
    )
    inserted = Report.objects.filter(content_sha256__in=candidates)
    for sha, pk, receipt_id in inserted.values_list("content_sha256", "pk", "first_receipt_id"):
        batch.ids[sha] = pk
        if receipt_id == candidates[sha][0].receipt.pk:
            batch.new.append(sha)
    for sha, other in batch.conflicts.items():
        first_id = batch.ids.get(other) or earlier[identities[sha]][1]
        Report.objects.filter(pk=batch.ids[sha]).update(conflicts_with=first_id)
    _raise_trust(batch)


def _identity(report: ParsedReport | None) -> str:
    parts = report.identity if report is not None else ()
    return hashlib.sha256("\0".join(parts).encode()).hexdigest() if parts else ""


def _find_conflicts(batch: _Batch, identities: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Note which candidates have an identity that is taken; give the earlier reports by it."""
    wanted = {identity for identity in identities.values() if identity}
    taken = Report.objects.filter(identity__in=wanted, conflicts_with=None)
    earlier = {
        identity: (sha, pk)
        for identity, sha, pk in taken.order_by("-pk").values_list(
            "identity", "content_sha256", "pk"
        )
    }
    first = {identity: sha for identity, (sha, _) in earlier.items()}
    for sha, identity in identities.items():
        if identity and first.setdefault(identity, sha) != sha:
            batch.conflicts[sha] = first[identity]
    return earlier


def _raise_trust(batch: _Batch) -> None:
    """Let a known report that arrives by a surer way now be as sure."""
    known = [sha for sha in batch.first if sha not in set(batch.new)]
    by_trust: defaultdict[Trust, list[int]] = defaultdict(list)
    for sha in known:
        by_trust[batch.first[sha][0].trust].append(batch.ids[sha])
    for trust, ids in by_trust.items():
        lower = RANK[: RANK.index(trust)]
        if lower:
            Report.objects.filter(pk__in=ids, trust__in=lower).update(trust=trust)


def _insert_results(batch: _Batch) -> None:
    documents = (batch.first[sha][1] for sha in batch.new)
    new = [(one.report, one.hints) for one in documents if one.report is not None]
    names = set[str]().union(*(names_to_look_up(report, hints) for report, hints in new))
    managed = dict(Domain.objects.filter(name__in=names).values_list("name", "pk"))
    hosts = (mx_hosts_to_look_up(report, hints, managed) for report, hints in new)
    mx_owners = find_mx_owners(set[str]().union(*hosts))
    results: list[PolicyResult] = []
    details: list[tuple[PolicyResult, list[FailureDetail]]] = []
    dirty: set[tuple[int, date]] = set()
    for sha in batch.new:
        document = batch.first[sha][1]
        is_conflicting = sha in batch.conflicts
        for result, rows in result_rows(
            batch.ids[sha], document, managed, mx_owners, is_conflicting=is_conflicting
        ):
            results.append(result)
            if rows:
                details.append((result, rows))
            if result.domain_id is not None:
                dirty.add((result.domain_id, result.day))
    give_ids(results)
    for result, rows in details:
        for row in rows:
            row.result_id = result.pk
    insert_rows(results)
    insert_rows([row for _, rows in details for row in rows])
    insert_rows([DirtyDay(domain_id=pk, day=day) for pk, day in sorted(dirty)])


def _outcomes(item: ReadReceipt, batch: _Batch) -> list[Stored]:
    stored = []
    for document in item.documents:
        warnings: tuple[str, ...] = ()
        reason = document.reason
        if document.is_not_a_report:
            outcome = Outcome.NOT_A_REPORT
        elif document.report is None:
            outcome = Outcome.REJECTED
        elif document.sha256 not in batch.ids:
            outcome = Outcome.REJECTED
            reason = item.why_held_back(document.report)
        elif document.sha256 in batch.new and batch.first[document.sha256][1] is document:
            outcome = Outcome.ACCEPTED
            warnings = (CONFLICTING,) if document.sha256 in batch.conflicts else ()
        else:
            outcome = Outcome.DUPLICATE
        stored.append(
            Stored(
                document=document,
                outcome=outcome,
                trust=item.trust,
                reason=reason,
                extra_warnings=warnings,
            )
        )
    return stored


def _insert_deliveries(
    todo: list[ReadReceipt], stored: dict[int, list[Stored]], batch: _Batch
) -> None:
    insert_rows(
        [
            ReportReceipt(
                receipt_id=item.receipt.pk,
                report_id=batch.ids[one.document.sha256],
                position=position,
                outcome=one.outcome,
            )
            for item in todo
            for position, one in enumerate(stored[item.receipt.pk])
            if one.document.sha256 in batch.ids
        ],
        ignore_conflicts=True,
    )


# What a receipt with several documents is called: what needs attention comes first.
_PRECEDENCE = (Outcome.REJECTED, Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.NOT_A_REPORT)


def _finish_receipts(todo: list[ReadReceipt], stored: dict[int, list[Stored]]) -> None:
    now = timezone.now()
    alike: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for item in todo:
        documents = stored[item.receipt.pk]
        leading = min(documents, key=lambda one: _PRECEDENCE.index(one.outcome))
        reason = leading.reason
        if reason is not None or item.signed_by:
            params = reason.params if reason is not None else {}
            Receipt.objects.filter(pk=item.receipt.pk).update(
                params=params, signed_by=item.signed_by
            )
        code = reason.code if reason is not None else ""
        alike[leading.outcome, item.trust, code].append(item.receipt.pk)
    for (outcome, trust, code), receipt_ids in alike.items():
        Receipt.objects.filter(pk__in=receipt_ids).update(
            outcome=outcome,
            trust=trust,
            code=code,
            processed_at=now,
            claimed_at=None,
            reader_version=READER_VERSION,
        )


def _count_intakes(todo: list[ReadReceipt], stored: dict[int, list[Stored]]) -> None:
    counts: defaultdict[int, Counter[Outcome]] = defaultdict(Counter)
    for item in todo:
        if item.receipt.intake_id is not None:
            outcomes = Counter(one.outcome for one in stored[item.receipt.pk])
            if item.receipt.reader_version:
                # Read before: what is accepted now was counted as rejected then.
                accepted = outcomes[Outcome.ACCEPTED]
                outcomes = Counter({Outcome.ACCEPTED: accepted, Outcome.REJECTED: -accepted})
            counts[item.receipt.intake_id].update(outcomes)
    last_used = {
        item.receipt.intake_id: item.receipt.received_at
        for item in sorted(todo, key=lambda item: item.receipt.received_at)
    }
    for intake_id, outcomes in sorted(counts.items()):
        Intake.objects.filter(pk=intake_id).update(
            received=F("received") + outcomes.total(),
            accepted=F("accepted") + outcomes[Outcome.ACCEPTED],
            rejected=Greatest(F("rejected") + outcomes[Outcome.REJECTED], 0),
            last_used_at=last_used[intake_id],
        )
