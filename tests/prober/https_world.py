"""A web server on loopback that shows any certificate and gives any answer, by SNI."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 2592000\r\n"

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(
    body: bytes = POLICY,
    status: str = "200 OK",
    content_type: str | None = "text/plain",
    **headers: str,
) -> bytes:
    """Give the bytes of an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Authority:
    """A certificate authority for tests, with the certificates that go wrong."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.ca_file = str(directory / "ca.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)

    def good(self, *names: str) -> ssl.SSLContext:
        return self._context(self.ca.issue_cert(*names, key_type=trustme.KeyType.ECDSA))

    def expired(self, *names: str) -> ssl.SSLContext:
        past = datetime.now(UTC) - timedelta(days=3)
        return self._context(
            self.ca.issue_cert(*names, not_after=past, key_type=trustme.KeyType.ECDSA)
        )

    def not_yet_valid(self, *names: str) -> ssl.SSLContext:
        future = datetime.now(UTC) + timedelta(days=3)
        return self._context(
            self.ca.issue_cert(*names, not_before=future, key_type=trustme.KeyType.ECDSA)
        )

    def unknown_authority(self, *names: str) -> ssl.SSLContext:
        other = trustme.CA(key_type=trustme.KeyType.ECDSA)
        return self._context(other.issue_cert(*names, key_type=trustme.KeyType.ECDSA))

    def self_signed(self, *names: str) -> ssl.SSLContext:
        return self._own(names, issuer=None)

    def common_name_only(self, name: str) -> ssl.SSLContext:
        return self._own((), issuer=self.ca, common_name=name)

    def partial_wildcard(self, name: str) -> ssl.SSLContext:
        return self._own((name,), issuer=self.ca)

    def old_tls(self, *names: str) -> ssl.SSLContext:
        context = self.good(*names)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def _context(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

    def _own(
        self, names: tuple[str, ...], issuer: trustme.CA | None, common_name: str | None = None
    ) -> ssl.SSLContext:
        """Make what trustme refuses to: names it finds wrong, and no authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, common_name or (names or ("x",))[0])]
        )
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=60))
        )
        if names:
            alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternative, critical=False)
        if issuer is None:
            certificate = builder.issuer_name(subject).sign(key, hashes.SHA256())
        else:
            authority = x509.load_pem_x509_certificate(issuer.cert_pem.bytes())
            signer = serialization.load_pem_private_key(issuer.private_key_pem.bytes(), None)
            certificate = builder.issuer_name(authority.subject).sign(signer, hashes.SHA256())
        path = self.directory / f"{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class HttpsServer:
    """Serves hosts by SNI; each has a TLS context and an answer."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, base: ssl.SSLContext | None = None
    ) -> None:
        self.host = host
        self.port = port
        self._base = base
        self.contexts: dict[str, ssl.SSLContext] = {}
        self.answers: dict[str, bytes | Respond] = {}
        self.requests: list[bytes] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def serve(
        self, host: str, context: ssl.SSLContext, answer: bytes | Respond | None = None
    ) -> None:
        self.contexts[host] = context
        self.answers[host] = http() if answer is None else answer

    async def __aenter__(self) -> Self:
        # The versions of TLS are the base's: the choice by name comes after they are settled.
        base = self._base or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        base.sni_callback = self._choose
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=base)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A polite end of TLS waits for the other side, which may be gone.
        for writer in self._writers:
            # Python 3.11.2, which Debian 12 has, fails at what was closed twice.
            with contextlib.suppress(AttributeError):
                writer.transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()

    def _choose(
        self, connection: ssl.SSLObject, name: str | None, _base: ssl.SSLContext
    ) -> int | None:
        if name not in self.contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.contexts[name]
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        task.add_done_callback(self._tasks.discard)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            host = request.split(b"Host: ")[1].split(b"\r\n")[0].decode()
            answer = self.answers[host]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
