"""Mails on disk to committed rows and daily figures: how many a second.

usage: ingest.py [--mails 10000] [--processes 2]

Makes its own mails and its own database: SQLite in a temporary folder, or an empty one that
DATABASE_URL names. Checks the totals exactly. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTERS = ("One", "Two", "Three", "Four", "Five")
FIRST_DAY = date(2026, 3, 1)


def make_mail(rng: random.Random, number: int) -> tuple[bytes, int, int]:
    """Give a report mail, its successes and its failures."""
    reporter = REPORTERS[number % 5]
    domain = f"d{number // 50:06d}.bench.example"
    day = FIRST_DAY + timedelta(days=number // 5 % 10)
    good, bad, details = rng.randint(1, 4000), 0, []
    if rng.random() < 0.2:
        bad = rng.randint(1, 60)
        details = [
            {
                "result-type": "certificate-expired",
                "sending-mta-ip": "192.0.2.1",
                "receiving-mx-hostname": f"mx1.{domain}",
                "receiving-ip": "198.51.100.1",
                "failed-session-count": bad,
            }
        ]
    document = {
        "organization-name": reporter,
        "date-range": {
            "start-datetime": f"{day}T00:00:00Z",
            "end-datetime": f"{day}T23:59:59Z",
        },
        "contact-info": f"tls@{reporter.lower()}.example",
        "report-id": f"{day}_{domain}_{reporter}",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-domain": domain,
                    "policy-string": ["version: STSv1", "mode: enforce", f"mx: mx1.{domain}"],
                    "mx-host": [f"mx1.{domain}"],
                },
                "summary": {
                    "total-successful-session-count": good,
                    "total-failure-session-count": bad,
                },
                "failure-details": details,
            }
        ],
    }
    packed = base64.encodebytes(gzip.compress(json.dumps(document).encode(), 6)).decode()
    mail = (
        f"From: tls@{reporter.lower()}.example\nTo: tls@portal.example\n"
        f"Subject: Report Domain: {domain} Submitter: {reporter.lower()}.example\n"
        f"TLS-Report-Domain: {domain}\nTLS-Report-Submitter: {reporter.lower()}.example\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type="tlsrpt"; '
        f'boundary="={number}="\n\n--={number}=\nContent-Type: text/plain\n\nA TLS report.\n'
        f"--={number}=\nContent-Type: application/tlsrpt+gzip\n"
        "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; "
        f'filename="{reporter.lower()}.example!{domain}!1!2.json.gz"\n\n{packed}\n--={number}=--\n'
    )
    return mail.encode(), good, bad


def manage(folder: Path, *arguments: str) -> str:
    """Run a command of the portal on the bench's own data."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**os.environ, "DATA_DIR": str(folder / "data"), "DOTENV": os.devnull},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, mails = Path(name), Path(name) / "mails"
        mails.mkdir()
        rng = random.Random(1)
        expected = [0, 0]
        for number in range(options.mails):
            mail, good, bad = make_mail(rng, number)
            (mails / f"{number:06d}.eml").write_bytes(mail)
            expected = [expected[0] + good, expected[1] + bad]
        domains = "\n".join(f"d{n:06d}.bench.example" for n in range(options.mails // 50 + 1))
        (folder / "domains.txt").write_text(domains)
        manage(folder, "migrate", "-v0")
        manage(folder, "importdomains", str(folder / "domains.txt"))
        started = time.perf_counter()
        out = manage(folder, "ingest", str(mails), f"--processes={options.processes}", "--json")
        took_s = time.perf_counter() - started
        script = (
            "from django.db.models import Sum; from reports.models import DailySessions; "
            "print(*DailySessions.objects.aggregate(a=Sum('counted_successes'), "
            "b=Sum('counted_failures')).values())"
        )
        counted = [int(n) for n in manage(folder, "shell", "-v0", "-c", script).split()]
    if counted != expected:
        raise SystemExit(f"counted {counted}, expected {expected}")
    figures = {
        "bench": "ingest",
        "mails": options.mails,
        "seconds": round(took_s, 2),
        "per_second": round(options.mails / took_s),
        "database": "postgresql" if os.environ.get("DATABASE_URL") else "sqlite",
        "accepted": json.loads(out.splitlines()[-1])["summary"]["accepted"],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
