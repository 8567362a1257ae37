"""Words about what changed."""

from mailtls.catalogue.entry import Entry

ENTRIES = {
    "change.tlsrpt.added": Entry(
        "A TLSRPT record was published",
        "Senders report from now on; the first reports come after the end of the UTC day.",
        "Nothing to do.",
        "RFC 8460 3",
    ),
    "change.tlsrpt.removed": Entry(
        "The TLSRPT record is gone",
        "Reports stop. Failures from now on stay unseen.",
        "Publish it again, unless the domain is given up.",
        "RFC 8460 3",
    ),
    "change.tlsrpt.changed": Entry(
        "The TLSRPT record was changed",
        "Senders use the new text from their next lookup on.",
        "Nothing to do if it was intended.",
        "RFC 8460 3",
    ),
    "change.tlsrpt.rua-removed": Entry(
        "Reports no longer go to {uri}",
        "That destination was taken out of the record.",
        "Make sure that somebody else reads the reports.",
        "RFC 8460 3",
    ),
    "change.tlsrpt.broken": Entry(
        "The TLSRPT record cannot be used",
        "Senders ignore it as it is now: nobody reports.",
        "Correct what the findings of the record name; the DNS kit writes it anew.",
        "RFC 8460 3",
    ),
    "change.tlsrpt.repaired": Entry(
        "The TLSRPT record can be used again",
        "Senders report from now on.",
        "Nothing to do.",
        "RFC 8460 3",
    ),
    "change.sts.added": Entry(
        "An MTA-STS record was published",
        "Senders fetch the policy and keep it for its max_age.",
        "Nothing to do.",
        "RFC 8461 3.1",
    ),
    "change.sts.removed": Entry(
        "The MTA-STS record is gone",
        "No sender can still hold a policy, so nothing is at risk but the protection itself.",
        "Publish it again, unless it was given up.",
        "RFC 8461 8.3",
    ),
    "change.sts.removed-while-cached": Entry(
        "The MTA-STS record is gone while senders still hold the policy",
        "Senders may follow the policy until {safe_after}. If MX or certificates change before, "
        "they refuse the mail and cannot learn of a new policy.",
        "Publish record and file again with mode none and a new id, and remove both after "
        "{safe_after}.",
        "RFC 8461 8.3",
    ),
    "change.sts.record-changed": Entry(
        "The MTA-STS record was changed",
        "Senders fetch the policy again where the id is new.",
        "Nothing to do if it was intended.",
        "RFC 8461 3.1",
    ),
    "change.sts.id-only": Entry(
        "The id changed while the policy stayed the same",
        "Senders fetch the policy once more. It does no harm.",
        "Nothing to do.",
        "RFC 8461 3.1",
    ),
    "change.sts.id-not-bumped": Entry(
        "The policy changed but its id did not",
        "Senders that hold the old policy ask for the new one only when the id differs, so they "
        "keep the old one for up to {max_age_s} s.",
        "Give the record a new id, after the file is in place everywhere.",
        "RFC 8461 8.1",
    ),
    "change.sts.policy-changed": Entry(
        "The MTA-STS policy was changed",
        "The file has other content than before.",
        "Nothing to do if it was intended.",
        "RFC 8461 8.1",
    ),
    "change.sts.weakened": Entry(
        "The policy was weakened from {before} to {after}",
        "Senders no longer refuse to deliver over connections that fail the policy.",
        "If nobody did this on purpose, find out who can change the policy.",
        "RFC 8461 5",
    ),
    "change.sts.strengthened": Entry(
        "The policy was strengthened from {before} to {after}",
        "Senders hold to it from their next fetch on.",
        "Watch the failure reports of the next days.",
        "RFC 8461 5",
    ),
    "change.sts.max-age-cut": Entry(
        "max_age was cut from {before_s} s to {after_s} s",
        "Senders forget the policy sooner, which leaves an attacker more room.",
        "Raise it again, unless a removal is being prepared.",
        "RFC 8461 3.2",
    ),
    "change.sts.max-age-raised": Entry(
        "max_age was raised from {before_s} s to {after_s} s",
        "Senders remember the policy longer. A mistake in it lasts longer, too.",
        "Nothing to do.",
        "RFC 8461 3.2",
    ),
    "change.sts.broken": Entry(
        "The MTA-STS policy cannot be used",
        "Senders without a held policy are unprotected; those with one keep to it until it ends.",
        "Correct what the findings of record and policy name.",
        "RFC 8461 5.1",
    ),
    "change.sts.repaired": Entry(
        "The MTA-STS policy can be used again",
        "Senders protect mail to this domain again.",
        "Nothing to do.",
        "RFC 8461 5.1",
    ),
    "change.mx.changed": Entry(
        "The MX records were changed",
        "Mail goes to other hosts, or in another order.",
        "Check that the policy covers the new hosts and that they have certificates and TLSA "
        "records.",
        "RFC 5321 5.1",
    ),
    "change.mx.removed": Entry(
        "The MX records are gone",
        "Mail goes to the domain's own address or fails.",
        "Publish them again, or a null MX if the domain takes no mail.",
        "RFC 5321 5.1",
    ),
    "change.mx.null": Entry(
        "The domain no longer takes mail (null MX)",
        "Senders give up at once.",
        "Nothing to do if it was intended.",
        "RFC 7505 3",
    ),
    "change.mx.uncovered": Entry(
        "The policy does not cover the MX host {mx}",
        "Under enforce, senders with the policy refuse this host (mode now: {mode}).",
        "Add the host to the policy first, then give the record a new id.",
        "RFC 8461 8.1",
    ),
    "change.mx.covered": Entry(
        "The policy covers {mx} again, or it is no longer an MX host",
        "Senders with the policy are served again.",
        "Nothing to do.",
        "RFC 8461 4.1",
    ),
    "change.mx.provider": Entry(
        "The mail provider changed from {before} to {after}",
        "The MX hosts belong to another provider now.",
        "Check policy, certificates and who answers for incidents.",
        "",
    ),
    "change.dane.added": Entry(
        "TLSA records were published",
        "Senders that use DANE insist on a match from now on.",
        "Watch the failure reports of the next days.",
        "RFC 7672 2.2",
    ),
    "change.dane.removed": Entry(
        "The TLSA records are gone",
        "Senders that use DANE no longer tell the right server from a wrong one.",
        "Publish them again, unless they were given up.",
        "RFC 7672 2.2",
    ),
    "change.dane.changed": Entry(
        "The TLSA records were changed",
        "Another key counts from now on.",
        "Check that every host already shows it.",
        "RFC 7671 8.1",
    ),
    "change.dane.broken": Entry(
        "DANE fails now",
        "Senders that use DANE hold mail back.",
        "See the findings about DANE.",
        "RFC 7672 2.2",
    ),
    "change.dane.repaired": Entry(
        "DANE passes again",
        "Mail that was held back is delivered on the next try.",
        "Nothing to do.",
        "RFC 7672 2.2",
    ),
    "change.starttls.broken": Entry(
        "STARTTLS got worse",
        "An MX host that passed before fails now.",
        "See the findings about the hosts.",
        "RFC 8461 4.2",
    ),
    "change.starttls.repaired": Entry(
        "STARTTLS passes again",
        "All MX hosts pass as far as it could be seen.",
        "Nothing to do.",
        "RFC 8461 4.2",
    ),
    "change.sts.cert-renewed": Entry(
        "The certificate of the policy host {host} was renewed",
        "It is valid until {not_after}; the one before was until {earlier_not_after}.",
        "Nothing to do.",
        "RFC 8461 3.3",
    ),
    "change.sts.cert-renewed-late": Entry(
        "The certificate of the policy host {host} was renewed after its end",
        "From {earlier_not_after} on senders could not fetch the policy. The new certificate is "
        "valid until {not_after}.",
        "Find out why it was not renewed in time.",
        "RFC 8461 3.3",
    ),
    "change.starttls.cert-renewed": Entry(
        "The certificate of {host} was renewed",
        "It is valid until {not_after}; the one before was until {earlier_not_after}.",
        "Nothing to do. Where TLSA records name the key, check that they name the new one.",
        "RFC 8461 4.2",
    ),
    "change.starttls.cert-renewed-late": Entry(
        "The certificate of {host} was renewed after its end",
        "From {earlier_not_after} on senders that check certificates refused it. The new one is "
        "valid until {not_after}.",
        "Find out why it was not renewed in time, and look at every node behind the name.",
        "RFC 8461 4.2",
    ),
    "change.starttls.cert-mended": Entry(
        "The certificate of {mx} passes now",
        "Senders that check certificates refused what it showed before. This one is valid until "
        "{not_after}.",
        "Find out why, and look at every node behind the name.",
        "RFC 8461 4.2",
    ),
}
