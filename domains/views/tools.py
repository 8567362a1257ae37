"""Tools that need no inventory: the checker for any name, and the generators."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.aspects import max_age, read_aspects, read_mx_hosts, verdict_of
from domains.destinations import our_destinations
from domains.forms import CheckerForm, StsForm, TlsrptForm
from domains.models import Domain, Posture
from domains.services.run_checks import Observe, probe_options
from mailtls import posture as judgement
from mailtls import sts_record, tlsrpt_record
from mailtls.names import display_name
from prober import Options, Request
from webui.findings import word_all

# Somebody waits: what has not answered by then is shown as unknown.
DEADLINE_S = 20.0


def checker(request: HttpRequest) -> HttpResponse:
    """Check any name now and show the verdict; stores nothing."""
    form = CheckerForm(request.POST or None, initial={"name": request.GET.get("name", "")})
    may_check = may_anywhere(request.user, Role.ANALYST)
    context: dict[str, object] = {"form": form, "may_check": may_check}
    if request.method == "POST" and not may_check:
        raise PermissionDenied("Checking needs the role analyst in a team.")
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        posture = check_now(name, timezone.now())
        aspects = read_aspects(posture)
        known = Domain.objects.visible_to(request.user).filter(name=name).first()
        context |= {
            "name": name,
            "shown": display_name(name),
            "known": known,
            "posture": posture,
            "aspects": aspects,
            "verdict": verdict_of(aspects),
            "mx_hosts": read_mx_hosts(aspects),
            "max_age": max_age(aspects),
        }
    return render(request, "tools/checker.html", context)


def check_now(name: str, now: datetime) -> Posture:
    """Give an unsaved posture of a name, looked at now."""
    held = probe_options()
    options = Options(
        nameservers=held.nameservers,
        allow_private_addresses=held.allow_private_addresses,
        ca_file=held.ca_file,
        domain_deadline_s=DEADLINE_S,
        policy_deadline_s=DEADLINE_S * 0.6,
        smtp_deadline_s=DEADLINE_S * 0.8,
    )
    observe = cast("Observe", import_string(settings.PROBE_WITH))
    asked = Request(domain=name, with_starttls=settings.PROBE_STARTTLS)
    [observed] = observe([asked], options)
    judged = judgement.judge(observed, now, judgement.Expected(our_rua=our_destinations()))
    policy = judged.mta_sts.policy
    return Posture(
        checked_at=now,
        tlsrpt=judged.tlsrpt.status.value,
        mta_sts=judged.mta_sts.status.value,
        sts_mode=policy.mode.value if policy else "",
        mx=judged.mx.status.value,
        dane=judged.dane.status.value,
        starttls=judged.starttls.status.value,
        mx_provider=judged.mx.provider or "",
        judgement=judged.as_dict(),
    )


def generators(request: HttpRequest) -> HttpResponse:
    """Write records and a policy from what the address says."""
    asked = request.GET.get("make", "")
    tlsrpt = TlsrptForm(
        request.GET if asked == "tlsrpt" else None,
        initial={"rua": "".join(our_destinations()[:1])},
        auto_id="tlsrpt_%s",
    )
    sts = StsForm(request.GET if asked == "sts" else None, auto_id="sts_%s")
    context: dict[str, object] = {"tlsrpt_form": tlsrpt, "sts_form": sts}
    if asked == "tlsrpt" and tlsrpt.is_valid():
        record = tlsrpt_record.render_record(tlsrpt.cleaned_data["rua"])
        notes = tlsrpt_record.parse_record(record).findings
        context["tlsrpt_record"] = record
        context["tlsrpt_notes"] = word_all(note.as_dict() for note in notes)
        context["domain"] = tlsrpt.cleaned_data["domain"] or "example.com"
    if asked == "sts" and sts.is_valid():
        try:
            context["policy"] = sts.policy_file().replace("\r\n", "\n")
        except ValueError as error:
            sts.add_error("mx", str(error))
        else:
            # A new id for each version: the time is one (RFC 8461 section 3.1).
            stamp = timezone.now().strftime("%Y%m%dT%H%M%S")
            context["sts_record"] = sts_record.render_record(stamp)
            context["domain"] = sts.cleaned_data["domain"] or "example.com"
    return render(request, "tools/generators.html", context)
