"""Files and folders: what is on disk as a stream of arrivals, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# RFC 4155: "From " sender and date. A body line that begins so was escaped by whoever wrote it.
_FROM_LINE = re.compile(rb"From \S+ .*\d{4}\s*$")
_LINE_BYTES = 1_000_000
_SKIPPED_NAMES = ("dovecot", "maildirsize", "maildirfolder", "courier")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to take in: a whole file (`content` None until read) or one mail of an mbox."""

    name: str
    path: Path
    content: bytes | None = None

    def read(self, max_bytes: int) -> bytes:
        """Give its bytes, one more than `max_bytes` at most."""
        if self.content is not None:
            return self.content
        with self.path.open("rb") as file:
            return file.read(max_bytes + 1)


def find_items(paths: Iterable[Path], *, max_bytes: int) -> Iterator[Item]:
    """Yield what is in files and folders, in the order of their names.

    A Maildir's `tmp` is left alone: what is in it is still being written.
    """
    for path in paths:
        for file in _files(path):
            if _is_mbox(file):
                yield from _split_mbox(file, max_bytes)
            else:
                yield Item(name=str(file), path=file)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    is_maildir = (path / "cur").is_dir() and (path / "new").is_dir()
    for child in sorted(path.iterdir()):
        if child.is_symlink() and child.is_dir():
            continue  # it may lead back up
        if is_maildir and child.name == "tmp":
            continue
        if child.is_dir():
            yield from _files(child)
        elif child.is_file() and not child.name.startswith((".", *_SKIPPED_NAMES)):
            yield child


def _is_mbox(file: Path) -> bool:
    with file.open("rb") as stream:
        start = stream.read(512)
    return start.startswith(b"From ") and _FROM_LINE.match(start.split(b"\n")[0]) is not None


def _split_mbox(file: Path, max_bytes: int) -> Iterator[Item]:
    number, size = 0, 0
    lines: list[bytes] = []
    is_after_blank = True
    with file.open("rb") as stream:
        while line := stream.readline(_LINE_BYTES):
            if is_after_blank and _FROM_LINE.match(line):
                if lines:
                    yield Item(name=f"{file}:{number}", path=file, content=b"".join(lines))
                number, size, lines = number + 1, 0, []
            else:
                # The start of a mail over the limit is enough to be refused for its size.
                if size <= max_bytes:
                    lines.append(line)
                size += len(line)
            is_after_blank = line in (b"\n", b"\r\n")
    if lines:
        yield Item(name=f"{file}:{number}", path=file, content=b"".join(lines))
