"""Visits port 25 of an MX host: greeting, EHLO, STARTTLS, certificate, QUIT (RFC 3207)."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence

from mailtls.observed import ProbeResult, StarttlsProbe
from prober.connect import ConnectFailed, ConnectFault, open_socket
from prober.gates import Gates
from prober.options import Options
from prober.port25 import Port25
from prober.tls import (
    OUTDATED_VERSIONS,
    chain_context,
    is_version_fault,
    outdated_context,
    read_chain,
    reading_context,
)

logger = logging.getLogger(__name__)

# Enough for any greeting; a server that sends more is no SMTP server.
_MAX_LINE_BYTES = 4096
_MAX_LINES = 100
_QUIT_WAIT_S = 2.0
_MAX_ADDRESSES = 3

_CONNECT_RESULTS = {
    ConnectFault.REFUSED: ProbeResult.CONNECT_REFUSED,
    ConnectFault.TIMEOUT: ProbeResult.CONNECT_TIMEOUT,
    ConnectFault.NO_ROUTE: ProbeResult.CONNECT_FAILED,
    ConnectFault.FAILED: ProbeResult.CONNECT_FAILED,
    ConnectFault.NOT_PUBLIC: ProbeResult.ADDRESS_REFUSED,
}


class SmtpRefused(Exception):
    """The server spoke, but not as hoped for; `result` says at which step."""

    def __init__(self, result: ProbeResult, detail: str) -> None:
        super().__init__(detail)
        self.result = result


async def probe_host(
    name: str, addresses: Sequence[str], options: Options, port25: Port25, gates: Gates
) -> StarttlsProbe:
    """Visit the first of a host's addresses that takes a connection; never raises."""
    probe = StarttlsProbe(result=ProbeResult.NO_ADDRESS)
    for address in addresses[:_MAX_ADDRESSES]:
        if port25.is_blocked:
            return StarttlsProbe(result=ProbeResult.PORT_BLOCKED)
        async with gates.visiting(address):
            probe = await _probe_address(name, address, options)
        port25.learn(address, probe)
        if probe.result not in (
            ProbeResult.CONNECT_FAILED,
            ProbeResult.CONNECT_REFUSED,
            ProbeResult.CONNECT_TIMEOUT,
            ProbeResult.ADDRESS_REFUSED,
        ):
            break
    if port25.is_blocked and probe.result is ProbeResult.CONNECT_TIMEOUT:
        return StarttlsProbe(result=ProbeResult.PORT_BLOCKED, address=probe.address)
    return probe


async def _probe_address(name: str, address: str, options: Options) -> StarttlsProbe:
    loop = asyncio.get_running_loop()
    started = loop.time()
    visit = _Visit(name, address, options)
    try:
        async with asyncio.timeout(options.smtp_deadline_s):
            await visit.run()
    except TimeoutError:
        visit.result = ProbeResult.TIMEOUT
        visit.detail = f"not done in {options.smtp_deadline_s:g} s"
    finally:
        visit.close()
    return visit.as_observed(round((loop.time() - started) * 1000))


