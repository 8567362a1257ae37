"""How long the pages take on a large fleet: server time of each, in this process.

usage: pages.py [--domains 10000] [--days 365] [--reporters 5] [--repeat 15]

Fills the empty database that DATABASE_URL names (PostgreSQL) with an inventory, postures and
daily figures, by the database itself. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")

PAGES = (
    "/",
    "/?days=365",
    "/domains/",
    "/domains/?sort=-name",
    "/domains/?search=d0042",
    "/domains/?mta_sts=enforce",
    "/domains/d000042.bench.example/",
    "/failures/",
    "/reporters/",
    "/reports/",
    "/incidents/",
    "/coverage/",
    "/rollout/",
)

FILL = """
INSERT INTO accounts_team (name, created_at)
SELECT 'Team ' || n, now() FROM generate_series(1, 20) n;

INSERT INTO domains_domain (name, team_id, owner, notes, is_active, created_at, next_check_at)
SELECT 'd' || lpad(n::text, 6, '0') || '.bench.example',
       (SELECT min(id) FROM accounts_team) + n %% 20, '', '', true, now(), now() + interval '1 day'
FROM generate_series(0, %(domains)s - 1) n;

INSERT INTO domains_posture (domain_id, checked_at, known_at, unknown_aspects, tlsrpt, mta_sts,
       sts_mode, mx, dane, starttls, mx_provider, errors, warnings, judgement, observed, facts,
       confirmed_facts)
SELECT id, now(), now(), '[]',
       CASE WHEN id %% 10 < 7 THEN 'valid' WHEN id %% 10 = 9 THEN 'invalid' ELSE 'missing' END,
       CASE WHEN id %% 10 < 7 THEN 'valid' ELSE 'missing' END,
       CASE WHEN id %% 10 < 4 THEN 'enforce' WHEN id %% 10 < 7 THEN 'testing' ELSE '' END,
       'valid', 'missing', 'not-checked', 'Provider ' || id %% 7, 0, 0, '{}', '', '', ''
FROM domains_domain;

INSERT INTO reports_dailysessions (domain_id, day, reporter, policy_type, successes, failures,
       counted_successes, counted_failures, reports)
SELECT d.id, current_date - back, 'Reporter ' || r, 'sts', 500, f, 500, f, 1
FROM domains_domain d, generate_series(1, %(days)s) back, generate_series(1, %(reporters)s) r,
     LATERAL (SELECT CASE WHEN (d.id * 7 + back * 13 + r) %% 23 = 0 THEN 3 ELSE 0 END AS f) x;

INSERT INTO reports_dailyfailures (domain_id, day, result_type, receiving_mx, reporter,
       failed_sessions, counted_failed_sessions)
SELECT s.domain_id, s.day,
       (ARRAY['certificate-expired', 'starttls-not-supported', 'validation-failure'])
           [1 + s.domain_id %% 3],
       'mx' || s.domain_id %% 400 || '.provider.example', s.reporter, s.failures, s.failures
FROM reports_dailysessions s WHERE s.failures > 0;

ANALYZE;
"""


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--reporters", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=15)
    arguments = parser.parse_args()

    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from accounts.models import User

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    if not User.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(FILL, vars(arguments))
        User.objects.create_superuser("bench@bench.example")
    client = Client(headers={"host": "localhost"})
    client.force_login(
        User.objects.get(email="bench@bench.example"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    pages = {page: measure(client, page, arguments.repeat) for page in PAGES}
    print(json.dumps({"bench": "pages", **vars(arguments), "pages": pages}))


def measure(client: object, page: str, repeat: int) -> dict[str, float]:
    """Give median and 95th percentile in milliseconds, and the size in kilobytes."""
    client.get(page)  # type: ignore[attr-defined]
    took = []
    for _ in range(repeat):
        started = time.perf_counter()
        answer = client.get(page)  # type: ignore[attr-defined]
        took.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{page} answered {answer.status_code}.")
    p95 = statistics.quantiles(took, n=20)[-1]
    return {
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(p95, 1),
        "kb": round(len(answer.content) / 1024),
    }


if __name__ == "__main__":
    main()
