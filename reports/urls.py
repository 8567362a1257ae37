"""Addresses of reports."""

from django.urls import path

from reports import views

app_name = "reports"

urlpatterns = [
    path("", views.ReportList.as_view(), name="list"),
    path("upload/", views.upload, name="upload"),
    path("<int:pk>/json/", views.report_json, name="json"),
]
