"""Visits to MX hosts: STARTTLS, certificates, DANE, politeness, and a port that is blocked."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailtls.observed import Observed, ProbeResult
from mailtls.posture import Posture, Status, judge
from prober import Options, Request, check_many
from tests.prober.dns_world import DnsServer, Zone
from tests.prober.https_world import Authority, HttpsServer, http
from tests.prober.smtp_world import SmtpServer

DOMAIN = "example.com"
MX = "mx1.example.com"
POLICY_HOST = "mta-sts.example.com"


class World:
    """One domain whose MX host is visited."""

    def __init__(self, stack: AsyncExitStack, authority: Authority) -> None:
        self._stack = stack
        self.authority = authority
        self.zone = Zone(signed={"example.com"})
        self.zone.add(DOMAIN, "MX", f"10 {MX}.").add(MX, "A", "127.0.0.1")
        self.smtp = SmtpServer(authority.good(MX))
        self.options: dict[str, Any] = {"allow_private_addresses": True, "smtp_deadline_s": 2.0}

    async def enforce(self, mode: str = "enforce") -> None:
        https = await self._stack.enter_async_context(HttpsServer())
        body = f"version: STSv1\nmode: {mode}\nmx: {MX}\nmax_age: 2592000\n".encode()
        https.serve(POLICY_HOST, self.authority.good(POLICY_HOST), http(body))
        self.zone.txt(f"_mta-sts.{DOMAIN}", "v=STSv1; id=1").add(POLICY_HOST, "A", "127.0.0.1")
        self.options["https_port"] = https.port

    async def check(self, *domains: str) -> list[tuple[Observed, Posture]]:
        dns = await self._stack.enter_async_context(DnsServer(self.zone))
        await self._stack.enter_async_context(self.smtp)
        options = Options(
            nameservers=(dns.address,),
            ca_file=self.authority.ca_file,
            smtp_port=self.smtp.port,
            dns_timeouts_s=(5.0, 5.0),
            **self.options,
        )
        requests = [Request(domain, with_starttls=True) for domain in domains or (DOMAIN,)]
        now = datetime.now(UTC)
        return [(seen, judge(seen, now)) async for seen in check_many(requests, options)]


@pytest.fixture
async def world(authority: Authority) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(stack, authority)


def starttls_codes(posture: Posture) -> set[str]:
    return {finding.code for finding in posture.starttls.findings}


def dane_codes(posture: Posture) -> set[str]:
    return {finding.code for finding in posture.dane.findings}


async def test_a_good_host_is_valid(world: World):
    [(observed, posture)] = await world.check()

    assert posture.starttls.status is Status.VALID
    assert starttls_codes(posture) == set()
    host = posture.starttls.hosts[0]
    assert (host.name, host.tls_version, host.is_trusted, host.is_name_valid) == (
        MX,
        "TLSv1.3",
        True,
        True,
    )
    assert observed.mx_hosts[0].starttls.greeting == "mx1.example.com ESMTP"


async def test_a_visit_is_polite(world: World):
    await world.check()

    assert world.smtp.connections == 1
    assert [command.split(" ")[0] for command in world.smtp.commands] == [
        "EHLO",
        "STARTTLS",
        "QUIT",
    ]
    assert world.smtp.commands[0] == "EHLO [127.0.0.1]"


async def test_our_own_name_can_be_given(world: World):
    world.options["ehlo_name"] = "probe.portal.example"

    await world.check()

    assert world.smtp.commands[0] == "EHLO probe.portal.example"


async def test_without_being_asked_no_host_is_visited(world: World):
    dns = await world._stack.enter_async_context(DnsServer(world.zone))
    await world._stack.enter_async_context(world.smtp)
    options = Options(nameservers=(dns.address,), smtp_port=world.smtp.port)

    found = [seen async for seen in check_many([Request(DOMAIN)], options)]

    assert judge(found[0], datetime.now(UTC)).starttls.status is Status.NOT_CHECKED
    assert world.smtp.connections == 0


async def test_many_domains_share_one_visit(world: World):
    domains = [f"d{number}.example" for number in range(30)]
    for domain in domains:
        world.zone.add(domain, "MX", f"10 {MX}.")

    results = await world.check(*domains)

    assert len(results) == 30
    assert {posture.starttls.status for _, posture in results} == {Status.VALID}
    assert world.smtp.connections == 1


async def test_names_of_one_machine_are_visited_one_after_the_other(world: World):
    names = [f"mx{number}.shared.example" for number in range(5)]
    for number, name in enumerate(names):
        world.zone.add(f"d{number}.example", "MX", f"10 {name}.").add(name, "A", "127.0.0.1")
    world.options["smtp_pause_s"] = 0.01

    await world.check(*(f"d{number}.example" for number in range(5)))

    assert world.smtp.connections == 5
    assert world.smtp.most_at_once == 1


@pytest.mark.parametrize(
    ("breaks", "result", "status", "code"),
    [
        ("no-starttls", ProbeResult.NO_STARTTLS, Status.MISSING, "starttls.not-offered"),
        ("ehlo", ProbeResult.NO_STARTTLS, Status.MISSING, "starttls.not-offered"),
        ("starttls", ProbeResult.STARTTLS_REFUSED, Status.INVALID, "starttls.refused"),
        ("handshake", ProbeResult.TLS_HANDSHAKE, Status.INVALID, "starttls.handshake"),
        ("greeting", ProbeResult.SMTP_REFUSED, Status.UNKNOWN, "starttls.smtp-refused"),
        ("noise", ProbeResult.SMTP_PROTOCOL, Status.UNKNOWN, "starttls.smtp-protocol"),
        ("hang-up", ProbeResult.SMTP_PROTOCOL, Status.UNKNOWN, "starttls.smtp-protocol"),
        ("silent", ProbeResult.TIMEOUT, Status.UNKNOWN, "starttls.timeout"),
    ],
)
async def test_each_way_to_fail_is_told(
    world: World, breaks: str, result: ProbeResult, status: Status, code: str
):
    world.smtp.breaks = breaks
    world.options["smtp_deadline_s"] = 0.5

    [(observed, posture)] = await world.check()

    assert observed.mx_hosts[0].starttls.result is result
    assert posture.starttls.status is status
    assert starttls_codes(posture) == {code}


async def test_old_tls_is_an_error(world: World):
    world.smtp.context = world.authority.old_tls(MX)

    [(observed, posture)] = await world.check()

    assert observed.mx_hosts[0].starttls.result is ProbeResult.TLS_VERSION
    assert starttls_codes(posture) == {"starttls.tls-version"}


BAD: list[tuple[str, Callable[[Authority], ssl.SSLContext], str]] = [
    ("expired", lambda a: a.expired(MX), "starttls.cert.expired"),
    ("not yet valid", lambda a: a.not_yet_valid(MX), "starttls.cert.not-yet"),
    ("wrong name", lambda a: a.good("other.example"), "starttls.cert.name"),
    ("common name only", lambda a: a.common_name_only(MX), "starttls.cert.name"),
    ("self-signed", lambda a: a.self_signed(MX), "starttls.cert.self-signed"),
    ("unknown authority", lambda a: a.unknown_authority(MX), "starttls.cert.untrusted"),
]


@pytest.mark.parametrize(
    ("context", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
@pytest.mark.parametrize(
    ("mode", "severity", "status"),
    [
        ("enforce", "error", Status.INVALID),
        ("testing", "warning", Status.VALID),
        (None, "warning", Status.VALID),
    ],
)
async def test_a_bad_certificate_weighs_as_much_as_the_policy_makes_it(
    world: World,
    context: Callable[[Authority], ssl.SSLContext],
    code: str,
    mode: str | None,
    severity: str,
    status: Status,
):
    world.smtp.context = context(world.authority)
    if mode is not None:
        await world.enforce(mode)

    [(observed, posture)] = await world.check()

    assert observed.mx_hosts[0].starttls.result is ProbeResult.TLS
    assert observed.mx_hosts[0].starttls.chain, "the certificate is read even when refused"
    assert {(f.code, f.severity.value) for f in posture.starttls.findings} == {(code, severity)}
    assert posture.starttls.status is status


async def test_a_closed_port_is_unknown(world: World, unused_tcp_port: int):
    world.options["smtp_port"] = unused_tcp_port
    dns = await world._stack.enter_async_context(DnsServer(world.zone))
    options = Options(nameservers=(dns.address,), **world.options)

    found = [s async for s in check_many([Request(DOMAIN, with_starttls=True)], options)]

    posture = judge(found[0], datetime.now(UTC))
    assert posture.starttls.status is Status.UNKNOWN
    assert starttls_codes(posture) == {"starttls.connect-refused"}


async def test_a_private_address_is_not_visited(world: World):
    world.options["allow_private_addresses"] = False

    [(_, posture)] = await world.check()

    assert starttls_codes(posture) == {"starttls.private-address"}
    assert world.smtp.connections == 0


# --- DANE, on what a real handshake shows


def _leaf(context_of: Any) -> x509.Certificate:
    return x509.load_pem_x509_certificate(context_of.cert_chain_pems[0].bytes())


def _digest(certificate: x509.Certificate, *, key: bool) -> str:
    data = (
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if key
        else certificate.public_bytes(Encoding.DER)
    )
    return hashlib.sha256(data).hexdigest()


def _context(leaf: Any, *, with_root: Any = None) -> ssl.SSLContext:
    """Give a server's context that sends the authority as well, where asked to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if with_root is None:
        leaf.configure_cert(context)
        return context
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems) + with_root.cert_pem.bytes()
    with trustme.Blob(leaf.private_key_pem.bytes() + chain).tempfile() as path:
        context.load_cert_chain(path)
    return context


