"""The mailboxes that reports are fetched from."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from reports.channels.imap import MailboxFailedError, check_connection
from reports.forms import MailboxForm
from reports.models import Mailbox
from reports.services.edit_mailboxes import change_mailbox, create_mailbox, delete_mailbox


def mailboxes(request: HttpRequest) -> HttpResponse:
    """List the mailboxes a person manages with how they do, and add one."""
    user = person(request)
    if not access.may_anywhere(user, Role.MANAGER):
        raise PermissionDenied("Mailboxes need the role manager.")
    form = MailboxForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        mailbox = create_mailbox(form.mailbox(), form.secret(), user=user)
        _try(request, mailbox)
        return redirect("settings:mailboxes")
    context = {"mailboxes": _managed(request).select_related("team"), "form": form}
    return render(request, "settings/mailboxes.html", context)


def mailbox_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a mailbox, and try it at once."""
    user = person(request)
    mailbox = get_object_or_404(_managed(request), pk=pk)
    form = MailboxForm(user, request.POST or None, held=mailbox)
    if request.method == "POST" and form.is_valid():
        change_mailbox(form.mailbox(), form.secret(), user)
        _try(request, mailbox)
        return redirect("settings:mailboxes")
    return render(request, "settings/mailbox.html", {"form": form})


@require_POST
def test_mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """Connect now and say how it went; changes nothing."""
    _try(request, get_object_or_404(_managed(request), pk=pk))
    return redirect("settings:mailboxes")


@require_POST
def remove_mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch no more from a mailbox."""
    mailbox = get_object_or_404(_managed(request), pk=pk)
    name = mailbox.name
    delete_mailbox(mailbox, person(request))
    messages.success(request, f"{name} is removed. What came from it stays.")
    return redirect("settings:mailboxes")


def _managed(request: HttpRequest) -> QuerySet[Mailbox]:
    return access.managed_by(request.user, Mailbox.objects.all())


def _try(request: HttpRequest, mailbox: Mailbox) -> None:
    try:
        count = check_connection(mailbox)
    except MailboxFailedError as error:
        messages.error(request, f"{mailbox} cannot be read: {error}")
    else:
        messages.success(request, f"{mailbox} answers: {count} mails in {mailbox.folder}.")
