"""`manage.py evaluatealerts`: apply the rules now, or replay days as if each were today."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from alerts.services.evaluate import evaluate
from alerts.services.replay import active_rules, find_misses, replay
from webui.commands import PortalCommand, read_day


class Command(PortalCommand):
    """Evaluate alerts."""

    help = (
        "Applies the rules to the complete days now. With --since: replays the days, changes "
        "nothing and prints one incident a line."
    )
    example = "manage.py evaluatealerts --since 2026-09-01 --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--since", type=read_day, metavar="DAY", help="first day to replay")
        parser.add_argument(
            "--until", type=read_day, metavar="DAY", help="last day; today if left out"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *, since: date | None, until: date | None, json: bool, **options: Any) -> None:
        """Evaluate or replay."""
        if since is None:
            if until is not None:
                raise CommandError("--until goes with --since.", returncode=2)
            self._evaluate(as_json=json)
        else:
            until = until or timezone.now().date()
            if until < since:
                raise CommandError(f"--until {until} lies before --since {since}.", returncode=2)
            self._replay(since, until, as_json=json)

    def _evaluate(self, *, as_json: bool) -> None:
        found = evaluate()
        figures = {
            "opened": found.opened,
            "returned": found.returned,
            "fed": found.fed,
            "resolved": found.resolved,
        }
        if as_json:
            self.stdout.write(json.dumps(figures))
        else:
            self.stdout.write(", ".join(f"{count} {what}" for what, count in figures.items()))

    def _replay(self, since: date, until: date, *, as_json: bool) -> None:
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        rules = active_rules()
        found = list(replay(days, rules))
        for incident in found:
            if as_json:
                self.stdout.write(json.dumps(incident.as_dict(), ensure_ascii=False))
            else:
                picture = incident.picture
                end = incident.resolved_on or "still open"
                self.stdout.write(
                    f"{incident.opened_on} to {end}  {incident.rule.name}: "
                    + (
                        f"{incident.result_type or picture.title}, "
                        f"{picture.failed_sessions} of {picture.sessions} sessions at "
                        f"{len(incident.domains)} domains"
                        if picture.sessions
                        else picture.title
                    )
                )
        misses = find_misses(found, rules, since)
        # Beside the lines of incidents, so that a program can read those alone.
        self.stderr.write(
            f"{len(misses.missed)} of {misses.open_count} incidents that began since {since} and "
            "are open now would have been missed."
        )
        for missed in misses.missed:
            self.stderr.write(f"  missed: #{missed.pk} {missed.title}, since {missed.since_on}")
