"""The report reader: every deviation of real senders, one row each."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtls.catalogue import describe
from mailtls.findings import Severity
from mailtls.limits import Limits
from mailtls.report import Hints, PolicyType, Report, counted_types, parse_report
from tests.mailtls.samples import DETAIL, END, START, policy_entry, report, text


def read(data: bytes | dict[str, Any], hints: Hints | None = None) -> Report:
    """Read a report that must be accepted."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    parsed = parse_report(raw, hints=hints or Hints())
    assert parsed.value is not None, parsed.findings
    return parsed.value


def warnings(data: bytes, hints: Hints | None = None) -> list[str]:
    """Give the codes of everything that is not merely informative."""
    findings = parse_report(data, hints=hints or Hints()).findings
    return [finding.code for finding in findings if finding.severity is not Severity.INFO]


def test_a_conforming_report_is_read_without_a_warning():
    value = read(text())

    assert value.organization_name == "Example Sender"
    assert value.start_at == dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
    assert value.end_at == dt.datetime(2026, 3, 10, 23, 59, 59, tzinfo=dt.UTC)
    assert value.submitter == "sender.example"
    [policy] = value.policies
    assert policy.policy_type is PolicyType.STS
    assert policy.policy_domain == "recipient.example"
    assert (policy.successes, policy.failures) == (40, 2)
    [detail] = policy.details
    assert (detail.result_type, detail.failed_sessions) == ("certificate-expired", 2)
    assert detail.receiving_mx_hostname == "mx1.recipient.example"
    assert warnings(text()) == []


@pytest.mark.parametrize(
    ("start", "expected", "warning"),
    [
        pytest.param("2026-03-10T00:00:00", "2026-03-10T00:00:00", "without-zone", id="no zone"),
        pytest.param("2026-03-10 00:00:00Z", "2026-03-10T00:00:00", "blank-for-t", id="blank"),
        pytest.param("2026-03-10", "2026-03-10T00:00:00", "without-time", id="date only"),
        pytest.param("2026-03-10t00:00:00z", "2026-03-10T00:00:00", None, id="lower case"),
        pytest.param("2026-03-10T02:00:00+02:00", "2026-03-10T00:00:00", None, id="offset"),
        pytest.param("2026-03-09T24:00:00Z", "2026-03-10T00:00:00", None, id="24:00"),
        pytest.param("2026-03-09T23:59:60Z", "2026-03-10T00:00:00", None, id="leap second"),
        pytest.param("2026-03-10T00:00:00.000000000Z", "2026-03-10T00:00:00", None, id="fraction"),
    ],
)
def test_dates_are_read_as_senders_write_them(start, expected, warning):
    data = text(date_range={"start-datetime": start, "end-datetime": END})

    assert read(data).start_at == dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC)
    assert warnings(data) == ([f"report.date.{warning}"] if warning else [])


@pytest.mark.parametrize(
    "date_range",
    [
        {},
        {"start-datetime": None, "end-datetime": None},
        {"start-datetime": "Internet date", "end-datetime": "soon"},
        {"start-datetime": "2026-13-10T00:00:00Z", "end-datetime": "2026-03-10T99:00:00Z"},
        {"start-datetime": 5, "end-datetime": []},
        [],
        "2026-03-10",
    ],
    ids=repr,
)
def test_a_report_without_any_date_is_rejected(date_range):
    parsed = parse_report(text(date_range=date_range))

    assert parsed.value is None
    assert parsed.findings[-1].code == "report.date.missing"


def test_one_missing_date_is_made_up_from_the_other():
    only_end = read(text(date_range={"end-datetime": END}))
    only_start = read(text(date_range={"start-datetime": START}))

    assert only_end.start_at == dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
    assert only_start.end_at == dt.datetime(2026, 3, 11, tzinfo=dt.UTC)


def test_a_reversed_and_a_long_range_stay_as_they_are():
    reversed_range = {"start-datetime": END, "end-datetime": START}
    week = {"start-datetime": START, "end-datetime": "2026-03-16T23:59:59Z"}

    assert warnings(text(date_range=reversed_range)) == ["report.date.reversed"]
    assert read(text(date_range=reversed_range)).start_at.hour == 23
    assert warnings(text(date_range=week)) == ["report.date.longer-than-a-day"]
    next_midnight = {"start-datetime": START, "end-datetime": "2026-03-11T00:00:00Z"}
    assert warnings(text(date_range=next_midnight)) == []


