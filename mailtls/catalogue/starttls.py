"""Words about port 25 of the MX hosts."""

from mailtls.catalogue.entry import Entry

_REFUSED = "Under an enforced policy senders refuse this host; without one they deliver anyway."

ENTRIES = {
    "starttls.not-offered": Entry(
        "{mx} does not offer STARTTLS",
        "Mail to it travels readable for everyone on the way; under MTA-STS enforce or DANE it is "
        "not delivered at all.",
        "Switch TLS on. If it is on, look for a firewall that inspects SMTP and hides STARTTLS.",
        "RFC 8461 4.2",
    ),
    "starttls.refused": Entry(
        "{mx} offers STARTTLS and then refuses it",
        "The server answered the command with an error, often for want of a certificate: {detail}",
        "Look at the server's log at that moment; check that key and certificate can be read.",
        "RFC 3207 4",
    ),
    "starttls.tls-version": Entry(
        "{mx} speaks no TLS 1.2 or newer",
        "Careful senders refuse older versions.",
        "Enable TLS 1.2 and 1.3.",
        "RFC 8461 7.2",
    ),
    "starttls.handshake": Entry(
        "The TLS handshake with {mx} fails",
        "The connection broke while keys were agreed: {detail}",
        "Check certificate, key and ciphers of the server, and that it does not insist on a "
        "certain server name (SNI).",
        "RFC 8461 7.1",
    ),
    "starttls.smtp-refused": Entry(
        "{mx} does not want to talk to us",
        "The server refused the greeting or EHLO: {detail}. Nothing is known about its TLS.",
        "If it is your server, allow the portal's address.",
        "RFC 5321 3.1",
    ),
    "starttls.smtp-protocol": Entry(
        "What answers on port 25 of {mx} is no mail server",
        "The answer is not SMTP, or the connection was closed: {detail}",
        "Check what listens there and whether a firewall interferes.",
        "RFC 5321 4.2",
    ),
    "starttls.connect-refused": Entry(
        "{mx} takes no connection on port 25",
        "Nothing listens there, or a firewall refuses. Mail to this host cannot be delivered from "
        "here.",
        "Start the mail server, or remove the MX record.",
        "RFC 5321 5.1",
    ),
    "starttls.connect-timeout": Entry(
        "{mx} does not answer on port 25",
        "The host is down or unreachable, or port 25 is blocked between here and there. Which of "
        "them cannot be told from one host.",
        "Try from another network. Many networks block port 25 outward.",
        "RFC 5321 4.5.3.2",
    ),
    "starttls.connect-failed": Entry(
        "{mx} cannot be reached on port 25",
        "The connection failed: {detail}",
        "Check the host's address and the way to it.",
        "RFC 5321 5.1",
    ),
    "starttls.port-blocked": Entry(
        "Port 25 is blocked from here",
        "No mail server at all could be reached, so this is a fact about the portal's network, "
        "not about the domain.",
        "Have the provider open port 25 outward, or switch off PROBE_STARTTLS.",
        "",
    ),
    "starttls.no-address": Entry(
        "{mx} has no address to visit",
        "Senders skip this host.",
        "Give it an A or AAAA record, or remove the MX record.",
        "RFC 5321 5.1",
    ),
    "starttls.dns-failed": Entry(
        "The address of {mx} could not be found out",
        "Nothing is known about its TLS.",
        "Check again; if it stays, check the name servers of the host's zone.",
        "RFC 5321 5.1",
    ),
    "starttls.private-address": Entry(
        "{mx} has no public address",
        "Its address is private or reserved, so senders on the Internet cannot reach it, and this "
        "portal does not try.",
        "Give the host a public address. For an internal zone set PROBE_PRIVATE_ADDRESSES.",
        "RFC 6890 2.2",
    ),
    "starttls.timeout": Entry(
        "The visit to {mx} took too long",
        "The server was reached but did not get through the dialogue in time: {detail}",
        "Look for greylisting delays, DNS timeouts of the server, or overload.",
        "RFC 5321 4.5.3.2",
    ),
    "starttls.cert.expired": Entry(
        "The certificate of {mx} expired on {not_after}",
        _REFUSED,
        "Renew the certificate, reload the server, and look at every node behind the name.",
        "RFC 8461 4.2",
    ),
    "starttls.cert.not-yet": Entry(
        "The certificate of {mx} is not valid yet",
        _REFUSED,
        "Use the previous certificate until then; check the server's clock.",
        "RFC 8461 4.2",
    ),
    "starttls.cert.expires-soon": Entry(
        "The certificate of {mx} expires in {days:day}",
        "By now it should have been renewed.",
        "Renew it, and find out why it was not renewed by itself.",
        "RFC 8461 4.2",
    ),
    "starttls.cert.name": Entry(
        "The certificate of {mx} does not carry that name",
        "It is for: {names}. " + _REFUSED,
        "Have a certificate issued with the MX name among its subject alternative names.",
        "RFC 8461 4.2",
    ),
    "starttls.cert.self-signed": Entry(
        "The certificate of {mx} comes from no known authority",
        "It is self-signed, or its root is (OpenSSL {verify_code}: {verify_message}). " + _REFUSED,
        "Use a certificate from a public authority. With DANE-EE (3 1 1) it may stay.",
        "RFC 8461 4.2",
    ),
    "starttls.cert.untrusted": Entry(
        "The certificate of {mx} is not trusted",
        "OpenSSL {verify_code}: {verify_message}. Most often an intermediate certificate is not "
        "sent. " + _REFUSED,
        "Send the full chain up to a public authority.",
        "RFC 8461 4.2",
    ),
}
