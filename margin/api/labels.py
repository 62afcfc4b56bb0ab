"""Headers that say of what market an answer is: its body may be fixed bytes, and may be stale."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from margin.market_states import snapshot_state
from margin.models import MarketSnapshot
from pmplatform.common.views import ApiView

AS_OF: Final = "PM-Market-As-Of"
AGE: Final = "PM-Market-Age"
STATUS: Final = "PM-Market-Status"

#: For the schema of every labelled route.
LABELS: Final = [
    OpenApiParameter(AS_OF, location=OpenApiParameter.HEADER, response=[200], description="Its moment"),
    OpenApiParameter(AGE, float, OpenApiParameter.HEADER, response=[200], description="Seconds since then"),
    OpenApiParameter(
        STATUS,
        location=OpenApiParameter.HEADER,
        response=[200],
        enum=["fresh", "stale", "hold"],
        description="How far that market can be relied on",
    ),
]


class LabelledView(ApiView):
    """Says of which snapshot its answer is: a view sets ``snapshot`` as soon as it knows.

    Where the newest one is used it is set before, so that the label is never fresher than the figures.
    """

    snapshot: MarketSnapshot | None = None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.snapshot is not None:
            state = snapshot_state(self.snapshot, timezone.now())
            answer[AS_OF] = self.snapshot.as_of.isoformat()
            answer[AGE] = f"{state.age_seconds:.3f}"
            answer[STATUS] = state.standing.word
        return answer
