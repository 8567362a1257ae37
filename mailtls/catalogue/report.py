"""Words about aggregate reports: what deviates, and why one cannot be read."""

from mailtls.catalogue.entry import Entry

_NOTHING = "Nothing; the report was read all the same."
_ASK_SENDER = "Tell the reporter; the contact address stands in the report."
_WIRE = "RFC 8460 4.4"
_I_JSON = "RFC 7493 2"

ENTRIES = {
    "report.json.invalid": Entry(
        "No valid JSON: {reason} at character {position}",
        "The text cannot be read as a report. It may have been cut off on the way.",
        _ASK_SENDER,
        "RFC 8460 4.4",
    ),
    "report.json.too-deep": Entry(
        "The JSON is nested too deep",
        "No report is nested like this; it may be an attempt to exhaust the reader.",
        "Look at the received bytes before you trust this sender.",
        "RFC 8460 7",
    ),
    "report.json.too-large": Entry(
        "The JSON has {values} values; the limit is {limit}",
        "No report needs so many; reading them would exhaust the memory.",
        "Look at the received bytes before you trust this sender.",
        "RFC 8460 7",
    ),
    "report.json.byte-order-mark": Entry(
        "The text begins with a byte order mark",
        "JSON is not to have one.",
        _NOTHING,
        "RFC 8259 8.1",
    ),
    "report.json.encoding": Entry(
        "The text is not UTF-8",
        "JSON is UTF-8. Characters that could not be read were replaced.",
        _NOTHING,
        "RFC 8259 8.1",
    ),
    "report.json.leading-text": Entry(
        "Text stands before the JSON",
        "A gateway may have put a notice there.",
        "Exempt the report address from notices in mail from outside.",
        "",
    ),
    "report.json.trailing-text": Entry(
        "Text follows the JSON",
        "The first value was read and the rest left aside.",
        _NOTHING,
        "",
    ),
    "report.json.control-character": Entry(
        "A control character stands unescaped in a text",
        "Line breaks and the like are to be escaped in JSON.",
        _NOTHING,
        "RFC 8259 7",
    ),
    "report.json.duplicate-member": Entry(
        "A member stands twice in one object",
        "I-JSON forbids it. The last one was taken.",
        _NOTHING,
        "RFC 7493 2.3",
    ),
    "report.shape.wrapped": Entry(
        "The report stands in an array of one", "It was taken out.", _NOTHING, _WIRE
    ),
    "report.shape.not-an-object": Entry(
        "The JSON is no object but: {found}",
        "A report is one JSON object.",
        _ASK_SENDER,
        _WIRE,
    ),
    "report.organization.missing": Entry(
        "The report names no organisation",
        "The domain of its contact or sender is shown instead.",
        _NOTHING,
        _WIRE,
    ),
    "report.contact.missing": Entry(
        "The report names no contact",
        "Many senders leave it out.",
        _NOTHING,
        _WIRE,
    ),
    "report.id.missing": Entry(
        "The report has no id",
        "A digest of its text is used instead.",
        _NOTHING,
        _WIRE,
    ),
    "report.date.missing": Entry(
        "The report has no date that can be read",
        "Without any date its figures belong to no day.",
        _ASK_SENDER,
        "RFC 8460 4.1",
    ),
    "report.date.unreadable": Entry(
        "A date cannot be read: {field}", "It is no RFC 3339 time.", _NOTHING, "RFC 3339 5.6"
    ),
    "report.date.start-missing": Entry(
        "The start of the range is missing",
        "The day that the range ends on was taken.",
        _NOTHING,
        _WIRE,
    ),
    "report.date.end-missing": Entry(
        "The end of the range is missing", "One day after the start was taken.", _NOTHING, _WIRE
    ),
    "report.date.without-zone": Entry(
        "A time has no zone",
        "It was taken as UTC. Microsoft sent such times until March 2024.",
        _NOTHING,
        "RFC 3339 5.6",
    ),
    "report.date.without-time": Entry(
        "A date has no time", "The whole day was taken.", _NOTHING, "RFC 3339 5.6"
    ),
    "report.date.blank-for-t": Entry(
        "A blank stands between date and time", "A T belongs there.", _NOTHING, "RFC 3339 5.6"
    ),
    "report.date.reversed": Entry(
        "The range ends before it starts",
        "The report counts on the day its range starts.",
        _ASK_SENDER,
        "RFC 8460 4.1",
    ),
    "report.date.longer-than-a-day": Entry(
        "The range is {hours} hours long",
        "Reports should cover one UTC day. All figures count on the first day.",
        _NOTHING,
        "RFC 8460 4.1",
    ),
    "report.date.in-future": Entry(
        "Held back: its range starts at {start}, which was still to come when it arrived",
        "Nobody can know what has not happened yet. Counted, it would be the newest day and hide "
        "that reports have stopped. Up to 14 hours are taken for a time zone.",
        "Ask the reporter to set its clock. It can be let count once that time has come.",
        "RFC 8460 4.1",
    ),
    "report.policies.missing": Entry(
        "The report has no policies", "Nothing is left that could be counted.", _ASK_SENDER, _WIRE
    ),
    "report.policies.empty": Entry(
        "The list of policies is empty", "The report counts nothing.", _NOTHING, _WIRE
    ),
    "report.policies.not-an-array": Entry(
        "A single policy stands where a list belongs",
        "It was read as a list of one.",
        _NOTHING,
        _WIRE,
    ),
    "report.policies.too-many": Entry(
        "The report has {policies} policies; the limit is {limit}",
        "No domain needs so many.",
        "Look at the received bytes before you trust this sender.",
        "RFC 8460 7",
    ),
    "report.policy.dropped": Entry(
        "An entry of the policies is {reason}",
        "It was left out; the others count.",
        _ASK_SENDER,
        _WIRE,
    ),
    "report.policy.missing": Entry(
        "An entry names no policy",
        "Its sessions are shown, but belong to no known type.",
        _ASK_SENDER,
        _WIRE,
    ),
    "report.policy-type.unknown": Entry(
        "Unknown policy type: {value}",
        "RFC 8460 knows sts, tlsa and no-policy-found. It is kept as it was sent.",
        _NOTHING,
        _WIRE,
    ),
    "report.policy-type.case": Entry(
        "The policy type is written {value}", "It is to be in lower case.", _NOTHING, _WIRE
    ),
    "report.policy-domain.missing": Entry(
        "A policy names no domain",
        "Postfix leaves it out where it finds no policy. Headers, file name or the report's id "
        "may tell.",
        _NOTHING,
        _WIRE,
    ),
    "report.policy-string.nested": Entry(
        "The policy stands as JSON inside a text",
        "Microsoft sends TLSA records so. They were unpacked.",
        _NOTHING,
        _WIRE,
    ),
    "report.mx-host.alias": Entry(
        "The MX patterns stand under mx-host-pattern",
        "The key is mx-host.",
        _NOTHING,
        _WIRE,
    ),
    "report.mx-host.prefix": Entry(
        'An MX pattern begins with "mx:"', "The patterns alone belong there.", _NOTHING, _WIRE
    ),
    "report.summary.missing": Entry(
        "An entry has no summary", "Its counts are unknown.", _NOTHING, _WIRE
    ),
    "report.count.missing": Entry(
        "A count is missing: {field}",
        "It is unknown. Missing failures are what the details add up to.",
        _NOTHING,
        _WIRE,
    ),
    "report.count.text": Entry(
        "A count is a text: {field}", "It was read as the number it spells.", _NOTHING, _WIRE
    ),
    "report.count.fraction": Entry(
        "A count is written as a fraction: {field}", "It is whole and was read so.", _NOTHING, _WIRE
    ),
    "report.count.invalid": Entry(
        "A count is no possible number: {field}",
        "Negative, fractional or absurdly large counts cannot be summed. The entry was left out.",
        _ASK_SENDER,
        _WIRE,
    ),
    "report.details.too-many": Entry(
        "The report has more than {limit} failure details",
        "Reading them would exhaust the memory.",
        "Look at the received bytes before you trust this sender.",
        "RFC 8460 7",
    ),
    "report.details.differ": Entry(
        "The details add up to {in_details}, the total is {total}",
        "One session can fail in several ways, and details may be left out. Both figures stand.",
        "Nothing; rates come from the totals, causes from the details.",
        "RFC 8460 4",
    ),
    "report.detail.dropped": Entry(
        "A failure detail names no result type",
        "It was left out; the others count.",
        _NOTHING,
        _WIRE,
    ),
    "report.detail.count-missing": Entry(
        "A failure detail has no count",
        "How many sessions it stands for is unknown.",
        _NOTHING,
        _WIRE,
    ),
    "report.detail.count-invalid": Entry(
        "A failure detail has an impossible count",
        "The cause is kept; how many sessions it stands for is unknown.",
        _NOTHING,
        _WIRE,
    ),
    "report.result-type.unknown": Entry(
        "Unknown result type: {value}",
        "It is not among those registered when this program was made. It is kept as it was sent.",
        'Look it up in the IANA registry "STARTTLS Validation Result Types".',
        "RFC 8460 6.6",
    ),
    "report.result-type.case": Entry(
        "The result type is written {value}", "It is to be in lower case.", _NOTHING, "RFC 8460 4.3"
    ),
    "report.address.invalid": Entry(
        "No IP address: {field}", "It is shown as it was sent.", _NOTHING, _WIRE
    ),
    "report.additional-information.alias": Entry(
        "A detail uses the key additional-info-uri",
        "The key is additional-information.",
        _NOTHING,
        _WIRE,
    ),
    "report.domain.invalid": Entry(
        "No domain name: {value}", "It matches nothing in the inventory.", _NOTHING, _WIRE
    ),
    "report.array.text": Entry(
        "A text stands where a list belongs: {field}",
        "The RFC's own example was wrong here (erratum 6241). It was read as a list.",
        _NOTHING,
        _WIRE,
    ),
    "report.array.wrong-type": Entry(
        "No list: {field}", "It was read as far as it makes sense.", _NOTHING, _WIRE
    ),
    "report.array.too-long": Entry(
        "{items} items in {field}; the first {limit} were read",
        "Nothing that counts was left out.",
        _NOTHING,
        "RFC 8460 7",
    ),
    "report.text.wrong-type": Entry(
        "No text: {field}", "It was read as far as it makes sense.", _NOTHING, _WIRE
    ),
    "report.text.too-long": Entry(
        "A text of {chars} characters was cut to {limit}: {field}",
        "The whole text stands in the document as received.",
        _NOTHING,
        "RFC 8460 7",
    ),
    "report.text.unstorable": Entry(
        "A text holds characters that no database stores: {field}",
        "NUL was removed and halves of surrogate pairs were replaced.",
        _NOTHING,
        _I_JSON + ".1",
    ),
    "report.metadata.differs": Entry(
        "Headers or file name speak of another domain: {named}",
        "The report itself is right where they differ.",
        _NOTHING,
        "RFC 8460 5.6",
    ),
    "report.conflicting": Entry(
        "Another report with the same identity and other content was there before",
        "Reporter, report-id, range and domains are the same. The first counts, this one does not.",
        "Compare both. If the later one is right, tell the reporter to use a new report-id.",
        "RFC 8460 5.5",
    ),
    "report.reading.gave-up": Entry(
        "Reading it ended without a result several times",
        "It may be what made a worker process end. It is not tried again by itself.",
        "Look at the received bytes and the worker's log, then retry.",
        "",
    ),
    "report.reading.bytes-gone": Entry(
        "The received bytes are gone",
        "Retention removed them before they were read.",
        "Raise KEEP_RAW_DAYS, and see why so much was waiting.",
        "",
    ),
    "report.reading.file-unreadable": Entry(
        "The file could not be opened",
        "The operating system refused it.",
        "Check who may read it, and run the command again.",
        "",
    ),
}
