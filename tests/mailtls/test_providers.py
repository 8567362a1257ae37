"""Providers told from MX names."""

from __future__ import annotations

import pytest

from mailtls.providers import find_provider, operator_of, provider_at


@pytest.mark.parametrize(
    ("hosts", "provider"),
    [
        (["example-com.mail.protection.outlook.com"], "Microsoft 365"),
        (["example-com.n-v1.mx.microsoft."], "Microsoft 365"),
        (["aspmx.l.google.com", "alt1.aspmx.l.google.com"], "Google Workspace"),
        (["SMTP.GOOGLE.COM"], "Google Workspace"),
        (["mx0a-00000001.pphosted.com", "mx0b-00000001.pphosted.com"], "Proofpoint"),
        (["eu-smtp-inbound-1.mimecast.com"], "Mimecast"),
        (["mx1.hc1-23.eu.iphmx.com"], "Cisco Secure Email"),
        (["mx1.example.com"], None),
        (["mx1.notgoogle.com", "google.com.evil.example"], None),
        ([], None),
        (["mx.example.com", "a.mail.protection.outlook.com"], "Microsoft 365"),
    ],
)
def test_a_provider_is_recognised(hosts: list[str], provider: str | None):
    assert find_provider(hosts) == provider


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
