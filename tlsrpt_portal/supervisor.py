"""Keeps a handful of processes running: starts, restarts, prefixes their logs, stops them all.

Knows nothing of Django. Each child leads a process group of its own, so that Ctrl-C reaches only
the supervisor, and so that nothing a child has started outlives it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

STOP_WITHIN_S = 15.0
RESTART_AFTER_S = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_AFTER_S = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass(kw_only=True)
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    deaths: int = 0
    log_thread: threading.Thread | None = field(default=None, repr=False)


def _die_with_parent() -> None:
    """Ask Linux to end this child when the supervisor is killed; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs children until it is told to stop."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        cwd: Path,
        env: Mapping[str, str],
        out: IO[str],
    ) -> None:
        self.children = [Child(name=name, command=command) for name, command in commands.items()]
        self._cwd = cwd
        self._env = dict(env)
        self._out = out
        self._width = max(len(child.name) for child in self.children)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Start all children and keep them running until SIGINT or SIGTERM, then stop them."""
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            for child in self.children:
                self._start(child)
            while not self._stopping.wait(0.2):
                for child in self.children:
                    self._look_after(child)
        finally:
            self._stop_all()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Make `run` stop all children and return."""
        self._stopping.set()

    def say(self, name: str, line: str) -> None:
        """Write one log line with the name of who says it."""
        self._out.write(f"{name:<{self._width}} | {line}\n")
        self._out.flush()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            child.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._cwd,
            env=self._env,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread holds a lock at a fork here
        )
        child.started_at = time.monotonic()
        child.log_thread = threading.Thread(
            target=self._forward, args=(child.name, child.process.stdout), daemon=True
        )
        child.log_thread.start()

    def _forward(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.say(name, line.decode(errors="replace").rstrip())

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.restart_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        # What the dead child has started (pool processes, say) must not work on beside the new one.
        _kill_group(child.process.pid, signal.SIGKILL)
        if now - child.started_at > STEADY_AFTER_S:
            child.deaths = 0
        wait_s = RESTART_AFTER_S[min(child.deaths, len(RESTART_AFTER_S) - 1)]
        child.deaths += 1
        child.restart_at = now + wait_s
        child.process = None
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self.say("up", f"{child.name} {how}; starting it again in {wait_s:g} s")

    def _stop_all(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say("up", f"process {process.pid} did not stop in time; killing it")
            _kill_group(process.pid, signal.SIGKILL)
            process.wait()
        for child in self.children:
            if child.log_thread is not None:
                child.log_thread.join(timeout=2)


def _kill_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # nobody of the group is left: that is what we want
    except PermissionError:
        return  # macOS says so of a group whose only member is a zombie
