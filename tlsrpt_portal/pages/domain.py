"""The page of one domain: what is wrong, since when, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Case, Count, F, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import may
from accounts.roles import Role
from alerts.lifecycle import ACTIVE_STATES
from alerts.models import Incident
from alerts.readers import Seen, reader_of, see_all
from domains.aspects import Aspect, MxHost, max_age, read_aspects, read_mx_hosts
from domains.destinations import portal_host
from domains.dns_kit import PolicyHost, read_policy_host
from domains.exceptions import DomainExceptions, read_exceptions
from domains.models import Domain, HostedPolicy, Posture, RecordVersion, StateChange, Status
from domains.selection import visible_domain
from domains.signs import excuse_of
from mailtls.catalogue.result_types import Concern, describe_result_type
from mailtls.findings import Severity
from reports.signs import cause_name
from tlsrpt_portal.pages.diagnosis import Diagnosis, Failing, Situation, diagnose
from tlsrpt_portal.pages.domain_reports import DomainReports, Trouble, read_reports
from tlsrpt_portal.pages.marks import change_title, revision_title
from tlsrpt_portal.pages.reported_policy import Held
from tlsrpt_portal.pages.span import read_span
from tlsrpt_portal.pages.stages import Condition, Stage, find_conditions, find_stage, published_by
from webui.exports import asked_file
from webui.findings import word_all
from webui.wording import isolated, plural

TIMELINE_LENGTH = 25
MOST_CHANGES = 200
MOST_INCIDENTS = 10
MOST_VERSIONS = 20  # of each kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    tone: str
    title: str
    detail: str = ""
    before: str = ""
    after: str = ""
    href: str = ""


def domain_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one domain."""
    domain = visible_domain(request, name)
    posture = domain.last_posture
    is_checking = is_being_checked(domain) and ("checking" in request.GET or posture is None)
    if request.htmx:  # type: ignore[attr-defined]
        # The page asks while a check runs: no content until it has ended.
        return HttpResponse(status=204) if is_checking else HttpResponseClientRedirect(request.path)
    exceptions = read_exceptions(domain)
    aspects = read_aspects(posture, exceptions.running)
    incidents = _incidents(request, domain)
    changes = list(domain.state_changes.all()[:MOST_CHANGES])
    span = read_span(request)
    published = list(domain.hosted_policies.all()[:MOST_CHANGES])
    reports = read_reports(domain, changes, published, span)
    if file := asked_file(request, *reports.sheets):
        return file
    conditions = _conditions(posture, reports)
    context = {
        "span": span,
        "reports": reports,
        "domain": domain,
        "posture": posture,
        "aspects": aspects,
        "diagnosis": _diagnosis(
            domain, posture, aspects, reports, conditions, exceptions, bool(published)
        ),
        "conditions": conditions,
        "exceptions": exceptions,
        "incidents": incidents[:MOST_INCIDENTS],
        "has_more_incidents": len(incidents) > MOST_INCIDENTS,
        "timeline": _timeline(changes, published, incidents),
        "versions": _versions(domain),
        "mx_hosts": [_with_trouble(host, reports) for host in read_mx_hosts(aspects)],
        "max_age": max_age(aspects),
        "tags": list(domain.tags.all()),
        "may_check": may(request.user, Role.ANALYST, domain.team),
        "may_edit": may(request.user, Role.MANAGER, domain.team),
        "is_checking": is_checking,
    }
    return render(request, "domains/detail.html", context)


