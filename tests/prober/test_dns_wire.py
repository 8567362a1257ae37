"""Questions and answers on the wire, against dnspython's own reading."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.dns_wire import BadAnswerError, pack_query, pack_question, unpack_answer

QUESTION = pack_question("_smtp._tls.example.com", dns.rdatatype.TXT)
LABEL = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def answer(*records: str, query_id: int = 7) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(pack_query(query_id, QUESTION)))
    for record in records:
        response.answer.append(
            dns.rrset.from_text("_smtp._tls.example.com.", 300, "IN", "TXT", record)
        )
    return response.to_wire()


@given(st.lists(LABEL, min_size=1, max_size=8))
def test_a_query_reads_as_what_was_asked(labels: list[str]):
    name = ".".join(labels)

    query = dns.message.from_wire(pack_query(513, pack_question(name, dns.rdatatype.MX)))

    assert query.id == 513
    assert query.question[0].name == dns.name.from_text(name)
    assert query.question[0].rdtype == dns.rdatatype.MX
    assert query.ednsflags & 0x8000, "DO asks for DNSSEC"


@pytest.mark.parametrize("name", [".", "a.example.", r"a\.b.example", r"a\032b.example"])
def test_unusual_names_can_be_asked_for(name: str):
    query = dns.message.from_wire(pack_query(1, pack_question(name, dns.rdatatype.A)))

    assert query.question[0].name == dns.name.from_text(name)


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 64 + ".example", "a." * 130 + "b", ""])
def test_impossible_names_are_refused(name: str):
    with pytest.raises(ValueError, match="Not a name for DNS"):
        pack_question(name, dns.rdatatype.A)


def test_an_answer_is_read():
    message = unpack_answer(answer('"a" "b"'), 7, QUESTION)

    assert message.answers[0].owner == "_smtp._tls.example.com"
    assert message.answers[0].rdata.strings == (b"a", b"b")
    assert message.answers[0].ttl_s == 300


@given(st.binary(max_size=200))
def test_noise_is_a_bad_answer_and_no_other_exception(noise: bytes):
    try:
        unpack_answer(noise, 7, QUESTION)
    except BadAnswerError:
        return


@given(st.integers(0, 120), st.integers(0, 255), st.integers(12, 80))
def test_damage_is_a_bad_answer_and_no_other_exception(place: int, byte: int, cut: int):
    wire = bytearray(answer('"v=TLSRPTv1; rua=mailto:a@example.com"'))
    wire[place % len(wire)] = byte

    for data in (bytes(wire), bytes(wire[:cut])):
        try:
            unpack_answer(data, 7, QUESTION)
        except BadAnswerError:
            continue


def test_a_pointer_that_points_at_itself_ends():
    wire = pack_query(7, QUESTION)[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + QUESTION
    place = len(wire)
    loop = bytes([0xC0 | place >> 8, place & 0xFF]) + b"\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"

    with pytest.raises(BadAnswerError):
        unpack_answer(wire + loop, 7, QUESTION)
