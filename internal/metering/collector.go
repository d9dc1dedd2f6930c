// Package metering brings the agents' usage windows into the ledger: it fetches closed windows, stores them in one
// transaction and acknowledges them after that. A crash between the last two means that windows come again, which the
// ledger merges without a difference; an agent that is away keeps its windows until it is back.
package metering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// Config is what a Collector needs.
type Config struct {
	Store baas.Store
	// Agents reaches the agent of a Worker; baas.ErrUnavailable when it isn't connected.
	Agents interface {
		RoundTripper(workerID string) (http.RoundTripper, error)
	}
	// Connected lists the Workers whose agents are connected to this process.
	Connected func() []string
	Interval  time.Duration    // between two looks at one agent; 20 s when 0
	Parallel  int              // agents asked at once; 8 when 0
	Now       func() time.Time // time.Now when nil
	Log       *slog.Logger
}

// batch is how many windows are fetched and stored at once.
const batch = 1000

// Collector fetches usage from every connected agent.
type Collector struct {
	Config
	windows prometheus.Counter
	late    prometheus.Counter
	refused prometheus.Counter
}

// New makes a collector.
func New(c Config) *Collector {
	if c.Interval == 0 {
		c.Interval = 20 * time.Second
	}
	if c.Parallel == 0 {
		c.Parallel = 8
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return &Collector{
		Config:  c,
		windows: counter("baas_usage_windows_total", "Usage windows stored."),
		late:    counter("baas_usage_windows_late_total", "Usage windows left out because their minutes are no longer kept."),
		refused: counter("baas_usage_windows_refused_total", "Usage windows left out because they can't be true."),
	}
}

// Collectors are its metrics, for a registry.
func (c *Collector) Collectors() []prometheus.Collector {
	return []prometheus.Collector{c.windows, c.late, c.refused}
}

// Run fetches until ctx ends, spreading the agents over the interval.
func (c *Collector) Run(ctx context.Context, started func()) error {
	started()
	slots := make(chan struct{}, c.Parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		ids := c.Connected()
		pause := c.Interval
		if len(ids) > 0 {
			pause = c.Interval / time.Duration(len(ids))
		}
		for _, id := range append(ids, make([]string, max(0, 1-len(ids)))...) {
			if id != "" {
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return nil
				}
				wg.Add(1)
				go func() {
					defer wg.Done()
					defer func() { <-slots }()
					if err := c.Collect(ctx, id); err != nil && ctx.Err() == nil && baas.CodeOf(err) != baas.CodeUnavailable {
						c.Log.Warn("collecting usage", "worker", id, "err", err)
					}
				}()
			}
			t := time.NewTimer(pause)
			select {
			case <-ctx.Done():
				t.Stop()
				return nil
			case <-t.C:
			}
		}
	}
}

// Collect fetches everything that one Worker's agent has to report. It may be called at any time and repeated.
func (c *Collector) Collect(ctx context.Context, workerID string) error {
	rt, err := c.Agents.RoundTripper(workerID)
	if err != nil {
		return fmt.Errorf("reaching the agent of %s: %w", workerID, err)
	}
	agent := agentapi.NewClient(rt)
	for {
		report, err := agent.Usage(ctx, batch)
		if err != nil {
			return fmt.Errorf("fetching usage of %s: %w", workerID, err)
		}
		if len(report.Windows) == 0 {
			return nil
		}
		if err := c.record(ctx, workerID, report.Windows); err != nil {
			return fmt.Errorf("recording usage of %s: %w", workerID, err)
		}
		ack := agentapi.UsageAck{}
		for _, w := range report.Windows {
			ack.Windows = append(ack.Windows, agentapi.UsageKey{BotID: w.BotID, Start: w.Start})
		}
		if err := agent.AckUsage(ctx, ack); err != nil {
			return fmt.Errorf("acknowledging usage of %s: %w", workerID, err)
		}
		if !report.More {
			return nil
		}
	}
}

// record stores the windows that can be true. An agent runs beside strangers' bots, so what it says is checked: the
// Worker is the one that its token names, and times and amounts are possible.
func (c *Collector) record(ctx context.Context, workerID string, ws []baas.UsageWindow) error {
	now := c.Now()
	ok := ws[:0:0]
	for _, w := range ws {
		w.WorkerID = workerID
		if err := Check(w, now); err != nil {
			c.refused.Inc()
			c.Log.Warn("a usage window is refused", "worker", workerID, "bot", w.BotID, "start", w.Start, "err", err)
			continue
		}
		ok = append(ok, w)
	}
	if len(ok) == 0 {
		return nil
	}
	var worker baas.Worker
	err := c.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { worker, err = tx.Worker(ctx, workerID); return err })
	if errors.Is(err, baas.ErrNotFound) {
		return nil // deleted: nothing to bill it to
	}
	if err != nil {
		return err
	}
	var late int
	err = c.Store.Tenant(worker.TenantID).Update(ctx, func(tx baas.TenantTx) (err error) {
		late, err = tx.Usage().Record(ctx, now, ok)
		return err
	})
	if err != nil {
		return err
	}
	c.windows.Add(float64(len(ok) - late))
	c.late.Add(float64(late))
	if late > 0 {
		c.Log.Warn("usage came too late to be counted", "worker", workerID, "windows", late)
	}
	return nil
}

// Bounds of what one window can hold: the largest Worker, all of it, for a minute.
const (
	maxCPUMillis = 64 * 60 * 1000 * 2 // with room for the clock
	maxMemory    = 256 << 30
	maxDisk      = 4096 << 30
	maxBytes     = 1 << 40
	maxRequests  = 1 << 32
)

// Check tells whether a window can be true at now: a full minute that is over, with amounts that a Worker can reach.
func Check(w baas.UsageWindow, now time.Time) error {
	var p baas.Problems
	if !w.Start.Equal(w.Start.Truncate(baas.Window)) {
		p.Add("start", "must be a full minute")
	}
	if w.Start.Add(baas.Window).After(now.Add(2 * baas.Window)) {
		p.Add("start", "is in the future")
	}
	if w.BotID != "" && !baas.ValidID(baas.PrefixBot, w.BotID) {
		p.Add("bot_id", "is not a bot's id")
	}
	for _, m := range []struct {
		name string
		v    int64
		high int64
	}{
		{"cpu_ms", w.CPUMillis, maxCPUMillis}, {"memory_byte_seconds", w.MemoryByteSeconds, maxMemory * 120},
		{"disk_byte_seconds", w.DiskByteSeconds, maxDisk * 120}, {"bytes_in", w.BytesIn, maxBytes}, {"bytes_out", w.BytesOut, maxBytes},
		{"requests", w.Requests, maxRequests}, {"running_ms", w.RunningMillis, 2 * 60 * 1000},
	} {
		if m.v < 0 || m.v > m.high {
			p.Add(m.name, "is %d; must be between 0 and %d", m.v, m.high)
		}
	}
	return p.Err()
}
