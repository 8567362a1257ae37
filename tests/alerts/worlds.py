"""Made-up fleets with planted events, written straight into the rollups. Seeded, so repeatable."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from domains.models import Domain
from reports.models import DailyFailures, DailySessions

REPORTERS = (("Google Inc.", 0.55), ("Microsoft Corporation", 0.3), ("Comcast", 0.15))
NOISE_TYPES = (
    "validation-failure",
    "starttls-not-supported",
    "certificate-host-mismatch",
    "sts-policy-fetch-error",
)


@dataclass(kw_only=True)
class Planted:
    """An event put into the world: what a watcher should find, where, from which day."""

    kind: str
    result_type: str
    domains: set[str]
    first: int
    last: int
    deadline: int  # the last day (index) whose data may be needed
    reporter: str = ""


@dataclass(kw_only=True)
class World:
    """Figures of a fleet by day, before they are stored."""

    start: date
    days: int
    names: list[str]
    sessions: dict[tuple[str, int, str], list[int]]
    failures: dict[tuple[str, int, str, str, str], int]
    planted: list[Planted] = field(default_factory=list)

    def day(self, index: int) -> date:
        return self.start + timedelta(days=index)

    def fail(self, name, day, reporter, result_type, mx, count):
        """Turn successes into failures; no more than there are."""
        row = self.sessions.get((name, day, reporter))
        if row is None:
            return 0
        count = min(count, row[0])
        row[0] -= count
        row[1] += count
        if count:
            self.failures[name, day, reporter, result_type, mx] += count
        return count

    def store(self):
        Domain.objects.bulk_create([Domain(name=name) for name in self.names])
        ids = dict(Domain.objects.filter(name__in=self.names).values_list("name", "pk"))
        DailySessions.objects.bulk_create(
            (
                DailySessions(
                    domain_id=ids[name],
                    day=self.day(day),
                    reporter=reporter,
                    policy_type="sts",
                    successes=good,
                    failures=bad,
                    counted_successes=good,
                    counted_failures=bad,
                    reports=1,
                )
                for (name, day, reporter), (good, bad) in self.sessions.items()
            ),
            batch_size=5_000,
        )
        DailyFailures.objects.bulk_create(
            (
                DailyFailures(
                    domain_id=ids[name],
                    day=self.day(day),
                    result_type=result_type,
                    receiving_mx=mx,
                    reporter=reporter,
                    failed_sessions=count,
                    counted_failed_sessions=count,
                )
                for (name, day, reporter, result_type, mx), count in self.failures.items()
            ),
            batch_size=5_000,
        )


def poisson(rng, mean):
    if mean > 40:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    limit, count, product = 2.718281828**-mean, 0, rng.random()
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def make_world(seed, *, domains=1000, days=120, start=date(2026, 7, 1), events=True):
    """Make a fleet: volumes from one session a week to thousands a day, weekends, noise."""
    rng = random.Random(seed)
    names = [f"d{n:04d}.example" for n in range(domains)]
    hosters = [f"hoster{n}.test" for n in range(12)]
    world = World(start=start, days=days, names=names, sessions={}, failures=defaultdict(int))
    mx_of, volume = {}, {}
    for name in names:
        hoster = rng.choices(hosters, weights=[30, 20, 10, 8, 6, 5, 4, 3, 3, 2, 2, 2])[0]
        own = rng.random() < 0.3
        mx_of[name] = f"mx{rng.randint(1, 2)}.{name if own else hoster}"
        volume[name] = 10 ** rng.uniform(-0.8, 3.5)
        chronic = rng.random() < 0.03  # always fails a bit, and always did
        weekend = rng.random() < 0.03  # fails at every weekend
        quiet_weekends = rng.choice([0.05, 0.2, 0.5, 1.0])
        noise = rng.choice([0, 0.0005, 0.001, 0.002, 0.004])
        chronic_rate = rng.uniform(0.03, 0.15)
        weekly_rate = rng.uniform(0.05, 0.4)
        regular = volume[name] > 3
        for reporter, share in REPORTERS:
            if rng.random() > 0.8:
                continue
            drops = 0.01 if regular else 0.0
            for day in range(days):
                is_weekend = world.day(day).weekday() >= 5
                mean = volume[name] * share * (quiet_weekends if is_weekend else 1)
                mean *= rng.lognormvariate(0, 0.3)
                count = poisson(rng, mean)
                if not count or rng.random() < drops:
                    continue
                world.sessions[name, day, reporter] = [count, 0]
                bad = poisson(rng, count * noise)
                if rng.random() < 0.01:
                    bad += 1  # one failed session, whatever the volume
                for _ in range(min(bad, count)):
                    world.fail(name, day, reporter, rng.choice(NOISE_TYPES), mx_of[name], 1)
                if chronic:
                    rate = chronic_rate * rng.lognormvariate(0, 0.35)
                    bad = poisson(rng, count * rate)
                    world.fail(name, day, reporter, "starttls-not-supported", mx_of[name], bad)
                if weekend and is_weekend:
                    bad = poisson(rng, count * weekly_rate)
                    world.fail(name, day, reporter, "validation-failure", mx_of[name], bad)
    if events:
        _plant(rng, world, mx_of, volume)
    return world


def _plant(rng, world, mx_of, volume):  # noqa: C901 one plain list of events
    taken = set()

    def pick(least, count=1):
        fit = [n for n in world.names if volume[n] >= least and n not in taken]
        chosen = rng.sample(fit, count)
        taken.update(chosen)
        return chosen

    def burst(names, first, last, result_type, rate, mx=None, kind=""):
        touched = set()
        for name in names:
            for day in range(first, last + 1):
                for reporter, _ in REPORTERS:
                    row = world.sessions.get((name, day, reporter))
                    if row is None:
                        continue
                    bad = sum(rng.random() < rate for _ in range(row[0]))
                    host = mx if mx is not None else mx_of[name]
                    told = "validation-failure" if reporter == "Comcast" and mx is None else None
                    told = told if result_type.startswith("certificate") else None
                    if world.fail(name, day, reporter, told or result_type, host, bad):
                        touched.add(name)
        world.planted.append(
            Planted(
                kind=kind,
                result_type=result_type,
                domains=touched,
                first=first,
                last=last,
                deadline=first,
            )
        )

    def when(length):
        return rng.randint(36, world.days - length - 4)

    # One expired certificate at an MX that many share, small domains among them.
    by_mx = defaultdict(list)
    for name, mx in mx_of.items():
        by_mx[mx].append(name)
    shared = sorted(by_mx, key=lambda mx: -len(by_mx[mx]))
    for mx in rng.sample(shared[:8], 3):
        first = when(5)
        names = [name for name in by_mx[mx] if name not in taken]
        taken.update(names)
        burst(names, first, first + rng.randint(1, 5), "certificate-expired", 0.9, kind="expired")
    for mx in rng.sample(shared[8:16], 2):
        first = when(5)
        names = [name for name in by_mx[mx] if name not in taken]
        taken.update(names)
        burst(names, first, first + 3, "certificate-not-trusted", 0.3, kind="expired-some")
    for _ in range(3):  # a typo in a policy
        first = when(6)
        burst(pick(30), first, first + 6, "sts-policy-invalid", rng.uniform(0.2, 1), "", "typo")
    first = when(3)  # the central policy host is away
    burst(pick(5, 60), first, first + 2, "sts-policy-fetch-error", 0.5, "", "policy-host")
    for _ in range(4):  # moved to an MX the policy does not name
        first = when(8)
        (name,) = pick(20)
        burst([name], first, first + 8, "validation-failure", 0.8, f"mx.new-{name}", "mx-move")
    for _ in range(3):  # a new failure type, small
        first = when(8)
        burst(pick(200), first, first + 8, "tlsa-invalid", rng.uniform(0.04, 0.2), kind="new-type")
    for _ in range(3):  # 40 of 2,000
        first = when(8)
        burst(pick(1500), first, first + 6, "starttls-not-supported", 0.025, kind="little-of-much")
    for _ in range(3):  # a decay over four weeks
        first = when(30)
        (name,) = pick(150)
        touched_at = None
        for day in range(first, first + 30):
            rate = 0.004 * (day - first + 1)
            if touched_at is None and rate >= 0.03:
                touched_at = day
            for reporter, _ in REPORTERS:
                row = world.sessions.get((name, day, reporter))
                if row:
                    bad = sum(rng.random() < rate for _ in range(row[0]))
                    world.fail(name, day, reporter, "starttls-not-supported", mx_of[name], bad)
        world.planted.append(
            Planted(
                kind="decay",
                result_type="starttls-not-supported",
                domains={name},
                first=first,
                last=first + 30,
                deadline=touched_at,
            )
        )
    for _ in range(3):  # a reporter stops telling of one domain
        first = when(20)
        reporter = "Google Inc."
        fit = [
            name
            for name in pick(60, 5)
            if all((name, day, reporter) in world.sessions for day in range(first - 6, first))
        ]
        if fit:
            _silence(world, [fit[0]], reporter, first, first + 20, "reporter-gone")
    first = when(10)
    _silence(world, world.names, "Comcast", first, first + 8, "reporter-away")
    _forget_empty(world)


def _forget_empty(world):
    """Forget events that left no trace, because nobody reported on their days."""
    left = {(name, result_type) for name, _, _, result_type, _ in world.failures}
    for event in list(world.planted):
        if event.result_type and not any(
            (name, event.result_type) in left
            and any(
                (name, day, reporter) in world.sessions and world.sessions[name, day, reporter][1]
                for day in range(event.first, event.last + 1)
                for reporter, _ in REPORTERS
            )
            for name in event.domains
        ):
            world.planted.remove(event)


def _silence(world, names, reporter, first, last, kind):
    names = set(names)
    for name in names:
        for day in range(first, last + 1):
            if world.sessions.pop((name, day, reporter), None):
                for key in (
                    [k for k in world.failures if k[:3] == (name, day, reporter)]
                    if len(names) < 5
                    else ()
                ):
                    del world.failures[key]
    if len(names) >= 5:
        for key in [k for k in world.failures if k[2] == reporter and first <= k[1] <= last]:
            del world.failures[key]
    world.planted.append(
        Planted(
            kind=kind,
            result_type="",
            domains=names,
            first=first,
            last=last,
            deadline=first + (1 if kind == "reporter-away" else 2),
            reporter=reporter,
        )
    )
