"""Makes the spans of the past: today's state, with the changes since undone one after the other."""

import re
from collections import defaultdict
from datetime import UTC, timedelta

from django.db import migrations

KINDS = ("tlsrpt-status", "sts-status", "sts-mode", "dane-status")
MODE = re.compile(r"^mode:[ \t]*(\w+)", re.MULTILINE)
ONE_DAY = timedelta(days=1)
AT_ONCE = 2_000


def fill(apps, schema_editor):
    """Give each domain that was checked its spans."""
    postures = apps.get_model("domains", "Posture").objects.order_by("domain")
    ids = list(postures.values_list("domain", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        fill_some(apps, ids[start : start + AT_ONCE])


def fill_some(apps, ids):
    """Make the spans of these domains."""
    StateChange = apps.get_model("domains", "StateChange")
    StateSpan = apps.get_model("domains", "StateSpan")
    changes, policies = defaultdict(list), defaultdict(list)
    for change in (
        StateChange.objects.filter(domain__in=ids, kind__in=KINDS, confirmed_at__isnull=False)
        .order_by("-seen_at", "-pk")
        .values_list("domain", "kind", "before", "seen_at")
    ):
        changes[change[0]].append(change[1:])
    for domain, content, seen_at in (
        apps.get_model("domains", "RecordVersion")
        .objects.filter(domain__in=ids, kind="policy")
        .exclude(content="")
        .order_by("first_seen_at")
        .values_list("domain", "content", "first_seen_at")
    ):
        policies[domain].append((seen_at, content))
    rows = (
        apps.get_model("domains", "Posture")
        .objects.filter(domain__in=ids)
        .values_list("domain", "domain__created_at", "tlsrpt", "mta_sts", "sts_mode", "dane")
    )
    spans = []
    for domain, created_at, *now in rows:
        known_from = created_at.astimezone(UTC).date()
        for first, last, tlsrpt, sts, dane in spans_of(
            known_from, now, changes[domain], policies[domain]
        ):
            spans.append(
                StateSpan(
                    domain_id=domain,
                    first_day=first,
                    last_day=last,
                    tlsrpt=tlsrpt,
                    sts=sts,
                    dane=dane,
                )
            )
    StateSpan.objects.bulk_create(spans, batch_size=1_000)


def spans_of(known_from, now, changes, policies):
    """Give (first day, last day, states), the newest first; the newest has no last day."""
    held = dict(zip(("tlsrpt", "status", "mode", "dane"), now, strict=True))
    spans = []
    last = None

    def close(first):
        nonlocal last
        if last is not None and last < first:
            return  # of one day, only its end counts
        state = shown(held)
        if spans and spans[-1][2:] == state:
            spans[-1] = (first, *spans[-1][1:])
        else:
            spans.append((first, last, *state))
        last = first - ONE_DAY

    for kind, before, seen_at in changes:
        day = seen_at.astimezone(UTC).date()
        if day <= known_from:
            break
        close(day)
        undo(held, kind, before, seen_at, policies)
    close(known_from)
    return spans


def shown(held):
    """Give the state as a span holds it."""
    sts = held["mode"] or "unknown" if held["status"] == "valid" else held["status"]
    return held["tlsrpt"], sts, held["dane"]


def undo(held, kind, before, seen_at, policies):
    """Take one change back; a policy that was lost had the mode that its text says."""
    held[
        {"tlsrpt-status": "tlsrpt", "dane-status": "dane", "sts-mode": "mode"}.get(kind, "status")
    ] = before
    if kind == "sts-status" and before == "valid":
        texts = [content for first, content in policies if first < seen_at]
        found = MODE.search(texts[-1]) if texts else None
        if found:
            held["mode"] = found[1]


class Migration(migrations.Migration):
    dependencies = [("domains", "0006_state_span")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