async def test_a_matching_key_passes_whatever_the_name(world: World):
    leaf = world.authority.ca.issue_cert("quite.other.example")
    world.smtp.context = _context(leaf)
    world.zone.add(f"_25._tcp.{MX}", "TLSA", f"3 1 1 {_digest(_leaf(leaf), key=True)}")

    [(_, posture)] = await world.check()

    assert posture.dane.status is Status.VALID
    assert "dane.ee.name-ignored" in dane_codes(posture)


async def test_a_key_that_does_not_match_fails(world: World):
    world.zone.add(f"_25._tcp.{MX}", "TLSA", "3 1 1 " + "00" * 32)

    [(_, posture)] = await world.check()

    assert posture.dane.status is Status.INVALID
    assert "dane.tlsa.mismatch" in dane_codes(posture)


async def test_one_match_of_two_records_is_enough(world: World):
    leaf = world.authority.ca.issue_cert(MX)
    world.smtp.context = _context(leaf)
    world.zone.add(f"_25._tcp.{MX}", "TLSA", "3 1 1 " + "00" * 32)
    world.zone.add(f"_25._tcp.{MX}", "TLSA", f"3 0 1 {_digest(_leaf(leaf), key=False)}")

    [(_, posture)] = await world.check()

    assert posture.dane.status is Status.VALID


