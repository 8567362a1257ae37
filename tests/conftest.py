"""What holds for all tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: last of all it would keep one process busy alone."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Say when a test's turn is; of those of one turn, each process takes the next one."""
    if item.get_closest_marker("whole"):
        return 0
    if item.get_closest_marker("browser"):
        return 2
    database = item.get_closest_marker("django_db")
    # These leave an empty database behind, without what migrations have put there.
    return 3 if database and database.kwargs.get("transaction") else 1
