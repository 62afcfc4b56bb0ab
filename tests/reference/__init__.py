"""An independent scalar margin calculation: what the vectorised engine is checked against.

It shares no code with ``margin`` and uses the standard library alone.
"""

from tests.reference.oracle import margin_report

__all__ = ["margin_report"]
