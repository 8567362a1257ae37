"""Made-up observations for the tests of the domains app."""

from datetime import UTC, datetime

from mailtls.observed import (
    DnsStatus,
    FetchResult,
    MxAnswer,
    MxHost,
    MxRecord,
    Observed,
    PolicyFetch,
    TxtAnswer,
)

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
RUA = "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"
POLICY = "version: STSv1\nmode: {mode}\nmx: *.a.example\nmax_age: 1209600\n"


def txt(name, text, status=DnsStatus.NXDOMAIN):
    if text is None:
        return TxtAnswer(name=name, status=status)
    return TxtAnswer(name=name, status=DnsStatus.OK, texts=(text,))


def observed(
    name="a.example", *, at=AT, tlsrpt=RUA, mode="enforce", sts_id="1", mx=("mx1.a.example",)
):
    """A healthy domain, unless told otherwise; `mode=None`: no MTA-STS."""
    body = POLICY.format(mode=mode).encode()
    policy = PolicyFetch(
        host=f"mta-sts.{name}",
        result=FetchResult.OK,
        http_status=200,
        content_type="text/plain",
        body=body,
        size_bytes=len(body),
    )
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
        mx_hosts=tuple(MxHost(name=host) for host in mx),
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