class _Visit:
    """One visit: one connection, or two where the certificate has to be read unverified."""

    def __init__(self, name: str, address: str, options: Options) -> None:
        self.name = name
        self.address = address
        self.options = options
        self.result = ProbeResult.NOT_TRIED
        self.detail: str | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._greeting: str | None = None
        # From STARTTLS on a broken connection is a failed handshake.
        self._is_handshaking = False
        self._verify: tuple[int, str] | None = None
        self._seen: StarttlsProbe | None = None

    async def run(self) -> None:
        """Go through the dialogue; sets `result` in every case but a cancellation."""
        try:
            try:
                await self._shake_hands(chain_context(self.options.ca_file))
                self._verify = (0, "ok")
            except ssl.SSLCertVerificationError as error:
                # The chain is not trusted, so Python closed the connection without showing it.
                # A second visit reads it, for names, dates and DANE.
                self._verify = (error.verify_code, error.verify_message)
                self.close()
                await self._shake_hands(reading_context())
            self.result = ProbeResult.TLS
            await self._quit()
        except ConnectFailed as error:
            self.result, self.detail = _CONNECT_RESULTS[error.fault], str(error)
        except SmtpRefused as error:
            self.result, self.detail = error.result, str(error)
            await self._quit()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            self.detail = " ".join(str(error).split())[:200] or "connection closed"
            if not self._is_handshaking:
                self.result = ProbeResult.SMTP_PROTOCOL
            elif isinstance(error, ssl.SSLError) and is_version_fault(error):
                self.result = ProbeResult.TLS_VERSION
            else:
                self.result = await self._explain_handshake()

    def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None

    def as_observed(self, took_ms: int) -> StarttlsProbe:
        """Give what was seen."""
        seen = self._seen or StarttlsProbe()
        code, message = self._verify or (None, None)
        return StarttlsProbe(
            result=self.result,
            address=self.address,
            took_ms=took_ms,
            greeting=self._greeting,
            tls_version=seen.tls_version,
            cipher=seen.cipher,
            chain=seen.chain,
            verify_code=code,
            verify_message=message,
            detail=self.detail,
        )

    async def _shake_hands(self, context: ssl.SSLContext) -> None:
        options = self.options
        sock = await open_socket(
            self.address,
            options.smtp_port,
            options.connect_timeout_s,
            allow_private=options.allow_private_addresses,
        )
        try:
            reader, writer = await asyncio.open_connection(sock=sock, limit=_MAX_LINE_BYTES)
        except BaseException:
            sock.close()
            raise
        self._reader, self._writer = reader, writer
        self._is_handshaking = False
        await self._expect(reader, "220", ProbeResult.SMTP_REFUSED, greets=True)
        offered = await self._say_hello(reader, writer)
        if "STARTTLS" not in offered:
            raise SmtpRefused(ProbeResult.NO_STARTTLS, "EHLO did not offer STARTTLS")
        writer.write(b"STARTTLS\r\n")
        await self._expect(reader, "220", ProbeResult.STARTTLS_REFUSED)
        self._is_handshaking = True
        await writer.start_tls(
            context,
            server_hostname=self.name,
            ssl_handshake_timeout=options.smtp_deadline_s,
        )
        ssl_object = writer.get_extra_info("ssl_object")
        self._seen = StarttlsProbe(
            tls_version=ssl_object.version(),
            cipher=(ssl_object.cipher() or (None,))[0],
            chain=read_chain(ssl_object),
        )

    async def _explain_handshake(self) -> ProbeResult:
        """Say whether the server knows only old versions of TLS: it may just have hung up."""
        seen = self._seen
        self.close()
        try:
            await self._shake_hands(outdated_context())
        except (ConnectFailed, SmtpRefused, OSError, EOFError, asyncio.LimitOverrunError):
            return ProbeResult.TLS_HANDSHAKE
        version = self._seen.tls_version if self._seen else None
        self._seen = seen
        return (
            ProbeResult.TLS_VERSION if version in OUTDATED_VERSIONS else ProbeResult.TLS_HANDSHAKE
        )

    async def _say_hello(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> set[str]:
        """Say EHLO; give the keywords offered."""
        writer.write(f"EHLO {self._own_name(writer)}\r\n".encode("ascii"))
        code, lines = await _read_reply(reader)
        if code.startswith("5"):
            # No ESMTP, hence no STARTTLS.
            raise SmtpRefused(ProbeResult.NO_STARTTLS, f"{code} {lines[0][:160]}")
        if code != "250":
            raise SmtpRefused(ProbeResult.SMTP_REFUSED, f"{code} {lines[0][:160]}")
        return {line.split(" ")[0].upper() for line in lines[1:] if line}

    def _own_name(self, writer: asyncio.StreamWriter) -> str:
        if self.options.ehlo_name:
            return self.options.ehlo_name
        local = writer.get_extra_info("sockname")[0]
        return f"[IPv6:{local}]" if ":" in local else f"[{local}]"

    async def _expect(
        self,
        reader: asyncio.StreamReader,
        wanted: str,
        otherwise: ProbeResult,
        *,
        greets: bool = False,
    ) -> None:
        code, lines = await _read_reply(reader)
        if greets:
            self._greeting = lines[0][:200]
        if code != wanted:
            raise SmtpRefused(otherwise, f"{code} {lines[0][:160]}")

    async def _quit(self) -> None:
        """Say QUIT and wait a moment for the farewell, as a polite client does."""
        if self._reader is None or self._writer is None:
            return
        try:
            async with asyncio.timeout(_QUIT_WAIT_S):
                self._writer.write(b"QUIT\r\n")
                await self._reader.readline()
        except (OSError, ValueError, TimeoutError) as error:
            logger.debug("no farewell from %s: %s", self.address, error)


async def _read_reply(reader: asyncio.StreamReader) -> tuple[str, list[str]]:
    """Read one reply: its code and the texts of its lines (RFC 5321 section 4.2)."""
    lines = []
    for _ in range(_MAX_LINES):
        raw = await reader.readuntil(b"\n")
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        code, more, text = line[:3], line[3:4], line[4:]
        if not (code.isascii() and code.isdigit()) or more not in ("", " ", "-"):
            raise SmtpRefused(ProbeResult.SMTP_PROTOCOL, f"not an SMTP reply: {line[:80]}")
        lines.append(text)
        if more != "-":
            return code, lines
    raise SmtpRefused(ProbeResult.SMTP_PROTOCOL, f"a reply of more than {_MAX_LINES} lines")
