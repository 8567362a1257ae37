"""Fills an empty PostgreSQL database with a fleet that resembles a real one, by the database.

Ten kinds of domains in twenty teams, with tags, postures, a year of changes and record versions,
incidents, hosted policies, checks, daily figures, and the reports of the newest days. One report
in five tells of failures, of two of eleven causes. A third of the domains shares 400 MX hosts, a
third has hosts of its own at a provider, and a third runs its own.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from mailtls.providers import PROVIDER_NAMES

REPORTERS = (
    "Google Inc.",
    "Microsoft Corporation",
    "Yahoo! Inc.",
    "Mail.example GmbH",
    "Comcast",
    "Postfix at example.net",
    "Fastmail Pty Ltd",
    "Example University",
    "GMX",
    "Proton AG",
)


@dataclass(frozen=True)
class Size:
    """How large the fleet is."""

    domains: int = 10_000
    days: int = 365
    reporters: int = 5
    report_days: int = 60  # of which the reports are there too, not only the daily figures


_INVENTORY = """
INSERT INTO accounts_team (name, created_at)
SELECT 'Team ' || lpad(n::text, 2, '0'), now() FROM generate_series(1, 20) n;

INSERT INTO domains_tag (name) SELECT 'tag-' || n FROM generate_series(1, 12) n;

-- Half were there from the beginning; the others came in the course of the year.
INSERT INTO domains_domain (name, team_id, owner, notes, is_active, created_at, next_check_at,
       tlsrpt, mta_sts, sts_mode, dane, starttls, mx, mx_provider, has_uncovered_mx, errors)
SELECT 'd' || lpad(n::text, 6, '0') || '.bench.example',
       (SELECT min(id) FROM accounts_team) + n %% 20,
       CASE WHEN n %% 3 = 0 THEN 'owner' || n %% 50 || '@bench.example' ELSE '' END,
       '', n %% 97 <> 0,
       now() - CASE WHEN n %% 2 = 0 THEN interval '400 days' ELSE n %% 360 * interval '1 day' END,
       now() + n %% 1440 * interval '1 minute', '', '', '', '', '', '', '', false, 0
FROM generate_series(0, %(domains)s - 1) n;

INSERT INTO domains_domain_tags (domain_id, tag_id)
SELECT d.id, t.id FROM domains_domain d JOIN domains_tag t
    ON t.id %% 12 = d.id %% 12 OR (t.id %% 12 = d.id %% 7 AND d.id %% 12 <> d.id %% 7);

INSERT INTO domains_posture (domain_id, checked_at, known_at, unknown_since, unknown_aspects,
       tlsrpt, mta_sts, sts_mode, mx, dane, starttls, mx_provider, has_uncovered_mx, errors,
       warnings, judgement, observed, facts, confirmed_facts)
SELECT id, now() - id %% 1440 * interval '1 minute', now(),
       CASE WHEN id %% 151 = 0 THEN now() - interval '2 days' END, '[]',
       CASE WHEN k < 7 THEN 'valid' WHEN k = 9 THEN 'invalid' ELSE 'missing' END,
       CASE WHEN k < 6 THEN 'valid' ELSE 'missing' END,
       CASE WHEN k < 4 THEN 'enforce' WHEN k < 6 THEN 'testing' ELSE '' END,
       CASE WHEN k = 8 THEN 'null-mx' ELSE 'valid' END,
       CASE WHEN id %% 9 = 0 THEN 'valid' ELSE 'missing' END,
       'not-checked', (%(providers)s::jsonb) ->> (id %% 7)::int, k = 0 AND id %% 40 = 0,
       CASE WHEN k = 9 THEN 1 ELSE 0 END, id %% 3,
       kind -> 'judgement', decode(kind ->> 'observed', 'hex'), decode(kind ->> 'facts', 'hex'),
       decode(kind ->> 'facts', 'hex')
FROM (SELECT id, id %% 10 AS k, (%(kinds)s::jsonb) -> (id %% 10)::int AS kind
      FROM domains_domain) d
WHERE id %% 499 <> 0;

UPDATE domains_domain d SET tlsrpt = p.tlsrpt, mta_sts = p.mta_sts, sts_mode = p.sts_mode,
       dane = p.dane, starttls = p.starttls, mx = p.mx, mx_provider = p.mx_provider,
       has_uncovered_mx = p.has_uncovered_mx, errors = p.errors, unknown_since = p.unknown_since
