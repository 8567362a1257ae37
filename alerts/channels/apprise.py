"""Messages through Apprise: Slack, Teams, PagerDuty, Mattermost, webhooks and the rest."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from typing import Any

from alerts.channels.answers import failure_of
from alerts.errors import DeliveryFailed
from alerts.messages import Message

REPETITION = "Perhaps you have this already: the process that sent it stopped before it knew."
# The answers a send hears, as (status, Retry-After); None while nobody listens.
_heard: ContextVar[list[tuple[int, str | None]] | None] = ContextVar("heard", default=None)


def send_apprise(url: str, message: Message) -> None:
    """Send one message to an Apprise URL, or raise DeliveryFailed. The URL is never named."""
    # Half a second and 40 MB: only processes that deliver pay for it.
    import apprise

    _listen()
    sender = apprise.Apprise()
    if not sender.add(url):
        raise DeliveryFailed("Apprise does not understand the address.", is_permanent=True)
    # Chats know no Idempotency-Key: the reader has to be told.
    body = f"{message.text}\n{REPETITION}\n" if message.is_repetition else message.text
    answers: list[tuple[int, str | None]] = []
    token = _heard.set(answers)
    try:
        is_sent = sender.notify(
            title=message.subject, body=body, body_format=apprise.NotifyFormat.TEXT
        )
    finally:
        _heard.reset(token)
    if not is_sent:
        said = failure_of("The service", *answers[-1]) if answers else None
        raise said or DeliveryFailed("The service did not take the message.", is_permanent=False)


def is_understood(url: str) -> bool:
    """Say whether Apprise knows what to do with the address."""
    import apprise

    return bool(apprise.Apprise().add(url))


@cache
def _listen() -> None:
    """Hear the answers Apprise gets: it tells only whether a message was taken.

    Its plugins call `requests`, whose every answer comes through this one method. Nothing changes
    for others that use it.
    """
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def send_and_note(self: HTTPAdapter, *args: Any, **kwargs: Any) -> Any:
        response = send(self, *args, **kwargs)
        heard = _heard.get()
        if heard is not None:
            heard.append((response.status_code, response.headers.get("Retry-After")))
        return response

    HTTPAdapter.send = send_and_note  # type: ignore[method-assign]
