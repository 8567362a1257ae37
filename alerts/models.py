"""Rules, incidents with their domains and timeline, destinations, and the outbox."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Max, Min, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.access import Person, sees_everything, visible_to
from accounts.models import Team
from alerts.lifecycle import ACTIVE_STATES, ASKING_STATES, LAID_ASIDE_STATES, Event, State
from alerts.rules.kinds import RuleKind, Severity
from domains.models import Domain, Tag

__all__ = [
    "ArrivalDay",
    "Destination",
    "DestinationKind",
    "Digest",
    "Incident",
    "IncidentDomain",
    "IncidentEvent",
    "IncidentQuerySet",
    "Mark",
    "Notification",
    "Rule",
    "RuleKind",
    "Severity",
    "severity_rank",
]


def severity_rank(path: str = "") -> Case:
    """Give the rank of incidents by consequence, 0 for the worst; `path` leads to them."""
    ranks = [When(**{f"{path}severity": one}, then=Value(one.rank)) for one in Severity]
    return Case(*ranks, output_field=models.PositiveSmallIntegerField())


class Rule(models.Model):
    """What to look for, and how bad it is. A rule without a team looks at all domains."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=RuleKind.choices)
    parameters = models.JSONField(default=dict)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.HIGH)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="rules"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class IncidentQuerySet(models.QuerySet["Incident"]):
    """The questions asked of incidents."""

    def visible_to(self, user: Person) -> IncidentQuerySet:
        """Narrow to incidents that touch a domain this person may see; no parts of others."""
        if sees_everything(user):
            return self.whole()
        domains = Domain.objects.visible_to(user).values("pk")
        touching = IncidentDomain.objects.filter(domain__in=domains).values("incident")
        return self.whole().filter(pk__in=touching)

    def with_seen_figures(self, user: Person) -> IncidentQuerySet:
        """Add `seen_failed`, `seen_sessions`, and as `seen_first_on` and `seen_last_on` their
        failing days: those of the domains this person may see."""
        if sees_everything(user):
            return self.annotate(
                seen_failed=F("failed_sessions"),
                seen_sessions=F("sessions"),
                seen_first_on=F("failed_first_on"),
                seen_last_on=F("failed_last_on"),
            )
        touched = IncidentDomain.objects.filter(incident=OuterRef("pk"))
        mine = visible_to(user, touched, "domain__team").order_by().values("incident")

        def added(name: str) -> Coalesce:
            summed = Subquery(mine.annotate(added=Sum(name)).values("added"))
            return Coalesce(summed, 0, output_field=models.BigIntegerField())

        return self.annotate(
            seen_failed=added("failed_sessions"),
            seen_sessions=added("sessions"),
            seen_first_on=Subquery(mine.annotate(day=Min("failed_first_on")).values("day")),
            seen_last_on=Subquery(mine.annotate(day=Max("failed_last_on")).values("day")),
        )

    def whole(self) -> IncidentQuerySet:
        """Leave out what only counts as a part of another incident."""
        return self.filter(part_of=None)

    def active(self) -> IncidentQuerySet:
        """Narrow to incidents that are not over."""
        return self.filter(state__in=sorted(ACTIVE_STATES))


class Incident(models.Model):
    """One cause that somebody should handle, with all the domains it touches."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="incidents")
    # Another rule found the same cause before: that incident is the one people see and handle.
    part_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="parts")
    # What makes it one cause: result type, receiving MX …; the same key never opens twice.
    cause_key = models.CharField(max_length=400)
    title = models.CharField(max_length=300)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="incidents")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="incidents"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    # The first day of the figures that opened it; reports come late, so it lies before opened_at.
    since_on = models.DateField()
    last_seen_on = models.DateField()
    resolved_at = models.DateTimeField(null=True)
    quiet_until = models.DateTimeField(null=True)
    # When somebody should have dealt with it, by severity; counted further by quiet times.
    due_at = models.DateTimeField(null=True)
    result_type = models.CharField(max_length=60, blank=True)
    receiving_mx = models.JSONField(default=list)
    reporters = models.JSONField(default=list)
    failed_sessions = models.BigIntegerField(default=0)
    sessions = models.BigIntegerField(default=0)
    # The sessions are those of the failing days between these, wherever else it is seen.
    failed_first_on = models.DateField(null=True)
    failed_last_on = models.DateField(null=True)
    # What the rule needs to know the cause again: result types, site, hosts, finding.
    evidence = models.JSONField(default=dict)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at",)
        constraints = [
            # Whatever races, one cause has one incident that is not over.
            models.UniqueConstraint(
                fields=("rule", "cause_key"),
                condition=Q(state__in=sorted(ACTIVE_STATES)),
                name="one_active_incident_a_cause",
            )
        ]
        indexes = [models.Index(fields=("state", "-opened_at"), name="incident_by_state")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Give the address of the incident's page."""
        return reverse("alerts:incident", args=[self.pk])

    @property
    def is_active(self) -> bool:
        """Say whether it is not over."""
        return State(self.state) in ACTIVE_STATES

    @property
    def is_laid_aside(self) -> bool:
        """Say whether people keep quiet about it until a time."""
        return State(self.state) in LAID_ASIDE_STATES and self.quiet_until is not None

    @property
    def asked_by(self) -> datetime | None:
        """Give when somebody should have dealt with it; None while nobody has to."""
        return self.due_at if State(self.state) in ASKING_STATES else None


