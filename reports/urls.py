"""Addresses of reports, the inbox and intakes."""

from django.urls import path

from reports.views import inbox, intakes, reports

# The page of one report has a name without a namespace: models link to it.
urlpatterns = [
    path("", reports.ReportList.as_view(), name="list"),
    path("upload/", reports.upload, name="upload"),
    path("<int:pk>/json/", reports.report_json, name="json"),
]

inbox_urlpatterns = [
    path("", inbox.inbox, name="list"),
    path("retry/", inbox.retry_receipts, name="retry"),
    path("unmanaged/", inbox.unmanaged, name="unmanaged"),
    path("<int:pk>/", inbox.receipt_page, name="receipt"),
    path("<int:pk>/raw/", inbox.receipt_raw, name="raw"),
]

settings_urlpatterns = [
    path("intakes/", intakes.intakes, name="intakes"),
    path("intakes/<int:pk>/revoke/", intakes.revoke, name="revoke_intake"),
]
