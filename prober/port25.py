"""Whether port 25 is open from here: many networks block it, and then no host can be judged."""

from __future__ import annotations

from mailtls.observed import ProbeResult, StarttlsProbe

# Different hosts that stay silent while none has ever answered. One or two may be down.
_EVIDENCE = 3

_SILENT = frozenset({ProbeResult.CONNECT_TIMEOUT, ProbeResult.CONNECT_FAILED})
_NOT_ASKED = frozenset({ProbeResult.NOT_TRIED, ProbeResult.NO_ADDRESS, ProbeResult.ADDRESS_REFUSED})


class Port25:
    """Learns from each visit of a sweep; once one host answered, the port is open for good."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._is_open = False

    @property
    def is_blocked(self) -> bool:
        """Say whether the port is taken to be blocked from here."""
        return not self._is_open and len(self._silent) >= _EVIDENCE

    def learn(self, address: str, probe: StarttlsProbe) -> None:
        """Take note of how one address behaved."""
        if probe.result in _SILENT:
            self._silent.add(address)
        elif probe.result not in _NOT_ASKED:
            self._is_open = True
            self._silent.clear()
