"""Which files of the libraries are worth serving: what the pages use, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder, FileSystemFinder

# Right-to-left and part builds of Bootstrap, notebook widgets and sample data of
# Plotly: 20 MB that no page asks for and that hashing and compressing would cost seconds.
UNUSED = [
    "bootstrap.css.map",
    "bootstrap.js.map",
    "bootstrap.bundle.js.map",
    "*.rtl.*",
    "datasets",
    "templates",
    "widgetbundle.js",
    "bootstrap-*",
    "bootstrap.css",
    "bootstrap.js",
    "bootstrap.esm*",
    "bootstrap.bundle.js",
    "htmax-*",
    "htmx-4*",
    "htmx-2.js",
    "ext",
]


class LeanFileSystemFinder(FileSystemFinder):
    """List the files of STATICFILES_DIRS without the unused ones."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        """Give (path, storage) pairs."""
        return super().list([*(ignore_patterns or []), *UNUSED])


class LeanAppDirectoriesFinder(AppDirectoriesFinder):
    """List the apps' static files without the unused ones."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        """Give (path, storage) pairs."""
        return super().list([*(ignore_patterns or []), *UNUSED])
