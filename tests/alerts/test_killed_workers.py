"""Workers that are killed while endpoints fail, hang, ask for a pause and come back."""

import asyncio
import contextlib
import json
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from tests.portal.test_whole_portal import database

pytestmark = pytest.mark.whole

INCIDENTS = int(os.environ.get("INCIDENTS", "24"))
WORKERS = 3
KILLS = int(os.environ.get("KILLS", "8"))
DONE_WITHIN_S = 120
PAUSE_S = 1
HANGS_S = 4  # longer than a worker waits
REQUESTS_A_KILL = 8


class Moods:
    """How the endpoints behave: what was taken, in order, and what came within a pause."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.is_well = False
        self.taken = defaultdict(list)
        self.met = Counter()
        self.paused_until = {}
        self.too_early = 0

    def wait_for(self, requests):
        """Wait until so many more have come in: the workers are at it."""
        enough = self.met.total() + requests
        while self.met.total() < enough:
            time.sleep(0.005)

    def pick(self, place):
        if time.monotonic() < self.paused_until.get(place, 0):
            self.too_early += 1
        mood = "well" if self.is_well else self.rng.choice(["well"] * 7 + ["500", "hang", "429"])
        mood = self.rng.choice(["well", "drop"]) if mood == "500" else mood
        self.met[place, mood] += 1
        return mood

    def pause(self, place):
        """Note that the place has asked for a pause, before it is answered so."""
        self.paused_until[place] = time.monotonic() + PAUSE_S


def handler_for(moods):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            place = self.path.split("/")[1]
            mood = moods.pick(place)
            if mood == "hang":
                time.sleep(HANGS_S)
            elif mood == "429":
                # Who gave up or died before the answer has not heard of the pause.
                if self.is_awaited():
                    moods.pause(place)
                self.answer(429, b"", {"Retry-After": str(PAUSE_S)})
            elif mood == "drop" and moods.rng.random() < 0.5:
                self.answer(500, b"")
            elif mood == "well":
                time.sleep(moods.rng.uniform(0, 0.02))
                told = self.headers.get("Idempotency-Key") or body["attachments"][0]["title"]
                moods.taken[place].append(told)
                self.answer(200, b"ok")
            self.close_connection = True

        def is_awaited(self):
            ended, _, _ = select.select([self.connection], [], [], 0)
            return not ended

        def answer(self, status, text, headers=None):
            with contextlib.suppress(OSError):  # the worker may be dead
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *args):
            pass

    return Handler


class Mailbox:
    """A mail server with moods."""

    def __init__(self, moods):
        self.moods = moods

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        mood = self.moods.pick("mail")
        if mood == "hang":
            await asyncio.sleep(HANGS_S)
            return "451 too late"
        if mood == "429":
            return "451 too much"
        if mood == "drop":
            server.transport.close()
            return "451 never heard"
        text = envelope.content.decode()
        self.moods.taken["mail"].append(re.search(r"Message-ID: <([^@]+)@", text)[1])
        return "250 taken"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def endpoints(moods):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(moods))
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    mail = Controller(Mailbox(moods), hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", mail.port
    finally:
        mail.stop()
        server.shutdown()
        server.server_close()
        thread.join()


class Workers:
    """Delivering processes, each replaced when it dies."""

    def __init__(self, environment, slack_url):
        self.environment, self.slack_url = environment, slack_url
        self.running = [self.start() for _ in range(WORKERS)]

    def wait_until_ready(self, index):
        assert self.running[index].stdout.readline() == b"ready\n"

    def start(self):
        return subprocess.Popen(
            [sys.executable, "-m", "tests.alerts.delivering", "work", self.slack_url],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, index):
        self.running[index].kill()
        self.running[index].wait()
        self.running[index].stdout.close()

    def replace(self, index):
        self.kill(index)
        self.running[index] = self.start()

    def end(self):
        for index in range(WORKERS):
            self.kill(index)


def run(environment, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tests.alerts.delivering", *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment_of(folder, mail_port):
    ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_DIR", "DJANGO_SETTINGS_MODULE"}
    held = folder / "database-url"
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": held.read_text() if held.exists() else "",
        "DOTENV": os.devnull,
        "DJANGO_SETTINGS_MODULE": "tlsrpt_portal.settings",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
    }


def test_each_message_arrives_in_order_whoever_is_killed(tmp_path):
    moods = Moods(int(os.environ.get("SEED", "1")))
    (tmp_path / "data").mkdir()
    with database(tmp_path), endpoints(moods) as (url, mail_port):
        environment = environment_of(tmp_path, mail_port)
        run(
            environment,
            "fill",
            str(INCIDENTS),
            f"webhook={url}/hook",
            f"webhook={url}/other",
            "apprise=slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#tls",
            "email=team@corp.example",
        )
        workers = Workers(environment, f"{url}/slack")
        try:
            for number in range(KILLS):
                workers.wait_until_ready(number % WORKERS)
                moods.wait_for(REQUESTS_A_KILL)
                time.sleep(moods.rng.uniform(0, 0.1))
                workers.replace(number % WORKERS)
            moods.is_well = True
            deadline = time.monotonic() + DONE_WITHIN_S
            expected = INCIDENTS * 3 * 4
            while (found := json.loads(run(environment, "left")))["delivered"] < expected:
                assert time.monotonic() < deadline, (found["delivered"], found["failed"])
                time.sleep(1)
        finally:
            workers.end()

    assert {mood for _, mood in moods.met} > {"well"}
    assert found["failed"] == 0
    # Not even of a killed worker: its claim lasts longer than the pause.
    assert moods.too_early == 0
    repetitions = 0
    for place, keys in expected_keys(found["messages"]).items():
        taken = moods.taken[place]
        repetitions += len(taken) - len(set(taken))
        assert list(dict.fromkeys(taken)) == keys, place
    print(f"{expected} messages, {KILLS} kills, {repetitions} repetitions; met {dict(moods.met)}")
    # One worker sends to four places at a time, so a kill can cut four answers off.
    assert repetitions <= 4 * KILLS


def expected_keys(messages):
    """What each place should have taken, in order: keys, for the chat the titles."""
    found = defaultdict(list)
    first = min(row[5] for row in messages)
    places = {first: "hook", first + 1: "other", first + 2: "slack", first + 3: "mail"}
    prefix = {"opened": "[high] ", "worsened": "Worse: [high] ", "resolved": "Resolved: "}
    title_of = {incident: n for n, incident in enumerate(sorted({row[1] for row in messages}))}
    for _, incident, event, kind, _, destination in messages:
        place = places[destination]
        if place == "slack":
            found[place].append(f"{prefix[kind]}Cause {title_of[incident]}")
        else:
            key = f"incident-{incident}-event-{event}-destination-{destination}"
            found[place].append(key)
    return found
