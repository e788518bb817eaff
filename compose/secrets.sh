#!/bin/sh
# Draws what is missing of the secrets, into the folder that docker-compose.yml names. What is there stays.
# The folder lets only its owner in; the files in it are readable, because containers read them as users of their own.
set -eu
folder=${1:-secrets}
umask 022
mkdir -p "$folder"
chmod 700 "$folder"

keep() { # NAME: standard input, whole or not at all, without the end of its line: Kafka would take it in
  if [ -s "$folder/$1" ]; then cat >/dev/null; return; fi
  tr -d '\n' >"$folder/.$1"
  [ -s "$folder/.$1" ] || { echo "nothing was drawn for $folder/$1" >&2; exit 1; }
  mv "$folder/.$1" "$folder/$1"
}

for name in postgres_password database_password kafka_password kafka_hub_password kibana_password kibana_key \
  elasticsearch_password elasticsearch_admin_password twilio_auth_token; do
  openssl rand -hex 24 | keep "$name"
done
openssl rand -base64 32 | keep master_key
echo "postgresql://laporhub:$(cat "$folder/database_password")@postgres:5432/laporhub" | keep database_url

# What only the platforms can give stays empty until somebody writes it into the file.
for name in sms_password sms_secret x_consumer_key x_consumer_secret x_access_token x_access_token_secret \
  meta_app_secret meta_verify_token meta_page_token meta_instagram_token meta_instagram_app_secret \
  email_password email_smtp_password email_ca hotline_secret files_secret_key; do
  [ -e "$folder/$name" ] || : >"$folder/$name"
done
