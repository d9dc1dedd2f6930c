package kubernetes

import (
	"encoding/json"
	"testing"
)

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, live, want string
		covers           bool
	}{
		{"equal", `{"a":1}`, `{"a":1}`, true},
		{"others' fields stay", `{"a":1,"b":2}`, `{"a":1}`, true},
		{"another value", `{"a":2}`, `{"a":1}`, false},
		{"missing", `{}`, `{"a":1}`, false},
		{"nothing wanted", `{}`, `{"a":{}}`, true},
		{"others' elements stay", `{"env":[{"name":"x","value":"1"},{"name":"y"}]}`, `{"env":[{"name":"y"}]}`, true},
		{"element changed", `{"env":[{"name":"y","value":"2"}]}`, `{"env":[{"name":"y","value":"1"}]}`, false},
		{"element missing", `{"env":[{"name":"x"}]}`, `{"env":[{"name":"y"}]}`, false},
		{"two mounts of a volume", `[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/b","readOnly":true}]`,
			`[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/b"}]`, true},
		{"values as one", `["ALL","X"]`, `["ALL"]`, false},
		{"values equal", `["ALL"]`, `["ALL"]`, true},
		{"rules in order", `[{"to":[{"a":1}]},{"to":[]}]`, `[{"to":[{"a":1}]}]`, false},
		{"type changed", `{"a":"1"}`, `{"a":{"b":1}}`, false},
	} {
		got, err := covers(json.RawMessage(c.live), json.RawMessage(c.want))
		if err != nil || got != c.covers {
			t.Errorf("%s: got %t, want %t (%v)", c.name, got, c.covers, err)
		}
	}
}
