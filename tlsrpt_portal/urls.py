"""Every address of the portal."""

from django.urls import URLPattern, URLResolver, include, path

from tlsrpt_portal import api, health, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/v1/", (api.patterns, api.app_name, api.namespace)),
    path("accounts/", include("allauth.urls")),
    path("", include("tlsrpt_portal.pages.urls")),
]
