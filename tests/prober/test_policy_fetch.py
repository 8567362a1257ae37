"""Every way in which a policy host can serve, fail or trick a fetch, and the verdict on it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
import pytest

from mailtls.catalogue import describe
from mailtls.observed import DnsStatus, FetchResult, Observed
from mailtls.posture import Posture, Status, judge
from prober import Options, Request, check_many
from prober.connect import ConnectFailed, ConnectFault, open_socket
from tests.prober.dns_world import DnsServer, Zone
from tests.prober.https_world import POLICY, Authority, HttpsServer, Respond, http

DOMAIN = "example.com"
HOST = "mta-sts.example.com"


class World:
    """One domain with its name server and policy host."""

    def __init__(self, stack: AsyncExitStack, authority: Authority) -> None:
        self._stack = stack
        self.authority = authority
        self.zone = Zone().txt(f"_mta-sts.{DOMAIN}", "v=STSv1; id=1")
        self.zone.txt(f"_smtp._tls.{DOMAIN}", "v=TLSRPTv1; rua=mailto:a@example.com")
        self.zone.add(DOMAIN, "MX", "10 mx1.example.com.").add("mx1.example.com", "A", "192.0.2.1")
        self.addresses = ["127.0.0.1"]
        self.options: dict[str, Any] = {"policy_deadline_s": 5.0, "allow_private_addresses": True}
        self.https = HttpsServer()

    async def check(self) -> tuple[Observed, Posture]:
        for address in self.addresses:
            self.zone.add(HOST, "AAAA" if ":" in address else "A", address)
        dns = await self._stack.enter_async_context(DnsServer(self.zone))
        await self._stack.enter_async_context(self.https)
        options = Options(
            nameservers=(dns.address,),
            ca_file=self.authority.ca_file,
            https_port=self.https.port,
            dns_timeouts_s=(0.3, 0.3),
            **self.options,
        )
        found = [observed async for observed in check_many([Request(DOMAIN)], options)]
        return found[0], judge(found[0], datetime.now(UTC))

    async def serve(self, answer: bytes | Respond, context: Any = None) -> tuple[Observed, Posture]:
        self.https.serve(HOST, context or self.authority.good(HOST), answer)
        return await self.check()


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, authority)


def codes(posture: Posture) -> set[str]:
    return {finding.code for finding in posture.mta_sts.findings}


def warnings(posture: Posture) -> set[str]:
    return {f.code for f in posture.mta_sts.findings if f.severity == "warning"}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain; charset=utf-8", "TEXT/PLAIN", "text/plain; foo=bar"],
)
async def test_a_policy_served_as_plain_text_is_valid(world: World, content_type: str):
    observed, posture = await world.serve(http(content_type=content_type))

    assert posture.mta_sts.status is Status.VALID
    assert warnings(posture) == set()
    assert posture.mx.hosts[0].covered is True
    assert observed.policy.certificate.dns_names == (HOST,)


@pytest.mark.parametrize("content_type", ["text/html", None, "application/octet-stream"])
async def test_another_media_type_is_a_warning(world: World, content_type: str | None):
    _, posture = await world.serve(http(content_type=content_type))

    assert posture.mta_sts.status is Status.VALID
    assert warnings(posture) == {"sts.http.content-type"}
    (said,) = [one for one in posture.findings if one.code == "sts.http.content-type"]
    assert describe(said).title == (
        f"The policy is served as {content_type or 'an unnamed type'} instead of text/plain"
    )


@pytest.mark.parametrize(
    "status",
    [201, 202, 203, 204, 206, 304, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503],
)
async def test_only_status_200_counts(world: World, status: int):
    body = b"" if status in (204, 304) else POLICY
    observed, posture = await world.serve(http(body, status=f"{status} Something"))

    assert posture.mta_sts.status is Status.INVALID
    assert posture.mta_sts.policy is None
    assert codes(posture) == {"sts.http.status"}
    assert observed.policy.http_status == status
    assert observed.policy.certificate is not None


@pytest.mark.parametrize(
    "status", ["300 Many", "301 Moved", "302 Found", "303 See", "307 T", "308 P"]
)
async def test_a_redirect_is_never_followed(world: World, status: str):
    target = f"https://{HOST}/elsewhere.txt"
    observed, posture = await world.serve(http(status=f"{status} Moved", Location=target))

    assert posture.mta_sts.status is Status.INVALID
    assert codes(posture) == {"sts.http.redirect"}
    assert observed.policy.location == target
    assert len(world.https.requests) == 1


async def test_a_redirect_that_names_no_address_is_told_in_words(world: World):
    _, posture = await world.serve(http(status="301 Moved"))

    (said,) = [one for one in posture.findings if one.code == "sts.http.redirect"]
    assert describe(said).title == "The policy host redirects to an address that it does not name"


async def test_the_request_is_neither_conditional_nor_cached(world: World):
    await world.serve(http())

    head = world.https.requests[0].decode().lower()
    assert head.startswith("get /.well-known/mta-sts.txt http/1.1\r\n")
    assert f"host: {HOST}\r\n" in head
    for header in ("if-none-match", "if-modified-since", "cookie", "authorization"):
        assert header not in head


CERTIFICATES: list[tuple[str, Callable[[Authority], Any], str, int | None]] = [
    ("expired", lambda a: a.expired(HOST), "sts.cert.expired", 10),
    ("not yet valid", lambda a: a.not_yet_valid(HOST), "sts.cert.not-yet-valid", 9),
    ("self-signed", lambda a: a.self_signed(HOST), "sts.cert.self-signed", 18),
    ("unknown authority", lambda a: a.unknown_authority(HOST), "sts.cert.untrusted", 20),
    ("wrong name", lambda a: a.good("example.com"), "sts.cert.name", 62),
    ("provider's name", lambda a: a.good("sts.provider.example"), "sts.cert.name", 62),
    ("parent wildcard", lambda a: a.good("*.com"), "sts.cert.name", 62),
    ("deep wildcard", lambda a: a.good("*.mta-sts.example.com"), "sts.cert.name", 62),
    ("partial wildcard", lambda a: a.partial_wildcard("m*.example.com"), "sts.cert.name", 62),
    ("common name only", lambda a: a.common_name_only(HOST), "sts.cert.name", 62),
]


@pytest.mark.parametrize(
    ("context", "code", "verify_code"),
    [case[1:] for case in CERTIFICATES],
    ids=[case[0] for case in CERTIFICATES],
)
async def test_each_bad_certificate_has_its_own_finding(
    world: World, context: Callable[[Authority], Any], code: str, verify_code: int
):
    observed, posture = await world.serve(http(), context(world.authority))

    assert posture.mta_sts.status is Status.INVALID
    assert code in codes(posture)
    assert observed.policy.verify_code == verify_code
    assert observed.policy.certificate is not None, "the refused certificate is kept"
    assert world.https.requests == [], "nothing is asked of a host that is not trusted"


@pytest.mark.parametrize(
    ("context", "detail"),
    [
        (lambda a: a.common_name_only(HOST), "sts.cert.common-name-only"),
        (lambda a: a.partial_wildcard("m*.example.com"), "sts.cert.partial-wildcard"),
    ],
)
async def test_the_usual_mistakes_with_names_are_told(
    world: World, context: Callable[[Authority], Any], detail: str
):
    _, posture = await world.serve(http(), context(world.authority))

    assert detail in codes(posture)


async def test_a_provider_without_a_certificate_for_the_customer_is_told(world: World):
    world.addresses = []
    world.zone.cnames[HOST] = "sts.provider.example"
    world.zone.add("sts.provider.example", "A", "127.0.0.1")

    _, posture = await world.serve(http(), world.authority.good("sts.provider.example"))

    assert {"sts.cert.name", "sts.cert.provider-name"} <= codes(posture)


async def test_a_wildcard_for_the_whole_left_label_is_fine(world: World):
    _, posture = await world.serve(http(), world.authority.good("*.example.com"))

    assert posture.mta_sts.status is Status.VALID


async def test_old_tls_is_refused(world: World):
    old = world.authority.old_tls(HOST)
    world.https = HttpsServer(base=old)

    _, posture = await world.serve(http(), old)

    assert codes(posture) == {"sts.tls.version"}


async def test_a_server_without_tls_is_a_failed_handshake(world: World):
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http())
        await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    world.https.port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    server = await asyncio.start_server(plain, "127.0.0.1", world.https.port)
    world.https = _Nothing(world.https.port)

    _, posture = await world.check()

    server.close()
    await server.wait_closed()
    assert codes(posture) == {"sts.tls.handshake"}


class _Nothing(HttpsServer):
    """A port that somebody else serves, or nobody."""

    def __init__(self, port: int) -> None:
        super().__init__(port=port)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        return


async def test_a_closed_port_is_refused(world: World, unused_tcp_port: int):
    world.https = _Nothing(unused_tcp_port)

    _, posture = await world.check()

    assert posture.mta_sts.status is Status.INVALID
    assert codes(posture) == {"sts.https.refused"}


async def test_a_name_the_server_does_not_know_is_a_failed_handshake(world: World):
    _, posture = await world.check()

    assert codes(posture) == {"sts.tls.handshake"}


async def test_a_server_that_drips_is_ended_by_the_deadline(world: World):
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 70\r\nContent-Type: text/plain\r\n\r\n")
        for byte in POLICY:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    world.options["policy_deadline_s"] = 0.4
    observed, posture = await world.serve(drip)

    assert codes(posture) == {"sts.https.timeout"}
    assert 300 < observed.policy.took_ms < 2000


async def test_a_server_that_says_nothing_is_ended_by_the_deadline(world: World):
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    world.options["policy_deadline_s"] = 0.3
    _, posture = await world.serve(silent)

    assert codes(posture) == {"sts.https.timeout"}


async def test_a_slow_but_complete_answer_is_a_warning(world: World):
    observed, _ = await world.serve(http())
    slow = replace_policy(observed, took_ms=12_000)

    posture = judge(slow, datetime.now(UTC))

    assert posture.mta_sts.status is Status.VALID
    assert warnings(posture) == {"sts.https.slow"}


def replace_policy(observed: Observed, **changes: Any) -> Observed:
    policy = msgspec.structs.replace(observed.policy, **changes)
    return msgspec.structs.replace(observed, policy=policy)


@pytest.mark.parametrize("size", [64 * 1024 + 1, 10**9])
async def test_an_announced_large_body_is_not_read(world: World, size: int):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nContent-Type: text/plain\r\n\r\n"
    _, posture = await world.serve(head.encode() + b"version: STSv1\n")

    assert codes(posture) == {"sts.policy.too-large"}


async def test_an_endless_body_is_cut(world: World):
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            await writer.drain()

    _, posture = await world.serve(endless)

    assert codes(posture) == {"sts.policy.too-large"}


async def test_chunks_and_a_body_until_close_are_read(world: World):
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    for start in range(0, len(POLICY), 7):
        part = POLICY[start : start + 7]
        chunked += f"{len(part):x}\r\n".encode() + part + b"\r\n"

    observed, posture = await world.serve(chunked + b"0\r\n\r\n")

    assert observed.policy.body == POLICY
    assert posture.mta_sts.status is Status.VALID


async def test_a_body_until_close_is_read(world: World):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY

    observed, _ = await world.serve(answer)

    assert observed.policy.body == POLICY


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02\x03" * 10,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + POLICY,
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["nothing", "noise", "cut short", "bad status", "endless head", "endless 1xx", "bad chunk"],
)
async def test_what_is_no_http_is_told(world: World, answer: bytes):
    observed, posture = await world.serve(answer)

    assert observed.failure is None
    assert codes(posture) == {"sts.http.protocol"}


async def test_a_compressed_policy_is_read_with_a_warning(world: World):
    _, posture = await world.serve(http(gzip.compress(POLICY), Content_Encoding="gzip"))

    assert posture.mta_sts.status is Status.VALID
    assert warnings(posture) == {"sts.http.content-encoding"}


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (gzip.compress(b"x" * 10_000_000), "gzip", "sts.policy.too-large"),
        (b"not compressed", "gzip", "sts.http.encoding"),
        (gzip.compress(POLICY)[:-8], "gzip", "sts.http.encoding"),
        (b"whatever", "br", "sts.http.encoding"),
    ],
    ids=["bomb", "a lie", "cut short", "unknown"],
)
async def test_a_hostile_compression_is_told(world: World, body: bytes, encoding: str, code: str):
    _, posture = await world.serve(http(body, Content_Encoding=encoding))

    assert code in codes(posture)
    assert posture.mta_sts.status is Status.INVALID


async def test_a_page_with_status_200_is_named(world: World):
    _, posture = await world.serve(http(b"<!DOCTYPE html><html>", content_type="text/html"))

    assert posture.mta_sts.status is Status.INVALID
    assert "sts.policy.html" in codes(posture)


@pytest.mark.parametrize(
    ("zone_change", "status", "code"),
    [
        (lambda z: None, Status.INVALID, "sts.host.nxdomain"),
        (lambda z: z.txt(HOST, "x"), Status.INVALID, "sts.host.no-address"),
        (lambda z: z.cnames.update({HOST: "x.gone"}), Status.INVALID, "sts.host.cname-dangling"),
        (lambda z: z.faults.update({HOST: "SERVFAIL"}), Status.UNKNOWN, "dns.servfail"),
        (lambda z: z.faults.update({HOST: "REFUSED"}), Status.UNKNOWN, "dns.refused"),
        (lambda z: z.faults.update({HOST: "drop"}), Status.UNKNOWN, "dns.timeout"),
    ],
    ids=["nxdomain", "no address", "dangling", "servfail", "refused", "timeout"],
)
async def test_a_policy_host_without_address_is_told_from_a_failed_lookup(
    world: World, zone_change: Callable[[Zone], Any], status: Status, code: str
):
    world.addresses = []
    zone_change(world.zone)

    _, posture = await world.check()

    assert posture.mta_sts.status is status
    assert codes(posture) == {code}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
async def test_a_private_address_is_not_visited(world: World, address: str):
    world.addresses = [address]
    world.options["allow_private_addresses"] = False

    _, posture = await world.serve(http())

    assert posture.mta_sts.status is Status.INVALID
    assert codes(posture) == {"sts.host.private-address"}
    assert world.https.requests == []


async def test_one_broken_family_is_a_warning(world: World):
    world.addresses = ["127.0.0.1", "::1"]

    observed, posture = await world.serve(http())

    assert posture.mta_sts.status is Status.VALID
    assert warnings(posture) == {"sts.host.address-broken"}
    assert observed.policy.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "findings"),
    [
        ("2001:db8::80", {"sts.host.address-broken": "warning"}),
        ("fd00::80", {"sts.host.address-broken": "warning"}),
        ("2606:4700::80", {"check.no-route": "info"}),
    ],
)
async def test_an_address_nobody_can_reach_is_told_from_one_we_cannot_reach(
    world: World, monkeypatch: pytest.MonkeyPatch, address: str, findings: dict[str, str]
):
    async def no_route(target: str, *arguments: Any, **options: Any) -> Any:
        if ":" in target:
            raise ConnectFailed(ConnectFault.NO_ROUTE, "Network is unreachable")
        return await open_socket(target, *arguments, **options)

    monkeypatch.setattr("prober.policy_request.open_socket", no_route)
    world.addresses = ["127.0.0.1", address]

    _, posture = await world.serve(http())

    assert posture.mta_sts.status is Status.VALID
    assert {f.code: f.severity.value for f in posture.mta_sts.findings} == findings


async def test_a_second_address_of_a_family_is_tried(world: World):
    world.addresses = ["127.0.0.1", "127.0.0.77"]
    world.https.host = "127.0.0.77"

    observed, posture = await world.serve(http())

    assert posture.mta_sts.status is Status.VALID
    assert observed.policy.address == "127.0.0.77"
    assert warnings(posture) == {"sts.host.address-broken"}


async def test_one_policy_host_is_not_overrun(world: World):
    at_once = most = 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.1)
        at_once -= 1
        writer.write(http())

    for number in range(12):
        host = f"mta-sts.d{number}.example"
        world.zone.add(host, "A", "127.0.0.1")
        world.https.serve(host, world.authority.good(host), count)
    dns = await world._stack.enter_async_context(DnsServer(world.zone))
    await world._stack.enter_async_context(world.https)
    options = Options(
        nameservers=(dns.address,),
        ca_file=world.authority.ca_file,
        https_port=world.https.port,
        allow_private_addresses=True,
        https_at_once=3,
    )
    requests = [Request(f"d{number}.example") for number in range(12)]

    found = [observed async for observed in check_many(requests, options)]

    assert {observed.policy.result for observed in found} == {FetchResult.OK}
    assert most == 3


async def test_a_policy_without_a_record_is_missing_with_a_warning(world: World):
    del world.zone.records[f"_mta-sts.{DOMAIN}", "TXT"]

    _, posture = await world.serve(http())

    assert posture.mta_sts.status is Status.MISSING
    assert codes(posture) == {"sts.record.missing-with-policy"}


async def test_both_families_unreachable_from_here_is_unknown(world: World):
    observed, _ = await world.serve(http())
    cut_off = replace_policy(observed, result=FetchResult.NO_ROUTE, body=None)

    posture = judge(cut_off, datetime.now(UTC))

    assert posture.mta_sts.status is Status.UNKNOWN
    assert observed.policy.v6.status is DnsStatus.NODATA
