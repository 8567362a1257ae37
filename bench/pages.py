"""How long the pages take on a large fleet: server time of each, in this process.

usage: pages.py [--domains 10000] [--days 365] [--reporters 5] [--report-days 60] [--repeat 20]
                [--only TEXT] [--strict]

Fills the empty PostgreSQL database that DATABASE_URL names (see page_fleet.py), or measures on the
fleet that an earlier run has left there. Each page is asked for as an administrator and as a member
of one of the twenty teams, after one request to warm up. Prints a table to standard error and one
JSON line; with --strict, ends 1 where a page misses its target.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")

# Milliseconds at the 95th percentile: for lists of domains, and for all other pages. A fleet of a
# hundred thousand domains may take longer where the whole fleet is added up.
LARGE = 50_000
TARGET_MS, LARGE_TABLE_TARGET_MS, LARGE_TARGET_MS = 100, 150, 1000
FIRST_LOAD_BYTES, LATER_LOAD_BYTES = 2_000_000, 100_000

DOMAIN_LISTS = (
    "/domains/",
    "/domains/?page=2",
    "/domains/?page={last_page}",
    "/domains/?sort=-name",
    "/domains/?sort=team",
    "/domains/?sort=-team",
    "/domains/?sort=tlsrpt",
    "/domains/?sort=-tlsrpt",
    "/domains/?sort=mta_sts",
    "/domains/?sort=-mta_sts",
    "/domains/?sort=dane",
    "/domains/?sort=-dane",
    "/domains/?sort=mx_provider",
    "/domains/?sort=-mx_provider",
    "/domains/?sort=team&page={last_page}",
    "/domains/?sort=tlsrpt&page={last_page}",
    "/domains/?sort=mx_provider&page=99",
    "/domains/?team={team}&sort=dane&page={last_page}",
    "/domains/?q=d0042",
    "/domains/?q=google",
    "/domains/?sts=enforce",
    "/domains/?sts=missing&sort=-name",
    "/domains/?tlsrpt=missing",
    "/domains/?dane=valid",
    "/domains/?team={team}",
    "/domains/?tag=tag-3",
    "/domains/?tag=tag-3&sts=testing&sort=-team",
    "/domains/?state=errors",
    "/domains/?state=uncovered",
    "/domains/?state=all",
    "/domains/?state=all&sort=-tlsrpt",
    "/domains/?exception=unexcused",
)
PAGES = (
    "/",
    "/?days=7",
    "/?days=90",
    "/?days=365",
    "/domains/{domain}/",
    "/domains/{domain}/?days=365",
    "/failures/",
    "/failures/?days=7",
    "/failures/?days=90",
    "/failures/?days=365",
    "/failures/?by=cause",
    "/failures/?by=cause&days=365",
    "/failures/?by=reporter",
    "/failures/?by=reporter&days=365",
    "/failures/?by=domain",
    "/failures/?by=domain&days=365",
    "/failures/?by=provider",
    "/failures/?by=provider&days=365",
    "/failures/?team={team}",
    "/failures/?team={team}&days=365",
    "/failures/?sts=testing",
    "/failures/?sts=enforce&by=domain",
    "/failures/?sts=testing&days=365",
    "/failures/?sts=enforce&by=reporter",
    "/failures/?sts=testing&by=reporter&days=365",
    "/failures/?sts=testing&by=policy&days=365",
    "/failures/?provider=none&by=domain",
    "/failures/?sort=domains",
    "/failures/?by=domain&sort=name",
    "/failures/?by=domain&sort=-reporters&days=365",
    "/failures/?cause=certificate-expired",
    "/failures/group/?cause=certificate-expired",
    "/failures/group/?cause=certificate-expired&reason=",
    "/failures/group/?cause=certificate-expired&reporter=Google+Inc.",
    "/failures/group/?cause=certificate-expired&days=365",
    "/failures/group/?cause=certificate-expired&operator=outlook.com",
    "/failures/group/?cause=certificate-expired&operator=outlook.com&days=365",
    "/failures/group/?cause=certificate-expired&mx=mx{mx}.provider.example",
    "/failures/group/?cause=certificate-expired&mx=mx{mx}.provider.example&days=365",
    "/reporters/",
    "/reporters/?days=7",
    "/reporters/?days=365",
    "/reports/",
    "/reports/?page=2",
    "/reports/?domain={domain}",
    "/reports/?content=failures",
    "/reports/?reporter=Google+Inc.",
    "/reports/?content=failures&sort=reporter",
    "/reports/?content=warnings",
    "/reports/?policy=sts",
    "/reports/?trust=dkim-mail",
    "/reports/?cause=certificate-expired",
    "/reports/?cause=certificate-expired&page=2",
    "/reports/?sts=enforce&policy=sts&content=failures&since={past}&until={yesterday}",
    "/reports/{report}/",
    "/incidents/",
    "/incidents/{incident}/",
    "/coverage/",
    "/coverage/?days=365",
    "/coverage/?on={past}",
    "/coverage/?team={team}&days=365",
    "/coverage/domains/?on={past}",
    "/coverage/domains/?on={past}&sts=missing&sort=-team",
    "/coverage/print/",
    "/coverage/exceptions/",
    "/rollout/",
    "/rollout/?team={team}",
    "/rollout/?stage=dark",
    "/rollout/?stage=testing",
    "/rollout/?stage=ready",
    "/rollout/?stage=enforce",
    "/rollout/what-if/",
    "/start/",
    "/jump/?q=d0042",
    "/tools/dns-kit/?team={team}&tlsrpt=missing",
    "/domains/import/",
)
# Not for members of a team.
ADMINISTRATION = ("/inbox/", "/inbox/unmanaged/", "/settings/system/", "/settings/audit/")
STATIC = re.compile(rb'(?:src|href)="(/static/[^"]+)"')


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--reporters", type=int, default=5)
    parser.add_argument("--report-days", type=int, default=60)
    parser.add_argument("--repeat", type=int, default=20, help="requests of each page, 2 or more")
    parser.add_argument("--only", default="", help="pages whose address contains this")
    parser.add_argument("--strict", action="store_true", help="end 1 where a target is missed")
    options = parser.parse_args()
    if options.repeat < 2:
        parser.error("--repeat must be 2 or more: one request has no 95th percentile.")

    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from bench.page_fleet import Size, fill
    from domains.models import Domain
    from tlsrpt_portal.settle import settle

    if not Domain.objects.exists():
        started = time.perf_counter()
        fill(Size(options.domains, options.days, options.reporters, options.report_days))
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    settle()
    people = viewers()
    words = placeholders()
    is_large = Domain.objects.count() >= LARGE
    found: dict[str, dict[str, Any]] = {}
    for page, target in targets(is_large=is_large):
        if options.only not in page:
            continue
        for who, client in people.items():
            if who == "member" and page in ADMINISTRATION:
                continue
            row = measure(client, page.format_map(words), options.repeat)
            row["is_slow"] = row["p95_ms"] > target
            found[f"{page} {who}"] = row
            print(
                f"{row['p50_ms']:8.1f} {row['p95_ms']:8.1f} {row['kb']:6d} KB  {who:13} {page}"
                + ("  SLOW" if row["is_slow"] else ""),
                file=sys.stderr,
            )
    wire = bytes_over_the_wire(people["administrator"])
    slow = [name for name, row in found.items() if row["is_slow"]]
    is_heavy = wire["first"] > FIRST_LOAD_BYTES or wire["later"] > LATER_LOAD_BYTES
    worst = max(found, key=lambda name: found[name]["p95_ms"])
    print(
        json.dumps(
            {
                "bench": "pages",
                "domains": Domain.objects.count(),
                "daily_rows": daily_rows(),
                "worst": worst,
                "worst_p95_ms": found[worst]["p95_ms"],
                "first_load_kb": round(wire["first"] / 1024),
                "later_load_kb": round(wire["later"] / 1024),
                "slow": slow,
                "pages": found,
            }
        )
    )
    if options.strict and (slow or is_heavy):
        raise SystemExit(1)


def targets(*, is_large: bool) -> list[tuple[str, int]]:
    """Give each page with the most milliseconds that its 95th percentile may be."""
    lists = LARGE_TABLE_TARGET_MS if is_large else TARGET_MS
    others = LARGE_TARGET_MS if is_large else TARGET_MS
    return [
        *((page, lists) for page in DOMAIN_LISTS),
        *((page, others) for page in (*PAGES, *ADMINISTRATION)),
    ]


def viewers() -> dict[str, Any]:
    """Give a logged-in client for an administrator and for a member of one team."""
    from django.test import Client

    from accounts.models import Membership, Team, User
    from accounts.roles import Role

    boss, _ = User.objects.get_or_create(email="bench@bench.example", is_superuser=True)
    member, _ = User.objects.get_or_create(email="member@bench.example")
    team = Team.objects.order_by("pk")[2]
    Membership.objects.get_or_create(user=member, team=team, defaults={"role": Role.MANAGER})
    clients = {}
    for who, user in (("administrator", boss), ("member", member)):
        clients[who] = Client(headers={"host": "localhost"})
        clients[who].force_login(
            user, backend="allauth.account.auth_backends.AuthenticationBackend"
        )
    return clients


def placeholders() -> dict[str, Any]:
    """Give what the addresses above leave open: a domain and team that both viewers may see."""
    from datetime import timedelta

    from django.utils import timezone

    from accounts.models import Team
    from alerts.models import Incident
    from domains.models import Domain

    team = Team.objects.order_by("pk")[2]
    domain = Domain.objects.active().filter(team=team, posture__sts_mode="enforce")[1]
    return {
        "team": team.pk,
        "domain": domain.name,
        # Of the third that shares hosts (see page_fleet).
        "mx": domain.pk // 3 * 3 % 400,
        "incident": Incident.objects.get(cause_key="cause 1").pk,
        "report": domain.policy_results.order_by("-day").values_list("report", flat=True)[0],
        "past": (timezone.now() - timedelta(days=200)).date().isoformat(),
        "yesterday": (timezone.now() - timedelta(days=1)).date().isoformat(),
        "last_page": "last",
    }


def measure(client: Any, page: str, repeat: int) -> dict[str, Any]:
    """Give median and 95th percentile in milliseconds, and the size in kilobytes."""
    client.get(page)
    took = []
    for _ in range(repeat):
        started = time.perf_counter()
        answer = client.get(page)
        took.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{page} answered {answer.status_code}.")
    return {
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1], 1),
        "kb": round(len(answer.content) / 1024),
    }


def bytes_over_the_wire(client: Any) -> dict[str, int]:
    """Give what a browser that takes gzip loads for the overview: with nothing cached, and later.

    Later, only the page itself is loaded: static files have names of their own for each content.
    """
    compressed = {"accept-encoding": "gzip"}
    page = client.get("/", headers=compressed).content
    later = len(page)
    files = {match.decode() for match in STATIC.findall(page)}
    first = later
    for file in sorted(files):
        answer = client.get(file, headers=compressed)
        if "immutable" not in answer.headers.get("cache-control", ""):
            raise SystemExit(f"{file} would be loaded again each time.")
        first += len(b"".join(answer.streaming_content))
    return {"first": first, "later": later}


def daily_rows() -> int:
    """Give the number of rows of daily figures."""
    from reports.models import DailySessions

    return DailySessions.objects.count()


if __name__ == "__main__":
    main()
