"""Views of lists: keep one, give it other filters, rename, share, open first, forget."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from accounts.forms import SavedViewForm
from accounts.models import SavedView, ViewedPage
from accounts.requests import person
from accounts.services import saved_views as services
from webui.forms import spread_errors


def new(request: HttpRequest) -> HttpResponse:
    """Keep a list's filters under a name."""
    user = person(request)
    asked = request.POST or request.GET
    page = asked.get("list", "")
    if page not in ViewedPage.values:
        raise Http404
    form = SavedViewForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            view = services.save_view(
                user,
                ViewedPage(page),
                form.cleaned_data["name"],
                request.POST.get("query", ""),
                form.chosen_share(),
            )
        except ValidationError as error:
            spread_errors(form, error)
        else:
            if form.cleaned_data["is_first"]:
                services.open_first(user, view.page, view)
            messages.success(request, f"The view {view} is kept.")
            return redirect(view)
    context = {"form": form, "page": ViewedPage(page), "query": asked.get("query", "")}
    return render(request, "accounts/new_view.html", context)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename or share a view; for those who may not, whether their list opens with it."""
    user, view = person(request), _find(request, pk)
    may_change = services.may_change(view, user)
    initial = {
        "name": view.name,
        "share": services.share_value(view),
        "is_first": view.default_of.contains(user),
    }
    form = SavedViewForm(user, request.POST or None, initial=initial)
    if not may_change:
        del form.fields["name"], form.fields["share"]
    if request.method == "POST" and form.is_valid():
        try:
            if may_change:
                name = form.cleaned_data["name"]
                services.change_view(view, user, name=name, share=form.chosen_share())
        except ValidationError as error:
            spread_errors(form, error)
        else:
            if form.cleaned_data["is_first"] != initial["is_first"]:
                first = view if form.cleaned_data["is_first"] else None
                services.open_first(user, view.page, first)
            messages.success(request, f"The view {view} is saved.")
            return redirect(view)
    context = {"form": form, "view": view, "may_change": may_change}
    return render(request, "accounts/edit_view.html", context)


@require_POST
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it the filters that are shown."""
    view = _find(request, pk)
    try:
        services.change_view(view, person(request), query=request.POST.get("query", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The view {view} has these filters now.")
    return redirect(view)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget it."""
    view = _find(request, pk)
    services.delete_view(view, person(request))
    messages.success(request, f"The view {view} is deleted.")
    return redirect(view.page)


def _find(request: HttpRequest, pk: int) -> SavedView:
    rows = SavedView.objects.filter(page__in=ViewedPage.values).select_related("team")
    view = get_object_or_404(rows, pk=pk)
    return get_object_or_404(services.visible_views(person(request), view.page), pk=pk)
