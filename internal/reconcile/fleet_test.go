package reconcile_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// fleet is agents without machines: each keeps in memory what a real one keeps on its volume. It watches that no bot
// ever runs in two Workers.
type fleet struct {
	t         *testing.T
	mu        sync.Mutex
	volumes   map[string]*volume    // outlive agents
	agents    map[string]*fakeAgent // connected ones
	connected func(workerID string)
	lost      func(workerID string)
	// fail, when set, may refuse an operation on an agent ("desired", "export", "import", "delete").
	fail func(op, workerID string) error
	runs map[string]string // bot → Worker that runs it
}

type volume struct {
	desired agentapi.Desired
	dirs    map[string]string // bot → contents of its directory
}

type fakeAgent struct {
	fleet  *fleet
	worker string
	server *httptest.Server
	wake   chan struct{}
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, volumes: map[string]*volume{}, agents: map[string]*fakeAgent{}, runs: map[string]string{}}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, a := range f.agents {
			a.server.CloseClientConnections()
			a.server.Close()
		}
	})
	return f
}

func (f *fleet) failWith(fail func(op, workerID string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// start is what a machine does when it starts: its agent connects and runs what its volume says.
func (f *fleet) start(worker string) {
	f.mu.Lock()
	if f.agents[worker] != nil {
		f.mu.Unlock()
		return
	}
	if f.volumes[worker] == nil {
		f.volumes[worker] = &volume{dirs: map[string]string{}}
	}
	a := &fakeAgent{fleet: f, worker: worker, wake: make(chan struct{})}
	f.agents[worker] = a
	f.apply(worker)
	a.server = httptest.NewServer(a.routes())
	f.mu.Unlock()
	f.connected(worker)
}

// stop is what happens to an agent whose machine ends.
func (f *fleet) stop(worker string, removeVolume bool) {
	f.mu.Lock()
	a := f.agents[worker]
	delete(f.agents, worker)
	for bot, w := range f.runs {
		if w == worker {
			delete(f.runs, bot)
		}
	}
	if removeVolume {
		delete(f.volumes, worker)
	}
	f.mu.Unlock()
	if a != nil {
		f.lost(worker)
		a.server.CloseClientConnections()
		a.server.Close()
	}
}

// apply starts and stops bots as the volume's desired state says. Callers hold mu.
func (f *fleet) apply(worker string) {
	v := f.volumes[worker]
	for _, b := range v.desired.Bots {
		if b.Run {
			if other, running := f.runs[b.ID]; running && other != worker {
				f.t.Errorf("bot %s runs in %s and is started in %s", b.ID, other, worker)
			}
			f.runs[b.ID] = worker
			if _, ok := v.dirs[b.ID]; !ok {
				v.dirs[b.ID] = "made in " + worker
			}
		} else if f.runs[b.ID] == worker {
			delete(f.runs, b.ID)
		}
	}
	for bot, w := range f.runs {
		if w == worker && !slices.ContainsFunc(v.desired.Bots, func(b agentapi.DesiredBot) bool { return b.ID == bot }) {
			delete(f.runs, bot)
		}
	}
	if a := f.agents[worker]; a != nil {
		close(a.wake)
		a.wake = make(chan struct{})
	}
}

func (f *fleet) status(worker string) agentapi.Status {
	v := f.volumes[worker]
	s := agentapi.Status{WorkerID: worker, Version: "test", Protocol: agentapi.Protocol, Boot: "boot", Revision: v.desired.Revision}
	for _, b := range v.desired.Bots {
		st := agentapi.BotStatus{ID: b.ID, BotStatus: baas.BotStatus{State: baas.BotStopped, Reason: "stopped"}}
		if f.runs[b.ID] == worker {
			st.State, st.Reason = baas.BotRunning, "runs"
		}
		st.Held = b.Held && f.runs[b.ID] != worker
		s.Bots = append(s.Bots, st)
	}
	for id := range v.dirs {
		s.Stored = append(s.Stored, id)
	}
	slices.Sort(s.Stored)
	return s
}

func (a *fakeAgent) routes() http.Handler {
	f := a.fleet
	mux := http.NewServeMux()
	handle := func(pattern, op string, fn func(w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			var err error
			f.mu.Lock()
			fail := f.fail
			f.mu.Unlock()
			if fail != nil && op != "" {
				err = fail(op, a.worker)
			}
			if err == nil {
				err = fn(w, r)
			}
			if err != nil {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusConflict)
				_ = json.NewEncoder(w).Encode(agentapi.Error{Code: baas.CodeOf(err), Message: err.Error()})
			}
		})
	}
	handle("GET /v1/watch", "", func(w http.ResponseWriter, r *http.Request) error {
		for {
			f.mu.Lock()
			if f.agents[a.worker] != a {
				f.mu.Unlock()
				return nil
			}
			s, wake := f.status(a.worker), a.wake
			f.mu.Unlock()
			if err := json.NewEncoder(w).Encode(s); err != nil {
				return nil
			}
			w.(http.Flusher).Flush()
			select {
			case <-wake:
			case <-r.Context().Done():
				return nil
			}
		}
	})
	handle("PUT /v1/desired", "desired", func(w http.ResponseWriter, r *http.Request) error {
		var d agentapi.Desired
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		v := f.volumes[a.worker]
		if d.Revision < v.desired.Revision {
			return baas.Errorf(baas.CodeConflict, "revision %d is lower than %d", d.Revision, v.desired.Revision)
		}
		v.desired = d
		f.apply(a.worker)
		return json.NewEncoder(w).Encode(f.status(a.worker))
	})
	handle("GET /v1/bots/{id}/export", "export", func(w http.ResponseWriter, r *http.Request) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		id := r.PathValue("id")
		for _, b := range f.status(a.worker).Bots {
			if b.ID == id && b.Held {
				_, err := io.WriteString(w, f.volumes[a.worker].dirs[id])
				return err
			}
		}
		return baas.Errorf(baas.CodeConflict, "the bot is not held")
	})
	handle("PUT /v1/bots/{id}/import", "import", func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.volumes[a.worker].dirs[r.PathValue("id")] = string(body)
		f.apply(a.worker)
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	handle("DELETE /v1/bots/{id}", "delete", func(w http.ResponseWriter, r *http.Request) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		id := r.PathValue("id")
		if f.runs[id] == a.worker {
			f.t.Errorf("the directory of the running bot %s is deleted in %s", id, a.worker)
		}
		delete(f.volumes[a.worker].dirs, id)
		f.apply(a.worker)
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	return mux
}

// RoundTripper reaches a connected agent.
func (f *fleet) RoundTripper(workerID string) (http.RoundTripper, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.agents[workerID]
	if a == nil || a.server == nil {
		return nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the agent is not connected"}
	}
	host := strings.TrimPrefix(a.server.URL, "http://")
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Host = host
		return a.server.Client().Transport.RoundTrip(r)
	}), nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// where says which Worker runs the bot ("" for none) and what its directory holds there.
func (f *fleet) where(bot string) (worker, dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	worker = f.runs[bot]
	if v := f.volumes[worker]; v != nil {
		dir = v.dirs[bot]
	}
	return worker, dir
}

func (f *fleet) copies(bot string) (in []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w, v := range f.volumes {
		if _, ok := v.dirs[bot]; ok {
			in = append(in, w)
		}
	}
	return in
}

// eventually waits until ok, woken by changes of the store and from time to time.
func eventually(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		done, seen := ok()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s; now: %s", what, seen)
		case <-tick.C:
		}
	}
}
