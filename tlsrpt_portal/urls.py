"""Every address of the portal."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse_lazy
from django.views.defaults import page_not_found
from django.views.generic import RedirectView

from tlsrpt_portal import api, health, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/v1/", (api.patterns, api.app_name, api.namespace)),
    re_path("^api/v1/", api.no_such_call),
    # Who has chosen a password wants to log in; allauth's own page leads nowhere.
    path(
        "accounts/password/reset/key/done/",
        login_not_required(RedirectView.as_view(url=reverse_lazy("account_login"))),
    ),
    # An address is given by an administrator. allauth's pages for changing and confirming one would
    # let people change theirs past the audit log.
    re_path("^accounts/(?:confirm-)?email/", page_not_found, {"exception": Http404()}),
    path("accounts/", include("allauth.urls")),
    path("", include("tlsrpt_portal.pages.urls")),
]
