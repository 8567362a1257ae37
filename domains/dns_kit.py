"""The exact DNS changes for many domains, in the forms that DNS is managed in. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from domains.operators import operator_of
from mailtls import sts_record, tlsrpt_record
from mailtls.rua import fold_destination
from webui.wording import day, sentence_list

# A character string of a TXT record holds at most 255 bytes (RFC 1035 section 3.3.14).
TXT_CHUNK = 255
# Long against removal by an attacker, short enough to correct a mistake within a morning.
TTL_S = 3600


class Form(StrEnum):
    """The forms a kit can be had in."""

    ZONE = "zone"
    CSV = "csv"
    TERRAFORM = "tf"


class PolicyHost(StrEnum):
    """What the last check found at the name of the policy host."""

    SEEN = "seen"  # an address, or nobody looked
    MISSING = "missing"  # no address
    DANGLING = "dangling"  # a CNAME to a name that does not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is known of one domain, and what it should publish."""

    domain: str
    tlsrpt_status: str
    rua: tuple[str, ...] = ()
    # The last day on which it may go without a record; None where it may not.
    excepted_until: date | None = None
    # Where the portal hosts the policy: the id of the live revision.
    policy_id: str = ""
    # The MTA-STS record as the last check saw it, and the id in it where it is one.
    sts_record: str = ""
    sts_id: str = ""
    policy_host: PolicyHost = PolicyHost.SEEN
    # Its MTA-STS counts for nothing as it is, and the portal does not host the policy.
    is_sts_broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record to publish in place of whatever stands at its name."""

    domain: str
    name: str
    type: str
    value: str
    why: str
    # Whether a record stands at the name: beside it, the new one would not count.
    replaces: bool = False
    # The last day on which the domain may go without it.
    excepted_until: date | None = None

    @property
    def notes(self) -> list[str]:
        """Give what somebody has to know who publishes it."""
        notes = ["in place of what stands there"] if self.replaces else []
        if self.excepted_until:
            notes.append(f"excepted from TLS-RPT until {self.excepted_until.isoformat()}")
        return notes

    @property
    def zone(self) -> str:
        """Give the registrable domain, which is the zone nearly everywhere."""
        return operator_of(self.domain)

    @property
    def label(self) -> str:
        """Give the name relative to the zone, empty for the zone's own."""
        return "" if self.name == self.zone else self.name.removesuffix(f".{self.zone}")


_AT_POLICY_HOST = {
    "sts.host.nxdomain": PolicyHost.MISSING,
    "sts.host.no-address": PolicyHost.MISSING,
    "sts.host.cname-dangling": PolicyHost.DANGLING,
}


def read_policy_host(judgement: Mapping[str, Any]) -> PolicyHost:
    """Give what the last check found at the name of the policy host."""
    findings = judgement.get("mta_sts", {}).get("findings", ())
    found = (_AT_POLICY_HOST.get(finding["code"]) for finding in findings)
    return next((held for held in found if held is not None), PolicyHost.SEEN)


def plan(
    wanted: Iterable[Wanted],
    rua: Sequence[str],
    *,
    accepted: Sequence[str] = (),
    delegate_to: str = "",
    policy_host: str = "",
) -> list[Change]:
    """Give the changes that make reports come to `rua` first; domains that do so need none.

    Neither do those whose first destination is among `accepted`. `delegate_to` makes each name a
    CNAME to that one name, where the record then stands once: it comes first. It may be the name of
    one of the domains, which keeps a record of its own.
    """
    changes: list[Change] = []
    stands_already = False
    for one in wanted:
        is_fine = _is_fine(one, rua, accepted)
        if _record_name(one.domain) == delegate_to:
            stands_already = is_fine
            changes = ([] if is_fine else _tlsrpt(one, rua, "")) + changes
        elif not is_fine:
            changes += _tlsrpt(one, rua, delegate_to)
        changes += _mta_sts(one, policy_host)
    stands_already |= any(change.name == delegate_to for change in changes)
    if not stands_already and any(change.value == delegate_to for change in changes):
        why = "The one record that the others point to; it may be there already."
        value = tlsrpt_record.render_record(rua)
        once = Change(domain=delegate_to, name=delegate_to, type="TXT", value=value, why=why)
        return [once, *changes]
    return changes


def _record_name(domain: str) -> str:
    return f"_smtp._tls.{domain}"


def _is_fine(one: Wanted, rua: Sequence[str], accepted: Sequence[str]) -> bool:
    if one.tlsrpt_status != "valid" or not one.rua:
        return False
    held = [fold_destination(uri) for uri in one.rua]
    ours = [fold_destination(uri) for uri in rua]
    return held[: len(ours)] == ours or held[0] in {fold_destination(uri) for uri in accepted}


