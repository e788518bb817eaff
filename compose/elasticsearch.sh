#!/bin/bash
# The server's users, from the secrets, anew at each start; then the server: whatever the arguments say.
set -eu
cd "${ES_HOME:-/usr/share/elasticsearch}"
: >config/users
: >config/users_roles
add() { # USER SECRET ROLE
  local secret
  secret=$(cat "${SECRETS:-/run/secrets}/$2")
  printf '%s\n%s\n' "$secret" "$secret" | bin/elasticsearch-users useradd "$1" -r "$3" >/dev/null
}
add admin elasticsearch_admin_password superuser
add laporhub elasticsearch_password laporhub
add kibana-server kibana_password kibana_system
exec "$@"
