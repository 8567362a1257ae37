"""A mail server on loopback that offers, refuses or breaks STARTTLS."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Self


class SmtpServer:
    """Speaks as much SMTP as a probe asks for.

    `breaks` is where it misbehaves: "greeting", "ehlo", "no-starttls", "starttls", "handshake",
    "silent", "noise", "hang-up".
    """

    def __init__(
        self, context: ssl.SSLContext | None, breaks: str = "", host: str = "127.0.0.1"
    ) -> None:
        self.context = context
        self.breaks = breaks
        self.host = host
        self.port = 0
        self.commands: list[str] = []
        self.connections = 0
        self.at_once = self.most_at_once = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.at_once -= 1
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.breaks == "silent":
            await asyncio.sleep(10)
        if self.breaks == "noise":
            writer.write(b"\x16\x03\x01 hello there\r\n")
            await writer.drain()
            return
        if self.breaks == "hang-up":
            return
        if self.breaks == "greeting":
            writer.write(b"554-No\r\n554 service here\r\n")
        else:
            writer.write(b"220-mx1.example.com ESMTP\r\n220 ready\r\n")
        while True:
            line = (await reader.readuntil(b"\n")).decode().strip()
            self.commands.append(line)
            verb = line.upper().split(" ")[0]
            if verb == "QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            if verb == "EHLO":
                self._hello(writer)
            elif verb == "STARTTLS" and self.breaks == "starttls":
                writer.write(b"454 TLS not available\r\n")
            elif verb == "STARTTLS":
                writer.write(b"220 go ahead\r\n")
                await writer.drain()
                if self.breaks == "handshake":
                    return
                await writer.start_tls(self.context)
            else:
                writer.write(b"502 what?\r\n")

    def _hello(self, writer: asyncio.StreamWriter) -> None:
        if self.breaks == "ehlo":
            writer.write(b"502 5.5.1 only HELO here\r\n")
        elif self.breaks == "no-starttls":
            writer.write(b"250-mx1.example.com\r\n250-SIZE 1000\r\n250 8BITMIME\r\n")
        else:
            writer.write(b"250-mx1.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
