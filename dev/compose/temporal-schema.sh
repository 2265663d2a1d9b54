#!/bin/sh
# Makes or upgrades Temporal's tables; safe to run at every start. The connection is given by SQL_* variables.
set -eu
for database in temporal:temporal temporal_visibility:visibility; do
  name=${database%%:*}
  schema=/etc/temporal/schema/mysql/v8/${database##*:}/versioned
  temporal-sql-tool --db "$name" create
  temporal-sql-tool --db "$name" setup-schema -v 0.0
  temporal-sql-tool --db "$name" update-schema -d "$schema"
done