FROM domains_posture p WHERE p.domain_id = d.id;

INSERT INTO domains_hostedpolicy (domain_id, mode, mx, max_age_s, policy_id, published_at)
SELECT id, CASE WHEN id %% 10 < 4 THEN 'enforce' ELSE 'testing' END,
       jsonb_build_array('mx' || id %% 400 || '.provider.example'), 604800, '20260101T000000Z',
       now() - interval '60 days'
FROM domains_domain WHERE id %% 10 < 6 AND id %% 3 = 0;

INSERT INTO domains_checkrun (domain_id, checked_at, took_ms, tlsrpt, mta_sts, mx, dane, starttls,
       has_changed)
SELECT p.domain_id, now() - back * interval '1 day', 80, p.tlsrpt, p.mta_sts, p.mx, p.dane,
       p.starttls, false
FROM domains_posture p, generate_series(0, 29) back;
"""

# Four changes of a status in a year, as in a roll-out, and as many of records and MX sets again.
_CHANGES = """
INSERT INTO domains_statechange (domain_id, aspect, kind, severity, before, after, findings,
       seen_at, confirmed_at, claimed_at)
SELECT d.id, c.aspect, c.kind, 'info', c.before, c.after, '[]', at, at, at
FROM domains_domain d
JOIN (VALUES
    (0, 9, 350, 'tlsrpt', 'tlsrpt-status', 'missing', 'valid'),
    (0, 9, 300, 'tlsrpt', 'tlsrpt-record', '', 'v=TLSRPTv1; rua=mailto:tls@reports.example'),
    (0, 5, 250, 'mta_sts', 'sts-status', 'missing', 'valid'),
    (0, 5, 250, 'mta_sts', 'sts-mode', '', 'testing'),
    (0, 3, 120, 'mta_sts', 'sts-mode', 'testing', 'enforce'),
    (0, 9, 90, 'mx', 'mx', '10 mx1.example', '10 mx2.example'),
    (0, 9, 80, 'mx', 'provider', 'Provider 1', 'Provider 2'),
    (0, 5, 60, 'mta_sts', 'sts-policy', 'mode: testing', 'mode: enforce'),
    (6, 6, 45, 'mta_sts', 'sts-status', 'valid', 'missing'),
    (2, 7, 20, 'dane', 'dane-status', 'missing', 'valid'),
    (0, 9, 10, 'tlsrpt', 'tlsrpt-record', 'v=TLSRPTv1; rua=mailto:a@b.example',
     'v=TLSRPTv1; rua=mailto:tls@reports.example')
) AS c (first, last, back, aspect, kind, before, after)
    ON d.id %% 10 BETWEEN c.first AND c.last,
LATERAL (SELECT now() - (c.back - d.id %% 10) * interval '1 day'
                - d.id %% 1440 * interval '1 minute' AS at) x;

-- Certificates of policy hosts, renewed every two months; one in a hundred times too late.
INSERT INTO domains_statechange (domain_id, aspect, kind, severity, before, after, findings,
       seen_at, confirmed_at, claimed_at)
SELECT d.id, 'sts_cert', 'sts-certificate',
       CASE WHEN (d.id + n) %% 100 = 0 THEN 'warning' ELSE 'info' END,
       'mta-sts.' || d.name || ', valid until ' || (at + interval '30 days')::date,
       'mta-sts.' || d.name || ', valid until ' || (at + interval '90 days')::date, '[]', at, at, at
FROM domains_domain d, generate_series(0, 5) n,
LATERAL (SELECT now() - (n * 60 + d.id %% 60) * interval '1 day' AS at) x
WHERE d.id %% 10 < 6;

INSERT INTO domains_recordversion (domain_id, kind, content, first_seen_at, replaced_at)
SELECT d.id, v.kind, v.content, now() - v.back * interval '1 day',
       CASE WHEN v.until > 0 THEN now() - v.until * interval '1 day' END
