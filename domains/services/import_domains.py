"""Brings domains into the inventory from lines, CSV or XLSX; a bad line stops no good one."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Any

import openpyxl
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.utils import timezone

from accounts import access, audit
from accounts.access import Person
from accounts.models import AuditEntry, Team, User
from accounts.roles import Role
from accounts.services.teams import get_or_create_team
from domains.models import MOST_TAG_CHARS, Domain, Fate, ImportOutcome, Tag
from domains.services.edit_domains import entries_of_change
from domains.services.import_headings import COLUMNS, Headings, read_headings, unread_note
from mailtls import catalogue
from mailtls.findings import Parsed
from mailtls.names import parse_domain
from webui.background import nudge
from webui.wording import sentence_list

MAX_ROWS = 200_000
BATCH = 500
# Of CSV, of CSV where the comma is in numbers, and of cells copied from a spreadsheet.
_DELIMITERS = ",;\t"
_NEW_TEAM = "new team: "
# New domains are checked at once; a large import is spread so that nobody's resolver is flooded.
SPREAD_PER_DOMAIN = timedelta(milliseconds=20)


class UnreadableTable(ValueError):
    """The file is neither lines, CSV nor XLSX with a `domain` column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the input. None: the column is not there, so nothing of it changes."""

    line: int
    domain: str
    team: str | None = None
    owner: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Collection[Row]):
    """The lines of an input, and what its sender has to know of how it was read."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row: object) -> bool:
        return row in self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """What became of one line, and why where it was rejected."""

    line: int
    domain: str
    outcome: ImportOutcome
    reason: str = ""
    # Of a domain that was there: from what to what. Of any: the team that is made for it.
    changes: str = ""

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "line": self.line,
            "domain": self.domain,
            "status": self.outcome.value,
            "reason": self.reason or None,
        }


def read_lines(text: str) -> Sent:
    """Read pasted text: one domain a line, or a table with a header that names `domain`."""
    text = text.lstrip("\ufeff")
    table = _read_table_of_text(text)
    if table is not None:
        return table
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        names = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        rows += [Row(line=number, domain=name.strip("\"'")) for name in names]
    return _within_limit(rows)


