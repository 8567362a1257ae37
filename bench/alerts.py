"""Measures the rules on made-up fleets: what is found in time, what is false, how long it takes.

usage: python -m bench.alerts [--live] [--seeds 1,2,3] [--domains 1000] [--days 120] [--verbose]

Each seed is a fleet with planted events, replayed day by day on a SQLite database of its own. With
--live its reports come late and in parts, and each day is evaluated as it was.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter

WARM_UP_DAYS = 30


def matches(one, event, world):
    """Say whether an incident tells of an event: same domains and type, at that time."""
    joined = [
        figures.first_on
        for name, figures in one.picture.domains.items()
        if name in event.domains and world.day(event.first) <= figures.first_on
    ]
    if one.opened_on < world.day(event.first) and not (
        joined and min(joined) <= world.day(event.deadline + 1) and len(event.domains) == 1
    ):
        return False
    if one.opened_on > world.day(event.last + 15):
        return False
    if event.reporter:
        is_told = event.reporter in one.picture.reporters and not one.result_type
    else:
        is_told = one.result_type == event.result_type
    return is_told and bool(one.domains & event.domains)


def live(world):
    """Let the reports come in and evaluate every morning; give the incidents as a replay would."""
    from datetime import UTC, datetime
    from datetime import time as clock
    from types import SimpleNamespace

    from alerts.models import Incident, Mark
    from alerts.services.evaluate import evaluate_changes

    Incident.objects.all().delete()
    Mark.objects.all().delete()
    ids = world.store_domains()
    arrivals = world.arrivals()
    took_s = 0.0
    for index in range(1, world.days + 1):
        world.store(ids, arrivals.get(index, ()))
        # Some mornings more, so that it is known how late reporters are.
        if index >= WARM_UP_DAYS - 10:
            started = time.perf_counter()
            evaluate_changes(datetime.combine(world.day(index), clock(6), UTC))
            took_s += time.perf_counter() - started
    found = []
    for one in Incident.objects.filter(part_of=None).prefetch_related("incident_domains__domain"):
        if one.opened_at.date() < world.day(WARM_UP_DAYS):
            continue
        rows = {row.domain.name: row for row in one.incident_domains.all()}
        picture = SimpleNamespace(
            domains=rows,
            key=one.cause_key,
            reporters=one.reporters,
            failed_sessions=one.failed_sessions,
            sessions=one.sessions,
        )
        found.append(
            SimpleNamespace(
                picture=picture,
                domains=set(rows),
                result_type=one.result_type,
                opened_on=one.opened_at.date(),
                resolved_on=one.resolved_at.date() if one.resolved_at else None,
            )
        )
    return found, took_s


def judge(found, world):
    """Give counts: events, found, in time, incidents that match none, and causes told twice."""
    counts = Counter()
    used = set()
    missed = []
    for event in world.planted:
        mine = [one for one in found if matches(one, event, world)]
        counts["events"] += 1
        used.update(id(one) for one in mine)
        if not mine:
            near = [
                (one.picture.key, str(one.opened_on), str(one.resolved_on))
                for one in found
                if one.domains & event.domains
                and len(one.domains) < 500
                and (one.resolved_on is None or one.resolved_on >= world.day(event.first))
            ]
            print("   near:", near[:8])
            missed.append((event.kind, "missed", event))
            continue
        counts["found"] += 1
        first = min(mine, key=lambda one: one.opened_on)
        late = (first.opened_on - world.day(event.deadline)).days - 1
        counts["same_day"] += late <= 0
        counts["in_time"] += late <= 1
        if late > 1:
            missed.append((event.kind, f"{late} days late", event))
        counts["extra"] += len(mine) - 1
        if len(mine) > 1:
            keys = [(one.picture.key, str(one.opened_on)) for one in mine]
            missed.append((event.kind, f"{len(mine)} incidents {keys}", event))
        most = max(len(one.domains & event.domains) for one in mine)
        counts["domains"] += len(event.domains)
        counts["domains_listed"] += most
    false = [one for one in found if id(one) not in used]
    counts["false"] = len(false)
    return counts, false, missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    os.environ["DOTENV"] = os.devnull
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="bench-alerts-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from alerts.services.replay import replay
    from domains.models import Domain
    from tests.alerts.varied_worlds import VariedWorld
    from tests.alerts.worlds import make_world

    call_command("migrate", verbosity=0)
    total = Counter()
    for seed in map(int, options.seeds.split(",")):
        Domain.objects.all().delete()
        if options.live:
            world = VariedWorld(seed, domains=options.domains, days=options.days)
            found, took_s = live(world)
        else:
            world = make_world(seed, domains=options.domains, days=options.days)
            world.store()
            days = [world.day(n) for n in range(WARM_UP_DAYS, options.days + 1)]
            started = time.perf_counter()
            found = list(replay(days))
            took_s = time.perf_counter() - started
        counts, false, missed = judge(found, world)
        total += counts
        weeks = (options.days - WARM_UP_DAYS) / 7
        figures = {
            "seed": seed,
            "replay_s": round(took_s, 1),
            **counts,
            "false": counts["false"],
            "false_a_week": round(counts["false"] / weeks * 1000 / options.domains, 2),
        }
        print(json.dumps(figures), flush=True)
        if options.verbose:
            for kind, what, event in missed:
                print(
                    "  ",
                    kind,
                    what,
                    event.first,
                    event.last,
                    event.result_type,
                    sorted(event.domains)[:3],
                    len(event.domains),
                )
            for one in false:
                print(
                    "   false:",
                    one.picture.key,
                    one.opened_on,
                    one.opened_on - world.start,
                    one.picture.failed_sessions,
                    one.picture.sessions,
                    one.picture.reporters,
                    sorted(one.domains)[:3],
                )
    weeks = (options.days - WARM_UP_DAYS) / 7 * len(options.seeds.split(","))
    print(
        json.dumps(
            {
                "recall": round(total["found"] / total["events"], 3),
                "recall_in_time": round(total["in_time"] / total["events"], 3),
                "false_a_week_per_1000": round(total["false"] / weeks * 1000 / options.domains, 3),
                "extra_incidents": total["extra"],
                "domains_listed": round(total["domains_listed"] / total["domains"], 3),
            }
        )
    )


if __name__ == "__main__":
    main()
