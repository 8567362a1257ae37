"""Tags for severities and states of incidents."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from alerts import signs
from alerts.lifecycle import State
from alerts.models import Incident, Severity

register = template.Library()


@register.simple_tag
def severity_sign(incident: Incident) -> SafeString:
    """Give the severity as icon and word on a tinted ground."""
    return signs.SEVERITY[Severity(incident.severity)].html(pill=True)


@register.simple_tag
def state_sign(incident: Incident) -> SafeString:
    """Give the state as icon and word on a tinted ground."""
    return signs.STATE[State(incident.state)].html(pill=True)
