"""Words about DANE, and about what follows where it disagrees with MTA-STS."""

from mailtls.catalogue.entry import Entry

_DEFERRED = "Senders that use DANE hold the mail back until this is repaired."

ENTRIES = {
    "dane.tlsa.wrong-owner": Entry(
        "TLSA records stand at the domain instead of its MX hosts: {found}",
        "Senders look at _25._tcp below each MX host, never below the mail domain.",
        "Publish the records at _25._tcp.<MX host>.",
        "RFC 7672 2.2.3",
    ),
    "dane.tlsa.lookup-failed": Entry(
        "The TLSA lookup fails for {mx}",
        "The host's zone is signed, and its TLSA answer cannot be validated. " + _DEFERRED,
        "Check signatures and denial of existence (NSEC) of the zone; every name server must "
        "answer TLSA questions.",
        "RFC 7672 2.2",
    ),
    "dane.tlsa.usage": Entry(
        "A TLSA record with usage 0 or 1: {record}",
        "Those usages are not meant for SMTP, and senders may treat the record as unusable.",
        "Publish usage 3 (the host's own key) or 2 (its authority).",
        "RFC 7672 3.1.3",
    ),
    "dane.tlsa.unknown-parameter": Entry(
        "A TLSA record with unknown parameters: {record}",
        "Usage goes to 3, selector to 1, matching type to 2; senders cannot use other values.",
        "Publish 3 1 1 with the SHA-256 digest of the host's key.",
        "RFC 6698 2.1",
    ),
    "dane.tlsa.malformed": Entry(
        "A TLSA record whose data has the wrong length: {record}",
        "A SHA-256 digest has 64 hex digits, SHA-512 has 128. Senders cannot use this record.",
        "Make the record anew from the certificate.",
        "RFC 6698 2.1.4",
    ),
    "dane.tlsa.full-data": Entry(
        "A TLSA record with a whole certificate or key: {record}",
        "It works, but makes answers large, and some resolvers drop large answers.",
        "Publish a digest: 3 1 1 or 2 1 1.",
        "RFC 7672 3.1",
    ),
    "dane.tlsa.not-recommended": Entry(
        "A TLSA record other than x 1 1: {record}",
        "It works. 3 1 1 and 2 1 1 survive a renewal with the same key and are understood by all.",
        "Prefer 3 1 1 or 2 1 1.",
        "RFC 7672 3.1",
    ),
    "dane.tlsa.none-usable": Entry(
        "No TLSA record of {mx} can be used",
        "Senders then require TLS but cannot tell the right server from a wrong one.",
        "Publish a usable record: 3 1 1 with the SHA-256 digest of the host's key.",
        "RFC 7672 2.2",
    ),
    "dane.tlsa.mismatch": Entry(
        "No TLSA record matches the certificate of {mx}",
        "The certificate changed before DNS did, or the digest is of something else. " + _DEFERRED,
        "Publish the digest of the present key at once and keep the old one for two TTLs. "
        "Check every host.",
        "RFC 7671 8.1",
    ),
    "dane.ta.not-sent": Entry(
        "{mx} does not send the authority its TLSA record names",
        "With usage 2 the server must send the authority's certificate in its chain. " + _DEFERRED,
        "Add the authority's certificate to the chain file, or publish usage 3.",
        "RFC 7672 3.1.2",
    ),
    "dane.ta.name": Entry(
        "The certificate of {mx} does not carry its name",
        "With usage 2 the name is checked as well. " + _DEFERRED,
        "Have a certificate issued with the MX name, or publish usage 3.",
        "RFC 7672 3.2.3",
    ),
    "dane.ta.expired": Entry(
        "A certificate in the chain of {mx} is not valid today",
        "With usage 2 dates are checked as well. " + _DEFERRED,
        "Renew the certificate and reload the server.",
        "RFC 7671 5.2",
    ),
    "dane.ta.broken-chain": Entry(
        "The chain of {mx} does not lead to the authority its TLSA record names",
        "A certificate in between is missing, or in the wrong order. " + _DEFERRED,
        "Send the full chain, leaf first, each signed by the next.",
        "RFC 7671 5.2",
    ),
    "dane.no-starttls": Entry(
        "{mx} has TLSA records but offers no STARTTLS",
        "TLSA records promise TLS. " + _DEFERRED,
        "Switch STARTTLS on, or remove the TLSA records until it works.",
        "RFC 7672 2.2",
    ),
    "dane.insecure.mx-record": Entry(
        "TLSA records without a signed MX record: {mx}",
        "The domain's own zone is not signed, so an attacker could change the MX record and "
        "with it the TLSA record that counts. Senders do not treat this as DANE.",
        "Sign the domain's zone with DNSSEC.",
        "RFC 7672 2.2.1",
    ),
    "dane.insecure.mx-host": Entry(
        "TLSA records below a host whose address is not signed: {mx}",
        "Senders skip the TLSA lookup for such hosts.",
        "Sign the zone of the MX host with DNSSEC.",
        "RFC 7672 2.2.2",
    ),
    "dane.insecure.tlsa": Entry(
        "TLSA records that are not signed: {mx}",
        "Unsigned TLSA records are ignored.",
        "Sign the zone that holds them, aliases included.",
        "RFC 7672 2.2.3",
    ),
    "dane.mx-host.cname": Entry(
        "The MX host is an alias: {mx} leads to {target}",
        "Senders look for TLSA records at the end of the alias first, then at the MX name; both "
        "must be signed.",
        "Put the host's real name into the MX record.",
        "RFC 7672 2.2.2",
    ),
    "dane.mx-host.no-tlsrpt": Entry(
        "The MX host {mx} has no TLSRPT record of its own",
        "By the standard, reports about DANE are for the host that holds the TLSA records. Many "
        "senders report to the mail domain all the same.",
        "Publish a TLSRPT record at _smtp._tls.{mx} if the host is yours.",
        "RFC 8460 1.1",
    ),
    "dane.hosts.partial": Entry(
        "Some MX hosts have TLSA records, {mx} has none",
        "An attacker who blocks the protected hosts sends the mail to the unprotected one.",
        "Publish TLSA records for every MX host.",
        "RFC 7672 2.2.1",
    ),
    "dane.rollover.no-spare": Entry(
        "One TLSA record only: {mx}",
        "The next change of keys needs a second record, published two TTLs before.",
        "Publish the digest of the next key, or of the authority (2 1 1), beside it in time.",
        "RFC 7671 8.1",
    ),
    "dane.certificate-not-checked": Entry(
        "The certificate of {mx} was not compared with its TLSA records",
        "The records are well-formed and signed. Whether they match shows only a visit on port 25.",
        "Check with STARTTLS from a network in which port 25 is open.",
        "RFC 7672 2.2",
    ),
    "dane.ee.name-ignored": Entry(
        "The certificate of {mx} carries another name",
        "With usage 3 senders do not look at names: the key is what counts.",
        "Nothing to do for DANE. MTA-STS needs the MX name in the certificate.",
        "RFC 7672 3.1.1",
    ),
    "dane.ee.expiry-ignored": Entry(
        "The certificate of {mx} is not valid today",
        "With usage 3 senders do not look at dates: the key is what counts.",
        "Nothing to do for DANE. MTA-STS needs a certificate that is valid today.",
        "RFC 7672 3.1.1",
    ),
    "dane.resolver.not-validating": Entry(
        "Whether the TLSA records of {mx} count could not be found out",
        "The portal's resolver does not check DNSSEC. This is a fact about the portal, not about "
        "the domain.",
        "Set DNS_NAMESERVERS to a resolver that validates.",
        "RFC 7672 2.2",
    ),
    "dane.resolver.unknown": Entry(
        "Whether the TLSA records of {mx} count could not be found out",
        "It is not known whether the portal's resolver checks DNSSEC.",
        "Set DNS_NAMESERVERS to a resolver that validates and knows the root zone.",
        "RFC 7672 2.2",
    ),
    "combined.dane-fails": Entry(
        "DANE fails although MTA-STS passes: mail from DANE senders waits",
        "Senders that use DANE must not fall back to MTA-STS. They hold the mail, senders that "
        "use MTA-STS alone (mode {mode}) deliver it, and so the trouble shows only for some.",
        "Repair the TLSA records, or remove them until they are right.",
        "RFC 8461 2",
    ),
    "combined.sts-fails": Entry(
        "MTA-STS fails although DANE passes: mail from MTA-STS senders is at risk",
        "Senders that use MTA-STS but no DANE, Google among them, refuse hosts that fail the "
        "policy in mode enforce (now: {mode}). Senders that use DANE deliver.",
        "Give the MX hosts certificates from a public authority that carry their names, and "
        "cover all hosts in the policy.",
        "RFC 8461 2",
    ),
}
