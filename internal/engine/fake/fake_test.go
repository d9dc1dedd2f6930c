package fake

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

func TestConformance(t *testing.T) {
	all := New(Config{}).cfg.Capabilities
	all.Isolation = map[baas.Isolation]string{baas.IsolationContainer: "fake"}
	all.Missing = map[baas.Isolation]string{baas.IsolationVM: "the fake engine is set up without it"}
	e := New(Config{Capabilities: all})
	enginetest.Run(t, enginetest.Harness{
		New:         func(testing.TB) engine.Engine { return e },
		Isolation:   baas.IsolationContainer,
		Unsupported: baas.IsolationVM,
		OtherImage:  "example.com/other:1",
		Identity: func(t testing.TB, id string) string {
			return strconv.FormatInt(e.Starts(id), 10)
		},
		Kill: func(_ testing.TB, id string) { e.End(id, 137) },
		Leftovers: func(t testing.TB) (names []string) {
			list, err := e.List(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				names = append(names, s.ID)
			}
			return names
		},
	})
}

func TestScriptedFailure(t *testing.T) {
	broken := errors.New("broken")
	fail := engine.StepMachine
	e := New(Config{Before: func(_ context.Context, op, id string) error {
		if op == string(fail) {
			return broken
		}
		return nil
	}})
	m := engine.Machine{ID: "wrk_1", Isolation: baas.IsolationContainer, Size: baas.DefaultSize, AgentToken: "t"}
	if err := e.Ensure(t.Context(), m, nil); !errors.Is(err, broken) {
		t.Fatalf("Ensure gives %v, want the scripted failure", err)
	}
	s, err := e.Inspect(t.Context(), m)
	if err != nil || s.Phase != engine.PhaseAbsent || !s.Volume {
		t.Errorf("after a failure at the machine: %+v, %v; want a volume alone", s, err)
	}
	fail = ""
	if err := e.Ensure(t.Context(), m, nil); err != nil {
		t.Fatalf("Ensure again: %v", err)
	}
}

func BenchmarkEnsure(b *testing.B) {
	e := New(Config{})
	m := engine.Machine{Isolation: baas.IsolationContainer, Size: baas.DefaultSize, AgentToken: "t"}
	for i := 0; b.Loop(); i++ {
		m.ID = strconv.Itoa(i)
		if err := e.Ensure(b.Context(), m, nil); err != nil {
			b.Fatal(err)
		}
	}
}
