package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/reconcile"
	"github.com/baas-platform/baas/internal/service"
	"github.com/baas-platform/baas/internal/store"
)

// machines is an engine whose machines start and stop agents of a fleet.
type machines struct {
	fleet *fleet
	mu    sync.Mutex
	made  map[string]engine.State
	calls map[string]int    // machines made, by id: nothing may be made twice
	plans map[string]string // the tenant's plan as it was given, by Worker
	fail  func(op, id string) error
	engine.Notifier
}

func (e *machines) failing(op, id string) error {
	if e.fail != nil {
		return e.fail(op, id)
	}
	return nil
}

func (e *machines) Ensure(_ context.Context, m engine.Machine, progress func(engine.Step)) error {
	for _, step := range []engine.Step{engine.StepImage, engine.StepNetwork, engine.StepVolume, engine.StepMachine} {
		progress(step)
		if err := e.failing(string(step), m.ID); err != nil {
			return err
		}
	}
	e.mu.Lock()
	s, ok := e.made[m.ID]
	if !ok {
		e.calls[m.ID]++
	}
	e.plans[m.ID] = m.Plan.ID
	s = engine.State{ID: m.ID, TenantID: m.TenantID, Phase: s.Phase, Size: m.Size, Volume: true, Current: true, StartedAt: time.Now()}
	if s.Phase == "" {
		s.Phase = engine.PhaseStopped
	}
	e.made[m.ID] = s
	e.mu.Unlock()
	progress(engine.StepStart)
	if err := e.failing("start", m.ID); err != nil {
		return err
	}
	e.set(m.ID, engine.PhaseRunning)
	e.fleet.start(m.ID)
	return nil
}

func (e *machines) set(id string, p engine.Phase) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.made[id]; ok {
		s.Phase = p
		e.made[id] = s
	}
}

