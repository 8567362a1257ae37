"""What a domain published over time, two versions side by side."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from domains.models import RecordKind, RecordVersion
from domains.record_diff import Fate, compare_versions
from domains.selection import visible_domain


def versions_page(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """Compare two versions of one kind: those asked for, else the newest with the one before."""
    domain = visible_domain(request, name)
    if kind not in RecordKind.values:
        raise Http404
    versions = list(RecordVersion.objects.filter(domain=domain, kind=kind))
    if not versions:
        raise Http404
    after = _find(versions, request.GET.get("after")) or versions[0]
    earlier = [one for one in versions if one.first_seen_at < after.first_seen_at]
    before = _find(versions, request.GET.get("before")) or (earlier or versions)[0]
    rows = compare_versions(kind, before.content, after.content)
    context = {
        "domain": domain,
        "kind": RecordKind(kind),
        "versions": versions,
        "before": before,
        "after": after,
        "rows": rows,
        "differs": any(row.fate != Fate.SAME for row in rows),
    }
    return render(request, "domains/versions.html", context)


def _find(versions: list[RecordVersion], key: str | None) -> RecordVersion | None:
    return next((one for one in versions if str(one.pk) == key), None)
