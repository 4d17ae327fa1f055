#!/bin/sh
# Runs once, when PostgreSQL's volume is empty: two users and two databases, one for Dagster and one for vmh_sync.
# Passwords go in as psql variables, never as SQL text put together here.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set=dagster_user="$DAGSTER_PG_USER" --set=dagster_password="$DAGSTER_PG_PASSWORD" --set=dagster_db="$DAGSTER_PG_DB" \
    --set=vmh_password="$VMH_POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"dagster_user" LOGIN PASSWORD :'dagster_password';
CREATE DATABASE :"dagster_db" OWNER :"dagster_user";
REVOKE CONNECT ON DATABASE :"dagster_db" FROM PUBLIC;
CREATE ROLE vmh_sync LOGIN PASSWORD :'vmh_password';
CREATE DATABASE vmh_sync OWNER vmh_sync;
REVOKE CONNECT ON DATABASE vmh_sync FROM PUBLIC;
SQL
