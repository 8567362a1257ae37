"""The verdict on a domain as values: five aspects, each with a status and findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from mailtls.findings import Finding
from mailtls.sts_policy import StsPolicy


class Status(StrEnum):
    """How one aspect of a domain stands."""

    VALID = "valid"  # a conforming sender uses it
    MISSING = "missing"
    INVALID = "invalid"  # it is there, and a conforming sender ignores it
    UNKNOWN = "unknown"  # it could not be found out
    NOT_CHECKED = "not-checked"
    NULL_MX = "null-mx"  # the domain says that it takes no mail (RFC 7505)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """A status and what there is to say about it."""

    status: Status
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {"status": self.status.value, "findings": [f.as_dict() for f in self.findings]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsrptAspect(Aspect):
    """Where the domain asks for reports."""

    record: str | None = None
    rua: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "status": self.status.value,
            "record": self.record,
            "rua": list(self.rua),
            "findings": [f.as_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MtaStsAspect(Aspect):
    """The record and the policy; `policy_sha256` is that of the file as served."""

    record: str | None = None
    id: str | None = None
    policy: StsPolicy | None = None
    policy_sha256: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "status": self.status.value,
            "record": self.record,
            "id": self.id,
            "policy": self.policy.as_dict() if self.policy else None,
            "findings": [f.as_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MxHostVerdict:
    """One MX host; `covered` is None where there is no usable policy to cover it."""

    name: str
    preference: int
    covered: bool | None = None

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {"name": self.name, "preference": self.preference, "covered": self.covered}


@dataclass(frozen=True, slots=True, kw_only=True)
class MxAspect(Aspect):
    """The hosts that take the mail, by preference."""

    hosts: tuple[MxHostVerdict, ...] = ()
    provider: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "status": self.status.value,
            "hosts": [host.as_dict() for host in self.hosts],
            "findings": [f.as_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DaneHostVerdict:
    """How DANE stands for one MX host; `records` are in the presentation form `3 1 1 …`."""

    name: str
    status: Status
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DaneAspect(Aspect):
    """TLSA records of the MX hosts and, where port 25 was visited, whether they match."""

    hosts: tuple[DaneHostVerdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StarttlsHostVerdict:
    """What one MX host offers on port 25."""

    name: str
    status: Status
    tls_version: str | None = None
    is_trusted: bool | None = None
    is_name_valid: bool | None = None
    not_after: datetime | None = None
    dns_names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "name": self.name,
            "status": self.status.value,
            "tls_version": self.tls_version,
            "trusted": self.is_trusted,
            "name_valid": self.is_name_valid,
            "not_after": format_time(self.not_after) if self.not_after else None,
            "dns_names": list(self.dns_names),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StarttlsAspect(Aspect):
    """STARTTLS of the MX hosts."""

    hosts: tuple[StarttlsHostVerdict, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "status": self.status.value,
            "hosts": [host.as_dict() for host in self.hosts],
            "findings": [f.as_dict() for f in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the owner of the portal expects of a domain; `our_rua` are the URIs that reach us."""

    our_rua: tuple[str, ...] = field(default=())


def format_time(moment: datetime) -> str:
    """Give a time as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
