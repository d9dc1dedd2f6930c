package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// wire stands between an engine's client and the engine, and can be cut.
type wire struct {
	path string
	mu   sync.Mutex
	l    net.Listener
	open map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	w := &wire{path: filepath.Join(t.TempDir(), "engine.sock"), open: map[net.Conn]bool{}}
	w.mend(t)
	t.Cleanup(w.cut)
	return w
}

// mend lets connections through again.
func (w *wire) mend(t *testing.T) {
	l, err := net.Listen("unix", w.path)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.l = l
	w.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", "/var/run/docker.sock")
			if err != nil {
				in.Close()
				continue
			}
			w.mu.Lock()
			w.open[in], w.open[out] = true, true
			w.mu.Unlock()
			pipe := func(a, b net.Conn) {
				_, _ = io.Copy(a, b)
				a.Close()
				b.Close()
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
}

// cut ends all connections and lets no new one through.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.l.Close()
	for c := range w.open {
		c.Close()
	}
	w.open = map[net.Conn]bool{}
}

func TestWatchFollowsTheEngineThroughItsAbsence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := newWire(t)
	direct := b.cfg.Host
	b.cfg.Host = "unix://" + w.path
	e := b.New(t)
	b.cfg.Host = direct
	m, _ := b.machine(t, e, baas.NewID(baas.PrefixTenant))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	changes, err := e.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next := func(want string) {
		t.Helper()
		for {
			select {
			case id, open := <-changes:
				if !open {
					t.Fatalf("Watch ended before it told %q", want)
				}
				if id == want {
					return
				}
			case <-ctx.Done():
				t.Fatalf("Watch did not tell %q", want)
			}
		}
	}
	kill := func() {
		t.Helper()
		if _, err := b.api.ContainerKill(ctx, b.cfg.Installation+"-"+m.ID, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
			t.Fatal(err)
		}
	}

	w.cut()
	if _, err := e.Inspect(ctx, m); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Inspect of an engine that is away gives %v, want ErrUnavailable", err)
	}
	if err := e.Ensure(ctx, m, nil); !errors.Is(err, baas.ErrUnavailable) {
		t.Errorf("Ensure on an engine that is away gives %v, want ErrUnavailable", err)
	}
	kill() // unseen
	w.mend(t)
	next("")
	if s, err := e.Inspect(ctx, m); err != nil || s.Phase != engine.PhaseStopped {
		t.Errorf("after the engine is back: %+v, %v", s, err)
	}
	if err := e.Ensure(ctx, m, nil); err != nil {
		t.Fatal(err)
	}
	next(m.ID)
	kill()
	next(m.ID)
}
