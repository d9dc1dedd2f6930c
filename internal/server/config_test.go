package server

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEveryVariableIsDocumented compares the configuration with docs/configuration.md, defaults included.
func TestEveryVariableIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, line := range strings.Split(string(doc), "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`BAAS_") {
			documented[strings.Trim(cells[1], " `")] = strings.Trim(cells[2], " `")
		}
	}
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("env"), ",")
		if name == "" || name == "-" {
			continue
		}
		text, ok := documented[name]
		delete(documented, name)
		if !ok {
			t.Errorf("%s is not in docs/configuration.md", name)
		} else if def, has := typ.Field(i).Tag.Lookup("envDefault"); has && text != def {
			t.Errorf("%s: docs/configuration.md says the default is %q, the code %q", name, text, def)
		}
	}
	for name := range documented {
		t.Errorf("%s is in docs/configuration.md and nowhere else", name)
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	c := Config{Listen: "8080", PublicURL: "baas.example.com", Engine: "podman", DockerPool: "10.231.0.0", LogFormat: "xml", OperatorEmail: "a@example.com",
		ReplicaListen: "0.0.0.0:8082"}
	err := c.complete()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"BAAS_LISTEN", "BAAS_PUBLIC_URL", "BAAS_ENGINE", "BAAS_DOCKER_POOL", "BAAS_LOG_FORMAT", "BAAS_OPERATOR_PASSWORD",
		"BAAS_REPLICA_LISTEN", "BAAS_REPLICA_HOST"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestProductionRefusesWhatIsForALookAround(t *testing.T) {
	c := Config{Listen: "127.0.0.1:8080", PublicURL: "http://baas.example.com", Engine: "process", DockerPool: "10.231.0.0/16", LogFormat: "json", Demo: true, Production: true}
	err := c.complete()
	for _, name := range []string{"BAAS_ENGINE", "BAAS_DEMO", "BAAS_PUBLIC_URL"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not refused: %v", name, err)
		}
	}
	c.PublicURL, c.Engine, c.Demo = "https://baas.example.com", "docker", false
	if err := c.complete(); err != nil {
		t.Error(err)
	}
}
