"""Words for names that are no mail domains, and for lookups that failed."""

from mailtls.catalogue.entry import Entry

ENTRIES = {
    "name.empty": Entry(
        "No name given",
        "There is nothing to check on this line.",
        "Give a mail domain such as example.com.",
        "RFC 5321 4.1.2",
    ),
    "name.url": Entry(
        "A web address is no domain: {found}",
        "A mail domain is the part after the @ of the mail addresses.",
        "Give the domain alone, without https:// and path.",
        "RFC 5321 4.1.2",
    ),
    "name.address": Entry(
        "A mail address is no domain: {found}",
        "A mail domain is the part after the @ of the mail addresses.",
        "Give the domain alone.",
        "RFC 5321 4.1.2",
    ),
    "name.record": Entry(
        "Here a record lies, not mail: {found}",
        "This is the name of a TLSRPT or MTA-STS record; the domain stands behind it.",
        "Give the domain alone, without _smtp._tls or _mta-sts.",
        "RFC 8460 3",
    ),
    "name.ip": Entry(
        "An IP address is no domain: {found}",
        "TLSRPT, MTA-STS and DANE are published for names.",
        "Give the mail domain.",
        "RFC 5321 4.1.2",
    ),
    "name.idna": Entry(
        "No domain name can be written like this: {found}",
        "The name holds characters that internationalised domain names do not allow.",
        "Check the spelling, or give the A-label form (xn--…).",
        "RFC 5891 4",
    ),
    "name.too-long": Entry(
        "The name is too long: {found}",
        "A name has up to 253 characters, each label up to 63.",
        "Check the line; a separator may be missing.",
        "RFC 1035 2.3.4",
    ),
    "name.syntax": Entry(
        "No domain name: {found}",
        "A mail domain is made of letters, digits and inner hyphens, separated by single dots.",
        "Check the spelling.",
        "RFC 5321 4.1.2",
    ),
    "name.single-label": Entry(
        "A name of one label is no mail domain here: {found}",
        "Such a name is nearly always a typing error: mail domains have two labels or more.",
        "Give the full domain.",
        "RFC 5321 2.3.5",
    ),
    "check.incomplete": Entry(
        "Not all of the check was done: {name}",
        "The check ran out of time or was ended before this question was answered. Nothing is "
        "known about it, and the last known state stands.",
        "Check again. If it stays, look for slow name servers of the domain.",
        "",
    ),
    "check.no-route": Entry(
        "No route from here to {address}",
        "The portal's machine has no connection of this kind (often: no IPv6), so {name} could "
        "not be visited. This says nothing about the domain.",
        "Give the portal's machine IPv6, or check from elsewhere.",
        "",
    ),
    "dns.servfail": Entry(
        "DNS lookup failed: {name}",
        "The resolver answered SERVFAIL: the domain's name servers do not answer it, or DNSSEC "
        "does not validate. Senders cannot know either, so they wait or go on without the record.",
        "Ask each authoritative name server directly, then check the DNSSEC chain (DS, DNSKEY, "
        "RRSIG dates).",
        "RFC 1035 4.1.1",
    ),
    "dns.dnssec-bogus": Entry(
        "DNSSEC does not validate: {name}",
        "The resolver refuses the answer because its signatures do not hold. Every validating "
        "sender sees no answer at all.",
        "Compare DS and DNSKEY, look for expired signatures, and repair or remove the DS record.",
        "RFC 4035 5.5",
    ),
    "dns.refused": Entry(
        "DNS lookup was refused: {name}",
        "The name server does not answer this name for us. Whether the record exists is unknown.",
        "Check the delegation of the zone; if only this portal is refused, check DNS_NAMESERVERS.",
        "RFC 1035 4.1.1",
    ),
    "dns.timeout": Entry(
        "DNS lookup timed out: {name}",
        "No name server answered in time. Whether the record exists is unknown.",
        "If it stays, ask each authoritative name server directly, over UDP and TCP.",
        "RFC 8461 5.1",
    ),
    "dns.lame": Entry(
        "A name server gave no usable answer: {name}",
        "The server answered with an error, a referral or damaged data instead of the record.",
        "Check that every delegated name server serves the zone and speaks EDNS.",
        "RFC 1034 4.3.1",
    ),
    "dns.cname-loop": Entry(
        "The CNAME chain does not end: {name}",
        "The aliases lead back to themselves or are too many, so no resolver finds a record.",
        "Let the alias point to the name that holds the record.",
        "RFC 1034 3.6.2",
    ),
}
