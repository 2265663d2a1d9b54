# Run once by the image of MySQL, on an empty data folder: the database user of Temporal, which makes its own databases.
mysql --protocol=socket -uroot -p"$MYSQL_ROOT_PASSWORD" <<SQL
CREATE USER 'temporal'@'%' IDENTIFIED BY '$TEMPORAL_MYSQL_PASSWORD';
GRANT ALL PRIVILEGES ON temporal.* TO 'temporal'@'%';
GRANT ALL PRIVILEGES ON temporal_visibility.* TO 'temporal'@'%';
SQL
