"""Where a domain stands on its way to enforce, and what is still to be seen before it; pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from domains.models import Posture, Status, StsMode
from reports.queries import Totals
from reports.under_enforce import NOTHING_FAILED, UnderEnforce
from tlsrpt_portal.pages.diagnosis import NOTABLE_RATE
from webui.wording import day, failure_rate, number, plural

# The evidence for enforce: the last month, so that all kinds of senders have been there.
EVIDENCE_DAYS = 30
# Reports must reach back at least so far: less is one week's senders.
LEAST_DAYS = 21
# Fewer sessions than this prove little about what enforce would do.
ENOUGH_SESSIONS = 50
# So much is clean, since single broken senders are always there: this share of the sessions, or a
# handful where the sessions are few.
CLEAN_RATE = 0.001
HANDFUL = 3


class Stage(StrEnum):
    """A stage of the roll-out, in its order."""

    DARK = "dark"
    REPORTING = "reporting"
    TESTING = "testing"
    READY = "ready"
    ENFORCE = "enforce"


class Published(NamedTuple):
    """What a domain publishes, as far as the roll-out is concerned; named as in its posture."""

    tlsrpt: str
    mta_sts: str
    sts_mode: str
    has_uncovered_mx: bool
    starttls: str

    @property
    def has_policy(self) -> bool:
        """Say whether senders use its policy."""
        return self.mta_sts == Status.VALID


def published_by(posture: Posture) -> Published:
    """Give what the last checks saw of a domain."""
    return Published(
        tlsrpt=posture.tlsrpt,
        mta_sts=posture.mta_sts,
        sts_mode=posture.sts_mode,
        has_uncovered_mx=posture.has_uncovered_mx,
        starttls=posture.starttls,
    )


class Evidence(NamedTuple):
    """What reports say of a domain over EVIDENCE_DAYS."""

    sessions: int = 0
    failed: UnderEnforce = NOTHING_FAILED
    reporters: int = 0
    first_day: date | None = None


def evidence_of(seen: Totals) -> Evidence:
    """Give the evidence from the figures of a domain."""
    return Evidence(seen.sessions, seen.failed, seen.reporters, seen.first_day)


class Condition(NamedTuple):
    """One thing that enforce waits for."""

    is_met: bool
    title: str
    words: Callable[[], str]

    @property
    def state(self) -> str:
        """Say how far it is; put into words only where it is read."""
        return self.words()


def find_stage(published: Published, seen: Evidence, until: date) -> Stage:
    """Give where a domain stands; `seen` are the EVIDENCE_DAYS that end with `until`."""
    if published.has_policy and published.sts_mode == StsMode.ENFORCE:
        return Stage.ENFORCE
    if published.tlsrpt != Status.VALID:
        return Stage.DARK
    if not published.has_policy or published.sts_mode != StsMode.TESTING:
        return Stage.REPORTING
    # As find_conditions has it, and without its words: asked of each domain of a fleet.
    is_well = not published.has_uncovered_mx and published.starttls != Status.INVALID
    is_told = _has_enough(seen) and _is_long(seen, until)
    is_ready = is_well and is_told and _is_readable(seen) and _is_clean(seen)
    return Stage.READY if is_ready else Stage.TESTING


def find_conditions(published: Published, seen: Evidence, until: date) -> list[Condition]:
    """Give what must be so before enforce is safe, and how far it is."""
    is_testing = published.has_policy and published.sts_mode == StsMode.TESTING
    return [
        Condition(
            is_met=published.tlsrpt == Status.VALID,
            title="Senders report",
            words=lambda: _asked(published.tlsrpt),
        ),
        Condition(
            is_met=is_testing,
            title="The policy is in testing",
            words=lambda: (
                "Senders try it and deliver all the same."
                if is_testing
                else _not_in_testing(published)
            ),
        ),
        Condition(
            is_met=is_testing and not published.has_uncovered_mx,
            title="It covers every MX host",
            words=lambda: _cover(published),
        ),
        Condition(
            is_met=_are_certificates_good(published.starttls, seen),
            title="Certificates of the MX hosts",
            words=lambda: _certificates(published.starttls, seen),
        ),
        Condition(
            is_met=_has_enough(seen) and _is_long(seen, until),
            title=f"Reports of at least {LEAST_DAYS // 7} weeks",
            words=lambda: _evidence(seen, until),
        ),
        Condition(
            is_met=published.has_policy and _is_readable(seen),
            title="Senders can read the policy",
            words=lambda: _unread(published, seen),
        ),
        Condition(
            is_met=_is_clean(seen),
            title="Nothing worth the name would be refused",
            words=lambda: _refused(seen),
        ),
    ]


def _asked(tlsrpt: str) -> str:
    if tlsrpt == Status.VALID:
        return "The TLSRPT record asks for reports."
    if tlsrpt == Status.UNKNOWN:
        return "Whether a TLSRPT record asks for reports could not be found out."
    return "No TLSRPT record that senders use: what enforce refuses would stay unseen."


def _cover(published: Published) -> str:
    if not published.has_policy:
        return "There is no policy that senders use."
    if published.sts_mode == StsMode.NONE:
        return "The policy is in mode none, which names no host."
    if published.has_uncovered_mx:
        return "An MX host is named by no mx line: enforce would refuse its mail."
    return "Each MX host is named by an mx line."


def _not_in_testing(published: Published) -> str:
    if published.mta_sts == Status.INVALID:
        return "Senders cannot use what is published: mend that first."
    return "Publish it in testing first."


def _are_certificates_good(starttls: str, seen: Evidence) -> bool:
    # Where port 25 is not looked at from here, reports tell of certificates that senders refuse.
    return starttls == Status.VALID or (starttls != Status.INVALID and seen.sessions > 0)


def _certificates(starttls: str, seen: Evidence) -> str:
    if starttls == Status.VALID:
        return "Each host offers STARTTLS with a certificate that senders accept."
    if starttls == Status.INVALID:
        return "A host lacks STARTTLS, or its certificate is one that senders refuse."
    if seen.sessions:
        return "Not seen from here; the reports tell."
    return "Not seen from here, and no report tells of them."


def _has_enough(seen: Evidence) -> bool:
    return seen.sessions >= ENOUGH_SESSIONS


def _is_clean(seen: Evidence) -> bool:
    return seen.sessions > 0 and seen.failed.refused <= clean_failures(seen.sessions)


def _is_readable(seen: Evidence) -> bool:
    # Enforce refuses none of these. But who holds an old policy keeps to it for its max_age, and
    # no correction reaches who cannot read the new one.
    return seen.sessions > 0 and seen.failed.unread <= clean_failures(seen.sessions)


def _is_long(seen: Evidence, until: date) -> bool:
    return seen.first_day is not None and seen.first_day <= until - timedelta(days=LEAST_DAYS - 1)


def _evidence(seen: Evidence, until: date) -> str:
    if seen.first_day is None:
        return f"None in the last {EVIDENCE_DAYS} days."
    words = (
        f"{plural(seen.sessions, 'session')} by {plural(seen.reporters, 'reporter')} "
        f"since {day(seen.first_day)}"
    )
    if not _has_enough(seen):
        return f"{words}: too few to tell, {ENOUGH_SESSIONS} are enough."
    if not _is_long(seen, until):
        ready_on = seen.first_day + timedelta(days=LEAST_DAYS)
        return f"{words}: long enough on {day(ready_on)}."
    return f"{words}."


def clean_failures(sessions: int) -> int:
    """Give how many failed sessions of so many are what single broken senders cause."""
    return max(int(sessions * CLEAN_RATE), min(HANDFUL, int(sessions * NOTABLE_RATE)))


def _refused(seen: Evidence) -> str:
    if not seen.sessions:
        return "Nothing is known yet."
    held = seen.failed.under_dane
    dane = f" {_under_dane(held)}" if held else ""
    return f"Enforce would have refused {_of_usual(seen.failed.refused, seen.sessions)}{dane}"


def _under_dane(sessions: int) -> str:
    return f"Another {plural(sessions, 'session')} failed under DANE, whatever the mode."


def _unread(published: Published, seen: Evidence) -> str:
    if not published.has_policy:
        return "There is no policy that senders use."
    if not seen.sessions:
        return "Nothing is known yet."
    if not seen.failed.unread:
        return "No sender says that it could not."
    words = _of_usual(seen.failed.unread, seen.sessions)
    return f"It could not be read for {words} They are not refused, but unprotected."


def _of_usual(failed: int, sessions: int) -> str:
    """Give failed of all sessions, and how many of them mean nothing, as the end of a sentence."""
    words = f"{number(failed)} of {plural(sessions, 'session')} ({failure_rate(failed, sessions)})"
    if not failed:
        return f"{words}."
    allowed = clean_failures(sessions)
    usual = f"up to {plural(allowed, 'is', 'are')}" if allowed else "none of so few is"
    return f"{words}; {usual} usual."
