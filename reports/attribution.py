"""Which domain of the inventory a policy result is about; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType

from mailtls.report import Countable, Hints, PolicyResult, PolicyType, Report, counted_types

# Google: "2026-03-10T00:00:00Z_a.example"; Postfix: "…Z_idx1_a.example"; Microsoft:
# "123+a.example".
_ID_TAIL = re.compile(r"[_+!]([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?:@[^@]*)?\Z")


def domain_of_report_id(report_id: str) -> str:
    """Give the domain a report-id ends in, empty when it ends in none."""
    match = _ID_TAIL.search(report_id.lower())
    return match[1] if match else ""


def names_to_look_up(report: Report, hints: Hints) -> set[str]:
    """Give every name that `attribute` may want to find in the inventory."""
    names = {policy.policy_domain for policy in report.policies}
    names.update(hints.policy_domains, hints.recipients)
    names.add(domain_of_report_id(report.report_id))
    names.discard("")
    return names


def mx_hosts_to_look_up(report: Report, hints: Hints, managed: Mapping[str, int]) -> set[str]:
    """Give the MX hosts that stand for a domain nothing else in the report tells."""
    hosts = {
        policy.policy_domain
        for policy in report.policies
        if policy.policy_type is PolicyType.TLSA and policy.policy_domain not in managed
    }
    if not hosts or _domain_of_whole(report, hints, managed) is not None:
        return set()
    return hosts - {""}


def attribute(
    report: Report,
    hints: Hints,
    managed: Mapping[str, int],
    mx_owners: Mapping[str, int] = MappingProxyType({}),
) -> list[int | None]:
    """Give for each policy result the inventory's id of its domain, None for a foreign one.

    A result names its domain. A `tlsa` result may name the MX host instead (RFC 8460 section
    1.1), and Postfix leaves the name out: then the rest of the report and its envelope tell.
    `mx_owners` tells where they do not: hosts that are an MX of one domain of the inventory.
    """
    found = [managed.get(policy.policy_domain) for policy in report.policies]
    if None not in found:
        return found
    fallback = _domain_of_whole(report, hints, managed)
    return [
        _domain_otherwise(policy, fallback, mx_owners) if domain is None else domain
        for policy, domain in zip(report.policies, found, strict=True)
    ]


def _domain_otherwise(
    policy: PolicyResult, fallback: int | None, mx_owners: Mapping[str, int]
) -> int | None:
    if not _may_be_meant_otherwise(policy):
        return None
    return mx_owners.get(policy.policy_domain) if fallback is None else fallback


def _may_be_meant_otherwise(policy: PolicyResult) -> bool:
    return not policy.policy_domain or policy.policy_type is PolicyType.TLSA


def _domain_of_whole(report: Report, hints: Hints, managed: Mapping[str, int]) -> int | None:
    others = {
        managed[policy.policy_domain]
        for policy in report.policies
        if policy.policy_domain in managed
    }
    if len(others) == 1:
        return others.pop()
    names = (*hints.policy_domains, domain_of_report_id(report.report_id), *hints.recipients)
    return next((managed[name] for name in names if name in managed), None)


def choose_counted(policies: Iterable[Countable], domains: Iterable[Hashable]) -> list[bool]:
    """Say for each result whether its sessions count, by the rule for one report and domain.

    `domains` tells what belongs together: the inventory's id, or the name of a foreign domain.
    """
    grouped: defaultdict[Hashable, list[Countable]] = defaultdict(list)
    pairs = list(zip(policies, domains, strict=True))
    for policy, domain in pairs:
        grouped[domain].append(policy)
    counted = {domain: counted_types(results) for domain, results in grouped.items()}
    return [policy.policy_type in counted[domain] for policy, domain in pairs]
