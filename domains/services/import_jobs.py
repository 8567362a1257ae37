"""Imports as jobs: what was sent is stored, tried, shown, and taken once a person says so.

A batch of lines, its outcomes and how far the import is are one transaction, so a process that is
killed leaves no line half done, and the next one goes on where it stopped. Small imports are
worked on within the request, by the same function.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import audit
from accounts.models import Team, User
from domains.models import (
    WORKING,
    ImportJob,
    ImportLine,
    ImportOutcome,
    ImportPhase,
)
from domains.services.import_domains import Importer, Row, finish, parse_name
from webui.background import nudge

logger = logging.getLogger(__name__)

BATCH = 500
# No cell that means anything is longer.
LONGEST_CELL = 1000
# So many lines are done before the page answers.
SMALL = 1000
# A worker turns to other work after this time; the rest is done by the next tick.
BUDGET_S = 20.0
# A worker that died while it worked on an import: somebody else goes on after this time.
CLAIM_ENDS_AFTER = timedelta(minutes=2)
# What nobody confirmed is forgotten, and so are the lines of what was done long ago.
KEEP_TRIED = timedelta(days=2)
KEEP_DONE = timedelta(days=180)
TASK = "domains.tasks.work_on_imports"


def start_import(rows: Sequence[Row], user: User, source: str, team: Team | None) -> ImportJob:
    """Store what was sent and try it; a small one is tried when this returns."""
    job = ImportJob.objects.create(
        user=user,
        user_name=str(user)[:254],
        source=source[:200],
        team=team,
        total=len(rows),
        content=zlib.compress(msgspec.json.encode([_clean(row) for row in rows])),
    )
    _go_on(job)
    return job


def confirm_import(job: ImportJob) -> bool:
    """Take what was tried; say whether it was waiting for that. A small one is done then."""
    with transaction.atomic():
        waiting = ImportJob.objects.filter(pk=job.pk, phase=ImportPhase.TRIED)
        counts = {outcome.value: 0 for outcome in ImportOutcome}
        is_mine = waiting.update(
            phase=ImportPhase.TAKING, position=0, confirmed_at=timezone.now(), **counts
        )
    if is_mine:
        _go_on(job)
    return bool(is_mine)


@transaction.atomic
def discard_import(job: ImportJob) -> bool:
    """Forget an import that was not confirmed; say whether it was one."""
    drafts = ImportJob.objects.filter(pk=job.pk).filter(
        phase__in=(ImportPhase.TRYING, ImportPhase.TRIED)
    )
    return bool(drafts.delete()[0])


def work_on_imports(budget_s: float = BUDGET_S) -> int:
    """Go on with what is unfinished, oldest first; give how many batches were done."""
    until = time.monotonic() + budget_s
    done = 0
    for pk in list(ImportJob.objects.unfinished().values_list("pk", flat=True)):
        done += _work_on(pk, until)
        if time.monotonic() >= until:
            nudge(TASK)
            break
    return done


def forget_old_imports(now: datetime) -> int:
    """Delete imports that nobody confirmed, and those done long ago; give how many rows."""
    old = Q(phase__in=(ImportPhase.TRYING, ImportPhase.TRIED), made_at__lt=now - KEEP_TRIED)
    old |= Q(phase=ImportPhase.DONE, finished_at__lt=now - KEEP_DONE)
    return ImportJob.objects.filter(old).delete()[0]


def _go_on(job: ImportJob) -> None:
    if job.total <= SMALL:
        _work_on(job.pk, time.monotonic() + BUDGET_S)
    nudge(TASK)
    job.refresh_from_db()


def _work_on(pk: int, until: float) -> int:
    """Do batches of one import until its phase ends or the time is over."""
    claimed_at = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=claimed_at - CLAIM_ENDS_AFTER)
    mine = ImportJob.objects.filter(free, pk=pk, phase__in=WORKING)
    if not mine.update(claimed_at=claimed_at):
        return 0
    done = 0
    try:
        rows = _sent_rows(pk)
        while _do_batch(pk, rows):
            done += 1
            if time.monotonic() >= until:
                break
    except DatabaseError as error:
        # Another import may have added the same domain meanwhile: tried again by the next tick.
        logger.exception("import %s stopped; it goes on by itself", pk)
        ImportJob.objects.filter(pk=pk).update(problem=str(error).strip().splitlines()[0][:300])
    finally:
        ImportJob.objects.filter(pk=pk).update(claimed_at=None)
    return done


@transaction.atomic
def _do_batch(pk: int, rows: Sequence[Row]) -> bool:
    """Handle the next lines and note how far it is; say whether there were any.

    The job is locked where the database can, and compared in any case: of two workers one wins.
    """
    jobs = ImportJob.objects.select_for_update(of=("self",)).defer("content")
    job = jobs.select_related("user", "team").get(pk=pk)
    if not job.is_working:
        return False
    is_trial = job.phase == ImportPhase.TRYING
    lines = _next_lines(job, rows)
    if not lines:
        _end_phase(job)
        return False
    with _acting_for(job), transaction.atomic():
        # Somebody who is gone, or may no longer log in, may nothing.
        importer = Importer(job.user or AnonymousUser(), job.team, created=job.created)
        results = importer.take([_row(line) for line in lines], _seen_before(job, lines))
        if is_trial:
            transaction.set_rollback(True)
    told = {line.position: (line.outcome, line.reason) for line in lines}
    for line, result in zip(lines, results, strict=True):
        line.outcome, line.reason = result.outcome, result.reason or result.changes
    if is_trial:
        ImportLine.objects.bulk_create(lines)
    else:
        others = [line for line in lines if told[line.position] != (line.outcome, line.reason)]
        _store_fates(job, others)
    counts = Counter(result.outcome.value for result in results)
    moved = ImportJob.objects.filter(pk=pk, phase=job.phase, position=job.position).update(
        position=job.position + len(lines),
        claimed_at=timezone.now(),
        problem="",
        **{name: F(name) + count for name, count in counts.items()},
    )
    if not moved:
        transaction.set_rollback(True)
    return bool(moved)


def _next_lines(job: ImportJob, rows: Sequence[Row]) -> list[ImportLine]:
    """Give the lines to handle: made of what was sent while it is tried, then the stored ones."""
    if job.phase == ImportPhase.TAKING:
        return list(job.lines.filter(position__gte=job.position)[:BATCH])
    return [
        ImportLine(
            job=job,
            position=position,
            line=row.line,
            domain=row.domain,
            team=row.team,
            owner=row.owner,
            tags=row.tags,
            name=parse_name(row).value or "",
        )
        for position, row in enumerate(rows[job.position : job.position + BATCH], job.position)
    ]


def _store_fates(job: ImportJob, lines: Sequence[ImportLine]) -> None:
    """Store the fates that differ from those of the trial, by kind: most lines share one."""
    by_fate: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for line in lines:
        by_fate[line.outcome, line.reason].append(line.position)
    for (outcome, reason), positions in by_fate.items():
        job.lines.filter(position__in=positions).update(outcome=outcome, reason=reason)


def _end_phase(job: ImportJob) -> None:
    if job.phase == ImportPhase.TRYING:
        ImportJob.objects.filter(pk=job.pk).update(phase=ImportPhase.TRIED, content=b"")
        return
    with _acting_for(job):
        finish(job.counts, job.team)
    ImportJob.objects.filter(pk=job.pk).update(phase=ImportPhase.DONE, finished_at=timezone.now())


def _acting_for(job: ImportJob) -> AbstractContextManager[None]:
    """Have what is done recorded as that person's doing, findable by the number of the import."""
    who = "" if job.user else job.user_name
    return audit.acting_as(job.user, "web", name=who, request_id=f"import-{job.pk}")


