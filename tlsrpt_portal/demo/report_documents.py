"""The reports that senders would have sent about the demo's domains."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tlsrpt_portal.demo.world import DAYS, SEED, DemoDomain, Trouble, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """A sender that reports: its share of the sessions and its manners."""

    organization: str
    contact: str
    host: str
    share: float
    # The chance that it has sent anything to a middling domain on a day.
    regularity: float
    counts_tlsa_too: bool = False
    sends_https: bool = False


REPORTERS = (
    Reporter(
        organization="Google Inc.",
        contact="smtp-tls-reporting@google.com",
        host="google.com",
        share=0.52,
        regularity=1.0,
    ),
    Reporter(
        organization="Microsoft Corporation",
        contact="tlsrpt-noreply@microsoft.com",
        host="microsoft.com",
        share=0.34,
        regularity=0.93,
        counts_tlsa_too=True,
    ),
    Reporter(
        organization="Yahoo Inc.",
        contact="tlsrpt-support@yahooinc.com",
        host="yahooinc.com",
        share=0.08,
        regularity=0.6,
    ),
    Reporter(
        organization="Comcast",
        contact="tlsrpt@comcast.net",
        host="comcast.net",
        share=0.04,
        regularity=0.35,
        sends_https=True,
    ),
    Reporter(
        organization="GMX",
        contact="tlsrpt@gmx.net",
        host="gmx.net",
        share=0.02,
        regularity=0.3,
        sends_https=True,
    ),
)

# Business mail: full on weekdays, a third on Saturday and Sunday.
WEEKDAY_SHARE = (1.0, 1.06, 1.04, 1.02, 0.92, 0.36, 0.31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One report as JSON, with who sent it."""

    reporter: Reporter
    domain: str
    day: date
    body: bytes


def documents(domain: DemoDomain, today: date) -> Iterator[Document]:
    """Give the reports about one domain, oldest day first; the same seed gives the same."""
    rng = random.Random(f"{SEED} {domain.name}")  # noqa: S311 - no secret
    if not domain.daily_sessions:
        return
    for back in range(min(DAYS, domain.reports_from_day), 0, -1):
        zone = domain.zone_at(back)
        day = today - timedelta(days=back)
        for reporter in REPORTERS:
            skipped = rng.random() > reporter.regularity
            weight = reporter.share * WEEKDAY_SHARE[day.weekday()] * rng.uniform(0.82, 1.18)
            sessions = round(domain.daily_sessions * weight)
            if skipped or not sessions or not (zone.tlsrpt or zone.is_dns_failing):
                continue
            yield Document(
                reporter=reporter,
                domain=domain.name,
                day=day,
                body=_render(domain, zone, reporter, day, back, sessions, rng),
            )


def _render(
    domain: DemoDomain,
    zone: Zone,
    reporter: Reporter,
    day: date,
    back: int,
    sessions: int,
    rng: random.Random,
) -> bytes:
    failures, details = 0, []
    for trouble in domain.troubles:
        concerned = not trouble.reporters or reporter.organization in trouble.reporters
        if concerned and trouble.to_day <= back <= trouble.from_day:
            count = min(
                sessions - failures, round(sessions * trouble.share * rng.uniform(0.8, 1.2))
            )
            failures += count
            details += _details(trouble, count, rng)
    if not details and rng.random() < 0.015:
        # The single failed session of every day's noise.
        failures = 1
        details = _details(
            Trouble(result_type="validation-failure", from_day=0, to_day=0, share=0), 1, rng
        )
    summary = {
        "total-successful-session-count": sessions - failures,
        "total-failure-session-count": failures,
    }
    entry: dict[str, object] = {"policy": _policy(domain, zone, reporter), "summary": summary}
    if details:
        entry["failure-details"] = details
    policies = [entry]
    if reporter.counts_tlsa_too and zone.has_tlsa:
        tlsa = {"policy-type": "tlsa", "policy-domain": domain.name, "policy-string": []}
        policies.append({"policy": tlsa, "summary": summary})
    start = datetime.combine(day, time())
    report = {
        "organization-name": reporter.organization,
        "date-range": {
            "start-datetime": f"{start:%Y-%m-%dT%H:%M:%S}Z",
            "end-datetime": f"{start:%Y-%m-%d}T23:59:59Z",
        },
        "contact-info": reporter.contact,
        "report-id": f"{start:%Y-%m-%dT%H:%M:%S}Z_{domain.name}",
        "policies": policies,
    }
    return json.dumps(report).encode()


def _policy(domain: DemoDomain, zone: Zone, reporter: Reporter) -> dict[str, object]:
    served = domain.other_policy if reporter.organization in domain.other_view else zone.policy
    text = served if zone.sts_record and zone.policy_result.value == "ok" else None
    if not text or "\nmx:" not in text or zone.sts_txt:
        return {"policy-type": "no-policy-found", "policy-domain": domain.name}
    lines = text.strip().splitlines()
    return {
        "policy-type": "sts",
        "policy-string": lines,
        "policy-domain": domain.name,
        "mx-host": [line.removeprefix("mx: ") for line in lines if line.startswith("mx: ")],
    }


def _details(trouble: Trouble, count: int, rng: random.Random) -> list[dict[str, object]]:
    if not count:
        return []
    detail: dict[str, object] = {
        "result-type": trouble.result_type,
        "sending-mta-ip": f"198.51.100.{rng.randint(1, 254)}",
        "failed-session-count": count,
    }
    if trouble.receiving_mx:
        detail["receiving-mx-hostname"] = trouble.receiving_mx
        detail["receiving-ip"] = f"192.0.2.{rng.randint(1, 254)}"
    if trouble.reason:
        detail["failure-reason-code"] = trouble.reason
    return [detail]
