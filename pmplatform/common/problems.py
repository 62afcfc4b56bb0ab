"""Every error of the API as ``application/problem+json`` (RFC 9457), of the console as a page of its own.

Neither ever shows a traceback.
"""

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from pmplatform.common.errors import FieldError, LockTimeout, PlatformError, Refused, ValidationFailed
from pmplatform.common.middleware import current_request_id
from pmplatform.common.strict_json import key_path

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
_TYPE_PREFIX = "urn:pmplatform:problem:"
_WHOLE_INPUT = "non_field_errors"

logger = logging.getLogger(__name__)


class FieldErrorSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="`account.positions[0].quantity`; empty for the whole input")
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField(help_text="A stable URN, one for each broken rule")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # a field, not the property
    request_id = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField(), required=False)
    figures = serializers.DictField(child=serializers.CharField(), required=False)


def problem_responses(*statuses: HTTPStatus | int) -> dict[tuple[int, str], OpenApiResponse]:
    """The ``responses`` entries of ``extend_schema`` for these statuses, each with an example."""
    return {(status, MEDIA_TYPE): _documented(HTTPStatus(status)) for status in statuses}


def problem_exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Django REST framework's ``EXCEPTION_HANDLER``: answer any exception with a problem document."""
    match error:
        case PlatformError():
            return _of_platform_error(error)
        case exceptions.ValidationError():
            return _of_platform_error(ValidationFailed(_flattened(error.detail, "")))
        case exceptions.APIException():
            return _of_framework_error(error)
        case Http404():
            return _response(HTTPStatus.NOT_FOUND, "There is nothing here for you.")
        case PermissionDenied():
            return _response(HTTPStatus.FORBIDDEN, "You may not do this.")
        case SuspiciousOperation():
            return _response(HTTPStatus.BAD_REQUEST, "The request is not acceptable.")
    logger.error("unexpected error in %s", type(context.get("view")).__name__, exc_info=error)
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it has been logged.")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, HTTPStatus.BAD_REQUEST)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, HTTPStatus.FORBIDDEN, reason=str(exception))


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, HTTPStatus.NOT_FOUND)


def handler500(request: HttpRequest) -> HttpResponse:
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def _answer(request: HttpRequest, status: HTTPStatus, reason: str = "") -> HttpResponse:
    """A problem document for paths of the API that never reached a view of it; a page for the others."""
    if request.path.startswith(API_PREFIX):
        body = _body(status=status, detail=status.description or status.phrase)
        return JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    # Without the request: what its context is made of, the user say, may be what has failed.
    words = {"request_id": current_request_id(), "reason": reason}
    return HttpResponse(render_to_string(f"{status:d}.html", words), status=status)


def _of_platform_error(error: PlatformError) -> Response:
    body = _body(status=error.status, detail=str(error), code=error.code, title=error.title)
    headers = {}
    if isinstance(error, ValidationFailed):
        body["errors"] = [{"path": fault.path, "message": fault.message} for fault in error.errors]
    if isinstance(error, Refused):
        body |= {"reasons": list(error.reasons), "figures": error.figures}
    if isinstance(error, LockTimeout):
        headers["Retry-After"] = "1"
    return Response(body, status=error.status, headers=headers, content_type=MEDIA_TYPE)


def _of_framework_error(error: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return _response(HTTPStatus(error.status_code), str(error.detail), headers)


def _response(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    body = _body(status=status, detail=detail)
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _body(*, status: HTTPStatus, detail: str, code: str = "", title: str = "") -> dict[str, Any]:
    return {
        "type": _TYPE_PREFIX + (code or status.phrase.lower().replace(" ", "-")),
        "title": title or status.phrase,
        "status": int(status),
        "detail": detail,
        "errors": [],
        "request_id": current_request_id(),
    }


def _flattened(detail: Any, path: str) -> Iterator[FieldError]:
    """Turn the framework's nested lists and mappings of messages into paths."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _flattened(value, _member_path(path, key))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from _flattened(value, f"{path}[{index}]" if nested else path)
    else:
        yield FieldError(path, str(detail))


def _member_path(path: str, key: object) -> str:
    if key == _WHOLE_INPUT:
        return path
    # A list field reports its bad items under their index.
    return f"{path}[{key}]" if isinstance(key, int) else key_path(path, str(key))


def problem_document(status: HTTPStatus) -> dict[str, Any]:
    """An example of a problem."""
    body = _body(status=status, detail=status.description or status.phrase) | {"request_id": "5f1c0c2e"}
    if status == HTTPStatus.BAD_REQUEST:
        body["errors"] = [{"path": "quantity", "message": "is not a decimal number"}]
    return body


def _documented(status: HTTPStatus) -> OpenApiResponse:
    example = OpenApiExample(status.phrase, value=problem_document(status), media_type=MEDIA_TYPE)
    return OpenApiResponse(ProblemSerializer, description=status.phrase, examples=[example])
