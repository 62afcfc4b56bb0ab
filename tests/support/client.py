"""The API as a program behind TLS sees it."""

from typing import Any

from rest_framework.test import APIClient


class TlsClient(APIClient):
    """Sends every request over HTTPS, since plain HTTP is only redirected there."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **{**kwargs, "secure": True})
