"""One sentence on what is wrong with a domain and what to do, worst consequence first. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from webui.status import Tone
from webui.wording import day, failure_rate, number, plural, sentence_list

# Below this share of failed sessions a few broken senders explain them; above it we are the cause.
NOTABLE_RATE = 0.01
# Senders report once a day; after this many days without any, something is wrong.
SILENT_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Sessions of the last complete seven days that failed of one thing, and their main cause."""

    sessions: int = 0
    since: date | None = None  # the run of notable failures that lasts until now
    is_longer: bool = False  # it may have begun before that day
    cause: str = ""
    mx: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What inventory, checks and reports say of one domain; None: not known."""

    is_active: bool = True
    is_checked: bool = True
    takes_mail: bool = True
    tlsrpt: str = "unknown"
    mta_sts: str = "unknown"
    sts_mode: str = ""
    dane: str = "unknown"
    provider: str = ""
    uncovered_mx: tuple[str, ...] = ()
    finding_codes: frozenset[str] = frozenset()
    worst_finding: str = ""
    worst_remedy: str = ""
    # The worst error that checks found at MX hosts, in their DANE or behind their port 25.
    host_error: str = ""
    host_meaning: str = ""
    host_remedy: str = ""
    host_error_code: str = ""
    # The certificate that ends soon, in words: of the policy host, or of an MX host.
    expiring: str = ""
    expiring_remedy: str = ""
    is_expiring_at_mx: bool = False
    # Until when an exception allows what is lacking.
    tlsrpt_excepted_until: date | None = None
    sts_excepted_until: date | None = None
    # The last complete seven days.
    sessions: int = 0
    no_policy_sessions: int = 0
    # What failed of the way to the MX: refused under enforce; the policy could not be read: not
    # refused, but unprotected; what senders hold back under DANE, in whatever mode.
    refused: Failing = field(default_factory=Failing)
    unread: Failing = field(default_factory=Failing)
    under_dane: Failing = field(default_factory=Failing)
    last_report_on: date | None = None
    today: date = field(default_factory=lambda: date(1970, 1, 1))
    # Reporters by what they apply: a policy no check has seen; one replaced longer ago than its
    # max_age; one replaced, within it.
    policy_unknown_to: tuple[str, ...] = ()
    policy_outdated_at: tuple[str, ...] = ()
    policy_earlier_at: tuple[str, ...] = ()
    gone_reporters: tuple[str, ...] = ()
    # What enforce still waits for; empty for a domain that is ready.
    before_enforce: tuple[str, ...] = ()

    @property
    def failed_sessions(self) -> int:
        """Give all that failed."""
        return self.refused.sessions + self.unread.sessions + self.under_dane.sessions

    @property
    def main(self) -> Failing:
        """Give what most sessions failed of."""
        kinds = (self.refused, self.unread, self.under_dane)
        return max(kinds, key=lambda kind: kind.sessions)

    def is_notable(self, failed: int) -> bool:
        """Say whether so many failed sessions are more than a few broken senders make."""
        return bool(self.sessions) and failed / self.sessions >= NOTABLE_RATE

    def share(self, failed: int) -> str:
        """Give failed sessions in per cent of all."""
        return failure_rate(failed, self.sessions)

    @property
    def is_enforced(self) -> bool:
        """Say whether senders must refuse what fails."""
        return self.mta_sts == "valid" and self.sts_mode == "enforce"

    @property
    def is_held_by_hosts(self) -> bool:
        """Say whether senders hold back mail for what is wrong at the MX hosts."""
        if not self.host_error:
            return False
        is_of_dane = self.host_error_code.startswith("dane.")
        return is_of_dane or self.is_enforced or self.host_error_code == "mx.domain-nxdomain"

    @property
    def is_told_of_lately(self) -> bool:
        """Say whether reports still come."""
        return self.silent_days is not None and self.silent_days < SILENT_DAYS

    @property
    def silent_days(self) -> int | None:
        """Give how many days ago the newest report's day lies, or None without any report."""
        return (self.today - self.last_report_on).days if self.last_report_on else None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The sentence, the next step, and how bad it is."""

    tone: Tone
    what: str
    then: str = ""


def diagnose(now: Situation) -> Diagnosis:
    """Give the worst thing there is to say, or that all is well."""
    for look in _LOOKS:
        if found := look(now):
            return found
    return _well(now)


def _paused(now: Situation) -> Diagnosis | None:
    if now.is_active:
        return None
    return Diagnosis(
        Tone.NONE,
        "This domain is paused.",
        "It is neither checked nor alerted on. Edit it to go on.",
    )


def _unchecked(now: Situation) -> Diagnosis | None:
    if now.is_checked:
        return None
    return Diagnosis(Tone.NONE, "The first check has not ended yet.", "It takes a minute at most.")


def _takes_no_mail(now: Situation) -> Diagnosis | None:
    if now.takes_mail:
        return None
    return Diagnosis(
        Tone.OK,
        "This domain takes no mail (null MX), so there is nothing to protect.",
        "Nothing to do.",
    )


def _refused(now: Situation) -> Diagnosis | None:
    for kind, done, how in _refusals(now):
        if kind.since is not None:
            return Diagnosis(
                Tone.BAD,
                f"Mail is being {done}: {now.share(kind.sessions)} of sessions failed in the last "
                f"7 days under {how}{_since(kind)}{_because(kind)}.{_also_unread(now)}",
                _with_old_policy(now, kind.remedy),
            )
    return None


def _was_refused(now: Situation) -> Diagnosis | None:
    for kind, done, how in _refusals(now):
        return Diagnosis(
            Tone.WARN,
            f"Mail was {done}: {now.share(kind.sessions)} of sessions failed in the last 7 days "
            f"under {how}{_because(kind)}. On the newest day nearly all were fine again."
            f"{_also_unread(now)}",
            _with_old_policy(now, kind.remedy),
        )
    return None


def _refusals(now: Situation) -> list[tuple[Failing, str, str]]:
    """Give what senders did not deliver, what became of it, and because of what."""
    kinds = [(now.under_dane, "held back", "DANE")]
    if now.is_enforced:
        kinds.insert(0, (now.refused, "refused", "enforce"))
    return [one for one in kinds if now.is_notable(one[0].sessions)]


def _since(kind: Failing) -> str:
    if kind.since is None:
        return ""
    return f" since {day(kind.since)}{' or earlier' if kind.is_longer else ''}"


def _because(kind: Failing) -> str:
    where = f" at {kind.mx}" if kind.mx else ""
    return f": {_lower(kind.cause)}{where}" if kind.cause else ""


def _also_unread(now: Situation) -> str:
    if not now.unread.sessions:
        return ""
    more = plural(now.unread.sessions, "more session")
    return f" For {more} the policy could not be read: not refused, but unprotected."


def _policy_unread(now: Situation) -> Diagnosis | None:
    # Who holds no policy delivers as if there were none (RFC 8461 section 3.3).
    unread = now.unread
    if not now.is_notable(unread.sessions):
        return None
    return Diagnosis(
        Tone.BAD if now.is_enforced and unread.since else Tone.WARN,
        f"For {now.share(unread.sessions)} of sessions in the last 7 days senders could not read "
        f"the policy{_since(unread)}{_because(unread)}. Those that hold an earlier one keep to it; "
        "others deliver as if there were none: not refused, but unprotected.",
        _with_old_policy(now, unread.remedy),
    )


def _about_to_refuse(now: Situation) -> Diagnosis | None:
    if not now.is_enforced or not now.uncovered_mx:
        return None
    names = sentence_list(list(now.uncovered_mx))
    hosts = "host" if len(now.uncovered_mx) == 1 else "hosts"
    return Diagnosis(
        Tone.BAD,
        f"The policy enforces, but does not cover {names}: senders refuse to deliver there.",
        f"Add the {hosts} to the policy's mx lines and change the id of the record, or take the "
        f"{hosts} out of the MX set.",
    )


def _held_by_hosts(now: Situation) -> Diagnosis | None:
    return _hosts_faulty(now) if now.is_held_by_hosts else None


def _hosts_faulty(now: Situation) -> Diagnosis | None:
    if not now.host_error:
        return None
    tone = Tone.BAD if now.is_held_by_hosts else Tone.WARN
    return Diagnosis(tone, f"{now.host_error}. {now.host_meaning}".strip(), now.host_remedy)


def _policy_broken(now: Situation) -> Diagnosis | None:
    if now.mta_sts != "invalid":
        return None
    detail = f" {now.worst_finding}." if now.worst_finding else ""
    return Diagnosis(
        Tone.BAD,
        "MTA-STS is published, but senders cannot use it: mail goes out unprotected, except from "
        f"those that still hold an earlier policy.{detail}",
        now.worst_remedy,
    )


def _record_broken(now: Situation) -> Diagnosis | None:
    if now.tlsrpt != "invalid":
        return None
    detail = f" {now.worst_finding}." if now.worst_finding else ""
    what = (
        "The TLSRPT record is broken, so senders are about to stop reporting."
        if now.is_told_of_lately
        else "The TLSRPT record is broken, so nobody reports: failures stay unseen."
    )
    return Diagnosis(Tone.BAD, f"{what}{detail}", now.worst_remedy)


def _certificate_ends(now: Situation) -> Diagnosis | None:
    if not now.expiring:
        return None
    if not now.is_expiring_at_mx:
        then = "After that senders cannot read the policy."
    elif now.is_enforced:
        then = "After that senders refuse to deliver there."
    else:
        then = "After that it is one that senders do not accept."
    return Diagnosis(Tone.WARN, f"{now.expiring}. {then}", now.expiring_remedy)


def _failing(now: Situation) -> Diagnosis | None:
    if not now.is_notable(now.failed_sessions):
        return None
    main = now.main
    where = f" at {main.mx}" if main.mx else ""
    cause = f", mostly {_lower(main.cause)}{where}" if main.cause else ""
    return Diagnosis(
        Tone.WARN,
        f"{now.share(now.failed_sessions)} of sessions failed in the last 7 days{cause}."
        f"{_outlook(now)}",
        _with_old_policy(now, main.remedy),
    )


def _outlook(now: Situation) -> str:
    """Say what became of the mail of failed sessions."""
    refused = number(now.refused.sessions)
    if now.is_enforced:
        return f" Under enforce {refused} of them were refused.{_also_unread(now)}"
    if now.dane == "valid":
        return " Senders that use DANE hold such mail back."
    if now.sts_mode == "testing" and now.mta_sts == "valid":
        arrives = (
            " Mail still arrives, because the policy is in testing: enforce would have refused"
        )
        if now.refused.sessions == now.failed_sessions:
            return f"{arrives} it."
        return f"{arrives} {refused} of them.{_also_unread(now)}"
    return " Mail may have gone out without protection."


def _no_policy_seen(now: Situation) -> Diagnosis | None:
    if now.mta_sts != "valid" or now.dane == "valid" or not now.sessions:
        return None
    if now.no_policy_sessions < now.sessions / 2:
        return None
    return Diagnosis(
        Tone.WARN,
        "The policy is live, yet reports say that no policy was found: senders do not see what "
        "we see.",
        "Look for an old record in another DNS view, and let the policy host answer from outside "
        "your network.",
    )


def _other_policy_seen(now: Situation) -> Diagnosis | None:
    if now.policy_unknown_to:
        return Diagnosis(
            Tone.WARN,
            f"{_apply(now.policy_unknown_to)} a policy that no check has seen: senders reach "
            "another web server than we do.",
            "Fetch the policy from outside your network, from several places: an old host behind "
            "a balancer, a CDN or a split DNS view may still serve another one.",
        )
    if now.policy_outdated_at:
        return Diagnosis(
            Tone.WARN,
            f"{_apply(now.policy_outdated_at)} a policy that was replaced longer ago than its "
            "max_age.",
            "See whether the record's id changed with the policy: without a new id senders keep "
            "what they hold.",
        )
    return None


def _apply(reporters: tuple[str, ...]) -> str:
    verb = "applies" if len(reporters) == 1 else "apply"
    return f"{sentence_list(list(reporters))} {verb}"


def _with_old_policy(now: Situation, remedy: str) -> str:
    if not now.policy_earlier_at:
        return remedy
    held = f"{_apply(now.policy_earlier_at)} the policy from before still, as its max_age allows."
    return f"{remedy} {held}".strip()


def _reporter_gone(now: Situation) -> Diagnosis | None:
    if now.tlsrpt != "valid" or not now.gone_reporters:
        return None
    verb = "has" if len(now.gone_reporters) == 1 else "have"
    return Diagnosis(
        Tone.WARN,
        f"{sentence_list(list(now.gone_reporters))}, regular until then, {verb} stopped reporting.",
        "Others still report. Look into the inbox for reports that could not be read, and whether "
        "the mail filter takes theirs; a sender may also have stopped for everybody.",
    )


def _reports_elsewhere(now: Situation) -> Diagnosis | None:
    if now.tlsrpt != "valid":
        return None
    if not now.finding_codes & {"tlsrpt.rua.ours-missing", "tlsrpt.rua.near-ours"}:
        return None
    if now.is_told_of_lately:
        return None
    return Diagnosis(
        Tone.WARN,
        "The TLSRPT record is fine, but its reports do not come to this portal.",
        "Put the portal's address first in the record's rua.",
    )


def _silent(now: Situation) -> Diagnosis | None:
    if now.tlsrpt != "valid":
        return None
    if now.silent_days is None:
        return Diagnosis(
            Tone.INFO,
            "The TLSRPT record is fine; no report has arrived yet.",
            "Reports cover a UTC day and come some hours after it ends. A domain that gets little "
            "mail from large providers may wait for days.",
        )
    if now.silent_days < SILENT_DAYS:
        return None
    assert now.last_report_on is not None
    return Diagnosis(
        Tone.WARN,
        f"The record asks for reports, but none has come for {plural(now.silent_days, 'day')}; "
        f"the last covers {day(now.last_report_on)}.",
        "See whether the mailbox is full or a filter takes the reports, and whether the domain "
        "still gets mail.",
    )


def _blind(now: Situation) -> Diagnosis | None:
    if now.tlsrpt != "missing":
        return None
    enforced = (
        " The policy enforces, so a mistake would refuse mail and nobody would tell you."
        if now.is_enforced
        else ""
    )
    what = (
        "This domain has no TLSRPT record, so senders are about to stop reporting."
        if now.is_told_of_lately
        else "Nobody reports on this domain, because it has no TLSRPT record."
    )
    excepted = _excepted("That is excepted", now.tlsrpt_excepted_until)
    return Diagnosis(
        Tone.INFO if excepted else Tone.WARN,
        f"{what}{enforced}{excepted}",
        "Publish the TLSRPT record first: it changes nothing in delivery.",
    )


def _excepted(what: str, until: date | None) -> str:
    """Say until when somebody has approved a lack; empty where nobody has."""
    return f" {what} until {day(until)}." if until else ""


def _unprotected(now: Situation) -> Diagnosis | None:
    is_switched_off = now.mta_sts == "valid" and now.sts_mode == "none"
    if now.dane == "valid" or now.tlsrpt != "valid":
        return None
    if now.mta_sts != "missing" and not is_switched_off:
        return None
    sts = (
        "the MTA-STS policy is in mode none and protects nothing"
        if is_switched_off
        else "MTA-STS does not protect this domain"
    )
    if now.dane in {"unknown", "not-checked"}:
        what = f"{sts}; whether DANE does could not be found out. Senders may deliver in clear."
    elif is_switched_off:
        what = f"{sts}, nor does DANE: senders may deliver in clear."
    else:
        what = "neither MTA-STS nor DANE protects this domain: senders may deliver in clear."
    return Diagnosis(
        Tone.INFO,
        f"Reports arrive, but {what}{_excepted('That is excepted', now.sts_excepted_until)}",
        "Set the policy's mode to testing and change the record's id, unless MTA-STS is to go "
        "away here."
        if is_switched_off
        else "Publish an MTA-STS policy in testing, and let reports tell for some weeks what "
        "enforce would refuse.",
    )


def _ready(now: Situation) -> Diagnosis | None:
    if now.mta_sts != "valid" or now.sts_mode != "testing":
        return None
    excepted = _excepted("It may stay in testing", now.sts_excepted_until)
    if not now.before_enforce:
        return Diagnosis(
            Tone.OK,
            "Next to nothing has failed in a month of testing: this domain is ready for enforce."
            f"{excepted}",
            "Set the policy's mode to enforce and change the record's id.",
        )
    return Diagnosis(
        Tone.INFO,
        "The policy is in testing: failures are reported, and mail is delivered all the same."
        f"{excepted}",
        f"Before enforce: {_lower(now.before_enforce[0])}",
    )


def _well(now: Situation) -> Diagnosis:
    if now.is_enforced or now.dane == "valid":
        how = "MTA-STS enforces" if now.is_enforced else "DANE protects it"
        if now.is_enforced and now.dane == "valid":
            how = "MTA-STS enforces, DANE protects as well"
        seen = (
            f", and {plural(now.sessions, 'session')} of the last 7 days had "
            f"{failure_rate(now.failed_sessions, now.sessions)} failures"
            if now.sessions
            else ""
        )
        if now.tlsrpt == "unknown":
            return Diagnosis(
                Tone.INFO,
                f"{how}{seen}. Whether senders are asked for reports could not be found out.",
                now.worst_remedy or "Check again; the last known state stands until then.",
            )
        return Diagnosis(Tone.OK, f"All is well: {how}{seen}.")
    return Diagnosis(
        Tone.NONE,
        "The last check could not find out how this domain stands.",
        now.worst_remedy or "Check again; the last known state stands until then.",
    )


def _lower(text: str) -> str:
    """Give a title as the middle of a sentence; abbreviations stay."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


_LOOKS: tuple[Callable[[Situation], Diagnosis | None], ...] = (
    _paused,
    _unchecked,
    _takes_no_mail,
    _refused,
    _about_to_refuse,
    _held_by_hosts,
    _policy_broken,
    _policy_unread,
    _was_refused,
    _failing,
    _hosts_faulty,
    _record_broken,
    _certificate_ends,
    _no_policy_seen,
    _other_policy_seen,
    _reports_elsewhere,
    _blind,
    _silent,
    _reporter_gone,
    _unprotected,
    _ready,
)
