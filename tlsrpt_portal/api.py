"""`/api/v1/`: the routers of the apps, with one way in and errors in one shape."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.parser import Parser

from accounts.api import TokenAuth
from alerts.api import router as incidents
from alerts.lifecycle import NotPossible
from domains.api import router as domains
from domains.exceptions_api import router as exceptions
from reports.api import router as reports

logger = logging.getLogger(__name__)


def _with_token(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the description to those who may call."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request, "token_user", None) is None:
            return JsonResponse({"detail": "Unauthorized"}, status=401)
        return view(request, *args, **kwargs)

    return guarded


_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


class _StorableParser(Parser):
    """Reads a JSON body, and refuses text that no database keeps.

    PostgreSQL knows no zero byte, and half a surrogate pair cannot be encoded.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        """Give the body's value; what cannot be stored is told apart from what is no JSON."""
        body = super().parse_body(request)
        if not _is_storable(body):
            raise HttpError(422, "A text holds a zero byte or half a surrogate pair. Leave it out.")
        return body


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, dict):
        return all(_is_storable(part) for part in value.values())
    return not isinstance(value, list) or all(_is_storable(part) for part in value)


class FaultOut(Schema):
    """A field of the body or the query, and what is wrong with it."""

    type: str
    loc: list[str | int]
    msg: str


class ErrorOut(Schema):
    """Why a call was refused: in words, or field by field."""

    detail: str | list[FaultOut]


class _DescribedApi(NinjaAPI):
    """Describes with each call what it answers where it fails, which is alike for all."""

    def get_openapi_schema(self, **place: Any) -> OpenAPISchema:
        """Give the description."""
        described = super().get_openapi_schema(**place)
        schemas = described["components"]["schemas"]
        for model in (FaultOut, ErrorOut):
            schemas[model.__name__] = model.model_json_schema(ref_template=REF_TEMPLATE)
        schemas["ErrorOut"].pop("$defs")
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
        failed = {"description": "Refused or not found", "content": content}
        for calls in described["paths"].values():
            for call in calls.values():
                call["responses"]["default"] = failed
        return described


api = _DescribedApi(
    title="TLS-RPT Portal",
    version="1",
    description="Send a token from Settings as `Authorization: Bearer …`.",
    auth=TokenAuth(),
    parser=_StorableParser(),
    docs_url=None,
    docs_decorator=_with_token,
)
api.add_router("/domains", domains)
api.add_router("/exceptions", exceptions)
api.add_router("/incidents", incidents)
api.add_router("", reports)


@api.exception_handler(PermissionDenied)
def _refuse(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=403)


@api.exception_handler(ValidationError)
def _explain(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return api.create_response(request, {"detail": " ".join(error.messages)}, status=422)


@api.exception_handler(HttpError)
def _answer(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja words every fault of a body alike and keeps ours as the cause.
    told = error.__cause__ if isinstance(error.__cause__, HttpError) else error
    return api.create_response(request, {"detail": str(told)}, status=told.status_code)


@api.exception_handler(NotPossible)
def _not_now(request: HttpRequest, error: NotPossible) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=409)


@api.exception_handler(Exception)
def _fail(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("A call of the API failed.", exc_info=error)
    words = "The portal could not do this. What went wrong is in its log."
    return api.create_response(request, {"detail": words}, status=500)


def _told_as_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer in the one shape where Ninja, of a method that no call has, answers in words."""

    @wraps(view)
    def told(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        if not isinstance(answer, HttpResponseNotAllowed):
            return answer
        allowed = ", ".join(sorted(answer["Allow"].split(", ")))
        detail = f"Method Not Allowed: {request.method}. Use {allowed}."
        return JsonResponse({"detail": detail}, status=405, headers={"Allow": allowed})

    return told


def _with_known_parameters(view: Callable[..., HttpResponse], path: str) -> Callable[..., Any]:
    """Refuse a query parameter that the call does not know: a misspelt filter would be answered
    like one that narrows, with everything."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        known = _parameters().get(path)
        if request.method != "GET" or known is None or answer.status_code >= 400:
            return answer
        if not (unknown := sorted(set(request.GET) - known)):
            return answer
        words = f"Not a parameter of this call; it has {', '.join(sorted(known)) or 'none'}."
        faults = [
            FaultOut(type="extra_forbidden", loc=["query", name], msg=words).model_dump()
            for name in unknown
        ]
        return JsonResponse({"detail": faults}, status=422)

    return checked


@cache
def _parameters() -> dict[str, set[str]]:
    """Give the names of the query parameters of each call that reads, by path."""
    return {
        path: {one["name"] for one in calls["get"]["parameters"] if one["in"] == "query"}
        for path, calls in api.get_openapi_schema(path_prefix="")["paths"].items()
        if "get" in calls
    }


@csrf_exempt  # it changes nothing, and whoever sends a token has no cookie
@login_not_required
def no_such_call(request: HttpRequest) -> HttpResponse:
    """Answer for an address below the API's that leads to no call."""
    return JsonResponse({"detail": "Not Found"}, status=404)


patterns, app_name, namespace = api.urls
for pattern in patterns:
    # The API answers 401 itself; a redirect to the log-in page helps no script.
    if pattern.callback is not None:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        told = _with_known_parameters(_told_as_json(pattern.callback), path)
        pattern.callback = login_not_required(told)
