import io
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tlsrpt_portal.supervisor import Supervisor

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

WAITS = "import signal, sys, time\nprint('started', flush=True)\ntime.sleep(60)\n"
WITH_GRANDCHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('grandchild', child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


def start(**scripts):
    out = io.StringIO()
    commands = {name: [sys.executable, "-c", script] for name, script in scripts.items()}
    supervisor = Supervisor(commands, cwd=Path.cwd(), env=dict(os.environ), out=out)
    return supervisor, out


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def in_background(supervisor, action):
    """Run the action beside the supervisor, which needs the main thread for its signals."""
    failures = []

    def work():
        try:
            action()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            supervisor.stop()

    thread = threading.Thread(target=work)
    thread.start()
    supervisor.run()
    thread.join()
    if failures:
        raise failures[0]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]


def test_each_line_bears_the_name_of_its_process():
    supervisor, out = start(web=WAITS, worker=WAITS)

    in_background(supervisor, lambda: until(lambda: out.getvalue().count("started") == 2))

    assert "web    | started" in out.getvalue()
    assert "worker | started" in out.getvalue()


def test_a_process_that_dies_is_started_again():
    supervisor, out = start(web=WAITS)

    def kill_once():
        until(lambda: "started" in out.getvalue())
        os.kill(supervisor.children[0].process.pid, signal.SIGKILL)
        until(lambda: out.getvalue().count("started") == 2)

    in_background(supervisor, kill_once)

    assert "web was killed by signal 9; starting it again" in out.getvalue()


def test_nothing_a_child_has_started_outlives_the_stop():
    supervisor, out = start(worker=WITH_GRANDCHILD)

    in_background(supervisor, lambda: until(lambda: "grandchild" in out.getvalue()))

    pid = int(out.getvalue().split("grandchild ")[1].split()[0])
    until(lambda: not alive(pid), 2)
    assert supervisor.children[0].process.poll() is not None


def test_a_child_that_ignores_the_stop_is_killed(monkeypatch):
    monkeypatch.setattr("tlsrpt_portal.supervisor.STOP_WITHIN_S", 0.3)
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS
    supervisor, out = start(web=stubborn)

    in_background(supervisor, lambda: until(lambda: "started" in out.getvalue()))

    assert "did not stop in time; killing it" in out.getvalue()
    assert supervisor.children[0].process.returncode == -signal.SIGKILL
