package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/sealing"
	"github.com/baas-platform/baas/internal/server"
	"github.com/baas-platform/baas/internal/tunnel"
)

const (
	idleAgents = 2000
	// idleMeasured is some periods of everything that happens by itself: keepalives, usage windows, looks at Workers.
	idleMeasured = 2 * time.Minute
	idleTarget   = 120 // KB
	idleCPU      = 5   // % of a core
)

// measureAgents reads what the control plane takes for agents that are connected and idle. They are simulated in this
// process and speak the real protocol; each reports its Worker's usage of every minute, as a real one does.
func measureAgents(ctx context.Context, b *bench) (err error) {
	p, err := b.newPlatform(ctx, "fake")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(ctx)) }()
	t, err := p.newTenant(ctx, "Acme")
	if err != nil {
		return err
	}
	ids := make([]string, idleAgents)
	making, makeCtx := errgroup.WithContext(ctx)
	making.SetLimit(16)
	for i := range ids {
		making.Go(func() error {
			w, err := t.CreateWorker(makeCtx, baas.WorkerCreate{Name: fmt.Sprint("Worker ", i)})
			ids[i] = w.ID
			return err
		})
	}
	if err := making.Wait(); err != nil {
		return fmt.Errorf("making Workers: %w", err)
	}
	keys, err := sealing.Load(ctx, sealing.Config{File: filepath.Join(p.dir, "master.key")})
	if err != nil {
		return err
	}

	// A control plane that has just been started is the baseline: it has the Workers and no agent.
	p.stop()
	if err := p.start(ctx); err != nil {
		return err
	}
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	before, err := memoryOf(p.cmd.Process.Pid, "status", "VmRSS")
	if err != nil {
		return err
	}
	stop, up := p.connect(ctx, keys, ids)
	defer stop()
	for range ids {
		select {
		case <-up:
		case <-time.After(time.Minute):
			return errors.New("not all agents connected")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := p.awaitRunning(ctx, t, ids); err != nil {
		return err
	}
	if err := pause(ctx, 30*time.Second); err != nil {
		return err
	}
	share, err := p.idle(ctx)
	if err != nil {
		return err
	}
	after, err := memoryOf(p.cmd.Process.Pid, "status", "VmRSS")
	if err != nil {
		return err
	}
	b.detail("control plane: %d MB before, %d MB after", before>>20, after>>20)
	const what = "control plane with 2,000 idle agents, "
	b.add(
		atMost(what+"memory for each", float64(after-before)/idleAgents/1000, "KB", idleTarget).against(float64(before)/idleAgents/1000, float64(after)/idleAgents/1000),
		atMost(what+"processor", share, "% of a core", idleCPU),
	)
	return nil
}

// idle is the control plane's processor time while nobody asks for anything, in % of a core.
func (p *platform) idle(ctx context.Context) (float64, error) {
	began := time.Now()
	spent, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, idleMeasured); err != nil {
		return 0, err
	}
	used, err := cpuOf(p.cmd.Process.Pid)
	return float64(used-spent) / float64(time.Since(began)) * 100, err
}

// connect starts an agent for each Worker; up is told of each connection.
func (p *platform) connect(ctx context.Context, keys *sealing.Keys, ids []string) (stop func(), up <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	connected := make(chan struct{}, 100*len(ids))
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			_ = tunnel.Serve(ctx, tunnel.DialConfig{URL: p.agentURL, Token: server.AgentToken(keys, id), WorkerID: id, Version: "bench",
				Handler: newAgent(id), OnState: func(on bool) {
					if on {
						connected <- struct{}{}
					}
				}}) // it ends with ctx
		})
	}
	return func() { cancel(); wg.Wait() }, connected
}

// awaitRunning waits until the control plane has seen every agent's report.
func (p *platform) awaitRunning(ctx context.Context, t tenant, ids []string) error {
	return until(ctx, 2*time.Minute, "all Workers to run", func() error {
		running := 0
		for w, err := range t.Workers(ctx, client.WorkerQuery{States: []baas.WorkerState{baas.WorkerRunning}}) {
			if err != nil {
				return err
			}
			if slices.Contains(ids, w.ID) {
				running++
			}
		}
		if running < len(ids) {
			_ = pause(ctx, time.Second) // the question itself takes time of what is waited for
			return fmt.Errorf("%d of %d do", running, len(ids))
		}
		return nil
	})
}

// agent is a simulated agent without bots.
type agent struct {
	id      string
	began   time.Time
	mu      sync.Mutex
	seen    int64     // the revision that it was told
	pending time.Time // start of the oldest window that isn't acknowledged
}

func newAgent(id string) http.Handler {
	now := time.Now().UTC()
	a := &agent{id: id, began: now, pending: now.Truncate(baas.Window)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { a.answer(w, a.status()) })
	mux.HandleFunc("GET /v1/watch", a.watch)
	mux.HandleFunc("PUT /v1/desired", a.desired)
	mux.HandleFunc("POST /v1/usage", a.usage)
	return mux
}

func (a *agent) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the control plane is gone: it will ask again
}

func (a *agent) status() agentapi.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return agentapi.Status{WorkerID: a.id, Version: "bench", Protocol: agentapi.Protocol, Boot: a.id, StartedAt: a.began, Revision: a.seen,
		Usage: agentapi.Now{CPUMillis: 1, MemoryBytes: 8 << 20, DiskBytes: 1 << 16, DiskLimit: 2 << 30}}
}

// watch repeats the status every minute, as an agent does.
func (a *agent) watch(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		a.answer(w, a.status())
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (a *agent) desired(w http.ResponseWriter, r *http.Request) {
	var d agentapi.Desired
	if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	a.mu.Lock()
	a.seen = d.Revision
	a.mu.Unlock()
	a.answer(w, a.status())
}

// usage reports the Worker's own window of each minute that is over.
func (a *agent) usage(w http.ResponseWriter, r *http.Request) {
	var q agentapi.UsageQuery
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range q.Stored {
		if end := k.Start.Add(baas.Window); end.After(a.pending) {
			a.pending = end
		}
	}
	report := agentapi.UsageReport{Windows: []baas.UsageWindow{}}
	for start := a.pending; !start.Add(baas.Window).After(time.Now()); start = start.Add(baas.Window) {
		report.Windows = append(report.Windows, baas.UsageWindow{WorkerID: a.id, Start: start,
			Meters: baas.Meters{CPUMillis: 5, MemoryByteSeconds: 60 << 23, DiskByteSeconds: 60 << 16, RunningMillis: 60000}})
	}
	a.answer(w, report)
}