def read_table(filename: str, data: bytes) -> Sent:
    """Read an uploaded file by its content: XLSX, CSV, text with tabs, or plain lines.

    Raises UnreadableTable, saying what is wrong with the file as a whole.
    """
    if data[:4] == b"PK\x03\x04":
        return _read_workbook(data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise UnreadableTable(
            "The file is an Excel workbook with a password, or of the old kind (.xls). Save it as "
            "XLSX without a password, or as CSV."
        )
    if data[:4] == b"%PDF":
        raise UnreadableTable("The file is a PDF. Save the list as CSV or XLSX.")
    text = _decode(data)
    if _is_binary(text):
        raise UnreadableTable(
            "The file is no text and no workbook, perhaps an image. Save the list as CSV or XLSX."
        )
    return read_lines(text)


def import_domains(
    rows: Iterable[Row], user: User | None, team: Team | None = None, *, dry_run: bool = False
) -> list[LineResult]:
    """Create or update a domain for each row; give each line's fate in order."""
    return list(chain.from_iterable(import_in_batches(rows, user, team, dry_run=dry_run)))


def import_in_batches(
    rows: Iterable[Row], user: User | None, team: Team | None = None, *, dry_run: bool = False
) -> Iterator[list[LineResult]]:
    """Create or update a domain for each row; give the fates of a batch once it is committed.

    `team` is for rows that name none. Without a user (the command line) everything is allowed.
    A dry run says what would happen and leaves nothing behind. What breaks off has taken whole
    batches, each with its audit entry; the same rows sent again are then there already.
    """
    seen: dict[str, int] = {}
    created = 0
    for batch in _batches(rows):
        with transaction.atomic():
            # Knows nothing of a batch before: what a dry run made is gone again.
            results = Importer(user, team, created).take(batch, seen)
            counts = Counter(result.outcome.value for result in results)
            if dry_run:
                transaction.set_rollback(True)
            else:
                finish(counts, team)
        created += counts[ImportOutcome.CREATED]
        yield results


def finish(counts: Mapping[str, int], team: Team | None) -> None:
    """Write one audit entry for an import as a whole, and have the new domains checked."""
    lines = Domain(name=f"{sum(counts.values())} lines")
    audit.record("imported domains", lines, after=dict(counts), team=team)
    nudge("domains.tasks.dispatch_due_checks")


def is_as_shown(shown: Fate, now: Fate) -> bool:
    """Say whether a line's outcome and changes are those that a person has agreed to.

    Of what changes nothing the reason does not matter, nor who made a team that was to be made:
    the first batch of an import makes it for those after.
    """
    if shown[0] != now[0]:
        return False
    if shown == now or shown[0] in {ImportOutcome.REJECTED, ImportOutcome.EXISTS}:
        return True
    rest = shown[1].removeprefix(now[1])
    return shown[1].startswith(now[1]) and rest.removeprefix("; ").startswith(_NEW_TEAM)


def parse_name(row: Row) -> Parsed[str]:
    """Read the name that a row is about."""
    return parse_domain(row.domain.strip().removeprefix("@"))


class Importer:
    """Takes rows in batches, for one person, inside the caller's transaction.

    Without a user (the command line) everything is allowed. `created` is how many domains the same
    import has made before: their first checks are spread over time.
    """

    def __init__(self, user: Person | None, team: Team | None, created: int = 0) -> None:
        self._user = user
        self._team = team
        self._teams: dict[str, Team | None] = {}
        self._made: set[int] = set()  # of those teams, by this import
        self._allowed: dict[int | None, bool] = {}
        self._created = created

    def take(self, batch: Sequence[Row], seen: dict[str, int]) -> list[LineResult]:
        """Handle some rows with a number of queries that does not depend on theirs.

        `seen` gives by domain the earlier line that it stands on; this batch is added to it.
        """
        names = [parse_name(row) for row in batch]
        # Locked where the database can, in one order: what a line changes is what it told of.
        existing = (
            Domain.objects.select_for_update(of=("self",))
            .select_related("team")
            .prefetch_related("tags")
            .order_by("name")
            .in_bulk([name.value for name in names if name.value], field_name="name")
        )
        results: list[LineResult] = []
        new: list[tuple[Domain, Row]] = []
        for row, parsed in zip(batch, names, strict=True):
            name = parsed.value
            reason = self._refusal(row, parsed, seen, existing.get(name or ""))
            changes = ""
            if reason or name is None:
                outcome, shown = ImportOutcome.REJECTED, name or row.domain[:253]
            elif name in existing:
                seen[name] = row.line
                changes, shown = self._update(existing[name], row), name
                outcome = ImportOutcome.UPDATED if changes else ImportOutcome.EXISTS
            else:
                seen[name] = row.line
                new.append((self._build(name, row), row))
                outcome, shown = ImportOutcome.CREATED, name
                changes = self._made_for(row)
            results.append(
                LineResult(
                    line=row.line,
                    domain=shown,
                    outcome=outcome,
                    reason=reason or "",
                    changes=changes,
                )
            )
        self._create(new)
        return results

    def _refusal(
        self, row: Row, name: Parsed[str], seen: Mapping[str, int], existing: Domain | None
    ) -> str | None:
        if name.value is None:
            words = catalogue.describe(name.findings[0])
            return f"{words.meaning} {words.remedy}"
        if (earlier := seen.get(name.value)) is not None:
            return f"The same domain stands on line {earlier:,} already."
        if row.owner:
            try:
                validate_email(row.owner)
                MaxLengthValidator(254)(row.owner)
            except ValidationError:
                return f"The owner {row.owner!r} is not an e-mail address."
        if row.tags and any(len(tag) > MOST_TAG_CHARS for tag in row.tags):
            return f"A tag has more than {MOST_TAG_CHARS} characters."
        team, problem = self._team_for(row)
        if problem:
            return problem
        if existing is not None and not self._may(existing.team):
            return "The domain belongs to a team in which you are not a manager."
        if (existing is None or row.team) and not self._may(team):
            whose = f"team {team}" if team else "domains without a team"
            return f"You are not a manager for {whose}."
        return None

    def _team_for(self, row: Row) -> tuple[Team | None, str | None]:
        if not row.team:
            return self._team, None
        key = row.team.strip().lower()
        if key not in self._teams:
            self._teams[key] = Team.objects.filter(name__iexact=row.team.strip()).first()
        team = self._teams[key]
        if team is not None:
            return team, None
        if self._user is not None and not getattr(self._user, "is_superuser", False):
            return None, f"There is no team {row.team!r}. An administrator can create it."
        try:
            team = self._teams[key] = get_or_create_team(row.team)
        except ValidationError as error:
            return None, " ".join(error.messages)
        self._made.add(team.pk)
        return team, None

    def _made_for(self, row: Row) -> str:
        """Name the team that is made for this row; a mistyped one is seen before it is stored."""
        team, _ = self._team_for(row)
        return f"{_NEW_TEAM}{team}" if team is not None and team.pk in self._made else ""

    def _may(self, team: Team | None) -> bool:
        if self._user is None:
            return True
        key = team.pk if team else None
        if key not in self._allowed:
            self._allowed[key] = access.may(self._user, Role.MANAGER, team)
        return self._allowed[key]

    def _build(self, name: str, row: Row) -> Domain:
        team, _ = self._team_for(row)
        self._created += 1
        due_at = timezone.now() + SPREAD_PER_DOMAIN * (self._created - 1)
        return Domain(name=name, team=team, owner=row.owner or "", next_check_at=due_at)

    def _create(self, new: list[tuple[Domain, Row]]) -> None:
        Domain.objects.bulk_create([domain for domain, _ in new])
        self._tag([(domain, row.tags) for domain, row in new if row.tags])

    def _update(self, domain: Domain, row: Row) -> str:
        """Change what the row says otherwise; give in words what that was, empty for nothing."""
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        team, _ = self._team_for(row)
        held_team = domain.team
        if row.team and team != held_team:
            before["team"], after["team"] = str(held_team or ""), str(team)
            domain.team = team
        if row.owner is not None and row.owner != domain.owner:
            before["owner"], after["owner"] = domain.owner, row.owner
            domain.owner = row.owner
        held = {tag.name for tag in domain.tags.all()}
        added = [tag for tag in row.tags or () if tag not in held]
        if added:
            before["tags"], after["tags"] = sorted(held), sorted(held | set(added))
            self._tag([(domain, tuple(added))])
        if not after:
            return ""
        domain.save(update_fields=["team", "owner"])
        AuditEntry.objects.bulk_create(entries_of_change(domain, held_team, before, after))
        changes = [
            f"{name}: {_in_words(before[name])} → {_in_words(after[name])}" for name in after
        ]
        return "; ".join(filter(None, [*changes, self._made_for(row)]))

    def _tag(self, wanted: list[tuple[Domain, tuple[str, ...]]]) -> None:
        names = sorted({name for _, tags in wanted for name in tags})
        if not names:
            return
        Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
        tags = Tag.objects.in_bulk(names, field_name="name")
        through = Domain.tags.through
        through.objects.bulk_create(
            [
                through(domain_id=domain.pk, tag_id=tags[name].pk)
                for domain, row_tags in wanted
                for name in set(row_tags)
            ],
            ignore_conflicts=True,
        )


def _in_words(value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text or "nothing"


def _decode(data: bytes) -> str:
    """Give the text of a file: UTF-8, what spreadsheets save as Unicode text, or Windows' own."""
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _is_binary(text: str) -> bool:
    """Say whether bytes that were read as text were none: there, every tenth is a control sign."""
    start = text[:65_536]
    odd = sum(one == "\ufffd" or (ord(one) < 32 and not one.isspace()) for one in start)
    return odd * 50 > len(start)


def _read_table_of_text(text: str) -> Sent | None:
    """Read lines below a header that names `domain`; None where there is no such header."""
    lines = text.splitlines(keepends=True)
    at = next((n for n, line in enumerate(lines) if not _says_nothing(line)), len(lines))
    if at == len(lines):
        return None
    delimiter = max(_DELIMITERS, key=lines[at].count)
    try:
        reader = csv.reader(lines[at:], delimiter=delimiter)
        names = next(reader)
        headings = read_headings(names)
        if headings.problem:
            raise UnreadableTable(headings.problem)
        if not headings.has_domain:
            return None
        return _rows_below(names, headings, _numbered(reader, at), delimiter)
    except csv.Error as error:
        raise UnreadableTable(
            "The table could not be read. Its first line is the header, and the same sign stands "
            "between all cells: a comma, a semicolon or a tab."
        ) from error


def _says_nothing(line: str) -> bool:
    """Say whether a line before the header is blank, a comment, or Excel's word for what separates
    cells."""
    return not line.strip() or line.startswith("#") or line.lower().startswith("sep=")


def _numbered(reader: Any, before: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the records with the line on which each begins; one may hold line ends in quotes."""
    begins = before + reader.line_num + 1
    for record in reader:
        yield begins, record
        begins = before + reader.line_num + 1


def _read_workbook(data: bytes) -> Sent:
    """Read the first sheet that has a column of domains; say which others have rows."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = {sheet.title: list(_records(sheet)) for sheet in book.worksheets}
    except Exception as error:
        # A damaged workbook breaks the reader anywhere: in the archive, its XML, a number of a
        # cell; each part raises errors of its own, and their words help nobody.
        raise UnreadableTable(
            "The XLSX file is damaged or cut off: no table could be read from it, and no domain "
            "was taken. Open it in the program that wrote it and save it again, or save it as CSV."
        ) from error
    filled = {title: records for title, records in sheets.items() if records}
    if not filled:
        raise UnreadableTable("The workbook is empty.")
    headings = {title: read_headings(records[0][1]) for title, records in filled.items()}
    title = next((one for one in filled if headings[one].has_domain), next(iter(filled)))
    (_, names), *below = filled[title]
    if not headings[title].has_domain:
        shown = ", ".join(name.strip() for name in names if name.strip())
        known = f"Known columns: {', '.join(COLUMNS)}."
        raise UnreadableTable(
            f"No column is named domain; the columns are {shown or 'none'}. "
            f"{headings[title].problem or known}"
        )
    sent = _rows_below(names, headings[title], below, ", ")
    others = [f"“{one}”" for one in filled if one != title]
    if not others:
        return sent
    which = f"Only the sheet “{title}” is read"
    return replace(sent, notes=(f"{which}, not {sentence_list(others, 10)}.", *sent.notes))


def _records(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a sheet that hold something, with their numbers."""
    # Some programs write a wrong extent, and what is outside of it would be left out.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        texts = ["" if value is None else str(value) for value in row]
        if any(texts):
            yield number, texts


def _rows_below(
    names: Sequence[str],
    headings: Headings,
    records: Iterable[tuple[int, Sequence[str]]],
    delimiter: str,
) -> Sent:
    at = headings.at
    width = len(names)
    rows = []
    unnamed: set[int] = set()
    for number, record in records:
        values = [value.strip() for value in record]
        if not any(values):
            continue
        if any(values[width:]):
            # Which cell is the domain nobody can tell: the line as it is is none, and is refused.
            rows.append(Row(line=number, domain=delimiter.join(record)))
            continue
        unnamed |= {n for n, value in enumerate(values[:width]) if value and not names[n].strip()}
        cells = {name: values[n] if n < len(values) else "" for name, n in at.items()}
        tags = cells.get("tags")
        rows.append(
            Row(
                line=number,
                domain=cells["domain"],
                team=cells.get("team"),
                owner=cells.get("owner"),
                tags=_split_tags(tags) if tags is not None else None,
            )
        )
    unread = [*headings.unread, *(f"column {n + 1}, which has no name" for n in sorted(unnamed))]
    notes = list(headings.notes)
    if _is_no_address(names, at, rows):
        # Names of people: as addresses they would have every line refused.
        name = names[at["owner"]].strip()
        rows = [replace(row, owner=None) for row in rows]
        notes = [note for note in notes if not note.endswith("is read as owner.")]
        unread.append(f"{name}, which holds no e-mail addresses")
    notes.append(unread_note(unread))
    return _within_limit(rows, tuple(filter(None, notes)))


def _is_no_address(names: Sequence[str], at: Mapping[str, int], rows: Sequence[Row]) -> bool:
    """Say whether a column that is only taken for that of owners holds no e-mail address."""
    if "owner" not in at or names[at["owner"]].strip().lower() == "owner":
        return False
    owners = [row.owner for row in rows if row.owner]
    return bool(owners) and not any("@" in owner for owner in owners)


def _split_tags(text: str) -> tuple[str, ...]:
    parts = text.replace(";", ",").replace("|", ",").split(",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _within_limit(rows: Sequence[Row], notes: tuple[str, ...] = ()) -> Sent:
    if len(rows) > MAX_ROWS:
        raise UnreadableTable(f"The input has {len(rows):,} lines; the limit is {MAX_ROWS:,}.")
    return Sent(rows=tuple(rows), notes=notes)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
