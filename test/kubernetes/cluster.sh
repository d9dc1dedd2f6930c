#!/usr/bin/env bash
# A real Kubernetes of one node for tests: etcd, API server, controller manager, scheduler and a kubelet on containerd
# and runc, in a network namespace of its own that this machine reaches by a veth pair. Its network keeps to NetworkPolicies.
#
#   test/kubernetes/cluster.sh build           builds what is needed into .cache/kubernetes (minutes the first time)
#   eval "$(test/kubernetes/cluster.sh up)"    builds, starts it unless it runs, and sets BAAS_TEST_KUBECONFIG
#   test/kubernetes/cluster.sh image NAME BINARY PATH
#                                              gives the node an image with one static binary at PATH; no registry is asked
#   test/kubernetes/cluster.sh kubectl ARGUMENTS
#   test/kubernetes/cluster.sh kwok NUMBER     adds simulated nodes, for tests of scale; from then on no node is ever taken for lost
#   test/kubernetes/cluster.sh restart PART    kills and starts etcd, apiserver, controllers, scheduler, kubelet, provisioner or enforcer
#   test/kubernetes/cluster.sh stop PART [-KILL], start PART
#   test/kubernetes/cluster.sh down            ends it and deletes its data
#
# Needs root on Debian or Ubuntu. Versions are pinned in go.mod beside this file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/kubernetes
bin=$cache/bin
run=$cache/run
pki=$run/pki

netns=baas-kubernetes
node=node1
node_ip=10.77.0.1
host_ip=10.77.1.1    # this machine, as pods see it
gateway_ip=10.77.1.2 # the node's end of the veth pair
network=10.77.0.0/16
pods=10.77.128.0/20
services=10.77.64.0/20
patience=120 # seconds

