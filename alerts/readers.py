"""What of an incident somebody may read who does not see the domains of all teams.

An incident touches domains of any team, so its title, timeline and words may name some that are not
the reader's, and tell of the sessions of all. Names are taken out when a text is read: so it holds
for what was written before a domain moved, and for older incidents. What people wrote is theirs to
answer for and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Max, Min, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.access import Person, sees_everything, teams_for
from accounts.models import AuditEntry, Team
from alerts.models import Incident, IncidentDomain, IncidentEvent, Notification
from alerts.words import IncidentWords, failing_days
from domains.models import DELETED, Domain, DomainQuerySet
from mailtls.names import fold_name
from reports.models import DailyFailures

# Begins where a word does: tried at each letter of a long word, it takes the square of its length.
_NAME = re.compile(r"(?<![\w-])[\w-]+(?:\.[\w-]+)+")
# What stands in a text for a name that is taken out: of a domain, of a host below one.
_DOMAIN, _HOST = "\ue000", "\ue001"
_DOMAINS = re.compile(f"{_DOMAIN}(?:(?:, | and ){_DOMAIN})*")
_ANY_HOST = re.compile(f"(?:(?:[Tt]he )?((?:MX |policy )?host) )?{_HOST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFigures:
    """The sessions of an incident that somebody may read of, and their failing days."""

    failed_sessions: int
    sessions: int
    first_on: date | None
    last_on: date | None

    @property
    def days(self) -> str:
        """Give the days in words."""
        return failing_days(self.first_on, self.last_on)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read of these domains; None: of all there are.

    Of domains that are gone somebody may read whose teams they were.
    """

    domains: DomainQuerySet | None
    teams: QuerySet[Team] | Collection[Team] = ()

    def touched(self, incident: Incident) -> QuerySet[IncidentDomain]:
        """Give what an incident touches of them, worst first."""
        rows = incident.incident_domains.all()
        return rows if self.domains is None else rows.filter(domain__in=self._ids)

    def figures(self, incident: Incident) -> SeenFigures:
        """Give the failed and all sessions of what it touches of them."""
        if self.domains is None:
            return SeenFigures(
                failed_sessions=incident.failed_sessions,
                sessions=incident.sessions,
                first_on=incident.failed_first_on,
                last_on=incident.failed_last_on,
            )
        added = (
            self.touched(incident)
            .order_by()
            .aggregate(
                failed_sessions=Coalesce(Sum("failed_sessions"), 0),
                sessions=Coalesce(Sum("sessions"), 0),
                first_on=Min("failed_first_on"),
                last_on=Max("failed_last_on"),
            )
        )
        return SeenFigures(**added)

    @property
    def _ids(self) -> QuerySet[Domain, int]:
        assert self.domains is not None
        return self.domains.order_by().values_list("pk", flat=True)

    def find_wholly_seen(self, incidents: Collection[Incident]) -> set[int]:
        """Give the ids of those that touch no domain of others."""
        ids = {one.pk for one in incidents}
        if self.domains is None or not ids:
            return ids
        rows = IncidentDomain.objects.filter(incident__in=ids).exclude(domain__in=self._ids)
        return ids - set(rows.order_by().values_list("incident", flat=True).distinct())

    def find_hidden(self, texts: Sequence[str], since: datetime) -> frozenset[str]:
        """Give the names of others' domains that these texts hold, or hosts below, also of such
        that are gone: see `find_gone`."""
        asked = _asked_in(texts)
        if self.domains is None or not asked:
            return frozenset()
        others = Domain.objects.filter(name__in=asked).exclude(pk__in=self._ids)
        return frozenset(others.values_list("name", flat=True)) | self.find_gone(texts, since)

    def find_gone(self, texts: Sequence[str], since: datetime) -> frozenset[str]:
        """Give the names of others' domains that these texts hold and the inventory held.

        The audit log knows of them. They were there when the first of these texts was written, so
        they went after `since`.
        """
        asked = _asked_in(texts)
        if self.domains is None or not asked:
            return frozenset()
        gone = AuditEntry.objects.filter(
            at__gte=since, verb=DELETED, target_type=Domain._meta.label_lower, target_name__in=asked
        ).exclude(team__in=self.teams, team__isnull=False)
        mine = self.domains.filter(name__in=asked).order_by().values("name")
        lost = gone.exclude(target_name__in=mine).order_by()
        return frozenset(lost.values_list("target_name", flat=True))

    def find_hosts(self, incidents: Collection[Incident]) -> set[str]:
        """Give which receiving MX failed at one of these domains since the first of these began."""
        hosts = {host for one in incidents for host in one.receiving_mx}
        if self.domains is None or not hosts:
            return hosts
        rows = DailyFailures.objects.filter(
            receiving_mx__in=hosts,
            result_type__in={one.result_type for one in incidents},
            day__gte=min(one.since_on for one in incidents),
            domain__in=self._ids,
        )
        return set(rows.order_by().values_list("receiving_mx", flat=True).distinct())


