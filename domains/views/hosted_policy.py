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
from domains.models import Domain, HostedPolicy, RecordKind, Status, StsMode
from domains.selection import visible_domain
from domains.services.publish_policy import (
    forgotten_at,
    policy_text_of,
    publish_policy,
    uncovered_hosts,
)
from mailtls.sts_policy import StsPolicy, parse_policy
from webui.forms import spread_errors

SHOWN_REVISIONS = 20
Initial = dict[str, Any]


def policy_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show what is served and what to publish in DNS for it, and publish another revision."""
    user, domain = person(request), visible_domain(request, name)
    access.require(user, Role.MANAGER, domain.team)
    every = list(HostedPolicy.objects.filter(domain=domain))
    revisions = every[:SHOWN_REVISIONS]
    live = revisions[0] if revisions else None
    elsewhere = None if live else _served_elsewhere(domain)
    form = HostedPolicyForm(domain, request.POST or None, initial=_initial(domain, live, elsewhere))
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
        "elsewhere": elsewhere,
        "lacking": uncovered_hosts(domain, elsewhere.mode.value, elsewhere.mx) if elsewhere else [],
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


def _initial(domain: Domain, live: HostedPolicy | None, elsewhere: StsPolicy | None) -> Initial:
    """Begin with what the portal serves, else with what the domain serves elsewhere, so that a
    move weakens nothing, and the hosts that it lacks; else with testing for the MX hosts that
    checks see."""
    if live is not None:
        return {"mode": live.mode, "mx": "\n".join(live.mx), "max_age": str(live.max_age_s)}
    if elsewhere is not None:
        mode = elsewhere.mode.value
        mx = [*elsewhere.mx, *uncovered_hosts(domain, mode, elsewhere.mx)]
        return {"mode": mode, "mx": "\n".join(mx), "max_age": str(elsewhere.max_age_s)}
    return {"mode": StsMode.TESTING, "mx": "\n".join(uncovered_hosts(domain, StsMode.TESTING, ()))}


def _served_elsewhere(domain: Domain) -> StsPolicy | None:
    """Give the policy that senders hold of a domain, as checks saw it last: one that cannot be
    fetched just now is kept by those who have it."""
    posture = domain.last_posture
    if posture is None or posture.mta_sts not in {Status.VALID, Status.INVALID}:
        return None
    seen = domain.record_versions.filter(kind=RecordKind.POLICY).exclude(content="").first()
    return parse_policy(seen.content).value if seen else None
