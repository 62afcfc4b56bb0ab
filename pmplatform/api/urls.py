"""Routes that belong to no app, below ``/api/v1/``."""

from django.urls import path

from pmplatform.api import health, stream

urlpatterns = [
    path("stream", stream.StreamView.as_view(), name="stream"),
    path("health/live", health.LiveView.as_view(), name="health-live"),
    path("health/ready", health.ReadyView.as_view(), name="health-ready"),
    path("health/metrics", health.MetricsView.as_view(), name="health-metrics"),
]
