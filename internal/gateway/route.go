package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
)

// route is what is known about a bot: enough to decide about a request.
type route struct {
	id, tenant, worker, move string
	access                   baas.Access
	tokenHash                []byte
	telegram, whatsapp       bool     // channels that authenticate their webhooks themselves
	refusal                  *problem // why requests are refused at once; nil when they aren't
	moving                   bool     // requests wait
}

// newRoute decides about a bot by its state and those of what it depends on.
func newRoute(b baas.Bot, w baas.Worker, t baas.Tenant, m *baas.Move) *route {
	r := &route{
		id: b.ID, tenant: b.TenantID, worker: b.WorkerID, move: b.MoveID, access: b.Access, tokenHash: b.AccessTokenHash,
	}
	if b.Assistant != nil {
		r.telegram, r.whatsapp = b.Assistant.Telegram != nil, b.Assistant.WhatsApp != nil
	}
	if m != nil {
		switch m.Step {
		case baas.MoveStopping, baas.MoveCarrying, baas.MoveSwitched, baas.MoveRollingBack:
			r.moving = true
		}
	}
	// People who talk to a bot learn that it is away and what they can do; what is wrong with it is its owner's to know.
	switch {
	case t.Status == baas.TenantSuspended:
		r.refusal = unavailable("this bot is suspended; its owner can tell more", 0)
	case b.Kind == baas.BotProgram && (b.Program == nil || b.Program.Port == 0):
		r.refusal = notFound("this bot has no pages: it listens on no port")
	case w.Desired != baas.DesiredRunning:
		r.refusal = unavailable("this bot is stopped, together with its Worker", 0)
	case b.Desired != baas.DesiredRunning:
		r.refusal = unavailable("this bot is stopped", 0)
	case r.moving:
	case b.Status.State == baas.BotCompleted:
		r.refusal = unavailable("this bot has finished its work and does not run", 0)
	case b.Status.State == baas.BotFailed, b.Status.State == baas.BotCrashLoop:
		r.refusal = unavailable("this bot fails to run; its owner can see why", 30)
	case w.Status.State == baas.WorkerFailed:
		r.refusal = unavailable("the Worker of this bot fails to run; its owner can see why", 30)
	}
	return r
}

// loadRoute reads a bot from the store.
func (g *Gateway) loadRoute(ctx context.Context, id string) (*route, error) {
	var r *route
	err := g.cfg.Store.System().View(ctx, func(tx baas.SystemTx) error {
		b, err := tx.Bot(ctx, id)
		if err != nil {
			return err
		}
		w, err := tx.Worker(ctx, b.WorkerID)
		if err != nil {
			return err
		}
		t, err := tx.Tenants().Get(ctx, b.TenantID)
		if err != nil {
			return err
		}
		var move *baas.Move
		if b.MoveID != "" {
			m, err := tx.In(b.TenantID).Moves().Get(ctx, b.MoveID)
			switch {
			case err == nil:
				move = &m
			case !errors.Is(err, baas.ErrNotFound):
				return err
			}
		}
		r = newRoute(b, w, t, move)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the route of a bot: %w", err)
	}
	return r, nil
}

// entry is a route that is there or on its way.
type entry struct {
	ready chan struct{} // closed when route and err are set
	route *route
	err   error
	at    time.Time // when it was read
}

// routes remembers routes and reads each once for all requests that ask at the same moment. An entry is in the map
// from before it is read, so that a change during the reading drops it, and whoever asks after the change reads anew.
type routes struct {
	load    func(context.Context, string) (*route, error)
	entries sync.Map // id → *entry
	kept    atomic.Bool
}

// get gives the route of a bot. The error wraps baas.ErrNotFound for a bot that doesn't exist.
func (t *routes) get(ctx context.Context, id string) (*entry, *route, error) {
	if v, ok := t.entries.Load(id); ok {
		return v.(*entry).wait(ctx)
	}
	e := &entry{ready: make(chan struct{})}
	if v, ok := t.entries.LoadOrStore(id, e); ok {
		return v.(*entry).wait(ctx)
	}
	// It is read for all who wait, so the end of the request that came first must not fail the others.
	go func() {
		read, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		e.route, e.err = t.load(read, id)
		e.at = time.Now()
		if e.err != nil || !t.kept.Load() {
			t.entries.CompareAndDelete(id, e)
		}
		close(e.ready)
	}()
	return e.wait(ctx)
}

func (e *entry) wait(ctx context.Context) (*entry, *route, error) {
	select {
	case <-e.ready:
		return e, e.route, e.err
	default:
	}
	select {
	case <-e.ready:
		return e, e.route, e.err
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// keep says whether routes may be remembered: only while somebody tells of changes.
func (t *routes) keep(on bool) {
	t.kept.Store(on)
	t.dropIf(func(*route) bool { return true })
}

func (t *routes) drop(id string) { t.entries.Delete(id) }

// dropIf drops the routes that match, and those that are being read, because nobody knows them yet.
func (t *routes) dropIf(match func(*route) bool) {
	t.entries.Range(func(id, v any) bool {
		e := v.(*entry)
		select {
		case <-e.ready:
			if e.route != nil && !match(e.route) {
				return true
			}
		default:
		}
		t.entries.CompareAndDelete(id, e)
		return true
	})
}

// renew drops an entry that is old enough for a request which failed by it to look again. Changes drop entries too,
// but from another process they may be late.
func (t *routes) renew(id string, e *entry) {
	if time.Since(e.at) > time.Second {
		t.entries.CompareAndDelete(id, e)
	}
}
