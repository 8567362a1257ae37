"""What was seen of one domain, without opinion: the prober fills these values, `judge` reads them.

Observations are stored and judged again after an upgrade, so every field added later needs a
default, and nothing here is ever renamed. Unknown members are ignored when read.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class DnsStatus(StrEnum):
    """How a DNS question ended."""

    OK = "ok"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LAME = "lame"  # an answer that answers nothing: FORMERR, NOTIMP, a referral, garbage
    LOOP = "loop"  # a CNAME chain that comes back to itself or does not end
    NOT_ASKED = "not-asked"

    @property
    def is_known(self) -> bool:
        """Say whether the question was answered, be it by "there is nothing"."""
        return self in _KNOWN


_KNOWN = frozenset({DnsStatus.OK, DnsStatus.NXDOMAIN, DnsStatus.NODATA})


class Validation(StrEnum):
    """Whether the resolver checks DNSSEC, so that an answer without AD means "insecure"."""

    VALIDATING = "validating"
    NOT_VALIDATING = "not-validating"
    UNKNOWN = "unknown"


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all answers share.

    `is_secure` is the AD bit of the whole chain. `cnames` are the targets followed, in order.
    """

    name: str
    status: DnsStatus = DnsStatus.NOT_ASKED
    is_secure: bool = False
    # AA: the TTL is the zone's own, not what is left of it in a cache.
    is_authoritative: bool = False
    ttl_s: int | None = None
    cnames: tuple[str, ...] = ()
    nameserver: str | None = None
    # The extended error (RFC 8914) a resolver gave with SERVFAIL; 6 to 12 are about DNSSEC.
    extended_error: int | None = None
    detail: str | None = None