@pytest.mark.parametrize(
    ("count", "expected", "warning"),
    [
        ("42", 42, "report.count.text"),
        (42.0, 42, "report.count.fraction"),
        (0, 0, None),
        (2**53 - 1, 2**53 - 1, None),
    ],
)
def test_counts_are_read_from_text_and_whole_fractions(count, expected, warning):
    data = text(policies=[policy_entry(good=count)])

    assert read(data).policies[0].successes == expected
    assert warnings(data) == ([warning] if warning else [])


@pytest.mark.parametrize(
    "count",
    ["-40", "99999999999999999999", "2.5", "true", "NaN", "1e400", '"many"', "[]", "9" * 5000],
)
def test_an_impossible_count_drops_its_entry_and_not_the_report(count):
    good = json.dumps(policy_entry(domain="other.example"))
    bad = json.dumps(policy_entry(good="@")).replace('"@"', count)
    data = json.dumps(report(policies=["@"])).replace('"@"', f"{bad}, {good}").encode()

    assert [policy.policy_domain for policy in read(data).policies] == ["other.example"]
    assert warnings(data) == ["report.count.invalid"]


def test_counts_that_are_left_out_stay_unknown_and_details_stand_in_for_the_failures():
    data = text(policies=[policy_entry(good=None, bad=None)])

    [policy] = read(data).policies
    assert (policy.successes, policy.failures) == (None, None)
    assert policy.failed_sessions == 2
    assert warnings(data) == ["report.count.missing"]


def test_details_and_total_are_never_reconciled():
    overlapping = text(policies=[policy_entry(bad=1, details=[DETAIL, DETAIL])])

    [policy] = read(overlapping).policies
    assert policy.failed_sessions == 1
    assert policy.failures_in_details == 4
    assert warnings(overlapping) == []


@pytest.mark.parametrize(
    ("detail", "expected", "warning"),
    [
        ({"failed-session-count": 3}, [], "report.detail.dropped"),
        ("expired", [], "report.detail.dropped"),
        (
            {"result-type": "validation-failure"},
            [("validation-failure", None)],
            "report.detail.count-missing",
        ),
        (
            {"result-type": "validation-failure", "failed-session-count": -1},
            [("validation-failure", None)],
            "report.detail.count-invalid",
        ),
        (
            {"result-type": "quantum-flux", "failed-session-count": 1},
            [("quantum-flux", 1)],
            "report.result-type.unknown",
        ),
        (
            {"result-type": "TLSA-Invalid", "failed-session-count": 1},
            [("tlsa-invalid", 1)],
            "report.result-type.case",
        ),
    ],
    ids=str,
)
def test_a_bad_detail_drops_itself_and_an_odd_one_is_kept(detail, expected, warning):
    data = text(policies=[policy_entry(details=[detail])])

    details = read(data).policies[0].details
    assert [(item.result_type, item.failed_sessions) for item in details] == expected
    assert warnings(data) == [warning]


@pytest.mark.parametrize("details", [None, [], "absent"])
def test_details_may_be_absent_empty_or_null(details):
    entry = policy_entry(details=None)
    if details != "absent":
        entry["failure-details"] = details

    assert read(text(policies=[entry])).policies[0].details == ()


@pytest.mark.parametrize(
    ("sent", "kept", "warning"),
    [
        ("::ffff:192.0.2.10", "192.0.2.10", None),
        ("2001:DB8:abcd:0012::1", "2001:db8:abcd:12::1", None),
        ("", "", None),
        (None, "", None),
        ("not-an-ip", "not-an-ip", "report.address.invalid"),
    ],
)
def test_addresses_are_canonical_and_never_required(sent, kept, warning):
    data = text(policies=[policy_entry(details=[{**DETAIL, "sending-mta-ip": sent}])])

    assert read(data).policies[0].details[0].sending_mta_ip == kept
    assert warnings(data) == ([warning] if warning else [])


