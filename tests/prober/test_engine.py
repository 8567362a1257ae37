"""Sweeps over many domains: streaming, bounded, cancellable, and without exceptions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from mailtls.observed import DnsStatus, Observed
from mailtls.posture import Status, judge
from prober import Options, Request, check_many, parse_nameserver, run_checks
from prober.check import Checker
from tests.prober.dns_world import DnsServer, ThreadedServer, Zone

QUICK = (0.2, 0.2)


def fleet(count: int) -> Zone:
    zone = Zone()
    for number in range(count):
        name = f"d{number}.example"
        zone.txt(f"_smtp._tls.{name}", "v=TLSRPTv1; rua=mailto:a@example.com")
        zone.add(name, "MX", "10 mx.example.").add("mx.example", "A", "192.0.2.1")
    return zone


async def test_each_request_gets_one_observation():
    async with DnsServer(fleet(50)) as server:
        options = Options(nameservers=(server.address,), concurrency=7)
        requests = [Request(f"d{number}.example") for number in range(50)]

        found = [observed async for observed in check_many(requests, options)]

    assert sorted(o.domain for o in found) == sorted(r.domain for r in requests)
    assert {o.tlsrpt.status for o in found} == {DnsStatus.OK}
    # 50 domains and one MX host: its address is asked for once.
    assert server.asked["mx.example", "A"] == 1


async def test_requests_are_taken_only_as_there_is_room():
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        while True:
            taken += 1
            yield Request(f"d{taken}.example")

    async with DnsServer(Zone()) as server:
        options = Options(nameservers=(server.address,), concurrency=5)
        async with aclosing(check_many(endless(), options)) as observations:
            async for _ in observations:
                break
            await asyncio.sleep(0.3)

    assert taken < 400


async def test_results_stream_past_a_domain_that_hangs():
    zone = fleet(20)
    zone.faults["_smtp._tls.d0.example"] = "drop"
    async with DnsServer(zone) as server:
        options = Options(nameservers=(server.address,), dns_timeouts_s=QUICK, concurrency=2)
        requests = [Request(f"d{number}.example") for number in range(20)]

        found = [observed async for observed in check_many(requests, options)]

    order = [observed.domain for observed in found]
    assert order.index("d0.example") > 0
    slow = next(o for o in found if o.domain == "d0.example")
    assert slow.tlsrpt.status is DnsStatus.TIMEOUT
    assert slow.mx.status is DnsStatus.OK


async def test_a_domain_that_takes_too_long_is_cut_short_and_unknown():
    async with DnsServer(Zone(faults={"_smtp._tls.slow.example": "drop"})) as server:
        options = Options(nameservers=(server.address,), domain_deadline_s=0.3)

        [observed] = [o async for o in check_many([Request("slow.example")], options)]

    assert observed.failure == "not done in 0.3 s"
    assert observed.mx.status is DnsStatus.NXDOMAIN, "what was found out is kept"
    assert judge(observed, datetime.now(UTC)).tlsrpt.status is Status.UNKNOWN


async def test_a_fault_of_ours_stays_in_its_domain(monkeypatch: pytest.MonkeyPatch):
    original = Checker._observe_sts

    async def broken(self: Checker, domain: str, seen: dict[str, object]) -> None:
        if domain == "d1.example":
            raise RuntimeError("a fault of ours")
        await original(self, domain, seen)

    monkeypatch.setattr(Checker, "_observe_sts", broken)
    async with DnsServer(fleet(3)) as server:
        options = Options(nameservers=(server.address,))
        requests = [Request(f"d{number}.example") for number in range(3)]

        found = {o.domain: o async for o in check_many(requests, options)}

    assert found["d1.example"].failure == "RuntimeError: a fault of ours"
    assert found["d0.example"].failure is None
    assert judge(found["d1.example"], datetime.now(UTC)).mta_sts.status is Status.UNKNOWN


async def test_closing_early_leaves_nothing_running():
    before = len(asyncio.all_tasks())
    async with DnsServer(Zone(faults={"*": "drop"})) as server:
        options = Options(nameservers=(server.address,), concurrency=20)
        requests = (Request(f"d{number}.example") for number in range(1000))
        sweep = asyncio.create_task(_first(requests, options))
        await asyncio.sleep(0.1)
        sweep.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sweep

    assert len(asyncio.all_tasks()) == before


async def _first(requests: Iterator[Request], options: Options) -> Observed | None:
    async with aclosing(check_many(requests, options)) as observations:
        async for observed in observations:
            return observed
    return None


async def test_without_any_name_server_all_is_unknown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("prober.resolver._system_nameservers", list)

    [observed] = [o async for o in check_many([Request("example.com")], Options())]

    posture = judge(observed, datetime.now(UTC))
    assert {posture.tlsrpt.status, posture.mta_sts.status, posture.mx.status} == {Status.UNKNOWN}


def test_the_synchronous_form_gives_the_same():
    with ThreadedServer(fleet(30)) as address:
        options = Options(nameservers=(address,))
        requests = [Request(f"d{number}.example") for number in range(30)]

        found = list(run_checks(requests, options))

    assert {o.domain for o in found} == {r.domain for r in requests}
    assert {o.tlsrpt.status for o in found} == {DnsStatus.OK}


def test_the_synchronous_form_can_be_left_early():
    before = threading.active_count()
    with ThreadedServer(fleet(3)) as address:
        options = Options(nameservers=(address,), concurrency=5)
        checks = run_checks((Request("d1.example") for _ in range(10_000)), options)
        next(checks)
        checks.close()

    assert threading.active_count() == before


def test_a_fault_in_the_requests_reaches_the_caller():
    def broken() -> Iterator[Request]:
        yield Request("example.com")
        raise KeyError("the list broke")

    options = Options(nameservers=("127.0.0.1:1",))

    with pytest.raises(BaseExceptionGroup) as caught:
        list(run_checks(broken(), options))

    assert caught.group_contains(KeyError)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_is_read(text: str, expected: tuple[str, int]):
    assert parse_nameserver(text) == expected


@pytest.mark.parametrize("text", ["", "dns.example", "1.2.3.4:0", "1.2.3.4:x", "[::1", "[::1]5"])
def test_a_bad_name_server_is_refused(text: str):
    with pytest.raises(ValueError, match="Not a name server"):
        parse_nameserver(text)
