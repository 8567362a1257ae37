"""Jump to any domain or page from the keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from domains.models import Domain
from mailtls.names import fold_name

MOST = 12


@dataclass(frozen=True, slots=True)
class Target:
    """Where a jump can lead."""

    title: str
    href: str
    icon: str
    hint: str = ""


def jump(request: HttpRequest) -> HttpResponse:
    """Give the domains and pages that match what was typed."""
    text = request.GET.get("q", "").strip().lower()
    targets = _domains(request, text) if text else []
    template = "pages/_jump.html" if request.htmx else "pages/jump.html"  # type: ignore[attr-defined]
    return render(request, template, {"targets": targets, "text": text})


def _domains(request: HttpRequest, text: str) -> list[Target]:
    """Find names that begin with the text first, then those that contain it."""
    name = fold_name(text) or text
    visible = Domain.objects.visible_to(request.user).select_related("team")
    found = list(visible.filter(name__startswith=name)[:MOST])
    if len(found) < MOST:
        more = visible.filter(name__contains=name).exclude(name__startswith=name)
        found += more[: MOST - len(found)]
    return [
        Target(
            domain.display_name,
            domain.get_absolute_url(),
            "globe",
            domain.team.name if domain.team else "",
        )
        for domain in found
    ]
