"""What a domain may lack, and which states an exception from it excuses; pure."""

from __future__ import annotations

from django.db.models import TextChoices

# An exception that ends within so many days is told of.
EXPIRING_DAYS = 30


class Lack(TextChoices):
    """What a domain can be excepted from.

    Not to enforce yet is less than to have no policy at all: the two are granted apart.
    """

    TLSRPT = "tlsrpt", "TLS-RPT"
    MTA_STS = "mta-sts", "MTA-STS"
    ENFORCE = "enforce", "MTA-STS enforce"
    DANE = "dane", "DANE"

    @property
    def meaning(self) -> str:
        """Give what a domain with this exception may do."""
        return _MEANINGS[self]


_MEANINGS = {
    Lack.TLSRPT: "may have no TLSRPT record",
    Lack.MTA_STS: "may have no MTA-STS policy, not even in testing",
    Lack.ENFORCE: "may stay in testing",
    Lack.DANE: "may have no TLSA records",
}

# Aspect and value as the coverage counts them → the exceptions that excuse them. What is published
# and broken is a fault to mend, whatever was granted: it is in no row.
_EXCUSED_BY: dict[tuple[str, str], frozenset[Lack]] = {
    ("tlsrpt", "missing"): frozenset({Lack.TLSRPT}),
    ("sts", "missing"): frozenset({Lack.MTA_STS}),
    ("sts", "none"): frozenset({Lack.MTA_STS}),
    ("sts", "testing"): frozenset({Lack.ENFORCE, Lack.MTA_STS}),
    ("dane", "missing"): frozenset({Lack.DANE}),
}


def excused_by(aspect: str, value: str) -> frozenset[Lack]:
    """Give the exceptions that excuse this state of `tlsrpt`, `sts` or `dane`."""
    return _EXCUSED_BY.get((aspect, value), frozenset())


def implied_by(lack: Lack) -> frozenset[Lack]:
    """Give the exceptions that allow this lack: itself, and the wider one."""
    return frozenset({lack, Lack.MTA_STS}) if lack is Lack.ENFORCE else frozenset({lack})
