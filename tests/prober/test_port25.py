"""When port 25 is taken to be blocked from here."""

from __future__ import annotations

from mailtls.observed import ProbeResult, StarttlsProbe
from prober.gates import Gates
from prober.options import Options
from prober.port25 import Port25
from prober.smtp_probe import probe_host

SILENT = StarttlsProbe(result=ProbeResult.CONNECT_TIMEOUT)
TALKED = StarttlsProbe(result=ProbeResult.NO_STARTTLS)


def test_silence_of_one_or_two_hosts_proves_nothing():
    port25 = Port25()

    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        port25.learn(address, SILENT)

    assert not port25.is_blocked


def test_silence_of_three_hosts_is_a_blocked_port():
    port25 = Port25()

    for number in range(3):
        port25.learn(f"192.0.2.{number}", SILENT)

    assert port25.is_blocked


def test_one_host_that_answers_shows_the_port_open():
    port25 = Port25()
    port25.learn("192.0.2.9", TALKED)

    for number in range(9):
        port25.learn(f"192.0.2.{number}", SILENT)

    assert not port25.is_blocked


async def test_with_a_blocked_port_no_more_hosts_are_tried():
    port25 = Port25()
    for number in range(3):
        port25.learn(f"192.0.2.{number}", SILENT)

    probe = await probe_host("mx.example", ["127.0.0.1"], Options(), port25, Gates(at_once=1))

    assert probe.result is ProbeResult.PORT_BLOCKED
