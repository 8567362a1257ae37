"""From received bytes to documents: by content, with a ceiling on every level."""

from __future__ import annotations

import base64
import gzip
import io
import time
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtls.findings import Severity
from mailtls.limits import Limits
from mailtls.unpack import Document, DocumentKind, unpack
from tests.mailtls.samples import FILE_NAME, mail, text, zipped

REPORT = text()
DMARC = b'<?xml version="1.0"?>\n<feedback><report_metadata/></feedback>'


def make_zip(**members: bytes) -> bytes:
    """Give a zip with these members ("a_json" is named "a.json")."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return target.getvalue()


def only(data: bytes, name: str = "", limits: Limits | None = None) -> Document:
    """Give the one document of these bytes."""
    [document] = unpack(data, name=name, limits=limits or Limits())
    return document


def warnings(document: Document) -> list[str]:
    return [finding.code for finding in document.findings if finding.severity is Severity.WARNING]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(REPORT, [], id="json"),
        pytest.param(b"\r\n  " + REPORT, [], id="json after blanks"),
        pytest.param(zipped(REPORT), [], id="gzip"),
        pytest.param(
            zipped(REPORT[:99]) + zipped(REPORT[99:]), ["unpack.gzip.several-members"], id="members"
        ),
        pytest.param(zipped(REPORT) + b"\r\n", ["unpack.gzip.trailing-bytes"], id="gzip and CRLF"),
        pytest.param(zipped(REPORT) + b"junk", ["unpack.gzip.trailing-bytes"], id="gzip and junk"),
        pytest.param(
            zipped(REPORT) + b"\x1f\x8bjunk", ["unpack.gzip.trailing-bytes"], id="magic junk"
        ),
        pytest.param(zipped(zipped(REPORT)), ["unpack.nested"], id="gzip in gzip"),
        pytest.param(make_zip(a_json=REPORT), ["unpack.zip.used"], id="zip"),
        pytest.param(
            make_zip(read_me=b"hello", a_gz=zipped(REPORT)),
            ["unpack.zip.used", "unpack.nested"],
            id="gzip in zip",
        ),
    ],
)
def test_a_report_is_found_by_content(data, expected):
    document = only(data)

    assert document.kind is DocumentKind.JSON
    assert document.content.strip() == REPORT
    assert warnings(document) == expected


def test_a_file_name_that_lies_is_only_a_warning():
    document = only(REPORT, name="in/" + FILE_NAME)

    assert document.content == REPORT
    assert warnings(document) == ["unpack.label-differs"]
    assert document.hints.policy_domain == "recipient.example"
    assert document.hints.submitter == "sender.example"


def test_every_member_of_a_zip_is_a_document():
    documents = list(unpack(make_zip(a_json=REPORT, b_json=text(report_id="2"))))

    assert [document.kind for document in documents] == [DocumentKind.JSON] * 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "unpack.empty", id="nothing"),
        pytest.param(b" \r\n", "unpack.empty", id="blanks"),
        pytest.param(b"hello world", "unpack.unrecognised", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "unpack.unrecognised", id="picture"),
        pytest.param(zipped(REPORT)[:-20], "unpack.gzip.truncated", id="gzip cut"),
        pytest.param(b"\x1f\x8b", "unpack.gzip.truncated", id="gzip magic only"),
        pytest.param(b"\x1f\x8b\x08\0" + b"\xff" * 40, "unpack.gzip.corrupt", id="gzip corrupt"),
        pytest.param(b"\x1f\x8bjunk and junk", "unpack.gzip.corrupt", id="gzip method"),
        pytest.param(make_zip(a_json=REPORT)[:-30], "unpack.zip.corrupt", id="zip cut"),
        pytest.param(b"PK\x03\x04" + b"\xff" * 60, "unpack.zip.corrupt", id="zip corrupt"),
        pytest.param(make_zip(), "unpack.zip.without-report", id="zip empty"),
        pytest.param(zipped(zipped(zipped(REPORT))), "unpack.too-deep", id="three layers"),
    ],
)
def test_what_cannot_be_read_says_why(data, code):
    document = only(data)

    assert document.kind is DocumentKind.UNREADABLE
    assert document.reason is not None
    assert document.reason.code == code


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(DMARC, "dmarc-report", id="xml"),
        pytest.param(zipped(DMARC), "dmarc-report", id="gzip"),
        pytest.param(make_zip(a_xml=DMARC), "dmarc-report", id="zip"),
        pytest.param(b"<html><p>offer</p></html>", "xml", id="html"),
        pytest.param(
            mail(
                zipped(DMARC),
                media_type="application/gzip",
                file_name="a!b!1!2.xml.gz",
                headers="Subject: Report domain\r\n",
            ),
            "dmarc-report",
            id="dmarc mail",
        ),
        pytest.param(
            mail(
                b"GIF89a",
                media_type="image/gif",
                file_name="a.gif",
                headers="Subject: Offer\r\n",
                container="multipart/mixed",
            ),
            "mail-without-report",
            id="spam",
        ),
        pytest.param(
            mail(
                make_zip(a_exe=b"MZ"),
                media_type="application/zip",
                file_name="a.zip",
                headers="Subject: Invoice\r\n",
                container="multipart/mixed",
            ),
            "mail-without-report",
            id="spam with a zip",
        ),
        pytest.param(
            mail(zipped(REPORT), container="multipart/report; report-type=delivery-status"),
            "bounce",
            id="bounce",
        ),
        pytest.param(
            b"From: a@b.example\r\nSubject: hi\r\n\r\nhello\r\n", "mail-without-report", id="letter"
        ),
    ],
)
def test_other_mail_and_reports_are_named_and_put_aside(data, what):
    document = only(data)

    assert document.kind is DocumentKind.OTHER
    assert document.reason is not None
    assert document.reason.params == {"what": what}


def test_bombs_stop_at_the_ceiling():
    limits = Limits(inflated_bytes=100_000, total_inflated_bytes=150_000)
    bomb = zipped(b"0" * 50_000_000)
    wide = make_zip(**{f"a{n}_json": b'{"policies": 0}' + b" " * 90_000 for n in range(5)})
    many = make_zip(**{f"a{n}_txt": b"" for n in range(101)})

    assert only(bomb, limits=limits).reason.code == "unpack.too-large"
    assert only(zipped(bomb), limits=limits).reason.code == "unpack.too-large"
    assert (
        only(make_zip(a_json=b"{" + b"0" * 200_000), limits=limits).reason.code
        == "unpack.too-large"
    )
    assert only(many).reason.code == "unpack.too-many-members"
    assert only(zipped(b"") * 101).reason.code == "unpack.too-many-members"
    assert sum(len(document.content) for document in unpack(wide, limits=limits)) <= 150_000


def test_an_encrypted_member_is_named_as_such():
    raw = bytearray(make_zip(a_json=REPORT))
    central = raw.index(b"PK\x01\x02")
    raw[central + 8] |= 1

    assert only(bytes(raw)).reason.code == "unpack.zip.encrypted"


def test_a_conforming_mail_gives_its_report_without_a_warning():
    document = only(mail(zipped(REPORT)))

    assert document.content == REPORT
    assert document.findings == ()
    assert document.hints.policy_domains == ("recipient.example",)
    assert document.hints.submitters == ("sender.example",)
    assert document.hints.recipients == ("portal.example",)
    assert document.hints.is_mail


PLAIN_SUBJECT = "Subject: report\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(mail(REPORT), ["unpack.label-differs"], id="declared gzip, is json"),
        pytest.param(
            mail(zipped(REPORT), media_type="application/tlsrpt+json"),
            ["unpack.label-differs"],
            id="declared json, is gzip",
        ),
        pytest.param(
            mail(zipped(REPORT), media_type="application/octet-stream"),
            ["mail.media-type"],
            id="octet-stream",
        ),
        pytest.param(
            mail(zipped(REPORT), media_type="application/tlsrpt+x-gzip"),
            ["mail.media-type"],
            id="x-gzip",
        ),
        pytest.param(
            mail(make_zip(a_json=REPORT), media_type="application/zip", file_name="a.zip"),
            ["mail.media-type", "unpack.zip.used"],
            id="zip",
        ),
        pytest.param(
            mail(REPORT, media_type="application/tlsrpt", file_name="a.json"),
            ["mail.media-type"],
            id="no suffix",
        ),
        pytest.param(
            mail(zipped(REPORT), container="multipart/mixed"),
            ["mail.not-multipart-report"],
            id="mixed",
        ),
        pytest.param(
            mail(zipped(REPORT), headers=PLAIN_SUBJECT), ["mail.headers-missing"], id="no headers"
        ),
        pytest.param(
            mail(zipped(REPORT)).replace(b"base64\r\n", b"7bit\r\n"),
            ["mail.encoding-differs"],
            id="encoding lost",
        ),
        pytest.param(
            b"From mailer Thu Jan  1 00:00:00 1970\n" + mail(zipped(REPORT)), [], id="mbox line"
        ),
        pytest.param(mail(zipped(REPORT)).replace(b"\r\n", b"\n"), [], id="bare LF"),
        pytest.param(
            mail(zipped(REPORT)).replace(
                b"Content-Type: application/tlsrpt+gzip", b"ContentType: application/tlsrpt+gzip"
            ),
            [],
            id="ContentType",
        ),
        pytest.param(mail(zipped(REPORT)).rpartition(b"--b1--")[0], [], id="last boundary cut"),
    ],
)
def test_a_report_is_found_in_every_shape_of_mail(data, expected):
    document = only(data)

    assert document.content == REPORT
    assert warnings(document) == expected


def test_a_bare_part_is_enough():
    head = b"From: a@sender.example\r\nSubject: x\r\nContent-Type: application/tlsrpt+json\r\n\r\n"

    document = only(head + REPORT)
    assert document.content == REPORT
    assert document.hints.submitter == "sender.example"


def test_a_report_pasted_into_the_text_is_found():
    head = b"From: a@sender.example\r\nSubject: x\r\n\r\nEXTERNAL MAIL\r\n"

    assert only(head + REPORT).content.endswith(REPORT)


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_a_forwarded_report_is_found_with_its_own_hints(encoding):
    inner = mail(zipped(REPORT))
    body = base64.encodebytes(inner) if encoding == "base64" else inner
    outer = (
        b"From: gate@gateway.example\r\nSubject: Fwd\r\n"
        b'Content-Type: multipart/mixed; boundary="out"\r\n\r\n--out\r\n'
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\n\r\n"
        + body
        + b"\r\n--out--\r\n"
    )

    document = only(outer)
    assert document.content == REPORT
    assert "mail.forwarded" in warnings(document)
    assert document.hints.submitters == ("sender.example", "gateway.example")


def test_several_reports_in_one_mail_are_several_documents():
    one = mail(zipped(REPORT))
    part = one.split(b"--b1\r\n")[2].removesuffix(b"--b1--\r\n")
    two = one.replace(b"--b1--", b"--b1\r\n" + part + b"\r\n--b1--")

    assert len(list(unpack(two))) == 2


@pytest.mark.parametrize("tail", ["", "!001", "!a.b"])
@pytest.mark.parametrize("ending", [".json", ".json.gz", ""])
def test_a_file_name_with_or_without_a_unique_id_gives_hints(tail: str, ending: str):
    name = f"in/reporter.example!Example.com!1790000000!1790086399{tail}{ending}"

    hints = next(unpack(REPORT, name=name)).hints

    assert hints.policy_domains == ("example.com",)
    assert hints.submitters == ("reporter.example",)


def test_a_split_file_name_and_a_folded_subject_are_read():
    headers = (
        "Subject: Report\r\n Domain: folded.example\r\n Submitter: =?utf-8?q?sender=2Eexample?=\r\n"
    )
    data = mail(zipped(REPORT), media_type="application/octet-stream", headers=headers)
    name = FILE_NAME.encode()
    parts = b'filename*0="%s"; filename*1="%s"' % (name[:20], name[20:])
    split = data.replace(b'filename="' + name + b'"', parts)

    document = only(split)
    assert document.hints.policy_domains == ("folded.example", "recipient.example")
    assert document.hints.submitters == ("sender.example",)


def test_a_mail_that_says_it_reports_and_holds_nothing_is_unreadable():
    data = mail(b"", media_type="text/html", file_name="a.html")

    assert only(data).reason.code == "mail.report-missing"


def test_a_damaged_attachment_is_unreadable():
    assert only(mail(zipped(REPORT)[:-30])).reason.code == "unpack.gzip.truncated"


def nested(depth: int) -> bytes:
    """Give a mail with so many multiparts inside each other."""
    data = b"From: a@b.example\r\n"
    for level in range(depth):
        data += b'Content-Type: multipart/mixed; boundary="n%d"\r\n\r\n--n%d\r\n' % (level, level)
    return data + b"\r\nend\r\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(nested(15), "mail.too-deep", id="depth"),
        pytest.param(nested(2000), "mail.too-deep", id="absurd depth"),
        pytest.param(
            b"From: a@b.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
            "mail.too-deep",
            id="messages in messages",
        ),
        pytest.param(
            b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
            + b"--x\r\n\r\ny\r\n" * 300,
            "mail.too-many-parts",
            id="parts",
        ),
        pytest.param(
            b"From: a@b.example\r\n\r\n" + b"x" * 16_000_000, "mail.too-large", id="bytes"
        ),
    ],
)
def test_hostile_mail_stops_at_a_ceiling(data, code):
    assert only(data).reason.code == code


MULTIPART = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"From: a@b.example\r\n\r\n" + b"\n" * 15_000_000, id="lines"),
        pytest.param(b"From: a\r\n" + b"A: b\r\n" * 2_000_000 + b"\r\n", id="headers"),
        pytest.param(b'From: a\r\nContent-Type: a/b; x="' + b';x="' * 2_000_000, id="parameters"),
        pytest.param(MULTIPART + b"\n--xy" * 3_000_000, id="lines like boundaries"),
        pytest.param(MULTIPART + b"--x" * 5_000_000, id="boundaries within a line"),
        pytest.param(b"From: a\r\nSubject: " + b"=?utf-8?q?a?= " * 1_000_000, id="words"),
    ],
)
def test_the_cost_of_a_mail_grows_with_its_size_whatever_is_in_it(data):
    started = time.process_time()

    assert only(data).kind is DocumentKind.OTHER
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "data",
    [
        mail(zipped(REPORT), headers="Subject: =?nope?b?/w==?= =?utf-8?q?=ff?=\r\n"),
        mail(zipped(REPORT)).replace(b"filename=", b"filename*=nope''"),
        mail(zipped(REPORT)).replace(b"filename=", b"filename*0*=utf-8''%ff; filename*2="),
        mail(zipped(REPORT)).replace(b"From: ", b"From: \xff\xfe\x00"),
        mail(zipped(REPORT)).replace(b"us-ascii", b"nope"),
    ],
    ids=range(5),
)
def test_wrong_charsets_and_broken_headers_cost_no_report(data):
    assert only(data).content == REPORT


def test_the_last_bytes_of_a_deflate_stream_cost_no_loop_without_end():
    stream = zlib.compressobj(wbits=31)
    flushed = stream.compress(REPORT) + stream.flush(zlib.Z_SYNC_FLUSH)

    assert only(flushed).reason.code == "unpack.gzip.truncated"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bent_arrivals_never_raise(data):
    source = data.draw(
        st.sampled_from([mail(zipped(REPORT)), zipped(REPORT), make_zip(a_json=REPORT), nested(3)])
    )
    raw = bytearray(source)
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))

    assert list(unpack(bytes(raw[: data.draw(st.integers(0, len(raw)))]))) != []


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"From: a\r\n", b"\x1f\x8b\x08", b"PK\x03\x04", b"{"]),
)
def test_noise_never_raises(noise, start):
    assert list(unpack(start + noise)) != []
    assert list(unpack(gzip.compress(start + noise))) != []
