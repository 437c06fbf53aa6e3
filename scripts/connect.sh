#!/usr/bin/env bash
# Fetches Kafka Connect and Debezium's connectors for MySQL, MariaDB and
# PostgreSQL from Maven Central, once, and prints the directory of their jars.
# The tests of change events run them; see internal/testenv/connect.go.
set -euo pipefail

kafka_version=4.1.1
debezium_version=3.2.0.Final
target=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/trueup/connect-$kafka_version-$debezium_version

if [ ! -d "$target" ]; then
  command -v mvn >/dev/null || { echo "connect: Maven is missing; install it (apt-get install maven)" >&2; exit 1; }
  # Under another name first: a directory of the final name is complete.
  work=$target.$$
  trap 'rm -rf -- "$work"' EXIT
  mkdir -p "$work"
  dependency() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trueup</groupId>
  <artifactId>connect</artifactId>
  <version>1</version>
  <dependencies>
    $(dependency org.apache.kafka connect-runtime "$kafka_version")
    $(dependency org.apache.kafka connect-json "$kafka_version")
    $(dependency io.debezium debezium-connector-mysql "$debezium_version")
    $(dependency io.debezium debezium-connector-mariadb "$debezium_version")
    $(dependency io.debezium debezium-connector-postgres "$debezium_version")
  </dependencies>
</project>
POM
  if ! mvn -B -q -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars" </dev/null >"$work/maven.log" 2>&1; then
    tail -n 20 "$work/maven.log" >&2
    echo "connect: Maven could not fetch Debezium $debezium_version; the machine needs Maven Central or a mirror in ~/.m2/settings.xml" >&2
    exit 1
  fi
  [ -d "$target" ] || mv "$work" "$target"
fi
echo "$target/jars"
