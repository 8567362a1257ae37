import pytest

from domains.record_diff import Fate, compare_versions, split_lines


def rows(kind, before, after):
    return [(row.before, row.after, row.fate) for row in compare_versions(kind, before, after)]


def test_a_record_is_compared_by_its_fields_and_addresses():
    before = "v=TLSRPTv1; rua=mailto:a@corp.example,https://x.example/r"
    after = "v=TLSRPTv1; rua=mailto:b@corp.example,https://x.example/r,https://y.example/r"

    assert rows("tlsrpt", before, after) == [
        ("v=TLSRPTv1;", "v=TLSRPTv1;", Fate.SAME),
        ("rua=mailto:a@corp.example", "rua=mailto:b@corp.example", Fate.CHANGED),
        (",https://x.example/r", ",https://x.example/r", Fate.SAME),
        ("", ",https://y.example/r", Fate.ADDED),
    ]


def test_a_policy_is_compared_by_its_lines_whatever_their_ends():
    before = "version: STSv1\r\nmode: testing\r\nmx: a.example\r\n"
    after = "version: STSv1\nmode: enforce\nmx: a.example\nmx: b.example\n"

    assert rows("policy", before, after) == [
        ("version: STSv1", "version: STSv1", Fate.SAME),
        ("mode: testing", "mode: enforce", Fate.CHANGED),
        ("mx: a.example", "mx: a.example", Fate.SAME),
        ("", "mx: b.example", Fate.ADDED),
    ]


def test_what_is_no_longer_published_is_removed():
    assert rows("mx", "10 mx.example", "") == [("10 mx.example", "", Fate.REMOVED)]


@pytest.mark.parametrize("kind", ["tlsrpt", "mta-sts", "policy", "mx"])
def test_nothing_published_has_no_lines(kind):
    assert split_lines(kind, "") == []
    assert compare_versions(kind, "", "") == []