def _sent_rows(pk: int) -> list[Row]:
    """Give what was sent, as long as it is being tried."""
    trying = ImportJob.objects.filter(pk=pk, phase=ImportPhase.TRYING)
    content = trying.values_list("content", flat=True).first()
    if content is None:
        return []
    return msgspec.json.decode(zlib.decompress(bytes(content)), type=list[Row])


def _seen_before(job: ImportJob, lines: Sequence[ImportLine]) -> dict[str, int]:
    """Give those domains of these lines that stand on an earlier one that was not refused, and on
    which."""
    earlier = job.lines.filter(
        name__in={line.name for line in lines if line.name}, position__lt=lines[0].position
    )
    return dict(earlier.exclude(outcome=ImportOutcome.REJECTED).values_list("name", "line"))


def _row(line: ImportLine) -> Row:
    return Row(
        line=line.line,
        domain=line.domain,
        team=line.team,
        owner=line.owner,
        tags=tuple(line.tags) if line.tags is not None else None,
    )


def _clean(row: Row) -> Row:
    """Give a row that every database stores: PostgreSQL takes no NUL."""
    return replace(
        row,
        domain=_storable(row.domain),
        team=_storable(row.team) if row.team is not None else None,
        owner=_storable(row.owner) if row.owner is not None else None,
        tags=tuple(_storable(tag) for tag in row.tags) if row.tags is not None else None,
    )


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")[:LONGEST_CELL]
