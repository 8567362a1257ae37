"""Addresses of what people do with domains; list and detail pages join apps and stand above."""

from django.urls import path

from domains import views

urlpatterns = [
    path("import/", views.import_page, name="import"),
    path("chosen/check/", views.check_chosen, name="check_chosen"),
    path("chosen/edit/", views.edit_chosen, name="edit_chosen"),
    path("chosen/remove/", views.delete_chosen, name="delete_chosen"),
    path("<str:name>/edit/", views.edit_page, name="edit"),
    path("<str:name>/check/", views.check, name="check"),
    path("<str:name>/remove/", views.delete, name="delete"),
]