say() { printf 'kubernetes: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- build

components="kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl"

packages() {
  local missing=0
  for c in containerd runc etcd conntrack socat iptables nft ip openssl; do command -v $c >/dev/null || missing=1; done
  [ -x /usr/lib/cni/bridge ] || missing=1
  [ $missing = 1 ] || return 0
  say "installing containerd, runc, etcd and the CNI plugins with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends \
    containerd runc containernetworking-plugins etcd-server conntrack socat iptables nftables iproute2 openssl; } >"$cache/apt.log" 2>&1 ||
    { tail -n 20 "$cache/apt.log" >&2; die "apt-get could not install what the cluster needs; the whole log is $cache/apt.log"; }
}

build() {
  mkdir -p "$bin"
  packages
  local version stamp
  version=$(sed -n 's#^\s*k8s.io/kubernetes v\(.*\)$#\1#p' "$here/go.mod" | head -1)
  stamp=$(cat "$here"/go.mod "$here"/go.sum "$here"/{pause,provisioner,enforcer}/main.go | sha256sum | cut -d' ' -f1)
  [ "$(cat "$cache/built" 2>/dev/null)" = "$stamp" ] && return 0
  say "building Kubernetes $version from source; minutes the first time"
  local x=k8s.io/component-base/version minor=${version#*.}
  (
    cd "$here"
    export CGO_ENABLED=0
    local targets=()
    for c in $components; do targets+=("k8s.io/kubernetes/cmd/$c"); done
    go build -trimpath -ldflags "-s -w -X $x.gitVersion=v$version -X $x.gitMajor=${version%%.*} -X $x.gitMinor=${minor%%.*} -X $x.gitTreeState=clean" \
      -o "$bin/" "${targets[@]}"
    go build -trimpath -ldflags '-s -w' -o "$bin/" ./provisioner ./enforcer ./pause
  ) >&2
  echo "$stamp" >"$cache/built"
}

# archive NAME BINARY PATH OUT writes a docker-archive with one static binary.
archive() {
  local d sha
  d=$(mktemp -d)
  mkdir -p "$d/root$(dirname "$3")"
  cp "$2" "$d/root$3"
  chmod 755 "$d/root$3"
  tar --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$d/root" -cf "$d/layer.tar" .
  sha=$(sha256sum "$d/layer.tar" | cut -d' ' -f1)
  echo "{\"architecture\":\"$(go env GOARCH)\",\"os\":\"linux\",\"config\":{\"Entrypoint\":[\"$3\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$sha\"]}}" >"$d/config.json"
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$1\"],\"Layers\":[\"layer.tar\"]}]" >"$d/manifest.json"
  tar -C "$d" -cf "$4" manifest.json config.json layer.tar
  rm -rf "$d"
}

ctr() { command ctr -a "$run/containerd.sock" -n k8s.io "$@"; }

image() {
  local tar
  tar=$(mktemp)
  archive "$1" "$2" "$3" "$tar"
  ctr images import "$tar" >/dev/null
  rm -f "$tar"
}

# --- up

inside() { nsenter --net=/run/netns/$netns "$@"; } # not `ip netns exec`, which mounts another /sys without the cgroups
kubectl() { "$bin/kubectl" --kubeconfig "$run/admin.conf" "$@"; }

await() {
  local what=$1 since=$SECONDS
  shift
  until "$@" >/dev/null 2>&1; do
    [ $((SECONDS - since)) -lt $patience ] || { tail -n 5 "$run"/log/*.log >&2; die "$what did not come within $patience s; logs are in $run/log"; }
    sleep 0.1
  done
}

alive() { [ -f "$run/pid/$1" ] && kill -0 "$(cat "$run/pid/$1")" 2>/dev/null; }

launch() { # NAME COMMAND…
  local name=$1
  shift
  # Directly, so that the number is the program's own and not that of a shell around it.
  nsenter --net=/run/netns/$netns setsid "$@" >>"$run/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$run/pid/$name"
}

network_up() {
  [ -e /run/netns/$netns ] || ip netns add $netns
  inside ip link set lo up
  if ! inside ip link show node0 >/dev/null 2>&1; then
    inside ip link add node0 type bridge
    inside ip addr add $node_ip/24 dev node0
    inside ip link set node0 up
  fi
  if ! ip link show baas-k8s >/dev/null 2>&1; then
    ip link add baas-k8s type veth peer name uplink netns $netns
    ip addr add $host_ip/30 dev baas-k8s
    ip link set baas-k8s up
    inside ip addr add $gateway_ip/30 dev uplink
    inside ip link set uplink up
  fi
  ip route replace $network via $gateway_ip
  inside ip route replace default via $host_ip # this machine forwards nothing for it
  inside sysctl -qw net.ipv4.ip_forward=1
  inside sysctl -qw net.bridge.bridge-nf-call-iptables=1 # rules also hold between pods, which share a bridge
}

certificate() { # FILE CN ORGANISATION EXTENSIONS
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$1.key" -subj "${3:+/O=$3}/CN=$2" -out "$pki/$1.csr" 2>/dev/null
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 365 \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${4:-}") -out "$pki/$1.crt" 2>/dev/null
}

kubeconfig() {
  cat >"$run/$1.conf" <<Y
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$node_ip:6443", certificate-authority: $pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $pki/$1.crt, client-key: $pki/$1.key}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
Y
}

certificates() {
  [ ! -e "$pki/done" ] || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/ca.key" -subj /CN=baas-test -days 365 -out "$pki/ca.crt" 2>/dev/null
  openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
  certificate apiserver kube-apiserver "" "subjectAltName=IP:127.0.0.1,IP:$node_ip,IP:${services%.*}.1,DNS:localhost,DNS:kubernetes.default.svc"
  certificate kubelet $node "" "subjectAltName=IP:$node_ip,DNS:$node"
  certificate admin admin system:masters
  certificate controllers system:kube-controller-manager
  certificate scheduler system:kube-scheduler
  certificate node system:node:$node system:nodes
  certificate front front-proxy-client
  for c in admin controllers scheduler node; do kubeconfig $c; done
  touch "$pki/done"
}

start_etcd() {
  launch etcd etcd --data-dir "$run/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
}

start_apiserver() {
  launch apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 --advertise-address=$node_ip \
    --service-cluster-ip-range=$services --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" --service-account-issuer=https://kubernetes.default.svc \
    --kubelet-preferred-address-types=InternalIP --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$pki/front.crt" --proxy-client-key-file="$pki/front.key"
}

start_controllers() {
  local grace=30s
  [ ! -e "$run/simulated" ] || grace=24h # a simulated node says once that it is ready
  launch controllers "$bin/kube-controller-manager" --kubeconfig="$run/controllers.conf" --authentication-kubeconfig="$run/controllers.conf" \
    --authorization-kubeconfig="$run/controllers.conf" --kube-api-qps=200 --kube-api-burst=400 --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials=true --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/sa.key" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --node-monitor-grace-period=$grace
}

start_scheduler() {
  launch scheduler "$bin/kube-scheduler" --kubeconfig="$run/scheduler.conf" --authentication-kubeconfig="$run/scheduler.conf" \
    --authorization-kubeconfig="$run/scheduler.conf" --kube-api-qps=500 --kube-api-burst=1000 --bind-address=127.0.0.1 --leader-elect=false
}

start_provisioner() {
  mkdir -p "$run/volumes"
  launch provisioner "$bin/provisioner" -kubeconfig "$run/admin.conf" -dir "$run/volumes"
}

start_enforcer() { launch enforcer "$bin/enforcer" -kubeconfig "$run/admin.conf" -node $node; }

start_containerd() {
  mkdir -p "$run/cni" "$run/kubelet"
  if [ -d /sys/fs/cgroup/memory ]; then # cgroup v1: the hierarchies below which pods get theirs
    for h in cpu cpuacct cpuset memory pids devices freezer blkio systemd; do mkdir -p /sys/fs/cgroup/$h/$netns; done
    for f in cpus mems; do cat /sys/fs/cgroup/cpuset/cpuset.$f >/sys/fs/cgroup/cpuset/$netns/cpuset.$f; done
  else
    mkdir -p /sys/fs/cgroup/$netns
  fi
  cat >"$run/cni/10.conflist" <<Y
{"cniVersion":"0.4.0","name":"pods","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,"ipam":{"type":"host-local","dataDir":"$run/cni-ipam","ranges":[[{"subnet":"$pods"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}
Y
  cat >"$run/containerd.toml" <<Y
version = 2
root = "$run/containerd"
state = "$run/containerd-state"
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "baas.local/pause:1"
  restrict_oom_score_adj = true
  enable_selinux = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$run/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.internal.v1.opt"]
  path = "$run/opt"
Y
  launch containerd containerd -c "$run/containerd.toml"
  await "containerd" ctr version
}

start_kubelet() {
  cat >"$run/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
containerRuntimeEndpoint: unix://$run/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$netns
failSwapOn: false
failCgroupV1: false
oomScoreAdj: 0
makeIPTablesUtilChains: false
podLogsDir: $run/podlogs
resolvConf: ""
podPidsLimit: 512
registerNode: true
nodeStatusUpdateFrequency: 2s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
Y
  launch kubelet "$bin/kubelet" --config="$run/kubelet.yaml" --kubeconfig="$run/node.conf" --root-dir="$run/kubelet" \
    --hostname-override=$node --node-ip=$node_ip --v=2
}

up() {
  mkdir -p "$cache"
  [ "$(id -u)" = 0 ] || die "a cluster needs root"
  echo '*' >"$root/.cache/.gitignore"
  exec 9>"$cache/lock"
  flock 9 # two at once would start two
  build
  mkdir -p "$pki" "$run/log" "$run/pid"
  local since=$SECONDS
  network_up
  certificates
  alive etcd || start_etcd
  alive apiserver || start_apiserver
  await "the API server" kubectl get --raw /readyz
  alive controllers || start_controllers
  alive scheduler || start_scheduler
  await "the controller manager" kubectl get serviceaccount default -n default
  alive provisioner || start_provisioner
  alive enforcer || start_enforcer
  if ! alive containerd; then
    start_containerd
    image baas.local/pause:1 "$bin/pause" /pause
  fi
  alive kubelet || start_kubelet
  await "the node" kubectl wait --for=condition=Ready node/$node --timeout=10s
  say "Kubernetes $(kubectl version -o json | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p' | tail -1) is up after $((SECONDS - since)) s; logs in $run/log"
  environment
}

environment() {
  echo "export BAAS_TEST_KUBECONFIG='$run/admin.conf'"
  echo "export BAAS_TEST_KUBERNETES_HOST='$host_ip'"
}

# --- simulated nodes, for tests of scale

kwok() {
  local n=$1 stages i
  go -C "$here/kwok" build -o "$bin/" sigs.k8s.io/kwok/cmd/kwok
  stages=$(go -C "$here/kwok" list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  for i in $(seq "$n"); do
    cat <<Y
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "simulated-$i", "labels": {"type": "simulated"}, "annotations": {"kwok.x-k8s.io/node": "fake"}},
 "spec": {"taints": [{"key": "simulated", "effect": "NoSchedule"}]},
 "status": {"capacity": {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}, "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}}}
---
Y
  done | kubectl apply -f - >/dev/null
  if [ ! -e "$run/simulated" ]; then
    touch "$run/simulated"
    stop_part controllers
    start_part controllers
  fi
  alive kwok || launch kwok "$bin/kwok" --kubeconfig "$run/admin.conf" --manage-all-nodes=false --node-lease-duration-seconds 0 \
    --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake --config "$stages/node/fast/node-initialize.yaml" \
    --config "$stages/pod/fast/pod-ready.yaml" --config "$stages/pod/fast/pod-delete.yaml"
  await "the simulated nodes" kubectl wait --for=condition=Ready node -l type=simulated --timeout=30s
}

# --- parts

parts="etcd apiserver controllers scheduler kubelet provisioner enforcer"

part() {
  case " $parts " in *" $1 "*) ;; *) die "unknown part $1: one of $parts" ;; esac
}

stop_part() {
  part "$1"
  alive "$1" || return 0
  local pid
  pid=$(cat "$run/pid/$1")
  kill "${2:--TERM}" "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

start_part() {
  part "$1"
  alive "$1" || "start_$1"
  [ "$1" != apiserver ] || await "the API server" kubectl get --raw /readyz
}

# --- down

down() {
  [ -d "$run" ] || return 0
  exec 9>"$cache/lock"
  flock 9
  local spaces="" c p
  for p in kubelet provisioner enforcer kwok; do alive $p && kill "$(cat "$run/pid/$p")"; done || true
  if alive containerd; then
    # Network namespaces of pods outlive containerd.
    spaces=$(for c in $(ctr c ls -q); do ctr c info "$c" | grep -o 'cni-[0-9a-f-]*' || true; done | sort -u)
    for c in $(ctr c ls -q); do ctr t kill -s KILL -a "$c" || true; done >/dev/null 2>&1
    sleep 0.5
    for c in $(ctr c ls -q); do ctr t rm -f "$c" || true; ctr c rm "$c" || true; done >/dev/null 2>&1
  fi
  for p in containerd scheduler controllers apiserver etcd; do alive $p && kill "$(cat "$run/pid/$p")"; done || true
  local since=$SECONDS
  for p in "$run"/pid/*; do
    while alive "$(basename "$p")"; do
      [ $((SECONDS - since)) -lt 10 ] || kill -9 "$(cat "$p")" 2>/dev/null || true
      sleep 0.1
    done
  done
  # What is left runs in our network namespace or serves our containerd.
  for p in $( { ip netns pids $netns; grep -lsz -- "$run/containerd.sock" /proc/[0-9]*/cmdline | cut -d/ -f3; } 2>/dev/null || true); do
    [ "$p" = $$ ] || kill -9 "$p" 2>/dev/null || true
  done
  for _ in 1 2; do { grep " $run/" /proc/self/mounts || true; } | cut -d' ' -f2 | sort -r | xargs -r umount -l 2>/dev/null || true; done
  for p in $spaces $netns; do ip netns del "$p" 2>/dev/null || true; done
  ip link del baas-k8s 2>/dev/null || true
  find /sys/fs/cgroup/*/$netns /sys/fs/cgroup/$netns -depth -type d -exec rmdir {} + 2>/dev/null || true
  rm -rf "$run"
  say "ended"
}

case "${1:-}" in
build) mkdir -p "$cache"; build ;;
up) up ;;
env) environment ;;
kubectl) shift; kubectl "$@" ;;
kwok) kwok "${2:-40}" ;;
image) [ $# = 4 ] || die "usage: cluster.sh image NAME BINARY PATH"; image "$2" "$3" "$4" ;;
stop) stop_part "${2:-}" "${3:--TERM}" ;;
start) start_part "${2:-}" ;;
restart) stop_part "${2:-}" -KILL; start_part "$2" ;;
down) down ;;
*) die "usage: cluster.sh build | up | env | kubectl ARGUMENTS | kwok NUMBER | image NAME BINARY PATH | stop PART | start PART | restart PART | down" ;;
esac
