"""Report mails in any number, with the totals that a right reader finds in them."""

import base64
import gzip
import json
import random
from datetime import UTC, datetime, timedelta


def write_mails(folder, *, count, domain="a.example", seed=7):
    """Write mails to a folder; give (reports, successful sessions, failed sessions)."""
    rng = random.Random(seed)
    folder.mkdir()
    successes = failures = 0
    first = datetime(2026, 8, 1, tzinfo=UTC)
    for number in range(count):
        good, bad = rng.randint(1, 900), rng.choice([0, 0, 0, rng.randint(1, 30)])
        successes, failures = successes + good, failures + bad
        host = f"mta{number % 7}.sender.test"
        day = first + timedelta(days=number // 7)
        entry = {
            "policy": {"policy-type": "no-policy-found", "policy-domain": domain},
            "summary": {
                "total-successful-session-count": good,
                "total-failure-session-count": bad,
            },
        }
        if bad:
            entry["failure-details"] = [
                {"result-type": "certificate-expired", "failed-session-count": bad}
            ]
        report = {
            "organization-name": host,
            "date-range": {
                "start-datetime": f"{day:%Y-%m-%d}T00:00:00Z",
                "end-datetime": f"{day:%Y-%m-%d}T23:59:59Z",
            },
            "contact-info": f"postmaster@{host}",
            "report-id": f"{day:%Y-%m-%d}_{domain}",
            "policies": [entry],
        }
        body = base64.encodebytes(gzip.compress(json.dumps(report).encode(), mtime=0)).decode()
        mail = (
            f"From: postmaster@{host}\r\nTo: tlsrpt@reports.test\r\n"
            f"TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {host}\r\n"
            f"Subject: Report Domain: {domain} Submitter: {host} Report-ID: <{number}@{host}>\r\n"
            'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="tlsrpt"; '
            'boundary="=_b"\r\n\r\n--=_b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--=_b\r\n'
            "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
            f'Content-Disposition: attachment; filename="{host}!{domain}!{number}.json.gz"\r\n\r\n'
            f"{body}\r\n--=_b--\r\n"
        )
        (folder / f"{number:05}.eml").write_text(mail)
    return count, successes, failures
