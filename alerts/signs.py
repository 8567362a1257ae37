"""What severities and states of incidents look like."""

from __future__ import annotations

from alerts.lifecycle import State
from alerts.models import Severity
from webui.status import Sign, Tone

SEVERITY = {
    Severity.CRITICAL: Sign(Tone.BAD, "Critical", "octagon", "Mail is refused."),
    Severity.HIGH: Sign(Tone.BAD, "High", "alert", "Mail goes out in clear, or is soon refused."),
    Severity.MEDIUM: Sign(Tone.WARN, "Medium", "alert", "We are blind, or protection is weak."),
    Severity.LOW: Sign(Tone.NONE, "Low", "info", "To be tidied."),
}
STATE = {
    State.OPEN: Sign(Tone.BAD, "Open", "bell"),
    State.ACKNOWLEDGED: Sign(Tone.INFO, "Acknowledged", "user"),
    State.MUTED: Sign(Tone.NONE, "Muted", "mute"),
    State.ACCEPTED: Sign(Tone.NONE, "Risk accepted", "shield"),
    State.RESOLVED: Sign(Tone.OK, "Resolved", "ok"),
}