FROM domains_domain d, (VALUES
    ('tlsrpt', 'v=TLSRPTv1; rua=mailto:a@b.example', 380, 10),
    ('tlsrpt', 'v=TLSRPTv1; rua=mailto:tls@reports.example', 10, 0),
    ('mta-sts', 'v=STSv1; id=1', 250, 60),
    ('mta-sts', 'v=STSv1; id=2', 60, 0),
    ('policy', E'version: STSv1\\nmode: testing\\nmax_age: 604800', 250, 60),
    ('policy', E'version: STSv1\\nmode: enforce\\nmax_age: 604800', 60, 0),
    ('mx', '10 mx1.example', 380, 90),
    ('mx', '10 mx2.example', 90, 0)
) AS v (kind, content, back, until);
"""

# What was published day by day: the same roll-out, as the coverage of past days reads it.
_SPANS = """
INSERT INTO domains_statespan (domain_id, first_day, last_day, tlsrpt, sts, dane)
SELECT d.id, GREATEST(x.first_day, d.created_at::date), x.last_day,
       CASE WHEN v.nr = 0 THEN 'missing' ELSE p.tlsrpt END,
       CASE WHEN v.nr < 2 OR p.sts_mode = '' THEN 'missing' WHEN v.nr = 2 THEN 'testing'
            ELSE p.sts_mode END,
       CASE WHEN v.nr < 4 THEN 'missing' ELSE p.dane END
FROM domains_posture p JOIN domains_domain d ON d.id = p.domain_id
CROSS JOIN (VALUES (0, 410, 350), (1, 350, 250), (2, 250, 120), (3, 120, 20), (4, 20, 0))
    AS v (nr, first, last),
LATERAL (SELECT current_date - v.first + d.id::int %% 10 AS first_day,
                CASE WHEN v.last > 0 THEN current_date - v.last - 1 + d.id::int %% 10 END
                AS last_day) x
WHERE x.last_day IS NULL OR x.last_day >= d.created_at::date;
"""

_DAY = """
INSERT INTO reports_dailysessions (domain_id, day, reporter, policy_type, successes, failures,
       counted_successes, counted_failures, reports)
SELECT d.id, current_date - %(back)s, r.name, p.kind, n, f, n, f, 1
FROM domains_domain d
CROSS JOIN (SELECT name, nr FROM unnest(%(names)s::text[]) WITH ORDINALITY AS r (name, nr)) r,
LATERAL (SELECT CASE WHEN d.id %% 10 < 6 THEN 'sts' ELSE 'no-policy-found' END AS kind,
                40 + (d.id * 31 + %(back)s * 7 + r.nr * 97) %% 900 AS n,
                CASE WHEN abs(hashint8(d.id * 1000 + %(back)s * 10 + r.nr)) %% 5 = 0
                THEN 2 + d.id %% 50 ELSE 0 END AS f) p;
"""

_FAILURES = """
INSERT INTO reports_dailyfailures (domain_id, day, result_type, receiving_mx, operator, reporter,
       failed_sessions, counted_failed_sessions)
SELECT s.domain_id, s.day,
       (ARRAY['certificate-expired', 'starttls-not-supported', 'validation-failure',
              'certificate-host-mismatch', 'certificate-not-trusted', 'tlsa-invalid',
              'dnssec-invalid', 'dane-required', 'sts-policy-fetch-error', 'sts-policy-invalid',
              'sts-webpki-invalid'])[1 + (abs(hashint8(s.id)) + 4 * k) %% 11],
       CASE s.domain_id %% 3
            WHEN 0 THEN 'mx' || s.domain_id %% 400 || '.provider.example'
            WHEN 1 THEN replace(d.name, '.', '-') || '.mail.protection.outlook.com'
            ELSE 'mx' || 1 + abs(hashint8(s.id * 2 + k)) %% 3 || '.' || d.name END,
       (ARRAY['provider.example', 'outlook.com', 'bench.example'])[1 + s.domain_id %% 3],
       s.reporter, s.failures / 2, s.failures / 2
FROM reports_dailysessions s JOIN domains_domain d ON d.id = s.domain_id
CROSS JOIN generate_series(0, 1) k WHERE s.failures > 0;
"""

# One report a domain, day and reporter, as large senders do; bodies are short here.
_REPORTS = """
INSERT INTO reports_intake (name, key, created_at, received, accepted, rejected)
VALUES ('Bench', 'bench', now(), 0, 0, 0);

INSERT INTO reports_rawreport (sha256, body, size_bytes, received_at)
SELECT md5(s.id::text) || md5((-s.id)::text), decode(repeat(md5(s.id::text), 12), 'hex'), 900,
       (s.day + 1)::timestamptz + s.id %% 20000 * interval '2 seconds'
FROM reports_dailysessions s WHERE s.day >= current_date - %(report_days)s;

