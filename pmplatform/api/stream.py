"""The stream: events as they happen, over server-sent events."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from pmplatform.api.examples.stream import EVENTS
from pmplatform.common.errors import Misdirected, ValidationFailed
from pmplatform.common.events import event_document, events_range
from pmplatform.common.feed import event_feed, in_reader
from pmplatform.common.models import Event
from pmplatform.common.problems import problem_responses
from pmplatform.common.views import ApiView

HEADER: Final = "Last-Event-ID"
MEDIA_TYPE: Final = "text/event-stream"
#: So long a silent stream waits before it shows that it lives, and whether its client still may listen.
HEARTBEAT_SECONDS: Final = 10.0
_RETRY_MILLISECONDS: Final = 1_000
_LONGEST_ID: Final = 19


class EventStreamRenderer(BaseRenderer):
    """Lets a client ask for an event stream; what goes wrong is told as JSON all the same."""

    media_type = MEDIA_TYPE
    format = "sse"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return JSONRenderer().render(data)


class StreamView(ApiView):
    renderer_classes = (EventStreamRenderer, JSONRenderer)

    @extend_schema(
        operation_id="stream",
        parameters=[
            OpenApiParameter(
                HEADER,
                int,
                OpenApiParameter.HEADER,
                description="The last event you have seen; without it the stream begins now",
            )
        ],
        responses={
            (200, MEDIA_TYPE): OpenApiTypes.STR,
            **problem_responses(
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.FORBIDDEN,
                HTTPStatus.MISDIRECTED_REQUEST,
            ),
        },
        examples=[EVENTS],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Events of your tenant as they happen; of all and of the platform for the platform. Scope: `read`.

        `margin`: an account's new figures after it has changed, or (account null) that a run has margined
        all; `warning`, `liquidation`: what became of an account; `run`: how a run stands, for the platform;
        `parameters`, for everybody: a version was approved, is in force (`active`, also by a rollback, which
        names what it `restores`), or was withdrawn after its approval.
        Ids ascend. Connect again with the last one and you miss nothing that is still kept (a day, unless
        configured); `reset` comes first where older events are gone: then read anew what you follow.
        Served by the `stream` process: the others answer 421.
        """
        if not isinstance(request._request, ASGIRequest):
            raise Misdirected("The stream is served by the platform's stream process.")
        position, is_reset = _position(request)
        frames = _frames(
            position=position,
            reset_to=position if is_reset else None,
            tenant_id=self.principal.tenant_id,
            may_listen=lambda: self._may_listen(request),
        )
        # A stream may last for days, and needs no connection of its own.
        connection.close()
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(frames, content_type=MEDIA_TYPE, headers=headers)

    def _may_listen(self, request: Request) -> bool:
        """Whether the credentials of a request still hold, and for the same principal."""
        try:
            again = self.initialize_request(request._request)
            return bool(again.auth == request.auth)
        except APIException:
            return False


def _position(request: Request) -> tuple[int, bool]:
    """The event after which a client goes on, and whether some in between are gone."""
    oldest, newest = events_range()
    word = request.headers.get(HEADER)
    if word is None:
        return newest, False
    if not (word.isascii() and word.isdecimal() and len(word) <= _LONGEST_ID):
        raise ValidationFailed.at(HEADER, "is not the id of an event")
    last = int(word)
    if last > newest:
        raise ValidationFailed.at(HEADER, "is newer than any event")
    return (oldest - 1, True) if last < oldest - 1 else (last, False)


async def _frames(
    *, position: int, reset_to: int | None, tenant_id: int | None, may_listen: Callable[[], bool]
) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
    if reset_to is not None:
        yield f"id: {reset_to}\nevent: reset\ndata: {{}}\n\n".encode()
    feed = await event_feed()
    check_at = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        events, position = await feed.after(position, tenant_id)
        for event in events:
            yield _frame(event)
        is_more = await feed.more_than(position, HEARTBEAT_SECONDS)
        if time.monotonic() >= check_at:
            if not await in_reader(may_listen):
                return
            check_at = time.monotonic() + HEARTBEAT_SECONDS
        if not is_more:
            yield b":\n\n"


def _frame(event: Event) -> bytes:
    data = json.dumps(event_document(event), separators=(",", ":"))
    return f"id: {event.pk}\nevent: {event.kind}\ndata: {data}\n\n".encode()
