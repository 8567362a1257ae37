"""What the fleet published on any past day: read from the spans that each check keeps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import CharField, Count, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest, NullIf, TruncDate

from domains.models import DomainQuerySet, StateSpan, Status

_UNKNOWN = Status.UNKNOWN.value
_ASPECTS = ("tlsrpt", "sts", "dane")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayState:
    """What one domain published at the end of one day; `sts` as in StateSpan."""

    domain_id: int
    team_id: int | None
    tlsrpt: str
    sts: str
    dane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """How many domains were in which state on one day."""

    day: date
    total: int
    tlsrpt: Counter[str]
    sts: Counter[str]
    dane: Counter[str]


def states_on(domains: DomainQuerySet, day: date) -> list[DayState]:
    """Give the state of each domain that was in the inventory on this day, at its end (UTC)."""
    rows = _held_on(domains, day).values_list("pk", "team", *_HELD)
    return [
        DayState(
            domain_id=pk,
            team_id=team,
            tlsrpt=tlsrpt or _UNKNOWN,
            sts=sts or _UNKNOWN,
            dane=dane or _UNKNOWN,
        )
        for pk, team, tlsrpt, sts, dane in rows
    ]


def with_states_on(domains: DomainQuerySet, day: date) -> DomainQuerySet:
    """Give the domains that were in the inventory on this day, as rows of a list.

    Each has `tlsrpt_then`, `sts_then` and `dane_then`: what `states_on` gives, to narrow and order.
    """
    then: DomainQuerySet = _held_on(domains, day).annotate(
        **{
            f"{aspect}_then": Coalesce(
                NullIf(f"held__{aspect}", Value("")), Value(_UNKNOWN), output_field=CharField()
            )
            for aspect in _ASPECTS
        }
    )
    return then


def counts_by_team(domains: DomainQuerySet, day: date) -> list[tuple[int | None, DayCounts]]:
    """Give the counts of each team's domains on this day; the team is today's."""
    by_team: dict[int | None, _Tally] = {}
    for team, *states, size in (
        _held_on(domains, day).values_list("team", *_HELD).annotate(Count("pk"))
    ):
        tally = by_team.setdefault(team, _Tally())
        tally.total += size
        tally.count(states, size)
    return [(team, tally.on(day)) for team, tally in by_team.items()]


def counts_by_day(domains: DomainQuerySet, since: date, until: date) -> list[DayCounts]:
    """Give the counts of every day of the span, in order.

    Three questions, whose answers are as long as what has changed, not as domains times days.
    """
    spans = StateSpan.objects.filter(domain__in=domains.order_by().values("pk"))
    begun = spans.filter(_from(since), first_day__lte=until)
    ended = spans.filter(last_day__gte=since, last_day__lt=until)
    by_day: defaultdict[date, list[tuple[list[str], int]]] = defaultdict(list)
    for day, *states, size in _grouped(begun.annotate(day=Greatest("first_day", Value(since)))):
        by_day[day].append((states, size))
    for day, *states, size in _grouped(ended.annotate(day=F("last_day"))):
        by_day[day + timedelta(days=1)].append((states, -size))
    came = dict(
        domains.order_by()
        .annotate(day=Greatest(TruncDate("created_at", tzinfo=UTC), Value(since)))
        .values_list("day")
        .annotate(Count("pk"))
    )
    tally = _Tally()
    counts = []
    for day in (since + timedelta(days=n) for n in range((until - since).days + 1)):
        tally.total += came.get(day, 0)
        for states, size in by_day[day]:
            tally.count(states, size)
        counts.append(tally.on(day))
    return counts


def _from(day: date) -> Q:
    """Give the spans that end on this day or later, or not yet."""
    return Q(last_day=None) | Q(last_day__gte=day)


def _grouped(spans: QuerySet[StateSpan]) -> QuerySet[StateSpan, tuple[date, str, str, str, int]]:
    return spans.values_list("day", *_ASPECTS).annotate(Count("pk")).order_by()


_HELD = tuple(f"held__{aspect}" for aspect in _ASPECTS)


def _held_on(domains: DomainQuerySet, day: date) -> DomainQuerySet:
    """Join what each domain that was there on this day published then, if that is known."""
    covers = (Q(state_spans__last_day=None) | Q(state_spans__last_day__gte=day)) & Q(
        state_spans__first_day__lte=day
    )
    held: DomainQuerySet = (
        domains.order_by()
        .filter(created_at__lte=datetime.combine(day, time.max, UTC))
        .annotate(held=FilteredRelation("state_spans", condition=covers))
    )
    return held


class _Tally:
    """Counts of states that go up and down; domains that no check has seen yet are unknown."""

    def __init__(self) -> None:
        self.total = 0
        self._counts: tuple[Counter[str], ...] = tuple(Counter[str]() for _ in _ASPECTS)

    def count(self, states: Sequence[str | None], size: int) -> None:
        """Count so many more domains, or fewer, with these states of the three aspects."""
        for counter, state in zip(self._counts, states, strict=True):
            if state is not None:
                counter[state] += size

    def on(self, day: date) -> DayCounts:
        """Give the counts as they stand."""
        tlsrpt, sts, dane = (
            +(counter + Counter({_UNKNOWN: self.total - counter.total()}))
            for counter in self._counts
        )
        return DayCounts(day=day, total=self.total, tlsrpt=tlsrpt, sts=sts, dane=dane)
