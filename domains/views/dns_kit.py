"""The DNS kit: for any selection of domains the exact changes, to read or to take along."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.roles import Role
from domains import dns_kit
from domains.destinations import our_destinations
from domains.dns_kit import Form, Wanted
from domains.filters import DomainFilter
from domains.forms import KitForm
from domains.models import Domain, DomainQuerySet, HostedPolicy
from domains.selection import chosen_domains

MOST_SHOWN = 100
MOST_KEYS = 400


def kit(request: HttpRequest) -> HttpResponse:
    """Show the changes for the domains that the address chooses, or give them as a file."""
    domains = _from_address(request)
    ours = our_destinations()
    initial = {"rua": "".join(ours[:1])}
    asked = request.GET if "rua" in request.GET else initial
    form = KitForm(asked)
    changes: list[dns_kit.Change] = []
    if form.is_valid() and form.cleaned_data["rua"]:
        changes = dns_kit.plan(
            _wanted(domains),
            form.cleaned_data["rua"],
            # A domain that reports to another of our addresses already needs no change, unless
            # somebody asks for a certain address.
            accepted=() if "rua" in request.GET else ours,
            delegate_to=form.cleaned_data["delegate_to"],
            policy_host=urlsplit(settings.SITE_URL).hostname or "",
        )
    if request.GET.get("as") in set(Form):
        return _file(changes, Form(request.GET["as"]))
    query = request.GET.copy()
    context = {
        "form": form,
        "changes": changes[:MOST_SHOWN],
        "change_count": len(changes),
        "domain_count": domains.count(),
        "kept": [
            (key, value)
            for key, values in query.lists()
            for value in values
            if key not in form.fields and key != "as"
        ],
        "files": [(one.value, words, _with(request, one)) for one, words in _WORDS.items()],
        "zone": dns_kit.render(changes[:MOST_SHOWN], Form.ZONE),
    }
    return render(request, "tools/dns_kit.html", context)


@require_POST
def kit_chosen(request: HttpRequest) -> HttpResponse:
    """Lead from the chosen rows of the list to the kit's address."""
    chosen = chosen_domains(request, Role.VIEWER)
    if request.POST.get("everything"):
        query = request.POST.get("query", "")
    else:
        keys = [("pk", str(key)) for key in chosen.values_list("pk", flat=True)[:MOST_KEYS]]
        query = urlencode(keys)
    return redirect(f"{reverse('tools:dns_kit')}?{query}")


_WORDS = {
    Form.ZONE: "Zone lines",
    Form.CSV: "CSV",
    Form.TERRAFORM: "Terraform",
    Form.OCTODNS: "octoDNS",
}
_TYPES = {
    Form.ZONE: "text/plain",
    Form.CSV: "text/csv",
    Form.TERRAFORM: "text/plain",
    Form.OCTODNS: "application/yaml",
}


def _from_address(request: HttpRequest) -> DomainQuerySet:
    visible = Domain.objects.visible_to(request.user)
    keys = [int(key) for key in request.GET.getlist("pk") if key.isdecimal()]
    if keys:
        return visible.filter(pk__in=keys)
    matching: DomainQuerySet = DomainFilter(request.GET, queryset=visible, request=request).qs
    return matching


def _wanted(domains: DomainQuerySet) -> list[Wanted]:
    """Give what is known of each domain; one whose state is unknown is left out."""
    rows = domains.select_related("posture").defer(
        "posture__observed", "posture__facts", "posture__confirmed_facts"
    )
    live = dict(
        HostedPolicy.objects.filter(domain__in=domains.order_by().values("pk"))
        .order_by("published_at", "pk")
        .values_list("domain", "policy_id")
    )
    found = []
    for row in rows.order_by("name").exclude(posture=None).exclude(posture__mx="null-mx"):
        judgement = row.posture.judgement
        if row.posture.tlsrpt == "unknown":
            continue
        found.append(
            Wanted(
                domain=row.name,
                tlsrpt_status=row.posture.tlsrpt,
                rua=tuple(judgement.get("tlsrpt", {}).get("rua") or ()),
                policy_id=live.get(row.pk, ""),
                sts_record=judgement.get("mta_sts", {}).get("record") or "",
            )
        )
    return found


def _with(request: HttpRequest, form: Form) -> str:
    query = request.GET.copy()
    query["as"] = form.value
    return f"?{query.urlencode()}"


def _file(changes: list[dns_kit.Change], form: Form) -> HttpResponse:
    response = HttpResponse(
        dns_kit.render(changes, form), content_type=f"{_TYPES[form]}; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="dns-kit.{form.value}"'
    return response
