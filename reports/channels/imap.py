"""Mailboxes by IMAP: each mail is stored before it is marked, fetched once, and filed later.

What it was is known once it has been read, so the next poll moves it where it belongs.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import imapclient
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from imapclient.exceptions import IMAPClientError

from accounts import sealing
from mailtls.limits import MIB
from mailtls.mail import sender_of
from mailtls.report.notes import MAIL_TOO_LARGE
from reports.models import Channel, Mailbox, MailSecurity, Outcome, Receipt, UnfiledMail
from reports.services.accept import Provenance, accept, refuse
from reports.services.edit_mailboxes import SECRET_PURPOSE
from reports.services.process import mail_bytes

logger = logging.getLogger(__name__)

Connect = Callable[[Mailbox], Any]

_AT_ONCE = 50
_MOST_FILED = 1_000
# A mailbox with years of mail in it goes on in the next poll; others come first then.
_FETCH_FOR_S = 120.0
_TIMEOUT = imapclient.SocketTimeout(connect=15, read=60)
# A worker that was killed leaves its claim behind.
_CLAIM_LASTS = timedelta(minutes=10)


class MailboxFailedError(Exception):
    """A mailbox could not be read; the message says why, without secrets."""


def poll_mailboxes(*, connect: Connect | None = None) -> int:
    """Fetch what is new in every active mailbox; give how many mails were stored.

    A mailbox that fails keeps its error and holds up no other.
    """
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - _CLAIM_LASTS)
    stored = 0
    for mailbox in Mailbox.objects.filter(free, is_active=True).order_by("polled_at"):
        mine = Mailbox.objects.filter(free, pk=mailbox.pk)
        if not mine.update(claimed_at=now):
            continue
        state: dict[str, Any] = {"failing_since": None, "last_error": ""}
        try:
            stored += poll(mailbox, connect=connect)
        except MailboxFailedError as error:
            logger.warning("mailbox %s could not be read: %s", mailbox.pk, error)
            since = mailbox.failing_since or now
            state = {"failing_since": since, "last_error": str(error)[:500]}
        # After anything else that was raised the claim stays, and holds up no other mailbox.
        state |= {"polled_at": timezone.now(), "claimed_at": None}
        Mailbox.objects.filter(pk=mailbox.pk).update(**state)
    return stored


def poll(mailbox: Mailbox, *, connect: Connect | None = None) -> int:
    """Store what is new in a mailbox; give how many mails. Raises `MailboxFailedError`."""
    stored = 0
    started = time.monotonic()
    with _connected(mailbox, connect or _connect) as client:
        selected = client.select_folder(mailbox.folder)
        _start_again_if_new(mailbox, int(selected.get(b"UIDVALIDITY", 0)))
        problem = _file(client, mailbox)
        found = client.search(["UID", f"{mailbox.last_uid + 1}:*"])
        # "n:*" also finds the last mail where none is new (RFC 3501 section 6.4.8).
        uids = sorted(uid for uid in found if uid > mailbox.last_uid)
        for start in range(0, len(uids), _AT_ONCE):
            if time.monotonic() - started > _FETCH_FOR_S:
                break
            chunk = uids[start : start + _AT_ONCE]
            sizes = client.fetch(chunk, ["RFC822.SIZE"])
            for uid in chunk:
                size = sizes.get(uid, {}).get(b"RFC822.SIZE", 0)
                stored += _take(client, mailbox, uid, size)
    if problem:
        raise MailboxFailedError(problem)
    return stored


def check_connection(mailbox: Mailbox, *, connect: Connect | None = None) -> int:
    """Give how many mails the folder holds, changing nothing. Raises `MailboxFailedError`."""
    with _connected(mailbox, connect or _connect) as client:
        return int(client.select_folder(mailbox.folder, readonly=True).get(b"EXISTS", 0))


def _start_again_if_new(mailbox: Mailbox, uid_validity: int) -> None:
    """Forget how far we came when the server has numbered the mails anew (RFC 3501 2.3.1.1)."""
    if mailbox.uid_validity != uid_validity:
        mailbox.uid_validity, mailbox.last_uid = uid_validity, 0
        mailbox.save(update_fields=["uid_validity", "last_uid"])


def _take(client: Any, mailbox: Mailbox, uid: int, size: int) -> bool:
    """Store one mail and note that it is; say whether there was one."""
    limit = mail_bytes(settings.INTAKE_MAX_MEGABYTES * MIB)
    part = "HEADER" if size > limit else ""
    found: bytes | None = (
        client.fetch([uid], [f"BODY.PEEK[{part}]"]).get(uid, {}).get(f"BODY[{part}]".encode())
    )
    content = None if part else found
    source = Provenance(
        channel=Channel.IMAP,
        sender=sender_of(found or b""),
        recipient=f"{mailbox.name}/{uid}",
    )
    with transaction.atomic():
        receipt = None
        if content is not None:
            receipt = accept(content, source)
        elif size > limit:
            receipt = refuse(source, MAIL_TOO_LARGE, bytes=size, limit=limit)
        if receipt is not None and (mailbox.done_folder or mailbox.failed_folder):
            UnfiledMail.objects.create(
                mailbox=mailbox, receipt=receipt, uid_validity=mailbox.uid_validity, uid=uid
            )
        Mailbox.objects.filter(pk=mailbox.pk).update(last_uid=uid)
    mailbox.last_uid = uid
    if content is not None:
        _mark(client, mailbox, uid)
    return content is not None


def _mark(client: Any, mailbox: Mailbox, uid: int) -> None:
    """Mark a stored mail as read. That it cannot be is no reason not to go on."""
    try:
        client.add_flags([uid], [imapclient.SEEN])
    except IMAPClientError as error:
        logger.warning("mail %d of mailbox %s was not marked: %s", uid, mailbox.pk, error)


def _file(client: Any, mailbox: Mailbox) -> str:
    """Move mails whose outcome is known by now; give why some could not be, if so.

    Those are tried again by the next poll.
    """
    # Numbers from before the server numbered anew lead to other mails.
    mailbox.unfiled.exclude(uid_validity=mailbox.uid_validity).delete()
    known = mailbox.unfiled.exclude(receipt__outcome=Outcome.PENDING).order_by("uid")
    by_folder: defaultdict[str, list[UnfiledMail]] = defaultdict(list)
    for mail in known.select_related("receipt")[:_MOST_FILED]:
        by_folder[_folder_for(mailbox, mail.receipt)].append(mail)
    problem = ""
    for folder, mails in by_folder.items():
        try:
            if folder:
                client.move([mail.uid for mail in mails], folder)
        except IMAPClientError as error:
            logger.warning("mails of mailbox %s were not moved: %s", mailbox.pk, error)
            problem = f"Mails cannot be moved to {folder}: {error}"
        else:
            UnfiledMail.objects.filter(pk__in=[mail.pk for mail in mails]).delete()
    return problem


def _folder_for(mailbox: Mailbox, receipt: Receipt) -> str:
    is_failed = receipt.outcome == Outcome.REJECTED
    return mailbox.failed_folder if is_failed else mailbox.done_folder


@contextmanager
def _connected(mailbox: Mailbox, connect: Connect) -> Iterator[Any]:
    try:
        with connect(mailbox) as client:
            yield client
    except sealing.CannotUnseal as error:
        raise MailboxFailedError(f"The secret cannot be read. {error}") from error
    except (IMAPClientError, OSError, httpx2.HTTPError) as error:
        text = f"{mailbox.host}, port {mailbox.port}: {_in_words(error)}"
        raise MailboxFailedError(text) from error


def _in_words(error: Exception) -> str:
    """Say what is wrong and what to look at; what a server itself answers stays as it said it."""
    match error:
        case socket.gaierror():
            return "no such server. Look at the name of the IMAP server."
        case ConnectionRefusedError():
            return "nobody takes connections there. Look at the port; with TLS it is mostly 993."
        case TimeoutError():
            return "no answer. Look at the port, and at the firewalls between."
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}."
        case ssl.SSLError():
            return "no TLS there. Look at the port and at Security."
    # imapclient shows the bytes of an answer as Python would write them.
    return re.sub(r"^b(['\"])(.*)\1$", r"\2", str(error)) or type(error).__name__


def _connect(mailbox: Mailbox) -> imapclient.IMAPClient:
    context = ssl.create_default_context()
    is_tls = mailbox.security == MailSecurity.TLS
    client = imapclient.IMAPClient(
        mailbox.host,
        port=mailbox.port,
        ssl=is_tls,
        ssl_context=context if is_tls else None,
        timeout=_TIMEOUT,
    )
    try:
        _log_in(client, mailbox, context)
    except BaseException:
        client.shutdown()
        raise
    return client


def _log_in(client: imapclient.IMAPClient, mailbox: Mailbox, context: ssl.SSLContext) -> None:
    if mailbox.security == MailSecurity.STARTTLS:
        client.starttls(context)
    secret = json.loads(sealing.unseal(mailbox.secret, SECRET_PURPOSE))
    if "password" in secret:
        client.login(mailbox.username, secret["password"])
    else:
        client.oauth2_login(mailbox.username, _access_token(secret))


def _access_token(secret: dict[str, str]) -> str:
    """Get an access token by the refresh token (RFC 6749 section 6): Microsoft 365 and Google."""
    form = {
        "grant_type": "refresh_token",
        "client_id": secret["client_id"],
        "client_secret": secret["client_secret"],
        "refresh_token": secret["refresh_token"],
    }
    response = httpx2.post(secret["token_url"], data=form, timeout=15.0)
    try:
        response.raise_for_status()
        return str(response.json()["access_token"])
    except (ValueError, KeyError, TypeError) as error:
        raise MailboxFailedError("The token server gave no access token.") from error
