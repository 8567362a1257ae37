"""The navigation: every page a person may open, with what waits on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django import template
from django.db.models import Count, Q
from django.template import RequestContext
from django.urls import reverse

from accounts.access import Person, may_anywhere
from accounts.models import ViewedPage
from accounts.roles import Role
from accounts.saved_views import FIRST_VIEW
from alerts.lifecycle import ACTIVE_STATES, State
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


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the settings."""

    title: str
    href: str
    is_current: bool


@register.simple_tag(takes_context=True)
def navigation(context: RequestContext) -> list[Group]:
    """Give the groups of links for the person of this request."""
    request = context["request"]
    match = request.resolver_match
    section = (match.namespaces[0] if match.namespaces else match.url_name) if match else ""
    section = {"report": "reports", "what-if": "rollout"}.get(section, section)

    def item(title: str, icon: str, url: str, belongs_to: str, key: str = "") -> Item:
        return Item(
            title=title,
            icon=icon,
            href=reverse(url) + (f"?{FIRST_VIEW}" if url in ViewedPage else ""),
            section=belongs_to,
            key=key,
            is_current=section == belongs_to,
        )

    watch = (
        item("Overview", "gauge", "overview", "overview", "o"),
        item("Domains", "globe", "domains:list", "domains", "d"),
        _with_count(request.user, item("Incidents", "bell", "alerts:incidents", "alerts", "i")),
        item("Failures", "alert", "failures:list", "failures", "f"),
        item("Reports", "document", "reports:list", "reports", "r"),
        item("Reporters", "people", "reporters:list", "reporters"),
    )
    plan = (
        item("Coverage", "chart", "coverage", "coverage", "c"),
        item("Roll-out", "board", "rollout", "rollout"),
    )
    work = [item("Tools", "wrench", "tools:checker", "tools", "t")]
    if may_anywhere(request.user, Role.ANALYST):
        work.insert(0, item("Inbox", "inbox", "inbox:list", "inbox"))
    foot = (
        item("Start and guide", "start", "start", "start"),
        item("Settings", "gear", "settings:teams", "settings", "s"),
    )
    return [
        Group("", watch),
        Group("Plan", plan),
        Group("Work", tuple(work)),
        Group("", foot, is_foot=True),
    ]


def _with_count(user: Person, item: Item) -> Item:
    """Give the link with the number of incidents its list shows; loud while one is nobody's."""
    visible = Incident.objects.visible_to(user).filter(state__in=sorted(ACTIVE_STATES))
    held = visible.aggregate(all=Count("pk"), open=Count("pk", filter=Q(state=State.OPEN)))
    means = f"not over, {held['open']} of them open"
    return replace(item, count=held["all"], count_means=means, is_urgent=held["open"] > 0)


@register.simple_tag(takes_context=True)
def settings_tabs(context: RequestContext) -> list[Tab]:
    """Give the pages of the settings that this person may open."""
    request = context["request"]
    user = request.user
    tabs = [("Teams", "teams", {"team"})]
    if user.is_superuser:
        tabs.append(("People", "people", {"person", "invite", "new_link"}))
    tabs += [
        ("Rules", "rules", {"rule", "add_rule"}),
        ("Destinations", "destinations", {"destination", "add_destination"}),
    ]
    if may_anywhere(user, Role.MANAGER):
        tabs.append(("Intakes", "intakes", set()))
        tabs.append(("Mailboxes", "mailboxes", {"mailbox"}))
    tabs += [("API tokens", "tokens", {"all_tokens"}), ("Audit log", "audit", set())]
    if user.is_superuser:
        tabs.append(("System", "system", set()))
    here = request.resolver_match.url_name
    return [
        Tab(title, reverse(f"settings:{name}"), is_current=here == name or here in others)
        for title, name, others in tabs
    ]
