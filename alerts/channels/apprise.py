"""Messages through Apprise: Slack, Teams, PagerDuty, Mattermost, webhooks and the rest."""

from __future__ import annotations

from alerts.errors import DeliveryFailed
from alerts.messages import Message


def send_apprise(url: str, message: Message) -> None:
    """Send one message to an Apprise URL, or raise DeliveryFailed. The URL is never named."""
    # Half a second and 40 MB: only processes that deliver pay for it.
    import apprise

    sender = apprise.Apprise()
    if not sender.add(url):
        raise DeliveryFailed("Apprise does not understand the address.", is_permanent=True)
    sent = sender.notify(
        title=message.subject, body=message.text, body_format=apprise.NotifyFormat.TEXT
    )
    if not sent:
        raise DeliveryFailed("The service did not take the message.", is_permanent=False)


def is_understood(url: str) -> bool:
    """Say whether Apprise knows what to do with the address."""
    import apprise

    return bool(apprise.Apprise().add(url))
