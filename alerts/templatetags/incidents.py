"""Tags for severities and states of incidents."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from alerts import signs
from alerts.lifecycle import State
from alerts.models import Incident, IncidentDomain, Severity
from alerts.words import between, failing_days

register = template.Library()


@register.simple_tag
def severity_sign(incident: Incident) -> SafeString:
    """Give the severity as icon and word on a tinted ground."""
    return signs.SEVERITY[Severity(incident.severity)].html(pill=True)


@register.simple_tag
def seen_days(incident: Any) -> str:
    """Give the days of the sessions that a person may see, as `with_seen_figures` adds them."""
    return failing_days(incident.seen_first_on, incident.seen_last_on)


@register.simple_tag
def failed_on(row: IncidentDomain) -> str:
    """Give the failing days of a domain for a cell."""
    return between(row.failed_first_on, row.failed_last_on)


@register.simple_tag
def state_sign(incident: Incident) -> SafeString:
    """Give the state as icon and word on a tinted ground."""
    return signs.STATE[State(incident.state)].html(pill=True)
