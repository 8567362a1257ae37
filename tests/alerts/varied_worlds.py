"""Made-up fleets of other shapes than those of `worlds`, in which reports come late and in parts.

The rules were not set by these: they are for measuring. `arrivals` gives, by day, the figures as
they stand once the reports of that day are in, so that rules can look at each day as it was.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from domains.models import Domain
from reports.models import DailyFailures, DailySessions
from tests.alerts.worlds import Planted, poisson

# Name, share of the sessions, share of days on which it is late, always so many days late.
REPORTERS = (
    ("Google Inc.", 0.5, 0.02, 0),
    ("Microsoft Corporation", 0.25, 0.25, 0),
    ("Comcast", 0.1, 0.05, 1),
    ("Mail.Ru", 0.1, 0.4, 0),
    ("university.example", 0.05, 0.1, 2),
)
NOISE_TYPES = ("validation-failure", "starttls-not-supported", "certificate-host-mismatch")


@dataclass(kw_only=True)
class Cell:
    """What one reporter says of one domain on one day, and when it does."""

    sessions: int
    # By (result type, MX); an empty type is a failure without details.
    failed: dict[tuple[str, str], int] = field(default_factory=dict)
    arrives: int = 0
    # A second report of the day that comes a day later, with this share of its sessions.
    second_share: float = 0.0


class VariedWorld:
    """A fleet with its figures by (domain, day, reporter)."""

    def __init__(self, seed, *, domains=1000, days=100, start=date(2026, 5, 4), events=True):
        self.rng = random.Random(seed)
        self.start, self.days = start, days
        self.names = [f"v{n:04d}.example" for n in range(domains)]
        self.cells: dict[tuple[str, int, str], Cell] = {}
        self.planted: list[Planted] = []
        self.mx_of, self.volume, self.rhythm = {}, {}, {}
        self._taken: set[str] = set()
        for name in self.names:
            self._fill(name)
        if events:
            _plant(self)
        self._send_in()

    def day(self, index):
        return self.start + timedelta(days=index)

    def _fill(self, name):
        rng = self.rng
        hoster = f"mail{min(9, int(rng.expovariate(0.35)))}.test"
        self.mx_of[name] = f"mx{rng.randint(1, 3)}.{hoster if rng.random() < 0.75 else name}"
        self.volume[name] = 10 ** (
            rng.uniform(0.7, 3) if rng.random() < 0.85 else rng.uniform(3, 5)
        )
        self.rhythm[name] = rng.choices(["week", "weekend", "all"], [0.4, 0.05, 0.55])[0]
        noise = 10 ** rng.uniform(-5, -2.5)
        chronic = rng.uniform(0.02, 0.3) if rng.random() < 0.02 else 0
        for reporter, share, *_ in REPORTERS:
            if rng.random() < 0.25:
                continue
            for day in range(self.days):
                is_weekend = self.day(day).weekday() >= 5
                factor = {"week": 0.1 if is_weekend else 1, "weekend": 1 if is_weekend else 0}
                mean = self.volume[name] * share * factor.get(self.rhythm[name], 1)
                count = poisson(rng, mean * rng.lognormvariate(0, 0.25)) if mean else 0
                if not count:
                    continue
                cell = self.cells[name, day, reporter] = Cell(sessions=count)
                bad = poisson(rng, count * (noise + chronic * rng.lognormvariate(0, 0.3)))
                bad += rng.random() < 0.01
                if bad:
                    kind = "certificate-host-mismatch" if chronic else rng.choice(NOISE_TYPES)
                    cell.failed[kind, self.mx_of[name]] = min(bad, count)

    def pick(self, low, high, count=1):
        fit = [n for n in self.names if low <= self.volume[n] < high and n not in self._taken]
        chosen = self.rng.sample(fit, min(count, len(fit)))
        self._taken.update(chosen)
        return chosen

    def at(self, mx):
        found = [n for n in self.names if self.mx_of[n] == mx and n not in self._taken]
        self._taken.update(found)
        return found

    def fail(self, names, days, result_type, rate, kind, mx=None):
        """Plant one event; what leaves no trace is none."""
        rng, touched, seen = self.rng, set(), []
        for name in names:
            for day in days:
                for reporter, *_ in REPORTERS:
                    cell = self.cells.get((name, day, reporter))
                    if cell is None:
                        continue
                    left = cell.sessions - sum(cell.failed.values())
                    exact = left < 200
                    bad = sum(rng.random() < rate for _ in range(left)) if exact else 0
                    if not exact:
                        mean = left * rate
                        spread = (mean * (1 - rate)) ** 0.5
                        bad = max(0, min(left, round(rng.gauss(mean, spread))))
                    if bad:
                        key = result_type, self.mx_of[name] if mx is None else mx
                        cell.failed[key] = cell.failed.get(key, 0) + bad
                        touched.add(name)
                        seen.append((day, reporter, name, bad))
        if touched:
            self.planted.append(
                Planted(
                    kind=kind,
                    result_type=result_type,
                    domains=touched,
                    first=min(day for day, *_ in seen),
                    last=max(days),
                    deadline=min(day for day, *_ in seen),
                )
            )

    def rename(self, old, new, first):
        for name, day, reporter in [key for key in self.cells if key[2] == old and key[1] >= first]:
            self.cells[name, day, new] = self.cells.pop((name, day, reporter))

    def _send_in(self):
        """Say when each report arrives; the deadline of an event is when most of it has."""
        rng = self.rng
        habits = {name: (late, always) for name, _, late, always in REPORTERS}
        habits["Google LLC"] = habits["Google Inc."]
        late_days: dict[tuple[str, int], int] = {}
        for (_, day, reporter), cell in self.cells.items():
            late, always = habits[reporter]
            if (reporter, day) not in late_days:
                late_days[reporter, day] = rng.randint(1, 3) if rng.random() < late / 3 else 0
            own = rng.randint(1, 3) if rng.random() < late else 0
            cell.arrives = day + 1 + always + max(own, late_days[reporter, day])
            if rng.random() < 0.05:
                cell.second_share = rng.uniform(0.1, 0.6)
        for event in self.planted:
            event.deadline = self._arrival(event)

    def _arrival(self, event):
        """Give the last day before the one on which half of the event's first day has arrived."""
        weight = defaultdict(int)
        for name in event.domains:
            for reporter in {key[2] for key in self.cells if key[0] == name}:
                cell = self.cells.get((name, event.first, reporter))
                if cell is not None:
                    weight[cell.arrives] += sum(
                        bad for (kind, _), bad in cell.failed.items() if kind == event.result_type
                    )
        half, total = sum(weight.values()) / 2, 0
        for day, bad in sorted(weight.items()):
            total += bad
            if total >= half:
                return day - 1
        return event.first

    def arrivals(self):
        """Give by day the (key, share) of the reports that come in; a share of 1 is all of it."""
        found = defaultdict(list)
        for key, cell in self.cells.items():
            if cell.second_share:
                found[cell.arrives].append((key, 1 - cell.second_share))
                found[cell.arrives + 1].append((key, 1.0))
            else:
                found[cell.arrives].append((key, 1.0))
        return found

    def store_domains(self):
        Domain.objects.bulk_create([Domain(name=name) for name in self.names])
        return dict(Domain.objects.filter(name__in=self.names).values_list("name", "pk"))

    def store(self, ids, arrived):
        """Write figures as roll-ups do: those of a domain and day anew."""
        again = [key for key, share in arrived if self.cells[key].second_share and share == 1]
        for name, day, reporter in again:
            where = {"domain": ids[name], "day": self.day(day), "reporter": reporter}
            DailySessions.objects.filter(**where).delete()
            DailyFailures.objects.filter(**where).delete()
        sessions, failures = [], []
        for key, share in arrived:
            name, day, reporter = key
            cell = self.cells[key]
            count = max(1, round(cell.sessions * share))
            told = {where: round(bad * share) for where, bad in cell.failed.items()}
            bad = min(count, sum(told.values()))
            where = {"domain_id": ids[name], "day": self.day(day), "reporter": reporter}
            sessions.append(
                DailySessions(
                    **where,
                    policy_type="sts",
                    successes=count - bad,
                    failures=bad,
                    counted_successes=count - bad,
                    counted_failures=bad,
                    reports=1,
                )
            )
            failures += [
                DailyFailures(
                    **where,
                    result_type=result_type,
                    receiving_mx=mx,
                    failed_sessions=failed,
                    counted_failed_sessions=failed,
                )
                for (result_type, mx), failed in told.items()
                if failed and result_type
            ]
        DailySessions.objects.bulk_create(sessions, batch_size=2_000)
        DailyFailures.objects.bulk_create(failures, batch_size=2_000)