@pytest.mark.parametrize(
    ("members", "kept", "warning"),
    [
        ({"mx-host": ["*.x.example"]}, ("*.x.example",), None),
        ({"mx-host": "*.x.example"}, ("*.x.example",), "report.array.text"),
        ({"mx-host": ["mx: *.x.example"]}, ("*.x.example",), "report.mx-host.prefix"),
        ({"mx-host-pattern": ["*.x.example"]}, ("*.x.example",), "report.mx-host.alias"),
        ({"mx-host": []}, (), None),
        ({"mx-host": 7}, (), "report.array.wrong-type"),
    ],
    ids=str,
)
def test_mx_host_is_read_in_all_four_shapes(members, kept, warning):
    data = text(policies=[policy_entry(**members)])

    assert read(data).policies[0].mx_hosts == kept
    assert warnings(data) == ([warning] if warning else [])


def test_tlsa_records_in_one_text_are_unwrapped():
    nested = json.dumps(["3 1 1 aa", "3 1 1 bb"])
    data = text(policies=[policy_entry("tlsa", **{"policy-string": [nested]})])

    assert read(data).policies[0].policy_strings == ("3 1 1 aa", "3 1 1 bb")
    assert warnings(data) == ["report.policy-string.nested"]


@pytest.mark.parametrize(
    ("sent", "kind", "warning"),
    [
        ("STS", PolicyType.STS, "report.policy-type.case"),
        ("dane", PolicyType.OTHER, "report.policy-type.unknown"),
        ("other", PolicyType.OTHER, "report.policy-type.unknown"),
        (None, PolicyType.OTHER, "report.policy-type.unknown"),
    ],
)
def test_an_unknown_policy_type_is_kept_apart(sent, kind, warning):
    data = text(policies=[policy_entry(sent)])

    [policy] = read(data).policies
    assert (policy.policy_type, policy.policy_type_raw) == (kind, sent or "")
    assert warnings(data) == [warning]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Acme.Example.", "acme.example"), ("bücher.example", "xn--bcher-kva.example")],
)
def test_policy_domains_are_a_labels_in_lower_case(sent, kept):
    assert read(text(policies=[policy_entry(domain=sent)])).policies[0].policy_domain == kept


def test_a_missing_policy_domain_is_taken_from_the_envelope():
    data = text(policies=[policy_entry("no-policy-found", None)])
    hints = Hints(policy_domains=("recipient.example",))

    assert read(data).policies[0].policy_domain == ""
    assert read(data, hints).policies[0].policy_domain == "recipient.example"
    assert warnings(data, hints) == ["report.policy-domain.missing"]


def test_the_body_is_right_where_the_envelope_differs():
    hints = Hints(policy_domains=("other.example",))

    assert read(text(), hints).policies[0].policy_domain == "recipient.example"
    assert warnings(text(), hints) == ["report.metadata.differs"]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"contact_info": None}, "report.contact.missing"),
        ({"report_id": None}, "report.id.missing"),
        ({"organization_name": None}, "report.organization.missing"),
        ({"report_id": 17}, "report.text.wrong-type"),
        ({"contact_info": ["a@sender.example"]}, "report.text.wrong-type"),
        ({"organization_name": "x" * 501}, "report.text.too-long"),
        ({"organization_name": "a\0b"}, "report.text.unstorable"),
        ({"policies": []}, "report.policies.empty"),
        ({"policies": policy_entry()}, "report.policies.not-an-array"),
        (
            {"policies": [{"policy": {"policy-type": "sts", "policy-domain": "a.example"}}]},
            "report.summary.missing",
        ),
        ({"policies": [None, policy_entry()]}, "report.policy.dropped"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_deviations_are_read_around(change, warning):
    assert warnings(text(**change)) == [warning]
    read(text(**change))


def test_what_is_missing_gets_a_name_from_elsewhere():
    assert read(text(organization_name=None)).organization_name == "sender.example"
    assert read(text(report_id=17)).report_id == "17"
    assert len(read(text(report_id=None)).report_id) == 64
    assert read(text(contact_info="mailto:a@b.example")).contact_info == "a@b.example"


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        pytest.param(b"\xef\xbb\xbf" + text(), "report.json.byte-order-mark", id="bom"),
        pytest.param(text() + b"\n-- \nsent by", "report.json.trailing-text", id="trailing"),
        pytest.param(b"EXTERNAL MAIL\r\n" + text(), "report.json.leading-text", id="banner"),
        pytest.param(
            b'{"report-id": "x", ' + text()[1:], "report.json.duplicate-member", id="twice"
        ),
        pytest.param(b"[" + text() + b"]", "report.shape.wrapped", id="array of one"),
        pytest.param(text().decode().encode("utf-16"), "report.json.encoding", id="utf-16"),
        pytest.param(
            text(organization_name="B\u00fcro")
            .decode()
            .replace("\\u00fc", "\u00fc")
            .encode("latin-1"),
            "report.json.encoding",
            id="latin-1",
        ),
        pytest.param(
            text().replace(b"Example Sender", b"Example\tSender"),
            "report.json.control-character",
            id="tab",
        ),
        pytest.param(text(organization_name="a\ud800b"), "report.text.unstorable", id="surrogate"),
    ],
)
def test_json_that_is_not_i_json_is_read_with_a_warning(data, warning):
    assert warnings(data) == [warning]
    assert read(data).policies[0].successes == 40


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "report.json.invalid"),
        (text()[:200], "report.json.invalid"),
        (b"[1, 2]", "report.shape.not-an-object"),
        (b"[" * 100_000, "report.json.too-deep"),
        (b"[" + b"[]," * 600_000 + b"[]]", "report.json.too-large"),
        (text(policies=None), "report.policies.missing"),
        (b'{"policies": null}', "report.policies.missing"),
        (b"{}", "report.policies.missing"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_report_is_rejected_with_a_code(data, code):
    parsed = parse_report(data)

    assert parsed.value is None
    assert parsed.findings[-1].code == code
    assert parsed.findings[-1].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b'{"a": "b', "No valid JSON: Unterminated string starting at character 6"),
        (b'{"a": b}', "No valid JSON: Expecting value at character 6"),
    ],
)
def test_a_fault_in_json_is_told_with_its_place(data, title):
    [finding] = parse_report(data).findings

    assert describe(finding).title == title


