"""The fleet that checks are measured on: a name server 30 ms away and a policy host, in processes
of their own.

Of ten domains six have both records, one TLS-RPT only, one MTA-STS only, one neither, and one a
TLSRPT record without a scheme. Every domain has two MX hosts and, with MTA-STS, a policy host
with a certificate of its own.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import ipaddress
import multiprocessing
import ssl
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ORIGIN = "fleet.example"
_TXT, _A, _MX = 16, 1, 15
_TTL_S = 300


@dataclass(frozen=True)
class Fleet:
    """Where the servers listen, and whom to trust."""

    nameserver: str
    https_port: int
    ca_file: str


def domain_name(number: int) -> str:
    """Give the name of the n-th domain."""
    return f"d{number:06d}.{ORIGIN}"


def has_policy(number: int) -> bool:
    """Say whether the n-th domain has MTA-STS."""
    return number % 10 < 6 or number % 10 == 7


# --- the name server


def find_records(labels: list[bytes], rdtype: int) -> list[bytes] | None:
    """Give the rdata of an answer, or None for a name that does not exist."""
    *prefix, name = labels[: -ORIGIN.count(".") - 1]
    kind = int(name[1:]) % 10
    number = int(name[1:])
    records: dict[int, list[bytes]] = {}
    match prefix:
        case []:
            hosts = (_encode([b"mx1", name]), _encode([b"mx2", name]))
            records[_MX] = [struct.pack("!H", 10 * n) + host for n, host in enumerate(hosts, 1)]
        case [b"mx1" | b"mx2"]:
            records[_A] = [ipaddress.ip_address("127.0.0.30").packed]
        case [b"mta-sts"] if has_policy(number):
            records[_A] = [ipaddress.ip_address("127.0.0.1").packed]
        case [b"_mta-sts"] if has_policy(number):
            records[_TXT] = [_string(b"v=STSv1; id=20261101T00%02d00" % (number % 60))]
        case [b"_smtp", b"_tls"] if kind < 7:
            rua = b"mailto:tls@reports.example,https://reports.example/v1/tlsrpt"
            records[_TXT] = [_string(b"v=TLSRPTv1; rua=" + rua)]
        case [b"_smtp", b"_tls"] if kind == 9:
            records[_TXT] = [_string(b"v=TLSRPTv1; rua=tls@reports.example")]
        case _:
            return None
    return records.get(rdtype, [])


def _encode(labels: list[bytes]) -> bytes:
    full = [*labels, *ORIGIN.encode().split(b".")]
    return b"".join(bytes([len(label)]) + label for label in full) + b"\x00"


def _string(text: bytes) -> bytes:
    return bytes([len(text)]) + text


class _NameServer(asyncio.DatagramProtocol):
    """Answers late, as a resolver at a distance does."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = answer_query(data)
        self._loop.call_later(self._delay_s, self._transport.sendto, answer, addr)


def answer_query(data: bytes) -> bytes:
    """Give the answer to a query."""
    labels = []
    offset = 12
    while length := data[offset]:
        labels.append(data[offset + 1 : offset + 1 + length].lower())
        offset += 1 + length
    question = data[12 : offset + 5]
    (rdtype,) = struct.unpack_from("!H", data, offset + 1)
    is_fleet = len(labels) > 2 and labels[-2:] == ORIGIN.encode().split(b".")
    is_known = is_fleet and labels[-3][:1] == b"d" and labels[-3][1:].isdigit()
    records = find_records(labels, rdtype) if is_known else None
    rcode = 3 if records is None else 0
    head = data[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(records or ()), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", rdtype, 1, _TTL_S, len(rdata)) + rdata
        for rdata in records or ()
    )
    return head + question + body


def _run_name_server(port: int, delay_s: float, ready: Event) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _NameServer(delay_s), local_addr=("127.0.0.1", port)
        )
        transport.get_extra_info("socket").setsockopt(1, 8, 8 * 1024 * 1024)
        ready.set()
        await asyncio.Event().wait()

    uvloop.run(serve())


# --- the policy host


class _Authority:
    """Issues a certificate per domain, all for one key: issuing is not what is measured."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fleet CA")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        root = self._builder(self._name).add_extension(constraints, critical=True)
        certificate = root.sign(self._key, hashes.SHA256())
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str) -> None:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = self._builder(subject).add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self._directory / f"{host}.pem"
        path.write_bytes(self._pem + certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=90))
        )


class _PolicyServer(asyncio.Protocol):
    """Gives every host the same policy."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        if b"\r\n\r\n" not in self._received:
            return
        host = self._received.split(b"Host: mta-sts.", 1)[1].split(b"\r\n", 1)[0]
        body = b"version: STSv1\nmode: enforce\nmx: *.%s\nmax_age: 2592000\n" % host
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)
        self._transport.close()


def _run_policy_server(port: int, directory: str, ready: Event) -> None:
    @functools.lru_cache(maxsize=2000)
    def context_of(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/{host}.pem")
        return context

    def choose(connection: ssl.SSLObject, name: str | None, _base: ssl.SSLContext) -> None:
        connection.context = context_of(name or "")

    async def serve() -> None:
        base = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        base.sni_callback = choose
        loop = asyncio.get_running_loop()
        await loop.create_server(_PolicyServer, "127.0.0.1", port, ssl=base, backlog=4096)
        ready.set()
        await asyncio.Event().wait()

    uvloop.run(serve())


@contextmanager
def running_fleet(domains: int, delay_s: float, dns_port: int, https_port: int) -> Iterator[Fleet]:
    """Run both servers for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as directory:
        authority = _Authority(Path(directory))
        for number in range(domains):
            if has_policy(number):
                authority.issue(f"mta-sts.{domain_name(number)}")
        spawn = multiprocessing.get_context("spawn")
        dns_ready, https_ready = spawn.Event(), spawn.Event()
        processes = [
            spawn.Process(target=_run_name_server, args=(dns_port, delay_s, dns_ready)),
            spawn.Process(target=_run_policy_server, args=(https_port, directory, https_ready)),
        ]
        for process in processes:
            process.start()
        try:
            if not (dns_ready.wait(30) and https_ready.wait(30)):
                raise SystemExit("The servers of the fleet did not start.")
            yield Fleet(f"127.0.0.1:{dns_port}", https_port, str(authority.ca_file))
        finally:
            for process in processes:
                process.terminate()
                process.join()
