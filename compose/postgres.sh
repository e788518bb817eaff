#!/bin/sh
# Runs once, when the database is empty: the hub's own user, who may do nothing but in its own database.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=secret="$(cat "${SECRETS:-/run/secrets}/database_password")" \
  --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
CREATE ROLE laporhub LOGIN PASSWORD :'secret';
CREATE DATABASE laporhub OWNER laporhub ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE laporhub FROM PUBLIC;
SQL
