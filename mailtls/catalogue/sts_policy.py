"""Words about the MTA-STS policy file and its fetch."""

from mailtls.catalogue.entry import Entry

_UNUSED = "Senders cannot use the policy: new ones deliver without protection."
_FETCH = "Senders cannot fetch the policy: new ones deliver without protection."
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
    "sts.host.nxdomain": Entry(
        "The policy host does not exist: {host}",
        "The record announces a policy, but DNS knows no such host. " + _FETCH,
        "Give {host} an address, or a CNAME to the provider.",
        _HTTPS,
    ),
    "sts.host.no-address": Entry(
        "The policy host has no address: {host}",
        _FETCH,
        "Give {host} an A or AAAA record.",
        _HTTPS,
    ),
    "sts.host.cname-dangling": Entry(
        "The policy host leads to a name that does not exist: {target}",
        "Whoever registers the target could serve a policy for your domain. " + _FETCH,
        "Correct the CNAME of {host} or remove it.",
        "RFC 8461 8.2",
    ),
    "sts.host.private-address": Entry(
        "The policy host has no public address: {address}",
        "Its address is private or reserved; senders cannot reach it, and this portal does not "
        "try. " + _FETCH,
        "Give {host} a public address. For an internal zone set PROBE_PRIVATE_ADDRESSES.",
        "RFC 6890 2.2",
    ),
    "sts.host.address-broken": Entry(
        "One address of the policy host does not work: {address} ({result})",
        "Another address works, but senders differ in which they try, so some cannot fetch the "
        "policy.",
        "Repair that address or remove it from DNS.",
        _HTTPS,
    ),
    "sts.https.refused": Entry(
        "{host} takes no HTTPS connection",
        "Port 443 is closed; plain HTTP does not count. " + _FETCH,
        "Serve the policy over HTTPS on port 443.",
        _HTTPS,
    ),
    "sts.https.connect-timeout": Entry(
        "{host} does not answer on port 443",
        "No connection came about in time. " + _FETCH,
        "Check firewall and routing for {address}.",
        _HTTPS,
    ),
    "sts.https.connect-failed": Entry(
        "{host} cannot be reached on port 443",
        "The connection to {address} failed: {detail}. " + _FETCH,
        "Check the address and the way to it.",
        _HTTPS,
    ),
    "sts.https.timeout": Entry(
        "{host} does not deliver the policy in time",
        "Senders give up after a minute at the latest. " + _FETCH,
        "Find out what makes the server slow; a bot filter may hold the request.",
        _HTTPS,
    ),
    "sts.https.slow": Entry(
        "The policy took {took_ms} ms",
        "Some senders wait no longer than {limit_ms} ms and then deliver without protection.",
        "Serve the file statically, without redirects and filters in front.",
        _HTTPS,
    ),
    "sts.tls.version": Entry(
        "{host} speaks no TLS 1.2 or newer",
        _FETCH,
        "Enable TLS 1.2 and 1.3.",
        "RFC 8461 7.2",
    ),
    "sts.tls.handshake": Entry(
        "The TLS handshake with {host} fails",
        "The connection broke while keys were agreed: {detail}. " + _FETCH,
        "Check that the web server knows this host name (SNI) and has a certificate for it.",
        _HTTPS,
    ),
    "sts.cert.expired": Entry(
        "The certificate of {host} has expired",
        "It, or one in its chain, is past its end ({not_after}). " + _FETCH,
        "Renew the certificate and reload the web server.",
        _HTTPS,
    ),
    "sts.cert.not-yet-valid": Entry(
        "The certificate of {host} is not valid yet",
        "It begins on {not_before}. " + _FETCH,
        "Use the previous certificate until then; check the clock of whoever issued it.",
        _HTTPS,
    ),
    "sts.cert.self-signed": Entry(
        "The certificate of {host} is self-signed",
        "Senders trust public authorities only. " + _FETCH,
        "Have a certificate issued by a public authority.",
        _HTTPS,
    ),
    "sts.cert.untrusted": Entry(
        "The certificate of {host} is not trusted",
        "OpenSSL {verify_code}: {verify_message}. The chain does not lead to a public authority; "
        "most often an intermediate certificate is not sent. " + _FETCH,
        "Send the full chain, or have a certificate issued by a public authority.",
        _HTTPS,
    ),
    "sts.cert.revoked": Entry(
        "The certificate of {host} is revoked",
        _FETCH,
        "Have a new certificate issued.",
        _HTTPS,
    ),
    "sts.cert.name": Entry(
        "The certificate does not carry the name {host}",
        "It is for: {names}. The name must stand among the subject alternative names, as itself "
        "or with a wildcard for the whole left-most label. " + _FETCH,
        "Have a certificate issued for {host}.",
        _HTTPS,
    ),
    "sts.cert.common-name-only": Entry(
        "The name {host} stands only in the certificate's common name",
        "Senders have not looked at the common name for years.",
        "Have the certificate issued with a subject alternative name.",
        _HTTPS,
    ),
    "sts.cert.partial-wildcard": Entry(
        "The certificate has a wildcard inside a label: {found}",
        "A wildcard counts only as the whole left-most label.",
        "Have a certificate issued for {host}.",
        _HTTPS,
    ),
    "sts.cert.provider-name": Entry(
        "{host} is delegated to {target}, whose certificate does not carry your name",
        "The provider must hold a certificate for the customer's policy host.",
        "Finish the set-up at the provider so that it has a certificate issued for {host}; a CAA "
        "record may forbid it.",
        "RFC 8461 8.2",
    ),
    "sts.cert.other": Entry(
        "The certificate of {host} is refused",
        "OpenSSL {verify_code}: {verify_message}. " + _FETCH,
        "Have a certificate issued by a public authority, and send the full chain.",
        _HTTPS,
    ),
    "sts.cert.expires-soon": Entry(
        "The certificate of {host} expires in {days} days",
        "By now it should have been renewed.",
        "Renew it, and find out why it was not renewed by itself.",
        _HTTPS,
    ),
    "sts.http.status": Entry(
        "The policy host answers with status {status}",
        "Only status 200 counts. " + _FETCH,
        "Serve the file at /.well-known/mta-sts.txt with status 200, also to clients that are no "
        "browsers.",
        _HTTPS,
    ),
    "sts.http.redirect": Entry(
        "The policy host redirects to {location}",
        "Senders must not follow redirects (status {status}). " + _FETCH,
        "Serve the file itself at https://{host}/.well-known/mta-sts.txt.",
        _HTTPS,
    ),
    "sts.http.protocol": Entry(
        "The answer of {host} is not proper HTTP",
        "The connection ended early, or the answer is damaged: {detail}. " + _FETCH,
        "Look at the web server's error log at that moment.",
        _HTTPS,
    ),
    "sts.http.encoding": Entry(
        "The policy is compressed in a way senders cannot undo: {detail}",
        _FETCH,
        "Serve the file without compression.",
        _HTTPS,
    ),
    "sts.http.content-type": Entry(
        "The policy is served as {found} instead of text/plain",
        "Most senders do not mind; some ignore the policy.",
        "Send Content-Type: text/plain.",
        _FORMAT,
    ),
    "sts.http.content-encoding": Entry(
        "The policy is compressed ({found}) although nobody asked",
        "Senders that do not decompress see no policy.",
        "Serve the file without compression.",
        _HTTPS,
    ),
}
