"""A person's own API tokens."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.requests import person
from accounts.services.tokens import create_token, revoke_token
from webui.exports import Sheet, asked_file


def tokens(request: HttpRequest) -> HttpResponse:
    """List the person's tokens, and make one; its secret is shown this one time."""
    user = person(request)
    held = user.api_tokens.filter(revoked_at=None)
    if file := asked_file(request, tokens_sheet(held)):
        return file
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=int(days)) if days else None
        _, secret = create_token(user, form.cleaned_data["name"], expires_at)
        form = TokenForm()
    context = {
        "tokens": held,
        "form": form,
        "secret": secret,
        "now": timezone.now(),
    }
    return render(request, "settings/tokens.html", context)


def tokens_sheet(held: QuerySet[ApiToken]) -> Sheet:
    """Give whose tokens they are and until when they work; nothing of their secrets."""
    return Sheet(
        name="tokens",
        file_name="api-tokens",
        header=("Token", "Person", "E-mail", "Made", "Last used", "Works until"),
        rows=lambda: (
            (
                token.name,
                token.user.name,
                token.user.email,
                token.created_at,
                token.last_used_at,
                token.expires_at or "without end",
            )
            for token in held.select_related("user").order_by("user__email", "name")
        ),
    )


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's tokens."""
    token = get_object_or_404(ApiToken, pk=pk, user=person(request), revoked_at=None)
    revoke_token(token)
    messages.success(request, f"The token {token.name} works no longer.")
    return redirect("settings:tokens")