func (e *machines) Inspect(_ context.Context, m engine.Machine) (engine.State, error) {
	if err := e.failing("inspect", m.ID); err != nil {
		return engine.State{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.made[m.ID]
	if !ok {
		return engine.State{ID: m.ID, Phase: engine.PhaseAbsent}, nil
	}
	s.Current = s.Size == m.Size
	return s, nil
}

func (e *machines) Stop(_ context.Context, id string) error {
	if err := e.failing("stop", id); err != nil {
		return err
	}
	e.set(id, engine.PhaseStopped)
	e.fleet.stop(id, false)
	return nil
}

// kill ends a machine as a fault does.
func (e *machines) kill(id string) {
	e.set(id, engine.PhaseStopped)
	e.fleet.stop(id, false)
	e.Notify(id)
}

func (e *machines) Remove(_ context.Context, id string) error {
	if err := e.failing("remove", id); err != nil {
		return err
	}
	e.mu.Lock()
	delete(e.made, id)
	e.mu.Unlock()
	e.fleet.stop(id, true)
	return nil
}

func (e *machines) List(context.Context) ([]engine.State, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []engine.State
	for _, s := range e.made {
		out = append(out, s)
	}
	return out, nil
}

func (e *machines) Watch(ctx context.Context) (<-chan string, error) {
	return e.Notifier.Watch(ctx), nil
}

func (e *machines) Capabilities(context.Context) (engine.Capabilities, error) {
	return engine.Capabilities{Engine: "fake"}, nil
}

// plain is a key that opens nothing: these tests hold no secrets.
type plain struct{}

func (plain) Open(_ context.Context, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

// platform is a store, machines and a controller for them.
type platform struct {
	t      *testing.T
	store  baas.Store
	fleet  *fleet
	engine *machines
	loop   *service.Loop
	tenant string
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{URL: filepath.Join(t.TempDir(), "baas.db")})
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{t: t, store: st, fleet: newFleet(t), tenant: baas.NewID(baas.PrefixTenant)}
	p.engine = &machines{fleet: p.fleet, made: map[string]engine.State{}, calls: map[string]int{}, plans: map[string]string{}}
	t.Cleanup(func() {
		p.stop()
		st.Close()
	})
	err = st.System().Update(t.Context(), func(tx baas.SystemTx) error {
		return tx.Tenants().Create(t.Context(), baas.Tenant{ID: p.tenant, Slug: "acme", Name: "Acme", Plan: baas.PlanEnterprise, Status: baas.TenantActive,
			Version: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs a new controller, as a new process would.
func (p *platform) start() {
	c := reconcile.New(reconcile.Config{Store: p.store, Engine: p.engine, Agents: p.fleet, Keys: plain{},
		AgentToken: func(id string) string { return "token of " + id }, Holder: baas.NewID("proc"), Log: slog.New(slog.DiscardHandler),
		Resync: 200 * time.Millisecond, OrphanGrace: time.Millisecond})
	ctx := p.t.Context()
	p.fleet.connected = func(id string) { c.AgentConnected(ctx, id, "test") }
	p.fleet.lost = c.AgentLost
	p.fleet.mu.Lock()
	var up []string
	for id := range p.fleet.agents {
		up = append(up, id)
	}
	p.fleet.mu.Unlock()
	for _, id := range up {
		c.AgentConnected(ctx, id, "test")
	}
	p.loop = service.New("controllers", c.Run)
	p.loop.Start(ctx)
}

// stop ends the controller wherever it is, and gives its lease back as its end by time would.
func (p *platform) stop() {
	if p.loop == nil {
		return
	}
	if err := p.loop.Stop(context.WithoutCancel(p.t.Context())); err != nil {
		p.t.Error(err)
	}
	p.loop = nil
}

func (p *platform) update(fn func(tx baas.TenantTx) error) {
	p.t.Helper()
	if err := p.store.Tenant(p.tenant).Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *platform) worker(name string) string {
	p.t.Helper()
	w, err := baas.WorkerCreate{Name: name}.Worker(baas.NewID(baas.PrefixWorker), p.tenant, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx baas.TenantTx) error { return tx.Workers().Create(p.t.Context(), w) })
	return w.ID
}

func (p *platform) bot(name, worker string) string {
	p.t.Helper()
	b, err := baas.BotCreate{Name: name, WorkerID: worker, Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"true"}}}.
		Bot(baas.NewID(baas.PrefixBot), p.tenant, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx baas.TenantTx) error { return tx.Bots().Create(p.t.Context(), b) })
	return b.ID
}

func (p *platform) move(bot, from, to string, deadline time.Duration) string {
	p.t.Helper()
	m := baas.Move{ID: baas.NewID(baas.PrefixMove), TenantID: p.tenant, BotID: bot, From: from, To: to, Step: baas.MoveRequested,
		CreatedAt: time.Now(), UpdatedAt: time.Now(), DeadlineAt: time.Now().Add(deadline)}
	p.update(func(tx baas.TenantTx) error {
		b, err := tx.Bots().Get(p.t.Context(), bot)
		if err != nil {
			return err
		}
		b.MoveID = m.ID
		if _, err := tx.Bots().Update(p.t.Context(), b); err != nil {
			return err
		}
		return tx.Moves().Create(p.t.Context(), m)
	})
	return m.ID
}

func (p *platform) desire(worker string, d baas.Desired) {
	p.t.Helper()
	p.update(func(tx baas.TenantTx) error {
		w, err := tx.Workers().Get(p.t.Context(), worker)
		if err != nil {
			return err
		}
		w.Desired = d
		_, err = tx.Workers().Update(p.t.Context(), w)
		return err
	})
}

func (p *platform) awaitWorker(id string, want baas.WorkerState) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("Worker state %q", want), func() (bool, string) {
		var w baas.Worker
		err := p.store.Tenant(p.tenant).View(p.t.Context(), func(tx baas.TenantTx) (err error) { w, err = tx.Workers().Get(p.t.Context(), id); return err })
		if errors.Is(err, baas.ErrNotFound) {
			return want == "", "gone"
		}
		return err == nil && w.Status.State == want, fmt.Sprintf("%s (%s) %v", w.Status.State, w.Status.Reason, err)
	})
}

func (p *platform) awaitBot(bot, worker string) {
	p.t.Helper()
	eventually(p.t, "bot "+bot+" to run in "+worker, func() (bool, string) {
		var b baas.Bot
		err := p.store.Tenant(p.tenant).View(p.t.Context(), func(tx baas.TenantTx) (err error) { b, err = tx.Bots().Get(p.t.Context(), bot); return err })
		at, _ := p.fleet.where(bot)
		ok := err == nil && b.WorkerID == worker && b.Status.State == baas.BotRunning && b.MoveID == "" && at == worker
		return ok, fmt.Sprintf("%s (%s) in %s, runs in %q, move %q, %v", b.Status.State, b.Status.Reason, b.WorkerID, at, b.MoveID, err)
	})
}

func (p *platform) awaitMove(id string, want baas.MoveStep) baas.Move {
	p.t.Helper()
	var m baas.Move
	eventually(p.t, "move to be "+string(want), func() (bool, string) {
		err := p.store.Tenant(p.tenant).View(p.t.Context(), func(tx baas.TenantTx) (err error) { m, err = tx.Moves().Get(p.t.Context(), id); return err })
		return err == nil && m.Step == want, fmt.Sprintf("%s (%s) %v", m.Step, m.Reason, err)
	})
	return m
}

func TestAWorkerIsMadeRunsItsBotAndIsDeletedWithoutALeftover(t *testing.T) {
	p := newPlatform(t)
	p.start()
	w := p.worker("Finance")
	b := p.bot("Ana", w)
	p.awaitWorker(w, baas.WorkerRunning)
	p.awaitBot(b, w)
	p.engine.mu.Lock()
	if plan := p.engine.plans[w]; plan != baas.PlanEnterprise {
		t.Errorf("the engine is told of the plan %q", plan)
	}
	p.engine.mu.Unlock()
	p.desire(w, baas.DesiredStopped)
	p.awaitWorker(w, baas.WorkerStopped)
	p.desire(w, baas.DesiredRunning)
	p.awaitBot(b, w)
	p.desire(w, baas.DesiredDeleted)
	p.awaitWorker(w, "")
	if left, _ := p.engine.List(t.Context()); len(left) != 0 {
		t.Fatalf("left on the engine: %v", left)
	}
}

func TestAKilledMachineIsStartedAgain(t *testing.T) {
	p := newPlatform(t)
	p.start()
	w := p.worker("Finance")
	b := p.bot("Ana", w)
	p.awaitBot(b, w)
	p.engine.kill(w)
	p.awaitBot(b, w)
	if p.engine.calls[w] != 1 {
		t.Fatalf("made %d times", p.engine.calls[w])
	}
}

func TestADeletedBotsDirectoryGoes(t *testing.T) {
	p := newPlatform(t)
	p.start()
	w := p.worker("Finance")
	b := p.bot("Ana", w)
	p.awaitBot(b, w)
	p.update(func(tx baas.TenantTx) error { return tx.Bots().Delete(t.Context(), b) })
	eventually(t, "the directory to go", func() (bool, string) { c := p.fleet.copies(b); return len(c) == 0, fmt.Sprint(c) })
}

func TestAMachineWithoutAWorkerIsRemoved(t *testing.T) {
	p := newPlatform(t)
	stray := baas.NewID(baas.PrefixWorker)
	p.engine.made[stray] = engine.State{ID: stray, Phase: engine.PhaseRunning}
	w := p.worker("Finance")
	p.start()
	p.awaitWorker(w, baas.WorkerRunning)
	eventually(t, "the stray to go", func() (bool, string) {
		states, _ := p.engine.List(t.Context())
		return len(states) == 1 && states[0].ID == w, fmt.Sprint(states)
	})
}

func TestABotMovesWithItsDirectory(t *testing.T) {
	p := newPlatform(t)
	p.start()
	from, to := p.worker("From"), p.worker("To")
	b := p.bot("Ana", from)
	p.awaitBot(b, from)
	p.awaitWorker(to, baas.WorkerRunning)
	m := p.move(b, from, to, time.Minute)
	p.awaitMove(m, baas.MoveDone)
	p.awaitBot(b, to)
	if _, dir := p.fleet.where(b); dir != "made in "+from {
		t.Fatalf("directory %q did not come along", dir)
	}
	if c := p.fleet.copies(b); len(c) != 1 {
		t.Fatalf("copies in %v", c)
	}
}

func TestABotMovesOutOfAStoppedWorker(t *testing.T) {
	p := newPlatform(t)
	p.start()
	from, to := p.worker("From"), p.worker("To")
	b := p.bot("Ana", from)
	p.awaitBot(b, from)
	p.desire(from, baas.DesiredStopped)
	p.awaitWorker(from, baas.WorkerStopped)
	p.awaitMove(p.move(b, from, to, time.Minute), baas.MoveDone)
	p.awaitBot(b, to)
	p.awaitWorker(from, baas.WorkerStopped)
}

func TestAMoveGoesBackWhenItsDeadlinePasses(t *testing.T) {
	p := newPlatform(t)
	p.start()
	from, to := p.worker("From"), p.worker("To")
	b := p.bot("Ana", from)
	p.awaitBot(b, from)
	p.awaitWorker(to, baas.WorkerRunning)
	p.fleet.failWith(func(op, _ string) error {
		if op == "import" {
			return &baas.Error{Code: baas.CodeUnavailable, Message: "cut"}
		}
		return nil
	})
	m := p.awaitMove(p.move(b, from, to, time.Second), baas.MoveFailed)
	if m.Reason == "" {
		t.Fatal("no reason")
	}
	p.awaitBot(b, from)
	if c := p.fleet.copies(b); len(c) != 1 || c[0] != from {
		t.Fatalf("copies in %v", c)
	}
}

// TestAFailureAtEveryStepOfAMove fails each operation on each end once for good and once a single time, and stops the
// controller there as well: the bot ends up running in exactly one Worker, with one directory.
func TestAFailureAtEveryStepOfAMove(t *testing.T) {
	for _, op := range []string{"desired", "export", "import", "delete"} {
		for _, end := range []string{"from", "to"} {
			for _, how := range []string{"once", "refused", "always unavailable", "controller stops"} {
				t.Run(op+" at "+end+" "+how, func(t *testing.T) {
					t.Parallel()
					p := newPlatform(t)
					p.start()
					from, to := p.worker("From"), p.worker("To")
					b := p.bot("Ana", from)
					p.awaitBot(b, from)
					p.awaitWorker(to, baas.WorkerRunning)
					at := map[string]string{"from": from, "to": to}[end]
					var mu sync.Mutex
					failures := 0
					hit := make(chan struct{}, 1000)
					p.fleet.failWith(func(did, worker string) error {
						mu.Lock()
						defer mu.Unlock()
						if did != op || worker != at || failures < 0 {
							return nil
						}
						failures++
						hit <- struct{}{}
						switch {
						case how == "refused" && failures <= 3:
							return baas.Errorf(baas.CodeInvalid, "refused by the test")
						case how == "always unavailable":
							return &baas.Error{Code: baas.CodeUnavailable, Message: "cut by the test"}
						case failures == 1:
							return &baas.Error{Code: baas.CodeUnavailable, Message: "cut once by the test"}
						}
						return nil
					})
					m := p.move(b, from, to, 1500*time.Millisecond)
					if how == "controller stops" {
						select {
						case <-hit:
						case <-time.After(3 * time.Second): // this operation isn't part of this path
						}
						p.stop()
						p.start()
					}
					eventually(t, "the move to end", func() (bool, string) {
						var mv baas.Move
						err := p.store.Tenant(p.tenant).View(t.Context(), func(tx baas.TenantTx) (err error) { mv, err = tx.Moves().Get(t.Context(), m); return err })
						if how == "always unavailable" && mv.Step == baas.MoveRollingBack || mv.Step == baas.MoveCleaning {
							mu.Lock()
							failures = -1 // let the clean-up through in the end
							mu.Unlock()
						}
						return err == nil && mv.Step.Ended(), fmt.Sprintf("%s (%s) %v", mv.Step, mv.Reason, err)
					})
					mu.Lock()
					failures = -1
					mu.Unlock()
					var owner string
					err := p.store.Tenant(p.tenant).View(t.Context(), func(tx baas.TenantTx) error {
						bot, err := tx.Bots().Get(t.Context(), b)
						owner = bot.WorkerID
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					p.awaitBot(b, owner)
					eventually(t, "one copy of the directory", func() (bool, string) { c := p.fleet.copies(b); return len(c) == 1, fmt.Sprint(c) })
					if _, dir := p.fleet.where(b); dir != "made in "+from {
						t.Fatalf("directory %q", dir)
					}
				})
			}
		}
	}
}

// TestAFailureAtEveryStepOfProvisioningAndDeleting fails each step of the engine, twice in a row, and stops the controller
// in the middle: the Worker is made once, and deleted without a leftover.
func TestAFailureAtEveryStepOfProvisioningAndDeleting(t *testing.T) {
	for _, op := range []string{"image", "network", "volume", "machine", "start", "inspect", "remove"} {
		for _, code := range []baas.Code{baas.CodeInternal, baas.CodeUnavailable} {
			t.Run(op+" "+string(code), func(t *testing.T) {
				t.Parallel()
				p := newPlatform(t)
				var mu sync.Mutex
				failures := 0
				hit := make(chan struct{}, 1000)
				p.engine.fail = func(did, _ string) error {
					mu.Lock()
					defer mu.Unlock()
					if did != op || failures >= 2 {
						return nil
					}
					failures++
					hit <- struct{}{}
					return &baas.Error{Code: code, Message: "failed by the test"}
				}
				p.start()
				w := p.worker("Finance")
				if op != "remove" {
					<-hit
					p.stop()
					p.start()
				}
				p.awaitWorker(w, baas.WorkerRunning)
				if p.engine.calls[w] != 1 {
					t.Fatalf("made %d times", p.engine.calls[w])
				}
				p.desire(w, baas.DesiredDeleted)
				if op == "remove" {
					<-hit
					p.stop()
					p.start()
				}
				p.awaitWorker(w, "")
				if left, _ := p.engine.List(t.Context()); len(left) != 0 {
					t.Fatalf("left on the engine: %v", left)
				}
			})
		}
	}
}

// An engine that is away after a step was written down: the pass wakes itself by that, and must not go round and round.
func TestAFailingPassDoesNotWakeItselfAtOnce(t *testing.T) {
	p := newPlatform(t)
	var tries atomic.Int64
	away := make(chan struct{})
	p.engine.fail = func(op, _ string) error {
		select {
		case <-away:
			return nil
		default:
		}
		if op != string(engine.StepMachine) {
			return nil
		}
		tries.Add(1)
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the engine is away"}
	}
	p.start()
	began := time.Now()
	w := p.worker("Finance")
	eventually(t, "some tries", func() (bool, string) { return tries.Load() >= 4, fmt.Sprint(tries.Load()) })
	// 200, 400 and 800 ms lie between the first four.
	if took := time.Since(began); took < time.Second {
		t.Errorf("%d tries within %s", tries.Load(), took)
	}
	close(away)
	p.awaitWorker(w, baas.WorkerRunning)
}
