"""What the states of a domain look like: tone, word and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from domains.lacks import EXPIRING_DAYS, Lack, excused_by
from domains.models import CoverageException, Posture, Status, StsMode
from webui.status import Sign, Tone
from webui.wording import day, plural

NEVER_CHECKED = Sign(Tone.NONE, "Not checked yet", "clock", "The first check has not ended yet.")

_TLSRPT = {
    Status.VALID: Sign(Tone.OK, "Valid", "", "Senders know where to report to."),
    Status.MISSING: Sign(Tone.WARN, "Missing", "dash", "No TLSRPT record: nobody reports."),
    Status.INVALID: Sign(Tone.BAD, "Invalid", "", "A record stands there that senders ignore."),
    Status.UNKNOWN: Sign(Tone.NONE, "Unknown", "question", "It could not be found out."),
    Status.NOT_CHECKED: Sign(Tone.NONE, "Not checked", "question"),
}
_STS_MODE = {
    StsMode.ENFORCE: Sign(Tone.OK, "Enforce", "shield", "Senders refuse unprotected delivery."),
    StsMode.TESTING: Sign(
        Tone.INFO, "Testing", "spark", "Senders report failures and deliver all the same."
    ),
    StsMode.NONE: Sign(Tone.NONE, "Mode none", "dash", "The policy says: no policy."),
}
_STS = {
    Status.VALID: Sign(Tone.OK, "Valid"),
    Status.MISSING: Sign(Tone.WARN, "Missing", "dash", "Nothing asks senders for verified TLS."),
    Status.INVALID: Sign(Tone.BAD, "Invalid", "", "Senders ignore the record or the policy."),
    Status.UNKNOWN: Sign(Tone.NONE, "Unknown", "question", "It could not be found out."),
    Status.NOT_CHECKED: Sign(Tone.NONE, "Not checked", "question"),
}
_MX = {
    Status.VALID: Sign(Tone.OK, "Valid"),
    Status.NULL_MX: Sign(Tone.NONE, "No mail", "dash", "A null MX: the domain takes no mail."),
    Status.MISSING: Sign(Tone.WARN, "Missing", "dash", "No MX record."),
    Status.INVALID: Sign(Tone.BAD, "Invalid"),
    Status.UNKNOWN: Sign(Tone.NONE, "Unknown", "question", "It could not be found out."),
    Status.NOT_CHECKED: Sign(Tone.NONE, "Not checked", "question"),
}
_DANE = {
    Status.VALID: Sign(Tone.OK, "Valid", "lock", "TLSA records, signed with DNSSEC."),
    Status.MISSING: Sign(Tone.NONE, "None", "dash", "No usable TLSA records: DANE is not used."),
    Status.INVALID: Sign(Tone.BAD, "Invalid", "", "TLSA records that senders cannot satisfy."),
    Status.UNKNOWN: Sign(Tone.NONE, "Unknown", "question", "It could not be found out."),
    Status.NOT_CHECKED: Sign(
        Tone.NONE, "Not checked", "question", "No host takes its mail, so there is none to look at."
    ),
}
_STARTTLS = {
    Status.VALID: Sign(Tone.OK, "Valid", "lock", "Every MX offers TLS with a good certificate."),
    Status.MISSING: Sign(Tone.BAD, "Not offered", "", "An MX does not offer STARTTLS."),
    Status.INVALID: Sign(Tone.BAD, "Invalid", "", "An MX fails in TLS."),
    Status.UNKNOWN: Sign(Tone.NONE, "Unknown", "question", "It could not be found out."),
    Status.NOT_CHECKED: Sign(
        Tone.NONE,
        "Not checked",
        "question",
        "Connecting to port 25 is switched off here, or no host takes its mail.",
    ),
}

_OF_DAY: dict[str, Mapping[Any, Sign]] = {
    "tlsrpt": _TLSRPT,
    "sts": {**_STS, **_STS_MODE},
    "dane": _DANE,
}


def tlsrpt_sign(posture: Posture | None) -> Sign:
    """Give the state of the TLSRPT record."""
    return _TLSRPT[Status(posture.tlsrpt)] if posture else NEVER_CHECKED


def mta_sts_sign(posture: Posture | None) -> Sign:
    """Give the state of MTA-STS: the mode where there is a usable policy."""
    if posture is None:
        return NEVER_CHECKED
    if posture.mta_sts == Status.VALID and posture.sts_mode:
        return _STS_MODE[StsMode(posture.sts_mode)]
    return _STS[Status(posture.mta_sts)]


def sign_of_day(aspect: str, value: str) -> Sign:
    """Give a state of `tlsrpt`, `sts` or `dane` as the coverage of a day has it."""
    return _OF_DAY[aspect].get(value, _TLSRPT[Status.UNKNOWN])


def mx_sign(posture: Posture | None) -> Sign:
    """Give the state of the MX set."""
    return _MX[Status(posture.mx)] if posture else NEVER_CHECKED


def dane_sign(posture: Posture | None) -> Sign:
    """Give the state of DANE."""
    return _DANE[Status(posture.dane)] if posture else NEVER_CHECKED


def starttls_sign(posture: Posture | None) -> Sign:
    """Give the state of STARTTLS at the MXs."""
    return _STARTTLS[Status(posture.starttls)] if posture else NEVER_CHECKED


def status_of_starttls(status: str) -> Sign:
    """Give the state of STARTTLS at one host."""
    return _STARTTLS[Status(status)]


def excepted_sign(exception: CoverageException) -> Sign:
    """Give the mark beside a state that an exception excuses; the state itself stays."""
    lack = Lack(exception.lack)
    return Sign(
        Tone.NONE,
        "Excepted",
        "waiver",
        f"The domain {lack.meaning} until {day(exception.expires_on)}: {exception.reason}",
    )


def excuse_of(
    aspect: str, posture: Posture | None, held: Mapping[Lack, CoverageException]
) -> CoverageException | None:
    """Find which of a domain's running exceptions excuses its present state of an aspect."""
    if posture is None or not held:
        return None
    if aspect == "mta_sts":
        is_usable = posture.mta_sts == Status.VALID
        excusing = excused_by("sts", posture.sts_mode if is_usable else posture.mta_sts)
    else:
        excusing = excused_by(aspect, getattr(posture, aspect))
    return next((one for lack, one in held.items() if lack in excusing), None)


def exception_sign(exception: CoverageException, today: date) -> Sign:
    """Give whether an exception runs, ends soon or is over."""
    if exception.is_renewed:
        return Sign(Tone.NONE, "Renewed", "arrow-right", "A later approval took its place.")
    if exception.ended_on is not None:
        return Sign(Tone.NONE, "Ended", "dash", "Ended before its time.")
    left = (exception.expires_on - today).days
    if left < 0 and exception.lacks:
        return Sign(Tone.BAD, "Expired, still lacking", "", "Nobody excuses the lack any more.")
    if left < 0:
        return Sign(Tone.NONE, "Expired", "dash")
    if left <= EXPIRING_DAYS:
        return Sign(Tone.WARN, "Last day" if left == 0 else f"{plural(left, 'day')} left", "clock")
    return Sign(Tone.INFO, "Running", "waiver")


def state_of_lack(exception: CoverageException) -> Sign:
    """Give the present state of what an exception is about; its domain came with its posture."""
    posture = exception.domain.last_posture
    sign = {Lack.TLSRPT: tlsrpt_sign, Lack.DANE: dane_sign}.get(Lack(exception.lack), mta_sts_sign)
    return sign(posture)
