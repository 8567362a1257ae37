"""Words about the MTA-STS record."""

from mailtls.catalogue.entry import Entry

_IGNORED = "Senders take it that the domain has no policy and deliver without protection."
_SECTION = "RFC 8461 3.1"

ENTRIES = {
    "sts.record.missing": Entry(
        "No MTA-STS record",
        "An attacker on the way can strip TLS from mail to this domain unnoticed.",
        "Publish a policy file in mode testing, then the TXT record at _mta-sts.",
        _SECTION,
    ),
    "sts.record.missing-with-policy": Entry(
        "There is a policy at {host} but no record that announces it",
        "Senders look for the record first and never ask for the file without it.",
        'Publish a TXT record at _mta-sts: "v=STSv1; id=…".',
        _SECTION,
    ),
    "sts.record.multiple": Entry(
        "{count} MTA-STS records instead of one",
        "With more than one record, equal ones included, there is no policy. " + _IGNORED,
        "Keep one record.",
        _SECTION,
    ),
    "sts.record.rival": Entry(
        "Beside the record stands a second one for some readers: {found}",
        "A blank before its first semicolon makes most senders drop it; those that allow the "
        "blank see two records and ignore both.",
        "Remove the other text.",
        _SECTION,
    ),
    "sts.record.near-miss-beside": Entry(
        "Beside the record stands a text that nearly is one: {found}",
        "Senders drop texts that are no MTA-STS record. It does no harm.",
        "Remove the other text.",
        _SECTION,
    ),
    "sts.record.unrelated": Entry(
        "Another TXT record at the same name: {found}",
        "Senders drop texts that are no MTA-STS record. It does no harm.",
        "Remove it if nothing needs it there.",
        _SECTION,
    ),
    "sts.record.wildcard-spf": Entry(
        "An SPF record answers at _mta-sts",
        "A wildcard TXT record answers for every name of the zone. It is no MTA-STS record.",
        "Replace the wildcard by records at the names that need them.",
        _SECTION,
    ),
    "sts.record.quoted": Entry(
        "The record holds quotation marks as part of its text",
        "The text must begin with v=STSv1 and begins with a quotation mark. " + _IGNORED,
        "Enter the value without quotation marks; the DNS editor adds those it needs.",
        _SECTION,
    ),
    "sts.record.escaped": Entry(
        "The record holds backslashes as part of its text",
        "Tools print ; as \\; in zone files, but the data itself has none. " + _IGNORED,
        "Enter the value with plain semicolons.",
        _SECTION,
    ),
    "sts.record.trailing-space": Entry(
        "The record ends with a blank",
        "The grammar allows a blank at the end only before a semicolon. Strict senders, "
        "postfix-tlspol among them, ignore the record; others trim it.",
        "Remove the blank at the end.",
        _SECTION,
    ),
    "sts.version.missing": Entry(
        "No MTA-STS record: {found}",
        "The text does not begin with v=STSv1. " + _IGNORED,
        'Begin the record with "v=STSv1;".',
        _SECTION,
    ),
    "sts.version.leading-space": Entry(
        "Something invisible stands before v=STSv1",
        "The record must begin with v=STSv1 at its first character. " + _IGNORED,
        "Remove blanks and invisible characters at the beginning; typing it anew helps.",
        _SECTION,
    ),
    "sts.version.case": Entry(
        "v=STSv1 is written with the wrong case: {found}",
        "The version is compared letter by letter, upper and lower case included. " + _IGNORED,
        "Write exactly v=STSv1.",
        _SECTION,
    ),
    "sts.version.spaced-equals": Entry(
        "Blanks around the = of v=STSv1",
        "No blank may stand there. " + _IGNORED,
        "Write v=STSv1 without blanks.",
        _SECTION,
    ),
    "sts.version.not-first": Entry(
        "v=STSv1 is not at the beginning: {found}",
        "The version must come first. " + _IGNORED,
        "Move v=STSv1; to the front.",
        _SECTION,
    ),
    "sts.version.other": Entry(
        "Another version of MTA-STS: {found}",
        "Only version 1 exists. " + _IGNORED,
        "Write v=STSv1.",
        _SECTION,
    ),
    "sts.version.misspelt": Entry(
        "v=STSv1 is misspelt: {found}",
        "A misspelt version makes it a text like any other. " + _IGNORED,
        "Write exactly v=STSv1.",
        _SECTION,
    ),
    "sts.version.missing-semicolon": Entry(
        "No semicolon after v=STSv1",
        "Fields are separated by semicolons. " + _IGNORED,
        "Write v=STSv1; id=….",
        _SECTION,
    ),
    "sts.version.space-before-semicolon": Entry(
        "A blank stands between v=STSv1 and the semicolon",
        "The grammar allows it, but the rule for choosing the record looks for v=STSv1; letter "
        "by letter (erratum 6285), so some senders find no record.",
        "Remove the blank.",
        _SECTION,
    ),
    "sts.field.empty": Entry(
        "Two semicolons with nothing between them",
        "One semicolon at the end is allowed, an empty field is not. " + _IGNORED,
        "Remove the superfluous semicolon.",
        _SECTION,
    ),
    "sts.field.no-equals": Entry(
        "A field without value: {found}",
        "Each field has the form name=value. " + _IGNORED,
        "Complete or remove the field.",
        _SECTION,
    ),
    "sts.field.bad-name": Entry(
        "A field with an impossible name: {found}",
        "Names have 1 to 32 letters, digits, _, - or ., and begin with a letter or digit. "
        + _IGNORED,
        "Correct or remove the field.",
        _SECTION,
    ),
    "sts.field.empty-value": Entry(
        "A field with an empty value: {found}",
        "A value has at least one character. " + _IGNORED,
        "Give the value or remove the field.",
        _SECTION,
    ),
    "sts.field.bad-value": Entry(
        "A field with forbidden characters in its value: {found}",
        "Values may not hold blanks, = or control characters. " + _IGNORED,
        "Correct the value; a semicolon may be missing.",
        _SECTION,
    ),
    "sts.field.run-together": Entry(
        "Two fields run together: {found}",
        "Between them a semicolon is missing. " + _IGNORED,
        "Separate the fields by semicolons; two records may have been pasted into one.",
        _SECTION,
    ),
    "sts.field.spaced-equals": Entry(
        "Blanks around an equals sign: {found}",
        "Name and value touch the = directly. " + _IGNORED,
        "Remove the blanks around =.",
        _SECTION,
    ),
    "sts.field.non-ascii": Entry(
        "A field with characters outside ASCII: {found}",
        "The record is plain ASCII. " + _IGNORED,
        "Type the field anew in plain characters.",
        _SECTION,
    ),
    "sts.field.duplicate": Entry(
        "The field {name} stands twice",
        "The first one counts, the others are ignored; some senders refuse the record.",
        "Keep one.",
        "RFC 8461 3.2",
    ),
    "sts.id.missing": Entry(
        "No id",
        "The id tells senders when to fetch the policy again, and the record is invalid without. "
        + _IGNORED,
        "Add id= with letters and digits, for example the date and time: id=20260131T120000.",
        _SECTION,
    ),
    "sts.id.empty": Entry(
        "The id is empty",
        "An id has 1 to 32 letters and digits. " + _IGNORED,
        "Give an id, for example the date and time: id=20260131T120000.",
        _SECTION,
    ),
    "sts.id.case": Entry(
        "{found}= instead of id=",
        "Field names are compared with upper and lower case, so id is missing. " + _IGNORED,
        "Write id= in lower case.",
        _SECTION,
    ),
    "sts.id.too-long": Entry(
        "The id is too long: {length} characters",
        "An id has up to {limit} characters. " + _IGNORED,
        "Shorten it.",
        _SECTION,
    ),
    "sts.id.characters": Entry(
        "The id holds other characters than letters and digits: {found}",
        "Hyphens, colons, underscores and quotes are not allowed. " + _IGNORED,
        "Write id={suggestion}.",
        _SECTION,
    ),
    "sts.cname.followed": Entry(
        "The record stands elsewhere, by CNAME: {target}",
        "Senders follow the alias; whoever holds the target decides about the policy's id.",
        "Nothing to do if that is intended.",
        _SECTION,
    ),
    "sts.cname.dangling": Entry(
        "The CNAME leads to a name that does not exist: {target}",
        "Senders find no record. Whoever registers the target could announce a policy for you.",
        "Correct the alias or remove it.",
        _SECTION,
    ),
    "sts.testing.no-reports": Entry(
        "The policy is in testing, and nobody is told about failures",
        "Mode testing changes nothing for delivery; it is only worth having with TLS-RPT reports.",
        "Publish a TLSRPT record.",
        "RFC 8461 5",
    ),
    "sts.testing.long": Entry(
        "The policy has been in testing for {days:day}",
        "Testing protects nothing.",
        "If the reports show no failures, change mode to enforce and give the record a new id.",
        "RFC 8461 5",
    ),
}
