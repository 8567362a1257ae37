"""Fills an empty portal with the demo world, through the services real data goes through."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from accounts.audit import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.services.teams import create_team, set_role
from alerts.models import DestinationKind, Incident, Notification, RuleKind, Severity
from alerts.services import handle
from alerts.services.destinations import save_destination
from alerts.services.evaluate import evaluate
from domains.models import CoverageException, Domain
from domains.services.coverage_exceptions import grant_exceptions
from domains.services.import_domains import Row, import_domains
from domains.services.record_check import CONFIRM_AFTER, record_check
from reports.models import Channel, Intake
from reports.services.accept import Provenance, accept
from reports.services.process import process
from reports.services.roll_up import roll_up
from tlsrpt_portal.demo.observed import observe
from tlsrpt_portal.demo.report_documents import Document, documents
from tlsrpt_portal.demo.world import (
    DAYS,
    EXCEPTIONS,
    PEOPLE,
    REPORT_ADDRESS,
    TEAMS,
    DemoDomain,
    Trouble,
    Zone,
    domains,
)

logger = logging.getLogger(__name__)

# The first days have no figures before them to compare with.
EVALUATED_DAYS = 60
CHECKED_EVERY_DAYS = 6
OUR_RUA = (f"mailto:{REPORT_ADDRESS}",)
# Text, not `EmailMessage`: there are ten thousand of them, and all alike.
MAIL = """\
From: <{sender}>
To: <{to}>
TLS-Report-Domain: {domain}
TLS-Report-Submitter: {submitter}
Subject: Report Domain: {domain} Submitter: {submitter} Report-ID: <{day}.{domain}@{submitter}>
Message-ID: <{day}.{domain}@{submitter}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type="tlsrpt"; boundary="=_report"

--=_report
Content-Type: text/plain; charset=us-ascii

This is the TLS report of {organization} for {domain}.
--=_report
Content-Type: application/tlsrpt+json
Content-Disposition: attachment; filename="{submitter}!{domain}!{day}.json"

