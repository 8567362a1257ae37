"""Gives results to domains that came into the inventory after their reports."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from domains.models import Domain
from reports.attribution import choose_counted
from reports.models import DirtyDay, PolicyKind, PolicyResult
from reports.mx_owners import find_mx_owners
from reports.services.roll_up import roll_up

logger = logging.getLogger(__name__)

_BATCH_REPORTS = 500
_MOST_HOSTS = 100_000


def attribute_new_domains() -> int:
    """Attribute what waits for domains that are managed by now; give how many results it was.

    Domains are added in a package that knows nothing of reports, so this looks by itself; also
    for MX hosts, which are known once a new domain was checked.
    """
    unmanaged = PolicyResult.objects.filter(domain=None)
    found = Domain.objects.filter(name__in=unmanaged.values("policy_domain"))
    changed = attribute_to(dict(found.values_list("name", "pk")))
    hosts = unmanaged.filter(policy_type=PolicyKind.TLSA).exclude(policy_domain="")
    names = hosts.values_list("policy_domain", flat=True).order_by("policy_domain").distinct()
    return changed + _attribute_where(hosts, find_mx_owners(names[:_MOST_HOSTS]))


def attribute_to(domains: dict[str, int]) -> int:
    """Attribute unmanaged results to these domains (name to id); give how many it was."""
    return _attribute_where(PolicyResult.objects.filter(domain=None), domains)


def _attribute_where(unmanaged: QuerySet[PolicyResult], domains: dict[str, int]) -> int:
    waiting = unmanaged.filter(policy_domain__in=domains)
    report_ids = list(waiting.values_list("report_id", flat=True).distinct().order_by("report_id"))
    changed = 0
    for start in range(0, len(report_ids), _BATCH_REPORTS):
        batch = report_ids[start : start + _BATCH_REPORTS]
        changed += _attribute_batch(batch, unmanaged, domains)
    if changed:
        logger.info("attributed %d results to %d domains", changed, len(set(domains.values())))
        roll_up()
    return changed


@transaction.atomic
def _attribute_batch(
    report_ids: list[int], unmanaged: QuerySet[PolicyResult], domains: dict[str, int]
) -> int:
    waiting = unmanaged.filter(report__in=report_ids, policy_domain__in=domains)
    named = {pk: domains[name] for pk, name in waiting.values_list("pk", "policy_domain")}
    rows = PolicyResult.objects.filter(report__in=report_ids).select_related(None)
    by_report: defaultdict[int, list[PolicyResult]] = defaultdict(list)
    for row in rows.order_by("report_id", "position"):
        by_report[row.report_id].append(row)
    conflicting = set(rows.exclude(report__conflicts_with=None).values_list("report_id", flat=True))
    changed: list[PolicyResult] = []
    dirty: set[tuple[int, date]] = set()
    for report_id, results in by_report.items():
        newly = _attribute_report(results, named)
        _recount(results, is_conflicting=report_id in conflicting)
        changed += newly
        if newly:
            dirty.update((row.domain_id, row.day) for row in results if row.domain_id is not None)
    touched = [row for results in by_report.values() for row in results]
    PolicyResult.objects.bulk_update(touched, ["domain", "is_counted"], batch_size=500)
    DirtyDay.objects.bulk_create(DirtyDay(domain_id=pk, day=day) for pk, day in sorted(dirty))
    return len(changed)


def _attribute_report(results: list[PolicyResult], named: dict[int, int]) -> list[PolicyResult]:
    newly = []
    for row in results:
        if row.domain_id is None and row.pk in named:
            row.domain_id = named[row.pk]
            newly.append(row)
    known = {row.domain_id for row in results} - {None}
    if len(known) == 1:
        # As when a report comes in: MX hosts and missing names mean the one domain it is about.
        for row in results:
            may_be_meant = not row.policy_domain or row.policy_type == PolicyKind.TLSA
            if row.domain_id is None and may_be_meant:
                [row.domain_id] = known
                newly.append(row)
    return newly


def _recount(results: list[PolicyResult], *, is_conflicting: bool) -> None:
    groups: Iterable[Hashable] = [
        row.policy_domain if row.domain_id is None else row.domain_id for row in results
    ]
    for row, is_counted in zip(results, choose_counted(results, groups), strict=True):
        row.is_counted = is_counted and not is_conflicting
