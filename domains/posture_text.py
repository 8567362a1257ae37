"""A posture for people at a terminal: one line per aspect, and what to do about each finding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mailtls.aspects import Aspect, Status
from mailtls.catalogue import describe
from mailtls.findings import Finding, Severity
from mailtls.names import display_name
from mailtls.posture import Posture

_STATUS_STYLES = {
    Status.VALID: "bold green",
    Status.MISSING: "bold yellow",
    Status.INVALID: "bold red",
    Status.UNKNOWN: "bold magenta",
    Status.NOT_CHECKED: "dim",
    Status.NULL_MX: "bold cyan",
}
_SEVERITY_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LABEL_WIDTH = 10
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def render_posture(posture: Posture) -> RenderableType:
    """Give the whole verdict on one domain."""
    shown = display_name(posture.domain)
    title = posture.domain if shown == posture.domain else f"{shown} ({posture.domain})"
    heading = Text(title, style="bold")
    heading.append(f"  {posture.took_ms} ms", style="dim")
    return Group(heading, *_render_aspects(posture), Text(""))


def _render_aspects(posture: Posture) -> Iterator[RenderableType]:
    sts = posture.mta_sts
    policy = sts.policy
    hosts = ", ".join(f"{host.preference} {host.name}" for host in posture.mx.hosts)
    provider = f" ({posture.mx.provider})" if posture.mx.provider else ""
    yield from _render("TLS-RPT", posture.tlsrpt, posture.tlsrpt.record)
    detail = sts.record
    if policy is not None:
        detail = f"{sts.record} · {policy.mode.value}, {policy.max_age_s // 86_400} days"
    yield from _render("MTA-STS", sts, detail)
    yield from _render("MX", posture.mx, f"{hosts}{provider}" if hosts else None)
    records = sum(len(host.records) for host in posture.dane.hosts)
    yield from _render("DANE", posture.dane, f"{records} TLSA records" if records else None)
    versions = sorted({host.tls_version for host in posture.starttls.hosts if host.tls_version})
    yield from _render("STARTTLS", posture.starttls, ", ".join(versions) or None)


def _render(label: str, aspect: Aspect, detail: str | None) -> Iterator[RenderableType]:
    line = Text(f"  {label:<{_LABEL_WIDTH}}")
    line.append(f"{aspect.status.value:<12}", style=_STATUS_STYLES[aspect.status])
    if detail:
        # A record may hold anything, escape sequences for this terminal included.
        line.append(_CONTROL.sub("\ufffd", detail), style="dim")
    yield line
    for finding in aspect.findings:
        yield Padding(_render_finding(finding), (0, 0, 0, _LABEL_WIDTH + 4))


def _render_finding(finding: Finding) -> Text:
    words = describe(finding)
    text = Text()
    text.append(f"{finding.severity.value}: ", style=_SEVERITY_STYLES[finding.severity])
    text.append(words.title, style="bold")
    text.append(f"  {finding.code}", style="dim")
    if words.section:
        text.append(f", {words.section}", style="dim")
    if words.meaning:
        text.append(f"\n{words.meaning}")
    if words.remedy:
        text.append("\n→ ", style="green").append(words.remedy)
    return text
