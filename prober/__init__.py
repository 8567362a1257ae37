"""The observations: DNS, policy files and STARTTLS of many domains at once. No opinion, no Django.

>>> async for observed in check_many([Request(domain="example.com")], Options()):
...     print(observed.domain, observed.took_ms)
"""

from prober.engine import check_many, run_checks
from prober.options import Options, Request, parse_nameserver

__all__ = ["Options", "Request", "check_many", "parse_nameserver", "run_checks"]
