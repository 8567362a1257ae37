"""Addresses of incidents; the page of one joins reports and stands above."""

from django.urls import path

from alerts import views

urlpatterns = [
    path("", views.IncidentList.as_view(), name="incidents"),
    path("<int:pk>/<slug:deed>/", views.act, name="act"),
]
