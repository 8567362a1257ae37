"""Every way in which a name server can answer, fail or lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from dns.rdatatype import RdataType

from mailtls.observed import DnsStatus, Validation
from prober.lookups import look_up_mx, look_up_tlsa, look_up_txt, look_up_v6
from prober.resolver import Resolver
from tests.prober.dns_world import DnsServer, Zone

QUICK = (0.15, 0.15, 0.15)
NAME = "_smtp._tls.example.com"
RECORD = "v=TLSRPTv1; rua=mailto:a@example.com"


class World:
    """Name servers and a resolver that asks them."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.servers: list[DnsServer] = []

    async def resolver(self, *zones: Zone) -> Resolver:
        for zone in zones:
            self.servers.append(await self._stack.enter_async_context(DnsServer(zone)))
        addresses = [server.address for server in self.servers]
        return await self._stack.enter_async_context(Resolver(addresses, QUICK))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack)


async def test_strings_of_one_record_are_joined_without_a_blank(world: World):
    zone = Zone().add(NAME, "TXT", '"v=TLSRPTv1; rua=mailto:re" "ports@example.com"')
    resolver = await world.resolver(zone)

    answer = await look_up_txt(resolver, NAME)

    assert answer.texts == ("v=TLSRPTv1; rua=mailto:reports@example.com",)
    assert answer.status is DnsStatus.OK


async def test_two_equal_records_stay_two(world: World):
    resolver = await world.resolver(Zone().txt(NAME, RECORD, RECORD))

    assert (await look_up_txt(resolver, NAME)).texts == (RECORD, RECORD)


async def test_nxdomain_and_nodata_are_told_apart(world: World):
    resolver = await world.resolver(Zone().add("example.com", "A", "192.0.2.1"))

    assert (await look_up_txt(resolver, "example.com")).status is DnsStatus.NODATA
    assert (await look_up_txt(resolver, "other.example")).status is DnsStatus.NXDOMAIN


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("SERVFAIL", DnsStatus.SERVFAIL),
        ("REFUSED", DnsStatus.REFUSED),
        ("FORMERR", DnsStatus.LAME),
        ("NOTIMP", DnsStatus.LAME),
        ("referral", DnsStatus.LAME),
        ("drop", DnsStatus.TIMEOUT),
        ("wrong-id", DnsStatus.TIMEOUT),
        ("wrong-question", DnsStatus.TIMEOUT),
        ("garbage", DnsStatus.TIMEOUT),
    ],
)
async def test_each_failure_is_a_value_of_its_own(world: World, fault: str, status: DnsStatus):
    resolver = await world.resolver(Zone(faults={NAME: fault}).txt(NAME, RECORD))

    answer = await look_up_txt(resolver, NAME)

    assert answer.status is status
    assert answer.texts == ()
    assert world.servers[0].asked[NAME, "TXT"] >= 2


@pytest.mark.parametrize("fault", ["SERVFAIL", "REFUSED", "FORMERR", "referral", "drop", "garbage"])
async def test_a_second_name_server_is_asked_before_unknown(world: World, fault: str):
    bad = Zone(faults={NAME: fault}).txt(NAME, "wrong")
    resolver = await world.resolver(bad, Zone().txt(NAME, RECORD))

    answer = await look_up_txt(resolver, NAME)

    assert answer.texts == (RECORD,)
    assert answer.nameserver == world.servers[1].address


async def test_a_dead_name_server_does_not_hold_up_every_question(world: World):
    resolver = await world.resolver(Zone(faults={"*": "drop"}), Zone().txt(NAME, RECORD))

    answers = [await look_up_txt(resolver, NAME) for _ in range(40)]

    assert {answer.status for answer in answers} == {DnsStatus.OK}
    assert sum(world.servers[0].asked.values()) <= 5


async def test_a_name_server_that_comes_back_is_asked_again(world: World):
    revived = Zone(faults={"*": "drop"}, fault_times={"*": 4}).txt(NAME, RECORD)
    resolver = await world.resolver(revived, Zone().txt(NAME, RECORD))

    for _ in range(200):
        answer = await look_up_txt(resolver, NAME)

    assert answer.nameserver == world.servers[0].address


async def test_a_single_name_server_is_asked_again(world: World):
    zone = Zone(faults={NAME: "drop"}, fault_times={NAME: 1}).txt(NAME, RECORD)
    resolver = await world.resolver(zone)

    assert (await look_up_txt(resolver, NAME)).status is DnsStatus.OK


async def test_a_truncated_answer_is_fetched_over_tcp(world: World):
    long = "v=TLSRPTv1; rua=" + ",".join(f"mailto:r{n}@example.com" for n in range(90))
    resolver = await world.resolver(Zone(faults={NAME: "truncate"}).txt(NAME, long))

    answer = await look_up_txt(resolver, NAME)

    assert answer.texts == (long,)
    assert world.servers[0].tcp_asked[NAME, "TXT"] == 1


async def test_nobody_listening_is_a_timeout_without_the_wait(world: World):
    resolver = await world.resolver(Zone())
    await world.servers[0].__aexit__()

    assert (await look_up_txt(resolver, NAME)).status is DnsStatus.TIMEOUT


@pytest.mark.parametrize("follows", [True, False], ids=["resolver follows", "we follow"])
async def test_a_chain_of_aliases_is_followed_and_recorded(world: World, follows: bool):
    zone = Zone(follows_cnames=follows).txt("c.example", RECORD)
    zone.cnames = {NAME: "b.example", "b.example": "c.example"}
    resolver = await world.resolver(zone)

    answer = await look_up_txt(resolver, NAME)

    assert answer.texts == (RECORD,)
    assert answer.cnames == ("b.example", "c.example")


