"""Words about the content of an MTA-STS policy file."""

from mailtls.catalogue.entry import Entry

_UNUSED = "Senders cannot use the policy: new ones deliver without protection."
_FORMAT = "RFC 8461 3.2"
_HTTPS = "RFC 8461 3.3"

ENTRIES = {
    "sts.policy.empty": Entry(
        "The policy file is empty", _UNUSED, "Put the policy into the file.", _FORMAT
    ),
    "sts.policy.html": Entry(
        "A web page instead of a policy",
        "The server answers with status 200 and an HTML page, often its error page. " + _UNUSED,
        "Serve the policy as plain text at /.well-known/mta-sts.txt.",
        _FORMAT,
    ),
    "sts.policy.json": Entry(
        "JSON instead of a policy",
        "Early drafts used JSON; the standard has one key: value pair a line. " + _UNUSED,
        "Write the policy in the format of the standard.",
        _FORMAT,
    ),
    "sts.policy.is-record": Entry(
        "The DNS record stands in the policy file",
        "v=STSv1; id=… belongs into DNS, the file begins with version: STSv1. " + _UNUSED,
        "Put the policy into the file.",
        _FORMAT,
    ),
    "sts.policy.encoding": Entry(
        "The policy file is not UTF-8",
        "It was probably saved as UTF-16. " + _UNUSED,
        "Save the file as plain ASCII or UTF-8.",
        _FORMAT,
    ),
    "sts.policy.bom": Entry(
        "The policy file begins with a byte order mark",
        "The grammar does not know it; some senders then miss the first key.",
        "Save the file without a byte order mark.",
        _FORMAT,
    ),
    "sts.policy.bare-cr": Entry(
        "Lines end with CR alone",
        "Lines end with LF or CRLF. " + _UNUSED,
        "Save the file with Unix or Windows line ends.",
        _FORMAT,
    ),
    "sts.policy.blank-line": Entry(
        "Empty line {line} in the policy",
        "The grammar allows none, and strict senders refuse the policy.",
        "Remove empty lines.",
        _FORMAT,
    ),
    "sts.policy.leading-space": Entry(
        "Line {line} is indented",
        "The grammar allows no blanks before a key, and strict senders refuse the policy.",
        "Remove the blanks at the beginning of lines.",
        _FORMAT,
    ),
    "sts.policy.comment": Entry(
        "Line {line} is a comment: {found}",
        "The format has no comments. " + _UNUSED,
        "Remove the line.",
        _FORMAT,
    ),
    "sts.policy.no-colon": Entry(
        "No colon in line {line}: {found}",
        "Each line has the form key: value. " + _UNUSED,
        "Put a colon after the key.",
        _FORMAT,
    ),
    "sts.policy.space-before-colon": Entry(
        "A blank before the colon in line {line}: {found}",
        "The colon follows the key directly. " + _UNUSED,
        "Remove the blank.",
        _FORMAT,
    ),
    "sts.policy.bad-key": Entry(
        "Line {line} has an impossible key: {found}",
        "Keys have 1 to 32 letters, digits, _, - or ., and begin with a letter or digit. "
        + _UNUSED,
        "Correct or remove the line.",
        _FORMAT,
    ),
    "sts.policy.empty-value": Entry(
        "Line {line} has no value: {found}",
        "A value has at least one character. " + _UNUSED,
        "Give the value or remove the line.",
        _FORMAT,
    ),
    "sts.policy.control-character": Entry(
        "A control character in line {line}",
        "Values hold visible characters only. " + _UNUSED,
        "Type the line anew.",
        _FORMAT,
    ),
    "sts.policy.key-case": Entry(
        "{found}: instead of {key}:",
        "Keys are compared with upper and lower case, so {key} is missing. " + _UNUSED,
        "Write {key}: in lower case.",
        _FORMAT,
    ),
    "sts.policy.key-misspelt": Entry(
        "{found}: instead of {key}:",
        "Unknown keys are ignored, so {key} is missing. " + _UNUSED,
        "Write {key}:.",
        _FORMAT,
    ),
    "sts.policy.duplicate-key": Entry(
        "{key} stands twice",
        "The first one counts; some senders refuse the policy.",
        "Keep one.",
        _FORMAT,
    ),
    "sts.policy.unknown-key": Entry(
        "Unknown key {key}",
        "Senders must ignore it, yet a few refuse the policy.",
        "Remove it, or correct its spelling.",
        _FORMAT,
    ),
    "sts.policy.version": Entry(
        "The version is {found}, not STSv1",
        _UNUSED,
        "Write version: STSv1, with upper and lower case as here.",
        _FORMAT,
    ),
    "sts.policy.version-missing": Entry(
        "No version in the policy", _UNUSED, "Add version: STSv1 as the first line.", _FORMAT
    ),
    "sts.policy.mode": Entry(
        "No such mode: {found}",
        "The mode is enforce, testing or none, in lower case. " + _UNUSED,
        "Write mode: testing to watch, mode: enforce to protect.",
        _FORMAT,
    ),
    "sts.policy.mode-missing": Entry(
        "No mode in the policy",
        _UNUSED,
        "Add mode: testing to watch, or mode: enforce to protect.",
        _FORMAT,
    ),
    "sts.policy.mode-none": Entry(
        "The policy says: none",
        "Senders drop what they held and protect nothing. It is the way out of MTA-STS.",
        "Nothing to do while a removal is under way; else use testing or enforce.",
        "RFC 8461 8.3",
    ),
    "sts.policy.max-age": Entry(
        "max_age is no number of seconds: {found}",
        "It consists of digits only. " + _UNUSED,
        "Write the seconds in digits: 2592000 is 30 days.",
        _FORMAT,
    ),
    "sts.policy.max-age-range": Entry(
        "max_age is too large: {found}",
        "The maximum is {limit_s} s, about a year. The grammar allows ten digits (erratum 7282), "
        "so some senders take it and others refuse the policy.",
        "Write 31557600 or less.",
        _FORMAT,
    ),
    "sts.policy.max-age-missing": Entry(
        "No max_age in the policy", _UNUSED, "Add max_age: 2592000, which is 30 days.", _FORMAT
    ),
    "sts.policy.max-age-zero": Entry(
        "max_age is 0",
        "Senders forget the policy at once, and some refuse it.",
        "Use weeks in normal operation, a day while a removal is prepared.",
        _FORMAT,
    ),
    "sts.policy.max-age-short": Entry(
        "max_age is less than a day: {max_age_s} s",
        "An attacker who blocks the fetch for that long gets around the policy.",
        "Use weeks: 2592000 is 30 days.",
        "RFC 8461 10.2",
    ),
    "sts.policy.max-age-below-weeks": Entry(
        "max_age is less than two weeks: {max_age_s} s",
        "The standard expects weeks, so that a policy outlasts a blocked fetch.",
        "Use 2592000, which is 30 days, once the policy has proved itself.",
        _FORMAT,
    ),
    "sts.policy.mx-missing": Entry(
        "No mx in the policy",
        "Every mode but none needs at least one. " + _UNUSED,
        "Add one mx: line for each MX host.",
        _FORMAT,
    ),
    "sts.policy.mx-list": Entry(
        "Several hosts in one mx line: {found}",
        "Each mx line holds one pattern. " + _UNUSED,
        "Write one mx: line for each host.",
        _FORMAT,
    ),
    "sts.policy.mx-pattern": Entry(
        "No valid mx pattern: {found}",
        "A pattern is a host name, or *. and a domain; * stands for one whole label at the left. "
        + _UNUSED,
        "Write the host name; what was probably meant: {suggestion}.",
        _FORMAT,
    ),
    "sts.policy.mx-u-label": Entry(
        "An mx pattern with characters outside ASCII: {found}",
        "Names are written as A-labels. " + _UNUSED,
        "Write {suggestion}.",
        _FORMAT,
    ),
    "sts.policy.mx-trailing-dot": Entry(
        "An mx pattern ends with a dot: {found}",
        "The grammar allows none; some senders refuse the policy, some never match the pattern.",
        "Remove the dot at the end.",
        _FORMAT,
    ),
    "sts.policy.mx-duplicate": Entry(
        "The mx pattern {mx} stands twice", "It does no harm.", "Keep one.", _FORMAT
    ),
    "sts.policy.null-mx": Entry(
        "A policy for a domain that takes no mail",
        "The domain has a null MX, so no sender needs the policy.",
        "Nothing to do; it can be removed in the proper order.",
        "RFC 7505 3",
    ),
    "sts.policy.wide-wildcard": Entry(
        "The pattern {mx} covers every host of the domain",
        "Whoever gets a certificate for any host of the domain could receive its mail.",
        "Name the MX hosts, or use a domain of its own for mail servers.",
        "RFC 8461 10.4",
    ),
    "sts.policy.too-large": Entry(
        "The policy file is larger than 64 KB",
        "Senders may stop reading there. " + _UNUSED,
        "Serve the policy alone, without anything around it.",
        _HTTPS,
    ),
    "sts.mx.not-covered": Entry(
        "The policy does not cover the MX host {mx}",
        "Under enforce, senders refuse to deliver to this host (mode now: {mode}). For a backup "
        "host this shows only when the first one is down.",
        "Add mx: {suggestion} to the policy, then give the record a new id. * stands for one "
        "label only.",
        "RFC 8461 4.1",
    ),
    "sts.mx.pattern-unused": Entry(
        "The pattern {pattern} covers no MX host",
        "It does no harm, and may be there for a move to come.",
        "Remove it if that host is gone.",
        "RFC 8461 4.1",
    ),
}
