#!/bin/sh
# Makes sure that a Docker Engine answers.
#
#   scripts/docker.sh          use the engine that answers; otherwise, as root on Debian or Ubuntu, install and start one
#   scripts/docker.sh check    say whether an engine answers, and change nothing
#   scripts/docker.sh gvisor   as root: also build gVisor's runsc into .cache and make it known to the engine of this
#                              machine, for Workers with isolation "sandbox" (about a minute the first time)
#   scripts/docker.sh stop     stop the engine that this script started
#
# Which engine is asked: DOCKER_HOST, or /var/run/docker.sock. May be repeated. An engine that this script starts runs
# in the background with its log in .cache/dockerd.log, and goes on until it is stopped or the machine is.
set -eu

cd "$(dirname "$0")/.."
cache=$PWD/.cache
log=$cache/dockerd.log
pidfile=$cache/dockerd.pid
wait_seconds=60

say() { printf 'docker: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# answers prints the engine's version when it answers; the socket is asked directly, since the docker command may be missing.
answers() {
	if [ -n "${DOCKER_HOST:-}" ]; then
		command -v docker >/dev/null 2>&1 && docker version --format '{{.Server.Version}}' 2>/dev/null
		return
	fi
	[ -S /var/run/docker.sock ] || return 1
	curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://docker/version 2>/dev/null |
		sed -n 's/.*"Version":"\([^"]*\)","ApiVersion".*/\1/p' | grep .
}

where=${DOCKER_HOST:-/var/run/docker.sock}

install() {
	command -v apt-get >/dev/null 2>&1 ||
		die "no engine answers at $where, and this is neither Debian nor Ubuntu: install Docker Engine 20.10 or newer by hand"
	say "installing docker.io and iptables with apt-get"
	export DEBIAN_FRONTEND=noninteractive
	# An installed service would race with the engine started below on a machine without systemd.
	apt-get install -y --no-install-recommends docker.io iptables ca-certificates curl >"$cache/apt.log" 2>&1 || {
		apt-get update >>"$cache/apt.log" 2>&1 &&
			apt-get install -y --no-install-recommends docker.io iptables ca-certificates curl >>"$cache/apt.log" 2>&1
	} || { tail -n 20 "$cache/apt.log" >&2; die "apt-get could not install docker.io; the whole log is $cache/apt.log"; }
}

# start_by_hand runs dockerd itself, for machines without systemd.
start_by_hand() {
	# A pid file of an engine that was killed would keep dockerd from starting.
	if [ -f /var/run/docker.pid ] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then
		rm -f /var/run/docker.pid
	fi
	set --
	# Docker needs one cgroup hierarchy mounted; minimal machines have none.
	if ! grep -q ' cgroup2\? ' /proc/self/mounts; then
		say "mounting /sys/fs/cgroup, which is missing"
		mount -t cgroup2 none /sys/fs/cgroup || die "cannot mount /sys/fs/cgroup; run on a machine with cgroups"
	fi
	# overlayfs on overlayfs doesn't work: inside a container without a volume of its own, copies must do.
	mkdir -p /var/lib/docker
	if [ "$(stat -f -c %T /var/lib/docker)" = overlayfs ]; then
		say "/var/lib/docker is on overlayfs: using the slower storage driver vfs"
		set -- "$@" --storage-driver=vfs
	fi
	# Containers inherit the engine's limit of open files; take as many as this shell may.
	ulimit -n "$(ulimit -Hn)" || true
	say "starting dockerd${*:+ $*} (log: $log)"
	setsid dockerd "$@" >>"$log" 2>&1 </dev/null &
	echo $! >"$pidfile"
}

start() {
	if [ -d /run/systemd/system ]; then
		say "starting docker.service"
		systemctl start docker >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "systemctl could not start docker"; }
	else
		start_by_hand
	fi
	i=0
	until version=$(answers); do
		i=$((i + 1))
		if [ -f "$pidfile" ] && ! kill -0 "$(cat "$pidfile")" 2>/dev/null; then
			tail -n 20 "$log" >&2
			die "dockerd ended; the whole log is $log"
		fi
		[ "$i" -lt $((wait_seconds * 5)) ] || { tail -n 20 "$log" >&2; die "dockerd did not answer within ${wait_seconds} s; its log is $log"; }
		sleep 0.2
	done
}

