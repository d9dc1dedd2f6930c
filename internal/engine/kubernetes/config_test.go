package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubernetes.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadConfig(t *testing.T) {
	c, err := ReadConfig(write(t, `
image: registry.example.com/baas:1.0
agentURL: ws://baas-agents.baas.svc:8081
storageClass: fast
runtimeClasses: {container: "", sandbox: gvisor-2, vm: null}
placement:
  default: {nodeSelector: {pool: workers}}
  ENTERPRISE: {priorityClassName: high, tolerations: [{key: client, operator: Exists}]}
controlPlane: {namespace: baas, podLabels: {app: baas}}
denyCIDRs: [10.0.0.0/8]
stopTimeout: 60s
`))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.withDefaults(); err != nil {
		t.Fatal(err)
	}
	if c.Installation != "baas" || c.NamespacePrefix != "baas-" || c.ControlPlane.Port != 8081 || c.StopTimeout != time.Minute || len(c.Deny) != 1 {
		t.Errorf("%+v", c)
	}
	if _, ok := c.RuntimeClasses[baas.IsolationVM]; ok || c.RuntimeClasses[baas.IsolationSandbox] != "gvisor-2" {
		t.Errorf("runtime classes: %v", c.RuntimeClasses)
	}
	if p := c.placement("wrk_1", "ten_1", "ENTERPRISE"); p.PriorityClass != "high" || len(p.NodeSelector) != 0 {
		t.Errorf("placement of the plan: %+v", p)
	}
	if p := c.placement("wrk_1", "ten_1", "FREE"); p.NodeSelector["pool"] != "workers" {
		t.Errorf("placement of the rest: %+v", p)
	}
}

func TestReadConfigReadsTheRegistrysCredentials(t *testing.T) {
	credentials := `{"auths": {"registry.example.com": {"auth": "eDp5"}}}`
	c, err := ReadConfig(write(t, "image: x\nagentURL: ws://10.1.2.3:8081\nregistryCredentials: "+write(t, credentials)+"\n"))
	if err != nil || string(c.RegistryCredentials) != credentials {
		t.Errorf("%q %v", c.RegistryCredentials, err)
	}
	if a, b := registryName(c.RegistryCredentials), registryName([]byte(credentials+" ")); a == b || registryName(nil) != "" {
		t.Errorf("other credentials have the same name: %s %s", a, b)
	}
}

func TestReadConfigRefuses(t *testing.T) {
	const good = "image: x\nagentURL: ws://10.1.2.3:8081\n"
	if _, err := ReadConfig(write(t, good)); err != nil {
		t.Fatalf("the least that is needed: %v", err)
	}
	empty := write(t, `{"auths": {}}`)
	for text, want := range map[string]string{
		good + "registryCredentials: " + empty:         "dockerconfigjson",
		good + "registryCredentials: /no/such/file":    "/no/such/file",
		"agentURL: ws://10.1.2.3:8081":                 "Worker image must be given",
		"image: x\nagentURL: https://baas.svc":         "agent URL",
		"image: x\nagentURL: ws://baas.svc:8081":       "give its pods' namespace and labels",
		good + "runtimeClasses: {vm: ''}":              "isolates less",
		good + "runtimeClasses: {none: ''}":            "must be container, sandbox or vm",
		good + "installation: Ünder":                   "lower-case",
		good + "cpuRequestPercent: 200":                "between 1 and 100",
		good + "storageclass: fast\nstorageClazz: x":   "storageClazz",
		good + "denyCIDRs: [10.0.0.0/99]":              "10.0.0.0/99",
		good + "stopTimeout: 1500ms":                   "whole seconds",
		good + "stopTimeout: soon":                     "soon",
		good + "placement: {FREE: {nodeselectors: 1}}": "nodeselectors",
	} {
		if _, err := ReadConfig(write(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing file is no error")
	}
}
