"""What the demo world is made of: teams, people, domains, and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domains.lacks import Lack
from mailtls.observed import FetchResult

SEED = 8460
DAYS = 90
COMPANY = "aurelia"
REPORT_ADDRESS = "tlsrpt@reports.aurelia.example"
RUA = f"mailto:{REPORT_ADDRESS}"

TEAMS = ("Corporate IT", "Retail Brands", "Logistics", "Labs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can log in to the demo."""

    email: str
    name: str
    team: str = ""
    role: str = ""
    role_everywhere: str = ""
    is_administrator: bool = False


PEOPLE = (
    Person(email="admin@aurelia.example", name="Ada Sommer", is_administrator=True),
    Person(email="auditor@aurelia.example", name="Otto Brandt", role_everywhere="viewer"),
    Person(email="it@aurelia.example", name="Ines Roth", team="Corporate IT", role="manager"),
    Person(email="retail@aurelia.example", name="Remy Vidal", team="Retail Brands", role="manager"),
    Person(email="logistics@aurelia.example", name="Lin Zhou", team="Logistics", role="analyst"),
    Person(email="labs@aurelia.example", name="Leo Marsh", team="Labs", role="viewer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What a domain publishes at one time; None: nothing."""

    tlsrpt: str | None = None
    sts_id: str | None = None
    sts_txt: str | None = None  # the whole record, where it is not the usual one
    policy: str | None = None
    policy_result: FetchResult = FetchResult.OK
    # The days before today on which the policy host's certificate ends; None: renewed in time.
    cert_end_day: int | None = None
    mx: tuple[str, ...] = ()
    has_tlsa: bool = False
    is_dns_failing: bool = False

    @property
    def sts_record(self) -> str | None:
        """Give the MTA-STS TXT record."""
        return self.sts_txt or (f"v=STSv1; id={self.sts_id}" if self.sts_id else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A share of sessions that fail from `from_day` to `to_day`, in days before today."""

    result_type: str
    from_day: int
    to_day: int
    share: float
    receiving_mx: str = ""
    reason: str = ""
    reporters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDomain:
    """A domain: whose it is, what it published when, how much mail it gets, what failed."""

    name: str
    team: str
    owner: str = ""
    tags: tuple[str, ...] = ()
    # (days before today, zone), oldest first.
    history: tuple[tuple[int, Zone], ...]
    daily_sessions: int = 200
    troubles: tuple[Trouble, ...] = ()
    reports_from_day: int = DAYS
    # Reporters that reach another web server, and the policy that it serves.
    other_view: tuple[str, ...] = ()
    other_policy: str = ""

    @property
    def zone(self) -> Zone:
        """Give what it publishes now."""
        return self.history[-1][1]

    def zone_at(self, back: int) -> Zone:
        """Give what it published so many days ago."""
        zone = self.history[0][1]
        for since, held in self.history:
            if since > back:
                zone = held
        return zone


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedException:
    """What some domains may lack since `from_day` days before today, for `days_left` more."""

    domains: tuple[str, ...]
    lacks: tuple[Lack, ...]
    reason: str
    approver: str
    from_day: int
    days_left: int


EXCEPTIONS = (
    PlannedException(
        domains=("aurelia-parked.example", "xn--aurlia-dva.example"),
        lacks=(Lack.TLSRPT, Lack.MTA_STS),
        reason="Parked with a null MX: no mail can be delivered. Reviewed each year.",
        approver="it@aurelia.example",
        from_day=70,
        days_left=295,
    ),
    PlannedException(
        domains=("aurelia-finance.example",),
        lacks=(Lack.ENFORCE,),
        reason="Stays in testing until the payroll provider sends over verified TLS (CHG-4410).",
        approver="it@aurelia.example",
        from_day=41,
        days_left=49,
    ),
    PlannedException(
        domains=("testfeld.example", "archiv.example"),
        lacks=(Lack.TLSRPT, Lack.MTA_STS),
        reason="Test domains, to be switched off at the end of the year.",
        approver="admin@aurelia.example",
        from_day=52,
        days_left=11,
    ),
    PlannedException(
        domains=("outlet.example",),
        lacks=(Lack.TLSRPT,),
        reason="The DNS of this brand moves in autumn; the record is published with the move.",
        approver="retail@aurelia.example",
        from_day=82,
        days_left=-9,
    ),
)

OK_RECORD = f"v=TLSRPTv1; rua={RUA}"
HOSTLINE = ("10 mx1.hostline.example", "20 mx2.hostline.example")
MICROSOFT = "0 {}.mail.protection.outlook.com"
GOOGLE = ("1 smtp.google.com",)
PROOFPOINT = ("10 mx1-us1.ppe-hosted.com", "10 mx2-us1.ppe-hosted.com")


def policy(mode: str, *patterns: str, max_age_s: int = 1_209_600) -> str:
    """Give a policy file."""
    lines = [f"version: STSv1\nmode: {mode}", *(f"mx: {pattern}" for pattern in patterns)]
    return "\n".join([*lines, f"max_age: {max_age_s}"]) + "\n"


def _own_mx(name: str) -> tuple[str, ...]:
    return (f"10 mx1.{name}", f"20 mx2.{name}")


def _enforced(mx: tuple[str, ...], *patterns: str, policy_id: str = "20260301T120000") -> Zone:
    return Zone(tlsrpt=OK_RECORD, sts_id=policy_id, policy=policy("enforce", *patterns), mx=mx)


def _testing(mx: tuple[str, ...], *patterns: str) -> Zone:
    return Zone(
        tlsrpt=OK_RECORD,
        sts_id="20260915T080000",
        policy=policy("testing", *patterns, max_age_s=604_800),
        mx=mx,
    )


def _hostline(name: str, team: str, sessions: int, **extra: object) -> DemoDomain:
    """A domain behind the shared provider whose certificate has expired: the running incident."""
    zone = _enforced(HOSTLINE, "*.hostline.example")
    expired = Trouble(
        result_type="certificate-expired",
        from_day=6,
        to_day=1,
        share=0.46,
        receiving_mx="mx1.hostline.example",
        reason="certificate has expired",
    )
    return DemoDomain(
        name=name,
        team=team,
        history=((DAYS, zone),),
        daily_sessions=sessions,
        troubles=(expired,),
        **extra,  # type: ignore[arg-type]
    )


def _on_microsoft(name: str, team: str, mode: str, sessions: int, **extra: object) -> DemoDomain:
    mx = (MICROSOFT.format(name.replace(".", "-")),)
    build = _enforced if mode == "enforce" else _testing
    zone = build(mx, "*.mail.protection.outlook.com")
    history = extra.pop("history", ((DAYS, zone),))
    return DemoDomain(
        name=name,
        team=team,
        history=history,  # type: ignore[arg-type]
        daily_sessions=sessions,
        **extra,  # type: ignore[arg-type]
    )


def _forgotten(name: str, team: str, sessions: int) -> DemoDomain:
    """Nobody renewed the policy host's certificate in time; three days of failures followed."""
    mx = (MICROSOFT.format(name.replace(".", "-")),)
    zone = _enforced(mx, "*.mail.protection.outlook.com")
    unheeded = replace(zone, cert_end_day=19)
    expired = replace(unheeded, policy_result=FetchResult.CERT_EXPIRED)
    failing = Trouble(result_type="sts-webpki-invalid", from_day=19, to_day=17, share=0.24)
    # Renewed in the morning.
    ending = replace(failing, from_day=16, to_day=16, share=0.05)
    return DemoDomain(
        name=name,
        team=team,
        history=((DAYS, unheeded), (19, expired), (16, zone)),
        daily_sessions=sessions,
        troubles=(failing, ending),
    )


def _moved_mx(name: str) -> DemoDomain:
    """MX moved to another provider 34 days ago; the policy followed three days later."""
    before = _enforced(PROOFPOINT, "*.ppe-hosted.com")
    moved = replace(before, mx=GOOGLE)
    after = replace(moved, policy=policy("enforce", "smtp.google.com"), sts_id="20261020T093000")
    refused = Trouble(
        result_type="validation-failure",
        from_day=34,
        to_day=31,
        share=0.93,
        receiving_mx="smtp.google.com",
        reason="mtasts-policy-mx-mismatch",
    )
    return DemoDomain(
        name=name,
        team="Retail Brands",
        owner="mail@fabrikant.example",
        tags=("revenue", "customer-facing"),
        history=((DAYS, before), (34, moved), (31, after)),
        daily_sessions=2600,
        troubles=(refused,),
    )


def _to_enforce(name: str, team: str, sessions: int) -> DemoDomain:
    """From nothing over testing to enforce: what the roll-out should look like."""
    mx = _own_mx(name)
    nothing = Zone(mx=mx)
    reporting = Zone(tlsrpt=OK_RECORD, mx=mx)
    testing = _testing(mx, f"*.{name}")
    enforced = replace(testing, sts_id="20261108T140000", policy=policy("enforce", f"*.{name}"))
    return DemoDomain(
        name=name,
        team=team,
        history=((DAYS, nothing), (80, reporting), (52, testing), (14, enforced)),
        daily_sessions=sessions,
        reports_from_day=79,
        tags=("roll-out",),
    )


def domains() -> tuple[DemoDomain, ...]:
    """Give the 40 domains of the demo."""
    return (*_corporate(), *_retail(), *_logistics(), *_labs())


def _corporate() -> tuple[DemoDomain, ...]:
    team = "Corporate IT"
    own = "aurelia.example"
    dane = replace(
        _enforced(_own_mx("aurelia-bank.example"), "*.aurelia-bank.example"), has_tlsa=True
    )
    flaky = Trouble(
        result_type="sts-policy-fetch-error",
        from_day=58,
        to_day=56,
        share=0.21,
        reporters=("Google Inc.", "Microsoft Corporation"),
    )
    return (
        DemoDomain(
            name=own,
            team=team,
            owner="postmaster@aurelia.example",
            tags=("group", "customer-facing"),
            history=((DAYS, _enforced(_own_mx(own), f"*.{own}")),),
            daily_sessions=5200,
            troubles=(flaky,),
        ),
        DemoDomain(
            name="aurelia-bank.example",
            team=team,
            owner="postmaster@aurelia-bank.example",
            tags=("regulated", "dane"),
            history=((DAYS, dane),),
            daily_sessions=3100,
        ),
        DemoDomain(
            name="aurelia-insurance.example",
            team=team,
            tags=("regulated", "dane"),
            history=(
                (
                    DAYS,
                    replace(
                        _enforced(
                            _own_mx("aurelia-insurance.example"), "*.aurelia-insurance.example"
                        ),
                        has_tlsa=True,
                    ),
                ),
            ),
            daily_sessions=1400,
        ),
        # One reporter still reaches the old web server behind the balancer.
        _on_microsoft(
            "aurelia-hr.example",
            team,
            "enforce",
            640,
            other_view=("Comcast",),
            other_policy=policy("testing", "*.mail.protection.outlook.com", max_age_s=86_400),
        ),
        _on_microsoft("aurelia-legal.example", team, "enforce", 410, tags=("regulated",)),
        _on_microsoft("aurelia-finance.example", team, "testing", 380, tags=("regulated",)),
        _on_microsoft("aurelia-holding.example", team, "testing", 120),
        _to_enforce("aurelia-careers.example", team, 730),
        DemoDomain(
            name="aurelia-news.example",
            team=team,
            history=((DAYS, Zone(tlsrpt=OK_RECORD, mx=GOOGLE)),),
            daily_sessions=260,
        ),
        DemoDomain(
            name="aurelia-parked.example",
            team=team,
            tags=("parked",),
            history=((DAYS, Zone(mx=("0 .",))),),
            daily_sessions=0,
        ),
        DemoDomain(
            name="xn--aurlia-dva.example",
            team=team,
            tags=("parked",),
            history=((DAYS, Zone(mx=("0 .",))),),
            daily_sessions=0,
        ),
    )


def _retail() -> tuple[DemoDomain, ...]:
    team = "Retail Brands"
    typo = policy("enforce", "*.ppe-hosted.com").replace("mx:", "nmx:")
    return (
        _moved_mx("fabrikant.example"),
        _hostline(
            "kaufladen.example",
            team,
            1900,
            owner="mail@kaufladen.example",
            tags=("revenue", "customer-facing"),
        ),
        _hostline("modehaus.example", team, 840, tags=("customer-facing",)),
        _hostline("schuhkiste.example", team, 300),
        _hostline("gartenfreund.example", team, 210),
        _on_microsoft("buchwelt.example", team, "enforce", 520),
        _on_microsoft("spielzeit.example", team, "testing", 180),
        _on_microsoft("teestube.example", team, "testing", 90),
        _to_enforce("naturkost.example", team, 460),
        DemoDomain(
            name="uhrmacher.example",
            team=team,
            history=(
                (
                    DAYS,
                    Zone(tlsrpt=OK_RECORD, sts_id="20260702T100000", policy=typo, mx=PROOFPOINT),
                ),
            ),
            daily_sessions=150,
        ),
        DemoDomain(
            name="brillen.example",
            team=team,
            history=(
                (DAYS, Zone(tlsrpt="v=TLSRPTv1; rua=tlsrpt@reports.aurelia.example", mx=GOOGLE)),
            ),
            daily_sessions=0,
        ),
        DemoDomain(
            name="outlet.example",
            team=team,
            history=((DAYS, Zone(mx=PROOFPOINT)),),
            daily_sessions=0,
        ),
        DemoDomain(
            name="gutscheine.example",
            team=team,
            history=(
                (
                    DAYS,
                    Zone(
                        sts_id="20260401T000000",
                        policy=policy("enforce", "*.ppe-hosted.com"),
                        mx=PROOFPOINT,
                    ),
                ),
            ),
            daily_sessions=0,
        ),
    )


def _logistics() -> tuple[DemoDomain, ...]:
    team = "Logistics"
    own = "aurelia-fracht.example"
    plain = Trouble(
        result_type="starttls-not-supported",
        from_day=23,
        to_day=20,
        share=0.12,
        receiving_mx=f"mx2.{own}",
    )
    unheeded = replace(_enforced(_own_mx("hafen.example"), "*.hafen.example"), cert_end_day=2)
    expired = replace(unheeded, policy_result=FetchResult.CERT_EXPIRED)
    return (
        DemoDomain(
            name=own,
            team=team,
            owner="postmaster@aurelia-fracht.example",
            history=((DAYS, _testing(_own_mx(own), f"*.{own}")),),
            daily_sessions=980,
            troubles=(plain,),
        ),
        _hostline("spedition.example", team, 560),
        _hostline("lagerhaus.example", team, 240),
        _forgotten("kurier.example", team, 690),
        _on_microsoft("zoll.example", team, "testing", 110),
        DemoDomain(
            name="hafen.example",
            team=team,
            history=(
                (DAYS, unheeded),
                (2, expired),
            ),
            daily_sessions=330,
            troubles=(Trouble(result_type="sts-webpki-invalid", from_day=2, to_day=1, share=0.09),),
        ),
        DemoDomain(
            name="paletten.example",
            team=team,
            history=((DAYS, Zone(tlsrpt=OK_RECORD, mx=_own_mx("paletten.example"))),),
            daily_sessions=75,
        ),
        DemoDomain(
            name="container.example",
            team=team,
            history=((DAYS, Zone(mx=_own_mx("container.example"))),),
            daily_sessions=0,
        ),
        DemoDomain(
            name="depot.example",
            team=team,
            history=(
                (DAYS, Zone(tlsrpt=OK_RECORD, mx=GOOGLE)),
                (1, Zone(is_dns_failing=True)),
            ),
            daily_sessions=60,
        ),
    )


def _labs() -> tuple[DemoDomain, ...]:
    team = "Labs"
    uncovered = replace(
        _enforced(_own_mx("quantum.example"), "mx1.quantum.example"), mx=_own_mx("quantum.example")
    )
    return (
        DemoDomain(
            name="quantum.example",
            team=team,
            owner="ops@quantum.example",
            history=((DAYS, uncovered),),
            daily_sessions=140,
            troubles=(
                Trouble(
                    result_type="validation-failure",
                    from_day=17,
                    to_day=17,
                    share=0.3,
                    receiving_mx="mx2.quantum.example",
                    reason="mtasts-policy-mx-mismatch",
                ),
            ),
        ),
        _on_microsoft("prototype.example", team, "testing", 45),
        DemoDomain(
            name="sandbox.example",
            team=team,
            history=((DAYS, Zone(tlsrpt=OK_RECORD, mx=GOOGLE)),),
            daily_sessions=30,
        ),
        DemoDomain(
            name="robotik.example",
            team=team,
            history=(
                (
                    DAYS,
                    Zone(
                        tlsrpt=OK_RECORD,
                        sts_txt="v=STSv1; id=2026-07-01T00:00Z",
                        policy=policy("testing", "smtp.google.com"),
                        mx=GOOGLE,
                    ),
                ),
            ),
            daily_sessions=55,
        ),
        DemoDomain(
            name="openlab.example",
            team=team,
            history=(
                (DAYS, Zone(tlsrpt=OK_RECORD, mx=_own_mx("openlab.example"))),
                (5, Zone(mx=_own_mx("openlab.example"))),
            ),
            daily_sessions=85,
        ),
        DemoDomain(
            name="archiv.example",
            team=team,
            history=((DAYS, Zone(mx=GOOGLE)),),
            daily_sessions=0,
        ),
        DemoDomain(
            name="testfeld.example",
            team=team,
            history=((DAYS, Zone(mx=_own_mx("testfeld.example"))),),
            daily_sessions=0,
        ),
    )
