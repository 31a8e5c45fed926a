# shellcheck shell=bash
# shellcheck disable=SC2154 # root, cache, dir and the ports are set by scripts/services
# Apache Kafka: its jars, its settings, its start. Read by scripts/services.

pom=$root/scripts/kafka/pom.xml
cluster_id=caselinecaselinecaseli

java_version() { java -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p' | head -n 1; }

# Asked once: it is to start a Java.
have_java() {
  command -v java >/dev/null && java=$(java_version) && [ "${java%%[!0-9]*}" -ge 17 ] 2>/dev/null
}

need_java() {
  have_java && return
  ! can_apt || apt_install default-jre-headless
  have_java || die "Kafka needs Java 17 or later: install a JRE (Debian: default-jre-headless) and try again"
}

need_maven() {
  command -v mvn >/dev/null && return
  can_apt || die "Kafka's jars are fetched with Maven: install it (Debian: maven) and try again"
  apt_install maven
}

kafka_version() {
  local pinned
  pinned=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$pom")
  printf '%s\n' "${CASELINE_KAFKA_VERSION:-$pinned}"
}

# Fetches the broker's jars once; prints their folder.
kafka_jars() {
  local version jars partial
  version=$(kafka_version)
  jars=$cache/kafka-$version
  if [ ! -d "$jars" ]; then
    need_maven
    say "services: fetching Kafka $version with Maven"
    mkdir -p "$cache"
    partial=$(mktemp -d "$cache/fetching.XXXXXX")
    mvn -q -B -f "$pom" dependency:copy-dependencies "-Dkafka.version=$version" \
      -DincludeScope=runtime "-DoutputDirectory=$partial" >"$dir/maven.log" 2>&1 || {
      rm -rf "$partial"
      head -n 2 "$dir/maven.log" >&2
      die "Maven could not fetch Kafka $version; its log is $dir/maven.log"
    }
    # Another run may have finished first: its folder is as good.
    [ -d "$jars" ] || mv "$partial" "$jars"
    rm -rf "$partial"
  fi
  printf '%s\n' "$jars"
}

# What this Java made of the broker's classes when a broker first ended, which halves the work of
# each start after. Where it is missing, or does not fit, Java does without.
kafka_classes() { printf '%s/classes-of-kafka-%s-java-%s.jsa\n' "$cache" "$(kafka_version)" "$java"; }

# with_classes OTHERWISE: the option by which Java takes them; where they are missing, another.
with_classes() {
  local classes
  classes=$(kafka_classes)
  if [ -f "$classes" ]; then printf '%s\n' "-XX:SharedArchiveFile=$classes"; else printf '%s\n' "$1"; fi
}

# Keeps what a broker that was stopped has left, if it is whole: it may have been killed meanwhile.
keep_kafka_classes() {
  local made=$dir/kafka.jsa
  [ -f "$made" ] || return 0
  if have_java && java -Xshare:on -XX:+VerifySharedSpaces -XX:ErrorFile=/dev/null \
    "-XX:SharedArchiveFile=$made" -cp "$(kafka_jars)/*" -version >/dev/null 2>&1; then
    # Beside where it goes, so that whoever starts meanwhile finds all of it or nothing.
    mv "$made" "$cache/$$.jsa" && mv "$cache/$$.jsa" "$(kafka_classes)"
  fi
  rm -f "$made" "$cache/$$.jsa"
}

write_kafka_conf() {
  cat >"$dir/kafka.conf" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=CLIENT://127.0.0.1:$kafka_port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=CLIENT://127.0.0.1:$kafka_port
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
log.segment.delete.delay.ms=1000
metadata.max.idle.interval.ms=10000
CONF
}

kafka_answers() {
  grep -q 'Kafka Server started' "$dir/kafka.log" 2>/dev/null && answers_tcp "$kafka_port"
}

format_kafka() {
  java "$(with_classes -Xshare:auto)" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$1/*" kafka.tools.StorageTool format \
    --cluster-id "$cluster_id" --config "$dir/kafka.conf" >"$dir/kafka.log" 2>&1 || {
    show_log kafka
    die "Kafka's storage could not be prepared in $dir/kafka"
  }
}

run_kafka() {
  local jars
  need_java
  jars=$(kafka_jars)
  ! answers_tcp "$kafka_port" || die "port $kafka_port is taken: choose another with --kafka-port"
  write_kafka_conf
  [ -f "$dir/kafka/meta.properties" ] || format_kafka "$jars"
  mkdir -p "$dir/tmp" # where a broker that is killed leaves what it unpacks
  launch kafka java "$(with_classes "-XX:ArchiveClassesAtExit=$dir/kafka.jsa")" \
    -Xmx512m -Xms128m -XX:+UseSerialGC "-Djava.io.tmpdir=$dir/tmp" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
    -Dorg.slf4j.simpleLogger.showDateTime=true \
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS" \
    -cp "$jars/*" kafka.Kafka "$dir/kafka.conf"
}

kafka_start() {
  [ -n "$(pid_of kafka)" ] || run_kafka
  await kafka kafka_answers
}
