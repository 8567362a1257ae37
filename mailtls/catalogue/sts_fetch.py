"""Words about the fetch of a policy file: host, connection, certificate, HTTP."""

from mailtls.catalogue.entry import Entry

_FETCH = "Senders cannot fetch the policy: new ones deliver without protection."
_FORMAT = "RFC 8461 3.2"
_HTTPS = "RFC 8461 3.3"

ENTRIES = {
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
        "The certificate of {host} expires in {days:day}",
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