def _diagnosis(
    domain: Domain,
    posture: Posture | None,
    aspects: dict[str, Aspect],
    reports: DomainReports,
    conditions: list[Condition],
    exceptions: DomainExceptions,
    is_hosted: bool,
) -> Diagnosis:
    if posture is None:
        return diagnose(Situation(is_active=domain.is_active, is_checked=False))
    findings = [finding for aspect in aspects.values() for finding in aspect.findings]
    broken = aspects["mta_sts"] if posture.mta_sts == Status.INVALID else aspects["tlsrpt"]
    worst = broken.findings[0] if broken.findings else None
    at_hosts = next(
        (
            finding
            for key in ("mx", "dane", "starttls")
            for finding in aspects[key].findings
            if finding.severity is Severity.ERROR
        ),
        None,
    )
    expiring = next((one for one in findings if one.code.endswith(".cert.expires-soon")), None)
    uncovered = [
        host["name"]
        for host in aspects["mx"].stored.get("hosts", [])
        if host.get("covered") is False
    ]
    return diagnose(
        Situation(
            is_active=domain.is_active,
            takes_mail=posture.mx != Status.NULL_MX,
            tlsrpt=posture.tlsrpt,
            mta_sts=posture.mta_sts,
            sts_mode=posture.sts_mode,
            dane=posture.dane,
            provider=posture.mx_provider,
            uncovered_mx=tuple(uncovered),
            finding_codes=frozenset(finding.code for finding in findings),
            worst_finding=worst.title if worst else "",
            worst_remedy=(is_hosted and _hosted_remedy(domain, posture))
            or (worst.remedy if worst else ""),
            host_error=at_hosts.title if at_hosts else "",
            host_meaning=at_hosts.meaning if at_hosts else "",
            host_remedy=at_hosts.remedy if at_hosts else "",
            host_error_code=at_hosts.code if at_hosts else "",
            expiring=expiring.title if expiring else "",
            expiring_remedy=expiring.remedy if expiring else "",
            is_expiring_at_mx=expiring is not None and expiring.code.startswith("starttls."),
            tlsrpt_excepted_until=_excepted_until("tlsrpt", posture, exceptions),
            sts_excepted_until=_excepted_until("mta_sts", posture, exceptions),
            sessions=reports.week.sessions,
            no_policy_sessions=reports.no_policy_sessions,
            refused=_failing(reports.troubles[Concern.CONNECTION]),
            unread=_failing(reports.troubles[Concern.POLICY]),
            under_dane=_failing(reports.troubles[Concern.DANE]),
            last_report_on=reports.last_report_on,
            policy_unknown_to=_that_apply(Held.UNKNOWN, reports),
            policy_outdated_at=_that_apply(Held.OUTDATED, reports),
            policy_earlier_at=_that_apply(Held.EARLIER, reports),
            gone_reporters=tuple(
                isolated(one.name) for one in reports.reporters if one.cadence.silent_since
            ),
            before_enforce=tuple(one.state for one in conditions if not one.is_met),
            today=timezone.now().date(),
        )
    )


def _with_trouble(host: MxHost, reports: DomainReports) -> MxHost:
    """Add the cause for which most sessions failed there: what DNS shows may be all well."""
    told = next((one for one in reports.every_cause if one.receiving_mx == host.name), None)
    if told is None:
        return host
    words = f"{told.name}: {plural(told.failed_sessions, 'session')} failed"
    return replace(host, reported=words, reported_href=told.reports_href)


def _excepted_until(key: str, posture: Posture, exceptions: DomainExceptions) -> date | None:
    excuse = excuse_of(key, posture, exceptions.running)
    return excuse.expires_on if excuse else None


def _hosted_remedy(domain: Domain, posture: Posture) -> str:
    """Give what leads senders to the policy that the portal hosts; empty where something does."""
    if posture.mta_sts != Status.INVALID or not portal_host():
        return ""
    name, host = f"mta-sts.{domain.name}", portal_host()
    match read_policy_host(posture.judgement):
        case PolicyHost.MISSING:
            return f"Publish {name} as a CNAME to {host}: the portal serves the policy there."
        case PolicyHost.DANGLING:
            return f"Let the CNAME {name} lead to {host}: the portal serves the policy there."
    return ""


