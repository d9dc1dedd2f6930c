// Package metering brings the agents' usage windows into the ledger: it fetches closed windows, stores those of many
// agents in one transaction, and acknowledges them when it asks for the next. A crash before that means that windows come
// again, which the ledger merges without a difference; an agent that is away keeps its windows until it is back.
package metering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// Config is what a Collector needs.
type Config struct {
	Store baas.Store
	// Agents reaches the agent of a Worker, by the same RoundTripper (compared with ==) as long as its connection lasts;
	// baas.ErrUnavailable when it isn't connected.
	Agents interface {
		RoundTripper(workerID string) (http.RoundTripper, error)
	}
	// Connected lists the Workers whose agents are connected to this process, sorted.
	Connected func() []string
	Interval  time.Duration    // between two looks at one agent; baas.Window when 0, since none has more than one window to report in less
	Parallel  int              // agents asked at once; 64 when 0
	Gather    time.Duration    // what is to be stored waits so long for what other agents report, for one transaction; not at all when 0
	Now       func() time.Time // time.Now when nil
	Log       *slog.Logger
}

const (
	batch = 1000 // windows that are fetched or stored at once
	// batches and patience bound one Collect, so that an agent which always has more, or never answers, keeps nobody
	// else waiting; the rest comes with the next.
	batches  = 20
	patience = time.Minute
	// strangers is how many bots of one batch may be unknown, since they were deleted meanwhile; an agent that invents
	// bots fills no more than that.
	strangers = 100
)

// Collector fetches usage from every connected agent.
type Collector struct {
	Config
	windows prometheus.Counter
	late    prometheus.Counter
	refused prometheus.Counter

	mu       sync.Mutex
	agents   map[string]state  // by Worker
	tenants  map[string]string // by Worker
	gathered []*report
}

// state is how far the collection from an agent is.
type state struct {
	asked bool // at this moment
	// What is to be acknowledged, over the connection that it came by. Over another one it could be wrong: between the two,
	// another control plane may have been given more of a window, and have ended before it stored that.
	stored []agentapi.UsageKey
	over   http.RoundTripper
}

