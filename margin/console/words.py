"""Names of the engine in the console's words."""

import re
from typing import Final

#: The factors of the okx methodologies.
_FACTOR: Final = re.compile(r"\bmr\d\b")


def component_label(name: str) -> str:
    """A component, or words that name some, for reading."""
    return _FACTOR.sub(lambda found: found.group().upper(), name.replace("_", " "))
