"""A site with one view, which returns the same bytes to whoever may read: no answer is faster than that."""

import os
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

settings.ROOT_URLCONF = __name__
application = get_wsgi_application()

# Only now can models, and with them the base class of views, be imported.
from pmplatform.benchmark.system import VARIABLE  # noqa: E402
from pmplatform.common.views import ApiView  # noqa: E402

_CONTENT: Final = Path(os.environ[VARIABLE]).read_bytes()


class RawView(ApiView):
    """Authenticated and limited as every view."""

    def get(self, request: Request) -> HttpResponse:
        """The bytes."""
        return HttpResponse(_CONTENT, content_type="application/json")


urlpatterns = [path("raw", RawView.as_view())]
