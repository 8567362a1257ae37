"""The portal as a user runs it: `manage.py up` in a folder of its own, killed and stopped."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings

from tests.portal.mails import write_mails

pytestmark = pytest.mark.whole

START_WITHIN_S = 60
STOP_WITHIN_S = 20


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def environment(data_dir):
    """The user's environment: none of the test suite's settings but the folder's database."""
    ours = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    database = data_dir.parent / "database-url"
    url = database.read_text() if database.exists() else ""
    return {**kept, "DATA_DIR": str(data_dir), "DATABASE_URL": url, "DOTENV": os.devnull}


@contextlib.contextmanager
def database(folder):
    """SQLite in the folder or, where the suite runs on PostgreSQL, a database of its own there."""
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        yield
        return
    name = f"tlsrpt_whole_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        (folder / "database-url").write_text(urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
        try:
            yield
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Portal:
    """A running `manage.py up`."""

    def __init__(self, data_dir):
        self.data_dir = data_dir
        self.port = free_port()
        self.log = data_dir.parent / f"up-{self.port}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port)],
                cwd=settings.BASE_DIR,
                env=environment(data_dir),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def get(self, path):
        """Give (status, body)."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_until_ready(self):
        deadline = time.monotonic() + START_WITHIN_S
        while self.get("/readyz")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    def manage(self, *arguments):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=environment(self.data_dir),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pids(self):
        """Every process that has this portal's folder in its environment, but for `up` itself."""
        mark = f"DATA_DIR={self.data_dir}\0".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in path.read_bytes() and int(path.parent.name) != self.process.pid:
                    found.append(int(path.parent.name))
        return found

    def kill_worker(self):
        """SIGKILL every process of the worker, as a machine out of memory would."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                if b"celery" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)

    def stop(self):
        """Press Ctrl-C, and give the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=STOP_WITHIN_S)
        return time.monotonic() - started


@pytest.fixture
def start(tmp_path):
    """Start portals on one folder; whatever happens, none is left."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    running = []

    def start_one():
        portal = Portal(data_dir)
        running.append(portal)
        portal.wait_until_ready()
        return portal

    with database(tmp_path):
        yield start_one
        for portal in running:
            if portal.process.poll() is None:
                portal.process.kill()
                portal.process.wait()
            for pid in portal.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc")
def test_it_starts_stops_cleanly_and_keeps_its_data(start):
    portal = start()
    setup_link = re.search(r"/setup/\S+", portal.log.read_text()).group()
    assert portal.get("/healthz") == (200, "ok\n")
    assert portal.get(setup_link)[0] == 200
    portal.manage("importdomains", "--team", "Mail", str(_list_of_domains(portal.data_dir)))

    second = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(free_port())],
        cwd=settings.BASE_DIR,
        env=environment(portal.data_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr

    assert portal.stop() < STOP_WITHIN_S
    assert portal.process.returncode == 0
    assert portal.pids() == []
    assert not (portal.data_dir / "up.lock").exists()

    again = start()
    again_import = again.manage("importdomains", str(_list_of_domains(again.data_dir)))
    assert again_import.split() == ["exists", "a.example"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc")
def test_killing_worker_and_portal_while_reports_arrive_loses_and_doubles_nothing(start):
    portal = start()
    portal.manage("importdomains", str(_list_of_domains(portal.data_dir)))
    path = portal.manage("createintake", "All senders").split()[-1]
    folder = portal.data_dir.parent / "mails"
    expected = write_mails(folder, count=600)
    files = sorted(folder.iterdir())

    for number, file in enumerate(files):
        assert _post(portal, path, file.read_bytes()) == 201
        if number in {150, 350}:
            portal.kill_worker()
    portal.process.kill()
    portal.process.wait()
    for pid in portal.pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    again = start()
    deadline = time.monotonic() + 60
    while "tlsrpt_receipts_waiting 0.0" not in again.get("/metrics")[1]:
        assert time.monotonic() < deadline, again.log.read_text()
        time.sleep(0.5)
    repeated = again.manage("ingest", str(folder), "--json").splitlines()
    summary = json.loads(repeated[-1])["summary"]
    assert summary["duplicates"] == len(files)
    assert summary["accepted"] == summary["rejected"] == 0
    assert _totals(again) == expected


def _totals(portal):
    script = (
        "from django.db.models import Sum; from reports.models import DailySessions, Report; "
        "t = DailySessions.objects.aggregate(s=Sum('counted_successes'), "
        "f=Sum('counted_failures')); print(Report.objects.count(), t['s'], t['f'])"
    )
    return tuple(int(part) for part in portal.manage("shell", "-v", "0", "-c", script).split())


def _list_of_domains(folder):
    path = folder.parent / "domains.txt"
    path.write_text("a.example\n")
    return path


def _post(portal, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{portal.port}{path}", data=body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status
