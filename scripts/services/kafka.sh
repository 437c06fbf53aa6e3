# One Kafka node (KRaft: broker and controller in one process), its jars and those
# of its command-line tools from Maven Central. Sourced by services.sh.

kafka_version=4.1.1
kafka_log4j=2.24.3 # the version that Kafka brings; without log4j-slf4j-impl it logs nothing
kafka_jars=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/trueup/kafka-$kafka_version

kafka_up() {
  if ! have java; then install_packages default-jre-headless; fi
  [ -e "$kafka_jars/jars/log4j-slf4j-impl-$kafka_log4j.jar" ] || kafka_download
  ensure kafka 90
}

# kafka_download fills the cache under another name and renames it: a directory
# of the final name that has log4j-slf4j-impl, which is moved last, is complete.
kafka_download() {
  have mvn || install_packages maven
  local work=$kafka_jars.$$
  mkdir -p "$work"
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trueup</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$kafka_version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>$kafka_version</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>$kafka_log4j</version>
    </dependency>
  </dependencies>
</project>
POM
  say "fetching Kafka $kafka_version from Maven Central"
  if ! mvn -B -q -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars" \
    </dev/null >"$state/maven.log" 2>&1 9>&-; then
    tail -n 20 "$state/maven.log" >&2
    rm -rf -- "$work"
    die "Maven could not fetch Kafka $kafka_version: see .services/maven.log; the machine needs Maven Central or a mirror in ~/.m2/settings.xml"
  fi
  # Another checkout may have been as fast, or had fetched less of it, which may
  # run: what is there stays.
  if [ -d "$kafka_jars" ]; then
    find "$work/jars" -name '*.jar' ! -name 'log4j-slf4j-impl-*' -exec mv -n -t "$kafka_jars/jars" {} +
    mv -n -t "$kafka_jars/jars" "$work"/jars/log4j-slf4j-impl-*.jar
    rm -rf -- "$work"
  else
    mv "$work" "$kafka_jars"
  fi
}

kafka_start() {
  local dir=$data/kafka
  mkdir -p "$dir"
  kafka_config "$dir"
  if [ ! -e "$dir/log/meta.properties" ]; then
    kafka_java kafka.tools.StorageTool format --cluster-id "$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=')" \
      --config "$dir/server.properties" </dev/null >>"$state/kafka.log" 2>&1 9>&- ||
      { tail -n 20 "$state/kafka.log" >&2; die "Kafka's storage tool could not format $dir/log"; }
  fi
  (exec setsid java -Xms256m -Xmx512m -XX:+UseG1GC -Djava.awt.headless=true "-Dlog4j2.configurationFile=$dir/log4j2.properties" \
    -cp "$kafka_jars/jars/*" kafka.Kafka "$dir/server.properties") </dev/null >>"$state/kafka.log" 2>&1 9>&- &
  pid=$!
}

kafka_java() { java -Xmx256m "-Dlog4j2.configurationFile=$data/kafka/log4j2.properties" -cp "$kafka_jars/jars/*" "$@"; }

# The controller's port is chosen at every start: nothing outside this process
# needs to know it.
kafka_config() {
  local dir=$1 port controller
  port=$(cat "$state/kafka.port")
  controller=$(free_port)
  cat >"$dir/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=CLIENTS://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=CLIENTS://127.0.0.1:$port
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/log
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
CONF
  cat >"$dir/log4j2.properties" <<CONF
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
CONF
}

# kafka_answers sends an ApiVersions request (key 18, version 0, correlation id
# 7, no client id) and wants a reply with that id and error code 0. A KRaft
# broker replies to clients only once its controller has admitted it.
kafka_answers() {
  alive kafka && [ "$(kafka_ask 2>/dev/null)" = "000000070000" ]
}

kafka_ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$(cat "$state/kafka.port")" || return 1
  printf '\0\0\0\012\0\022\0\0\0\0\0\007\377\377' >&3
  timeout 3 head -c 10 <&3 | od -An -v -tx1 | tr -d ' \n' | cut -c9-20
}