@pytest.mark.parametrize(
    ("name", "sends_root", "status", "code"),
    [
        (MX, True, Status.VALID, None),
        (DOMAIN, True, Status.VALID, None),
        (MX, False, Status.INVALID, "dane.ta.not-sent"),
        ("other.example", True, Status.INVALID, "dane.ta.name"),
    ],
    ids=["passes", "next-hop name", "authority not sent", "wrong name"],
)
async def test_an_authority_must_be_sent_and_the_name_must_fit(
    world: World, name: str, sends_root: bool, status: Status, code: str | None
):
    authority = world.authority.ca
    leaf = authority.issue_cert(name)
    world.smtp.context = _context(leaf, with_root=authority if sends_root else None)
    root = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    world.zone.add(f"_25._tcp.{MX}", "TLSA", f"2 1 1 {_digest(root, key=True)}")

    [(_, posture)] = await world.check()

    assert posture.dane.status is status
    assert code is None or code in dane_codes(posture)


async def test_tlsa_without_starttls_fails(world: World):
    world.smtp.breaks = "no-starttls"
    world.zone.add(f"_25._tcp.{MX}", "TLSA", "3 1 1 " + "00" * 32)

    [(_, posture)] = await world.check()

    assert posture.dane.status is Status.INVALID
    assert "dane.no-starttls" in dane_codes(posture)


async def test_dane_that_passes_where_the_policy_fails_is_told(world: World):
    await world.enforce()
    leaf = world.authority.ca.issue_cert("other.example")
    world.smtp.context = _context(leaf)
    world.zone.add(f"_25._tcp.{MX}", "TLSA", f"3 1 1 {_digest(_leaf(leaf), key=True)}")

    [(_, posture)] = await world.check()

    assert posture.consequence.code == "combined.sts-fails"
    assert posture.consequence.severity == "error"


async def test_dane_that_fails_where_the_policy_passes_is_told(world: World):
    await world.enforce()
    world.zone.add(f"_25._tcp.{MX}", "TLSA", "3 1 1 " + "00" * 32)

    [(_, posture)] = await world.check()

    assert posture.starttls.status is Status.VALID
    assert posture.consequence.code == "combined.dane-fails"


async def test_tlsa_at_the_domain_is_told(world: World):
    world.zone.add(f"_25._tcp.{DOMAIN}", "TLSA", "3 1 1 " + "00" * 32)

    [(_, posture)] = await world.check()

    assert posture.dane.status is Status.MISSING
    assert dane_codes(posture) == {"dane.tlsa.wrong-owner"}
