"""TLS as a careful sender does it: contexts, what a failure means, and what a certificate says."""

from __future__ import annotations

import functools
import hashlib
import ssl
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, NameOID

from mailtls.names import fold_name
from mailtls.observed import Certificate, FetchResult

_MAX_DNS_NAMES = 1000
_DER = 2  # _ssl.ENCODING_DER, which the ssl module keeps to itself

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_VERIFY_RESULTS = {
    2: FetchResult.CERT_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT
    9: FetchResult.CERT_NOT_YET_VALID,
    10: FetchResult.CERT_EXPIRED,
    18: FetchResult.CERT_SELF_SIGNED,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: FetchResult.CERT_UNTRUSTED,  # SELF_SIGNED_CERT_IN_CHAIN
    20: FetchResult.CERT_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: FetchResult.CERT_UNTRUSTED,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    23: FetchResult.CERT_REVOKED,
    24: FetchResult.CERT_UNTRUSTED,  # INVALID_CA
    27: FetchResult.CERT_UNTRUSTED,  # CERT_UNTRUSTED
    62: FetchResult.CERT_NAME,  # HOSTNAME_MISMATCH
}
OUTDATED_VERSIONS = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})
_VERSION_REASONS = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "VERSION_TOO_LOW",
        "WRONG_SSL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
    }
)


@functools.lru_cache(maxsize=8)
def policy_context(ca_file: str | None) -> ssl.SSLContext:
    """Give the context of policy fetches: PKIX, DNS-ID only, TLS 1.2 or newer (RFC 8461 3.3).

    Built once per process: reading the trust store takes longer than a whole fetch.
    """
    context = _trusting(ca_file)
    context.check_hostname = True
    # DNS-ID only; OpenSSL refuses wildcards that are part of a label as Python sets it up.
    context.hostname_checks_common_name = False
    return context


@functools.lru_cache(maxsize=8)
def chain_context(ca_file: str | None) -> ssl.SSLContext:
    """Give a context that checks the chain and leaves the name to the verdict."""
    context = _trusting(ca_file)
    context.check_hostname = False
    return context


@functools.lru_cache(maxsize=1)
def reading_context() -> ssl.SSLContext:
    """Give a context that takes any certificate: to read what a server shows, never to trust it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@functools.lru_cache(maxsize=1)
def outdated_context() -> ssl.SSLContext:
    """Give a context that speaks even TLS 1.0: to say why a handshake failed, for nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _trusting(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    # Python 3.13 would refuse certificates that senders accept (RFC 5280 to the letter), and trust
    # intermediate ones by themselves.
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def judge_verify_code(code: int) -> FetchResult:
    """Give the result for OpenSSL's verdict on a chain."""
    return _VERIFY_RESULTS.get(code, FetchResult.CERT_OTHER)


def is_version_fault(error: ssl.SSLError) -> bool:
    """Say whether the two ends found no common version of TLS."""
    return (error.reason or "") in _VERSION_REASONS


def read_leaf(ssl_object: Any) -> Certificate | None:
    """Give the certificate the server showed, or None if it cannot be read."""
    der = ssl_object.getpeercert(binary_form=True)
    return describe_chain([der])[0] if der and _load(der) is not None else None


def read_chain(ssl_object: Any) -> tuple[Certificate, ...]:
    """Give the certificates as the server sent them, leaf first."""
    inner = getattr(ssl_object, "_sslobj", None)
    get_chain = getattr(inner, "get_unverified_chain", None)
    if get_chain is None:
        leaf = read_leaf(ssl_object)
        return (leaf,) if leaf is not None else ()
    # Public only from Python 3.13 on; before that it stands on the inner object.
    return describe_chain([member.public_bytes(_DER) for member in get_chain() or ()])


def describe_chain(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Give what matters of each certificate; reading stops at one that cannot be read."""
    loaded = []
    for der in ders:
        certificate = _load(der)
        if certificate is None:
            break
        loaded.append(certificate)
    followers = [*loaded[1:], None]
    return tuple(
        _describe(certificate, der, follower)
        for certificate, der, follower in zip(loaded, ders, followers, strict=False)
    )


def _load(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _describe(
    certificate: x509.Certificate, der: bytes, follower: x509.Certificate | None
) -> Certificate:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    common_names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(
        subject=certificate.subject.rfc4514_string()[:300],
        issuer=certificate.issuer.rfc4514_string()[:300],
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        dns_names=_read_dns_names(certificate),
        common_name=fold_name(str(common_names[0].value))[:253] if common_names else None,
        cert_sha256=hashlib.sha256(der).hexdigest(),
        cert_sha512=hashlib.sha512(der).hexdigest(),
        spki_sha256=hashlib.sha256(key).hexdigest(),
        spki_sha512=hashlib.sha512(key).hexdigest(),
        is_self_signed=certificate.subject == certificate.issuer,
        is_signed_by_next=None if follower is None else _is_signed_by(certificate, follower),
    )


def _read_dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    names = extension.value
    assert isinstance(names, x509.SubjectAlternativeName)
    return tuple(names.get_values_for_type(x509.DNSName)[:_MAX_DNS_NAMES])


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
