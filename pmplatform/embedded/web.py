"""Whether a web server on loopback answers."""

from http.client import HTTPConnection, HTTPException

from pmplatform.embedded.process import LOOPBACK


def responds(port: int) -> bool:
    """True once something speaks HTTP at the port."""
    client = HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        client.request("GET", "/")
        client.getresponse()
    except (OSError, HTTPException):
        return False
    else:
        return True
    finally:
        client.close()
