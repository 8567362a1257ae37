#!/usr/bin/env python3
"""How many domains a second are checked: TLS-RPT, MTA-STS with its policy, MX and DANE.

python bench/checks.py --domains 10000
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.fleet import Fleet, domain_name, running_fleet
from mailtls.posture import judge
from prober import Options, Request, run_checks


def main() -> None:
    """Run the servers and the sweep, and print one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domains", type=int, default=2000)
    parser.add_argument("--delay-ms", type=float, default=30.0, help="distance to the resolver")
    parser.add_argument("--concurrency", type=int, default=200)
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    arguments = parser.parse_args()
    with running_fleet(
        arguments.domains, arguments.delay_ms / 1000, _free_port(), _free_port()
    ) as fleet:
        if arguments.profile:
            _profile(fleet, arguments.domains, arguments.concurrency)
            return
        started = time.perf_counter()
        statuses = _sweep(fleet, arguments.domains, arguments.concurrency)
        took_s = time.perf_counter() - started
    per_s = arguments.domains / took_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    print(
        json.dumps(
            {
                "bench": "checks",
                "domains": arguments.domains,
                "per_second": round(per_s),
                "peak_mb": round(peak_mb),
                "cpu_ms_each": round(1000 * cpu_s / arguments.domains, 2),
                "valid_tlsrpt": statuses["tlsrpt valid"],
                "valid_mta_sts": statuses["mta_sts valid"],
            }
        )
    )


def _sweep(fleet: Fleet, domains: int, concurrency: int) -> Counter[str]:
    statuses: Counter[str] = Counter()
    for observed in run_checks(_requests(domains), _options(fleet, concurrency)):
        posture = judge(observed, datetime.now(UTC))
        statuses[f"tlsrpt {posture.tlsrpt.status}"] += 1
        statuses[f"mta_sts {posture.mta_sts.status}"] += 1
    return statuses


def _options(fleet: Fleet, concurrency: int) -> Options:
    return Options(
        nameservers=(fleet.nameserver,),
        allow_private_addresses=True,
        ca_file=fleet.ca_file,
        concurrency=concurrency,
        https_port=fleet.https_port,
    )


def _requests(domains: int) -> Iterator[Request]:
    return (Request(domain_name(number)) for number in range(domains))


def _profile(fleet: Fleet, domains: int, concurrency: int) -> None:
    """Run in this thread, since a profile sees no other."""
    import uvloop

    from prober import check_many

    async def sweep() -> None:
        async for observed in check_many(_requests(domains), _options(fleet, concurrency)):
            judge(observed, datetime.now(UTC))

    profile = cProfile.Profile()
    profile.enable()
    uvloop.run(sweep())
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def _free_port() -> int:
    """Give a port that is free for UDP and TCP alike."""
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return int(tcp.getsockname()[1])


if __name__ == "__main__":
    main()
