"""The request id: taken from the caller when well-formed, else made, and sent back."""

import re
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import cast

import structlog
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-ID"
_META_KEY = "HTTP_X_REQUEST_ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request_id: ContextVar[str] = ContextVar("request_id", default="")

Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


def current_request_id() -> str:
    """The id of the request being served; empty outside one."""
    return _request_id.get()


@sync_and_async_middleware
def request_id_middleware(get_response: Handler) -> Handler:
    """Give each request an id. It replaces the incoming header too, so the log's middleware sees it."""
    if iscoroutinefunction(get_response):

        async def serve_async(request: HttpRequest) -> HttpResponseBase:
            request_id = _begin(request)
            response = await cast(Awaitable[HttpResponseBase], get_response(request))
            response.headers[HEADER] = request_id
            return response

        return serve_async

    def serve(request: HttpRequest) -> HttpResponseBase:
        request_id = _begin(request)
        response = cast(HttpResponseBase, get_response(request))
        response.headers[HEADER] = request_id
        return response

    return serve


def _begin(request: HttpRequest) -> str:
    offered = request.META.get(_META_KEY, "")
    request_id = offered if _WELL_FORMED.fullmatch(offered) else uuid.uuid4().hex
    request.META[_META_KEY] = request_id
    _request_id.set(request_id)
    # The peer's own, by which tokens are judged as well; a header could name any.
    structlog.contextvars.bind_contextvars(ip=request.META.get("REMOTE_ADDR"))
    return request_id
