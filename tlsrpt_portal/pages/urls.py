"""The addresses of people's pages."""

from django.urls import include, path

from accounts import views as accounts_views
from alerts import urls as alerts_urls
from domains import urls as domains_urls
from reports.views import report_page
from tlsrpt_portal.pages.domain import domain_page
from tlsrpt_portal.pages.domains import DomainList
from tlsrpt_portal.pages.failures import failure_group, failures
from tlsrpt_portal.pages.incident import incident_page
from tlsrpt_portal.pages.jump import jump
from tlsrpt_portal.pages.overview import overview
from tlsrpt_portal.pages.reporters import reporters

domains = [
    path("", DomainList.as_view(), name="list"),
    *domains_urls.urlpatterns,
    path("<str:name>/", domain_page, name="detail"),
]

alerts = [
    *alerts_urls.urlpatterns,
    path("<int:pk>/", incident_page, name="incident"),
]

failure_urls = [
    path("", failures, name="list"),
    path("group/", failure_group, name="group"),
]

urlpatterns = [
    path("", overview, name="overview"),
    path("jump/", jump, name="jump"),
    path("setup/<str:token>/", accounts_views.set_up, name="set-up"),
    path("domains/", include((domains, "domains"))),
    path("failures/", include((failure_urls, "failures"))),
    path("reports/", include("reports.urls")),
    path("reports/<int:pk>/", report_page, name="report"),
    path("reporters/", include(([path("", reporters, name="list")], "reporters"))),
    path("incidents/", include((alerts, "alerts"))),
]
