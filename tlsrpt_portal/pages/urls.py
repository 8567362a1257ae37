"""The addresses of people's pages."""

from django.urls import include, path
from django.views.generic import RedirectView

from accounts import urls as accounts_urls
from accounts.views.set_up import set_up
from alerts import urls as alerts_urls
from domains import urls as domains_urls
from reports import urls as reports_urls
from reports.views.reports import report_page
from tlsrpt_portal.pages.coverage import coverage_page
from tlsrpt_portal.pages.coverage_domains import DomainsOfDay
from tlsrpt_portal.pages.coverage_paper import coverage_paper
from tlsrpt_portal.pages.domain import domain_page
from tlsrpt_portal.pages.domains import DomainList
from tlsrpt_portal.pages.failure_group import failure_group
from tlsrpt_portal.pages.failures import failures
from tlsrpt_portal.pages.incident import incident_page
from tlsrpt_portal.pages.jump import jump
from tlsrpt_portal.pages.overview import overview
from tlsrpt_portal.pages.reporters import reporters
from tlsrpt_portal.pages.reports import PortalReports
from tlsrpt_portal.pages.rollout import rollout
from tlsrpt_portal.pages.start import start
from tlsrpt_portal.pages.system import system
from tlsrpt_portal.pages.what_if import what_if

domains = [
    path("", DomainList.as_view(), name="list"),
    *domains_urls.urlpatterns,
    path("<str:name>/", domain_page, name="detail"),
]

alerts = [
    *alerts_urls.urlpatterns,
    path("<int:pk>/", incident_page, name="incident"),
]

coverage_urls = [
    path("domains/", DomainsOfDay.as_view(), name="domains"),
    *domains_urls.coverage_urlpatterns,
]

report_list = [
    path("", PortalReports.as_view(), name="list"),
    *reports_urls.urlpatterns,
]

failure_urls = [
    path("", failures, name="list"),
    path("group/", failure_group, name="group"),
]

settings_urls = [
    path("", RedirectView.as_view(pattern_name="settings:teams"), name="start"),
    *accounts_urls.settings_urlpatterns,
    *alerts_urls.settings_urlpatterns,
    *reports_urls.settings_urlpatterns,
    path("system/", system, name="system"),
]

urlpatterns = [
    path("", overview, name="overview"),
    path("jump/", jump, name="jump"),
    path("start/", start, name="start"),
    path("coverage/", coverage_page, name="coverage"),
    path("coverage/print/", coverage_paper, name="coverage-paper"),
    path("coverage/", include((coverage_urls, "coverage"))),
    path("rollout/", rollout, name="rollout"),
    path("rollout/what-if/", what_if, name="what-if"),
    path("setup/<str:token>/", set_up, name="set-up"),
    path("domains/", include((domains, "domains"))),
    path("failures/", include((failure_urls, "failures"))),
    path("reports/", include((report_list, "reports"))),
    path("reports/<int:pk>/", report_page, name="report"),
    path("reporters/", include(([path("", reporters, name="list")], "reporters"))),
    path("inbox/", include((reports_urls.inbox_urlpatterns, "inbox"))),
    path("tools/", include((domains_urls.tools_urlpatterns, "tools"))),
    path("views/", include((accounts_urls.views_urlpatterns, "views"))),
    path("settings/", include((settings_urls, "settings"))),
    path("incidents/", include((alerts, "alerts"))),
]
