"""Holds back what counts for days that are still to come, as it would be if it arrived now."""

import zlib
from datetime import timedelta

from django.db import migrations
from django.utils import timezone

CODE = "report.date.in-future"
MOST_AHEAD = timedelta(hours=14)


def hold_back(apps, _):
    models = {model.__name__: model for model in apps.get_app_config("reports").get_models()}
    for report in models["Report"].objects.filter(day__gt=timezone.now().date()).order_by("pk"):
        if report.start_at > report.received_at + MOST_AHEAD:
            _put_aside(models, report)


def _put_aside(models, report):
    """Put the bytes and the reason into the inbox, and take the rows away."""
    of_report = models["Receipt"].objects.filter(deliveries__report=report)
    receipts = models["Receipt"].objects.filter(
        pk__in=list(of_report.values_list("pk", flat=True)) or [_new_receipt(models, report)]
    )
    if receipts.filter(raw=None).exists():
        # Retention has let go of the bytes. What was in them is the report's own text.
        raw, _ = models["RawReport"].objects.get_or_create(
            sha256=report.content_sha256,
            defaults={
                "body": report.document,
                "size_bytes": len(zlib.decompress(report.document)),
            },
        )
        receipts.filter(raw=None).update(raw=raw)
    receipts.update(
        outcome="rejected",
        code=CODE,
        params={"start": f"{report.start_at:%Y-%m-%d %H:%M}Z"},
        processed_at=timezone.now(),
        claimed_at=None,
    )
    results = models["PolicyResult"].objects.filter(report=report)
    models["DirtyDay"].objects.bulk_create(
        models["DirtyDay"](domain_id=pk, day=report.day)
        for pk in sorted(set(results.exclude(domain=None).values_list("domain", flat=True)))
    )
    models["FailureDetail"].objects.filter(result__report=report).delete()
    results.delete()
    models["ReportReceipt"].objects.filter(report=report).delete()
    models["Report"].objects.filter(conflicts_with=report).update(conflicts_with=None)
    report.delete()


def _new_receipt(models, report):
    """Make up the receipt that retention has let go of."""
    return models["Receipt"].objects.create(channel="command", received_at=report.received_at).pk


class Migration(migrations.Migration):
    dependencies = [("reports", "0016_apart_in_spans")]

    operations = [migrations.RunPython(hold_back, migrations.RunPython.noop, elidable=True)]