def test_ceilings_on_entries_reject_the_report():
    many = text(policies=[policy_entry()] * 3)

    assert (
        parse_report(many, limits=Limits(policies=2)).findings[-1].code
        == "report.policies.too-many"
    )
    assert (
        parse_report(many, limits=Limits(failure_details=2)).findings[-1].code
        == "report.details.too-many"
    )


def test_a_deviation_met_often_is_one_finding_with_a_count():
    parsed = parse_report(text(policies=[policy_entry("x")] * 50))

    [finding] = parsed.findings
    assert (finding.code, finding.params["count"]) == ("report.policy-type.unknown", 50)


def test_two_sites_with_the_same_report_id_are_two_identities():
    one = read(text(contact_info="tls@one.example"))
    two = read(text(contact_info="tls@two.example"))
    unknown = read(text(contact_info=None))

    assert one.identity != two.identity
    assert unknown.identity == ()


@pytest.mark.parametrize(
    ("entries", "counted"),
    [
        ([("sts", 40, 2), ("tlsa", 40, 2)], {"sts"}),
        ([("sts", 40, 2), ("tlsa", 38, 4)], {"tlsa"}),
        ([("sts", 10, 0), ("tlsa", 5, 5), ("tlsa", 5, 0)], {"tlsa"}),
        ([("no-policy-found", 5, 0)], set()),
        ([("sts", 1, 0), ("new", 3, 0)], {"other"}),
    ],
)
def test_sts_and_tlsa_are_never_added_up(entries, counted):
    policies = [policy_entry(kind, good=good, bad=bad, details=None) for kind, good, bad in entries]

    assert counted_types(read(text(policies=policies)).policies) == counted | {"no-policy-found"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["policy", "summary", "failure-details", "x"]) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
members = st.sampled_from(
    ["organization-name", "date-range", "contact-info", "report-id", "policies"]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(members, json_values), json_values, st.binary(max_size=200))
def test_the_reader_never_raises(changes, entry, noise):
    body = {**report(), **changes}
    sources = [
        json.dumps(body),
        json.dumps(
            report(policies=[entry, {"policy": entry, "summary": {}, "failure-details": entry}])
        ),
    ]

    for source in sources:
        parsed = parse_report(source.encode("utf-8", "surrogatepass"))
        assert parsed.value is not None or parsed.findings
    assert parse_report(noise).value is None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_cut_or_bent_report_never_raises(data):
    raw = bytearray(text())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] = data.draw(st.integers(0, 255))

    parsed = parse_report(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    assert parsed.value is not None or parsed.findings[-1].severity is Severity.ERROR
