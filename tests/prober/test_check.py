"""One domain from DNS to verdict: what is asked, and what a failure anywhere means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailtls.observed import DnsStatus, Observed, Validation
from mailtls.posture import Posture, Status, judge
from prober import Options, Request, check_many
from tests.prober.dns_world import DnsServer, Zone

DOMAIN = "example.com"
MX = "mx1.example.com"
TLSRPT = "v=TLSRPTv1; rua=mailto:a@example.com"
TLSA = "3 1 1 " + "ab" * 32


def complete() -> Zone:
    """Give a zone in which every question of a check has an answer."""
    zone = Zone().txt(f"_smtp._tls.{DOMAIN}", TLSRPT).txt(f"_mta-sts.{DOMAIN}", "v=STSv1; id=1")
    zone.add(DOMAIN, "MX", f"10 {MX}.").add(MX, "A", "192.0.2.1")
    return zone.add(f"mta-sts.{DOMAIN}", "A", "192.0.2.2")


async def check(zone: Zone) -> tuple[Observed, Posture, DnsServer]:
    async with DnsServer(zone) as server:
        # Public addresses only: the documentation addresses of these zones are not visited.
        options = Options(nameservers=(server.address,), dns_timeouts_s=(0.15, 0.15))
        [observed] = [seen async for seen in check_many([Request(DOMAIN)], options)]
    return observed, judge(observed, datetime.now(UTC)), server


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "drop", "FORMERR", "referral"])
@pytest.mark.parametrize(
    ("where", "aspects"),
    [
        ((f"_smtp._tls.{DOMAIN}", "TXT"), {"tlsrpt"}),
        ((f"_mta-sts.{DOMAIN}", "TXT"), {"mta_sts"}),
        ((DOMAIN, "MX"), {"mx", "dane"}),
        ((f"_25._tcp.{MX}", "TLSA"), {"dane"}),
        ("*", {"tlsrpt", "mta_sts", "mx", "dane"}),
    ],
)
async def test_a_failed_lookup_makes_its_aspect_unknown_and_no_other(
    where: object, aspects: set[str], fault: str
):
    zone = complete()
    zone.faults[where] = fault

    _, posture, _ = await check(zone)

    statuses = {name: getattr(posture, name).status for name in ("tlsrpt", "mta_sts", "mx", "dane")}
    unknown = {name for name, status in statuses.items() if status is Status.UNKNOWN}
    assert unknown == aspects
    assert Status.MISSING not in {statuses[name] for name in aspects}


async def test_a_healthy_domain_costs_few_questions():
    _, _, server = await check(complete())

    asked = sum(server.asked.values())
    assert asked <= 9, server.asked


@pytest.mark.parametrize(
    "name",
    [
        DOMAIN,
        f"_tls.{DOMAIN}",
        f"_smtp-tlsrpt.{DOMAIN}",
        f"_smtp_tlsrpt.{DOMAIN}",
        f"_smtp._tls.{DOMAIN}.{DOMAIN}",
    ],
)
async def test_a_record_at_a_wrong_name_is_found(name: str):
    zone = complete()
    zone.records[name, "TXT"] = zone.records.pop((f"_smtp._tls.{DOMAIN}", "TXT"))

    _, posture, _ = await check(zone)

    assert posture.tlsrpt.status is Status.MISSING
    assert [f.code for f in posture.tlsrpt.findings] == ["tlsrpt.record.wrong-name"]


async def test_a_record_of_the_parent_does_not_count():
    zone = Zone().txt("_smtp._tls.com", TLSRPT).txt("_mta-sts.com", "v=STSv1; id=1")
    zone.add(DOMAIN, "MX", f"10 {MX}.").add(MX, "A", "192.0.2.1")

    _, posture, _ = await check(zone)

    assert posture.tlsrpt.status is Status.MISSING
    assert posture.mta_sts.status is Status.MISSING


async def test_without_mx_the_domains_own_address_is_looked_at():
    zone = complete()
    del zone.records[DOMAIN, "MX"]
    zone.add(DOMAIN, "A", "192.0.2.9").add(f"_25._tcp.{DOMAIN}", "TLSA", TLSA)

    observed, posture, _ = await check(zone)

    assert [host.name for host in observed.mx_hosts] == [DOMAIN]
    assert [host.name for host in posture.mx.hosts] == [DOMAIN]
    assert observed.tlsa_at_domain is None, "here it is the right owner"


async def test_tlsa_records_are_looked_for_at_the_end_of_an_alias_first():
    zone = Zone(signed={"example.com", "example.net"})
    zone.add(DOMAIN, "MX", f"10 {MX}.")
    zone.cnames[MX] = "real.example.net"
    zone.add("real.example.net", "A", "192.0.2.1").add("_25._tcp.real.example.net", "TLSA", TLSA)

    observed, posture, _ = await check(zone)

    assert observed.mx_hosts[0].tlsa.name == "_25._tcp.real.example.net"
    assert posture.dane.status is Status.VALID
    assert "dane.mx-host.cname" in {finding.code for finding in posture.dane.findings}
    assert "mx.host.cname" in {finding.code for finding in posture.mx.findings}


async def test_a_shared_tlsa_record_by_alias_passes():
    zone = Zone(signed={"example.com", "example.net"})
    zone.add(DOMAIN, "MX", f"10 {MX}.").add(MX, "A", "192.0.2.1")
    zone.cnames[f"_25._tcp.{MX}"] = "tlsa.example.net"
    zone.add("tlsa.example.net", "TLSA", TLSA)

    observed, posture, _ = await check(zone)

    assert observed.dnssec is Validation.VALIDATING
    assert posture.dane.status is Status.VALID


async def test_an_alias_through_an_unsigned_zone_does_not_count():
    zone = Zone(signed={"example.com"})
    zone.add(DOMAIN, "MX", f"10 {MX}.").add(MX, "A", "192.0.2.1")
    zone.cnames[f"_25._tcp.{MX}"] = "tlsa.example.net"
    zone.add("tlsa.example.net", "TLSA", TLSA)

    _, posture, _ = await check(zone)

    assert posture.dane.status is Status.INVALID
    assert [finding.code for finding in posture.dane.findings] == ["dane.insecure.tlsa"]


async def test_a_private_policy_host_is_told_without_a_visit():
    zone = complete()
    zone.records[f"mta-sts.{DOMAIN}", "A"] = ["10.0.0.1"]

    observed, posture, _ = await check(zone)

    assert observed.policy.result.value == "address-refused"
    assert posture.mta_sts.status is Status.INVALID


async def test_an_mx_that_names_no_host_is_not_looked_up():
    zone = complete()
    zone.records[DOMAIN, "MX"] = ["10 192.0.2.1.", "20 under_score.example.com."]

    observed, posture, server = await check(zone)

    assert observed.mx_hosts == ()
    assert observed.mx.status is DnsStatus.OK
    assert posture.mx.status is Status.INVALID
    assert not any("under_score" in name for name, _ in server.asked)