{body}
--=_report--
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was made."""

    domains: int
    reports: int
    incidents: int


def log_ins() -> str:
    """Make the world unless it is there, and give who can log in with which password.

    Raises CommandError where the portal holds something else.
    """
    note = Path(settings.DATA_DIR) / "demo-log-ins.txt"
    if not note.exists():
        password = secrets.token_urlsafe(9)
        logger.info("making the demo world; this takes some seconds")
        built = build(password)
        lines = [
            f"{built.domains} domains, {built.reports} reports, {built.incidents} incidents.",
            f"Log in with one of these and the password {password}",
            *(f"  {person.email}" for person in PEOPLE),
        ]
        note.write_text("\n".join(lines) + "\n")
    return note.read_text().strip()


def build(password: str, now: datetime | None = None) -> Built:
    """Make the world as of `now`; raises CommandError where the portal is not empty."""
    if Domain.objects.exists() or User.objects.exists():
        raise CommandError(
            "This portal has people or domains already. Give the demo a folder of its own: "
            "DATA_DIR=data/demo"
        )
    now = (now or timezone.now()).astimezone(UTC).replace(microsecond=0)
    with acting_as(None, "command", name="the demo"):
        with transaction.atomic():
            _make_people(password)
            _make_domains()
        reports = _make_reports(now)
        _make_destination()
        _grant_exceptions(now)
        _relive(now)
        _handle_incidents(now)
    return Built(
        domains=Domain.objects.count(),
        reports=reports,
        incidents=Incident.objects.count(),
    )


def _make_people(password: str) -> None:
    teams = {name: create_team(name) for name in TEAMS}
    for person in PEOPLE:
        user = User.objects.create_user(
            person.email,
            password,
            name=person.name,
            role_everywhere=person.role_everywhere,
            is_superuser=person.is_administrator,
        )
        if person.team:
            set_role(teams[person.team], user, Role(person.role))


def _make_domains() -> None:
    rows = [
        Row(
            line=number,
            domain=domain.name,
            team=domain.team,
            owner=domain.owner or None,
            tags=domain.tags or None,
        )
        for number, domain in enumerate(domains(), start=1)
    ]
    import_domains(rows, None)


def _checks(now: datetime) -> list[tuple[datetime, Domain, Zone]]:
    """Give what is checked when, oldest first.

    Each new state twice, as a change counts when it was seen again; between them some of the many
    regular checks, enough for nothing to look forgotten; and every domain in the last hours.
    """
    rows = {row.name: row for row in Domain.objects.all()}
    checks = []
    for domain in domains():
        row = rows[domain.name]
        for back, zone in domain.history:
            # Somebody changes a record in the morning, at another time for each domain.
            seen_at = (now - timedelta(days=back)).replace(hour=8, minute=row.pk % 60)
            checks += [(seen_at, row, zone), (seen_at + CONFIRM_AFTER, row, zone)]
        checks += [
            (now - timedelta(days=back, minutes=row.pk), row, domain.zone_at(back))
            for back in range(DAYS - CHECKED_EVERY_DAYS, 0, -CHECKED_EVERY_DAYS)
        ]
        checks.append((now - timedelta(minutes=5 + 7 * row.pk % 180), row, domain.zone))
    return sorted(checks, key=lambda check: check[0])


def _make_reports(now: datetime) -> int:
    intake = Intake.objects.create(name="All senders")
    count = 0
    for domain in domains():
        with transaction.atomic():
            for document in documents(domain, now.date()):
                accept(*_as_received(document, intake, now))
                count += 1
    with transaction.atomic():
        count += _make_oddities(now, intake)
    while process().receipts:
        pass
    while roll_up():
        pass
    return count


def _as_received(document: Document, intake: Intake, now: datetime) -> tuple[bytes, Provenance]:
    """Wrap a report the way its reporter sends it: by mail, or as a bare POST."""
    sent_at = datetime.combine(document.day + timedelta(days=1), time(4, 10), UTC)
    received_at = min(sent_at, now - timedelta(minutes=20))
    if document.reporter.sends_https:
        return document.body, Provenance(
            channel=Channel.HTTPS,
            intake_id=intake.pk,
            sender="198.51.100.7",
            received_at=received_at,
        )
    reporter = document.reporter
    mail = MAIL.format(
        sender=reporter.contact,
        to=REPORT_ADDRESS,
        submitter=reporter.host,
        organization=reporter.organization,
        domain=document.domain,
        day=document.day,
        body=document.body.decode("ascii"),
    )
    return mail.replace("\n", "\r\n").encode(), Provenance(
        channel=Channel.SMTP,
        sender=reporter.contact,
        recipient=REPORT_ADDRESS,
        received_at=received_at,
    )


def _make_oddities(now: datetime, intake: Intake) -> int:
    """Add what every portal meets: a domain nobody has entered, a cut report, a stray mail."""
    stranger = DemoDomain(
        name="aurelia-events.example",
        team="",
        history=domains()[0].history,
        daily_sessions=40,
        troubles=(Trouble(result_type="certificate-expired", from_day=3, to_day=1, share=0.1),),
        reports_from_day=12,
    )
    strangers = list(documents(stranger, now.date()))
    for document in strangers:
        accept(*_as_received(document, intake, now))
    cut = strangers[-1].body[:180]
    posted = Provenance(
        channel=Channel.HTTPS,
        intake_id=intake.pk,
        sender="198.51.100.23",
        received_at=now - timedelta(hours=9),
    )
    accept(cut, posted)
    note = EmailMessage()
    note["From"], note["To"] = "colleague@partner.example", REPORT_ADDRESS
    note["Subject"] = "Question about your TLS reports"
    note.set_content("Hello, is this address read by a person?")
    accept(
        note.as_bytes(),
        Provenance(
            channel=Channel.SMTP,
            sender="colleague@partner.example",
            recipient=REPORT_ADDRESS,
            received_at=now - timedelta(hours=30),
        ),
    )
    return len(strangers)


def _make_destination() -> None:
    save_destination(
        User.objects.get(email=PEOPLE[0].email),
        name="Mail team",
        kind=DestinationKind.EMAIL,
        address="mail-team@aurelia.example",
        team=None,
        minimum_severity=Severity.MEDIUM,
    )


def _relive(now: datetime) -> None:
    """Check and evaluate day by day, as the beat would have done."""
    Domain.objects.update(created_at=now - timedelta(days=DAYS + 1))
    waiting = _checks(now)
    for back in range(DAYS, -1, -1):
        morning = datetime.combine(now.date() - timedelta(days=back), time(6, 5), UTC)
        moment = min(morning, now) if back else now
        with transaction.atomic():
            while waiting and waiting[0][0] <= moment:
                at, row, zone = waiting.pop(0)
                record_check(row, observe(row.name, zone, at, now.date()), at, OUR_RUA)
            if back <= EVALUATED_DAYS:
                evaluate(moment)
    # The history was not really mailed; nothing of it may leave now.
    for message in Notification.objects.filter(delivered_at=None).select_related("event"):
        message.delivered_at = message.event.at + timedelta(seconds=20)
        message.save(update_fields=["delivered_at"])


def _grant_exceptions(now: datetime) -> None:
    """Let managers except what cannot have records, some time ago."""
    for planned in EXCEPTIONS:
        manager = User.objects.get(email=planned.approver)
        with acting_as(manager, "web"):
            grant_exceptions(
                Domain.objects.filter(name__in=planned.domains),
                manager,
                lacks=planned.lacks,
                reason=planned.reason,
                expires_on=timezone.now().date() + timedelta(days=30),
            )
        made = CoverageException.objects.filter(
            domain__name__in=planned.domains, lack__in=planned.lacks
        )
        made.update(
            starts_on=now.date() - timedelta(days=planned.from_day),
            expires_on=now.date() + timedelta(days=planned.days_left),
            granted_at=now - timedelta(days=planned.from_day),
        )


def _handle_incidents(now: datetime) -> None:
    """Let people do what people do with incidents."""
    retail = User.objects.get(email="retail@aurelia.example")
    admin = User.objects.get(email=PEOPLE[0].email)
    for incident in Incident.objects.active():
        if incident.result_type == "certificate-expired":
            handle.acknowledge(incident, retail, "The provider is told; their ticket is HL-20931.")
        elif incident.rule.kind == RuleKind.COVERAGE and incident.team is not None:
            if incident.team.name == "Labs":
                until = now + timedelta(days=45)
                handle.accept_risk(incident, admin, until, "Test domains; reviewed each quarter.")
            elif incident.team.name == "Retail Brands":
                handle.acknowledge(incident, retail, "The DNS change is planned for December.")
