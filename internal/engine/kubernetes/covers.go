package kubernetes

import (
	"encoding/json"
	"fmt"
)

// covers reports whether live has every field of want with want's value, whatever else it has: a want of ours, built
// as an apply configuration, against what the cluster keeps with its defaults and the fields of others.
func covers(live, want any) (bool, error) {
	l, err := tree(live)
	if err != nil {
		return false, err
	}
	w, err := tree(want)
	if err != nil {
		return false, err
	}
	if m, ok := w.(map[string]any); ok {
		// Informers leave out what follows from the type.
		delete(m, "kind")
		delete(m, "apiVersion")
	}
	return coversValue(l, w), nil
}

// tree gives a value as JSON has it.
func tree(v any) (out any, err error) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("comparing what is with what should be: %w", err)
	}
	return out, nil
}

func coversValue(live, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return len(w) == 0 && live == nil
		}
		for k, v := range w {
			if !coversValue(l[k], v) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok {
			return len(w) == 0 && live == nil
		}
		if key := mergeKey(w); key != "" {
			return coversList(l, w, key)
		}
		if len(l) != len(w) {
			return false
		}
		for i := range w {
			if !coversValue(l[i], w[i]) {
				return false
			}
		}
		return true
	}
	return live == want
}

// mergeKey is the field by which the cluster tells a list's elements apart, "" for a list that is one value.
func mergeKey(list []any) string {
	for _, key := range []string{"mountPath", "name"} {
		all := true
		for _, e := range list {
			m, ok := e.(map[string]any)
			_, has := m[key]
			all = all && ok && has
		}
		if all && len(list) > 0 {
			return key
		}
	}
	return ""
}

func coversList(live, want []any, key string) bool {
	byKey := map[any]any{}
	for _, e := range live {
		if m, ok := e.(map[string]any); ok {
			byKey[m[key]] = e
		}
	}
	for _, e := range want {
		l, ok := byKey[e.(map[string]any)[key]]
		if !ok || !coversValue(l, e) {
			return false
		}
	}
	return true
}
