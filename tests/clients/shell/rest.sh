#!/bin/sh
# Sends one text over REST with curl, twice with the same idempotency key: the second one must not send again.
#   sh rest.sh BASE KEY TO TEXT        prints both answers' HTTP status and body
set -eu
base=$1 key=$2 to=$3 text=$4
for turn in first second; do
    curl --silent --show-error --header "Authorization: Bearer $key" --header 'Content-Type: application/json' \
        --header 'Idempotency-Key: one-and-the-same' --data "{\"to\": [\"$to\"], \"text\": \"$text\"}" \
        --write-out '\n%{http_code}\n' "$base/v1/messages"
done
