#!/bin/bash
# What the published image documents of its first start: MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER and
# MYSQL_PASSWORD are made, and the files of /docker-entrypoint-initdb.d are run, by a server that listens on its socket
# only. A file that may be executed is; any other script is read into this shell.
set -eo pipefail

[ "${1:0:1}" != '-' ] || set -- mysqld "$@"
[ "$1" = mysqld ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  find /var/lib/mysql /var/run/mysqld \! -user mysql -exec chown --no-dereference mysql {} +
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

if [ ! -d /var/lib/mysql/mysql ]; then
  : "${MYSQL_ROOT_PASSWORD:?must be set for a first start}"
  "$@" --initialize-insecure --default-time-zone=SYSTEM
  "$@" --daemonize --skip-networking --default-time-zone=SYSTEM --log-error=/var/run/mysqld/first-start.log
  mysql --protocol=socket -uroot <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE USER 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';
SQL
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) mysql --protocol=socket -uroot -p"$MYSQL_ROOT_PASSWORD" "$MYSQL_DATABASE" < "$file" ;;
    esac
  done
  mysqladmin --protocol=socket -uroot -p"$MYSQL_ROOT_PASSWORD" shutdown
fi
exec "$@"
