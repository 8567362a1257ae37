"""Words."""

from mailtls.catalogue.entry import Entry

ENTRIES: dict[str, Entry] = {}
