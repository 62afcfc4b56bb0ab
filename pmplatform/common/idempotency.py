"""``Idempotency-Key``: a repeated write is answered again, not done again."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pmplatform.common.columns import plain_execute, plain_value
from pmplatform.common.digest import canonical_sha256
from pmplatform.common.errors import IdempotencyKeyReused, ValidationFailed
from pmplatform.common.locking import BOUNDED, lock_refusal
from pmplatform.common.models import IdempotencyRecord
from pmplatform.common.principals import principal_of
from pmplatform.common.transactions import one_view

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
# Waits for another transaction that holds the key: when that commits there is a conflict, else there is none.
_CLAIM: Final = """
    INSERT INTO common_idempotencyrecord (principal, key, request_sha256, response, created_at)
    SELECT %(principal)s, %(key)s, %(request_sha256)s, '', %(now)s
    FROM (SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded
    ON CONFLICT (principal, key) DO NOTHING
    RETURNING id
"""
_ANSWER: Final = """
    UPDATE common_idempotencyrecord SET status = %(status)s, response = %(response)b WHERE id = %(id)s
"""
_WELL_FORMED = re.compile(r"[\x21-\x7e]{1,128}")

#: How long an answer is kept to be given again.
KEPT = timedelta(days=7)

IDEMPOTENCY_PARAMETER = OpenApiParameter(
    HEADER,
    location=OpenApiParameter.HEADER,
    pattern=r"^[!-~]{1,128}$",
    description="Makes the write safe to repeat: the same key and body give the same answer, once, "
    "for seven days.",
)


def idempotency_prune(*, now: datetime) -> None:
    """Forget answers that were given long ago."""
    IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()


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

    return _once(method, withheld=None)


def idempotent_withholding(
    member: str,
) -> Callable[[_Method[_View, _P]], Callable[Concatenate[_View, Request, _P], HttpResponseBase]]:
    """As ``idempotent``, for an answer with a secret: what is kept, and given again, has null for it."""

    def decorate(
        method: _Method[_View, _P],
    ) -> Callable[Concatenate[_View, Request, _P], HttpResponseBase]:
        return _once(method, withheld=member)

    return decorate


def idempotent_view(
    method: _Method[_View, _P],
) -> Callable[Concatenate[_View, Request, _P], HttpResponseBase]:
    """As ``idempotent``, in a transaction that sees one moment (``one_view``), for writes that read much.

    Such a transaction cannot wait for another's key and then read its answer. So both of two requests at
    once do the work; the key, written last, lets one of them commit, and the other is answered from that.
    """

    @wraps(method)
    def wrapper(view: _View, request: Request, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is not None and (record := _recorded(request, key)):
            return _replayed(record, _fingerprint(request))
        try:
            with one_view():
                response = method(view, request, *args, **kwargs)
                if key is not None:
                    _keep(IdempotencyRecord(**_identity(request, key)), response)
                return response
        except IntegrityError:
            if key is None or not (record := _recorded(request, key)):
                raise
            return _replayed(record, _fingerprint(request))

    return wrapper


def _once(
    method: _Method[_View, _P], *, withheld: str | None
) -> Callable[Concatenate[_View, Request, _P], HttpResponseBase]:
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
            _keep(record, response, withheld)
            return response

    return wrapper


def _claimed(request: Request, key: str) -> tuple[IdempotencyRecord, bool]:
    """Insert the key's row, waiting for a transaction that is about to; say whether it is ours."""
    identity = _identity(request, key)
    with lock_refusal():
        new = plain_value(query=_CLAIM, parameters={**identity, "now": timezone.now(), **BOUNDED})
        if new is not None:
            return IdempotencyRecord(pk=new, **identity), True
        return IdempotencyRecord.objects.get(principal=identity["principal"], key=key), False


def _recorded(request: Request, key: str) -> IdempotencyRecord | None:
    identity = _identity(request, key)
    return IdempotencyRecord.objects.filter(principal=identity["principal"], key=key).first()


def _identity(request: Request, key: str) -> dict[str, str]:
    if not _WELL_FORMED.fullmatch(key):
        raise ValidationFailed.at(HEADER, "is not 1 to 128 printable ASCII characters")
    return {
        "principal": principal_of(request).name,
        "key": key,
        "request_sha256": _fingerprint(request),
    }


def _fingerprint(request: Request) -> str:
    return canonical_sha256({"method": request.method, "path": request.path, "body": request.data})


def _keep(record: IdempotencyRecord, response: Response, withheld: str | None = None) -> None:
    answer = response.data if withheld is None else {**response.data, withheld: None}
    record.status = response.status_code
    record.response = b"" if answer is None else JSONRenderer().render(answer)
    if record.pk is None:
        record.save()
    else:
        answered = {"id": record.pk, "status": record.status, "response": record.response}
        plain_execute(query=_ANSWER, parameters=answered)


def _replayed(record: IdempotencyRecord, fingerprint: str) -> HttpResponse:
    if record.request_sha256 != fingerprint:
        raise IdempotencyKeyReused(["The key was sent before with another method, path or body."])
    headers: dict[str, Any] = {REPLAYED_HEADER: "true"}
    body = bytes(record.response)
    if body:
        headers["Content-Type"] = JSONRenderer.media_type
    return HttpResponse(body, status=record.status, headers=headers)
