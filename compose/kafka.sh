#!/bin/bash
# Starts the broker. The first time it gives it its storage, with the administrator in it: nobody comes in without one.
set -eu
home=${KAFKA_HOME:-/opt/kafka}
settings=${1:-/compose/kafka.properties}
data=$(sed -n 's/^log.dirs=//p' "$settings")
if [ ! -f "$data/meta.properties" ]; then
  secret=$(cat "${SECRETS:-/run/secrets}/kafka_password")
  "$home/bin/kafka-storage.sh" format --cluster-id "$CLUSTER_ID" --config "$settings" \
    --add-scram "SCRAM-SHA-512=[name=laporhub,password=$secret]"
fi
exec "$home/bin/kafka-server-start.sh" "$settings"