INSERT INTO reports_receipt (channel, received_at, sender, recipient, file_name, trust, signed_by,
       attempts, processed_at, outcome, code, params, intake_id, raw_id, is_released,
       reader_version)
SELECT 'smtp', received_at, 'noreply@sender.example', 'tls@reports.example', '', 'dkim-mail',
       'sender.example', 1, received_at, 'accepted', '', '{}',
       (SELECT min(id) FROM reports_intake), id, false, 1
FROM reports_rawreport;

INSERT INTO reports_receipt (channel, received_at, sender, recipient, file_name, trust, signed_by,
       attempts, processed_at, outcome, code, params, intake_id, is_released, reader_version)
SELECT 'https', now() - n * interval '1 hour', '192.0.2.1', '', '', 'anonymous-https', '', 1, now(),
       'rejected', 'report.not-json', '{}', (SELECT min(id) FROM reports_intake), false, 1
FROM generate_series(1, 300) n;

INSERT INTO reports_report (content_sha256, organization_name, submitter, reporter, report_id,
       contact_info, start_at, end_at, day, received_at, trust, warnings, document, identity,
       first_receipt_id)
SELECT w.sha256, s.reporter, 'sender.example', s.reporter, s.day || '_' || s.domain_id,
       'tls@sender.example', s.day::timestamptz, (s.day + 1)::timestamptz, s.day, w.received_at,
       'dkim-mail', '[]', decode(%(document)s, 'hex'), w.sha256, c.id
FROM reports_dailysessions s
JOIN reports_rawreport w ON w.sha256 = md5(s.id::text) || md5((-s.id)::text)
JOIN reports_receipt c ON c.raw_id = w.id
WHERE s.day >= current_date - %(report_days)s;

INSERT INTO reports_reportreceipt (receipt_id, report_id, position, outcome)
SELECT first_receipt_id, id, 0, 'accepted' FROM reports_report;

INSERT INTO reports_policyresult (report_id, position, policy_type, policy_type_raw, policy_domain,
       domain_id, day, reporter, successes, failures, failures_in_details, is_counted,
       policy_strings, mx_hosts)
SELECT r.id, 0, s.policy_type, '', d.name, d.id, s.day, s.reporter, s.successes, s.failures,
       s.failures, true, '[]', '[]'
FROM reports_dailysessions s
JOIN domains_domain d ON d.id = s.domain_id
JOIN reports_report r ON r.content_sha256 = md5(s.id::text) || md5((-s.id)::text)
WHERE s.day >= current_date - %(report_days)s;

INSERT INTO reports_policyresult (report_id, position, policy_type, policy_type_raw, policy_domain,
       day, reporter, successes, failures, failures_in_details, is_counted, policy_strings,
       mx_hosts)
SELECT id, 1, 'sts', '', 'unmanaged' || id %% 300 || '.example', day, reporter, 10, 0, 0, true,
       '[]', '[]'
FROM reports_report WHERE id %% 100 = 0;

INSERT INTO reports_failuredetail (result_id, position, result_type, result_type_raw,
       failed_sessions, sending_mta_ip, receiving_mx_hostname, receiving_mx_helo, receiving_ip,
       additional_information, failure_reason_code)
SELECT p.id, row_number() OVER (PARTITION BY p.id) - 1, f.result_type, f.result_type,
       f.failed_sessions, '192.0.2.7', f.receiving_mx, '',
       '198.51.100.9', '', CASE WHEN p.id %% 2 = 0 THEN 'X509_V_ERR_CERT_HAS_EXPIRED' ELSE '' END
FROM reports_dailyfailures f
JOIN reports_policyresult p
    ON p.domain_id = f.domain_id AND p.day = f.day AND p.reporter = f.reporter
WHERE f.day >= current_date - %(report_days)s;
"""

_INCIDENTS = """
INSERT INTO alerts_incident (rule_id, cause_key, title, state, severity, team_id, opened_at,
       since_on, last_seen_on, resolved_at, result_type, receiving_mx, reporters, failed_sessions,
       sessions, evidence)
