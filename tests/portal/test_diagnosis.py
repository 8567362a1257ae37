from datetime import date

import pytest

from tlsrpt_portal.pages.diagnosis import Failing, Situation, diagnose
from webui.status import Tone

TODAY = date(2026, 11, 22)
WELL = {
    "tlsrpt": "valid",
    "mta_sts": "valid",
    "sts_mode": "enforce",
    "sessions": 5000,
    "last_report_on": date(2026, 11, 20),
    "today": TODAY,
}


def sentence(**facts):
    found = diagnose(Situation(**WELL | facts))
    return found.tone, found.what.replace("\xa0", " ")


UNTIL = date(2026, 12, 28)


@pytest.mark.parametrize(
    ("facts", "tone", "words"),
    [
        (
            {"expiring": "The certificate of mta-sts.a.example expires in less than a day"},
            Tone.WARN,
            "expires in less than a day. After that senders cannot read the policy.",
        ),
        (
            {"expiring": "The certificate of mx.a.example expires in 1 day"}
            | {"is_expiring_at_mx": True},
            Tone.WARN,
            "expires in 1 day. After that senders refuse to deliver there.",
        ),
        (
            {"uncovered_mx": tuple(f"mx{n}.a.example" for n in range(5))},
            Tone.BAD,
            "does not cover mx0.a.example, mx1.a.example, mx2.a.example and 2 more: senders",
        ),
        (
            {"tlsrpt": "missing", "mta_sts": "missing", "tlsrpt_excepted_until": UNTIL}
            | {"last_report_on": None},
            Tone.INFO,
            "it has no TLSRPT record. That is excepted until 28 Dec 2026.",
        ),
        (
            {"mta_sts": "missing", "dane": "missing", "sts_excepted_until": UNTIL},
            Tone.INFO,
            "senders may deliver in clear. That is excepted until 28 Dec 2026.",
        ),
        (
            {"sts_mode": "testing", "sts_excepted_until": UNTIL},
            Tone.OK,
            "ready for enforce. It may stay in testing until 28 Dec 2026.",
        ),
        (
            {"tlsrpt": "missing"},
            Tone.WARN,
            "This domain has no TLSRPT record, so senders are about to stop reporting.",
        ),
        (
            {"tlsrpt": "invalid"},
            Tone.BAD,
            "The TLSRPT record is broken, so senders are about to stop reporting.",
        ),
        ({}, Tone.OK, "All is well: MTA-STS enforces, and 5,000 sessions"),
        (
            {"tlsrpt": "unknown"},
            Tone.INFO,
            "Whether senders are asked for reports could not be found out",
        ),
        ({"is_active": False}, Tone.NONE, "paused"),
        ({"is_checked": False}, Tone.NONE, "first check"),
        ({"takes_mail": False, "tlsrpt": "missing"}, Tone.OK, "takes no mail"),
        (
            {
                "refused": Failing(
                    sessions=600,
                    cause="Certificate expired",
                    mx="mx1.hoster.example",
                    since=date(2026, 11, 18),
                ),
                "unread": Failing(sessions=7, cause="MTA-STS policy not fetched"),
            },
            Tone.BAD,
            (
                "Mail is being refused: 12.0 % of sessions failed in the last 7 days under enforce "
                "since 18 Nov 2026: certificate expired at mx1.hoster.example. For 7 more sessions "
                "the policy could not be read: not refused, but unprotected."
            ),
        ),
        (
            {
                "refused": Failing(sessions=600, cause="STARTTLS not offered"),
                "sts_mode": "testing",
            },
            Tone.WARN,
            (
                "12.0 % of sessions failed in the last 7 days, mostly STARTTLS not offered. Mail "
                "still arrives, because the policy is in testing: enforce would have refused it."
            ),
        ),
        (
            {
                "refused": Failing(sessions=40, cause="STARTTLS not offered"),
                "unread": Failing(sessions=30),
                "sts_mode": "testing",
            },
            Tone.WARN,
            "enforce would have refused 40 of them. For 30 more sessions the policy could not be",
        ),
        (
            {"refused": Failing(sessions=40), "unread": Failing(sessions=30)},
            Tone.WARN,
            "Under enforce 40 of them were refused. For 30 more sessions",
        ),
        (
            {
                "under_dane": Failing(sessions=600, cause="No TLSA record matches", since=TODAY),
                "sts_mode": "testing",
            },
            Tone.BAD,
            (
                "Mail is being held back: 12.0 % of sessions failed in the last 7 days under DANE "
                "since 22 Nov 2026: no TLSA record matches."
            ),
        ),
        (
            {
                "unread": Failing(
                    sessions=600,
                    cause="MTA-STS policy not fetched",
                    since=date(2026, 11, 18),
                )
            },
            Tone.BAD,
            (
                "For 12.0 % of sessions in the last 7 days senders could not read the policy since "
                "18 Nov 2026: MTA-STS policy not fetched. Those that hold an earlier one keep to "
                "it; others deliver as if there were none: not refused, but unprotected."
            ),
        ),
        (
            {
                "refused": Failing(sessions=600, since=date(2026, 8, 24), is_longer=True),
            },
            Tone.BAD,
            "under enforce since 24 Aug 2026 or earlier.",
        ),
        ({"uncovered_mx": ("mx9.example",)}, Tone.BAD, "does not cover mx9.example"),
        ({"mta_sts": "invalid", "sts_mode": ""}, Tone.BAD, "senders cannot use it"),
        ({"tlsrpt": "invalid"}, Tone.BAD, "The TLSRPT record is broken"),
        ({"tlsrpt": "missing", "last_report_on": None}, Tone.WARN, "Nobody reports on this domain"),
        ({"no_policy_sessions": 4000}, Tone.WARN, "no policy was found"),
        (
            {"finding_codes": frozenset({"tlsrpt.rua.ours-missing"}), "last_report_on": None},
            Tone.WARN,
            "do not come to this portal",
        ),
        (
            {"policy_unknown_to": ("Comcast",)},
            Tone.WARN,
            "Comcast applies a policy that no check has seen",
        ),
        (
            {"policy_outdated_at": ("Comcast", "GMX")},
            Tone.WARN,
            "Comcast and GMX apply a policy that was replaced longer ago than its max_age",
        ),
        (
            {"gone_reporters": ("Yahoo Inc.",)},
            Tone.WARN,
            "Yahoo Inc., regular until then, has stopped reporting",
        ),
        ({"last_report_on": None, "sessions": 0}, Tone.INFO, "no report has arrived yet"),
        (
            {"last_report_on": date(2026, 11, 10)},
            Tone.WARN,
            "none has come for 12 days; the last covers 10 Nov 2026",
        ),
        (
            {"mta_sts": "missing", "sts_mode": "", "dane": "missing"},
            Tone.INFO,
            "neither MTA-STS nor DANE",
        ),
        (
            {"mta_sts": "missing", "sts_mode": "", "dane": "unknown"},
            Tone.INFO,
            "MTA-STS does not protect this domain; whether DANE does could not be found out.",
        ),
        (
            {"sts_mode": "none", "dane": "missing"},
            Tone.INFO,
            "the MTA-STS policy is in mode none and protects nothing, nor does DANE",
        ),
        (
            {
                "host_error": "No TLSA record matches",
                "host_meaning": "Senders that use DANE hold the mail back.",
                "host_error_code": "dane.tlsa.mismatch",
            },
            Tone.BAD,
            "No TLSA record matches. Senders that use DANE hold the mail back.",
        ),
        (
            {
                "host_error": "The certificate of mx1 expired",
                "host_error_code": "starttls.cert.expired",
                "sts_mode": "testing",
            },
            Tone.WARN,
            "The certificate of mx1 expired.",
        ),
        (
            {"host_error": "mx1 expired", "host_error_code": "starttls.cert.expired"},
            Tone.BAD,
            "mx1 expired.",
        ),
        (
            {"refused": Failing(sessions=600, cause="Certificate expired")},
            Tone.WARN,
            (
                "Mail was refused: 12.0 % of sessions failed in the last 7 days under enforce: "
                "certificate expired. On the newest day nearly all were fine again."
            ),
        ),
        (
            {
                "refused": Failing(sessions=600),
                "sts_mode": "",
                "mta_sts": "missing",
                "dane": "valid",
            },
            Tone.WARN,
            "12.0 % of sessions failed in the last 7 days. Senders that use DANE hold such mail",
        ),
        ({"mta_sts": "missing", "sts_mode": "", "dane": "valid"}, Tone.OK, "DANE protects it"),
        (
            {"sts_mode": "testing", "before_enforce": ("Nothing is known yet.",)},
            Tone.INFO,
            "The policy is in testing",
        ),
        ({"sts_mode": "testing"}, Tone.OK, "ready for enforce"),
        ({"mta_sts": "unknown", "sts_mode": ""}, Tone.NONE, "could not find out"),
    ],
)
def test_the_sentence_names_the_worst_thing(facts, tone, words):
    found_tone, found = sentence(**facts)

    assert words in found
    assert found_tone == tone


def test_a_few_failures_among_many_sessions_are_no_alarm():
    assert sentence(refused=Failing(sessions=20))[0] == Tone.OK


def test_refused_mail_comes_before_a_missing_record():
    tone, words = sentence(refused=Failing(sessions=600, since=TODAY), tlsrpt="missing")

    assert tone == Tone.BAD
    assert "refused" in words


def test_a_report_that_came_lately_outweighs_a_record_that_names_others():
    found = sentence(finding_codes=frozenset({"tlsrpt.rua.ours-missing"}))

    assert found[0] == Tone.OK


def test_a_policy_that_is_still_held_is_named_beside_the_remedy():
    found = diagnose(
        Situation(
            **WELL
            | {
                "refused": Failing(sessions=600, remedy="Renew it."),
                "policy_earlier_at": ("Google Inc.",),
            }
        )
    )

    assert found.then == (
        "Renew it. Google Inc. applies the policy from before still, as its max_age allows."
    )
