"""Examples of health for the API's documentation."""

from drf_spectacular.utils import OpenApiExample

LIVE = OpenApiExample("live", value={"status": "live"}, response_only=True)
READY = OpenApiExample("ready", value={"database": "up", "redis": "up"}, response_only=True)
METRICS = OpenApiExample(
    "metrics",
    value=(
        "# HELP pm_snapshot_age_seconds Its age.\n"
        "# TYPE pm_snapshot_age_seconds gauge\n"
        "pm_snapshot_age_seconds 3.2\n"
    ),
    media_type="text/plain",
    response_only=True,
)
