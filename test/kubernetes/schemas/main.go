// Command schemas turns the API description that comes with Kubernetes' source into JSON schemas, one a kind, for a
// checker of manifests that can't fetch them.
//
//	schemas swagger.json DIRECTORY
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

const definitions = "_definitions.json"

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: schemas swagger.json DIRECTORY")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(swagger, dir string) error {
	b, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var doc struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("reading %s: %w", swagger, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, d := range doc.Definitions {
		switch {
		case strings.HasSuffix(name, ".api.resource.Quantity"):
			doc.Definitions[name] = map[string]any{"type": []string{"string", "number"}}
		case strings.HasSuffix(name, ".util.intstr.IntOrString"):
			doc.Definitions[name] = map[string]any{"type": []string{"string", "integer"}}
		default:
			strict(d)
		}
	}
	if err := write(filepath.Join(dir, definitions), map[string]any{"definitions": doc.Definitions}); err != nil {
		return err
	}
	for name, d := range doc.Definitions {
		kinds, _ := d["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue // a part of others, or something that every group has
		}
		gvk := kinds[0].(map[string]any)
		group, version, kind := gvk["group"].(string), gvk["version"].(string), gvk["kind"].(string)
		file := strings.ToLower(kind) + "-" + version + ".json"
		if group != "" {
			file = strings.ToLower(kind) + "-" + strings.Split(group, ".")[0] + "-" + version + ".json"
		}
		if err := write(filepath.Join(dir, file), map[string]any{"$ref": definitions + "#/definitions/" + name}); err != nil {
			return err
		}
	}
	return nil
}

// strict refuses fields that an object doesn't have, and leaves null to those that may be left out.
func strict(d map[string]any) {
	properties, ok := d["properties"].(map[string]any)
	if !ok {
		return
	}
	if _, open := d["additionalProperties"]; !open {
		d["additionalProperties"] = false
	}
	for _, p := range properties {
		p := p.(map[string]any)
		if ref, ok := p["$ref"].(string); ok {
			// Beside a reference nothing else counts.
			for k := range p {
				delete(p, k)
			}
			p["$ref"] = ref
		}
		strict(p)
	}
}

func write(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
