"""The inventory, what checks saw, the current posture, changes, and hosted policies."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.access import Person, visible_to
from accounts.models import Team, User
from domains.lacks import Lack
from mailtls.changes import CERTIFICATE_ASPECTS
from mailtls.names import display_name


class Status(models.TextChoices):
    """What is known of one aspect of a domain; the kernel's words."""

    VALID = "valid", "Valid"
    MISSING = "missing", "Missing"
    INVALID = "invalid", "Invalid"
    UNKNOWN = "unknown", "Unknown"
    NOT_CHECKED = "not-checked", "Not checked"
    NULL_MX = "null-mx", "No mail (null MX)"


class StsMode(models.TextChoices):
    """The mode of an MTA-STS policy (RFC 8461 section 3.2)."""

    ENFORCE = "enforce", "Enforce"
    TESTING = "testing", "Testing"
    NONE = "none", "None"


# The deed in the audit log by which it is known that a domain was there; see alerts.readers.
DELETED = "deleted domain"
# Stands in addresses for the domains whose MX hosts belong to no known provider.
NO_PROVIDER = "none"


def provider_named(word: str) -> str:
    """Give a provider as domains hold it, from the word for it in addresses."""
    return "" if word == NO_PROVIDER else word


# A domain that takes mail and has a policy that senders use; and the mode of it, empty for others.
USES_POLICY = Q(mta_sts=Status.VALID) & ~Q(mx=Status.NULL_MX)
USED_MODE = Case(When(USES_POLICY, then="sts_mode"), default=Value(""))


MOST_TAG_CHARS = 50
MOST_REASON_CHARS = 1_000  # of an exception, and of its end


