"""The first administrator."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import SetUpForm
from accounts.services.set_up import (
    SetupLinkInvalid,
    create_first_administrator,
    find_setup_link,
    is_set_up,
)

LOGIN_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@login_not_required
@never_cache
@sensitive_post_parameters("password", "password_again")
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first administrator with the one-time link, and log in."""
    if find_setup_link(token) is None:
        return render(
            request, "accounts/setup_invalid.html", {"is_set_up": is_set_up()}, status=410
        )
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = create_first_administrator(
                token,
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
            )
        except SetupLinkInvalid as error:
            form.add_error(None, str(error))
        else:
            login(request, user, backend=LOGIN_BACKEND)
            messages.success(request, f"Welcome, {user}. Now add the domains to watch.")
            return redirect("domains:import")
    return render(request, "accounts/setup.html", {"form": form})
