#!/bin/sh
# keyyo.sh BASE LINE PASSWORD TO TEXT: sendsms.html with curl and HTTP Digest; prints the answer, byte for byte
exec curl --silent --show-error --digest --user "$2:$3" --get --data-urlencode "ACCOUNT=$2" \
  --data-urlencode "CALLEE=$4" --data-urlencode "MSG=$5" "$1/sendsms.html"