def _failing(trouble: Trouble) -> Failing:
    cause = trouble.cause
    return Failing(
        sessions=trouble.sessions,
        since=trouble.since,
        is_longer=trouble.is_longer,
        cause=cause_name(cause.result_type) if cause else "",
        mx=(cause.receiving_mx or "") if cause else "",
        remedy=describe_result_type(cause.result_type).action if cause else "",
    )


def _that_apply(held: Held, reports: DomainReports) -> tuple[str, ...]:
    applied = (one for one in reports.reporters if one.policy and one.policy.held is held)
    return tuple(isolated(one.name) for one in applied)


def _conditions(posture: Posture | None, reports: DomainReports) -> list[Condition]:
    """Give what enforce waits for; nothing for a domain that enforces or takes no mail."""
    if posture is None or posture.mx == Status.NULL_MX:
        return []
    published, until = published_by(posture), reports.evidence_until
    if find_stage(published, reports.evidence, until) is Stage.ENFORCE:
        return []
    return find_conditions(published, reports.evidence, until)


def _incidents(request: HttpRequest, domain: Domain) -> list[Seen]:
    """Give the incidents that touch a domain: those that are not over first, then the newest, and
    one more than are shown where there are more."""
    # Whoever sees the domain sees what touches it.
    touching = Incident.objects.whole().filter(incident_domains__domain=domain)
    is_over = Case(When(state__in=sorted(ACTIVE_STATES), then=False), default=True)
    rows = touching.with_seen_figures(request.user).order_by(is_over, "-opened_at")
    found = rows.select_related("assignee", "rule")[: MOST_INCIDENTS + 1]
    return see_all(reader_of(request.user), list(found))


def _versions(domain: Domain) -> list[RecordVersion]:
    """Give the newest versions of each kind, with `of_kind`: how many of it there are."""
    newest = F("first_seen_at").desc()
    rows = RecordVersion.objects.filter(domain=domain).annotate(
        place=Window(RowNumber(), partition_by=F("kind"), order_by=newest),
        of_kind=Window(Count("pk"), partition_by=F("kind")),
    )
    return list(rows.filter(place__lte=MOST_VERSIONS))


def _timeline(
    changes: Sequence[StateChange],
    published: Sequence[HostedPolicy],
    incidents: Sequence[Seen],
) -> list[Moment]:
    moments = [describe_change(change) for change in changes[:TIMELINE_LENGTH]]
    moments += [
        Moment(at=one.published_at, tone="", title=revision_title(one.mode, one.policy_id))
        for one in published[:TIMELINE_LENGTH]
    ]
    moments += [
        Moment(
            at=seen.incident.opened_at,
            tone="bad",
            title=seen.title,
            detail="Incident opened",
            href=seen.incident.get_absolute_url(),
        )
        for seen in incidents
    ]
    moments += [
        Moment(
            at=seen.incident.resolved_at,
            tone="ok",
            title=seen.title,
            detail="Incident resolved",
            href=seen.incident.get_absolute_url(),
        )
        for seen in incidents
        if seen.incident.resolved_at is not None and not seen.incident.is_active
    ]
    return sorted(moments, key=lambda one: one.at, reverse=True)[:TIMELINE_LENGTH]


_TONES = {"error": "bad", "warning": "warn", "info": ""}


def describe_change(change: StateChange) -> Moment:
    """Give a change as a line of the timeline."""
    title = change_title(change)
    is_named = "→" in title or "became" in title
    findings = word_all(change.findings)
    return Moment(
        at=change.seen_at,
        tone=_TONES.get(change.severity, ""),
        title=title,
        detail=findings[0].title if findings else "",
        before="" if is_named else change.before,
        after="" if is_named else change.after,
    )


def is_being_checked(domain: Domain) -> bool:
    """Say whether a check is due or under way."""
    return domain.is_active and (
        domain.claimed_at is not None or domain.next_check_at <= timezone.now()
    )
