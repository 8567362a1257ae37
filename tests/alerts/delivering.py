"""A portal that only delivers, for test_killed_workers: `python -m tests.alerts.delivering DEED …`.

`fill` puts messages into the outbox of a database of its own, `work` delivers for ever, `left`
prints what became of the messages. Times are shortened; the code is the portal's.
"""

# ruff: noqa: E402 the portal's modules can be imported once Django is set up

import json
import sys
import time
from datetime import date, timedelta

import django

django.setup()

from django.core.mail.utils import DNS_NAME
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from alerts.lifecycle import Event
from alerts.models import DestinationKind, Incident, Notification, Rule, Severity
from alerts.services import deliver, outbox
from alerts.services.destinations import save_destination
from alerts.services.incidents import step

NOWHERE = "json://localhost"


def fill(incidents, *addresses):
    """Make incidents that open, get worse and are resolved, and destinations that hear of it."""
    call_command("migrate", verbosity=0)
    root = User.objects.create_superuser("root@corp.example")
    for number, held in enumerate(addresses):
        kind, _, address = held.partition("=")
        save_destination(
            root,
            name=f"Destination {number}",
            kind=DestinationKind(kind),
            address=address,
            team=None,
            minimum_severity=Severity.LOW,
            secret="s3cret" if kind == DestinationKind.WEBHOOK else "",
        )
    rule = Rule.objects.first()
    made = []
    for number in range(int(incidents)):
        today = date(2026, 11, 20)
        made.append(
            Incident.objects.create(
                rule=rule,
                cause_key=f"cause {number}",
                title=f"Cause {number}",
                severity=Severity.HIGH,
                since_on=today,
                last_seen_on=today,
            )
        )
    for event in (Event.OPEN, Event.WORSEN, Event.RESOLVE):
        for incident in made:
            with transaction.atomic():
                step(incident, event, f"{event.value} {incident.pk}")


def work(slack_url):
    """Deliver until killed."""
    from apprise.plugins.slack import NotifySlack

    from alerts.channels import apprise, webhook

    NotifySlack.webhook_url = slack_url
    NotifySlack.request_rate_per_sec = 0
    # Long enough for a worker that gets no processor for a while: one that gives up just as it is
    # answered has not heard of the pause.
    NotifySlack.socket_read_timeout = webhook.TIMEOUT_S = 1.5
    deliver.SEND_ENDS_AFTER_S = 3.0
    outbox.CLAIM_ENDS_AFTER = timedelta(seconds=6)
    outbox.BACKOFF = deliver.BACKOFF = (timedelta(milliseconds=200),) * 500
    # The first messages of a process are not to wait for these: its life is short, and a send that
    # is given up while Apprise reads its plugins would leave beside the next try.
    webhook.tls_context()
    apprise.is_understood(NOWHERE)
    DNS_NAME.get_fqdn()
    print("ready", flush=True)
    while True:
        deliver.deliver_due()
        time.sleep(0.02)


def left():
    """Print the messages in order, with what became of each."""
    rows = Notification.objects.order_by("pk").values_list(
        "pk", "incident", "event", "event__event", "destination__kind", "destination"
    )
    delivered = Notification.objects.filter(delivered_at__isnull=False).count()
    failed = Notification.objects.filter(failed_at__isnull=False).count()
    print(json.dumps({"delivered": delivered, "failed": failed, "messages": list(rows)}))


if __name__ == "__main__":
    {"fill": fill, "work": work, "left": left}[sys.argv[1]](*sys.argv[2:])
