"""Who runs a host."""

from __future__ import annotations

import pytest

from domains.operators import operator_of, provider_at


@pytest.mark.parametrize(
    ("host", "operator", "provider"),
    [
        ("a-example.mail.protection.outlook.com", "outlook.com", "Microsoft 365"),
        ("b-example.n-v1.mx.microsoft.", "mx.microsoft", "Microsoft 365"),
        ("ALT1.ASPMX.L.Google.com", "google.com", "Google Workspace"),
        ("mx0a-00000001.pphosted.com", "pphosted.com", "Proofpoint"),
        ("mx1.shop.example.co.uk", "example.co.uk", ""),
        ("mx", "mx", ""),
        ("", "", ""),
    ],
)
def test_who_runs_a_host_is_its_registrable_domain(host: str, operator: str, provider: str):
    assert operator_of(host) == operator
    assert provider_at(operator) == provider
