"""Aggregate TLS reports (RFC 8460 section 4): bytes in, a `Report` and findings out."""

from mailtls.report.counting import Countable, counted_types
from mailtls.report.hints import Hints
from mailtls.report.parse import parse_report
from mailtls.report.values import (
    RESULT_TYPES,
    FailureDetail,
    PolicyResult,
    PolicyType,
    Report,
)

__all__ = [
    "RESULT_TYPES",
    "Countable",
    "FailureDetail",
    "Hints",
    "PolicyResult",
    "PolicyType",
    "Report",
    "counted_types",
    "parse_report",
]
