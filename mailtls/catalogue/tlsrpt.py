"""Words about the TLSRPT record."""

from mailtls.catalogue.entry import Entry

_IGNORED = "Senders take it that the domain asks for no reports; nobody tells you about failures."
_SECTION = "RFC 8460 3"

ENTRIES = {
    "tlsrpt.record.missing": Entry(
        "No TLSRPT record",
        "No sender reports to you when its TLS connections to your mail servers fail.",
        'Publish a TXT record at _smtp._tls: "v=TLSRPTv1; rua=mailto:tls-reports@…".',
        _SECTION,
    ),
    "tlsrpt.record.multiple": Entry(
        "{count} TLSRPT records instead of one",
        "With more than one record, equal ones included, senders treat the domain as having none.",
        "Keep one record and name all destinations in it: rua=mailto:a@…,https://….",
        _SECTION,
    ),
    "tlsrpt.record.wrong-name": Entry(
        "A TLSRPT record stands at a name where no sender looks: {found}",
        "Senders look at _smtp._tls under the mail domain itself and nowhere else.",
        "Move the record to _smtp._tls below the domain.",
        _SECTION,
    ),
    "tlsrpt.record.rival": Entry(
        "Beside the record stands a second one for some readers: {found}",
        "A blank before its first semicolon makes most senders drop it; those that allow the "
        "blank see two records and ignore both.",
        "Remove the other text.",
        _SECTION,
    ),
    "tlsrpt.record.near-miss-beside": Entry(
        "Beside the record stands a text that nearly is one: {found}",
        "Senders drop texts that are no TLSRPT record. It does no harm.",
        "Remove the other text.",
        _SECTION,
    ),
    "tlsrpt.record.unrelated": Entry(
        "Another TXT record at the same name: {found}",
        "Senders drop texts that are no TLSRPT record. It does no harm.",
        "Remove it if nothing needs it there.",
        _SECTION,
    ),
    "tlsrpt.record.wildcard-spf": Entry(
        "An SPF record answers at _smtp._tls",
        "A wildcard TXT record answers for every name of the zone. It is no TLSRPT record.",
        "Replace the wildcard by records at the names that need them.",
        _SECTION,
    ),
    "tlsrpt.record.other-protocol": Entry(
        "The record of another protocol stands at _smtp._tls: {found}",
        "Senders look here for v=TLSRPTv1 only.",
        "Move it to its own name and publish a TLSRPT record here.",
        _SECTION,
    ),
    "tlsrpt.record.quoted": Entry(
        "The record holds quotation marks as part of its text",
        "The text must begin with v=TLSRPTv1 and begins with a quotation mark. " + _IGNORED,
        "Enter the value without quotation marks; the DNS editor adds those it needs.",
        _SECTION,
    ),
    "tlsrpt.record.escaped": Entry(
        "The record holds backslashes as part of its text",
        "Tools print ; as \\; in zone files, but the data itself has none. " + _IGNORED,
        "Enter the value with plain semicolons.",
        _SECTION,
    ),
    "tlsrpt.record.trailing-space": Entry(
        "The record ends with a blank",
        "The grammar allows a blank at the end only before a semicolon; a strict sender may "
        "refuse the record.",
        "Remove the blank at the end.",
        _SECTION,
    ),
    "tlsrpt.record.long": Entry(
        "The record is long: {length} characters",
        "Answers beyond about 1232 octets need a second lookup over TCP.",
        "Name fewer destinations, or shorter ones.",
        "RFC 9715 3",
    ),
    "tlsrpt.version.missing": Entry(
        "No TLSRPT record: {found}",
        "The text does not begin with v=TLSRPTv1. " + _IGNORED,
        'Begin the record with "v=TLSRPTv1;".',
        _SECTION,
    ),
    "tlsrpt.version.leading-space": Entry(
        "Something invisible stands before v=TLSRPTv1",
        "The record must begin with v=TLSRPTv1 at its first character. " + _IGNORED,
        "Remove blanks and invisible characters at the beginning; typing it anew helps.",
        _SECTION,
    ),
    "tlsrpt.version.case": Entry(
        "v=TLSRPTv1 is written with the wrong case: {found}",
        "The version is compared letter by letter, upper and lower case included. " + _IGNORED,
        "Write exactly v=TLSRPTv1.",
        _SECTION,
    ),
    "tlsrpt.version.spaced-equals": Entry(
        "Blanks around the = of v=TLSRPTv1",
        "No blank may stand there. " + _IGNORED,
        "Write v=TLSRPTv1 without blanks.",
        _SECTION,
    ),
    "tlsrpt.version.not-first": Entry(
        "v=TLSRPTv1 is not at the beginning: {found}",
        "The version must come first. " + _IGNORED,
        "Move v=TLSRPTv1; to the front.",
        _SECTION,
    ),
    "tlsrpt.version.other": Entry(
        "Another version of TLS-RPT: {found}",
        "Only version 1 exists. " + _IGNORED,
        "Write v=TLSRPTv1.",
        _SECTION,
    ),
    "tlsrpt.version.misspelt": Entry(
        "v=TLSRPTv1 is misspelt: {found}",
        "A misspelt version makes it a text like any other. " + _IGNORED,
        "Write exactly v=TLSRPTv1. The order of the letters is T L S R P T.",
        _SECTION,
    ),
    "tlsrpt.version.missing-semicolon": Entry(
        "No semicolon after v=TLSRPTv1",
        "Fields are separated by semicolons. " + _IGNORED,
        "Write v=TLSRPTv1; rua=….",
        _SECTION,
    ),
    "tlsrpt.version.space-before-semicolon": Entry(
        "A blank stands between v=TLSRPTv1 and the semicolon",
        "The grammar allows it, but the rule for choosing the record looks for v=TLSRPTv1; "
        "letter by letter, so some senders find no record.",
        "Remove the blank.",
        _SECTION,
    ),
    "tlsrpt.field.empty": Entry(
        "Two semicolons with nothing between them",
        "One semicolon at the end is allowed, an empty field is not. " + _IGNORED,
        "Remove the superfluous semicolon.",
        _SECTION,
    ),
    "tlsrpt.field.no-equals": Entry(
        "A field without value: {found}",
        "Each field has the form name=value. " + _IGNORED,
        "Complete or remove the field. Several destinations are separated by commas.",
        _SECTION,
    ),
    "tlsrpt.field.bad-name": Entry(
        "A field with an impossible name: {found}",
        "Names have 1 to 32 letters, digits, _, - or ., and begin with a letter or digit. "
        + _IGNORED,
        "Correct or remove the field.",
        _SECTION,
    ),
    "tlsrpt.field.empty-value": Entry(
        "A field with an empty value: {found}",
        "A value has at least one character. " + _IGNORED,
        "Give the value or remove the field.",
        _SECTION,
    ),
    "tlsrpt.field.bad-value": Entry(
        "A field with forbidden characters in its value: {found}",
        "Values may not hold blanks, = or control characters. " + _IGNORED,
        "Correct or remove the field.",
        _SECTION,
    ),
    "tlsrpt.field.spaced-equals": Entry(
        "Blanks around an equals sign: {found}",
        "Name and value touch the = directly. " + _IGNORED,
        "Remove the blanks around =.",
        _SECTION,
    ),
    "tlsrpt.field.non-ascii": Entry(
        "A field with characters outside ASCII: {found}",
        "The record is plain ASCII; typographic quotes and dashes come from word processors. "
        + _IGNORED,
        "Type the field anew in plain characters.",
        _SECTION,
    ),
    "tlsrpt.rua.missing": Entry(
        "No destination: rua is missing",
        "A record must say where reports go. " + _IGNORED,
        "Add rua=mailto:tls-reports@….",
        _SECTION,
    ),
    "tlsrpt.rua.case": Entry(
        "{found}= instead of rua=",
        "Field names are compared with upper and lower case, so this is an unknown field and rua "
        "is missing. " + _IGNORED,
        "Write rua= in lower case.",
        _SECTION,
    ),
    "tlsrpt.rua.misspelt": Entry(
        "{found} instead of rua=",
        "Senders ignore unknown fields, so there is no destination. " + _IGNORED,
        "Write rua=.",
        _SECTION,
    ),
    "tlsrpt.rua.repeated": Entry(
        "rua stands {count} times",
        "The standard does not say which one counts: some senders use all, some one, some none.",
        "Use one rua with all destinations, separated by commas.",
        _SECTION,
    ),
    "tlsrpt.rua.several": Entry(
        "{count} destinations",
        "A sender may deliver to one of them only; some use just the first.",
        "Put the destination that matters most first.",
        _SECTION,
    ),
    "tlsrpt.rua.duplicate": Entry(
        "The same destination stands twice",
        "Reports may arrive twice.",
        "Name each destination once.",
        _SECTION,
    ),
    "tlsrpt.rua.empty-item": Entry(
        "An empty place in the list of destinations",
        "Between two commas stands nothing, or the list ends with a comma. " + _IGNORED,
        "Remove the superfluous comma.",
        _SECTION,
    ),
    "tlsrpt.rua.no-scheme": Entry(
        "A destination without mailto: or https: {found}",
        "A destination is a URI; a bare mail address is none. " + _IGNORED,
        "Write mailto: before the address.",
        _SECTION,
    ),
    "tlsrpt.rua.scheme": Entry(
        "A destination that no sender can use: {found}",
        "Only mailto: and https: are defined. Plain http: is not.",
        "Use mailto: or https:.",
        _SECTION,
    ),
    "tlsrpt.rua.bang": Entry(
        "An exclamation mark in a destination: {found}",
        "The size limits of DMARC (!10m) do not exist here, and ! must be written %21. " + _IGNORED,
        "Remove the part from ! on.",
        _SECTION,
    ),
    "tlsrpt.rua.space-separated": Entry(
        "A blank inside a destination: {found}",
        "A URI has no blanks, and destinations are separated by commas. " + _IGNORED,
        "Put a comma between destinations.",
        _SECTION,
    ),
    "tlsrpt.rua.semicolon-separated": Entry(
        "Destinations are separated by a semicolon: {found}",
        "A semicolon ends the field, so what follows is no field. " + _IGNORED,
        "Put a comma between destinations.",
        _SECTION,
    ),
    "tlsrpt.rua.non-ascii": Entry(
        "A destination with characters outside ASCII: {found}",
        "A URI is ASCII; internationalised domains are written as A-labels (xn--…). " + _IGNORED,
        "Write the domain in its A-label form.",
        "RFC 3986 2",
    ),
    "tlsrpt.rua.bad-uri": Entry(
        "A destination with characters no URI may hold: {found}",
        "Angle brackets, quotes, backslashes and a lone % are not allowed. " + _IGNORED,
        "Write the plain address, special characters percent-encoded.",
        "RFC 3986 2",
    ),
    "tlsrpt.rua.bad-address": Entry(
        "A destination that is no mail address: {found}",
        "Reports to it cannot be delivered.",
        "Write mailto: and a full address.",
        "RFC 6068 2",
    ),
    "tlsrpt.rua.mailto-slashes": Entry(
        "mailto:// instead of mailto: in {found}",
        "The slashes become part of the address, which then does not exist.",
        "Remove the two slashes.",
        "RFC 6068 2",
    ),
    "tlsrpt.rua.bad-url": Entry(
        "A destination that is no web address: {found}",
        "Reports to it cannot be delivered.",
        "Write https:// with a host name, and a port of at most 65535 where one is needed.",
        "RFC 3986 3.2.2",
    ),
    "tlsrpt.rua.external": Entry(
        "Reports go to another party: {party}",
        "That party learns who sends mail to you. Unlike DMARC, no record is needed on its side.",
        "Make sure that this destination is intended.",
        "RFC 8460 7",
    ),
    "tlsrpt.rua.ours-missing": Entry(
        "Reports do not come to this portal",
        "None of the destinations is one of this portal's, so its figures for the domain stay "
        "empty.",
        "Add {wanted}, best as the first destination.",
        _SECTION,
    ),
    "tlsrpt.rua.ours-not-first": Entry(
        "This portal is not the first destination",
        "Some senders, Microsoft among them, deliver to the first destination only: {first}.",
        "Put {wanted} first.",
        _SECTION,
    ),
    "tlsrpt.rua.near-ours": Entry(
        "A destination looks like this portal's and is not: {found}",
        "The domain fits, the rest does not, so the reports do not arrive.",
        "Write {wanted}.",
        _SECTION,
    ),
    "tlsrpt.cname.followed": Entry(
        "The record stands elsewhere, by CNAME: {target}",
        "Senders follow the alias; whoever holds the target decides where reports go.",
        "Nothing to do if that is intended.",
        "RFC 1034 3.6.2",
    ),
    "tlsrpt.cname.dangling": Entry(
        "The CNAME leads to a name that does not exist: {target}",
        "Senders find no record. Whoever registers the target could receive your reports.",
        "Correct the alias or remove it.",
        "RFC 1034 3.6.2",
    ),
    "tlsrpt.ttl.short": Entry(
        "The record's life time is short: {ttl_s} s",
        "A long TTL makes it harder for an attacker to suppress the record.",
        "Use an hour or more.",
        "RFC 8460 7",
    ),
}
