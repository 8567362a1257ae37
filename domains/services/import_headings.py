"""Which column of a table is what: by our names, and by what people call the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from webui.wording import sentence_list

COLUMNS = ("domain", "team", "owner", "tags")
_OTHER_NAMES = {
    "domain": (
        "domains|domain name|domain names|domainname|mail domain|name|fqdn|zone|"
        "domäne|domänen|domänenname|domain namen"
    ),
    "team": (
        "teams|team name|teamname|department|business unit|"
        "abteilung|geschäftsbereich|bereich|organisationseinheit"
    ),
    "owner": (
        "owners|owner e mail|owner email|owner mail|contact|contact e mail|contact email|"
        "responsible|responsible person|"
        "verantwortlich|verantwortliche|verantwortlicher|ansprechpartner|ansprechpartnerin|"
        "kontakt|eigentümer|besitzer"
    ),
    "tags": "tag|label|labels|schlagwort|schlagworte|schlagwörter|etikett|etiketten",
}
_MEANS = {other: column for column, names in _OTHER_NAMES.items() for other in names.split("|")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """Where each of our columns is in a table, and what to say about the other columns."""

    at: dict[str, int]
    unread: tuple[str, ...]
    notes: tuple[str, ...] = ()
    # Why the domain cannot be told from other columns.
    problem: str = ""

    @property
    def has_domain(self) -> bool:
        """Say whether the table can be read at all."""
        return "domain" in self.at


def read_headings(names: Sequence[str]) -> Headings:
    """Find our columns in a header.

    Our own name goes before what means the same; of two columns that mean the same neither is
    read, because nobody can tell which one is meant.
    """
    given = [" ".join(re.split(r"[\s_.-]+", name.strip().casefold())).strip() for name in names]
    at: dict[str, int] = {}
    notes = []
    problem = ""
    for column in COLUMNS:
        others = [n for n, name in enumerate(given) if _MEANS.get(name) == column]
        if column in given:
            at[column] = given.index(column)
        elif len(others) == 1:
            at[column] = others[0]
            if column != "domain":
                notes.append(f"The column {names[others[0]].strip()} is read as {column}.")
        elif others:
            rivals = sentence_list([names[n].strip() for n in others], len(others))
            words = f"{rivals} could each be the {column}: name one of them {column}."
            if column == "domain":
                problem = words
            else:
                notes.append(words)
    unread = [name.strip() for n, name in enumerate(names) if n not in at.values() and name.strip()]
    return Headings(at=at, unread=tuple(unread), notes=tuple(notes), problem=problem)


def unread_note(names: Sequence[str]) -> str:
    """Say which columns are left alone; nothing where there is none."""
    if not names:
        return ""
    return (
        f"{'Column' if len(names) == 1 else 'Columns'} not read: {sentence_list(list(names), 10)}."
    )
