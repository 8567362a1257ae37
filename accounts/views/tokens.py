"""API tokens: a person's own, and those of everybody for administrators."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access
from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.requests import person
from accounts.services.tokens import create_token, revoke_token
from webui.exports import Sheet, asked_file

TOKENS_PER_PAGE = 100


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


def all_tokens(request: HttpRequest) -> HttpResponse:
    """Which scripts act as whom, and is any of them no longer wanted? For administrators."""
    access.require_administrator(request.user)
    held = ApiToken.objects.filter(revoked_at=None).order_by("user__email", "name")
    if file := asked_file(request, tokens_sheet(held)):
        return file
    rows = held.select_related("user").prefetch_related("user__memberships__team")
    context = {
        "page": Paginator(rows, TOKENS_PER_PAGE).get_page(request.GET.get("page")),
        "now": timezone.now(),
    }
    return render(request, "settings/all_tokens.html", context)


def tokens_sheet(held: QuerySet[ApiToken]) -> Sheet:
    """Give whose tokens they are and until when they work; nothing of their secrets."""
    return Sheet(
        name="tokens",
        file_name="api-tokens",
        header=("Token", "Person", "E-mail", "May do", "Made", "Last used", "Works until"),
        rows=lambda: (
            (
                token.name,
                token.user.name,
                token.user.email,
                token.user.scope,
                token.created_at,
                token.last_used_at,
                token.expires_at or "without end",
            )
            for token in held.select_related("user")
            .prefetch_related("user__memberships__team")
            .order_by("user__email", "name")
        ),
    )


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's tokens."""
    token = get_object_or_404(ApiToken, pk=pk, user=person(request), revoked_at=None)
    revoke_token(token)
    messages.success(request, f"The token {token.name} works no longer.")
    return redirect("settings:tokens")


@require_POST
def revoke_anybodys(request: HttpRequest, pk: int) -> HttpResponse:
    """End the token of whomever it is; the audit log says by whom and whose."""
    access.require_administrator(request.user)
    token = get_object_or_404(ApiToken.objects.select_related("user"), pk=pk, revoked_at=None)
    revoke_token(token)
    messages.success(request, f"The token {token.name} of {token.user} works no longer.")
    return redirect("settings:all_tokens")
