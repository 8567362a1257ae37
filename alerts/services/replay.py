"""The backtest: the incidents there would have been, had the rules looked every day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerts import facts
from alerts.causes import Book
from alerts.models import Rule
from alerts.rules.regression import BASELINE_DAYS
from alerts.services.evaluate_rates import picture_of, rate_rules, read_rate_rule, rule_scope
from alerts.services.picture import Picture


@dataclass(kw_only=True)
class Replayed:
    """One incident of the replay. `resolved_on` is None while it is open on the last day."""

    rule: Rule
    opened_on: date
    resolved_on: date | None
    picture: Picture

    @property
    def result_type(self) -> str:
        """Give the result type most sessions failed with."""
        return self.picture.result_type

    @property
    def domains(self) -> set[str]:
        """Give the names of the touched domains."""
        return set(self.picture.domains)

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "rule": self.rule.kind,
            "name": self.rule.name,
            "severity": self.picture.severity.value,
            "opened_on": self.opened_on.isoformat(),
            "resolved_on": self.resolved_on.isoformat() if self.resolved_on else None,
            "result_type": self.result_type or None,
            "reporters": list(self.picture.reporters),
            "receiving_mx": list(self.picture.receiving_mx),
            "domains": sorted(self.domains),
            "failed_sessions": self.picture.failed_sessions,
            "sessions": self.picture.sessions,
        }


def replay(days: Sequence[date], rules: Iterable[Rule] | None = None) -> Iterator[Replayed]:
    """Replay the days in order, each as if it were today, with only the complete days before it.

    Reads the figures once; writes nothing. `rules` may be rules that are not saved.
    """
    found = []
    books: list[Book] = []
    for rule in rate_rules() if rules is None else rules:
        found += _replay_rates(rule, days, books)
    yield from sorted(found, key=lambda one: (one.opened_on, one.picture.key))


def _replay_rates(rule: Rule, days: Sequence[date], books: list[Book]) -> list[Replayed]:
    first_on = days[0] - timedelta(days=BASELINE_DAYS + 7)
    figures = facts.load_figures(
        rule_scope(rule), first_on, days[-1] - timedelta(days=1), look_from=days[0] - timedelta(7)
    )
    book = Book(read_rate_rule(rule), figures)
    books.append(book)
    for today in days:
        # The first look is at the days before, too: what fails already is found, not skipped.
        book.judge(today, 7 if today == days[0] else 1)
    found = []
    for cause in book.causes:
        if not cause.is_foreign:
            summed = book.sum_up(cause, figures.span)
            found.append(
                Replayed(
                    rule=rule,
                    opened_on=cause.opened_on,
                    resolved_on=cause.resolved_on,
                    picture=picture_of(rule, cause, summed, figures),
                )
            )
    return found
