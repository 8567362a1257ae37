"""Providers told from MX names."""

from __future__ import annotations

import pytest

from mailtls.providers import find_provider


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