def _tlsrpt(one: Wanted, rua: Sequence[str], delegate_to: str) -> list[Change]:
    name = _record_name(one.domain)
    ours = {fold_destination(uri) for uri in rua}
    replaces = one.tlsrpt_status in {"valid", "invalid"}
    kept = [uri for uri in one.rua if fold_destination(uri) not in ours]
    if one.tlsrpt_status != "valid":
        kept = []
    excepted_until = one.excepted_until if one.tlsrpt_status == "missing" else None
    excuse = f" Excepted until {day(excepted_until)}: it may go without." if excepted_until else ""
    if delegate_to:
        why = "The record stands once, at the name this one points to."
        if kept:
            why += f" Unless it names them, reports to {sentence_list(kept)} end."
        return [
            Change(
                domain=one.domain,
                name=name,
                type="CNAME",
                value=delegate_to,
                why=f"{why} Nothing may stand beside it." if replaces else f"{why}{excuse}",
                replaces=replaces,
                excepted_until=excepted_until,
            )
        ]
    why = {
        "missing": "There is no record: nobody reports.",
        "invalid": "Takes the place of what stands there and is ignored.",
    }.get(
        one.tlsrpt_status,
        "Takes the place of the present record: our address stands first, the others stay.",
    )
    value = tlsrpt_record.render_record([*rua, *kept])
    return [
        Change(
            domain=one.domain,
            name=name,
            type="TXT",
            value=value,
            why=f"{why}{excuse}",
            replaces=replaces,
            excepted_until=excepted_until,
        )
    ]


def _mta_sts(one: Wanted, policy_host: str) -> list[Change]:
    if not one.policy_id or not policy_host:
        return []
    # By its id: `v=STSv1;id=…;` says the same as what is proposed here.
    is_announced = one.sts_id == one.policy_id
    changes = []
    if not is_announced:
        changes.append(
            Change(
                domain=one.domain,
                name=f"_mta-sts.{one.domain}",
                type="TXT",
                value=sts_record.render_record(one.policy_id),
                why="Announces the policy that this portal hosts.",
                replaces=bool(one.sts_record),
            )
        )
    # Beside a new record the name is told again, for a move from another host of the policy.
    if not is_announced or one.policy_host is not PolicyHost.SEEN:
        changes.append(
            Change(
                domain=one.domain,
                name=f"mta-sts.{one.domain}",
                type="CNAME",
                value=policy_host,
                why="Leads senders to the policy that this portal hosts.",
                replaces=one.policy_host is PolicyHost.DANGLING,
            )
        )
    return changes


def render(changes: Sequence[Change], form: Form) -> str:
    """Give the changes in one of the forms."""
    return _RENDERERS[form](changes)


def _zone(changes: Sequence[Change]) -> str:
    lines = []
    for change in changes:
        value = f"{change.value}." if change.type == "CNAME" else _txt_strings(change.value)
        note = "".join(f" ; {note}" for note in change.notes)
        lines.append(f"{change.name}. {TTL_S} IN {change.type} {value}{note}")
    return "".join(f"{line}\n" for line in lines)


def _csv(changes: Sequence[Change]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["zone", "name", "type", "ttl", "value", "why"])
    for one in changes:
        writer.writerow([one.zone, one.name, one.type, TTL_S, one.value, one.why])
    return out.getvalue()


def _terraform(changes: Sequence[Change]) -> str:
    """Give resources of HashiCorp's `dns` provider (RFC 2136 updates); others read alike.

    Laid out as `terraform fmt` does, so that a file taken over makes no change of its own.
    """
    blocks: list[str] = []
    for one in changes:
        kind, key, value = (
            ("dns_cname_record", "cname", f"{one.value}.")
            if one.type == "CNAME"
            else ("dns_txt_record_set", "txt", [one.value])
        )
        notes = one.notes if one.replaces else ["a new record", *one.notes]
        attributes = {
            "zone": json.dumps(f"{one.zone}."),
            "name": _hcl(one.label),
            key: _hcl(value),
            "ttl": str(TTL_S),
        }
        width = max(map(len, attributes))
        blocks.append(
            f"# {'; '.join(notes)}\n"
            # The same whatever else is asked for: another name would be another resource.
            f'resource "{kind}" "{one.name.replace(".", "_")}" {{\n'
            + "".join(f"  {name:<{width}} = {held}\n" for name, held in attributes.items())
            + "}\n"
        )
    return "\n".join(blocks)


def render_octodns(changes: Sequence[Change]) -> dict[str, str]:
    """Give the YAML of each zone, by the name of its file: octoDNS reads one file a zone.

    It escapes semicolons in TXT values, and wants names in their natural order.
    """
    zones: defaultdict[str, list[Change]] = defaultdict(list)
    for one in changes:
        zones[one.zone].append(one)
    files = {}
    for zone, rows in sorted(zones.items()):
        lines = ["---"]
        for one in sorted(rows, key=lambda row: _natural(row.label)):
            value = f"{one.value}." if one.type == "CNAME" else one.value.replace(";", "\\;")
            # A JSON string is a YAML string, quoted right.
            lines += [
                f"{json.dumps(one.label)}:",
                f"  ttl: {TTL_S}",
                f"  type: {one.type}",
                f"  value: {json.dumps(value)}",
            ]
        files[f"{zone}.yaml"] = "\n".join(lines) + "\n"
    return files


def _natural(label: str) -> list[str | int]:
    """Give a key by which d2 comes before d10."""
    parts = re.split(r"([0-9]+)", label)
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def _txt_strings(value: str) -> str:
    chunks = [value[at : at + TXT_CHUNK] for at in range(0, len(value), TXT_CHUNK)]
    escaped = (chunk.replace("\\", "\\\\").replace('"', '\\"') for chunk in chunks)
    return " ".join(f'"{chunk}"' for chunk in escaped)


def _hcl(value: object) -> str:
    """Give a JSON value as HCL, in which `${` and `%{` begin a template."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


_RENDERERS = {
    Form.ZONE: _zone,
    Form.CSV: _csv,
    Form.TERRAFORM: _terraform,
}
