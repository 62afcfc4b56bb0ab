#!/bin/sh
# Whether the container in this role is alive: web (or stream) | worker QUEUE | relay | webhooks | beat | flower
# None asks for the database: its outage is no reason to restart what waits for it.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
    web)
        # As the proxy would ask; else the answer is only a redirect to TLS.
        exec python -c '
import sys
from http.client import HTTPConnection

connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
connection.request("GET", "/api/v1/health/live", headers={"X-Forwarded-Proto": "https"})
sys.exit(connection.getresponse().status >= 400)
' "${GRANIAN_PORT:-8000}"
        ;;
    worker)
        exec celery --app=pmplatform inspect ping --timeout=5 --destination="${2:?name the queue}@$(uname -n)"
        ;;
    relay)
        # It touches the file every second, unless it hangs or has nothing to talk to.
        find "${PM_DATA_DIR:-.pm}" -maxdepth 1 -name outbox-relay -mmin -2 | grep -q .
        ;;
    webhooks)
        find "${PM_DATA_DIR:-.pm}" -maxdepth 1 -name webhooks-deliver -mmin -2 | grep -q .
        ;;
    beat)
        # Beat writes its schedule down every three minutes, unless it hangs.
        find "${PM_DATA_DIR:-.pm}" -maxdepth 1 -name 'beat-schedule*' -mmin -6 | grep -q .
        ;;
    flower)
        exec python -c '
from http.client import HTTPConnection

connection = HTTPConnection("127.0.0.1", 5555, timeout=4)
connection.request("GET", "/healthcheck")
assert connection.getresponse().status == 200
'
        ;;
    *)
        echo "name a role: web, worker QUEUE, relay, webhooks, beat or flower" >&2
        exit 2
        ;;
esac
