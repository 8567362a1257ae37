"""Posts reports to a running portal's intake: how many a second, and how long each waits.

usage: intake.py http://127.0.0.1:8000/tlsrpt/<key> [--posts 5000] [--connections 8] [--rate N]

Each POST is another report. With --rate, that many a second are sent on a fixed schedule, and
waiting for a late one counts. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import threading
import time
from collections import Counter
from urllib.parse import urlsplit


def body(number: int) -> bytes:
    entry = {
        "policy": {"policy-type": "sts", "policy-domain": f"d{number % 500:06d}.bench.example"},
        "summary": {"total-successful-session-count": 40, "total-failure-session-count": 0},
    }
    day = {"start-datetime": "2026-03-10T00:00:00Z", "end-datetime": "2026-03-10T23:59:59Z"}
    document = {
        "organization-name": "Bench",
        "date-range": day,
        "contact-info": "a@bench.example",
        "report-id": f"{time.time_ns()}-{number}",
        "policies": [entry],
    }
    return gzip.compress(json.dumps(document).encode(), 6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--posts", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    url = urlsplit(options.url)
    bodies = [body(number) for number in range(options.posts)]
    numbers = iter(range(options.posts))
    lock = threading.Lock()
    took: list[float] = []
    statuses: Counter[int] = Counter()
    started = time.perf_counter()

    def post_all() -> None:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            due = started + number / options.rate if options.rate else time.perf_counter()
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", url.path, bodies[number])
            response = connection.getresponse()
            response.read()
            with lock:
                took.append(time.perf_counter() - due)
                statuses[response.status] += 1
        connection.close()

    threads = [threading.Thread(target=post_all) for _ in range(options.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total_s = time.perf_counter() - started
    took.sort()
    figures = {
        "posts": options.posts,
        "per_second": round(options.posts / total_s),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "max_ms": round(took[-1] * 1000, 1),
        "statuses": dict(statuses),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
