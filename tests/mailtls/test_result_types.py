import pytest

from mailtls.catalogue.result_types import (
    RESULT_TYPES,
    UNEXPLAINED,
    UNKNOWN,
    Concern,
    Urgency,
    describe_result_type,
    explain_reason,
    types_of,
)
from mailtls.report.values import RESULT_TYPES as REGISTERED


def test_every_registered_result_type_has_words():
    assert set(RESULT_TYPES) == REGISTERED


@pytest.mark.parametrize("code", ["tlsa-invalid", "dnssec-invalid"])
def test_what_defers_mail_at_dane_senders_is_critical(code):
    assert describe_result_type(code).urgency is Urgency.CRITICAL


@pytest.mark.parametrize(
    ("concern", "codes"),
    [
        (Concern.POLICY, {"sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"}),
        (Concern.DANE, {"tlsa-invalid", "dnssec-invalid", "dane-required"}),
    ],
)
def test_what_enforce_does_not_refuse_is_named(concern, codes):
    assert types_of(concern) == codes


@pytest.mark.parametrize("code", ["", "quantum-flux", "validation-failure"])
def test_what_nobody_understands_counts_as_refused(code):
    assert describe_result_type(code).concern is Concern.CONNECTION


def test_a_new_result_type_is_said_to_be_unknown():
    assert describe_result_type("quantum-flux") is UNKNOWN


def test_failures_without_a_cause_are_said_to_have_none():
    assert describe_result_type("") is UNEXPLAINED


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("mtasts-policy-mx-mismatch", "mx line"),
        ("MX not authorized by policy.", "mx line"),
        ("certificate has expired", "past its end"),
        ("X509_V_ERR_CERT_HAS_EXPIRED", "past its end"),
        ("X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "intermediate"),
        ("X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT", "intermediate"),
        ("unable to verify the first certificate", "intermediate"),
        ("X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "by itself"),
        ("self signed certificate in certificate chain", "a root"),
        ("X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN", "a root"),
        ("X509_V_ERR_HOSTNAME_MISMATCH", "other names"),
        ("certificate is not yet valid", "not valid yet"),
        ("X509_V_ERR_CERT_REVOKED", "revoked"),
        ("EE certificate key too weak", "too short"),
        ("X509_V_ERR_DANE_NO_MATCH", "No TLSA record"),
        ("policy_fetch_timeout", "policy host"),
        ("HTTP status 404", "404"),
    ],
)
def test_reasons_of_well_known_senders_are_explained(reason, word):
    assert word in explain_reason(reason)


def test_other_reasons_are_left_to_the_reader():
    assert explain_reason("the moon was full") is None
    assert explain_reason("error:14044041:SSL routines") is None


def test_words_are_plain_text():
    for words in (*RESULT_TYPES.values(), UNKNOWN, UNEXPLAINED):
        assert "`" not in f"{words.meaning}{words.causes}{words.action}", words.title
