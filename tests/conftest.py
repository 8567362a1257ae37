"""What holds for all tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: last of all it would keep one process busy alone."""
    items.sort(key=lambda item: item.get_closest_marker("whole") is None)
