"""Addresses of what people do with domains; list and detail pages join apps and stand above."""

from django.urls import path

from domains.views import dns_kit, exceptions, hosted_policy, imports, inventory, tools, versions

urlpatterns = [
    path("import/", imports.import_page, name="import"),
    path("imports/", imports.ImportList.as_view(), name="imports"),
    path("imports/<int:pk>/", imports.ImportPage.as_view(), name="import_job"),
    path("imports/<int:pk>/confirm/", imports.confirm, name="confirm_import"),
    path("imports/<int:pk>/discard/", imports.discard, name="discard_import"),
    path("chosen/check/", inventory.check_chosen, name="check_chosen"),
    path("chosen/edit/", inventory.edit_chosen, name="edit_chosen"),
    path("chosen/remove/", inventory.delete_chosen, name="delete_chosen"),
    path("chosen/except/", exceptions.grant_chosen, name="except_chosen"),
    path("chosen/dns-kit/", dns_kit.kit_chosen, name="dns_kit_chosen"),
    path("<str:name>/edit/", inventory.edit_page, name="edit"),
    path("<str:name>/policy/", hosted_policy.policy_page, name="policy"),
    path("<str:name>/versions/<str:kind>/", versions.versions_page, name="versions"),
    path("<str:name>/check/", inventory.check, name="check"),
    path("<str:name>/remove/", inventory.delete, name="delete"),
]

tools_urlpatterns = [
    path("", tools.checker, name="checker"),
    path("generators/", tools.generators, name="generators"),
    path("dns-kit/", dns_kit.kit, name="dns_kit"),
    path("dns-kit/verify/", dns_kit.kit_verify, name="dns_kit_verify"),
]

coverage_urlpatterns = [
    path("exceptions/", exceptions.ExceptionList.as_view(), name="exceptions"),
    path("exceptions/<int:pk>/", exceptions.exception_page, name="exception"),
    path("exceptions/<int:pk>/renew/", exceptions.renew, name="renew_exception"),
    path("exceptions/<int:pk>/end/", exceptions.end, name="end_exception"),
]
