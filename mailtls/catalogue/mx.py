"""Words about MX records and hosts."""

from mailtls.catalogue.entry import Entry

ENTRIES = {
    "mx.null": Entry(
        "The domain takes no mail (null MX)",
        "Senders give up at once. TLS-RPT, MTA-STS and DANE have nothing to protect here.",
        "Nothing to do.",
        "RFC 7505 3",
    ),
    "mx.null-beside-others": Entry(
        "A null MX stands beside other MX records",
        "A null MX must be alone; senders may treat the domain as taking no mail.",
        "Remove the null MX, or all others.",
        "RFC 7505 3",
    ),
    "mx.none": Entry(
        "No MX and no address: the domain takes no mail",
        "Mail to it fails, though only after days where a lookup fails for a moment.",
        'Publish a null MX ("0 .") to say so plainly.',
        "RFC 7505 3",
    ),
    "mx.implicit": Entry(
        "No MX record: mail goes to the domain's own address",
        "Without MX, senders try the address of the domain itself, often a web server. A policy "
        "has to cover the domain's own name.",
        'Publish an MX record, or a null MX ("0 .") if the domain takes no mail.',
        "RFC 5321 5.1",
    ),
    "mx.domain-nxdomain": Entry(
        "The domain does not exist: {domain}",
        "DNS knows no such name, so no mail can reach it.",
        "Check the spelling and the registration of the domain.",
        "RFC 5321 5.1",
    ),
    "mx.host.address": Entry(
        "An MX record names an address instead of a host: {mx}",
        "An MX record holds a name. Senders cannot use this one.",
        "Give the address a name and put that name into the MX record.",
        "RFC 5321 5.1",
    ),
    "mx.host.bad-name": Entry(
        "An MX record names no valid host: {mx}",
        "Senders cannot look it up, or no certificate can name it.",
        "Correct the host name.",
        "RFC 5321 2.3.5",
    ),
    "mx.host.no-address": Entry(
        "The MX host has no address: {mx}",
        "Senders skip this host; if it is the only one, mail cannot be delivered.",
        "Give the host an A or AAAA record, or remove the MX record.",
        "RFC 5321 5.1",
    ),
    "mx.host.cname": Entry(
        "The MX host is an alias: {mx} leads to {target}",
        "An MX record must not name a CNAME. Most senders follow it; what they compare with the "
        "policy and the certificate is the name in the MX record.",
        "Put the target's name into the MX record, or give the host its own address.",
        "RFC 2181 10.3",
    ),
}
