from datetime import date

from alerts.grouping import group_by_cause
from alerts.rules import CauseFigures, DayFigures


def failing(domain, day, *causes, sessions=100):
    return DayFigures(
        domain=domain,
        day=date(2026, 11, day),
        sessions=sessions,
        failures=sum(count for _, _, count in causes),
        reporters=("Google Inc.",),
        causes=tuple(
            CauseFigures(
                result_type=result_type,
                receiving_mx=mx,
                reporter="Google Inc.",
                failed_sessions=count,
            )
            for result_type, mx, count in causes
        ),
    )


def test_one_expired_certificate_at_a_shared_mx_is_one_cause():
    days = [
        failing(f"d{n}.example", 3, ("certificate-expired", "mx1.hoster.test", 20))
        for n in range(300)
    ]

    (cause,) = group_by_cause(days)

    assert len(cause.domains) == 300
    assert cause.result_type == "certificate-expired"
    assert cause.receiving_mx == ("mx1.hoster.test",)
    assert cause.failed_sessions == 6000


def test_hosts_of_one_operator_are_one_cause():
    days = [
        failing("a.example", 3, ("certificate-expired", "mx1.hoster.test", 20)),
        failing("b.example", 3, ("certificate-expired", "mx2.hoster.test", 20)),
    ]

    assert len(group_by_cause(days)) == 1


def test_other_result_types_are_other_causes():
    days = [
        failing("a.example", 3, ("certificate-expired", "mx1.hoster.test", 20)),
        failing("b.example", 3, ("starttls-not-supported", "mx1.hoster.test", 20)),
    ]

    assert [cause.result_type for cause in group_by_cause(days)] == [
        "certificate-expired",
        "starttls-not-supported",
    ]


def test_the_most_failed_sessions_name_the_cause_of_a_day():
    day = failing(
        "a.example",
        3,
        ("validation-failure", "mx1.a.example", 2),
        ("certificate-expired", "mx1.a.example", 20),
    )

    (cause,) = group_by_cause([day])

    assert cause.result_type == "certificate-expired"


def test_failures_without_details_are_a_cause_of_the_domain():
    day = DayFigures(
        domain="a.example",
        day=date(2026, 11, 3),
        sessions=100,
        failures=50,
        reporters=("Example Corp",),
    )

    (cause,) = group_by_cause([day])

    assert (cause.key, cause.result_type) == ("unexplained@a.example", "")
    assert cause.reporters == ("Example Corp",)


def test_a_cause_spans_its_failing_days():
    days = [
        failing("a.example", 3, ("certificate-expired", "mx1.hoster.test", 20)),
        failing("a.example", 5, ("certificate-expired", "mx1.hoster.test", 30)),
    ]

    (cause,) = group_by_cause(days)

    assert (cause.since_on.day, cause.last_on.day) == (3, 5)
    assert cause.domains["a.example"].failed_sessions == 50
