"""Addresses of the settings about people."""

from django.urls import path

from accounts.views import audit_log, people, saved_views, teams, tokens

settings_urlpatterns = [
    path("teams/", teams.teams, name="teams"),
    path("teams/<int:pk>/", teams.team_page, name="team"),
    path("teams/<int:pk>/rename/", teams.rename_team, name="rename_team"),
    path("teams/<int:pk>/remove/", teams.delete_team, name="delete_team"),
    path("teams/<int:pk>/members/<int:user_pk>/", teams.set_role, name="set_role"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/<int:pk>/", people.person_page, name="person"),
    path("people/<int:pk>/active/", people.set_active, name="set_active"),
    path("people/<int:pk>/link/", people.new_link, name="new_link"),
    path(
        "people/<int:pk>/second-factor/", people.remove_second_factor, name="remove_second_factor"
    ),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/everybody/", tokens.all_tokens, name="all_tokens"),
    path("tokens/everybody/<int:pk>/revoke/", tokens.revoke_anybodys, name="revoke_anybodys_token"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="revoke_token"),
    path("audit/", audit_log.AuditLog.as_view(), name="audit"),
]

views_urlpatterns = [
    path("new/", saved_views.new, name="new"),
    path("<int:pk>/", saved_views.edit, name="edit"),
    path("<int:pk>/update/", saved_views.update, name="update"),
    path("<int:pk>/delete/", saved_views.delete, name="delete"),
]
