"""Imports as jobs: what was sent is stored, tried, shown, and taken once a person says so.

A batch of lines, its outcomes and how far the import is are one transaction, so a process that is
killed leaves no line half done, and the next one goes on where it stopped. Small imports are
worked on within the request, by the same function.

A line becomes what the preview said, or nothing. Before the first batch is stored, what others
changed meanwhile sends the import back to its preview; from then on such a line alone is left out.
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
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, Team, User
from domains.models import (
    WORKING,
    Domain,
    Fate,
    ImportJob,
    ImportLine,
    ImportOutcome,
    ImportPhase,
)
from domains.services.import_domains import (
    Importer,
    Row,
    Sent,
    finish,
    is_as_shown,
    parse_name,
)
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
NO_COUNTS = {outcome.value: 0 for outcome in ImportOutcome}
_IN_WORDS = {
    ImportOutcome.CREATED: "added",
    ImportOutcome.UPDATED: "changed",
    ImportOutcome.EXISTS: "left as it is",
    ImportOutcome.REJECTED: "refused",
}


def start_import(sent: Sent, user: User, source: str, team: Team | None) -> ImportJob:
    """Store what was sent and try it; a small one is tried when this returns."""
    job = ImportJob.objects.create(
        user=user,
        user_name=str(user)[:254],
        source=source[:200],
        team=team,
        team_name=str(team) if team else "",
        notes=list(sent.notes),
        total=len(sent),
        content=zlib.compress(msgspec.json.encode([_clean(row) for row in sent])),
    )
    _go_on(job)
    return job


def confirm_import(job: ImportJob, seen: int | None = None) -> bool:
    """Take what was tried; say whether it was waiting for that, with the preview that was seen.

    A small one is done when this returns, or tried again: where what becomes of a line is no
    longer what the preview said, nothing is taken and there is another preview.
    """
    preview = job.preview if seen is None else seen
    with transaction.atomic():
        waiting = ImportJob.objects.filter(pk=job.pk, phase=ImportPhase.TRIED, preview=preview)
        is_mine = waiting.update(
            phase=ImportPhase.TAKING, position=0, confirmed_at=timezone.now(), **NO_COUNTS
        )
        if is_mine and _is_outdated(job):
            _try_again(job)
    if is_mine:
        _go_on(job)
    else:
        job.refresh_from_db()
    return bool(is_mine)


@transaction.atomic
def discard_import(job: ImportJob) -> bool:
    """Forget an import that was not confirmed; say whether it was one."""
    drafts = ImportJob.objects.filter(pk=job.pk).filter(
        phase__in=(ImportPhase.TRYING, ImportPhase.TRIED)
    )
    return bool(drafts.delete()[0])


def teams_made(job: ImportJob) -> list[str]:
    """Give the names of the teams that a finished import has made, in their order."""
    entries = AuditEntry.objects.filter(
        at__range=(job.confirmed_at, job.finished_at),
        request_id=_request_id(job),
        verb="created team",
    )
    return sorted(entries.values_list("target_name", flat=True))


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
    fates = (
        _try(job, lines, _seen_before(job, lines), is_trial=True) if is_trial else _take(job, lines)
    )
    if fates is None:
        _try_again(job)
        return True
    changed = _note_fates(job, lines, fates)
    counts = Counter(outcome for outcome, _ in fates)
    moved = ImportJob.objects.filter(pk=pk, phase=job.phase, position=job.position).update(
        position=job.position + len(lines),
        claimed_at=timezone.now(),
        problem="",
        changed=F("changed") + changed,
        **{name: F(name) + count for name, count in counts.items()},
    )
    if not moved:
        transaction.set_rollback(True)
    return bool(moved)


def _take(job: ImportJob, lines: Sequence[ImportLine]) -> list[Fate] | None:
    """Take some lines; give the fate of each.

    None, with nothing taken: in the first batch one became something else than the preview said.
    In a later batch such lines are left out, whatever the others gain or lose by that.
    """
    seen = _seen_before(job, lines)
    left_out: dict[int, Fate] = {}
    while True:
        kept = [line for line in lines if line.position not in left_out]
        fates = dict(zip([line.position for line in kept], _try(job, kept, seen), strict=True))
        others = [line for line in kept if not is_as_shown(line.fate, fates[line.position])]
        if not others:
            return [(fates | left_out)[line.position] for line in lines]
        if job.position == 0:
            return None
        for line in others:
            left_out[line.position] = _left_out(line.fate, fates[line.position])
            seen |= {line.name: line.line} if line.name else {}


def _try(
    job: ImportJob, lines: Sequence[ImportLine], seen: dict[str, int], *, is_trial: bool = False
) -> list[Fate]:
    """Give the fates of some lines; only where each is as the preview said, they are stored."""
    with _acting_for(job), transaction.atomic():
        # Somebody who is gone, or may no longer log in, may nothing.
        importer = Importer(job.user or AnonymousUser(), job.team, created=job.created)
        results = importer.take([_row(line) for line in lines], dict(seen))
        fates = [(one.outcome.value, one.reason or one.changes) for one in results]
        agreed = zip(lines, fates, strict=True)
        if is_trial or not all(is_as_shown(line.fate, fate) for line, fate in agreed):
            transaction.set_rollback(True)
    return fates


def _left_out(shown: Fate, now: Fate) -> Fate:
    """Give the fate of a line that would become something else than a person has agreed to."""
    if now[0] == ImportOutcome.REJECTED:
        return now
    was, would_be = (
        f"{_IN_WORDS[ImportOutcome(outcome)]}{f' ({what})' if what else ''}"
        for outcome, what in (shown, now)
    )
    why = f"Not taken: in the preview it was to be {was}; by now it would be {would_be}."
    return ImportOutcome.REJECTED.value, f"{why} Import it again to see what it does."


def _is_outdated(job: ImportJob) -> bool:
    """Say whether lines are about to add a domain that is there by now, or to change one that is
    gone, or are for a team that is gone: found by two queries, however many lines there are."""
    of_line = Domain.objects.filter(name=OuterRef("name"))
    to_add = Q(Exists(of_line), outcome=ImportOutcome.CREATED)
    to_find = Q(~Exists(of_line), outcome__in=(ImportOutcome.UPDATED, ImportOutcome.EXISTS))
    job.refresh_from_db(fields=["team"])
    is_team_gone = bool(job.team_name) and job.team_id is None
    return is_team_gone or any(job.lines.filter(one).exists() for one in (to_add, to_find))


def _try_again(job: ImportJob) -> None:
    """Have an import of which nothing is taken tried once more, for another preview."""
    untouched = ImportJob.objects.filter(pk=job.pk, phase=ImportPhase.TAKING, position=0)
    untouched.update(
        phase=ImportPhase.TRYING,
        preview=F("preview") + 1,
        changed=0,
        position=0,
        confirmed_at=None,
        team_name=str(job.team) if job.team else "",
        **NO_COUNTS,
    )


def _next_lines(job: ImportJob, rows: Sequence[Row]) -> list[ImportLine]:
    """Give the lines to handle: made of what was sent when it is first tried, then those stored."""
    if job.phase == ImportPhase.TAKING or job.preview > 1:
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


def _note_fates(job: ImportJob, lines: Sequence[ImportLine], fates: Sequence[Fate]) -> int:
    """Store what becomes of some lines; give of how many a new preview says something else."""
    is_trial = job.phase == ImportPhase.TRYING
    is_first = is_trial and job.preview == 1
    others = []
    changed = 0
    for line, fate in zip(lines, fates, strict=True):
        before = (*line.fate, line.shown)
        if is_trial:
            is_new = not is_first and not is_as_shown(line.fate, fate)
            line.shown = line.outcome if is_new else ""
            changed += is_new
        line.outcome, line.reason = fate
        if before != (*fate, line.shown):
            others.append(line)
    if is_first:
        ImportLine.objects.bulk_create(lines)
    else:
        _store_fates(job, others)
    return changed


def _store_fates(job: ImportJob, lines: Sequence[ImportLine]) -> None:
    """Store the fates that differ from those stored, by kind: most lines share one."""
    by_fate: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for line in lines:
        by_fate[line.outcome, line.reason, line.shown].append(line.position)
    for (outcome, reason, shown), positions in by_fate.items():
        job.lines.filter(position__in=positions).update(outcome=outcome, reason=reason, shown=shown)


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
    return audit.acting_as(job.user, "web", name=who, request_id=_request_id(job))


def _request_id(job: ImportJob) -> str:
    return f"import-{job.pk}"


def _sent_rows(pk: int) -> list[Row]:
    """Give what was sent, until it stands in the lines."""
    trying = ImportJob.objects.filter(pk=pk, phase=ImportPhase.TRYING)
    content = trying.values_list("content", flat=True).first()
    if not content:
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