SELECT (SELECT min(id) FROM alerts_rule), 'cause ' || n, 'Expired certificate at mx' || n,
       CASE WHEN n <= 40 THEN 'open' WHEN n <= 60 THEN 'acknowledged' ELSE 'resolved' END,
       (ARRAY['critical', 'high', 'medium'])[1 + n %% 3],
       (SELECT min(id) FROM accounts_team) + n %% 20, now() - n * interval '12 hours',
       current_date - n / 2 - 1, current_date - n / 2, CASE WHEN n > 60 THEN now() END,
       'certificate-expired', jsonb_build_array('mx' || n || '.provider.example'),
       '["Google Inc."]', 1000 - n, 100000, '{}'
FROM generate_series(1, 600) n;

INSERT INTO alerts_incidentdomain (incident_id, domain_id, first_on, last_on, failed_sessions,
       sessions, clean_checks, evidence, is_of_part)
SELECT i.id, d.id, i.since_on, i.last_seen_on, d.id %% 90, 1000, 0, '{}', false
FROM alerts_incident i JOIN domains_domain d
    ON d.id %% 600 = i.id %% 600 OR (i.cause_key = 'cause 1' AND d.id %% 5 = 3);

INSERT INTO alerts_incidentevent (incident_id, at, event, actor_name, text, text_for_some)
SELECT id, opened_at, 'open', 'the portal', '', '' FROM alerts_incident;
"""

_LARGE = ("reports_dailysessions", "reports_dailyfailures")
_ROWS = (
    "reports_rawreport",
    "reports_receipt",
    "reports_report",
    "reports_reportreceipt",
    "reports_policyresult",
    "reports_failuredetail",
)


def fill(size: Size) -> None:
    """Make the fleet; the database has its tables and nothing else."""
    from reports.services.roll_up import rebuild_sums

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        known = {"kinds": json.dumps(_kinds()), "providers": json.dumps(PROVIDER_NAMES[:7])}
        cursor.execute(_INVENTORY, {"domains": size.domains, **known})
        cursor.execute(_CHANGES, {})
        cursor.execute(_SPANS, {})
        for table in _LARGE:  # no bench needs them after a crash
            cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
        names = list(REPORTERS[: size.reporters])
        with without_indexes(cursor, _LARGE):
            for back in range(size.days, 0, -1):
                cursor.execute(_DAY, {"back": back, "names": names})
            cursor.execute(_FAILURES, {})
        cursor.execute("ANALYZE")
        with without_indexes(cursor, _ROWS, keep=("raw_once", "report_once")):
            document = zlib.compress(b'{"organization-name": "Bench", "policies": []}').hex()
            cursor.execute(_REPORTS, {"report_days": size.report_days, "document": document})
        cursor.execute(_INCIDENTS, {})
    rebuild_sums()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _kinds() -> list[dict[str, Any]]:
    """Give what a check found, as postures hold it, for each of the ten kinds of domains."""
    from mailtls.facts import encode_facts, facts_of
    from mailtls.observed import encode_observed
    from mailtls.posture import judge
    from tlsrpt_portal.demo.observed import observe
    from tlsrpt_portal.demo.world import Zone

    now = datetime.now(UTC)
    record = "v=TLSRPTv1; rua=mailto:tls@reports.example"
    mx = ("10 mx1.provider.example", "20 mx2.provider.example")
    found = []
    for kind in range(10):
        mode = "enforce" if kind < 4 else "testing" if kind < 6 else ""
        policy = f"version: STSv1\r\nmode: {mode}\r\nmx: *.provider.example\r\nmax_age: 604800\r\n"
        zone = Zone(
            tlsrpt=record if kind < 7 else "v=TLSRPTv1; rua=tls@reports.example",
            sts_id="1" if mode else None,
            policy=policy if mode else None,
            mx=("0 .",) if kind == 8 else mx,
        )
        observed = observe("d000000.bench.example", zone, now)
        judged = judge(observed, now)
        found.append(
            {
                "judgement": judged.as_dict(),
                "observed": encode_observed(observed).hex(),
                "facts": encode_facts(facts_of(observed, judged, None)).hex(),
            }
        )
    return found


@contextmanager
def without_indexes(cursor: Any, tables: Sequence[str], keep: Sequence[str] = ()) -> Iterator[None]:
    """Take unique constraints, foreign keys and indexes away, and make them again afterwards."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u')",
        [list(tables)],
    )
    constraints = [row for row in cursor.fetchall() if row[1] not in keep]
    for table, name, _ in constraints:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [list(tables)]
    )
    indexes = [row for row in cursor.fetchall() if not row[0].endswith("_pkey")]
    indexes = [row for row in indexes if row[0] not in keep]
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
