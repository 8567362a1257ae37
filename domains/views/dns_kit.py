"""The DNS kit: for any selection of domains the exact changes, to read or to take along."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Q
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import may_anywhere
from accounts.roles import Role
from domains import dns_kit
from domains.destinations import our_destinations, portal_host
from domains.dns_kit import Form, Wanted, read_policy_host
from domains.exception_queries import running_exceptions
from domains.filters import DomainFilter
from domains.forms import KitForm
from domains.lacks import Lack
from domains.models import Domain, DomainQuerySet, HostedPolicy, Status
from domains.selection import chosen_domains, matching, permitted
from domains.services.request_checks import request_checks
from domains.verifying import recall, remember
from domains.views.chosen import posted_by_list
from webui.addresses import read_number, read_numbers
from webui.exports import Format, Sheet, asked_file

MOST_SHOWN = 100
MOST_KEYS = 400
# The filters of the domain list that have a field here.
SCOPE = ("team", "tag", "tlsrpt", "sts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the address asks for: which domains, where reports should go, and what to change."""

    domains: DomainQuerySet
    form: KitForm
    # What is known of those of them that a record is wanted for.
    wanted: list[Wanted]
    changes: list[dns_kit.Change]

    @property
    def verifiable(self) -> list[dns_kit.Change]:
        """Give the changes that checks can see: not the record that delegated names point to."""
        target = self.form.cleaned_data.get("delegate_to") if self.changes else None
        return [change for change in self.changes if change.domain != target]


def kit(request: HttpRequest) -> HttpResponse:
    """Show the changes for the domains that the address chooses, or give them as a file."""
    planned = _plan(request, request.GET)
    changes = planned.changes
    if request.GET.get("as") in set(Form):
        return _file(changes, Form(request.GET["as"]))
    if request.GET.get("as") == _OCTODNS:
        return _octodns_files(changes)
    if file := asked_file(request, _sheet(changes)):
        return file
    verified = _verified(request, len(planned.verifiable))
    if verified and verified.is_checking and request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(request.get_full_path())
    keys = request.GET.getlist("pk")
    context = {
        "form": planned.form,
        "changes": changes[:MOST_SHOWN],
        "change_count": len(changes),
        **_counts(planned),
        "chosen": [] if not keys else [("pk", key) for key in keys],
        "scope": None if keys else _scope_fields(request),
        "kept": [] if keys else _kept(request),
        "files": [
            *((words, _with(request, "as", one)) for one, words in _WORDS.items()),
            ("XLSX", _with(request, "export", Format.XLSX.value)),
        ],
        "zone": dns_kit.render(changes[:MOST_SHOWN], Form.ZONE),
        "verified": verified,
        "may_check": may_anywhere(request.user, Role.ANALYST),
        "may_manage": may_anywhere(request.user, Role.MANAGER),
        "query": request.GET.urlencode(),
    }
    return render(request, "tools/dns_kit.html", context)


