"""Who receives a domain's mail, told from the names of its MX hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mailtls.names import fold_name

# MX name suffixes as the providers document them; the longest that fits wins.
SUFFIXES = {
    "mail.protection.outlook.com": "Microsoft 365",
    "mx.microsoft": "Microsoft 365",
    "mail.protection.outlook.de": "Microsoft 365",
    "mail.protection.office365.us": "Microsoft 365 Government",
    "mail.protection.partner.outlook.cn": "Microsoft 365 China",
    "olc.protection.outlook.com": "Outlook.com",
    "aspmx.l.google.com": "Google Workspace",
    "google.com": "Google Workspace",
    "googlemail.com": "Google Workspace",
    "smtp.goog": "Google Workspace",
    "pphosted.com": "Proofpoint",
    "ppe-hosted.com": "Proofpoint Essentials",
    "gpphosted.com": "Proofpoint",
    "mimecast.com": "Mimecast",
    "mimecast.co.za": "Mimecast",
    "mimecast-offshore.com": "Mimecast",
    "iphmx.com": "Cisco Secure Email",
    "messagelabs.com": "Symantec Email Security.cloud",
    "barracudanetworks.com": "Barracuda",
    "trendmicro.com": "Trend Micro",
    "trendmicro.eu": "Trend Micro",
    "in.hes.trendmicro.com": "Trend Micro",
    "mx.sophos.com": "Sophos Email",
    "prod.hydra.sophos.com": "Sophos Email",
    "fortimailcloud.com": "FortiMail Cloud",
    "fireeyecloud.com": "Trellix",
    "antispamcloud.com": "SpamExperts",
    "mtaroutes.com": "N-able Mail Assure",
    "hornetsecurity.com": "Hornetsecurity",
    "antispameurope.com": "Hornetsecurity",
    "retarus.com": "Retarus",
    "eleven.de": "eleven",
    "cloudflare.net": "Cloudflare Email Routing",
    "amazonaws.com": "Amazon SES",
    "awsapps.com": "Amazon WorkMail",
    "messagingengine.com": "Fastmail",
    "protonmail.ch": "Proton Mail",
    "tutanota.de": "Tuta",
    "zoho.com": "Zoho Mail",
    "zoho.eu": "Zoho Mail",
    "zoho.in": "Zoho Mail",
    "yandex.net": "Yandex 360",
    "yandex.ru": "Yandex 360",
    "mail.ru": "Mail.ru",
    "icloud.com": "iCloud Mail",
    "mailbox.org": "mailbox.org",
    "posteo.de": "Posteo",
    "kundenserver.de": "IONOS",
    "ionos.com": "IONOS",
    "ionos.de": "IONOS",
    "ionos.co.uk": "IONOS",
    "rzone.de": "STRATO",
    "ovh.net": "OVHcloud",
    "gandi.net": "Gandi",
    "infomaniak.ch": "Infomaniak",
    "mxhichina.com": "Alibaba Mail",
    "qq.com": "Tencent Exmail",
    "secureserver.net": "GoDaddy",
    "registrar-servers.com": "Namecheap",
    "privateemail.com": "Namecheap",
    "hostinger.com": "Hostinger",
    "one.com": "one.com",
    "transip.email": "TransIP",
    "mailgun.org": "Mailgun",
    "sendgrid.net": "SendGrid",
    "emailsrvr.com": "Rackspace Email",
    "migadu.com": "Migadu",
    "improvmx.com": "ImprovMX",
    "forwardemail.net": "Forward Email",
    "simplelogin.co": "SimpleLogin",
    "bund.de": "ITZBund",
}

PROVIDER_NAMES = tuple(sorted(set(SUFFIXES.values())))


def find_provider(mx_hosts: Iterable[str]) -> str | None:
    """Give the provider that most of the MX hosts belong to, or None where none is known.

    >>> find_provider(["example-com.mail.protection.outlook.com"])
    'Microsoft 365'
    """
    counts = Counter(name for host in mx_hosts if (name := _find_by_suffix(fold_name(host))))
    return counts.most_common(1)[0][0] if counts else None


def _find_by_suffix(host: str) -> str | None:
    labels = host.split(".")
    # The longest suffix first, never the top-level domain alone.
    for start in range(len(labels) - 1):
        found = SUFFIXES.get(".".join(labels[start:]))
        if found is not None:
            return found
    return None
