package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
)

// Agents reaches the agents that are connected.
type Agents interface {
	// RoundTripper gives the way to a Worker's agent, or baas.ErrUnavailable.
	RoundTripper(workerID string) (http.RoundTripper, error)
}

// Config is what a Controller needs.
type Config struct {
	Store  baas.Store
	Engine engine.Engine
	Agents Agents
	Keys   Unsealer
	// AgentToken derives the token that a Worker's agent must present.
	AgentToken func(workerID string) string
	// Holder names this process in the lease.
	Holder string
	// Clock tells the time that all processes agree on, by which the lease ends; Now when nil.
	Clock func(ctx context.Context) (time.Time, error)
	// Whole reports whether Agents knows of every connected agent. While it doesn't, one that isn't known may be connected
	// all the same, and no machine is restarted because its agent is away. Always when nil.
	Whole func() bool
	Log   *slog.Logger
	Now   func() time.Time // time.Now when nil
	// Parallel is how many passes run at once; 16 when 0.
	Parallel int
	// Resync is how often each Worker is looked at without a reason; 1 minute when 0.
	Resync time.Duration
	// OrphanGrace is how long a machine or volume without a Worker is kept, so that a database restored from a backup
	// doesn't cost volumes; 1 hour when 0.
	OrphanGrace time.Duration
}

const (
	leaseName = "controllers"
	leaseTTL  = 12 * time.Second
	// leaseRenew is between renewals, and the longest that one may take. Who couldn't renew for leaseTrust has stopped
	// working well before anybody else may begin.
	leaseRenew = leaseTTL / 4
	leaseTrust = leaseTTL * 2 / 3
)

type kind string

const (
	kindWorker kind = "worker"
	kindMove   kind = "move"
)

type key struct {
	kind   kind
	tenant string // of a move
	id     string
}

// Controller holds the loops that make what should be.
type Controller struct {
	Config
	queue   workqueue.TypedRateLimitingInterface[key]
	bots    keyedLock // directories of bots
	metrics Metrics

	mu      sync.Mutex
	agents  map[string]*agentConn // connected agents by Worker
	lost    map[string]time.Time  // when an agent was last seen connected
	failed  map[string]int64      // Worker.Version at the last failure: a change of settings ends the wait
	orphans map[string]time.Time  // since when
	term    int64                 // of this time of being in charge; agents refuse a lower one than they have heard of
	paused  map[key]time.Time     // until when a pass that failed isn't repeated, whatever wakes it
	leading bool
	began   time.Time
}

type agentConn struct {
	cancel  context.CancelFunc
	version string
	status  *agentapi.Status // nil until the first report
}

// New makes a controller.
func New(c Config) *Controller {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Clock == nil {
		c.Clock = func(context.Context) (time.Time, error) { return c.Now(), nil }
	}
	if c.Whole == nil {
		c.Whole = func() bool { return true }
	}
	if c.Parallel == 0 {
		c.Parallel = 16
	}
	if c.Resync == 0 {
		c.Resync = time.Minute
	}
	if c.OrphanGrace == 0 {
		c.OrphanGrace = time.Hour
	}
	return &Controller{
		Config: c,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[key](200*time.Millisecond, time.Minute)),
		metrics: newMetrics(),
		agents:  map[string]*agentConn{},
		lost:    map[string]time.Time{},
		failed:  map[string]int64{},
		orphans: map[string]time.Time{},
		paused:  map[key]time.Time{},
	}
}

