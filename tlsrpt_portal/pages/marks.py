"""Our own changes as marks on the time axis of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from django.db.models import Count, Max, Min, QuerySet

from domains.models import REPLACED_LATE, DomainQuerySet, HostedPolicy, StateChange
from mailtls.changes import CERTIFICATE_KINDS, VALID_UNTIL, Kind
from mailtls.names import display_name
from reports.charts import Mark
from webui.wording import day, plural

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
    "sts-certificate": "Certificate of {host} renewed: valid until {ended} → {ends}",
    "mx-certificate": "Certificate of {host} renewed: valid until {ended} → {ends}",
    "mx-certificate-status": "Certificate of {host} passes now: valid until {ends}",
}


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
    """Give the confirmed changes of these domains and the policies published here, by name.

    Certificates are renewed all the time: of a fleet, those count that ended refusals.
    """
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
            Mark(seen_at.date(), f"{display_name(name)}: {title_of(kind, before, after)}", name)
            for name, seen_at, kind, before, after in changes
        ]
        + [
            Mark(at.date(), f"{display_name(name)}: {revision_title(mode, policy_id)}", name)
            for name, at, mode, policy_id in published
        ]
        + _certificate_marks(confirmed.filter(REPLACED_LATE))
    )


def _certificate_marks(changes: QuerySet[StateChange]) -> list[Mark]:
    """Give each certificate that ended a time of refusals, once, on the day it was first seen."""
    rows = (
        changes.order_by()
        .values("kind", "after")
        .annotate(earlier=Max("before"), first=Min("seen_at"), count=Count("pk"))
        .annotate(name=Min("domain__name"))
        .order_by("-count", "-first")
    )
    fields = ("kind", "earlier", "after", "first", "count", "name")
    marks = []
    for kind, before, after, first, count, name in rows.values_list(*fields)[:MOST]:
        words = title_of(kind, before, after)
        if count > 1:
            words = f"{words} ({plural(count, 'domain')})"
        elif kind != Kind.STS_CERTIFICATE:  # a policy host has its domain in its name
            words = f"{display_name(name)}: {words}"
        marks.append(Mark(first.date(), words, name if count == 1 else ""))
    return marks


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
