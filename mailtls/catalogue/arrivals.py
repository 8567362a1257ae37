"""Words about what arrives: mail, archives, and files that hold no report."""

from mailtls.catalogue.entry import Entry

_NOTHING = "Nothing; the report was read all the same."
_ASK_SENDER = "Ask the reporter for a complete copy, or look at the received bytes."
_MAIL = "RFC 8460 5.3"

ENTRIES = {
    "mail.not-multipart-report": Entry(
        "The mail is no multipart/report of type tlsrpt",
        "A gateway or the sender has wrapped the report in another kind of mail.",
        _NOTHING,
        _MAIL,
    ),
    "mail.headers-missing": Entry(
        "TLS-Report-Domain or TLS-Report-Submitter is missing",
        "The headers that name the domain and the reporter are not both there.",
        _NOTHING,
        _MAIL,
    ),
    "mail.media-type": Entry(
        "The attachment's type is {found}",
        "A report should be application/tlsrpt+gzip or application/tlsrpt+json.",
        _NOTHING,
        "RFC 8460 6.4",
    ),
    "mail.encoding-differs": Entry(
        "The attachment is base64 and does not say so",
        "Its Content-Transfer-Encoding was lost on the way.",
        "Look at the gateway the mail came through.",
        "RFC 2045 6.1",
    ),
    "mail.forwarded": Entry(
        "The report was forwarded inside another mail",
        "A signature of the outer mail says nothing about the reporter.",
        "Let reports reach the portal directly where you can.",
        "RFC 8460 3",
    ),
    "mail.report-missing": Entry(
        "The mail says it carries a report and holds none",
        "A gateway may have removed the attachment.",
        "Let attachments with the extensions .json.gz and .json pass for the report address.",
        _MAIL,
    ),
    "mail.too-large": Entry(
        "The mail has {bytes:MB}; the limit is {limit:MB}",
        "Larger mail is not read. A mail may be half as large again as the report in it.",
        "Raise INTAKE_MAX_MEGABYTES if you trust the sender.",
        "RFC 8460 5.2",
    ),
    "mail.too-deep": Entry(
        "Parts of the mail are nested deeper than {limit}",
        "No report is wrapped so often.",
        _ASK_SENDER,
        "",
    ),
    "mail.too-many-parts": Entry(
        "The mail has more than {limit} parts",
        "No report has so many.",
        _ASK_SENDER,
        "",
    ),
    "report.held-back": Entry(
        "Held back: it came as {trust}, and nothing says that the reporter sent it",
        "The portal is set to count {required} alone. Anybody could have made this report up.",
        "Look at it; retry it to have it counted. REPORT_TRUST says what is held back.",
        "RFC 8460 7",
    ),
    "unpack.empty": Entry(
        "Nothing in it",
        "What arrived is empty.",
        "Ask the reporter, if it happens again.",
        "",
    ),
    "unpack.unrecognised": Entry(
        "Neither JSON nor gzip, zip or mail",
        "What arrived begins with {begins_with} (hexadecimal) and is nothing a report comes in.",
        "Look at the received bytes; if it is a report, tell the authors of this program.",
        "",
    ),
    "unpack.not-a-report": Entry(
        "No TLS report: {what}",
        "Other mail arrives at report addresses too. It was counted and put aside.",
        "If much of it is DMARC reports, give them an address of their own.",
        "",
    ),
    "unpack.label-differs": Entry(
        "Labelled {label}, is {found}",
        "Type or file name say one thing and the bytes another. The bytes are right.",
        _NOTHING,
        "",
    ),
    "unpack.nested": Entry(
        "Compressed twice",
        "A gateway has compressed the report again.",
        _NOTHING,
        "",
    ),
    "unpack.too-deep": Entry(
        "Compressed more than twice",
        "No sender does this; it may be an attempt to exhaust the reader.",
        _ASK_SENDER,
        "RFC 8460 7",
    ),
    "unpack.too-large": Entry(
        "More than {limit:MB}: too large to be read",
        "Larger reports are not read, as a small file can unpack to anything.",
        "Raise REPORT_MAX_MEGABYTES or INTAKE_MAX_MEGABYTES if you trust the sender.",
        "RFC 8460 7",
    ),
    "unpack.too-many-members": Entry(
        "More than {limit} members in one archive",
        "No sender packs so many reports together.",
        _ASK_SENDER,
        "RFC 8460 7",
    ),
    "unpack.gzip.truncated": Entry(
        "The gzip file is cut off",
        "Its end is missing, so nothing in it can be trusted to be complete.",
        _ASK_SENDER,
        "RFC 1952 2.3",
    ),
    "unpack.gzip.corrupt": Entry(
        "The gzip file is damaged: {reason}",
        "It cannot be unpacked.",
        _ASK_SENDER,
        "RFC 1952 2.3",
    ),
    "unpack.gzip.trailing-bytes": Entry(
        "{bytes} bytes follow the gzip file",
        "Some senders end the file with a line break.",
        _NOTHING,
        "RFC 1952 2.2",
    ),
    "unpack.gzip.several-members": Entry(
        "The gzip file has {members} members",
        "They were read one after the other, as the format says.",
        _NOTHING,
        "RFC 1952 2.2",
    ),
    "unpack.zip.used": Entry(
        "Packed as zip",
        "Reports are to be gzip or plain JSON.",
        _NOTHING,
        "RFC 8460 5.2",
    ),
    "unpack.zip.corrupt": Entry(
        "The zip file is damaged: {reason}",
        "It cannot be unpacked.",
        _ASK_SENDER,
        "",
    ),
    "unpack.zip.encrypted": Entry(
        "The zip file is encrypted",
        "It cannot be unpacked without a password.",
        "Look at the gateway it came through; reports are not encrypted.",
        "",
    ),
    "unpack.zip.without-report": Entry(
        "No report in the zip file",
        "None of its members is a report.",
        _ASK_SENDER,
        "",
    ),
}
