"""What the envelope of a report says about it: headers and file names, never authenticated."""

from __future__ import annotations

import re

import msgspec

# RFC 8460 section 5.1: sender "!" policy-domain "!" begin "!" end [ "!" unique-id ] "." ext
_FILE_NAME = re.compile(
    r"(?P<submitter>[^!/\\]+)!(?P<domain>[^!]+)!(?P<begin>\d{1,12})!(?P<end>\d{1,12})(?:[!.].*)?"
)
# RFC 8460 section 5.3: "Report Domain: D Submitter: S Report-ID: <id>", folded anywhere.
# Microsoft leaves out the angle brackets, Mail.ru folds inside "Report Domain".
_SUBJECT = re.compile(
    r"report\s+domain:\s*(?P<domain>\S+)(?:\s+submitter:\s*(?P<submitter>\S+))?", re.IGNORECASE
)
_EXTENSIONS = {"gz": "gzip", "zip": "zip", "json": "json"}


class Hints(msgspec.Struct, frozen=True, kw_only=True):
    """Unauthenticated statements about a report; the body is right where they differ (5.6)."""

    policy_domains: tuple[str, ...] = ()  # best first: header, subject, file name
    submitters: tuple[str, ...] = ()  # best first: header, file name, subject, From
    recipients: tuple[str, ...] = ()  # domains the mail was addressed to
    is_mail: bool = False

    @property
    def policy_domain(self) -> str:
        """Give the domain the envelope names, empty when none."""
        return self.policy_domains[0] if self.policy_domains else ""

    @property
    def submitter(self) -> str:
        """Give the sender the envelope names, empty when none."""
        return self.submitters[0] if self.submitters else ""


def parse_file_name(name: str) -> tuple[str, str]:
    """Read (submitter, policy domain) from a report's file name; empty texts when it has none."""
    match = _FILE_NAME.fullmatch(name.strip())
    if match is None:
        return "", ""
    return match["submitter"].strip().lower(), match["domain"].strip().lower()


def label_of_name(name: str) -> str:
    """Give what a file name says the file is: "gzip", "zip", "json" or nothing."""
    return _EXTENSIONS.get(name.strip().lower().rpartition(".")[2], "")


def parse_subject(subject: str) -> tuple[str, str]:
    """Read (submitter, policy domain) from an unfolded subject; empty texts when it has none."""
    match = _SUBJECT.search(subject)
    if match is None:
        return "", ""
    return (match["submitter"] or "").lower(), match["domain"].lower()
