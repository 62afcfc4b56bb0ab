"""Routes of health: whether a process lives, whether it can serve, and figures for Prometheus."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from redis import Redis
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pmplatform.api.examples import health as examples
from pmplatform.api.metrics import PlatformFigures
from pmplatform.common.errors import NotReady
from pmplatform.common.problems import problem_responses
from pmplatform.common.serializers import StrictSerializer
from pmplatform.common.tokens import Scope
from pmplatform.common.views import ApiView

_ANSWER_SECONDS = 1.0


class LiveSerializer(StrictSerializer):
    status = serializers.CharField()


class ReadySerializer(StrictSerializer):
    database = serializers.ChoiceField(["up"])
    redis = serializers.ChoiceField(["up", "down"], help_text="Down: served all the same, only later")


class OpenView(ApiView):
    """Answers anybody: what it says is no secret."""

    authentication_classes = ()
    permission_classes = ()


class LiveView(OpenView):
    @extend_schema(operation_id="health_live", responses={200: LiveSerializer}, examples=[examples.LIVE])
    def get(self, request: Request) -> Response:
        """That the process answers; it asks nobody else. Without credentials."""
        return Response({"status": "live"})


class ReadyView(OpenView):
    @extend_schema(
        operation_id="health_ready",
        responses={200: ReadySerializer, **problem_responses(HTTPStatus.SERVICE_UNAVAILABLE)},
        examples=[examples.READY],
    )
    def get(self, request: Request) -> Response:
        """Whether requests can be served: the database answers. Without credentials."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as error:
            raise NotReady("The database does not answer.") from error
        return Response({"database": "up", "redis": "up" if _redis_answers() else "down"})


class MetricsRenderer(BaseRenderer):
    """Lets Prometheus ask for its text format; what goes wrong is told as JSON all the same."""

    media_type = "text/plain"
    format = "prometheus"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return JSONRenderer().render(data)


class MetricsView(ApiView):
    renderer_classes = (MetricsRenderer, JSONRenderer)
    required_scopes = {"GET": Scope.READ}
    platform_only_methods = frozenset({"GET"})

    @extend_schema(
        operation_id="health_metrics",
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            **problem_responses(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN),
        },
        examples=[examples.METRICS],
    )
    def get(self, request: Request) -> HttpResponse:
        """Figures of the whole platform, read as they are asked for. Scope: `read`, platform only.

        Every web process answers the same, so scrape one of them.
        """
        registry = CollectorRegistry()
        registry.register(PlatformFigures())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _redis_answers() -> bool:
    try:
        with Redis.from_url(
            str(settings.PM_REDIS_URL), socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS
        ) as client:
            return bool(client.ping())
    except RedisError:
        return False
