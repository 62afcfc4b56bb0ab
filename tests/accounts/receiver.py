"""A receiver of webhooks as an own process: prints a line of JSON for each call, answers as it is told.

Run with the statuses to answer, one for each call; the last is repeated. The first line is its port. With
`TLS_CERTIFICATE`, the file of a certificate and its key, it speaks TLS.
"""

import json
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    statuses = [int(word) for word in sys.argv[1:]] or [204]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        # Before the answer: whoever has been answered may look at once.
        _say({"path": self.path, "headers": dict(self.headers), "body": body})
        # A caller that followed this would come back by GET, which is not answered.
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Standard output and error are for what arrives."""


def _say(word: object) -> None:
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    if certificate := os.environ.get("TLS_CERTIFICATE"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    _say(server.server_port)
    server.serve_forever()