@pytest.mark.parametrize("follows", [True, False])
async def test_an_alias_to_nothing_is_nxdomain_with_its_target(world: World, follows: bool):
    zone = Zone(follows_cnames=follows, cnames={NAME: "gone.example"})
    resolver = await world.resolver(zone)

    answer = await look_up_txt(resolver, NAME)

    assert (answer.status, answer.cnames) == (DnsStatus.NXDOMAIN, ("gone.example",))


@pytest.mark.parametrize("follows", [True, False])
async def test_aliases_in_a_circle_end(world: World, follows: bool):
    zone = Zone(follows_cnames=follows, cnames={NAME: "b.example", "b.example": NAME})
    resolver = await world.resolver(zone)

    assert (await look_up_txt(resolver, NAME)).status is DnsStatus.LOOP


async def test_aliases_without_end_end(world: World):
    cnames = {f"n{n}.example": f"n{n + 1}.example" for n in range(40)}
    resolver = await world.resolver(Zone(follows_cnames=False, cnames=cnames))

    answer = await look_up_txt(resolver, "n0.example")

    assert answer.status is DnsStatus.LOOP
    assert len(answer.cnames) < 20


async def test_mx_records_come_sorted_and_folded(world: World):
    zone = Zone().add("example.com", "MX", "20 B.Example.com.", "10 a.example.com.", "0 .")
    resolver = await world.resolver(zone)

    answer = await look_up_mx(resolver, "example.com")

    assert [(r.preference, r.host) for r in answer.records] == [
        (0, "."),
        (10, "a.example.com"),
        (20, "b.example.com"),
    ]


async def test_tlsa_and_aaaa_are_read(world: World):
    zone = Zone().add("_25._tcp.mx.example", "TLSA", "3 1 1 " + "AB" * 32)
    zone.add("mx.example", "AAAA", "2001:db8::25")
    resolver = await world.resolver(zone)

    tlsa = await look_up_tlsa(resolver, "_25._tcp.mx.example")

    assert [(r.usage, r.selector, r.matching_type, r.data) for r in tlsa.records] == [
        (3, 1, 1, "ab" * 32)
    ]
    assert (await look_up_v6(resolver, "mx.example")).addresses == ("2001:db8::25",)


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        ("030101" + "ab" * 20, (3, 1, 1, "ab" * 20)),
        ("030102" + "ab" * 32, (3, 1, 2, "ab" * 32)),
        ("0301", (3, 1, 255, "")),
    ],
    ids=["short-sha256", "short-sha512", "no-data"],
)
async def test_a_malformed_tlsa_record_is_an_answer(world: World, wire: str, read: tuple):
    good = "3 1 1 " + "cd" * 32
    zone = Zone().add("_25._tcp.mx.example", "TLSA", rf"\# {len(wire) // 2} {wire}", good)
    resolver = await world.resolver(zone)

    tlsa = await look_up_tlsa(resolver, "_25._tcp.mx.example")

    assert tlsa.status is DnsStatus.OK
    found = {(r.usage, r.selector, r.matching_type, r.data) for r in tlsa.records}
    assert found == {read, (3, 1, 1, "cd" * 32)}


async def test_a_chain_is_secure_only_where_all_of_it_is(world: World):
    zone = Zone(follows_cnames=False, signed={"example.com"}, cnames={NAME: "c.example"})
    zone.txt("c.example", RECORD).txt("_mta-sts.example.com", "v=STSv1; id=1")
    resolver = await world.resolver(zone)

    assert (await look_up_txt(resolver, "_mta-sts.example.com")).is_secure
    assert not (await look_up_txt(resolver, NAME)).is_secure


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (Zone(signed={"."}).add(".", "NS", "a.root."), Validation.VALIDATING),
        (Zone().add(".", "NS", "a.root."), Validation.NOT_VALIDATING),
        (Zone(), Validation.UNKNOWN),
        (Zone(faults={"*": "REFUSED"}), Validation.UNKNOWN),
        (Zone(faults={"*": "drop"}), Validation.UNKNOWN),
    ],
    ids=["AD", "no AD", "no root", "refused", "silent"],
)
async def test_whether_the_resolver_validates_is_found_out_once(
    world: World, zone: Zone, expected: Validation
):
    resolver = await world.resolver(zone)

    assert await resolver.find_validation() is expected
    asked = world.servers[0].asked[".", "NS"]
    assert await resolver.find_validation() is expected
    assert world.servers[0].asked[".", "NS"] == asked


async def test_any_answer_with_ad_shows_that_the_resolver_validates(world: World):
    zone = Zone(signed={"example.com"}).txt(NAME, RECORD)
    resolver = await world.resolver(zone)

    await look_up_txt(resolver, NAME)

    assert await resolver.find_validation() is Validation.VALIDATING


async def test_an_extended_error_is_kept(world: World):
    resolver = await world.resolver(Zone(faults={NAME: "SERVFAIL"}, extended_error=6))

    assert (await look_up_txt(resolver, NAME)).extended_error == 6


async def test_an_impossible_name_is_no_exception(world: World):
    resolver = await world.resolver(Zone())

    reply = await resolver.ask("a" * 64 + ".example", RdataType.TXT)

    assert reply.status is DnsStatus.LAME
