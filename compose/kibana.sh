#!/bin/bash
# Kibana reads no secrets from files: kibana.yml takes these variables.
set -eu
KIBANA_PASSWORD=$(cat /run/secrets/kibana_password)
KIBANA_KEY=$(cat /run/secrets/kibana_key)
export KIBANA_PASSWORD KIBANA_KEY
exec /usr/local/bin/kibana-docker
