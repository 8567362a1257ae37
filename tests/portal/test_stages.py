from datetime import date, timedelta

import pytest

from reports.under_enforce import UnderEnforce
from tlsrpt_portal.pages.stages import Evidence, Published, Stage, find_conditions, find_stage

UNTIL = date(2026, 11, 21)
TESTING = {
    "tlsrpt": "valid",
    "mta_sts": "valid",
    "sts_mode": "testing",
    "has_uncovered_mx": False,
    "starttls": "not-checked",
}
CLEAN = {
    "sessions": 4000,
    "failed": UnderEnforce(refused=3),
    "reporters": 2,
    "first_day": UNTIL - timedelta(days=29),
}


def words(condition):
    return condition.state.replace("\xa0", " ")


def place(published=None, seen=None):
    return find_stage(
        Published(**TESTING | (published or {})), Evidence(**CLEAN | (seen or {})), UNTIL
    )


@pytest.mark.parametrize(
    ("published", "stage"),
    [
        ({}, Stage.READY),
        ({"sts_mode": "enforce"}, Stage.ENFORCE),
        ({"sts_mode": "enforce", "tlsrpt": "missing"}, Stage.ENFORCE),
        ({"tlsrpt": "missing"}, Stage.DARK),
        ({"tlsrpt": "invalid", "mta_sts": "missing"}, Stage.DARK),
        ({"mta_sts": "missing", "sts_mode": ""}, Stage.REPORTING),
        ({"mta_sts": "invalid"}, Stage.REPORTING),
        ({"sts_mode": "none"}, Stage.REPORTING),
        ({"has_uncovered_mx": True}, Stage.TESTING),
        ({"starttls": "invalid"}, Stage.TESTING),
        ({"starttls": "valid"}, Stage.READY),
    ],
)
def test_what_is_published_decides_the_stage(published, stage):
    assert place(published) is stage


@pytest.mark.parametrize(
    ("seen", "stage"),
    [
        ({"failed": UnderEnforce(4)}, Stage.READY),
        ({"failed": UnderEnforce(5)}, Stage.TESTING),
        ({"sessions": 970, "failed": UnderEnforce(3)}, Stage.READY),
        ({"sessions": 970, "failed": UnderEnforce(4)}, Stage.TESTING),
        ({"sessions": 60, "failed": UnderEnforce(1)}, Stage.TESTING),
        ({"sessions": 49, "failed": UnderEnforce(0)}, Stage.TESTING),
        ({"sessions": 50, "failed": UnderEnforce(0)}, Stage.READY),
        ({"first_day": UNTIL - timedelta(days=19)}, Stage.TESTING),
        ({"first_day": UNTIL - timedelta(days=20)}, Stage.READY),
        ({"failed": UnderEnforce(refused=4, unread=4, under_dane=900)}, Stage.READY),
        ({"failed": UnderEnforce(unread=5)}, Stage.TESTING),
        ({"sessions": 0, "failed": UnderEnforce(0), "first_day": None}, Stage.TESTING),
    ],
)
def test_testing_is_ready_after_enough_clean_reports(seen, stage):
    assert place(seen=seen) is stage


def test_each_open_condition_says_what_is_missing():
    seen = Evidence(
        sessions=60, failed=UnderEnforce(6, 0, 2), reporters=1, first_day=UNTIL - timedelta(days=3)
    )
    found = find_conditions(Published(**TESTING | {"has_uncovered_mx": True}), seen, UNTIL)

    assert [words(one) for one in found if not one.is_met] == [
        "An MX host is named by no mx line: enforce would refuse its mail.",
        "60 sessions by 1 reporter since 18 Nov 2026: long enough on 9 Dec 2026.",
        (
            "Enforce would have refused 6 of 60 sessions (10.0 %); none of so few is usual. "
            "Another 2 sessions failed under DANE, whatever the mode."
        ),
    ]


