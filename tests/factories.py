"""Rows for tests of pages: people, teams, domains in every state, incidents."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import factory
from django.utils import timezone

from accounts.models import Membership, Team, User
from accounts.roles import Role
from alerts.lifecycle import Event, State
from alerts.models import (
    Destination,
    DestinationKind,
    Incident,
    IncidentDomain,
    IncidentEvent,
    Rule,
    RuleKind,
    Severity,
)
from alerts.sealing import seal
from domains.lacks import Lack
from domains.models import (
    CoverageException,
    Domain,
    ImportJob,
    ImportLine,
    ImportPhase,
    Posture,
    RecordKind,
    RecordVersion,
    StateChange,
    StateSpan,
)
from domains.services.state_spans import coverage_state_of, keep_state
from reports.models import (
    Channel,
    DirtyDay,
    FailureDetail,
    Intake,
    Outcome,
    PolicyKind,
    PolicyResult,
    Receipt,
    Report,
    Trust,
)
from reports.services.accept import Provenance, accept

PASSWORD = "a long enough sentence"


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@corp.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = factory.django.Password(PASSWORD)


class DomainFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Domain

    name = factory.Sequence(lambda n: f"domain{n}.example")
    # Far enough ahead that no page takes it for being checked just now.
    next_check_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=6))


def make_member(team: Team | None, role: Role, **fields: Any) -> User:
    """Make a person with a role in a team, or everywhere."""
    if team is None:
        return UserFactory(role_everywhere=role, **fields)
    user = UserFactory(**fields)
    Membership.objects.create(user=user, team=team, role=role)
    return user


def finding(code: str, severity: str = "error", **params: Any) -> dict[str, Any]:
    return {"code": code, "severity": severity, "params": params}


def make_judgement(name: str, **states: Any) -> dict[str, Any]:
    """Give the stored verdict of a domain, in the form of `checkdomain --json`."""
    sts_mode = states.get("sts_mode", "enforce")
    mta_sts = states.get("mta_sts", "valid")
    tlsrpt = states.get("tlsrpt", "valid")
    covered = states.get("covered", True) if mta_sts == "valid" else None
    policy = {"mode": sts_mode, "max_age": 604800, "mx": [f"*.mail.{name}"]}
    findings = states.get("findings", {})
    return {
        "domain": name,
        "checked_at": "2026-11-22T10:00:00Z",
        "took_ms": 84,
        "tlsrpt": {
            "status": tlsrpt,
            "record": f"v=TLSRPTv1; rua=mailto:tls@{name}" if tlsrpt != "missing" else None,
            "rua": [f"mailto:tls@{name}"] if tlsrpt == "valid" else [],
            "findings": findings.get("tlsrpt", []),
        },
        "mta_sts": {
            "status": mta_sts,
            "record": "v=STSv1; id=20261101" if mta_sts != "missing" else None,
            "id": "20261101" if mta_sts != "missing" else None,
            "policy": policy if mta_sts == "valid" else None,
            "findings": findings.get("mta_sts", []),
        },
        "mx": {
            "status": states.get("mx", "valid"),
            "hosts": [
                {"name": f"mx1.mail.{name}", "preference": 10, "covered": covered},
                {"name": f"mx2.mail.{name}", "preference": 20, "covered": covered},
            ],
            "findings": findings.get("mx", []),
        },
        "dane": {"status": states.get("dane", "missing"), "findings": findings.get("dane", [])},
        "starttls": {"status": "not-checked", "hosts": [], "findings": []},
    }


def make_domain(
    name: str,
    team: Team | None = None,
    *,
    checked: bool = True,
    first_day: date | None = None,
    **states: Any,
) -> Domain:
    """Make a domain in the given state since `first_day`; without more, everything is well."""
    own = {key: states.pop(key) for key in ("owner", "is_active", "notes") if key in states}
    domain = DomainFactory(name=name, team=team, **own)
    if checked:
        judgement = make_judgement(name, **states)
        found = [
            f for key in ("tlsrpt", "mta_sts", "mx", "dane") for f in judgement[key]["findings"]
        ]
        is_valid = judgement["mta_sts"]["status"] == "valid"
        posture = Posture.objects.create(
            domain=domain,
            checked_at=timezone.now() - timedelta(hours=2),
            known_at=timezone.now() - timedelta(hours=2),
            unknown_since=states.get("unknown_since"),
            tlsrpt=judgement["tlsrpt"]["status"],
            mta_sts=judgement["mta_sts"]["status"],
            sts_mode=states.get("sts_mode", "enforce") if is_valid else "",
            mx=judgement["mx"]["status"],
            dane=judgement["dane"]["status"],
            mx_provider=states.get("mx_provider", ""),
            errors=sum(f["severity"] == "error" for f in found),
            warnings=sum(f["severity"] == "warning" for f in found),
            judgement=judgement,
        )
        Domain.objects.filter(pk=domain.pk).update(**posture.listed)
        keep_state(domain, coverage_state_of(posture), first_day or domain.created_at.date())
    return domain


def make_change(domain: Domain, kind: str, before: str, after: str, **fields: Any) -> StateChange:
    fields.setdefault("seen_at", timezone.now() - timedelta(days=9))
    fields.setdefault("severity", "info")
    return StateChange.objects.create(
        domain=domain, kind=kind, before=before, after=after, **fields
    )


def make_span(domain: Domain, first_day: date, last_day: date, **states: str) -> StateSpan:
    """Let a domain have published something in a span of past days; all was well by default."""
    values = {"tlsrpt": "valid", "sts": "enforce", "dane": "missing"} | states
    return StateSpan.objects.create(domain=domain, first_day=first_day, last_day=last_day, **values)


def make_exception(domain: Domain, lack: Lack = Lack.TLSRPT, **fields: Any) -> CoverageException:
    """Let a domain lack something for the coming 60 days."""
    today = timezone.now().date()
    values = {
        "reason": "Moves in spring.",
        "approver_name": "Mara",
        "granted_by_name": "Mara",
        "starts_on": today,
        "expires_on": today + timedelta(days=60),
    } | fields
    return CoverageException.objects.create(domain=domain, lack=lack, **values)


def make_versions(domain: Domain, *contents: str, kind: RecordKind = RecordKind.POLICY) -> None:
    """Make one version after the other, a day apart; the last is live."""
    first = timezone.now() - timedelta(days=len(contents))
    starts = [first + timedelta(days=at) for at in range(len(contents))]
    for content, start, end in zip(contents, starts, [*starts[1:], None], strict=True):
        RecordVersion.objects.create(
            domain=domain, kind=kind, content=content, first_seen_at=start, replaced_at=end
        )


def make_import(person: User, lines: int = 3) -> ImportJob:
    """Make an import that waits to be confirmed."""
    counts = {"total": lines, "created": lines, "position": lines}
    job = ImportJob.objects.create(
        user=person, user_name=str(person), source="list.csv", phase=ImportPhase.TRIED, **counts
    )
    for at in range(lines):
        ImportLine.objects.create(
            job=job, position=at, line=at + 2, domain=f"new{at}.example", outcome="created"
        )
    return job


def make_incident(*domains: Domain, **fields: Any) -> Incident:
    """Make an incident that touches these domains."""
    rule, _ = Rule.objects.get_or_create(
        name="Failure rate", defaults={"kind": RuleKind.FAILURE_RATE}
    )
    now = timezone.now()
    values = {
        "cause_key": f"certificate-expired {Incident.objects.count()}",
        "title": "Certificate expired at mx1.hoster.example",
        "severity": Severity.HIGH,
        "state": State.OPEN,
        "since_on": (now - timedelta(days=3)).date(),
        "last_seen_on": (now - timedelta(days=1)).date(),
        "result_type": "certificate-expired",
        "receiving_mx": ["mx1.hoster.example"],
        "reporters": ["Google Inc.", "Microsoft Corporation"],
        "failed_sessions": 812,
        "sessions": 4100,
    } | fields
    values = {
        "failed_first_on": values["since_on"],
        "failed_last_on": values["last_seen_on"],
    } | values
    incident = Incident.objects.create(rule=rule, **values)
    IncidentEvent.objects.create(
        incident=incident, event=Event.OPEN, actor_name="the portal", text=""
    )
    for domain in domains:
        IncidentDomain.objects.create(
            incident=incident,
            domain=domain,
            first_on=values["since_on"],
            last_on=values["last_seen_on"],
            failed_sessions=400,
            sessions=2000,
            failed_first_on=values["failed_first_on"],
            failed_last_on=values["failed_last_on"],
        )
    return incident


def make_report(
    domain: Domain | None,
    day: date,
    reporter: str = "Google Inc.",
    *,
    successes: int = 90,
    failures: int = 0,
    result_type: str = "certificate-expired",
    receiving_mx: str = "mx1.hoster.example",
    policy_domain: str = "",
) -> Report:
    """Store a report of one policy; `roll_up` makes the daily figures of it."""
    start = datetime.combine(day, time.min, UTC)
    name = domain.name if domain else policy_domain
    document = json.dumps({"organization-name": reporter, "policies": [{"policy": name}]})
    report = Report.objects.create(
        content_sha256=f"{Report.objects.count():064d}",
        organization_name=reporter,
        reporter=reporter,
        report_id=f"{day}.{name}",
        start_at=start,
        end_at=start + timedelta(hours=23, minutes=59),
        day=day,
        received_at=start + timedelta(hours=28),
        trust=Trust.DKIM_MAIL,
        document=zlib.compress(document.encode()),
    )
    result = PolicyResult.objects.create(
        report=report,
        position=0,
        policy_type=PolicyKind.STS,
        policy_domain=name,
        domain=domain,
        day=day,
        reporter=reporter,
        successes=successes,
        failures=failures,
        failures_in_details=failures,
        is_counted=True,
    )
    if failures:
        FailureDetail.objects.create(
            result=result,
            position=0,
            result_type=result_type,
            result_type_raw=result_type,
            failed_sessions=failures,
            receiving_mx_hostname=receiving_mx,
        )
    if domain:
        DirtyDay.objects.create(domain=domain, day=day)
    return report


def make_receipt(text: str, intake: Intake | None = None) -> Receipt:
    """Store something that arrived and could not be read."""
    receipt = accept(
        text.encode(), Provenance(channel=Channel.HTTPS, intake_id=intake and intake.pk)
    )
    Receipt.objects.filter(pk=receipt.pk).update(
        outcome=Outcome.REJECTED, code="report.json", processed_at=timezone.now()
    )
    return receipt


def make_destination(name: str, team: Team | None = None, **fields: Any) -> Destination:
    """Store a mailbox that hears of incidents."""
    return Destination.objects.create(
        name=name,
        kind=DestinationKind.EMAIL,
        sealed_address=seal("soc@corp.example"),
        team=team,
        **fields,
    )


def at(text: str) -> datetime:
    """Give a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
