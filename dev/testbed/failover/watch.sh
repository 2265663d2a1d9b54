#!/usr/bin/env bash
# Watches a load balancer behind a reserved IP and moves the address to the standby when it stops answering.
# Needs nothing but curl and the public API. Prints one JSON line for each thing that happens, with the time in ms.
#
#   API_URL=… API_TOKEN=… RESERVED_IP=… STANDBY_DROPLET=… watch.sh
set -uo pipefail
: "${API_URL:?}" "${API_TOKEN:?}" "${RESERVED_IP:?}" "${STANDBY_DROPLET:?}"

FAILURES_NEEDED=2
CHECK_SECONDS=0.2
CHECK_TIMEOUT=0.5

say() { printf '{"event":"%s","at":%s}\n' "$1" "$(date +%s%3N)"; }
api() { curl -sS -m 5 -H "Authorization: Bearer $API_TOKEN" -H 'Content-Type: application/json' "$@"; }
field() { sed -nE "s/.*\"$1\":\"?([^\",}]+).*/\1/p" | head -n 1; }

failures=0
while [ "$failures" -lt "$FAILURES_NEEDED" ]; do
  if curl -fsS -m "$CHECK_TIMEOUT" -o /dev/null "http://$RESERVED_IP/" 2>/dev/null; then
    failures=0
    sleep "$CHECK_SECONDS"
  else
    failures=$((failures + 1))
  fi
done
say detected

action=''
say requested
while [ -z "$action" ]; do
  # The action's own id is the first one in the answer; an error has none that is a number.
  answer=$(api "$API_URL/v2/reserved_ips/$RESERVED_IP/actions" \
    -d "{\"type\":\"assign\",\"droplet_id\":$STANDBY_DROPLET}")
  action=$(printf '%s' "$answer" | grep -oE '"action":\{"id":[0-9]+' | grep -oE '[0-9]+$')
  [ -n "$action" ] || { echo "$answer" >&2; sleep 0.2; }
done
say accepted

until [ "$(api "$API_URL/v2/actions/$action" | field status)" = completed ]; do sleep 0.02; done
say completed
