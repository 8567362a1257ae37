"""Real servers on loopback that fail, hang, ask for a pause, and come back."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class WebhookServer:
    """Answers with the next of `answers` (status, headers, body), then 200.

    "hang" answers nothing, "stall" takes the message and keeps the rest of its answer back.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.received = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((self.path, dict(self.headers), body))
                answer = outer.answers.pop(0) if outer.answers else (200, {})
                if answer == "hang":
                    time.sleep(1.5)
                    return
                if answer == "stall":
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.flush()
                    time.sleep(1.5)
                    return
                status, headers, *text = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(b"".join(text))))
                self.end_headers()
                self.wfile.write(b"".join(text))

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook/geheim"


@contextmanager
def webhook(*answers):
    held = WebhookServer(*answers)
    thread = threading.Thread(target=held.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        held.server.shutdown()
        held.server.server_close()
        thread.join()


class Mailbox:
    """Takes mail; `refuse` is answered to the next recipients instead."""

    def __init__(self):
        self.mails = []
        self.refuse = []
        self.hangs_at_quit = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refuse:
            return self.refuse.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope.content.decode())
        return "250 taken"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        if self.hangs_at_quit:
            await asyncio.sleep(1.5)
        return "221 Bye"


@contextmanager
def smtp():
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mailbox.port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