class Tag(models.Model):
    """A word by which domains are grouped across teams."""

    name = models.CharField(max_length=MOST_TAG_CHARS, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class DomainQuerySet(models.QuerySet["Domain"]):
    """The questions asked of the inventory."""

    def visible_to(self, user: Person) -> DomainQuerySet:
        """Narrow to what this person may see."""
        return visible_to(user, self)  # type: ignore[return-value]

    def active(self) -> DomainQuerySet:
        """Narrow to domains that are watched."""
        return self.filter(is_active=True)

    def in_mode(self, mode: StsMode) -> DomainQuerySet:
        """Narrow to domains that take mail and have a policy of this mode that senders use."""
        return self.filter(USES_POLICY, sts_mode=mode)

    def of_team_named(self, name: str) -> DomainQuerySet:
        """Narrow to the domains of the team with this name; of no team where it is empty."""
        return self.filter(team__name__iexact=name) if name else self.filter(team=None)

    def of_provider(self, provider: str) -> DomainQuerySet:
        """Narrow to domains whose MX hosts are this provider's, or no known one's."""
        return self.filter(mx_provider=provider_named(provider))

    def due(self, now: datetime) -> DomainQuerySet:
        """Narrow to watched domains whose next check is due, longest overdue first."""
        return self.active().filter(next_check_at__lte=now).order_by("next_check_at")


# The columns of a domain that repeat its posture, and the orders of the list that they serve.
LISTED = (
    "tlsrpt",
    "mta_sts",
    "sts_mode",
    "dane",
    "starttls",
    "mx",
    "mx_provider",
    "has_uncovered_mx",
    "errors",
    "unknown_since",
)
_ORDERS: dict[str, tuple[str, ...]] = {
    "name": (),
    "tlsrpt": ("tlsrpt",),
    "sts": ("mta_sts", "sts_mode"),
    "dane": ("dane",),
    "provider": ("mx_provider",),
}


class Domain(models.Model):
    """A mail domain the organisation owns. `name` is the A-label form, lower case, no dot at the
    end."""

    name = models.CharField(max_length=253, unique=True)
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="domains"
    )
    owner = models.EmailField(blank=True, help_text="Who hears of problems besides the team.")
    tags = models.ManyToManyField(Tag, blank=True, related_name="domains")
    notes = models.TextField(blank=True)
    is_active = models.BooleanField(default=True, help_text="Checked, reported on and alerted on.")
    check_every_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    next_check_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What its posture says in a word, once more: lists are put in order by an index, which has
    # columns of one table only, and a fleet is counted without a look at each posture. Written with
    # the posture (see LISTED); empty before the first check.
    tlsrpt = models.CharField(max_length=12, blank=True, editable=False)
    mta_sts = models.CharField(max_length=12, blank=True, editable=False)
    sts_mode = models.CharField(max_length=8, blank=True, editable=False)
    dane = models.CharField(max_length=12, blank=True, editable=False)
    starttls = models.CharField(max_length=12, blank=True, editable=False)
    mx = models.CharField(max_length=12, blank=True, editable=False)
    mx_provider = models.CharField(max_length=60, blank=True, editable=False)
    has_uncovered_mx = models.BooleanField(default=False, editable=False)
    errors = models.PositiveSmallIntegerField(default=0, editable=False)
    unknown_since = models.DateTimeField(null=True, editable=False)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        indexes = [
            # Which domains are due: asked by the beat every minute.
            models.Index(fields=("next_check_at",), condition=Q(is_active=True), name="domain_due"),
            # A team's domains in the order of the list.
            models.Index(fields=("team", "name"), name="domain_of_team"),
            # The list of watched domains: narrowed to a state or provider, or in its order, and how
            # long it is. The keys of a page, also of the last one, come from the index alone.
            *(
                models.Index(
                    fields=(*fields, "name", "id"),
                    condition=Q(is_active=True),
                    name=f"domain_by_{key}",
                )
                for key, fields in _ORDERS.items()
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the address of the domain's page; a row of a list asks for it several times."""
        return self._address

    @cached_property
    def _address(self) -> str:
        return reverse("domains:detail", args=[self.name])

    @property
    def display_name(self) -> str:
        """Give the name as people read it."""
        return display_name(self.name)

    @property
    def last_posture(self) -> Posture | None:
        """Give what the newest checks saw, None before the first one."""
        return getattr(self, "posture", None)

    @property
    def check_interval(self) -> timedelta:
        """Give the time between two checks."""
        return timedelta(hours=self.check_every_hours or settings.CHECK_INTERVAL_HOURS)


class Posture(models.Model):
    """The current state of one domain: what the newest checks saw, judged.

    An aspect that could not be found out keeps its last known status; `unknown_since` then says
    since when the checks see nothing.
    """

    domain = models.OneToOneField(
        Domain, on_delete=models.CASCADE, primary_key=True, related_name="posture"
    )
    checked_at = models.DateTimeField()
    # The last check that could find out TLSRPT, MTA-STS and MX.
    known_at = models.DateTimeField(null=True)
    unknown_since = models.DateTimeField(null=True)
    unknown_aspects = models.JSONField(default=list)
    tlsrpt = models.CharField(max_length=12, choices=Status.choices, default=Status.UNKNOWN)
    mta_sts = models.CharField(max_length=12, choices=Status.choices, default=Status.UNKNOWN)
    sts_mode = models.CharField(max_length=8, choices=StsMode.choices, blank=True)
    mx = models.CharField(max_length=12, choices=Status.choices, default=Status.UNKNOWN)
    dane = models.CharField(max_length=12, choices=Status.choices, default=Status.UNKNOWN)
    starttls = models.CharField(max_length=12, choices=Status.choices, default=Status.NOT_CHECKED)
    mx_provider = models.CharField(max_length=60, blank=True)
    # Some MX host is named by no `mx` line of the policy: under enforce, its mail is refused.
    has_uncovered_mx = models.BooleanField(default=False)
    errors = models.PositiveSmallIntegerField(default=0)
    warnings = models.PositiveSmallIntegerField(default=0)
    # The kernel's judgement in the form of `checkdomain --json`, for the pages.
    judgement = models.JSONField(default=dict)
    # The kernel's observation as encoded bytes: judged again after an upgrade, without network.
    observed = models.BinaryField(default=b"")
    # What the newest check knows (mailtls.facts.Facts, encoded), and the state that two checks in a
    # row have seen: changes are told against the latter.
    facts = models.BinaryField(default=b"")
    confirmed_facts = models.BinaryField(default=b"")

    class Meta:
        indexes = [
            # The coverage strip and the filters of the domain list.
            models.Index(fields=("mta_sts", "sts_mode"), name="posture_sts"),
            models.Index(fields=("tlsrpt",), name="posture_tlsrpt"),
            models.Index(fields=("mx_provider",), name="posture_provider"),
        ]

    def __str__(self) -> str:
        return f"posture of {self.domain_id} at {self.checked_at:%Y-%m-%d %H:%M}"

    @property
    def listed(self) -> dict[str, object]:
        """Give the columns of the domain that repeat this posture; written together with it."""
        return {name: getattr(self, name) for name in LISTED}


class StateSpan(models.Model):
    """What a domain published at the end of each day (UTC), from one day to another.

    `last_day` is None while it still does; days before the first check are in no span. `sts` is the
    mode where a policy stands that senders use, else the status of MTA-STS.
    """

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="state_spans")
    first_day = models.DateField()
    last_day = models.DateField(null=True)
    tlsrpt = models.CharField(max_length=12)
    sts = models.CharField(max_length=12)
    dane = models.CharField(max_length=12)

    class Meta:
        constraints = [
            # record_check: what a domain publishes now. Spans never overlap.
            models.UniqueConstraint(
                fields=("domain",), condition=Q(last_day=None), name="span_one_open"
            ),
            models.UniqueConstraint(fields=("domain", "first_day"), name="span_once"),
        ]
        indexes = [
            # The coverage by day: what ended since a day.
            models.Index(fields=("last_day",), name="span_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} from {self.first_day}"


class CheckRun(models.Model):
    """One check of one domain: when, how long, what each aspect was."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="check_runs")
    checked_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    tlsrpt = models.CharField(max_length=12, choices=Status.choices)
    mta_sts = models.CharField(max_length=12, choices=Status.choices)
    mx = models.CharField(max_length=12, choices=Status.choices)
    dane = models.CharField(max_length=12, choices=Status.choices)
    starttls = models.CharField(max_length=12, choices=Status.choices)
    has_changed = models.BooleanField(default=False)

    class Meta:
        ordering = ("-checked_at",)
        # A domain's history, newest first.
        indexes = [models.Index(fields=("domain", "-checked_at"), name="checkrun_of_domain")]

    def __str__(self) -> str:
        return f"check of {self.domain_id} at {self.checked_at:%Y-%m-%d %H:%M}"


class RecordKind(models.TextChoices):
    """What a domain publishes and we keep every version of."""

    TLSRPT = "tlsrpt", "TLSRPT record"
    MTA_STS = "mta-sts", "MTA-STS record"
    POLICY = "policy", "MTA-STS policy"
    MX = "mx", "MX set"


class RecordVersion(models.Model):
    """One version of a record, policy or MX set, from the check that first saw it.

    `replaced_at` is None for the version that is live; an empty `content` means: not published.
    """

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="record_versions")
    kind = models.CharField(max_length=8, choices=RecordKind.choices)
    content = models.TextField(blank=True)
    first_seen_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-first_seen_at",)
        indexes = [
            # The newest version of each kind, and the history on the domain's page.
            models.Index(fields=("domain", "kind", "-first_seen_at"), name="version_of_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.domain_id} from {self.first_seen_at:%Y-%m-%d}"


# A certificate that ended a time in which senders refused the host (mailtls.changes).
REPLACED_LATE = Q(aspect__in=CERTIFICATE_ASPECTS, severity="warning")


class StateChange(models.Model):
    """A change between two checks: an outbox that alerts are made from.

    It counts once `confirmed_at` is set: a second check saw the same. Renewed certificates count at
    once.
    """

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="state_changes")
    # The aspect that changed (one of a posture's, or sts_cert or mx_cert) and which fact of it.
    aspect = models.CharField(max_length=8)
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=8)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    findings = models.JSONField(default=list)
    seen_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-seen_at",)
        indexes = [
            # The marks on a domain's chart and its timeline.
            models.Index(fields=("domain", "-seen_at"), name="change_of_domain"),
            # The marks on the charts of a fleet.
            models.Index(
                fields=("-seen_at",),
                condition=Q(confirmed_at__isnull=False),
                name="change_newest",
            ),
            # The marks of certificates there: few among many renewals.
            models.Index(
                fields=("-seen_at",),
                condition=REPLACED_LATE & Q(confirmed_at__isnull=False),
                name="change_replaced_late",
            ),
            # What alerts have not looked at yet.
            models.Index(
                fields=("confirmed_at",),
                condition=Q(claimed_at=None, confirmed_at__isnull=False),
                name="change_unclaimed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.domain_id}"


class HostedPolicy(models.Model):
    """An MTA-STS policy that the portal serves for a domain; the newest revision is live."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="hosted_policies")
    mode = models.CharField(max_length=8, choices=StsMode.choices)
    mx = models.JSONField(default=list)
    max_age_s = models.PositiveIntegerField()
    # The `id` to publish in the TXT record: new for each revision (RFC 8461 section 8.1).
    policy_id = models.CharField(max_length=32)
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-published_at", "-id")
        verbose_name_plural = "hosted policies"
        indexes = [models.Index(fields=("domain", "-published_at"), name="hosted_newest")]

    def __str__(self) -> str:
        return f"{self.mode} policy of {self.domain_id}, id {self.policy_id}"


class CoverageExceptionQuerySet(models.QuerySet["CoverageException"]):
    """The questions asked of exceptions."""

    def visible_to(self, user: Person) -> CoverageExceptionQuerySet:
        """Narrow to those of domains this person may see."""
        return visible_to(user, self, "domain__team")  # type: ignore[return-value]

    def running_on(self, day: date) -> CoverageExceptionQuerySet:
        """Narrow to those that held at the end of this day (UTC)."""
        return self.filter(_not_ended(day), starts_on__lte=day, expires_on__gte=day)

    def expired_on(self, day: date) -> CoverageExceptionQuerySet:
        """Narrow to those that ran out before this day and that nobody renewed or ended."""
        expired = self.filter(expires_on__lt=day, ended_on=None, renewal=None)
        return expired.without_wider(day)

    def without_wider(self, day: date) -> CoverageExceptionQuerySet:
        """Leave out those whose end changes nothing: a wider one, that runs on this day, lasts
        longer."""
        wider = CoverageException.objects.running_on(day).filter(
            domain=OuterRef("domain"), lack=Lack.MTA_STS, expires_on__gt=OuterRef("expires_on")
        )
        return self.exclude(Exists(wider), lack=Lack.ENFORCE)


class CoverageException(models.Model):
    """One approval: this domain may lack something, for a reason, until a day.

    Never changed but by its end: to renew is to grant the next one, so that each day of the past
    keeps the approval that held on it.
    """

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="exceptions")
    lack = models.CharField(max_length=8, choices=Lack.choices)
    reason = models.TextField(max_length=MOST_REASON_CHARS)
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Kept when the people are gone.
    approver_name = models.CharField(max_length=254)
    granted_by_name = models.CharField(max_length=254)
    granted_at = models.DateTimeField(default=timezone.now)
    starts_on = models.DateField()
    # The last day it holds.
    expires_on = models.DateField()
    # The first day it holds no longer, where it was ended or renewed before its time.
    ended_on = models.DateField(null=True)
    ended_by_name = models.CharField(max_length=254, blank=True)
    end_reason = models.TextField(blank=True, max_length=MOST_REASON_CHARS)
    renews = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, related_name="renewal"
    )

    objects = CoverageExceptionQuerySet.as_manager()

    class Meta:
        ordering = ("expires_on", "domain__name")
        indexes = [
            # What runs on a day; past ones are many more than running ones.
            models.Index(fields=("expires_on", "starts_on"), name="exception_running"),
        ]

    def __str__(self) -> str:
        return f"{self.get_lack_display()} at {self.domain}"

    def get_absolute_url(self) -> str:
        """Give the address of the exception's page."""
        return reverse("coverage:exception", args=[self.pk])

    @property
    def is_renewed(self) -> bool:
        """Say whether a later approval took its place."""
        return getattr(self, "renewal", None) is not None

    @property
    def lacks(self) -> bool:
        """Say whether the domain lacks it today, as `with_lacking` has found out."""
        return bool(getattr(self, "is_lacking", False))

    def is_running(self, day: date) -> bool:
        """Say whether it holds at the end of this day (UTC)."""
        is_open = self.ended_on is None or self.ended_on > day
        return is_open and self.starts_on <= day <= self.expires_on


def _not_ended(day: date) -> Q:
    return Q(ended_on=None) | Q(ended_on__gt=day)


class ImportPhase(models.TextChoices):
    """How far an import is. Lines are first tried, then, once a person says so, taken."""

    TRYING = "trying", "Reading"
    TRIED = "tried", "Waiting for you"
    TAKING = "taking", "Running"
    DONE = "done", "Done"


class ImportOutcome(models.TextChoices):
    """What becomes, or became, of a line."""

    CREATED = "created", "Added"
    UPDATED = "updated", "Changed"
    EXISTS = "exists", "There already"
    REJECTED = "rejected", "Refused"


# An outcome, and its reason or what changes.
Fate = tuple[str, str]


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """The questions asked of imports."""

    def visible_to(self, user: Person) -> ImportJobQuerySet:
        """Narrow to the person's own; administrators see all."""
        if isinstance(user, User) and user.is_active:
            return self if user.is_superuser else self.filter(user=user)
        return self.none()

    def unfinished(self) -> ImportJobQuerySet:
        """Narrow to those that a worker has something to do for, oldest first."""
        return self.filter(phase__in=WORKING).order_by("pk")


WORKING = (ImportPhase.TRYING, ImportPhase.TAKING)


class ImportJob(models.Model):
    """An import of domains: the record of what was sent, how far it is, and what became of it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Kept when the person is gone.
    user_name = models.CharField(max_length=254)
    source = models.CharField(max_length=200)
    # Of lines that name no team.
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    # As the preview names it: where that team is gone, it no longer holds.
    team_name = models.CharField(max_length=100, blank=True)
    phase = models.CharField(max_length=6, choices=ImportPhase.choices, default=ImportPhase.TRYING)
    # What the person has to know of how the input was read: sentences.
    notes = models.JSONField(default=list)
    # The how manieth preview it is. A person confirms the one they saw, and no other.
    preview = models.PositiveIntegerField(default=1)
    # Of how many lines this preview says something else than the one before.
    changed = models.PositiveIntegerField(default=0)
    # What was sent, until it is tried and stands in the lines.
    content = models.BinaryField(default=b"")
    total = models.PositiveIntegerField()
    # So many lines are handled in this phase; moves in the transaction that handles them.
    position = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    exists = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    # Why the newest attempt to go on failed; empty when it went on.
    problem = models.TextField(blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at",)
        indexes = [
            # What there is to do: asked by the beat.
            models.Index(fields=("id",), condition=Q(phase__in=WORKING), name="import_unfinished"),
            # A person's imports, newest first.
            models.Index(fields=("user", "-made_at"), name="import_of_user"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk} of {self.source}"

    def get_absolute_url(self) -> str:
        """Give the address of the import's page."""
        return reverse("domains:import_job", args=[self.pk])

    @property
    def is_working(self) -> bool:
        """Say whether a worker has something to do for it."""
        return self.phase in WORKING

    @property
    def is_confirmed(self) -> bool:
        """Say whether its counts are of what was done, and not of a preview."""
        return self.phase in (ImportPhase.TAKING, ImportPhase.DONE)

    @property
    def counts(self) -> dict[str, int]:
        """Give how many lines had which outcome so far in this phase."""
        return {outcome.value: getattr(self, outcome.value) for outcome in ImportOutcome}


class ImportLine(models.Model):
    """One line of an import, and what becomes of it. None: the column is not in the file."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    domain = models.TextField()
    team = models.TextField(null=True)
    owner = models.TextField(null=True)
    tags = models.JSONField(null=True)
    # The A-label form, empty where the line names no domain.
    name = models.CharField(max_length=253, blank=True)
    # Empty until the line was tried.
    outcome = models.CharField(max_length=8, choices=ImportOutcome.choices, blank=True)
    reason = models.TextField(blank=True)
    # What the preview before said, where this one says something else.
    shown = models.CharField(max_length=8, choices=ImportOutcome.choices, blank=True)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=("job", "position"), name="one_line_a_position")
        ]
        indexes = [
            # Whether an earlier line names the same domain.
            models.Index(fields=("job", "name"), name="import_line_name"),
            # The lines of one fate, in order.
            models.Index(fields=("job", "outcome", "position"), name="import_line_fate"),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of import {self.job_id}"

    @property
    def fate(self) -> Fate:
        """Give what becomes of it, as last seen."""
        return self.outcome, self.reason
