"""Says whether the services of TEST_DATABASE_URL and TEST_REDIS_URL answer; ends 1 if not."""

import os
import sys

import psycopg
import redis


def main() -> int:
    """Try both and name the one that does not answer."""
    failed = 0
    if url := os.environ.get("TEST_DATABASE_URL"):
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            print(f"TEST_DATABASE_URL does not answer: {error}", file=sys.stderr)
            failed = 1
    if url := os.environ.get("TEST_REDIS_URL"):
        try:
            redis.Redis.from_url(url, socket_connect_timeout=5).ping()
        except redis.RedisError as error:
            print(f"TEST_REDIS_URL does not answer: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
