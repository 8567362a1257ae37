"""What arrived, what it said, and the daily figures made from it."""

from __future__ import annotations

import secrets
import zlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.access import Person, sees_everything, visible_to
from accounts.models import Team
from domains.models import Domain
from mailtls.names import display_name
from mailtls.report.notes import HELD_BACK, IN_FUTURE
from reports import sum_models  # noqa: F401 — found here by Django, kept there

# One figure at most when figures are added up. A report may claim 2^53 sessions in each of ten
# thousand entries; sums of that end in an overflow, and with it the figures of everybody.
MOST_SESSIONS = 10**12


class Channel(models.TextChoices):
    """By which door something came in."""

    HTTPS = "https", "HTTPS"
    SMTP = "smtp", "Mail receiver"
    IMAP = "imap", "Mailbox"
    UPLOAD = "upload", "Upload"
    COMMAND = "command", "Command line"


class Trust(models.TextChoices):
    """How sure it is that the named sender sent it."""

    DKIM_MAIL = "dkim-mail", "DKIM-verified mail"
    UNSIGNED_MAIL = "unsigned-mail", "Unsigned mail"
    ANONYMOUS_HTTPS = "anonymous-https", "Anonymous HTTPS"
    UPLOAD = "upload", "Uploaded by a person"


class Outcome(models.TextChoices):
    """What became of something that arrived."""

    PENDING = "pending", "Waiting"
    ACCEPTED = "accepted", "Accepted"
    DUPLICATE = "duplicate", "Known already"
    REJECTED = "rejected", "Could not be read"
    NOT_A_REPORT = "not-a-report", "Not a TLS report"


class PolicyKind(models.TextChoices):
    """The policy types of RFC 8460 section 4.4; the kernel's words."""

    STS = "sts", "MTA-STS"
    TLSA = "tlsa", "DANE"
    NO_POLICY_FOUND = "no-policy-found", "No policy"
    OTHER = "other", "Other"


def new_intake_key() -> str:
    """Give a key that cannot be guessed and works in a URL and before an @ (lower case only)."""
    return secrets.token_hex(16)


class Intake(models.Model):
    """An unguessable address that reporters send to: `/tlsrpt/<key>` and `<key>@…`."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="intakes"
    )
    key = models.CharField(max_length=64, unique=True, default=new_intake_key)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # Brought up to date when receipts are processed, not while a reporter waits.
    last_used_at = models.DateTimeField(null=True, blank=True)
    received = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Give the path a reporter posts to."""
        return f"/tlsrpt/{self.key}"


class MailSecurity(models.TextChoices):
    """How a connection to a mailbox is encrypted."""

    TLS = "tls", "TLS"
    STARTTLS = "starttls", "STARTTLS"
    NONE = "none", "Not encrypted"


class Mailbox(models.Model):
    """A mailbox that reports are fetched from by IMAP, and how far that has come."""

    name = models.CharField(max_length=100, unique=True)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="mailboxes"
    )
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=993)
    security = models.CharField(
        max_length=8, choices=MailSecurity.choices, default=MailSecurity.TLS
    )
    username = models.CharField(max_length=254)
    # JSON, sealed: a password, or what an OAuth 2 access token is made from.
    secret = models.BinaryField()
    folder = models.CharField(max_length=200, default="INBOX")
    done_folder = models.CharField(max_length=200, blank=True)
    failed_folder = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    # Mail up to this UID has been stored, as long as the folder has this UIDVALIDITY.
    uid_validity = models.PositiveBigIntegerField(default=0)
    last_uid = models.PositiveBigIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, editable=False)
    polled_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "mailboxes"

    def __str__(self) -> str:
        return self.name


