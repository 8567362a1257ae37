"""What the pages have in common that a list leads to with its chosen rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

View = Callable[[HttpRequest], HttpResponse]


def posted_by_list(view: View) -> View:
    """Give the view for what the list of domains posts; whoever asks otherwise is led there.

    Such a page has an address that people see: they press Enter on it, and a log-in leads back.
    """
    posted = require_POST(view)

    @wraps(view)
    def lead(request: HttpRequest) -> HttpResponse:
        if request.method != "GET":
            return posted(request)
        messages.info(request, "Nothing was changed. Choose domains here first.")
        return redirect("domains:list")

    return lead
