"""``Idempotency-Key``: a repeated write is answered again, not done again."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pmplatform.common.digest import canonical_sha256
from pmplatform.common.errors import IdempotencyKeyReused, ValidationFailed
from pmplatform.common.locking import lock_timeout
from pmplatform.common.models import IdempotencyRecord
from pmplatform.common.principals import principal_of

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
_WELL_FORMED = re.compile(r"[\x21-\x7e]{1,128}")

IDEMPOTENCY_PARAMETER = OpenApiParameter(
    HEADER,
    location=OpenApiParameter.HEADER,
    pattern=r"^[!-~]{1,128}$",
    description="Makes the write safe to repeat: the same key and body give the same answer, once.",
)

_View = TypeVar("_View", bound=APIView)
_P = ParamSpec("_P")
_Method = Callable[Concatenate[_View, Request, _P], Response]


def idempotent(
    method: _Method[_View, _P],
) -> Callable[Concatenate[_View, Request, _P], HttpResponseBase]:
    """Run a view's write in one transaction, once for each key of a principal.

    The answer is kept in the transaction of the effect. A second request with the key waits for the first;
    it gets the same bytes if its method, path and body are the same, else IdempotencyKeyReused. A write
    that failed leaves no trace and may be tried again. Without the header it is simply one transaction.
    """

    @wraps(method)
    def wrapper(view: _View, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        with transaction.atomic():
            if key is None:
                return method(view, request, *args, **kwargs)
            record, is_new = _claimed(request, key)
            if not is_new:
                return _replayed(record, _fingerprint(request))
            response = method(view, request, *args, **kwargs)
            _keep(record, response)
            return response

    return wrapper


def _claimed(request: Request, key: str) -> tuple[IdempotencyRecord, bool]:
    """Insert the key's row, waiting for a transaction that is about to; say whether it is ours."""
    if not _WELL_FORMED.fullmatch(key):
        raise ValidationFailed.at(HEADER, "is not 1 to 128 printable ASCII characters")
    with lock_timeout():
        return IdempotencyRecord.objects.get_or_create(
            principal=principal_of(request).name,
            key=key,
            defaults={"request_sha256": _fingerprint(request)},
        )


def _fingerprint(request: Request) -> str:
    return canonical_sha256({"method": request.method, "path": request.path, "body": request.data})


def _keep(record: IdempotencyRecord, response: Response) -> None:
    record.status = response.status_code
    record.response = b"" if response.data is None else JSONRenderer().render(response.data)
    record.save(update_fields=["status", "response"])


def _replayed(record: IdempotencyRecord, fingerprint: str) -> HttpResponse:
    if record.request_sha256 != fingerprint:
        raise IdempotencyKeyReused(["The key was sent before with another method, path or body."])
    headers: dict[str, Any] = {REPLAYED_HEADER: "true"}
    body = bytes(record.response)
    if body:
        headers["Content-Type"] = JSONRenderer.media_type
    return HttpResponse(body, status=record.status, headers=headers)
