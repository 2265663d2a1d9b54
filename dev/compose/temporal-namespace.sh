#!/bin/sh
# Makes the namespace `default` unless it is there. TEMPORAL_ADDRESS says where.
set -eu
attempt=0
until temporal operator namespace describe --namespace default || temporal operator namespace create --namespace default; do
  attempt=$((attempt + 1))
  [ "$attempt" -lt 30 ] || exit 1
  sleep 2
done