// Run works until ctx ends. Of several processes on one database, the one with the lease drives engines and agents.
func (c *Controller) Run(ctx context.Context, started func()) error {
	c.mu.Lock()
	c.began = c.Now()
	c.mu.Unlock()
	context.AfterFunc(ctx, c.queue.ShutDown)
	started()
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	var reign *reign
	defer func() {
		if reign != nil {
			reign.end()
			c.giveBack(context.WithoutCancel(ctx))
		}
	}()
	renewed := time.Time{}
	for {
		asked := c.Now()
		at, held, err := c.lease(ctx, leaseTTL)
		switch {
		case err != nil && ctx.Err() == nil:
			c.Log.Error("renewing the controller lease", "err", err)
			held = reign != nil && c.Now().Add(leaseRenew).Sub(renewed) < leaseTrust
		case held:
			renewed = asked
		}
		switch {
		case held && reign == nil:
			c.Log.Info("this process runs the controllers")
			c.setTerm(at.UnixMicro())
			reign = c.begin(ctx)
		case !held && reign != nil:
			c.Log.Warn("another process runs the controllers now")
			reign.end()
			reign = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// lease takes or renews the lease at a time that it tells, or gives it back when ttl is zero.
func (c *Controller) lease(ctx context.Context, ttl time.Duration) (now time.Time, held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	if now, err = c.Clock(ctx); err != nil {
		return now, false, err
	}
	held, err = c.Store.Lease(ctx, leaseName, c.Holder, now, ttl)
	return now, held, err
}

// setTerm begins a time of being in charge. No earlier one of this process is under way.
func (c *Controller) setTerm(number int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.term = number
}

// giveBack ends the lease early, so that the next process need not wait for its end.
func (c *Controller) giveBack(ctx context.Context) {
	if _, _, err := c.lease(ctx, 0); err != nil {
		c.Log.Warn("giving the controller lease back", "err", err)
	}
}

// reign is one time of holding the lease.
type reign struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (c *Controller) begin(ctx context.Context) *reign {
	ctx, cancel := context.WithCancel(ctx)
	r := &reign{cancel: cancel, done: make(chan struct{})}
	go func() { defer close(r.done); c.lead(ctx) }()
	return r
}

// end stops the controllers and waits for them.
func (r *reign) end() {
	r.cancel()
	<-r.done
}

// lead runs the controllers until ctx ends.
func (c *Controller) lead(ctx context.Context) {
	var wg sync.WaitGroup
	run := func(f func(context.Context)) {
		wg.Add(1)
		go func() { defer wg.Done(); f(ctx) }()
	}
	c.mu.Lock()
	c.leading = true
	connected := maps.Clone(c.agents)
	c.mu.Unlock()
	for id, conn := range connected {
		c.watchAgent(ctx, id, conn)
	}
	run(c.watchStore)
	run(c.watchEngine)
	run(c.resync)
	inner, stopWorkers := context.WithCancel(ctx)
	defer stopWorkers()
	for range c.Parallel {
		wg.Add(1)
		go func() { defer wg.Done(); c.work(inner) }()
	}
	<-ctx.Done()
	c.mu.Lock()
	c.leading = false
	for _, conn := range c.agents {
		if conn.cancel != nil {
			conn.cancel()
			conn.cancel = nil
		}
	}
	c.mu.Unlock()
	stopWorkers()
	c.queue.Add(key{}) // wakes a worker that waits, once for each
	wg.Wait()
}

// work takes keys from the queue until ctx ends.
func (c *Controller) work(ctx context.Context) {
	for {
		k, shutdown := c.queue.Get()
		if shutdown {
			return
		}
		if ctx.Err() != nil {
			c.queue.Done(k)
			c.queue.Add(key{})
			return
		}
		if k == (key{}) {
			c.queue.Done(k)
			continue
		}
		c.pass(ctx, k)
	}
}

func (c *Controller) pass(ctx context.Context, k key) {
	defer c.queue.Done(k)
	begun := c.Now()
	if wait := c.pause(k).Sub(begun); wait > 0 {
		c.queue.AddAfter(k, wait)
		return
	}
	var again time.Time
	var err error
	switch k.kind {
	case kindWorker:
		again, err = c.workerPass(ctx, k.id)
	case kindMove:
		again, err = c.movePass(ctx, k.tenant, k.id)
	}
	c.metrics.observe(k.kind, c.Now().Sub(begun), err)
	c.setPause(k, err)
	switch {
	case err == nil:
		c.queue.Forget(k)
		if !again.IsZero() {
			c.queue.AddAfter(k, max(again.Sub(c.Now()), 10*time.Millisecond))
		}
	case ctx.Err() != nil:
	case errors.Is(err, baas.ErrVersionMismatch):
		c.queue.Add(k) // somebody was quicker: read again
	default:
		level := slog.LevelWarn
		if baas.CodeOf(err) == baas.CodeInternal {
			level = slog.LevelError
		}
		c.Log.Log(ctx, level, "pass failed; it is repeated", "kind", k.kind, "id", k.id, "err", err)
		c.queue.AddRateLimited(k)
	}
}

const (
	pauseMin = 200 * time.Millisecond
	pauseMax = time.Second
)

// setPause keeps a pass that failed from being repeated at once. What it wrote down before it failed is a change, which
// wakes it: without a pause it would go round as fast as it can while an engine or an agent is away.
func (c *Controller) setPause(k key, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || errors.Is(err, baas.ErrVersionMismatch) {
		delete(c.paused, k)
		return
	}
	c.paused[k] = c.Now().Add(min(pauseMax, pauseMin<<min(c.queue.NumRequeues(k), 10)))
}

func (c *Controller) pause(k key) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused[k]
}

// WakeWorker makes the next pass of a Worker happen now.
func (c *Controller) WakeWorker(id string) { c.queue.Add(key{kind: kindWorker, id: id}) }

func (c *Controller) wakeMove(m baas.Move) {
	c.queue.Add(key{kind: kindMove, tenant: m.TenantID, id: m.ID})
}

// watchStore turns changes of the store into wake-ups.
func (c *Controller) watchStore(ctx context.Context) {
	changes := c.Store.Subscribe(ctx)
	if err := c.wakeAll(ctx); err != nil && ctx.Err() == nil {
		c.Log.Error("listing what there is", "err", err)
	}
	for ch := range changes {
		var err error
		switch ch.Kind {
		case "worker":
			c.WakeWorker(ch.ID)
		case "bot":
			if ch.WorkerID != "" {
				c.WakeWorker(ch.WorkerID)
			}
		case "move":
			c.queue.Add(key{kind: kindMove, tenant: ch.TenantID, id: ch.ID})
		case "secret", "tenant":
			err = c.wakeTenant(ctx, ch.TenantID)
		case baas.ChangeResync:
			err = c.wakeAll(ctx)
		}
		if err != nil && ctx.Err() == nil {
			c.Log.Error("following a change", "kind", ch.Kind, "id", ch.ID, "err", err)
		}
	}
}

func (c *Controller) wakeTenant(ctx context.Context, tenantID string) error {
	var ids []string
	err := c.Store.Tenant(tenantID).View(ctx, func(tx baas.TenantTx) error {
		ids = nil
		return eachPage(func(p baas.Page) (string, error) {
			ws, next, err := tx.Workers().List(ctx, baas.WorkerFilter{Page: p})
			for _, w := range ws {
				ids = append(ids, w.ID)
			}
			return next, err
		})
	})
	for _, id := range ids {
		c.WakeWorker(id)
	}
	return err
}

func (c *Controller) wakeAll(ctx context.Context) error {
	workers, moves, err := c.everything(ctx)
	for id := range workers {
		c.WakeWorker(id)
	}
	for _, m := range moves {
		c.wakeMove(m)
	}
	return err
}

// everything lists the ids of all Workers and the moves that haven't ended.
func (c *Controller) everything(ctx context.Context) (map[string]bool, []baas.Move, error) {
	workers := map[string]bool{}
	var moves []baas.Move
	err := c.Store.System().View(ctx, func(tx baas.SystemTx) error {
		clear(workers)
		err := eachPage(func(p baas.Page) (string, error) {
			ws, next, err := tx.Workers(ctx, p)
			for _, w := range ws {
				workers[w.ID] = true
			}
			return next, err
		})
		if err != nil {
			return fmt.Errorf("listing Workers: %w", err)
		}
		moves, err = tx.ActiveMoves(ctx)
		return err
	})
	return workers, moves, err
}

// eachPage calls list with cursor after cursor until there is no next page.
func eachPage(list func(baas.Page) (next string, err error)) error {
	p := baas.Page{Limit: baas.MaxPageSize}
	for {
		next, err := list(p)
		if err != nil || next == "" {
			return err
		}
		p.Cursor = next
	}
}

// watchEngine turns events of the engine into wake-ups.
func (c *Controller) watchEngine(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := c.Engine.Watch(ctx)
		if err != nil {
			c.Log.Warn("watching the engine", "err", err)
			if !sleep(ctx, 2*time.Second) {
				return
			}
			continue
		}
		for id := range events {
			if id != "" {
				c.WakeWorker(id)
				continue
			}
			if err := c.wakeAll(ctx); err != nil && ctx.Err() == nil {
				c.Log.Error("listing what there is", "err", err)
			}
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// resync looks at everything from time to time, spread over the interval, and removes what nobody owns.
func (c *Controller) resync(ctx context.Context) {
	for {
		if err := c.collectOrphans(ctx); err != nil && ctx.Err() == nil {
			c.Log.Warn("looking for machines without a Worker", "err", err)
		}
		if !sleep(ctx, min(c.Resync, max(c.OrphanGrace, time.Second))) {
			return
		}
		workers, moves, err := c.everything(ctx)
		if err != nil && ctx.Err() == nil {
			c.Log.Error("listing what there is", "err", err)
		}
		for id := range workers {
			c.queue.AddAfter(key{kind: kindWorker, id: id}, rand.N(c.Resync))
		}
		for _, m := range moves {
			c.wakeMove(m)
		}
	}
}

// collectOrphans stops machines that belong to no Worker at once and removes them and their volumes after OrphanGrace.
func (c *Controller) collectOrphans(ctx context.Context) error {
	states, err := c.Engine.List(ctx)
	if err != nil {
		return fmt.Errorf("listing machines: %w", err)
	}
	workers, _, err := c.everything(ctx) // after the engine: a Worker's record is made before its machine
	if err != nil {
		return err
	}
	now := c.Now()
	c.mu.Lock()
	seen := map[string]time.Time{}
	for _, s := range states {
		if !workers[s.ID] {
			since, known := c.orphans[s.ID]
			if !known {
				since = now
			}
			seen[s.ID] = since
		}
	}
	c.orphans = seen
	c.mu.Unlock()
	var errs []error
	for id, since := range seen {
		if now.Sub(since) >= c.OrphanGrace {
			c.Log.Warn("removing a machine that belongs to no Worker", "worker", id)
			errs = append(errs, c.Engine.Remove(ctx, id))
			continue
		}
		for _, s := range states {
			if s.ID == id && s.Phase == engine.PhaseRunning {
				c.Log.Warn("stopping a machine that belongs to no Worker", "worker", id, "removed_in", c.OrphanGrace-now.Sub(since))
				errs = append(errs, c.Engine.Stop(ctx, id))
			}
		}
	}
	return errors.Join(errs...)
}

// sleep waits for d or ctx and reports whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// keyedLock is a mutex per key.
type keyedLock struct {
	mu    sync.Mutex
	locks map[string]*refMutex
}

type refMutex struct {
	sync.Mutex
	refs int
}

// lock locks key and returns its unlock.
func (k *keyedLock) lock(key string) func() {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*refMutex{}
	}
	m := k.locks[key]
	if m == nil {
		m = &refMutex{}
		k.locks[key] = m
	}
	m.refs++
	k.mu.Unlock()
	m.Lock()
	return func() {
		m.Unlock()
		k.mu.Lock()
		if m.refs--; m.refs == 0 {
			delete(k.locks, key)
		}
		k.mu.Unlock()
	}
}
