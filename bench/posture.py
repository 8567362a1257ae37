"""Measures the rules about records on a large fleet: the first look, nothing new, some checked.

usage: python -m bench.posture [--domains 100000]

One domain in a hundred has something wrong. The database is a SQLite file of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import timedelta


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=100_000)
    options = parser.parse_args()
    os.environ["DOTENV"] = os.devnull
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="bench-posture-")
    os.environ["DATABASE_URL"] = f"sqlite:///{os.environ['DATA_DIR']}/bench.sqlite3"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone
    from msgspec import structs

    from alerts.models import Incident, Rule, RuleKind
    from alerts.services.evaluate_posture import evaluate_posture
    from alerts.services.store_incident import Outcome
    from domains.models import CheckRun, Domain, Posture
    from domains.services.record_check import record_check
    from mailtls.facts import decode_facts, encode_facts
    from tests.domains.observations import observed

    call_command("migrate", verbosity=0)
    Rule.objects.exclude(kind=RuleKind.POSTURE).delete()
    now = timezone.now()
    samples = []
    for number, world in enumerate(({}, {"mx": ("mx1.elsewhere.test",)}, {"tlsrpt": "v=TLSRPTv1"})):
        sample = Domain.objects.create(name=f"sample{number}.example")
        for hours in (3, 2):
            at = now - timedelta(hours=hours)
            seen = observed(sample.name, at=at, **world)
            if not world:
                seen = observed(sample.name, at=at, mx=("mx1.a.example",))
            record_check(sample, seen, at)
        samples.append(Posture.objects.get(domain=sample))
    Domain.objects.bulk_create(
        [Domain(name=f"d{n:06d}.example") for n in range(options.domains)], batch_size=5_000
    )
    pks = list(Domain.objects.order_by("pk").values_list("pk", "name")[len(samples) :])

    def kind_of(number: int) -> int:
        return (1 if number % 200 else 2) if number % 100 == 0 else 0

    rows = []
    for number, (pk, name) in enumerate(pks):
        sample = samples[kind_of(number)]
        facts = structs.replace(decode_facts(bytes(sample.confirmed_facts)), domain=name)
        rows.append(
            Posture(
                domain_id=pk,
                checked_at=now,
                judgement=sample.judgement,
                observed=sample.observed,
                facts=sample.facts,
                confirmed_facts=encode_facts(facts),
            )
        )
        if len(rows) == 2_000:
            Posture.objects.bulk_create(rows)
            rows = []
    Posture.objects.bulk_create(rows)

    def check(numbers: range) -> None:
        at = timezone.now()
        chosen = [pks[number][0] for number in numbers]
        for start in range(0, len(chosen), 500):
            Posture.objects.filter(domain__in=chosen[start : start + 500]).update(checked_at=at)
        CheckRun.objects.bulk_create(
            [
                CheckRun(
                    domain_id=pk,
                    checked_at=at,
                    took_ms=1,
                    tlsrpt="valid",
                    mta_sts="valid",
                    mx="valid",
                    dane="missing",
                    starttls="not-checked",
                )
                for pk in chosen
            ],
            batch_size=5_000,
        )

    def measure(what: str) -> None:
        outcome = Outcome()
        started = time.perf_counter()
        evaluate_posture(timezone.now(), outcome)
        took_s = round(time.perf_counter() - started, 2)
        figures = {"what": what, "took_s": took_s, "opened": outcome.opened}
        print(json.dumps(figures | {"incidents": Incident.objects.count()}), flush=True)

    check(range(10))
    measure("first look at all")
    measure("nothing new")
    check(range(0, options.domains, max(1, options.domains // 350)))
    measure("350 checked: five minutes of a day")
    check(range(options.domains))
    measure("all checked again")


if __name__ == "__main__":
    main()