class IncidentDomain(models.Model):
    """A domain touched by an incident, with its figures."""

    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="incident_domains"
    )
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="incident_domains")
    first_on = models.DateField()
    last_on = models.DateField()
    failed_sessions = models.BigIntegerField(default=0)
    sessions = models.BigIntegerField(default=0)
    failed_first_on = models.DateField(null=True)
    failed_last_on = models.DateField(null=True)
    # Posture: the checks in a row that found it mended, and what was found here.
    clean_checks = models.PositiveSmallIntegerField(default=0)
    # Only a part of the incident touches it: the incident's own rule does not look at it.
    is_of_part = models.BooleanField(default=False)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering = ("-failed_sessions",)
        constraints = [
            models.UniqueConstraint(fields=("incident", "domain"), name="domain_once_an_incident")
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} in incident {self.incident_id}"


# The most that a person writes into the timeline at once.
MOST_TEXT_CHARS = 5_000


class IncidentEvent(models.Model):
    """One line of an incident's timeline."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    event = models.CharField(max_length=12, choices=Event.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    text = models.TextField(blank=True)
    # The same without the sessions of all teams, for those who do not see all domains; empty where
    # the text tells of none. `alerts.readers` takes out names as well.
    text_for_some = models.TextField(blank=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.event} at {self.at:%Y-%m-%d %H:%M}"


class DestinationKind(models.TextChoices):
    """How a message leaves."""

    EMAIL = "email", "E-mail"
    APPRISE = "apprise", "Chat or pager (Apprise URL)"
    WEBHOOK = "webhook", "Signed webhook"


class Digest(models.TextChoices):
    """Whether messages are gathered."""

    NONE = "", "At once"
    DAILY = "daily", "Once a day"
    WEEKLY = "weekly", "Once a week, on Monday"


class Destination(models.Model):
    """Where messages go. Without a team: for incidents of all teams."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=DestinationKind.choices)
    # An e-mail address, or an Apprise URL: it may hold a token, so it is kept encrypted.
    sealed_address = models.BinaryField()
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="destinations"
    )
    minimum_severity = models.CharField(
        max_length=8, choices=Severity.choices, default=Severity.MEDIUM
    )
    # Only incidents that touch a domain with this tag.
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, null=True, blank=True, related_name="destinations"
    )
    # Messages of these hours (UTC) wait for their end; critical ones do not. None are dropped.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    digest = models.CharField(max_length=6, choices=Digest.choices, default="", blank=True)
    # Hears only of what nobody has taken on after so many minutes.
    escalate_after_minutes = models.PositiveIntegerField(null=True, blank=True)
    # Webhooks: the key of their signature, encrypted like the address.
    sealed_secret = models.BinaryField(default=b"", blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """A message to send: the outbox. It goes to a destination, or to a domain owner's address.

    Rows are claimed, sent and marked; a worker that dies between loses nothing, because a claim
    that is not answered for ends.
    """

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notifications")
    event = models.ForeignKey(IncidentEvent, on_delete=models.CASCADE, related_name="+")
    destination = models.ForeignKey(
        Destination, on_delete=models.CASCADE, null=True, related_name="notifications"
    )
    email = models.EmailField(blank=True)
    # Waits for the others of its digest, and leaves with them in one message.
    is_digest = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        constraints = [
            # Whatever races, a recipient hears of an event once.
            models.UniqueConstraint(
                fields=("event", "destination"),
                condition=Q(destination__isnull=False),
                name="told_destination_once",
            ),
            models.UniqueConstraint(
                fields=("event", "email"),
                condition=Q(destination__isnull=True),
                name="told_owner_once",
            ),
        ]
        indexes = [
            # What the delivery tick takes next.
            models.Index(
                fields=("next_attempt_at",),
                condition=Q(delivered_at=None, failed_at=None),
                name="notification_due",
            ),
            # Whether an earlier message to the same destination is still to leave; dead letters.
            models.Index(
                fields=("destination", "created_at"),
                condition=Q(delivered_at=None),
                name="notification_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} to {self.destination_id or self.email}"


class Mark(models.Model):
    """How far an evaluation has looked: the newest row it has seen, and on which day."""

    name = models.CharField(max_length=40, unique=True)
    position = models.BigIntegerField(default=0)
    day = models.DateField(null=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class ArrivalDay(models.Model):
    """How old the newest reports of each reporter were on a morning, as a rule about silence saw.

    Four weeks of them say how late each reporter usually is.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="arrival_days")
    day = models.DateField()
    # By reporter: the share of its domains of which it had told within 1, 2 … days.
    shares = models.JSONField(default=dict)

    class Meta:
        ordering = ("day",)
        constraints = [
            models.UniqueConstraint(fields=("rule", "day"), name="arrivals_once_a_morning")
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.day}"
