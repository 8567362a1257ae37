"""Asks one address for a policy file (RFC 8461 section 3.3).

On asyncio and h11 instead of a general client: each fetch is one request on one connection to one
pinned address, without redirects, cookies, caches or pools. What counts is the result of each
step: the connection, the handshake down to OpenSSL's code, the certificate even when it is
refused, the head, the body. A general client is as fast (the handshake decides) but hides them.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from typing import Any

import h11

from mailtls.observed import (
    Certificate,
    FetchResult,
    PolicyFetch,
)
from prober.connect import ConnectFailed, ConnectFault, open_socket
from prober.guard import is_public
from prober.options import Options
from prober.tls import (
    OUTDATED_VERSIONS,
    is_version_fault,
    judge_verify_code,
    outdated_context,
    policy_context,
    read_leaf,
    reading_context,
)

# Section 3.3 suggests that senders take no more than 64 KB.
MAX_BODY_BYTES = 64 * 1024
_MAX_HEAD_BYTES = 32 * 1024
_MAX_INFORMATIONAL = 8
_CHUNK_BYTES = 16 * 1024
_USER_AGENT = "tlsrpt-portal (MTA-STS policy check)"

CONNECT_RESULTS = {
    ConnectFault.REFUSED: FetchResult.CONNECT_REFUSED,
    ConnectFault.TIMEOUT: FetchResult.CONNECT_TIMEOUT,
    ConnectFault.NO_ROUTE: FetchResult.NO_ROUTE,
    ConnectFault.FAILED: FetchResult.CONNECT_FAILED,
    ConnectFault.NOT_PUBLIC: FetchResult.ADDRESS_REFUSED,
}


async def request_policy(
    host: str, address: str, options: Options, timeout_s: float
) -> PolicyFetch:
    """Give what came of one request to one address; never raises."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    request = _Request(host, address, options)
    try:
        async with asyncio.timeout(timeout_s):
            await request.run()
    except TimeoutError:
        request.result = FetchResult.TIMEOUT
        request.detail = f"no complete answer in {options.policy_deadline_s:g} s"
    finally:
        request.close()
    return request.as_observed(round((loop.time() - started) * 1000))


