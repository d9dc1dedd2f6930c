#!/usr/bin/env bash
# Checks the Helm chart: helm lint, kubeconform against the API of the Kubernetes that test/kubernetes pins, kube-score,
# and that wrong values are refused. Nothing but Go modules is fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bin=$root/.cache/bin
schemas=$root/.cache/kubernetes/schemas
chart=deploy/helm/baas
mkdir -p "$bin" "$schemas"

go -C deploy/tools build -o "$bin/" helm.sh/helm/v4/cmd/helm github.com/yannh/kubeconform/cmd/kubeconform
go -C deploy/tools/kube-score build -o "$bin/" github.com/zegl/kube-score/cmd/kube-score
if [ ! "$schemas/_definitions.json" -nt test/kubernetes/go.mod ]; then
  go -C test/kubernetes mod download k8s.io/kubernetes
  source=$(go -C test/kubernetes list -m -f '{{.Dir}}' k8s.io/kubernetes)
  go -C test/kubernetes run ./schemas "$source/api/openapi-spec/swagger.json" "$schemas"
fi

say() { printf 'chart: %s\n' "$*"; }
export HELM_CACHE_HOME=$root/.cache/helm HELM_CONFIG_HOME=$root/.cache/helm HELM_DATA_HOME=$root/.cache/helm
for values in deploy/helm/ci/*.yaml; do
  name=$(basename "$values" .yaml)
  say "$name: helm lint"
  "$bin/helm" lint --strict --quiet "$chart" --values "$values"
  out=$root/.cache/chart-$name.yaml
  "$bin/helm" template baas "$chart" --namespace baas --kube-version 1.34.0 --values "$values" >"$out"
  say "$name: kubeconform"
  "$bin/kubeconform" -strict -summary -skip ServiceMonitor -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$out"
  say "$name: kube-score"
  # Left out: tags are never used twice, so nothing has to be pulled again; on OpenShift the cluster chooses the users.
  ignore=(--ignore-test container-image-pull-policy)
  [ "$name" != openshift ] || ignore+=(--ignore-test container-security-context-user-group-id)
  "$bin/kube-score" score --output-format ci --exit-one-on-warning --kubernetes-version v1.34 "${ignore[@]}" "$out" >"$root/.cache/kube-score" 2>&1 || {
    grep -v '^\[OK\]\|^\[SKIPPED\]' "$root/.cache/kube-score"
    exit 1
  }
done

refused() { # WHAT VALUES…
  local what=$1
  shift
  if "$bin/helm" template baas "$chart" "$@" >/dev/null 2>"$root/.cache/chart-refusal"; then
    say "$what is not refused"
    exit 1
  fi
}
say "wrong values"
refused "no database"
refused "a public address with a path" --set database.existingSecret=x --set publicURL=https://a/b
refused "an unknown field" --set database.existingSecret=x --set replica=3
refused "a level of isolation that there isn't" --set database.existingSecret=x --set workers.runtimeClasses.none=x
refused "an operator without a password" --set database.existingSecret=x --set operator.email=a@example.com
refused "metrics without a token" --set database.existingSecret=x --set metrics.serviceMonitor.enabled=true
say "clean"
