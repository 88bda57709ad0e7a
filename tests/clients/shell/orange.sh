#!/bin/sh
# Sends one text through Orange's XML over HTTP with curl, in the query or in the body.
#   sh orange.sh get|post BASE KEY TO TEXT        prints code, message and call id, one a line
set -eu
method=$1 base=$2 key=$3 to=$4 text=$5
if [ "$method" = get ]; then set -- --get; else set --; fi
answer=$(curl --silent --show-error --fail "$@" --data-urlencode "id=$key" --data-urlencode "to=$to" \
    --data-urlencode "content=$text" "$base/sms/sendSMS.xml")
for element in status_code status_msg call_id; do
    printf '%s\n' "$answer" | sed -n "s:.*<$element>\([^<]*\)</$element>.*:\1:p"
done