// New makes a collector.
func New(c Config) *Collector {
	if c.Interval == 0 {
		c.Interval = baas.Window
	}
	if c.Parallel == 0 {
		c.Parallel = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	return &Collector{
		Config:  c,
		agents:  map[string]state{},
		tenants: map[string]string{},
		windows: counter("baas_usage_windows_total", "Usage windows stored."),
		late:    counter("baas_usage_windows_late_total", "Usage windows left out because their minutes are no longer kept."),
		refused: counter("baas_usage_windows_refused_total", "Usage windows left out because they can't be true."),
	}
}

// Collectors are its metrics, for a registry.
func (c *Collector) Collectors() []prometheus.Collector {
	return []prometheus.Collector{c.windows, c.late, c.refused}
}

// Run fetches until ctx ends, spreading the agents over the interval in groups, so that the database commits once for a
// group.
func (c *Collector) Run(ctx context.Context, started func()) error {
	started()
	slots := make(chan struct{}, c.Parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		connected := c.Connected()
		c.forget(connected)
		groups := slices.Collect(slices.Chunk(connected, c.Parallel))
		if len(groups) == 0 {
			groups = [][]string{nil}
		}
		for _, group := range groups {
			for _, id := range group {
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
			t := time.NewTimer(c.Interval / time.Duration(len(groups)))
			select {
			case <-ctx.Done():
				t.Stop()
				return nil
			case <-t.C:
			}
		}
	}
}

// Collect fetches what one Worker's agent has to report, up to 20,000 windows and for up to a minute. It may be called
// at any time and repeated; while the agent is being asked already, it does nothing.
func (c *Collector) Collect(ctx context.Context, workerID string) error {
	rt, err := c.Agents.RoundTripper(workerID)
	if err != nil {
		return fmt.Errorf("reaching the agent of %s: %w", workerID, err)
	}
	stored, ok := c.begin(workerID, rt)
	if !ok {
		return nil
	}
	defer func() { c.end(workerID, rt, stored) }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	agent := agentapi.NewClient(rt)
	for range batches {
		q := agentapi.UsageQuery{Stored: stored, Limit: batch}
		// Once only: an answer that is lost may have told more of a window, which the same words would acknowledge too.
		stored = nil
		report, err := agent.Usage(ctx, q)
		if err != nil {
			return fmt.Errorf("fetching usage of %s: %w", workerID, err)
		}
		if len(report.Windows) == 0 {
			return nil
		}
		now := c.Now()
		due := slices.DeleteFunc(report.Windows, func(w baas.UsageWindow) bool { return early(w, now) })
		if len(due) == 0 {
			return nil // the agent keeps what is early by our clock until it is due
		}
		if err := c.record(ctx, workerID, due); err != nil {
			return fmt.Errorf("recording usage of %s: %w", workerID, err)
		}
		for _, w := range due {
			stored = append(stored, agentapi.UsageKey{BotID: w.BotID, Start: w.Start})
		}
		if !report.More {
			return nil
		}
	}
	return nil
}

// begin takes the turn to ask a Worker's agent, since an acknowledgement is of what was given last, and tells what is to
// be acknowledged. Not ok when somebody else has the turn.
func (c *Collector) begin(workerID string, over http.RoundTripper) (stored []agentapi.UsageKey, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.agents[workerID]
	if s.asked {
		return nil, false
	}
	c.agents[workerID] = state{asked: true}
	if s.over != over {
		return nil, true
	}
	return s.stored, true
}

// end gives the turn back, with what the next question acknowledges.
func (c *Collector) end(workerID string, over http.RoundTripper, stored []agentapi.UsageKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stored == nil {
		delete(c.agents, workerID)
		return
	}
	c.agents[workerID] = state{over: over, stored: stored}
}

// forget drops what is kept about agents that are no longer connected.
func (c *Collector) forget(connected []string) {
	gone := func(id string) bool {
		_, here := slices.BinarySearch(connected, id)
		return !here
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.agents, func(id string, s state) bool { return !s.asked && gone(id) })
	maps.DeleteFunc(c.tenants, func(id, _ string) bool { return gone(id) })
}

// record stores the windows that can be true. An agent runs beside strangers' bots, so what it says is checked: the
// Worker is the one that its token names, and times and amounts are possible.
func (c *Collector) record(ctx context.Context, workerID string, ws []baas.UsageWindow) error {
	possible := ws[:0:0]
	for _, w := range ws {
		w.WorkerID = workerID
		if err := Check(w); err != nil {
			c.refused.Inc()
			c.Log.Debug("a usage window is refused", "worker", workerID, "bot", w.BotID, "start", w.Start, "err", err)
			continue
		}
		possible = append(possible, w)
	}
	if n := len(ws) - len(possible); n > 0 {
		c.Log.Warn("usage windows that can't be true are refused", "worker", workerID, "windows", n)
	}
	if len(possible) == 0 {
		return nil
	}
	r := &report{worker: workerID, windows: possible, done: make(chan struct{})}
	if err := c.store(ctx, r); err != nil {
		return err
	}
	if r.refused > 0 {
		c.refused.Add(float64(r.refused))
		c.Log.Warn("usage windows of bots that the Worker can't have are refused", "worker", workerID, "windows", r.refused)
	}
	return nil
}

// report is a Worker's windows on their way into the ledger.
type report struct {
	worker  string
	windows []baas.UsageWindow
	refused int           // windows of bots that can't be the Worker's
	done    chan struct{} // closed when err is set
	err     error
}

// store records a report, with others where it can. When that fails, each is recorded by itself, so that nobody's trouble
// is another's.
func (c *Collector) store(ctx context.Context, r *report) error {
	if c.Gather > 0 {
		if err := c.together(ctx, r); err == nil || ctx.Err() != nil {
			return err
		}
	}
	err := c.recordAll(ctx, []*report{r})
	if errors.Is(err, baas.ErrNotFound) {
		return nil // its tenant is deleted
	}
	return err
}

// together records a report with others that come while it is gathered. The first of them does it for all.
func (c *Collector) together(ctx context.Context, r *report) error {
	c.mu.Lock()
	c.gathered = append(c.gathered, r)
	first := len(c.gathered) == 1
	c.mu.Unlock()
	if !first {
		select {
		case <-r.done:
			return r.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t := time.NewTimer(c.Gather)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done(): // fails for all, who go on by themselves
	}
	c.mu.Lock()
	all := c.gathered
	c.gathered = nil
	c.mu.Unlock()
	for len(all) > 0 {
		n := 1
		for windows := len(all[0].windows); n < len(all) && windows+len(all[n].windows) <= batch; n++ {
			windows += len(all[n].windows)
		}
		err := c.recordAll(ctx, all[:n])
		for _, r := range all[:n] {
			r.err = err
			close(r.done)
		}
		all = all[n:]
	}
	return r.err
}

// recordAll stores reports in one transaction, a tenant's at once. Those of Workers that are deleted are dropped: there
// is nothing to bill them to.
func (c *Collector) recordAll(ctx context.Context, rs []*report) error {
	now := c.Now()
	var recorded, late map[string]int // windows, by tenant
	err := c.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		recorded, late = map[string]int{}, map[string]int{}
		possible := map[string][]baas.UsageWindow{} // by tenant
		for _, r := range rs {
			tenant, err := c.tenantOf(ctx, tx, r.worker)
			if errors.Is(err, baas.ErrNotFound) {
				r.refused = 0
				continue
			}
			if err != nil {
				return err
			}
			ok, err := owned(ctx, tx, tenant, r.windows)
			if err != nil {
				return err
			}
			r.refused = len(r.windows) - len(ok)
			possible[tenant] = append(possible[tenant], ok...)
		}
		// In order, so that another control plane that records for the same tenants doesn't wait for us while we wait for it.
		for _, tenant := range slices.Sorted(maps.Keys(possible)) {
			n, err := tx.In(tenant).Usage().Record(ctx, now, possible[tenant])
			if err != nil {
				return err
			}
			recorded[tenant], late[tenant] = len(possible[tenant])-n, n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for tenant := range recorded {
		c.windows.Add(float64(recorded[tenant]))
		c.late.Add(float64(late[tenant]))
		if late[tenant] > 0 {
			c.Log.Warn("usage came too late to be counted", "tenant", tenant, "windows", late[tenant])
		}
	}
	return nil
}

// tenantOf finds a Worker's tenant, which never changes. What a Worker reports just after it was deleted, it has used.
func (c *Collector) tenantOf(ctx context.Context, tx baas.SystemTx, workerID string) (string, error) {
	c.mu.Lock()
	tenant, known := c.tenants[workerID]
	c.mu.Unlock()
	if known {
		return tenant, nil
	}
	w, err := tx.Worker(ctx, workerID)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tenants[workerID] = w.TenantID
	return w.TenantID, nil
}

// owned leaves out windows of bots that can't be the Worker's own: another tenant's, and more unknown ones than are
// deleted in a while.
func owned(ctx context.Context, tx baas.SystemTx, tenant string, ws []baas.UsageWindow) (ok []baas.UsageWindow, err error) {
	counts, unknown := map[string]bool{"": true}, 0
	for _, w := range ws {
		may, known := counts[w.BotID]
		if !known {
			b, err := tx.Bot(ctx, w.BotID)
			switch {
			case errors.Is(err, baas.ErrNotFound):
				unknown++
				may = unknown <= strangers
			case err != nil:
				return nil, err
			default:
				may = b.TenantID == tenant
			}
			counts[w.BotID] = may
		}
		if may {
			ok = append(ok, w)
		}
	}
	return ok, nil
}

// Bounds of what one window can hold: the largest Worker, all of it, for a minute.
const (
	maxCPUMillis = 64 * 60 * 1000 * 2 // with room for the clock
	maxMemory    = 256 << 30
	maxDisk      = 4096 << 30
	maxBytes     = 1 << 40
	maxRequests  = 1 << 32
)

// early reports whether a window isn't over by our clock, with a minute for the difference of clocks. One of the two
// clocks is wrong then, and will be set.
func early(w baas.UsageWindow, now time.Time) bool {
	return w.Start.Add(baas.Window).After(now.Add(baas.Window))
}

// Check tells whether a window can be true: a full minute with amounts that a Worker can reach.
func Check(w baas.UsageWindow) error {
	var p baas.Problems
	if !w.Start.Equal(w.Start.Truncate(baas.Window)) {
		p.Add("start", "must be a full minute")
	}
	if w.Start.Before(time.Unix(0, 0)) {
		p.Add("start", "must be after 1970")
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
