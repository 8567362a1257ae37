from datetime import date

from alerts.causes import Book, Figures
from alerts.rules.history import History
from alerts.rules.regression import RegressionRule

FIRST = date(2026, 10, 1)
SPAN = 40
DAY = 36


def fleet(*rows, span=SPAN, teams=None):
    """Domains with 100 sessions a day, and failures as (domain, day, type, mx, failed)."""
    histories = {}
    for domain, day, result_type, mx, failed in rows:
        history = histories.get(domain)
        if history is None:
            history = histories[domain] = History(domain, span, (teams or {}).get(domain))
            for n in range(span):
                history.add_sessions(n, "Google Inc.", "sts", (100, 0), (100, 0))
        history.add_sessions(day, "Google Inc.", "sts", (-failed, failed), (-failed, failed))
        history.add_failures(day, result_type, mx, "Google Inc.", failed)
    return Figures(first_on=FIRST, span=span, histories=histories)


def judge(figures, day=DAY, book=None):
    book = book or Book(RegressionRule(), figures)
    book.judge(figures.day(day + 1))
    return book


def keys(book):
    return sorted(cause.key for cause in book.open)


def test_one_expired_certificate_at_a_shared_mx_is_one_cause():
    rows = [(f"d{n}.test", DAY, "certificate-expired", "mx1.hoster.test", 20) for n in range(300)]

    (cause,) = judge(fleet(*rows)).open

    assert len(cause.members) == 300
    assert cause.key == "certificate-expired@hoster.test"


def test_hosts_of_one_operator_that_fail_together_are_one_cause():
    book = judge(
        fleet(
            ("a.test", DAY, "certificate-expired", "mx1.hoster.test", 20),
            ("b.test", DAY, "certificate-expired", "mx2.hoster.test", 20),
        )
    )

    assert keys(book) == ["certificate-expired@hoster.test"]


def test_hosts_of_one_operator_that_fail_weeks_apart_are_two_causes():
    rows = [("a.test", day, "certificate-expired", "mx1.hoster.test", 20) for day in (30, 31, 36)]
    figures = fleet(*rows, ("b.test", DAY, "certificate-expired", "mx2.hoster.test", 20))
    book = Book(RegressionRule(), figures)
    for day in range(30, 37):
        judge(figures, day, book)

    assert {frozenset(cause.members) for cause in book.causes} == {
        frozenset({"a.test"}),
        frozenset({"b.test"}),
    }


def test_other_types_at_other_domains_are_other_causes():
    book = judge(
        fleet(
            ("a.test", DAY, "certificate-expired", "mx1.hoster.test", 20),
            ("b.test", DAY, "starttls-not-supported", "mx1.hoster.test", 20),
        )
    )

    assert len(keys(book)) == 2


def test_two_names_that_reporters_give_one_event_are_one_cause():
    book = judge(
        fleet(
            ("a.test", DAY, "certificate-expired", "mx1.hoster.test", 30),
            ("a.test", DAY, "validation-failure", "mx1.hoster.test", 20),
            ("b.test", DAY, "validation-failure", "mx1.hoster.test", 20),
        )
    )

    (cause,) = book.open
    assert cause.result_type == "certificate-expired"
    assert set(cause.members) == {"a.test", "b.test"}


def test_a_central_policy_host_that_is_away_is_one_cause():
    rows = [(f"d{n}.test", DAY, "sts-policy-fetch-error", "", 50) for n in range(40)]

    (cause,) = judge(fleet(*rows)).open

    assert len(cause.members) == 40


def test_policy_faults_of_two_teams_are_two_causes():
    rows = [(name, DAY, "sts-policy-invalid", "", 50) for name in ("a.test", "b.test")]

    book = judge(fleet(*rows, teams={"a.test": 1, "b.test": 2}))

    assert len(keys(book)) == 2