EVERYTHING = Reader(None)


def reader_of(user: Person) -> Reader:
    """Give a person who reads the portal."""
    if sees_everything(user):
        return EVERYTHING
    return Reader(Domain.objects.visible_to(user), teams_for(user))


def reader_of_message(row: Notification) -> Reader:
    """Give who gets a message: all, a team, or the owner of some domains."""
    if row.destination is None:
        return Reader(Domain.objects.filter(owner=row.email))
    team = row.destination.team
    return EVERYTHING if team is None else Reader(Domain.objects.filter(team=team), [team])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An incident as one reader may read it."""

    reader: Reader
    incident: Incident
    title: str
    receiving_mx: list[str]
    # Whether all it touches is the reader's.
    is_whole: bool

    def words(self, words: Sequence[IncidentWords]) -> list[IncidentWords]:
        """Give meaning, causes and remedy without names of others' domains."""
        texts = (part for one in words for part in (one.title, one.meaning, one.action))
        read = iter(self._read(list(texts)))
        return [
            replace(one, title=next(read), meaning=next(read), action=next(read)) for one in words
        ]

    def texts(self, events: Sequence[IncidentEvent]) -> list[str]:
        """Give the words of lines of the timeline."""
        told = [one.text if self.is_whole else one.text_for_some or one.text for one in events]
        read = self._read(told)
        return [
            one.text if one.actor_id is not None else text
            for one, text in zip(events, read, strict=True)
        ]

    def _read(self, texts: Sequence[str]) -> list[str]:
        hidden = self.reader.find_hidden(texts, self.incident.opened_at)
        shared = _shared_hosts(self.incident, self.receiving_mx)
        return [_without(text, hidden, shared) for text in texts]


def see(reader: Reader, incident: Incident) -> Seen:
    """Give an incident as this reader may read it."""
    return see_all(reader, [incident])[0]


def see_all(reader: Reader, incidents: Sequence[Incident]) -> list[Seen]:
    """Give incidents as this reader may read them, with the same few queries for any number."""
    since = min((one.opened_at for one in incidents), default=timezone.now())
    named = {one.pk: (one.title, *one.receiving_mx) for one in incidents}
    # What went with a domain of others is in no row any more, so the names have to tell.
    gone = reader.find_gone([text for texts in named.values() for text in texts], since)
    whole = reader.find_wholly_seen(incidents)
    whole -= {pk for pk, texts in named.items() if not gone.isdisjoint(_asked_in(texts))}
    hosts = reader.find_hosts([one for one in incidents if one.pk not in whole])
    hidden = reader.find_hidden([one.title for one in incidents], since)
    found = []
    for one in incidents:
        is_whole = one.pk in whole
        mx = [host for host in one.receiving_mx if is_whole or host in hosts]
        title = _without(one.title, hidden, _shared_hosts(one, mx))
        found.append(
            Seen(reader=reader, incident=one, title=title, receiving_mx=mx, is_whole=is_whole)
        )
    return found


def _shared_hosts(incident: Incident, receiving_mx: Iterable[str]) -> set[str]:
    """Give the hosts that are the cause at all domains, so also at the reader's."""
    params = incident.evidence.get("params", {})
    differing = incident.evidence.get("differing", ())
    told = {value for name, value in params.items() if name not in differing}
    return {*receiving_mx, *(one for one in told if isinstance(one, str))}


def _without(text: str, hidden: frozenset[str], shared: Collection[str]) -> str:
    """Give a text in which the hidden names, and hosts below them, are taken out."""
    if not hidden:
        return text

    def replaced(found: re.Match[str]) -> str:
        name = fold_name(found[0])
        if name in hidden:
            return _DOMAIN
        if name in shared or hidden.isdisjoint(_with_above(name)):
            return found[0]
        return _HOST

    marked = _NAME.sub(replaced, text)
    return _ANY_HOST.sub(_host, _DOMAINS.sub(_domains, marked))


def _domains(found: re.Match[str]) -> str:
    count = found[0].count(_DOMAIN)
    return "a domain of another team" if count == 1 else f"{count} domains of other teams"


def _host(found: re.Match[str]) -> str:
    what = found[1] or "host"
    article = "an" if what.startswith("MX") else "a"
    article = article if found.start() else article.capitalize()
    return f"{article} {what} of another team"


def _asked_in(texts: Iterable[str]) -> set[str]:
    """Give the names that texts hold, and those above them."""
    return {name for text in texts for found in _names_in(text) for name in _with_above(found)}


def _names_in(text: str) -> Iterator[str]:
    return map(fold_name, _NAME.findall(text))


def _with_above(name: str) -> set[str]:
    """Give a name and those above it, down to two labels."""
    labels = name.split(".")
    return {".".join(labels[n:]) for n in range(len(labels) - 1)}
