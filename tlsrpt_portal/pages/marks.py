"""Our own changes as marks on the time axis of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db.models import Count, Max, Min, QuerySet

from domains.models import DomainQuerySet, HostedPolicy, StateChange, display_name
from mailtls.changes import CERTIFICATE_KINDS, VALID_UNTIL, Kind
from reports.charts import Mark
from webui.wording import day, plural

MOST = 400
# Certificates are renewed all the time: so many hosts may stand on the chart of a fleet.
MOST_CERTIFICATES = 10
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
    "sts-certificate": "Certificate of {host} renewed: valid until {ended} → {ends}",
    "mx-certificate": "Certificate of {host} renewed: valid until {ended} → {ends}",
    "mx-certificate-status": "Certificate of {host} passes now: valid until {ends}",
}


@dataclass(frozen=True, slots=True)
class _Renewed:
    """A host whose certificate was renewed, or passes now, at some domains."""

    kind: str
    before: str
    after: str
    first_seen_at: datetime
    count: int
    name: str = ""

    @property
    def is_late(self) -> bool:
        """Say whether senders may have refused the host until then."""
        end = self.before.partition(VALID_UNTIL)[2]
        return not end or end < self.first_seen_at.date().isoformat()

    @property
    def mark(self) -> Mark:
        """Give it as a mark."""
        words = title_of(self.kind, self.before, self.after)
        if self.count > 1:
            words = f"{words} ({plural(self.count, 'domain')})"
        elif self.name:  # a policy host has its domain in its name
            words = f"{display_name(self.name)}: {words}"
        return Mark(self.first_seen_at.date(), words)


def change_title(change: StateChange) -> str:
    """Give a change in a few words."""
    return title_of(change.kind, change.before, change.after)


def title_of(kind: str, before: str, after: str) -> str:
    """Give a change of this kind in a few words."""
    title = CHANGE_TITLES.get(kind, kind.replace("-", " "))
    if kind in CERTIFICATE_KINDS:
        (_, ended), (host, ends) = _read_certificate(before), _read_certificate(after)
        return title.format(host=display_name(host), ended=ended, ends=ends)
    return title.format(before=before or "none", after=after or "none")


def _read_certificate(text: str) -> tuple[str, str]:
    """Give host and last day of a certificate that the kernel has put into words."""
    host, _, end = text.partition(VALID_UNTIL)
    return host, day(date.fromisoformat(end)) if end else ""


def revision_title(mode: str, policy_id: str) -> str:
    """Give a policy that was published here in a few words."""
    return f"Hosted policy published: {mode}, id {policy_id}"


def fleet_marks(domains: DomainQuerySet, since: date, until: date) -> list[Mark]:
    """Give the confirmed changes of these domains and the policies published here, by name."""
    confirmed = StateChange.objects.filter(
        domain__in=domains.order_by().values("pk"),
        confirmed_at__isnull=False,
        seen_at__range=_span(since, until),
    )
    changes = (
        confirmed.exclude(kind__in=CERTIFICATE_KINDS)
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
    return (
        [
            Mark(seen_at.date(), f"{display_name(name)}: {title_of(kind, before, after)}")
            for name, seen_at, kind, before, after in changes
        ]
        + [
            Mark(at.date(), f"{display_name(name)}: {revision_title(mode, policy_id)}")
            for name, at, mode, policy_id in published
        ]
        + _certificate_marks(confirmed.filter(kind__in=CERTIFICATE_KINDS))
    )


def _certificate_marks(changes: QuerySet[StateChange]) -> list[Mark]:
    """Give a host's renewal once, on the day the first of its domains was seen with it."""
    policy_hosts = changes.filter(kind=Kind.STS_CERTIFICATE).order_by("-seen_at")
    found = [
        _Renewed(*row, 1)
        for row in policy_hosts.values_list("kind", "before", "after", "seen_at")[:MOST]
    ]
    mx_hosts = (
        changes.exclude(kind=Kind.STS_CERTIFICATE)
        .order_by()
        .values("kind", "after")
        .annotate(earlier=Max("before"), first=Min("seen_at"), count=Count("pk"))
        .annotate(name=Min("domain__name"))
        .order_by("-count", "-first")
    )
    fields = ("kind", "earlier", "after", "first", "count", "name")
    found += [_Renewed(*row) for row in mx_hosts.values_list(*fields)[:MOST]]
    if len(found) > MOST_CERTIFICATES:
        # Of so many, those in time at one domain are everyday business.
        found = [one for one in found if one.is_late or one.count > 1]
        found.sort(key=lambda one: (one.is_late, one.count), reverse=True)
    return [one.mark for one in found[:MOST_CERTIFICATES]]


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
