"""Messages by e-mail, through the server of EMAIL_URL."""

from __future__ import annotations

import logging
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from alerts.errors import DeliveryFailed
from alerts.messages import Message

logger = logging.getLogger(__name__)


def send_email(address: str, message: Message) -> None:
    """Send one mail, or raise DeliveryFailed."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[address],
        headers={
            # The same event to the same address has the same id, and all mails of an incident
            # form one thread.
            "Message-ID": f"<{message.key}@{host}>",
            "References": f"<{message.thread}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(message.html, "text/html")
    connection = get_connection()
    try:
        connection.open()
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise DeliveryFailed(
            f"The mail server refused the address with {code}: {words.decode(errors='replace')}",
            is_permanent=code >= 500,
        ) from error
    except smtplib.SMTPResponseException as error:
        # A refused log-in or sender is the operator's to mend; the message waits for it.
        raise DeliveryFailed(
            f"The mail server answered {error.smtp_code}.", is_permanent=False
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailed(
            f"The mail server could not be reached: {error}", is_permanent=False
        ) from error
    finally:
        _leave(connection)


def _leave(connection: BaseEmailBackend) -> None:
    """Say goodbye. The server has answered for the mail: what goes wrong now does not undo it."""
    try:
        connection.close()
    except (smtplib.SMTPException, OSError) as error:
        logger.info("the mail server did not end the session cleanly: %s", error)
