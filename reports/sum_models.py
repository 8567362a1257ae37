"""What the daily figures of domains add up to, so that pages of a whole fleet need not add.

All of it follows from DailySessions, DailyFailures and the inventory, and is written by
reports.services.sums alone, in the transaction that changes the daily figures. Domains are plain
numbers here: what a deleted domain had counted is taken out again by the next roll-up.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

NO_TEAM = 0
# Of all domains, or those of one mode or at one provider: for people who see every team.
ALL_TEAMS = -1


class CountedDomain(models.Model):
    """What a domain's figures are added up for (reports.counted); each domain with figures has one.

    Where this differs from the inventory, some sums do not hold until the next roll-up (see
    reports.fleet).
    """

    domain_id = models.BigIntegerField(primary_key=True)
    is_active = models.BooleanField()
    team = models.BigIntegerField(default=NO_TEAM)
    sts = models.CharField(max_length=8, blank=True)  # the mode of a policy that senders use
    provider = models.CharField(max_length=60, blank=True)  # of its MX hosts
    # The newest of its DomainReporter: how many domains were told of, from one row of each.
    last_day = models.DateField(null=True)

    class Meta:
        indexes = [
            # Which domains a whole fleet leaves out (reports.fleet): few, and so in few rows.
            models.Index(
                fields=("domain_id",), condition=Q(is_active=False), name="counted_paused"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} of team {self.team}"


class TeamSums(models.Model):
    """Sums of a team's watched domains; of ALL_TEAMS also of those of one mode or provider only."""

    # A team first in each key: all of its days, or causes, lie together.
    team = models.BigIntegerField()
    narrowing = models.CharField(max_length=80, blank=True)  # see reports.counted
    rows = models.BigIntegerField()  # that are added up; none left: this one goes too

    class Meta:
        abstract = True
        # What goes is found without a look at what stays.
        indexes = [
            models.Index(fields=("team",), condition=Q(rows=0), name="%(class)s_empty"),
        ]


class TeamSessions(TeamSums):
    """Sessions on a day, by reporter and policy type."""

    pk = models.CompositePrimaryKey("team", "narrowing", "day", "reporter", "policy_type")
    day = models.DateField()
    reporter = models.CharField(max_length=200)
    policy_type = models.CharField(max_length=16)
    # Not "positive": what is taken out goes in as a negative row, and the database adds.
    successes = models.BigIntegerField()
    failures = models.BigIntegerField()
    counted_successes = models.BigIntegerField()
    counted_failures = models.BigIntegerField()

    class Meta(TeamSums.Meta):
        verbose_name_plural = "team sessions"

    def __str__(self) -> str:
        return f"team {self.team} {self.day} {self.reporter} {self.policy_type}"


class TeamFailures(TeamSums):
    """Failed sessions, that count, on a day, by cause and operator.

    By operator and not by host: where each domain has hosts of its own, nothing would add up.
    """

    pk = models.CompositePrimaryKey("team", "narrowing", "day", "result_type", "operator")
    day = models.DateField()
    result_type = models.CharField(max_length=64)
    operator = models.CharField(max_length=253, blank=True)
    counted_failed_sessions = models.BigIntegerField()

    class Meta(TeamSums.Meta):
        verbose_name_plural = "team failures"
        # failed_by_day: the days of one cause. On PostgreSQL it holds the other columns, too
        # (migration 0024).
        indexes = [
            *TeamSums.Meta.indexes,
            models.Index(
                fields=("team", "narrowing", "result_type", "day"), name="team_failures_of_type"
            ),
        ]

    def __str__(self) -> str:
        return f"team {self.team} {self.day} {self.result_type}"


class TeamCauseSpan(TeamSums):
    """Failed sessions, that count, in one span of days (see reports.spans), by cause, operator and
    reporter."""

    # The span before the cause: few spans are asked for, of all causes or of one. On PostgreSQL the
    # key holds the failed sessions, too (migration 0024).
    pk = models.CompositePrimaryKey(
        "team", "narrowing", "span", "result_type", "operator", "reporter"
    )
    span = models.BigIntegerField()
    result_type = models.CharField(max_length=64)
    operator = models.CharField(max_length=253, blank=True)
    reporter = models.CharField(max_length=200)
    counted_failed_sessions = models.BigIntegerField()

    def __str__(self) -> str:
        return f"team {self.team} in span {self.span} {self.result_type}"


