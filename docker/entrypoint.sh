#!/bin/sh
# The roles of the image: migrate | web | stream | worker QUEUE [OPTION ...] | relay | webhooks | beat | flower
# A role's program replaces this shell, so that the container's signals reach it.
set -eu
cd "$(dirname "$0")/.."

# Nothing runs against tables that it does not know: wait until the migrate job is done.
wait_for_migrations() {
    deadline=$(($(date +%s) + ${MIGRATION_WAIT_SECONDS:-120}))
    until problem=$(python manage.py migrate --check 2>&1); do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            printf '%s\nThe database is not migrated.\n' "$problem" >&2
            exit 1
        fi
        sleep 1
    done
}

role=${1:?name a role: migrate, web, stream, worker, relay, webhooks, beat or flower}
shift
case $role in
    migrate)
        exec python manage.py migrate --noinput
        ;;
    web)
        wait_for_migrations
        exec granian --interface=wsgi --static-path-route=/static --static-path-mount=staticfiles \
            --respawn-failed-workers pmplatform.wsgi:application
        ;;
    stream)
        wait_for_migrations
        exec granian --interface=asgi --respawn-failed-workers pmplatform.asgi:application
        ;;
    worker)
        queue=${1:?name the queue of the worker}
        shift
        wait_for_migrations
        # To ask the other workers at each connection takes a second, and nothing here needs what they would tell.
        exec celery --app=pmplatform worker --loglevel=INFO --without-mingle \
            --queues="$queue" --hostname="$queue@%h" "$@"
        ;;
    relay)
        wait_for_migrations
        exec python manage.py outbox_relay
        ;;
    webhooks)
        wait_for_migrations
        exec python manage.py webhooks_deliver
        ;;
    beat)
        wait_for_migrations
        exec celery --app=pmplatform beat --loglevel=INFO --pidfile=
        ;;
    flower)
        wait_for_migrations
        # Its API is off unless it is given a password, so that a browser can look and change nothing.
        exec celery --app=pmplatform flower --port=5555 --address="${FLOWER_ADDRESS:-0.0.0.0}"
        ;;
    *)
        echo "$role is no role: migrate, web, stream, worker, relay, webhooks, beat or flower." >&2
        exit 2
        ;;
esac
