import csv
import io
import re
from datetime import date

import pytest
import yaml

from domains.dns_kit import (
    Form,
    PolicyHost,
    Wanted,
    plan,
    read_policy_host,
    render,
    render_octodns,
)

OURS = ["mailto:tls@portal.example"]


def wanted(domain="shop.example", status="missing", **fields):
    return Wanted(domain=domain, tlsrpt_status=status, **fields)


def test_a_domain_without_a_record_gets_one():
    [change] = plan([wanted()], OURS)

    assert change.name == "_smtp._tls.shop.example"
    assert change.value == "v=TLSRPTv1; rua=mailto:tls@portal.example"


def test_other_destinations_stay_behind_ours():
    [change] = plan([wanted(status="valid", rua=("mailto:a@other.example",))], OURS)

    assert change.value == "v=TLSRPTv1; rua=mailto:tls@portal.example,mailto:a@other.example"


def test_a_destination_of_ours_that_stood_second_is_named_once():
    held = ("mailto:a@other.example", "mailto:tls@portal.example")

    [change] = plan([wanted(status="valid", rua=held)], OURS)

    assert change.value.count("tls@portal.example") == 1


@pytest.mark.parametrize(
    "held",
    [("mailto:tls@portal.example",), ("mailto:tls@PORTAL.example", "mailto:a@other.example")],
)
def test_a_domain_that_reports_here_first_needs_no_change(held):
    assert plan([wanted(status="valid", rua=held)], OURS) == []


def test_another_address_of_ours_is_as_good():
    held = ("mailto:second@portal.example",)

    assert plan([wanted(status="valid", rua=held)], OURS, accepted=held) == []
    assert plan([wanted(status="valid", rua=held)], OURS) != []


def test_delegated_names_point_to_the_one_record():
    rows = [wanted(), wanted("other.example")]

    record, *changes = plan(rows, OURS, delegate_to="tlsrpt.portal.example")

    assert (record.name, record.type) == ("tlsrpt.portal.example", "TXT")
    assert record.value == "v=TLSRPTv1; rua=mailto:tls@portal.example"
    assert {(one.type, one.value) for one in changes} == {("CNAME", "tlsrpt.portal.example")}
    assert render(changes[:1], Form.ZONE).endswith(" IN CNAME tlsrpt.portal.example.\n")


def test_a_delegated_name_says_whose_reports_end():
    held = ("mailto:a@other.example", "mailto:tls@portal.example")
    rows = [wanted(status="valid", rua=held), wanted("z.example")]

    _, elsewhere, bare = plan(rows, OURS, delegate_to="tlsrpt.portal.example")

    assert "reports to mailto:a@other.example end" in elsewhere.why
    assert " end." not in bare.why


def test_names_that_report_here_already_are_delegated_to_nothing():
    held = wanted(status="valid", rua=tuple(OURS))

    assert plan([held], OURS, delegate_to="tlsrpt.portal.example") == []


def test_a_name_is_never_delegated_to_itself():
    rows = [wanted("a.example"), wanted(status="missing"), wanted("z.example")]

    changes = plan(rows, OURS, delegate_to="_smtp._tls.shop.example")

    assert [(one.domain, one.type) for one in changes] == [
        ("shop.example", "TXT"),
        ("a.example", "CNAME"),
        ("z.example", "CNAME"),
    ]
    assert len({one.name for one in changes}) == len(changes)


def test_the_record_that_others_point_to_is_not_written_where_it_stands_already():
    rows = [wanted(status="valid", rua=tuple(OURS)), wanted("z.example")]

    changes = plan(rows, OURS, delegate_to="_smtp._tls.shop.example")

    assert [(one.domain, one.type) for one in changes] == [("z.example", "CNAME")]


def test_a_hosted_policy_is_announced_until_its_id_is_live():
    row = wanted(status="valid", rua=tuple(OURS), policy_id="20261101")

    changes = plan([row], OURS, policy_host="portal.example")
    assert [(c.name, c.type) for c in changes] == [
        ("_mta-sts.shop.example", "TXT"),
        ("mta-sts.shop.example", "CNAME"),
    ]

    live = wanted(
        status="valid",
        rua=tuple(OURS),
        policy_id="20261101",
        sts_record="v=STSv1;id=20261101;",
        sts_id="20261101",
    )
    assert plan([live], OURS, policy_host="portal.example") == []


@pytest.mark.parametrize(
    ("code", "replaces"),
    [
        ("sts.host.nxdomain", False),
        ("sts.host.no-address", False),
        ("sts.host.cname-dangling", True),
    ],
)
def test_the_name_of_the_policy_host_is_told_as_long_as_it_leads_nowhere(code, replaces):
    found = read_policy_host({"mta_sts": {"findings": [{"code": code}]}})
    live = wanted(
        status="valid",
        rua=tuple(OURS),
        policy_id="20261101",
        sts_record="v=STSv1; id=20261101",
        sts_id="20261101",
        policy_host=found,
    )

    [change] = plan([live], OURS, policy_host="portal.example")

    assert (change.name, change.type) == ("mta-sts.shop.example", "CNAME")
    assert change.value == "portal.example"
    assert change.replaces is replaces


