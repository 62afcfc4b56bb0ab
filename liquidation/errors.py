"""Expected failures of liquidation, below the platform's tree (`pmplatform.common.errors`).

Refused
├── StepBlocked      the next step may not be taken now; the case waits
└── VenueSilent      what became of an order is not known; it is asked for again
PlatformError
└── VenueFault       the venue said something that cannot be true; a person has to look
"""

from pmplatform.common.errors import PlatformError, Refused


class StepBlocked(Refused):
    code = "step-blocked"
    title = "The next step may not be taken now"


class VenueSilent(Refused):
    code = "venue-silent"
    title = "The venue has not answered"


class VenueFault(PlatformError):
    code = "venue-fault"
    title = "The venue's answer cannot be believed"
