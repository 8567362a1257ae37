import pytest

from alerts.rules.consequence import severity_of_failures
from alerts.rules.kinds import Severity

HERE = {"a.example": None}


@pytest.mark.parametrize(
    ("result_type", "is_enforced", "rate", "severity"),
    [
        ("certificate-expired", True, 0.5, Severity.CRITICAL),
        ("certificate-expired", True, 0.4, Severity.HIGH),
        ("certificate-expired", False, 0.9, Severity.HIGH),
        ("validation-failure", True, 0.9, Severity.CRITICAL),
        ("sts-policy-fetch-error", True, 0.9, Severity.MEDIUM),
        ("sts-policy-invalid", True, 0.9, Severity.HIGH),
        ("sts-webpki-invalid", True, 0.9, Severity.HIGH),
        ("tlsa-invalid", False, 0.1, Severity.CRITICAL),
        ("dane-required", False, 0.9, Severity.CRITICAL),
        ("dane-required", True, 0.1, Severity.HIGH),
        ("never-heard-of", True, 0.9, Severity.MEDIUM),
    ],
)
def test_only_failures_that_refuse_mail_are_critical(result_type, is_enforced, rate, severity):
    enforced = HERE if is_enforced else ()

    assert severity_of_failures(result_type, enforced, HERE, rate) is severity
