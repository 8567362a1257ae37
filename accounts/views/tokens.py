"""A person's own API tokens."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.requests import person
from accounts.services.tokens import create_token, revoke_token


def tokens(request: HttpRequest) -> HttpResponse:
    """List the person's tokens, and make one; its secret is shown this one time."""
    user = person(request)
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=int(days)) if days else None
        _, secret = create_token(user, form.cleaned_data["name"], expires_at)
        form = TokenForm()
    context = {
        "tokens": user.api_tokens.filter(revoked_at=None),
        "form": form,
        "secret": secret,
        "now": timezone.now(),
    }
    return render(request, "settings/tokens.html", context)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's tokens."""
    token = get_object_or_404(ApiToken, pk=pk, user=person(request), revoked_at=None)
    revoke_token(token)
    messages.success(request, f"The token {token.name} works no longer.")
    return redirect("settings:tokens")
