"""The query parameter by which margin is had in a venue's words."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from margin.venues.formats import VenueFormat
from pmplatform.common.errors import ValidationFailed

NAME = "format"


def format_parameter(*offered: VenueFormat) -> OpenApiParameter:
    """The parameter in the schema."""
    return OpenApiParameter(
        NAME, enum=[str(each) for each in offered], description="Answer in the venue's field names"
    )


def venue_format(request: Request, offered: Sequence[VenueFormat]) -> VenueFormat | None:
    """The venue asked for, None for our own report. Raises ValidationFailed for one that is not offered."""
    word = request.query_params.get(NAME)
    if word is None:
        return None
    if word not in offered:
        raise ValidationFailed.at(NAME, f"is none of {', '.join(offered)}")
    return VenueFormat(word)