class RawReport(models.Model):
    """Bytes as they arrived. The same bytes twice are one row with two receipts."""

    sha256 = models.CharField(max_length=64)
    body = models.BinaryField()  # compressed by us, whatever it was before
    size_bytes = models.PositiveIntegerField()
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        # accept: the same bytes are kept once. (unique=True would add a second index for LIKE.)
        constraints = [models.UniqueConstraint(fields=("sha256",), name="raw_once")]
        indexes = [
            # Retention, oldest first.
            models.Index(fields=("received_at",), name="raw_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes {self.sha256[:12]}"

    @property
    def content(self) -> bytes:
        """Give the bytes as they arrived."""
        return zlib.decompress(self.body)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """The questions asked of receipts."""

    def visible_to(self, user: Person) -> ReceiptQuerySet:
        """Narrow to what came in by intakes of this person's teams."""
        return visible_to(user, self, "intake__team")  # type: ignore[return-value]


class Receipt(models.Model):
    """One arrival: when, by which door, from whom, and what became of it."""

    # None once retention has let the bytes go.
    raw = models.ForeignKey(
        RawReport, on_delete=models.SET_NULL, null=True, related_name="receipts"
    )
    channel = models.CharField(max_length=8, choices=Channel.choices)
    received_at = models.DateTimeField(default=timezone.now)
    intake = models.ForeignKey(
        Intake,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="receipts",
        db_index=False,  # receipt_of_intake begins with it
    )
    sender = models.CharField(max_length=320, blank=True)  # envelope sender, or client address
    recipient = models.CharField(max_length=320, blank=True)
    file_name = models.CharField(max_length=500, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Empty until processed: what kind of thing arrived is known by then.
    trust = models.CharField(max_length=16, choices=Trust.choices, blank=True)
    signed_by = models.CharField(max_length=253, blank=True)  # domain of the DKIM signature
    claimed_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.PENDING)
    # Why it was rejected or what it is, as a code of the catalogue with its parameters.
    code = models.CharField(max_length=60, blank=True)
    params = models.JSONField(default=dict)
    # A person lets it count whatever REPORT_TRUST says.
    is_released = models.BooleanField(default=False)
    # The reader that it was last read by (reports.reading.READER_VERSION); 0: none we know of.
    reader_version = models.PositiveSmallIntegerField(default=0)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        indexes = [
            # process: what is waiting, oldest first; the health check: its age.
            models.Index(
                fields=("received_at",), condition=Q(processed_at=None), name="receipt_waiting"
            ),
            # The inbox: what could not be read, newest first.
            models.Index(fields=("outcome", "-received_at"), name="receipt_by_outcome"),
            # The rate limit, and the page of an intake.
            models.Index(fields=("intake", "received_at"), name="receipt_of_intake"),
            # reread: what an older reader could not read.
            models.Index(
                fields=("reader_version",),
                condition=Q(outcome="rejected"),
                name="receipt_unread_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.received_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_held_back(self) -> bool:
        """Say whether it waits for a person to let it count."""
        return self.code in (HELD_BACK, IN_FUTURE)


class ReportQuerySet(models.QuerySet["Report"]):
    """The questions asked of reports."""

    def visible_to(self, user: Person) -> ReportQuerySet:
        """Narrow to reports with a result for a domain this person may see."""
        if sees_everything(user):
            return self
        results = visible_to(user, PolicyResult.objects.all(), "domain__team")
        return self.filter(pk__in=results.values("report"))


class Report(models.Model):
    """One aggregate report, whatever number of times it arrived."""

    content_sha256 = models.CharField(max_length=64)  # of the unpacked JSON
    organization_name = models.CharField(max_length=500)
    submitter = models.CharField(max_length=253, blank=True)
    # By which name its figures are grouped: the organisation, else the submitter.
    reporter = models.CharField(max_length=200)
    report_id = models.CharField(max_length=500)
    contact_info = models.CharField(max_length=500, blank=True)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    day = models.DateField()  # the day it starts on, UTC
    received_at = models.DateTimeField()
    trust = models.CharField(max_length=16, choices=Trust.choices)  # the best of its receipts
    warnings = models.JSONField(default=list)
    document = models.BinaryField()  # the JSON text as received, compressed
    first_receipt = models.ForeignKey(
        Receipt, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Digest of (submitter, organization-name, report-id, range, domains); empty when unknown.
    identity = models.CharField(max_length=64, blank=True)
    # The earlier report with the same identity and other content. That one counts, not this.
    conflicts_with = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="conflicting"
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ("-day", "-id")
        # store: the same document is one report, by whatever doors it came.
        constraints = [models.UniqueConstraint(fields=("content_sha256",), name="report_once")]
        indexes = [
            # The list of reports, newest first; retention.
            models.Index(fields=("-day", "-id"), name="report_newest"),
            # The list filtered by reporter.
            models.Index(fields=("reporter", "-day"), name="report_by_reporter"),
            # store: is the identity of a new document taken?
            models.Index(fields=("identity",), condition=~Q(identity=""), name="report_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.reporter} {self.day:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("report", args=(self.pk,))

    def is_whole_for(self, user: Person) -> bool:
        """Say whether this person may see all that the report tells of."""
        if sees_everything(user):
            return True
        seen = visible_to(user, self.results.order_by(), "domain__team")
        return not self.results.exclude(pk__in=seen.values("pk")).exists()

    @property
    def json_text(self) -> bytes:
        """Give the document as it was received, unpacked."""
        return zlib.decompress(self.document)


class UnfiledMail(models.Model):
    """A mail that is to be moved within its mailbox once it is known what it was."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="unfiled")
    receipt = models.OneToOneField(Receipt, on_delete=models.CASCADE, related_name="+")
    uid_validity = models.PositiveBigIntegerField()
    uid = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.mailbox_id}/{self.uid}"


class ReportReceipt(models.Model):
    """Which arrival delivered which report, and whether it was the first."""

    receipt = models.ForeignKey(
        Receipt, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="deliveries")
    position = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices)

    class Meta:
        # A receipt holds each of its documents once; processing it again changes nothing.
        constraints = [
            models.UniqueConstraint(fields=("receipt", "position"), name="delivery_once")
        ]

    def __str__(self) -> str:
        return f"report {self.report_id} by receipt {self.receipt_id}: {self.outcome}"


# As PolicyResult.failed_sessions: the details count where the summary leaves failures out.
HAS_FAILED = Q(failures__gt=0) | Q(failures=None, failures_in_details__gt=0)


class PolicyResult(models.Model):
    """What a report says happened under one policy. Counts are None where it leaves them out."""

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="results", db_index=False
    )
    position = models.PositiveIntegerField()
    policy_type = models.CharField(max_length=16, choices=PolicyKind.choices)
    policy_type_raw = models.CharField(max_length=100, blank=True)
    policy_domain = models.CharField(max_length=253, blank=True)
    # None: not in the inventory.
    domain = models.ForeignKey(
        Domain,
        on_delete=models.SET_NULL,
        null=True,
        related_name="policy_results",
        db_index=False,  # result_of_day begins with it
    )
    day = models.DateField()
    reporter = models.CharField(max_length=200)
    successes = models.PositiveBigIntegerField(null=True)
    failures = models.PositiveBigIntegerField(null=True)
    failures_in_details = models.PositiveBigIntegerField(default=0)
    # Whether its sessions count: never sts and tlsa both (see mailtls.report.counted_types).
    is_counted = models.BooleanField()
    policy_strings = models.JSONField(default=list)
    mx_hosts = models.JSONField(default=list)

    class Meta:
        ordering = ("report", "position")
        constraints = [models.UniqueConstraint(fields=("report", "position"), name="result_once")]
        indexes = [
            # roll_up: all results of a domain and day. The list of the reports on some domains: on
            # PostgreSQL this holds what it asks, too (migration 0014).
            models.Index(fields=("domain", "day"), name="result_of_day"),
            # The list of reports that tell of failures. On PostgreSQL it holds what else is asked;
            # there an index of blocks by day and one of reports with warnings serve the same list
            # (migration 0026).
            models.Index(
                fields=("-day", "-report", "domain"), condition=HAS_FAILED, name="result_failing"
            ),
            # unmanaged_domains; attribute: results that wait for their domain.
            models.Index(
                fields=("policy_domain",), condition=Q(domain=None), name="result_unmanaged"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_type} for {self.policy_domain or 'an unnamed domain'}"

    @property
    def display_domain(self) -> str:
        """Give the domain that is named, as people read it."""
        return display_name(self.policy_domain)

    @property
    def failed_sessions(self) -> int:
        """Give the failures that count: the summary's total, else what the details add up to."""
        return self.failures_in_details if self.failures is None else self.failures

    @property
    def sessions(self) -> int:
        """Give successes and failures together."""
        return (self.successes or 0) + self.failed_sessions


class FailureDetail(models.Model):
    """One cause of failed sessions, as the reporter names it."""

    result = models.ForeignKey(
        PolicyResult, on_delete=models.CASCADE, related_name="details", db_index=False
    )
    position = models.PositiveIntegerField()
    result_type = models.CharField(max_length=64)
    result_type_raw = models.CharField(max_length=500)
    failed_sessions = models.PositiveBigIntegerField(null=True)
    sending_mta_ip = models.CharField(max_length=100, blank=True)
    receiving_mx_hostname = models.CharField(max_length=253, blank=True)
    receiving_mx_helo = models.CharField(max_length=500, blank=True)
    receiving_ip = models.CharField(max_length=100, blank=True)
    additional_information = models.TextField(blank=True)
    failure_reason_code = models.TextField(blank=True)

    class Meta:
        ordering = ("result", "position")
        constraints = [models.UniqueConstraint(fields=("result", "position"), name="detail_once")]
        indexes = [
            # evidence: the newest of a cause, and of a cause at one MX. On PostgreSQL the first
            # holds the result as well (migration 0018).
            models.Index(fields=("result_type", "-id"), name="detail_of_type"),
            models.Index(
                fields=("receiving_mx_hostname", "result_type", "-id"), name="detail_of_mx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.failed_sessions} x {self.result_type}"


class DailySessions(models.Model):
    """Sessions of a domain on a day, by reporter and policy type. Made by roll_up alone."""

    # The next roll-up removes what a deleted domain leaves, and takes it out of the sums.
    domain = models.ForeignKey(
        Domain,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="daily_sessions",
        db_index=False,
    )
    day = models.DateField()
    reporter = models.CharField(max_length=200)
    policy_type = models.CharField(max_length=16, choices=PolicyKind.choices)
    successes = models.PositiveBigIntegerField()
    failures = models.PositiveBigIntegerField()
    # The part that counts as sessions; zero where another policy type of the report does.
    counted_successes = models.PositiveBigIntegerField()
    counted_failures = models.PositiveBigIntegerField()
    reports = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "daily sessions"
        # Also the charts of one domain, its reporters, and when it was last reported on.
        constraints = [
            models.UniqueConstraint(
                fields=("domain", "day", "reporter", "policy_type"), name="sessions_once"
            )
        ]
        indexes = [
            # daily_figures, totals, by_reporter: a span of days over many domains.
            models.Index(fields=("day", "domain"), name="sessions_by_day"),
            # failures_by_reporter, and what alerts look at: the few rows that tell of failures. On
            # PostgreSQL this, the next, failures_once and failures_of_type hold what is
            # added up, too (migrations 0009 and 0014).
            models.Index(
                fields=("day", "domain"),
                condition=Q(counted_failures__gt=0),
                name="sessions_failing",
            ),
            # failures_by_reporter of some domains.
            models.Index(
                fields=("domain", "day"),
                condition=Q(counted_failures__gt=0),
                name="sessions_failing_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.day} {self.reporter} {self.policy_type}"


class DailyFailures(models.Model):
    """Failed sessions of a domain on a day, by cause, MX and reporter. Made by roll_up alone."""

    # The next roll-up removes what a deleted domain leaves, and takes it out of the sums.
    domain = models.ForeignKey(
        Domain,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="daily_failures",
        db_index=False,
    )
    day = models.DateField()
    result_type = models.CharField(max_length=64)
    receiving_mx = models.CharField(max_length=253, blank=True)
    # The operator of that host (see ReceivingHost); empty where none is named.
    operator = models.CharField(max_length=253, blank=True)
    reporter = models.CharField(max_length=200)
    failed_sessions = models.PositiveBigIntegerField()
    counted_failed_sessions = models.PositiveBigIntegerField()

    class Meta:
        verbose_name_plural = "daily failures"
        # Also the causes on one domain's page.
        constraints = [
            models.UniqueConstraint(
                fields=("domain", "day", "result_type", "receiving_mx", "reporter"),
                name="failures_once",
            )
        ]
        indexes = [
            # causes_by_operator: a span of days over many domains.
            models.Index(fields=("day", "domain"), name="failures_by_day"),
            # parts_by_domain: one cause over many domains, and at one host.
            models.Index(fields=("result_type", "day"), name="failures_of_type"),
            models.Index(fields=("receiving_mx", "result_type", "day"), name="failures_at_mx"),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.day} {self.result_type}"


class ReceivingHost(models.Model):
    """A receiving MX that reporters named, and who runs it. Made by roll_up alone."""

    name = models.CharField(max_length=253, primary_key=True)
    # Its registrable domain, by domains.operators.operator_of.
    operator = models.CharField(max_length=253)

    class Meta:
        # evidence: the hosts of an operator.
        indexes = [models.Index(fields=("operator", "name"), name="host_of_operator")]

    def __str__(self) -> str:
        return self.name


class DirtyDay(models.Model):
    """A domain's day whose daily figures are out of date.

    Written in the transaction that changes results, never looked up, and removed by the roll_up
    that has seen those results. Several rows for one day are normal.
    """

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    is_claimed = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # The deletion of a domain.
            models.Index(fields=("domain",), name="dirty_of_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.day}"