class DomainSpan(models.Model):
    """Sessions that count of one domain in one span of days (see reports.spans).

    Of those that failed also how many no mode of MTA-STS refuses, as details tell (see
    reports.under_enforce).
    """

    # The span first: it serves the totals of many domains over any number of days. On PostgreSQL
    # the key holds what is added up, too (migration 0016), so that no row need be read.
    pk = models.CompositePrimaryKey("span", "domain_id")
    span = models.BigIntegerField()
    domain_id = models.BigIntegerField()
    sessions = models.BigIntegerField()
    failures = models.BigIntegerField()
    unread = models.BigIntegerField(db_default=0)  # the policy could not be read
    under_dane = models.BigIntegerField(db_default=0)  # held back under DANE
    rows = models.BigIntegerField()  # of DailySessions

    def __str__(self) -> str:
        return f"{self.domain_id} in span {self.span}"


class DomainReporterSpan(models.Model):
    """Sessions of one domain in one span of more than a day, by reporter and policy type.

    A single day of it is a row of DailySessions.
    """

    # The span first, as in DomainSpan. On PostgreSQL the key holds what is added up, too (migration
    # 0021).
    pk = models.CompositePrimaryKey("span", "domain_id", "reporter", "policy_type")
    span = models.BigIntegerField()
    domain_id = models.BigIntegerField()
    reporter = models.CharField(max_length=200)
    policy_type = models.CharField(max_length=16)
    successes = models.BigIntegerField()
    failures = models.BigIntegerField()
    counted_successes = models.BigIntegerField()
    counted_failures = models.BigIntegerField()
    rows = models.BigIntegerField()  # of DailySessions

    def __str__(self) -> str:
        return f"{self.reporter} on {self.domain_id} in span {self.span}"


class DomainCauseSpan(models.Model):
    """Failed sessions, that count, of one domain in one of the longest spans, by cause and MX.

    Shorter spans would hold nearly as many rows as there are days: failures are rare.
    """

    # The cause first: it serves one cause over many domains. On PostgreSQL the key holds the
    # failed sessions, too (migration 0015).
    pk = models.CompositePrimaryKey("span", "result_type", "operator", "receiving_mx", "domain_id")
    span = models.BigIntegerField()
    result_type = models.CharField(max_length=64)
    operator = models.CharField(max_length=253, blank=True)
    receiving_mx = models.CharField(max_length=253, blank=True)
    domain_id = models.BigIntegerField()
    counted_failed_sessions = models.BigIntegerField()
    rows = models.BigIntegerField()

    class Meta:
        indexes = [
            # The same over the domains of a team. On PostgreSQL it holds the other columns, too
            # (migration 0025).
            models.Index(fields=("domain_id", "result_type", "span"), name="cause_spans_of"),
        ]

    def __str__(self) -> str:
        return f"{self.result_type} at {self.domain_id} in span {self.span}"


class DomainReporter(models.Model):
    """The newest day on which a reporter told of a domain.

    Distinct domains and reporters do not add up over days. A pair was seen since a day exactly if
    this is not before that day.
    """

    # Also when a domain was last told of.
    pk = models.CompositePrimaryKey("domain_id", "reporter")
    domain_id = models.BigIntegerField()
    reporter = models.CharField(max_length=200)
    last_day = models.DateField()

    def __str__(self) -> str:
        return f"{self.reporter} on {self.domain_id}"


class DomainCause(models.Model):
    """The newest day on which failed sessions, that count, were told of with one cause."""

    # Also whether a domain had a cause since a day. On PostgreSQL the key holds the other columns,
    # too (migration 0020).
    pk = models.CompositePrimaryKey("domain_id", "result_type", "operator")
    domain_id = models.BigIntegerField()
    result_type = models.CharField(max_length=64)
    operator = models.CharField(max_length=253, blank=True)
    last_day = models.DateField()
    # Of the rows of a domain and result type the newest one: so domains count once for a type.
    is_newest = models.BooleanField(db_default=False)

    class Meta:
        indexes = [
            # extents of some causes at their operators, and how many domains causes touch lately.
            models.Index(fields=("operator", "result_type"), name="cause_at_operator"),
            models.Index(
                fields=("last_day", "is_newest", "result_type", "operator", "domain_id"),
                name="cause_by_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.result_type} at {self.domain_id}"


class TeamCauseDomains(TeamSums):
    """How many domains were last told of with one cause on a day.

    The rows of a span of days add up to the domains that had the cause in it, unless something is
    told of after it: each domain is in one row of a cause.
    """

    # On PostgreSQL the key holds the numbers, too (migration 0024). Of `rows` there is one for each
    # domain (DomainCause).
    pk = models.CompositePrimaryKey("team", "narrowing", "last_day", "result_type", "operator")
    last_day = models.DateField()
    result_type = models.CharField(max_length=64)
    operator = models.CharField(max_length=253, blank=True)
    newest_rows = models.BigIntegerField()  # those that are the newest of domain and result type

    class Meta(TeamSums.Meta):
        verbose_name_plural = "team cause domains"

    def __str__(self) -> str:
        return f"{self.rows} of team {self.team} last on {self.last_day} with {self.result_type}"
