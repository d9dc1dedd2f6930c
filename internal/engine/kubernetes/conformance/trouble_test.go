package conformance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// told checks that a machine's trouble has words for the client and a detail for the operator.
func told(t *testing.T, s engine.State, phase engine.Phase, reason, detail string) {
	t.Helper()
	if s.Phase != phase || !strings.Contains(s.Reason, reason) || !strings.Contains(s.Detail, detail) {
		t.Errorf("state %+v; want %s with %q and %q", s, phase, reason, detail)
	}
}

func message(err error) string {
	var e *baas.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

func TestTroublesHaveReasons(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	e := c.New(t)
	t.Run("an image that can't be fetched", func(t *testing.T) {
		m := machine(c)
		m.Image = "127.0.0.1:9/missing:1"
		if err := e.Ensure(t.Context(), m, nil); !strings.Contains(message(err), "127.0.0.1:9/missing:1 could not be fetched") {
			t.Errorf("Ensure: %v", err)
		}
		told(t, inspect(t, e, m), engine.PhaseFailed, "could not be fetched", "ImagePull")
		m.Image = "" // put right: the machine comes without waiting for the pull to be tried again
		ensure(t, e, m)
		running(t, e, m)
	})
	t.Run("no room in the cluster", func(t *testing.T) {
		m := machine(c)
		m.Plan = baas.Plan{}
		m.Size.MemoryMiB = 200 << 10
		if err := e.Ensure(t.Context(), m, nil); !strings.Contains(message(err), "no room") {
			t.Errorf("Ensure: %v", err)
		}
		told(t, inspect(t, e, m), engine.PhaseFailed, "no room", "Insufficient memory")
		m.Size.MemoryMiB = 96
		ensure(t, e, m)
		running(t, e, m)
	})
	t.Run("quota", func(t *testing.T) {
		m := machine(c)
		m.Plan.Limits.MemoryMiB = 64
		if err := e.Ensure(t.Context(), m, nil); !errors.Is(err, baas.ErrQuotaExceeded) {
			t.Errorf("Ensure: %v", err)
		}
		told(t, inspect(t, e, m), engine.PhaseFailed, "quota", "exceeded quota")
		m.Plan.Limits.MemoryMiB = 128
		// The cluster's controller tries again by itself.
		until(t, "the machine", 60*time.Second, func() bool {
			_ = e.Ensure(t.Context(), m, nil)
			return inspect(t, e, m).Current
		})
	})
	t.Run("out of memory", func(t *testing.T) {
		m := machine(c)
		ensure(t, e, m)
		first := c.identity(t, m.ID)
		changes, err := e.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.control.Probe(t, m.ID).Do(t, "hold", "300", "")
		deadline := time.After(30 * time.Second)
		for {
			if s := inspect(t, e, m); s.OOMKilled && s.Phase != engine.PhaseRunning {
				if !strings.Contains(s.Reason, "memory") {
					t.Errorf("state: %+v", s)
				}
				break
			}
			if s := inspect(t, e, m); s.Phase == engine.PhaseRunning && c.identity(t, m.ID) != first {
				break // it was made anew between two looks
			}
			select {
			case <-changes:
			case <-deadline:
				t.Fatalf("no word of it: %+v", inspect(t, e, m))
			}
		}
		until(t, "the machine", 30*time.Second, func() bool { return inspect(t, e, m).Current })
	})
	t.Run("ends again and again", func(t *testing.T) {
		m := machine(c)
		ensure(t, e, m)
		until(t, "a back-off", 60*time.Second, func() bool {
			if s := inspect(t, e, m); s.Phase == engine.PhaseFailed {
				told(t, s, engine.PhaseFailed, "ends right after its start", "CrashLoopBackOff")
				if s.ExitCode != 3 {
					t.Errorf("code %d", s.ExitCode)
				}
				return true
			} else if s.Phase == engine.PhaseRunning {
				_, _ = c.control.Probe(t, m.ID).Do(t, "exit", "3", "")
			}
			return false
		})
	})
}

// The tests below break the cluster itself, so they don't run beside others.

func TestTheNodeIsAway(t *testing.T) {
	c := newCluster(t)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	first := c.identity(t, m.ID)
	script(t, "stop", "kubelet")
	defer script(t, "start", "kubelet")
	until(t, "word of a lost node", 2*time.Minute, func() bool { return inspect(t, e, m).Reason != "" })
	told(t, inspect(t, e, m), engine.PhaseRunning, "does not answer", "node1")
	script(t, "start", "kubelet")
	until(t, "the node", 60*time.Second, func() bool { return inspect(t, e, m).Reason == "" })
	running(t, e, m)
	if c.identity(t, m.ID) != first {
		t.Error("a restart of the kubelet restarted the machine")
	}
}

func TestTheAPIServerIsAway(t *testing.T) {
	c := newCluster(t)
	e, m := c.New(t), machine(c)
	ensure(t, e, m)
	c.control.Probe(t, m.ID)
	script(t, "stop", "apiserver", "-KILL")
	defer script(t, "start", "apiserver")
	if s := inspect(t, e, m); s.Phase != engine.PhaseRunning {
		t.Errorf("state: %+v", s)
	}
	other := machine(c)
	if err := e.Ensure(t.Context(), other, nil); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Ensure: %v", err)
	}
	m.Size.MemoryMiB += 32
	if err := e.Ensure(t.Context(), m, nil); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Ensure of a size: %v", err)
	}
	if err := e.Stop(t.Context(), m.ID); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Stop: %v", err)
	}
	if err := e.Remove(t.Context(), other.ID); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Remove of what isn't known: %v", err)
	}
	c.control.Probe(t, m.ID).Must(t, "write", "/data/note", "goes on")

	// A control plane that starts now serves, and knows that it knows nothing.
	late := c.New(t)
	if _, err := late.Inspect(t.Context(), m); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Inspect by one that knows nothing: %v", err)
	}
	if _, err := late.List(t.Context()); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("List by one that knows nothing: %v", err)
	}
	if _, err := late.Capabilities(t.Context()); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Capabilities by one that knows nothing: %v", err)
	}
	if err := late.Remove(t.Context(), m.ID); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Remove by one that knows nothing: %v", err)
	}
	told, err := late.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	script(t, "start", "apiserver")
	back := time.Now()
	for { // others are told of as they come in
		select {
		case id := <-told:
			if id != "" {
				continue
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nobody is told that the cluster is back")
		}
		break
	}
	t.Logf("what there is was known %.1f s after the API server was back", time.Since(back).Seconds())
	if all, err := late.List(t.Context()); err != nil || len(all) != 1 || inspect(t, late, m).Phase != engine.PhaseRunning {
		t.Errorf("List after the cluster is back: %d %v", len(all), err)
	}
	until(t, "the machines", 60*time.Second, func() bool {
		return e.Ensure(t.Context(), m, nil) == nil && e.Ensure(t.Context(), other, nil) == nil &&
			inspect(t, e, m).Current && inspect(t, e, other).Current
	})
}
