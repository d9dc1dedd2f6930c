package docker

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

// socket is an engine's socket behind which there is nobody at first, and then the real engine.
type socket struct {
	mu    sync.Mutex
	alive bool
}

func (s *socket) serve(t *testing.T, path, real string) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var held sync.WaitGroup
	t.Cleanup(func() { l.Close(); held.Wait() })
	held.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			alive := s.alive
			s.mu.Unlock()
			held.Go(func() {
				defer c.Close()
				if !alive {
					_, _ = io.Copy(io.Discard, c) // it listens, and says nothing
					return
				}
				to, err := net.Dial("unix", real)
				if err != nil {
					t.Error(err)
					return
				}
				defer to.Close()
				go func() { _, _ = io.Copy(to, c); to.Close() }()
				_, _ = io.Copy(c, to)
			})
		}
	})
}

// TestAnEngineThatHangs starts the platform's side while the engine takes connections and answers none, as one does that
// hangs after a crash: nobody waits without an end, and once it answers everything works.
func TestAnEngineThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var s socket
	s.serve(t, path, "/var/run/docker.sock")
	e, err := New(t.Context(), Config{Host: "unix://" + path, Installation: "test-silent", BinaryPath: enginetest.BuildProbe(t),
		AgentURL: "ws://172.17.0.1:9", AnswerWithin: 300 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("the control plane can't start without its engine: %v", err)
	}
	defer e.Close()
	m := engine.Machine{ID: "wrk_x", TenantID: "ten_x", Isolation: baas.IsolationContainer, Size: baas.Size{CPUMillis: 100, MemoryMiB: 64, DiskGiB: 1}, AgentToken: "x"}
	began := time.Now()
	_, err = e.Capabilities(t.Context())
	_, inspect := e.Inspect(t.Context(), m)
	for what, err := range map[string]error{"capabilities": err, "inspect": inspect, "ensure": e.Ensure(t.Context(), m, nil)} {
		if !errors.Is(err, baas.ErrUnavailable) {
			t.Errorf("%s: %v; want that the engine is unavailable", what, err)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the answers took %v", took)
	}
	s.mu.Lock()
	s.alive = true
	s.mu.Unlock()
	deadline := time.Now().Add(time.Minute)
	for {
		caps, err := e.Capabilities(t.Context())
		if err == nil {
			if caps.Engine == "" {
				t.Errorf("got %+v", caps)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the engine answers, and is still said to be away: %v", err)
		}
	}
	if st, err := e.Inspect(t.Context(), m); err != nil || st.Phase != engine.PhaseAbsent {
		t.Errorf("got %+v, %v", st, err)
	}
}
