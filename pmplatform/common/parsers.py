"""The request parsers of the API: a size limit per view, then strict JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, strict_json_loads

KIB = 1024
MIB = 1024 * KIB
DEFAULT_MAX_BODY_BYTES = 256 * KIB


class StrictJSONParser(BaseParser):
    """Strict JSON up to the view's ``max_body_bytes``; whole numbers as int, others as Decimal."""

    media_type = "application/json"
    numbers = Numbers.EXACT

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        view = (parser_context or {}).get("view")
        limit = getattr(view, "max_body_bytes", DEFAULT_MAX_BODY_BYTES)
        # One byte beyond the limit is enough to refuse; nothing larger is ever held in memory.
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise ValidationFailed.at("", f"is larger than {limit} bytes")
        return strict_json_loads(raw, numbers=self.numbers)


class NumberTextJSONParser(StrictJSONParser):
    """Strict JSON that leaves each number as the text it was written as."""

    numbers = Numbers.TEXT


class FloatJSONParser(StrictJSONParser):
    """Strict JSON for book documents: whole numbers as int, others as float64, as the engine reads them."""

    numbers = Numbers.FLOAT