def test_a_policy_in_mode_none_is_not_said_to_cover_the_hosts():
    found = find_conditions(Published(**TESTING | {"sts_mode": "none"}), Evidence(**CLEAN), UNTIL)

    [cover] = [one for one in found if one.title == "It covers every MX host"]
    assert (cover.is_met, words(cover)) == (
        False,
        "The policy is in mode none, which names no host.",
    )


def test_a_policy_that_senders_cannot_read_is_not_called_refused_mail():
    seen = Evidence(**CLEAN | {"failed": UnderEnforce(refused=0, unread=40)})
    found = find_conditions(Published(**TESTING), seen, UNTIL)

    assert [words(one) for one in found if not one.is_met] == [
        (
            "It could not be read for 40 of 4,000 sessions (1.00 %); up to 4 are usual. They are "
            "not refused, but unprotected."
        )
    ]
    assert words(found[-1]) == "Enforce would have refused 0 of 4,000 sessions (0 %)."


def test_one_failure_that_is_usual_stands_in_the_singular():
    seen = Evidence(**CLEAN | {"sessions": 150, "failed": UnderEnforce(refused=1)})

    [*_, refused] = find_conditions(Published(**TESTING), seen, UNTIL)

    assert words(refused).endswith("1 of 150 sessions (0.67 %); up to 1 is usual.")


@pytest.mark.parametrize("has_uncovered_mx", [False, True])
@pytest.mark.parametrize("starttls", ["not-checked", "valid", "invalid"])
@pytest.mark.parametrize(
    "first_day", [None, UNTIL - timedelta(days=19), UNTIL - timedelta(days=20)]
)
@pytest.mark.parametrize(
    ("sessions", "failed"),
    [(0, (0, 0)), (49, (0, 0)), (50, (0, 0)), (970, (4, 0)), (4000, (4, 4)), (4000, (0, 5))],
)
def test_the_stage_and_the_conditions_agree(
    has_uncovered_mx, starttls, first_day, sessions, failed
):
    published = Published(**TESTING | {"has_uncovered_mx": has_uncovered_mx, "starttls": starttls})
    seen = Evidence(
        sessions=sessions, failed=UnderEnforce(*failed), reporters=1, first_day=first_day
    )

    is_ready = find_stage(published, seen, UNTIL) is Stage.READY

    assert is_ready == all(one.is_met for one in find_conditions(published, seen, UNTIL))


def condition(title, published=None, seen=None):
    found = find_conditions(
        Published(**TESTING | (published or {})), Evidence(**(seen or {})), UNTIL
    )
    return next(one for one in found if one.title == title)


@pytest.mark.parametrize(
    ("starttls", "seen", "is_met", "state"),
    [
        ("not-checked", {}, False, "Not seen from here, and no report tells of them."),
        ("not-checked", CLEAN, True, "Not seen from here; the reports tell."),
        ("unknown", {}, False, "Not seen from here, and no report tells of them."),
        ("valid", {}, True, "Each host offers STARTTLS with a certificate that senders accept."),
        ("invalid", CLEAN, False, "A host lacks STARTTLS, or its certificate is one that"),
    ],
)
def test_certificates_that_nobody_has_seen_are_not_known_to_be_good(starttls, seen, is_met, state):
    found = condition("Certificates of the MX hosts", {"starttls": starttls}, seen)

    assert found.is_met == is_met
    assert state in words(found)


def test_a_policy_that_is_not_there_is_not_read():
    found = condition("Senders can read the policy", {"mta_sts": "missing", "sts_mode": ""}, CLEAN)

    assert (found.is_met, words(found)) == (False, "There is no policy that senders use.")


def test_a_broken_policy_is_to_be_mended_not_published_anew():
    found = condition("The policy is in testing", {"mta_sts": "invalid", "sts_mode": "enforce"})

    assert words(found) == "Senders cannot use what is published: mend that first."
