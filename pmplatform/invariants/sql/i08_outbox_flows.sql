-- What has been written is told: no message waits longer than a minute, unless it is dead-lettered.
SELECT format('outbox row %s', id) AS subject, format('%s waits since %s: %s', topic, created_at, last_error) AS detail
FROM common_outboxrow WHERE state = 'pending' AND created_at < now() - interval '60 seconds'