def _plant(world):
    rng = world.rng

    def when(length, first=36):
        return rng.randint(first, world.days - length - 5)

    def days(length, step=1):
        first = when(length)
        return range(first, first + length, step)

    shared = [f"mx{n}.mail{m}.test" for m in range(8) for n in (1, 2, 3)]
    rng.shuffle(shared)
    # Two causes at one operator, some days apart, the first still going on.
    first, second = sorted(shared[:8])[:2]
    start = when(12)
    world.fail(world.at(first), range(start, start + 7), "certificate-expired", 0.8, "one of two")
    start += 3
    world.fail(
        world.at(second), range(start, start + 5), "starttls-not-supported", 0.5, "other of two"
    )
    for rate, kind in ((0.1, "a tenth of a shared MX"), (0.02, "a fiftieth of a shared MX")):
        world.fail(world.at(shared.pop()), days(5), "certificate-not-trusted", rate, kind)
    for low, high in ((1000, 1e4), (1e4, 1e5), (1e4, 1e5)):
        world.fail(world.pick(low, high), days(6), "starttls-not-supported", 0.02, "2 % for days")
        world.fail(
            world.pick(low, high), days(5), "certificate-host-mismatch", 0.1, "10 % for days"
        )
    for low, high in ((100, 400), (400, 2000), (2000, 1e5)):
        world.fail(world.pick(low, high), days(1), "certificate-expired", 0.7, "one day")
    for low, high in ((5, 9), (9, 20), (20, 60)):
        world.fail(world.pick(low, high), days(6), "sts-policy-invalid", 1.0, "tiny and dead", "")
    for name in [n for n in world.names if world.rhythm[n] == "weekend"][:200:25]:
        if name not in world._taken and world.volume[name] > 40:
            world._taken.add(name)
            world.fail([name], days(15), "tlsa-invalid", 0.6, "weekend only")
    for step in (2, 3):
        world.fail(world.pick(300, 5000), days(13, step), "dnssec-invalid", 0.5, "flapping")
    world.fail(world.pick(300, 5000), days(4), "", 0.4, "without details")
    world.fail(world.pick(5, 300, 40), days(3), "sts-policy-fetch-error", 0.6, "policy host", "")
    world.fail(world.pick(5, 60, 25), days(4), "sts-webpki-invalid", 0.3, "policy host some", "")
    world.rename("Google Inc.", "Google LLC", when(20))