class TxtAnswer(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """TXT records, the strings of each joined without a blank."""

    texts: tuple[str, ...] = ()


class MxRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One MX record; `host` is folded, "." for the null MX of RFC 7505."""

    preference: int
    host: str


class MxAnswer(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """MX records, by preference and name."""

    records: tuple[MxRecord, ...] = ()


class AddressAnswer(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """A or AAAA records."""

    addresses: tuple[str, ...] = ()


class TlsaRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One TLSA record (RFC 6698 section 2.1), the association data in lower-case hex."""

    usage: int
    selector: int
    matching_type: int
    data: str


class TlsaAnswer(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """TLSA records."""

    records: tuple[TlsaRecord, ...] = ()


class Certificate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What matters of one certificate; digests are lower-case hex."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    dns_names: tuple[str, ...] = ()
    common_name: str | None = None
    cert_sha256: str = ""
    cert_sha512: str = ""
    spki_sha256: str = ""
    spki_sha512: str = ""
    is_self_signed: bool = False
    # Whether the next certificate that was sent signed this one; None for the last.
    is_signed_by_next: bool | None = None


class FetchResult(StrEnum):
    """How the fetch of a policy file ended."""

    OK = "ok"  # a complete answer with status 200
    NOT_TRIED = "not-tried"
    NO_ADDRESS = "no-address"
    DNS_FAILED = "dns-failed"
    ADDRESS_REFUSED = "address-refused"  # all addresses are private, loopback or otherwise special
    CONNECT_REFUSED = "connect-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    CONNECT_FAILED = "connect-failed"
    NO_ROUTE = "no-route"  # this machine has no way to any address of that family
    TLS_VERSION = "tls-version"
    TLS_HANDSHAKE = "tls-handshake"
    CERT_EXPIRED = "cert-expired"
    CERT_NOT_YET_VALID = "cert-not-yet-valid"
    CERT_SELF_SIGNED = "cert-self-signed"
    CERT_UNTRUSTED = "cert-untrusted"
    CERT_REVOKED = "cert-revoked"
    CERT_NAME = "cert-name"
    CERT_OTHER = "cert-other"
    HTTP_STATUS = "http-status"
    HTTP_REDIRECT = "http-redirect"
    HTTP_PROTOCOL = "http-protocol"
    ENCODING = "encoding"
    TOO_LARGE = "too-large"
    TIMEOUT = "timeout"  # connected, but no complete answer within the deadline
    DEADLINE = "deadline"  # the check of the domain as a whole ran out of time


class FamilyTry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one address of the policy host behaved."""

    address: str
    result: FetchResult
    detail: str | None = None


class PolicyFetch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fetch of a policy file."""

    host: str
    result: FetchResult = FetchResult.NOT_TRIED
    v4: AddressAnswer | None = None
    v6: AddressAnswer | None = None
    # The address that gave the result; the others that were tried stand in `tries`.
    address: str | None = None
    tries: tuple[FamilyTry, ...] = ()
    took_ms: int = 0
    tls_version: str | None = None
    certificate: Certificate | None = None
    # OpenSSL's code and words for a chain it refuses: X509_V_ERR_… (10 expired, 18 self-signed …)
    verify_code: int | None = None
    verify_message: str | None = None
    http_status: int | None = None
    location: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    body: bytes | None = None
    size_bytes: int | None = None
    detail: str | None = None


class ProbeResult(StrEnum):
    """How the visit to an MX host's port 25 ended."""

    TLS = "tls"  # the handshake came through; the certificate is another matter
    NOT_TRIED = "not-tried"
    NO_ADDRESS = "no-address"
    DNS_FAILED = "dns-failed"
    ADDRESS_REFUSED = "address-refused"
    PORT_BLOCKED = "port-blocked"  # no host is reachable on port 25 from here
    CONNECT_REFUSED = "connect-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    CONNECT_FAILED = "connect-failed"
    SMTP_REFUSED = "smtp-refused"  # greeting or EHLO was answered with a refusal
    SMTP_PROTOCOL = "smtp-protocol"
    NO_STARTTLS = "no-starttls"
    STARTTLS_REFUSED = "starttls-refused"
    TLS_VERSION = "tls-version"
    TLS_HANDSHAKE = "tls-handshake"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"


class StarttlsProbe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One visit to an MX host."""

    result: ProbeResult = ProbeResult.NOT_TRIED
    address: str | None = None
    took_ms: int = 0
    greeting: str | None = None
    tls_version: str | None = None
    cipher: str | None = None
    # The certificates as sent, leaf first.
    chain: tuple[Certificate, ...] = ()
    # None where the chain was never judged; 0 for a chain OpenSSL trusts.
    verify_code: int | None = None
    verify_message: str | None = None
    detail: str | None = None


class MxHost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of one MX host; shared between all domains that name it."""

    name: str
    v4: AddressAnswer | None = None
    v6: AddressAnswer | None = None
    tlsa: TlsaAnswer | None = None
    # The TLSRPT record of the host itself, asked for where it has TLSA records: for DANE the
    # policy domain of a report is the TLSA base domain (RFC 8460 section 1.1).
    tlsrpt: TxtAnswer | None = None
    starttls: StarttlsProbe | None = None


class Observed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of one domain in one check."""

    domain: str
    checked_at: datetime
    took_ms: int
    dnssec: Validation = Validation.UNKNOWN
    tlsrpt: TxtAnswer | None = None
    # TLSRPT records at names where no sender looks: asked for only where the right name has none.
    tlsrpt_elsewhere: tuple[TxtAnswer, ...] = ()
    sts: TxtAnswer | None = None
    policy: PolicyFetch | None = None
    mx: MxAnswer | None = None
    # The domain's own addresses, asked for only where it has no MX (RFC 5321 section 5.1).
    apex_v4: AddressAnswer | None = None
    apex_v6: AddressAnswer | None = None
    mx_hosts: tuple[MxHost, ...] = ()
    # TLSA at the domain instead of the MX host, a common misplacement.
    tlsa_at_domain: TlsaAnswer | None = None
    was_starttls_asked: bool = False
    # What ended the check early, in words; the parts that are missing are unknown.
    failure: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Observed)


def encode_observed(observed: Observed) -> bytes:
    """Give the stored form (JSON)."""
    return _encoder.encode(observed)


def decode_observed(data: bytes) -> Observed:
    """Read the stored form; raises `msgspec.DecodeError` for what is none.

    Members this version does not know are ignored, and those it misses take their defaults.
    """
    return _decoder.decode(data)