def test_a_policy_host_that_is_there_needs_no_name():
    for judgement in ({}, {"mta_sts": {"findings": [{"code": "sts.http.status"}]}}):
        assert read_policy_host(judgement) is PolicyHost.SEEN


@pytest.mark.parametrize(("status", "is_told"), [("missing", False), ("invalid", True)])
def test_a_record_that_has_to_go_is_told_of(status, is_told):
    [change] = plan([wanted(status=status)], OURS)

    assert change.why.startswith("Takes the place of") == is_told
    assert render([change], Form.ZONE).endswith('" ; in place of what stands there\n') == is_told


def test_zone_lines_split_long_texts():
    many = [f"mailto:reports-{at:02}@a-rather-long-name.example" for at in range(8)]

    text = render(plan([wanted()], many), Form.ZONE)

    strings = text.split('"')[1::2]
    assert len(strings) > 1
    assert max(len(part) for part in strings) <= 255
    assert "".join(strings).endswith(many[-1])


def test_the_same_changes_stand_in_every_form():
    changes = plan([wanted("shop.example"), wanted("mail.brand.co.uk")], OURS)

    rows = list(csv.DictReader(io.StringIO(render(changes, Form.CSV))))
    assert [row["zone"] for row in rows] == ["shop.example", "brand.co.uk"]
    terraform = render(changes, Form.TERRAFORM)
    assert 'zone = "brand.co.uk."' in terraform
    assert 'name = "_smtp._tls.mail"' in terraform
    octodns = render_octodns(changes)
    assert list(octodns) == ["brand.co.uk.yaml", "shop.example.yaml"]
    assert yaml.safe_load(octodns["brand.co.uk.yaml"]) == {
        "_smtp._tls.mail": {
            "ttl": 3600,
            "type": "TXT",
            "value": "v=TLSRPTv1\\; rua=mailto:tls@portal.example",
        }
    }


def test_terraform_is_laid_out_as_its_own_formatter_does_and_says_what_goes():
    rows = [wanted("a.example"), wanted("b.example", status="invalid")]

    plain = render(plan(rows, OURS), Form.TERRAFORM)
    _, first, _ = render(plan(rows, OURS, delegate_to="t.example"), Form.TERRAFORM).split("\n\n")

    assert plain.splitlines()[:7] == [
        "# a new record",
        'resource "dns_txt_record_set" "_smtp__tls_a_example" {',
        '  zone = "a.example."',
        '  name = "_smtp._tls"',
        '  txt  = ["v=TLSRPTv1; rua=mailto:tls@portal.example"]',
        "  ttl  = 3600",
        "}",
    ]
    assert "# in place of what stands there\nresource" in plain
    assert [line.index("=") for line in first.splitlines()[2:6]] == [8] * 4


def test_a_change_that_a_domain_may_go_without_says_until_when():
    until = date(2027, 1, 28)
    rows = [
        wanted("a.example", excepted_until=until),
        wanted("b.example", status="invalid", excepted_until=until),
    ]

    excused, broken = plan(rows, OURS)

    assert excused.why.endswith("Excepted until 28 Jan 2027: it may go without.")
    assert "; excepted from TLS-RPT until 2027-01-28" in render([excused], Form.ZONE)
    assert "# a new record; excepted from TLS-RPT until 2027-01-28" in render(
        [excused], Form.TERRAFORM
    )
    assert broken.excepted_until is None


def test_terraform_knows_a_record_by_the_same_name_whatever_else_is_asked_for():
    def names(*domains):
        changes = plan([wanted(domain) for domain in domains], OURS)
        return re.findall(r'"dns_txt_record_set" "(.+)"', render(changes, Form.TERRAFORM))

    assert names("a-b.example") == ["_smtp__tls_a-b_example"]
    assert names("a.b.example", "a-b.example")[1:] == names("a-b.example")
    assert len({*names("a.b.example", "a-b.example")}) == 2


def test_octodns_reads_names_in_their_natural_order():
    changes = plan([wanted(f"d{at}.shop.example") for at in (10, 9, 1)], OURS)

    [text] = render_octodns(changes).values()

    assert [*yaml.safe_load(text)] == ["_smtp._tls.d1", "_smtp._tls.d9", "_smtp._tls.d10"]


def test_hcl_templates_are_not_evaluated():
    _, change = plan([wanted()], ["https://portal.example/tlsrpt/a"], delegate_to="${file}")

    assert '"$${file}."' in render([change], Form.TERRAFORM)
