"""The navigation: every page a person may open, with what waits on it."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.template import RequestContext
from django.urls import reverse

from alerts.lifecycle import State
from alerts.models import Incident

register = template.Library()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One link. `key` is the letter that follows "g"."""

    title: str
    icon: str
    href: str
    section: str
    key: str = ""
    count: int = 0
    count_means: str = ""
    is_urgent: bool = True
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading."""

    title: str
    items: tuple[Item, ...]
    is_foot: bool = False


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[Group]:
    """Give the groups of links for the person of this request."""
    request = context["request"]
    match = request.resolver_match
    section = (match.namespaces[0] if match.namespaces else match.url_name) if match else ""
    section = {"report": "reports"}.get(section, section)
    open_incidents = Incident.objects.visible_to(request.user).filter(state=State.OPEN).count()

    def item(
        title: str, icon: str, url: str, belongs_to: str, key: str = "", count: int = 0
    ) -> Item:
        return Item(
            title=title,
            icon=icon,
            href=reverse(url),
            section=belongs_to,
            key=key,
            count=count,
            count_means="open" if count else "",
            is_current=section == belongs_to,
        )

    return [
        Group(
            "",
            (
                item("Overview", "gauge", "overview", "overview", "o"),
                item("Domains", "globe", "domains:list", "domains", "d"),
                item("Incidents", "bell", "alerts:incidents", "alerts", "i", open_incidents),
                item("Failures", "alert", "failures:list", "failures", "f"),
                item("Reports", "document", "reports:list", "reports", "r"),
                item("Reporters", "people", "reporters:list", "reporters"),
            ),
        ),
    ]