class _Request:
    """One request on one connection."""

    def __init__(self, host: str, address: str, options: Options) -> None:
        self.host = host
        self.address = address
        self.options = options
        self.result = FetchResult.NOT_TRIED
        self.detail: str | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._certificate: Certificate | None = None
        self._seen: dict[str, Any] = {}

    async def run(self) -> None:
        """Connect, ask and read; sets `result` in every case but a cancellation."""
        try:
            reader = await self._connect(policy_context(self.options.ca_file))
        except ConnectFailed as error:
            self.result, self.detail = CONNECT_RESULTS[error.fault], str(error)
            if error.fault is ConnectFault.NO_ROUTE and not is_public(self.address):
                # Without a route because no address of that kind has one, to anybody.
                self.result = FetchResult.CONNECT_FAILED
            return
        except ssl.SSLCertVerificationError as error:
            self.result = judge_verify_code(error.verify_code)
            self._seen |= {
                "verify_code": error.verify_code,
                "verify_message": error.verify_message,
            }
            await self._read_refused_certificate()
            return
        except (OSError, ssl.SSLError) as error:
            await self._explain_handshake(error)
            return
        self._read_certificate()
        try:
            await self._ask(reader)
        except (OSError, ssl.SSLError) as error:
            self.result, self.detail = FetchResult.HTTP_PROTOCOL, _one_line(error)
        except h11.RemoteProtocolError as error:
            self.result, self.detail = FetchResult.HTTP_PROTOCOL, _one_line(error)

    def close(self) -> None:
        """Drop the connection: the answer is read, and a slow farewell is not waited for."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def as_observed(self, took_ms: int) -> PolicyFetch:
        """Give what was seen."""
        return PolicyFetch(
            host=self.host,
            result=self.result,
            address=self.address,
            took_ms=took_ms,
            certificate=self._certificate,
            detail=self.detail,
            **self._seen,
        )

    async def _connect(self, context: ssl.SSLContext) -> asyncio.StreamReader:
        options = self.options
        sock = await open_socket(
            self.address,
            options.https_port,
            min(options.connect_timeout_s, options.policy_deadline_s),
            allow_private=options.allow_private_addresses,
        )
        try:
            reader, self._writer = await asyncio.open_connection(
                sock=sock,
                ssl=context,
                server_hostname=self.host,
                ssl_handshake_timeout=options.policy_deadline_s,
                limit=_CHUNK_BYTES,
            )
        except BaseException:
            sock.close()
            raise
        return reader

    async def _explain_handshake(self, error: OSError) -> None:
        is_version = isinstance(error, ssl.SSLError) and is_version_fault(error)
        self.result = FetchResult.TLS_VERSION if is_version else FetchResult.TLS_HANDSHAKE
        self.detail = _one_line(error)
        if is_version:
            return
        # Servers that know only old versions may just hang up; asking in their tongue tells.
        try:
            await self._connect(outdated_context())
        except (ConnectFailed, OSError):
            return
        assert self._writer is not None
        if self._writer.get_extra_info("ssl_object").version() in OUTDATED_VERSIONS:
            self.result = FetchResult.TLS_VERSION

    def _read_certificate(self) -> None:
        assert self._writer is not None
        ssl_object = self._writer.get_extra_info("ssl_object")
        self._seen["tls_version"] = ssl_object.version()
        self._certificate = read_leaf(ssl_object)

    async def _read_refused_certificate(self) -> None:
        """Look at the certificate that was refused; nothing is asked of such a server."""
        self.close()
        try:
            await self._connect(reading_context())
        except (ConnectFailed, OSError) as error:
            self.detail = f"the certificate could not be read again: {_one_line(error)}"
            return
        self._read_certificate()

    async def _ask(self, reader: asyncio.StreamReader) -> None:
        assert self._writer is not None
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        # No conditional headers: HTTP caching must not be used (section 3.3).
        head = h11.Request(
            method="GET",
            target="/.well-known/mta-sts.txt",
            headers=[
                ("Host", self.host),
                ("User-Agent", _USER_AGENT),
                ("Accept", "text/plain"),
                ("Accept-Encoding", "identity"),
                ("Connection", "close"),
            ],
        )
        data = connection.send(head)
        assert data is not None
        self._writer.write(data + (connection.send(h11.EndOfMessage()) or b""))
        response = await _read_response(connection, reader)
        if not self._judge_head(response):
            return
        body = await self._read_body(connection, reader)
        if body is not None:
            self._decode(body)

    def _judge_head(self, response: h11.Response) -> bool:
        """Take note of the head; say whether the body is worth reading."""
        headers = {name: value.decode("latin-1") for name, value in reversed(response.headers)}
        status = response.status_code
        self._seen |= {
            "http_status": status,
            "content_type": headers.get(b"content-type"),
            "content_encoding": _content_encoding(headers.get(b"content-encoding")),
        }
        if status != 200:
            location = headers.get(b"location")
            is_redirect = 300 <= status < 400 and status != 304
            self.result = FetchResult.HTTP_REDIRECT if is_redirect else FetchResult.HTTP_STATUS
            self._seen["location"] = location[:300] if location and is_redirect else None
            return False
        announced = headers.get(b"content-length", "0")
        if announced.isdigit() and int(announced[:12]) > MAX_BODY_BYTES:
            self.result = FetchResult.TOO_LARGE
            self._seen["size_bytes"] = int(announced[:12])
            return False
        return True

    async def _read_body(
        self, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> bytes | None:
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    self.result = FetchResult.TOO_LARGE
                    self._seen["size_bytes"] = len(body)
                    return None
            else:
                return bytes(body)

    def _decode(self, body: bytes) -> None:
        """Undo a content encoding nobody asked for, within the same ceiling."""
        encoding = self._seen["content_encoding"]
        if encoding in ("gzip", "x-gzip", "deflate"):
            inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
            try:
                body = inflater.decompress(body, MAX_BODY_BYTES + 1)
            except zlib.error as error:
                self.result, self.detail = FetchResult.ENCODING, str(error)
                return
            if not inflater.eof and len(body) <= MAX_BODY_BYTES:
                # Half a policy may read as a whole one with fewer hosts.
                self.result, self.detail = FetchResult.ENCODING, "the compressed data is cut short"
                return
        elif encoding is not None:
            self.result, self.detail = FetchResult.ENCODING, encoding[:40]
            return
        if len(body) > MAX_BODY_BYTES:
            self.result = FetchResult.TOO_LARGE
            return
        self.result = FetchResult.OK
        self._seen |= {"body": body, "size_bytes": len(body)}


async def _read_response(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    """Give the final response's head; raises `h11.RemoteProtocolError` for what is none."""
    informational = 0
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            return event
        else:
            informational += 1
            if informational > _MAX_INFORMATIONAL or event is h11.PAUSED:
                raise h11.RemoteProtocolError("no final response")


def _content_encoding(value: str | None) -> str | None:
    encoding = (value or "").strip().lower()
    return None if encoding in ("", "identity") else encoding


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
