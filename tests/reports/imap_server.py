"""A small IMAP server: one folder, enough of RFC 3501 to be fetched from."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ImapServer(socketserver.ThreadingTCPServer):
    """Holds mails by UID and remembers what was done to them."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: dict[int, bytes] = {}
        self.uid_validity = 7
        self.seen: set[int] = set()
        self.moved: dict[int, str] = {}
        self.fetched: list[int] = []
        self.log_ins: list[str] = []
        self.refuses_moves = False

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Session(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self._say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode().strip().partition(" ")
            verb = command.split(" ")[1 if command.upper().startswith("UID ") else 0].upper()
            answer = getattr(self, f"_{verb.lower()}", lambda text: "BAD unknown")(command)
            self._say(f"{tag} {answer}".encode())
            if verb == "LOGOUT":
                return

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _capability(self, _text: str) -> str:
        self._say(b"* CAPABILITY IMAP4rev1 MOVE AUTH=XOAUTH2")
        return "OK done"

    def _login(self, text: str) -> str:
        self.server.log_ins.append(text)
        return "OK in" if "secret" in text else "NO [AUTHENTICATIONFAILED] wrong"

    def _authenticate(self, text: str) -> str:
        self._say(b"+")
        self.server.log_ins.append(self.rfile.readline().decode().strip())
        return "OK in"

    def _select(self, _text: str) -> str:
        self._say(b"* %d EXISTS" % len(self.server.mails))
        self._say(b"* OK [UIDVALIDITY %d] valid" % self.server.uid_validity)
        return "OK [READ-WRITE] selected"

    _examine = _select

    def _search(self, text: str) -> str:
        first = int(re.search(r"UID (\d+):\*", text[4:]).group(1))
        uids = sorted(self.server.mails)
        found = [uid for uid in uids if uid >= first] or uids[-1:]
        self._say(b"* SEARCH" + b"".join(b" %d" % uid for uid in found))
        return "OK done"

    def _fetch(self, text: str) -> str:
        uids = [int(uid) for uid in text.split(" ")[2].split(",")]
        for number, uid in enumerate(uids, start=1):
            content = self.server.mails.get(uid)
            if content is None:
                continue
            if "SIZE" in text:
                self._say(b"* %d FETCH (UID %d RFC822.SIZE %d)" % (number, uid, len(content)))
            else:
                part = b"HEADER" if "HEADER" in text else b""
                if part:
                    content = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                else:
                    self.server.fetched.append(uid)
                size = len(content)
                head = b"* %d FETCH (UID %d BODY[%s] {%d}\r\n" % (number, uid, part, size)
                self._say(head + content + b")")
        return "OK done"

    def _store(self, text: str) -> str:
        self.server.seen.add(int(text.split(" ")[2]))
        return "OK done"

    def _move(self, text: str) -> str:
        if self.server.refuses_moves:
            return "NO no such folder"
        for uid in map(int, text.split(" ")[2].split(",")):
            self.server.moved[uid] = text.split(" ")[3].strip('"')
            self.server.mails.pop(uid)
        return "OK done"

    def _logout(self, _text: str) -> str:
        self._say(b"* BYE")
        return "OK out"


@contextmanager
def running_server() -> Iterator[ImapServer]:
    """Run a server on a port of its own."""
    with ImapServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
