"""A Celery worker whose engine is of another version, as one that an upgrade has not reached yet."""

import sys

from celery.__main__ import main

from margin.engine import report

OTHER_ENGINE = "0.0.1"

if __name__ == "__main__":
    # Before anything else has read it.
    report.ENGINE_VERSION = OTHER_ENGINE  # type: ignore[misc]  # final within one program
    sys.exit(main())
