"""Made-up observations for the tests of the domains app."""

from datetime import UTC, datetime, timedelta

from mailtls.observed import (
    Certificate,
    DnsStatus,
    FetchResult,
    MxAnswer,
    MxHost,
    MxRecord,
    Observed,
    PolicyFetch,
    ProbeResult,
    StarttlsProbe,
    TxtAnswer,
)

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
RUA = "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"
POLICY = "version: STSv1\nmode: {mode}\nmx: *.a.example\nmax_age: 1209600\n"


def txt(name, text, status=DnsStatus.NXDOMAIN):
    if text is None:
        return TxtAnswer(name=name, status=status)
    return TxtAnswer(name=name, status=DnsStatus.OK, texts=(text,))


def certificate(host, ends, days=90):
    """A certificate of `days` days for a host, until `ends`."""
    return Certificate(
        subject=f"CN={host}",
        issuer="CN=Test CA",
        not_before=ends - timedelta(days=days),
        not_after=ends,
        dns_names=(host,),
    )


def observed(
    name="a.example",
    *,
    at=AT,
    tlsrpt=RUA,
    mode="enforce",
    sts_id="1",
    mx=("mx1.a.example",),
    cert_ends=None,
    mx_cert_ends=None,
):
    """A healthy domain, unless told otherwise; `mode=None`: no MTA-STS.

    Certificates end when told so, at all MX hosts the same; one that has ended is refused.
    """
    body = POLICY.format(mode=mode).encode()
    host = f"mta-sts.{name}"
    shown = certificate(host, cert_ends) if cert_ends else None
    policy = PolicyFetch(
        host=host,
        result=FetchResult.OK,
        http_status=200,
        content_type="text/plain",
        body=body,
        size_bytes=len(body),
        certificate=shown,
    )
    if cert_ends and cert_ends < at:
        policy = PolicyFetch(host=host, result=FetchResult.CERT_EXPIRED, certificate=shown)
    return Observed(
        domain=name,
        checked_at=at,
        took_ms=12,
        tlsrpt=txt(f"_smtp._tls.{name}", tlsrpt),
        sts=txt(f"_mta-sts.{name}", f"v=STSv1; id={sts_id}" if mode else None),
        policy=policy if mode else None,
        mx=MxAnswer(
            name=name,
            status=DnsStatus.OK,
            records=tuple(MxRecord(preference=10, host=host) for host in mx),
        ),
        mx_hosts=tuple(
            MxHost(
                name=host,
                starttls=StarttlsProbe(
                    result=ProbeResult.TLS,
                    chain=(certificate(host, mx_cert_ends),),
                    verify_code=10 if mx_cert_ends < at else 0,
                )
                if mx_cert_ends
                else None,
            )
            for host in mx
        ),
        was_starttls_asked=mx_cert_ends is not None,
    )


def servfail(name="a.example", *, at=AT):
    """A domain whose name servers do not answer."""
    return Observed(
        domain=name,
        checked_at=at,
        took_ms=5000,
        tlsrpt=TxtAnswer(name=f"_smtp._tls.{name}", status=DnsStatus.SERVFAIL),
        sts=TxtAnswer(name=f"_mta-sts.{name}", status=DnsStatus.SERVFAIL),
        mx=MxAnswer(name=name, status=DnsStatus.SERVFAIL),
    )
