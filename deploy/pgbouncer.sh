#!/bin/sh
# Start pgbouncer; its list of users comes from the environment, so that no password lies in the image.
set -eu
umask 077
# In pgbouncer's list a quote within a value is doubled.
double() { printf '%s' "$1" | sed 's/"/""/g'; }
printf '"%s" "%s"\n' "$(double "${DAGSTER_PG_USER:?}")" "$(double "${DAGSTER_PG_PASSWORD:?}")" \
    > /etc/pgbouncer/users/userlist.txt
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
