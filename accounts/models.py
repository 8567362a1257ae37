"""People, teams, roles, API tokens, the set-up link and the audit log."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role


class UserManager(BaseUserManager["User"]):
    """Makes users; their e-mail address is their log-in."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person. The address is stored in lower case: log-ins ignore case."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make an administrator; Django's `createsuperuser` calls it so."""
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_superuser` is the administrator; others have roles in teams."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    role_everywhere = models.CharField(
        max_length=10,
        choices=Role.choices,
        blank=True,
        help_text="A role in every team and for domains without one: for security and audit.",
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("email",)
        # Two people whose addresses differ in case only would lock each other out.
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_administrator(self) -> bool:
        """Say whether this person may do everything."""
        return self.is_superuser

    @property
    def is_invited(self) -> bool:
        """Say whether a link waits for this person: no password is set and nobody has logged in.

        Who came by single sign-on has logged in; who was given a password needs no link.
        """
        return self.last_login is None and not self.has_usable_password()

    @property
    def scope(self) -> str:
        """Give in words what this person, and each token of theirs, may do."""
        if not self.is_active:
            return "nothing: the account is ended"
        if self.is_superuser:
            return "everything"
        everywhere = [f"{self.role_everywhere} everywhere"] if self.role_everywhere else []
        in_teams = [f"{one.role} of {one.team}" for one in self.memberships.all()]
        return ", ".join([*everywhere, *in_teams]) or "nothing: no role in any team"

    @property
    def is_staff(self) -> bool:
        """Django's word for administrators."""
        return self.is_superuser


class Team(models.Model):
    """The people who look after a set of domains."""

    name = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(Lower("name"), name="team_name_any_case")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a team."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        ordering = ("team__name", "user__email")
        constraints = [models.UniqueConstraint(fields=("user", "team"), name="one_role_a_team")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}: {self.role}"


class SetupLink(models.Model):
    """The one-time link with which the first administrator is made. Only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"set-up link until {self.expires_at:%Y-%m-%d %H:%M}"


class ApiToken(models.Model):
    """A secret for scripts that acts as its owner. Only its digest is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """Who did what to which thing, from what to what. Written by services, never changed."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Kept when the person is gone.
    actor_name = models.CharField(max_length=254)
    channel = models.CharField(max_length=20)
    request_id = models.CharField(max_length=36, blank=True)
    verb = models.CharField(max_length=60)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=40, blank=True)
    target_name = models.CharField(max_length=300)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        indexes = [
            # The audit log, newest first.
            models.Index(fields=("-at",), name="audit_newest"),
            # The timeline of one domain, incident or person.
            models.Index(fields=("target_type", "target_id", "-at"), name="audit_of_target"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.verb} {self.target_name}"


class ViewedPage(models.TextChoices):
    """The lists whose filters can be kept, by the name of their address."""

    DOMAINS = "domains:list", "Domains"
    INCIDENTS = "alerts:incidents", "Incidents"
    REPORTS = "reports:list", "Reports"
    FAILURES = "failures:list", "Failures"


class SavedView(models.Model):
    """Filters, order and columns of a list under a name: one person's, a team's or everybody's."""

    page = models.CharField(max_length=20, choices=ViewedPage.choices)
    name = models.CharField(max_length=60)
    # The address parameters of the list.
    query = models.CharField(max_length=2000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, related_name="+", help_text="Who also sees it."
    )
    is_for_everyone = models.BooleanField(default=False)
    # Whose list opens with it.
    default_of: models.ManyToManyField[User, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="default_views"
    )
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "pk")
        # The tabs of a list.
        indexes = [models.Index(fields=("page", "name"), name="saved_view_of_page")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the address of the list as it was saved."""
        own = urlencode({"view": self.pk})
        return f"{reverse(self.page)}?{own}{'&' if self.query else ''}{self.query}"
