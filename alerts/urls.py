"""Addresses of incidents, rules and destinations."""

from django.urls import path

from alerts.views import destinations, incidents, rules

# The page of one incident joins reports and stands above.
urlpatterns = [
    path("", incidents.IncidentList.as_view(), name="incidents"),
    path("<int:pk>/<slug:deed>/", incidents.act, name="act"),
]

settings_urlpatterns = [
    path("rules/", rules.rules, name="rules"),
    path("rules/add/", rules.rule_page, name="add_rule"),
    path("rules/<int:pk>/", rules.rule_page, name="rule"),
    path("rules/<int:pk>/remove/", rules.remove_rule, name="remove_rule"),
    path("destinations/", destinations.destinations, name="destinations"),
    path("destinations/add/", destinations.destination_page, name="add_destination"),
    path("destinations/<int:pk>/", destinations.destination_page, name="destination"),
    path("destinations/<int:pk>/test/", destinations.test_destination, name="test_destination"),
    path(
        "destinations/<int:pk>/remove/",
        destinations.remove_destination,
        name="remove_destination",
    ),
]
