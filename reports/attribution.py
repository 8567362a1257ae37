"""Which domain of the inventory a policy result is about; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

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


def attribute(report: Report, hints: Hints, managed: Mapping[str, int]) -> list[int | None]:
    """Give for each policy result the inventory's id of its domain, None for a foreign one.

    A result names its domain. A `tlsa` result may name the MX host instead (RFC 8460 section
    1.1), and Postfix leaves the name out: then the rest of the report and its envelope tell.
    """
    found = [managed.get(policy.policy_domain) for policy in report.policies]
    if None not in found:
        return found
    fallback = _domain_of_whole(report, hints, managed, found)
    return [
        fallback if domain is None and _may_be_meant_otherwise(policy) else domain
        for policy, domain in zip(report.policies, found, strict=True)
    ]


def _may_be_meant_otherwise(policy: PolicyResult) -> bool:
    return not policy.policy_domain or policy.policy_type is PolicyType.TLSA


def _domain_of_whole(
    report: Report, hints: Hints, managed: Mapping[str, int], found: Sequence[int | None]
) -> int | None:
    others = {domain for domain in found if domain is not None}
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
