"""The MTA-STS policy that the portal serves for a domain."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from domains.destinations import portal_host
from domains.forms import HostedPolicyForm
from domains.models import Domain, HostedPolicy, StsMode
from domains.selection import visible_domain
from domains.services.publish_policy import (
    forgotten_at,
    policy_text_of,
    publish_policy,
    uncovered_hosts,
)
from webui.forms import spread_errors

SHOWN_REVISIONS = 20


def policy_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show what is served and what to publish in DNS for it, and publish another revision."""
    user, domain = person(request), visible_domain(request, name)
    access.require(user, Role.MANAGER, domain.team)
    every = list(HostedPolicy.objects.filter(domain=domain))
    revisions = every[:SHOWN_REVISIONS]
    live = revisions[0] if revisions else None
    form = HostedPolicyForm(domain, request.POST or None, initial=_initial(domain, live))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            new = publish_policy(
                domain, user, StsMode(values["mode"]), form.patterns(), int(values["max_age"])
            )
        except ValidationError as error:
            spread_errors(form, error)
        else:
            messages.success(
                request, f"It is served. Now publish the record with id={new.policy_id}."
            )
            return redirect("domains:policy", domain.name)
    context = {
        "domain": domain,
        "form": form,
        "live": live,
        "forgotten_at": forgotten_at(every),
        "uncovered": uncovered_hosts(domain, live.mode, live.mx) if live else [],
        "seen_id": _other_id_seen(domain, live),
        "now": timezone.now(),
        "live_text": policy_text_of(live) if live else "",
        "revisions": [(revision, policy_text_of(revision)) for revision in revisions],
        "portal_host": portal_host(),
    }
    return render(request, "domains/policy.html", context)


def _other_id_seen(domain: Domain, live: HostedPolicy | None) -> str:
    """Give the id that checks see in DNS where it is not that of the live revision."""
    posture = domain.last_posture
    seen = posture.judgement.get("mta_sts", {}).get("id") if posture is not None else None
    return seen if seen and live is not None and seen != live.policy_id else ""


def _initial(domain: Domain, live: HostedPolicy | None) -> dict[str, Any]:
    """Begin with what the portal serves, else with what the domain serves elsewhere, so that a
    move weakens nothing; else with testing for the MX hosts that checks see."""
    if live is not None:
        return {"mode": live.mode, "mx": "\n".join(live.mx), "max_age": str(live.max_age_s)}
    posture = domain.last_posture
    judged = posture.judgement if posture is not None else {}
    if policy := judged.get("mta_sts", {}).get("policy"):
        max_age = {"max_age": str(policy["max_age"])} if policy.get("max_age") else {}
        return {"mode": policy["mode"], "mx": "\n".join(policy["mx"]), **max_age}
    hosts = judged.get("mx", {}).get("hosts", [])
    return {"mode": StsMode.TESTING, "mx": "\n".join(host["name"] for host in hosts)}