ensure() {
	if version=$(answers); then
		say "using Docker Engine $version at $where"
		return
	fi
	[ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST to use one on this machine"
	[ "$(id -u)" = 0 ] || die "no engine answers at $where, and installing or starting one needs root: run this as root, or start Docker Engine and give this user access to it"
	mkdir -p "$cache"
	{ command -v dockerd && command -v iptables && command -v curl; } >/dev/null 2>&1 || install
	start
	say "Docker Engine $version answers at $where"
}

has_runsc() {
	curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://docker/info 2>/dev/null | grep -q '"runsc":'
}

# gvisor changes the engine's configuration only where there is none: somebody's own is for them to change.
gvisor() {
	[ -z "${DOCKER_HOST:-}" ] || die "gVisor must be installed where the engine runs, and DOCKER_HOST=$DOCKER_HOST may be elsewhere"
	conf=/etc/docker/daemon.json
	# The file as this script writes it, maybe from another checkout, whose cache may be gone by now.
	built=$(sed -n 's|^{"runtimes": {"runsc": {"path": "\([^"]*/\.cache/runsc\)", "runtimeArgs": \["--platform=systrap"\]}}}$|\1|p' "$conf" 2>/dev/null || true)
	if has_runsc && { [ -z "$built" ] || [ -x "$built" ]; }; then
		say "the engine knows runsc already"
		return
	fi
	[ "$(id -u)" = 0 ] || die "making runsc known to the engine needs root"
	command -v go >/dev/null 2>&1 || die "building runsc needs Go"
	want="{\"runtimes\": {\"runsc\": {\"path\": \"$cache/runsc\", \"runtimeArgs\": [\"--platform=systrap\"]}}}"
	if [ -f "$conf" ] && [ -z "$built" ]; then
		die "$conf exists; add this to it and reload the engine: $want"
	fi
	gvisor_version=$(cd test/gvisor && go list -m -f '{{.Version}}' gvisor.dev/gvisor)
	say "building runsc $gvisor_version"
	(cd test/gvisor && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X gvisor.dev/gvisor/runsc/version.version=$gvisor_version" \
		-o "$cache/runsc" gvisor.dev/gvisor/runsc) || die "runsc could not be built"
	mkdir -p /etc/docker "$cache"
	printf '%s\n' "$want" >"$conf"
	say "reloading the engine with $conf"
	if [ -d /run/systemd/system ]; then
		systemctl reload docker
	else
		kill -HUP "$(cat /var/run/docker.pid)"
	fi
	i=0
	until has_runsc; do
		i=$((i + 1))
		[ "$i" -lt 50 ] || die "the engine does not know runsc after its reload; its log may say why"
		sleep 0.2
	done
	say "the engine knows runsc"
}

case "${1:-ensure}" in
check)
	version=$(answers) || die "no Docker Engine answers at $where; run scripts/docker.sh as root to get one"
	say "Docker Engine $version answers at $where"
	;;
stop)
	[ -f "$pidfile" ] || { say "this script has started no engine"; exit 0; }
	pid=$(cat "$pidfile")
	if kill -0 "$pid" 2>/dev/null && grep -qa dockerd "/proc/$pid/cmdline"; then
		say "stopping dockerd (pid $pid)"
		kill "$pid"
		while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
	fi
	rm -f "$pidfile"
	;;
ensure)
	ensure
	;;
gvisor)
	ensure
	gvisor
	;;
*)
	die "unknown argument $1: use no argument, check, gvisor or stop"
	;;
esac
