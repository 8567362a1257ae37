"""What all commands of the portal share: helps with examples, and one clear line when the world
fails."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.utils import OperationalError


def read_day(text: str) -> date:
    """Read a day that an argument names."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-22") from None


def number_up_to(most: int) -> Callable[[str], int]:
    """Give what reads an argument that is a number from 1 to this."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no number from 1 to {most}")
        return int(text)

    return read


class PortalCommand(BaseCommand):
    """A command whose help keeps its line breaks and ends with `example`.

    Ends 0 when it did its work, 1 when it could not, 2 on bad arguments.
    """

    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Build the parser with the example below the options."""
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        kwargs["epilog"] = f"example:\n  {self.example}"
        parser: ArgumentParser = super().create_parser(prog_name, subcommand, **kwargs)
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; a database that is away or empty ends the command with one line."""
        try:
            return super().execute(*args, **options)
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer as it should: {str(error).strip()}. "
                "Check DATABASE_URL and run `manage.py migrate`."
            ) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database refused: {str(error).strip().splitlines()[0]}. "
                "Run `manage.py migrate` if the portal was upgraded."
            ) from error