@require_POST
def kit_verify(request: HttpRequest) -> HttpResponse:
    """Check the domains of the kit now, and lead back to what is still to be published."""
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    changes = _plan(request, query).verifiable
    named = Domain.objects.filter(name__in={change.domain for change in changes})
    ids = list(named.visible_to(request.user).order_by("pk").values_list("pk", flat=True))
    count = request_checks(permitted(request.user, Role.ANALYST).filter(pk__in=ids))
    if not count:
        messages.warning(request, "Nothing to verify: no domain among them that you may check.")
    else:
        query["verifying"] = str(len(changes))
        query["run"] = remember(request.session, ids)
    return redirect(f"{reverse('tools:dns_kit')}?{query.urlencode()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How many of the changes that were to be verified are seen in DNS."""

    total: int
    seen: int
    is_checking: bool


def _verified(request: HttpRequest, left: int) -> Verified | None:
    asked = read_number(request.GET.get("verifying", ""))
    if asked is None:
        return None
    total = max(asked, left)
    chosen = _from_address(request, request.GET).filter(is_active=True)
    under_way = chosen.filter(Q(claimed_at__isnull=False) | Q(next_check_at__lte=timezone.now()))
    return Verified(total=total, seen=total - left, is_checking=under_way.exists())


def _counts(planned: Planned) -> dict[str, int]:
    """Give how many domains are chosen, how many of them the plan leaves out, and why, and how
    many need no change."""
    changed = {change.domain for change in planned.changes}
    without_mail = Count("pk", filter=Q(posture__mx=Status.NULL_MX))
    found = planned.domains.order_by().aggregate(chosen=Count("pk"), without_mail=without_mail)
    return {
        "domain_count": found["chosen"],
        "planned_count": len(planned.wanted),
        "without_mail": found["without_mail"],
        "unseen": found["chosen"] - found["without_mail"] - len(planned.wanted),
        "fine_count": sum(one.domain not in changed for one in planned.wanted),
        "excepted_count": sum(change.excepted_until is not None for change in planned.changes),
        # What it does not mend: the records of policies that are served elsewhere.
        "broken_sts": sum(one.is_sts_broken for one in planned.wanted),
    }


def _plan(request: HttpRequest, query: QueryDict) -> Planned:
    domains = _from_address(request, query)
    ours = our_destinations()
    # Nobody is told off for a field that was never sent.
    form = KitForm(query if "rua" in query else {"rua": ours[0]} if ours else None)
    wanted: list[Wanted] = []
    changes: list[dns_kit.Change] = []
    if form.is_valid() and form.cleaned_data["rua"]:
        wanted = _wanted(domains)
        changes = dns_kit.plan(
            wanted,
            form.cleaned_data["rua"],
            # A domain that reports to another of our addresses already needs no change, unless
            # somebody asks for a certain address.
            accepted=() if "rua" in query else ours,
            delegate_to=form.cleaned_data["delegate_to"],
            policy_host=portal_host(),
        )
    return Planned(domains=domains, form=form, wanted=wanted, changes=changes)


def _scope_fields(request: HttpRequest) -> list[BoundField]:
    """Give the filters of the domain list that choose the kit's domains."""
    form = DomainFilter(request.GET, queryset=Domain.objects.none(), request=request).form
    for name in SCOPE:
        form.fields[name].widget.attrs["data-submit"] = ""
    return [form[name] for name in SCOPE]


@dataclass(frozen=True, slots=True)
class Kept:
    """A filter of the list that the kit has no field for, in words, and the address without it."""

    name: str
    value: str
    words: str
    href_without: str


def _kept(request: HttpRequest) -> list[Kept]:
    """Give the other filters that the list came with: they choose as well, and go on doing so."""
    form = DomainFilter(request.GET, queryset=Domain.objects.none(), request=request).form
    kept = []
    for name, field in form.fields.items():
        if name in SCOPE or not (value := request.GET.get(name, "")):
            continue
        words = dict(getattr(field, "choices", ())).get(value, f"“{value}”")
        left = request.GET.copy()
        left.pop(name)
        kept.append(Kept(name, value, str(words), f"?{left.urlencode()}"))
    return kept


@posted_by_list
def kit_chosen(request: HttpRequest) -> HttpResponse:
    """Lead from the chosen rows of the list to the kit's address."""
    chosen = chosen_domains(request, Role.VIEWER)
    if request.POST.get("everything"):
        query = request.POST.get("query", "")
    else:
        keys = [("pk", str(key)) for key in chosen.values_list("pk", flat=True)[:MOST_KEYS]]
        query = urlencode(keys)
    return redirect(f"{reverse('tools:dns_kit')}?{query}")


_OCTODNS = "octodns"
_WORDS = {
    Form.ZONE.value: "Zone lines",
    Form.CSV.value: "CSV",
    Form.TERRAFORM.value: "Terraform",
    _OCTODNS: "octoDNS",
}
_TYPES = {
    Form.ZONE: "text/plain",
    Form.CSV: "text/csv",
    Form.TERRAFORM: "text/plain",
}


def _from_address(request: HttpRequest, query: QueryDict) -> DomainQuerySet:
    visible = Domain.objects.visible_to(request.user)
    verified = recall(request.session, query.get("run", ""))
    if verified is not None:
        return visible.filter(pk__in=verified)
    if "pk" in query:
        return visible.filter(pk__in=read_numbers(query.getlist("pk")))
    return matching(query, visible, request)


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
    running = running_exceptions(domains, timezone.now().date()).filter(lack=Lack.TLSRPT)
    excepted = dict(running.order_by("expires_on").values_list("domain", "expires_on"))
    found = []
    for row in rows.order_by("name").exclude(posture=None).exclude(posture__mx="null-mx"):
        judgement = row.posture.judgement
        mta_sts = judgement.get("mta_sts", {})
        if row.posture.tlsrpt == "unknown":
            continue
        found.append(
            Wanted(
                domain=row.name,
                tlsrpt_status=row.posture.tlsrpt,
                rua=tuple(judgement.get("tlsrpt", {}).get("rua") or ()),
                policy_id=live.get(row.pk, ""),
                sts_record=mta_sts.get("record") or "",
                sts_id=mta_sts.get("id") or "",
                policy_host=read_policy_host(judgement),
                excepted_until=excepted.get(row.pk),
                is_sts_broken=row.posture.mta_sts == Status.INVALID and row.pk not in live,
            )
        )
    return found


def _with(request: HttpRequest, name: str, value: str) -> str:
    query = request.GET.copy()
    query[name] = value
    query.pop("verifying", None)
    return f"?{query.urlencode()}"


def _sheet(changes: list[dns_kit.Change]) -> Sheet:
    """Give the changes for those who plan in a spreadsheet, with what the CSV says."""
    return Sheet(
        name="changes",
        file_name="dns-kit",
        header=("Zone", "Name", "Type", "TTL", "Value", "Why"),
        rows=lambda: (
            (one.zone, one.name, one.type, dns_kit.TTL_S, one.value, one.why) for one in changes
        ),
    )


def _file(changes: list[dns_kit.Change], form: Form) -> HttpResponse:
    response = HttpResponse(
        dns_kit.render(changes, form), content_type=f"{_TYPES[form]}; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="dns-kit.{form.value}"'
    return response


def _octodns_files(changes: list[dns_kit.Change]) -> HttpResponse:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in dns_kit.render_octodns(changes).items():
            archive.writestr(name, text)
    response = HttpResponse(packed.getvalue(), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="dns-kit-octodns.zip"'
    return response