def test_it_is_over_after_two_clean_days_and_returns_as_the_same():
    rows = [("a.test", day, "certificate-expired", "mx1.hoster.test", 40) for day in (30, 34)]
    figures = fleet(*rows)
    book = Book(RegressionRule(), figures)
    judge(figures, 30, book)
    judge(figures, 31, book)
    assert keys(book)
    judge(figures, 32, book)
    assert not keys(book)

    judge(figures, 34, book)

    (cause,) = book.causes
    assert cause.resolved_on is None
    assert book.sum_up(cause, SPAN).failed_sessions == 80


def test_what_fails_every_weekend_is_usual_and_a_weekday_that_fails_so_is_not():
    def weekly(extra):
        rows = [
            ("a.test", day, "validation-failure", "mx1.a.test", 30)
            for day in range(SPAN)
            if day % 7 in (1, 2)
        ]
        return fleet(*rows, *extra, ("a.test", 0, "validation-failure", "mx1.a.test", 0))

    assert not keys(judge(weekly([]), 36))
    assert not keys(judge(weekly([]), 37))
    assert keys(judge(weekly([("a.test", 35, "validation-failure", "mx1.a.test", 90)]), 35))


def test_a_small_domain_joins_a_surge_at_its_host_and_not_one_elsewhere():
    rows = [
        ("a.test", DAY, "certificate-expired", "mx1.hoster.test", 20),
        ("b.test", DAY, "certificate-expired", "mx2.hoster.test", 20),
    ]
    figures = fleet(*rows)
    figures.surges[DAY] = {("certificate-expired", "mx1.hoster.test")}

    class Blind(RegressionRule):
        def look(self, history, end, known, bad):
            return []

    book = judge(figures, book=Book(Blind(), figures))

    (cause,) = book.open
    assert set(cause.members) == {"a.test"}
    assert cause.hosts == {"mx1.hoster.test"}


def test_what_began_with_a_cause_and_is_sure_only_later_belongs_to_it():
    rows = [("a.test", day, "sts-policy-invalid", "", 50) for day in range(33, 38)]
    rows += [("b.test", day, "sts-policy-invalid", "", 1) for day in (33, 35)]
    rows += [("b.test", day, "sts-policy-invalid", "", 9) for day in (36, 37)]
    figures = fleet(*rows)
    book = Book(RegressionRule(), figures)
    for day in range(33, 38):
        judge(figures, day, book)

    (cause,) = book.open
    assert set(cause.members) == {"a.test", "b.test"}


def test_what_many_share_is_what_the_next_fails_of_meanwhile():
    def later(count):
        rows = [
            (f"d{n}.test", day, "sts-policy-fetch-error", "", 50)
            for n in range(count)
            for day in range(32, 38)
        ]
        rows += [("z.test", day, "sts-policy-fetch-error", "", 50) for day in (36, 37)]
        figures = fleet(*rows)
        book = Book(RegressionRule(), figures)
        for day in range(32, 38):
            judge(figures, day, book)
        return len(keys(book))

    assert later(6) == 1
    assert later(2) == 2


def test_another_reporter_that_tells_of_it_later_in_other_words_tells_of_the_same():
    mx = "mx1.hoster.test"
    rows = [("a.test", day, "certificate-expired", mx, 30) for day in range(32, 38)]
    rows += [("a.test", day, "validation-failure", mx, 20) for day in (36, 37)]
    figures = fleet(*rows)
    book = Book(RegressionRule(), figures)
    for day in range(32, 38):
        judge(figures, day, book)

    assert keys(book) == ["certificate-expired@hoster.test"]


def test_a_small_domain_joins_with_reports_that_came_late():
    mx = "mx1.hoster.test"
    figures = fleet(*(("a.test", day, "certificate-expired", mx, 30) for day in range(34, 38)))
    small = figures.histories["b.test"] = History("b.test", SPAN)
    small.add_sessions(35, "Comcast", "sts", (0, 1), (0, 1))
    small.add_failures(35, "certificate-expired", mx, "Comcast", 1)

    book = judge(figures, 34)
    (cause,) = judge(figures, 37, book).open

    assert set(cause.members) == {"a.test", "b.test"}
