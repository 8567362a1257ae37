"""Addresses of reports, the inbox, intakes and mailboxes; the list of reports joins apps and stands
above."""

from django.urls import path

from reports.views import inbox, intakes, mailboxes, reports

# The page of one report has a name without a namespace: models link to it.
urlpatterns = [
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
    path("mailboxes/", mailboxes.mailboxes, name="mailboxes"),
    path("mailboxes/<int:pk>/", mailboxes.mailbox_page, name="mailbox"),
    path("mailboxes/<int:pk>/test/", mailboxes.test_mailbox, name="test_mailbox"),
    path("mailboxes/<int:pk>/remove/", mailboxes.remove_mailbox, name="remove_mailbox"),
]
