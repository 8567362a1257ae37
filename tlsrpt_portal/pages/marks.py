"""Our own changes as marks on the time axis of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from domains.models import DomainQuerySet, HostedPolicy, StateChange, display_name
from reports.charts import Mark

MOST = 400
CHANGE_TITLES = {
    "tlsrpt-record": "TLSRPT record changed",
    "tlsrpt-status": "TLS-RPT became {after}",
    "sts-record": "MTA-STS record changed",
    "sts-status": "MTA-STS became {after}",
    "sts-policy": "MTA-STS policy changed",
    "sts-mode": "MTA-STS mode: {before} → {after}",
    "sts-max-age": "MTA-STS max_age: {before} → {after}",
    "mx": "MX set changed",
    "mx-coverage": "MX coverage by the policy changed",
    "provider": "MX provider: {before} → {after}",
    "dane": "TLSA records changed",
    "dane-status": "DANE became {after}",
    "starttls-status": "STARTTLS became {after}",
}


def change_title(change: StateChange) -> str:
    """Give a change in a few words."""
    return title_of(change.kind, change.before, change.after)


def title_of(kind: str, before: str, after: str) -> str:
    """Give a change of this kind in a few words."""
    title = CHANGE_TITLES.get(kind, kind.replace("-", " "))
    return title.format(before=before or "none", after=after or "none")


def revision_title(mode: str, policy_id: str) -> str:
    """Give a policy that was published here in a few words."""
    return f"Hosted policy published: {mode}, id {policy_id}"


def fleet_marks(domains: DomainQuerySet, since: date, until: date) -> list[Mark]:
    """Give the confirmed changes of these domains and the policies published here, by name."""
    changes = (
        StateChange.objects.filter(
            domain__in=domains.order_by().values("pk"),
            confirmed_at__isnull=False,
            seen_at__range=_span(since, until),
        )
        .order_by("-seen_at")
        .values_list("domain__name", "seen_at", "kind", "before", "after")[:MOST]
    )
    published = (
        HostedPolicy.objects.filter(
            domain__in=domains.order_by().values("pk"), published_at__range=_span(since, until)
        )
        .order_by("-published_at")
        .values_list("domain__name", "published_at", "mode", "policy_id")[:MOST]
    )
    return [
        Mark(seen_at.date(), f"{display_name(name)}: {title_of(kind, before, after)}")
        for name, seen_at, kind, before, after in changes
    ] + [
        Mark(at.date(), f"{display_name(name)}: {revision_title(mode, policy_id)}")
        for name, at, mode, policy_id in published
    ]


def marks_of(
    changes: Sequence[StateChange], published: Sequence[HostedPolicy], since: date, until: date
) -> list[Mark]:
    """Give the changes of one domain, and its policies published here, that fall into the span."""
    marks = [Mark(change.seen_at.date(), change_title(change)) for change in changes]
    marks += [
        Mark(one.published_at.date(), revision_title(one.mode, one.policy_id)) for one in published
    ]
    return [mark for mark in marks if since <= mark.day <= until]


def _span(since: date, until: date) -> tuple[datetime, datetime]:
    return datetime.combine(since, time.min, UTC), datetime.combine(until, time.max, UTC)
