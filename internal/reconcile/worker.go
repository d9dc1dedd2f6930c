package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/plan"
)

// snapshot is what the store says about one Worker, read in one transaction.
type snapshot struct {
	tenant baas.Tenant
	plan   baas.Plan // read for passes alone
	worker baas.Worker
	bots   []baas.Bot
	moves  []baas.Move
}

// read gives the snapshot of a Worker within a transaction.
func read(ctx context.Context, tx baas.SystemTx, workerID string) (snapshot, error) {
	var s snapshot
	var err error
	if s.worker, err = tx.Worker(ctx, workerID); err != nil {
		return s, err
	}
	in := tx.In(s.worker.TenantID)
	if s.tenant, err = in.Get(ctx); err != nil {
		return s, fmt.Errorf("reading tenant: %w", err)
	}
	err = eachPage(func(p baas.Page) (string, error) {
		bs, next, err := in.Bots().List(ctx, baas.BotFilter{WorkerIDs: []string{workerID}, Page: p})
		s.bots = append(s.bots, bs...)
		return next, err
	})
	if err != nil {
		return s, fmt.Errorf("listing bots: %w", err)
	}
	if s.moves, err = in.Moves().Active(ctx, workerID); err != nil {
		return s, fmt.Errorf("listing moves: %w", err)
	}
	return s, nil
}

// workerPass is one pass over one Worker. again is when time alone asks for the next.
func (c *Controller) workerPass(ctx context.Context, id string) (again time.Time, err error) {
	s, d, wanted, err := c.observe(ctx, id)
	if errors.Is(err, baas.ErrNotFound) {
		c.forget(id)
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading Worker %s: %w", id, err)
	}
	state, err := c.Engine.Inspect(ctx, c.machine(s))
	if err != nil {
		return time.Time{}, errors.Join(fmt.Errorf("inspecting the machine: %w", err), c.engineAway(ctx, s, err))
	}
	c.mu.Lock()
	retry := false
	if v, ok := c.failed[id]; ok && v != s.worker.Version || !ok {
		retry = s.worker.Status.NextRetryAt != nil
	}
	c.mu.Unlock()
	agent, lost := c.observedAgent(id)
	decision := plan.Decide(plan.Input{
		Now: c.Now(), Tenant: s.tenant, Worker: s.worker, Bots: s.bots, Moves: s.moves,
		Machine: plan.Machine{Phase: plan.Phase(state.Phase), Current: state.Current, Volume: state.Volume, Reason: state.Reason, Size: state.Size,
			StartedAt: state.StartedAt, OOMKilled: state.OOMKilled, ExitCode: state.ExitCode, AgentOld: state.AgentOld},
		Agent: agent, LostAt: lost, Revision: wanted, Retry: retry,
	})
	if decision.Status.Failures > s.worker.Status.Failures {
		c.remember(id, s.worker.Version)
	}
	next := outcome{decision.Status, sync.OnceValue(func() error { return c.writeStatus(ctx, s, decision) })}
	for _, a := range decision.Actions {
		if a != plan.Action(plan.EnsureMachine{}) { // which doesn't wait for the database
			if err := next.write(); err != nil {
				return time.Time{}, err
			}
		}
		if err := c.execute(ctx, s, d, a, next); err != nil {
			return c.actionFailed(ctx, s, a, err)
		}
	}
	if err := next.write(); err != nil {
		return time.Time{}, err
	}
	for _, m := range s.moves {
		c.wakeMove(m) // a move waits for what this pass did or saw
	}
	if len(decision.Actions) > 0 {
		c.WakeWorker(id) // look at what the actions made
	}
	return decision.Recheck, nil
}

// observe reads the store's side and gives the contents that the agent should have, raising their revision when they
// are other than before.
func (c *Controller) observe(ctx context.Context, id string) (s snapshot, d agentapi.Desired, revision int64, err error) {
	var sum string
	get := func(tx baas.SystemTx) (err error) {
		if s, err = read(ctx, tx, id); err != nil {
			return err
		}
		if s.plan, err = tx.In(s.worker.TenantID).Plan(ctx); err != nil {
			return fmt.Errorf("reading the tenant's plan: %w", err)
		}
		d, sum, err = desired(ctx, tx.In(s.worker.TenantID), c.Keys, s)
		return err
	}
	if err = c.Store.System().View(ctx, get); err != nil {
		return s, d, 0, err
	}
	// An agent that is ahead knows a revision that this database has lost (it was restored from a backup).
	var ahead int64
	if agent, _ := c.observedAgent(id); agent != nil {
		ahead = agent.Revision
	}
	if s.worker.RevisionHash != sum || ahead > s.worker.Revision {
		err = c.Store.System().Update(ctx, func(tx baas.SystemTx) error {
			if err := get(tx); err != nil {
				return err
			}
			if s.worker.RevisionHash == sum && ahead <= s.worker.Revision {
				return nil
			}
			s.worker.Revision = max(s.worker.Revision, ahead) + 1
			s.worker.RevisionHash = sum
			return tx.In(s.worker.TenantID).Workers().SetRevision(ctx, id, s.worker.Revision, sum)
		})
	}
	d.Revision = s.worker.Revision
	return s, d, s.worker.Revision, err
}

// machine is what the Worker's machine should be.
func (c *Controller) machine(s snapshot) engine.Machine {
	w := s.worker
	return engine.Machine{ID: w.ID, TenantID: w.TenantID, Name: w.Name, Image: w.Image, Isolation: w.Isolation, Size: w.Size,
		AgentToken: c.AgentToken(w.ID), Restarts: w.Restarts, Plan: s.plan}
}

// remember notes with which settings an attempt failed.
func (c *Controller) remember(workerID string, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed[workerID] = version
}

// outcome is the Worker's state by the decision of a pass. write writes it and those of its bots down, once.
type outcome struct {
	status baas.WorkerStatus
	write  func() error
}

// execute carries out one action.
func (c *Controller) execute(ctx context.Context, s snapshot, d agentapi.Desired, a plan.Action, next outcome) error {
	w := s.worker
	c.metrics.action(a)
	switch a := a.(type) {
	case plan.EnsureMachine:
		return c.ensure(ctx, s, next)
	case plan.StopMachine:
		return c.Engine.Stop(ctx, w.ID)
	case plan.RestartMachine:
		c.Log.Warn("restarting a machine", "worker", w.ID, "why", a.Why)
		return c.Engine.Stop(ctx, w.ID)
	case plan.RemoveWorker:
		return c.remove(ctx, w)
	case plan.PushDesired:
		agent, err := c.agent(w.ID)
		if err != nil {
			return err
		}
		st, err := agent.PutDesired(ctx, d)
		if err == nil {
			c.keepReport(w.ID, st)
		}
		return err
	case plan.PushFiles:
		return c.pushFiles(ctx, w, s.bots, a.BotID)
	case plan.DeleteStored:
		return c.deleteStored(ctx, w, a.BotID)
	}
	return fmt.Errorf("unknown action %T", a)
}

// step is a step of making a machine and when it began.
type step struct {
	engine.Step
	at time.Time
}

// ensure makes or changes the machine. Its steps are recorded beside the work, which doesn't wait for the database.
func (c *Controller) ensure(ctx context.Context, s snapshot, next outcome) error {
	var names []engine.Step
	steps := make(chan step, 16)
	recorded := make(chan struct{})
	go func() {
		defer close(recorded)
		_ = next.write() // the pass sees its error
		c.record(ctx, s.worker, next.status, steps)
	}()
	err := c.Engine.Ensure(ctx, c.machine(s), func(now engine.Step) {
		names = append(names, now)
		steps <- step{now, c.Now()}
	})
	close(steps)
	<-recorded // the next pass writes a state of its own
	if err != nil {
		return fmt.Errorf("making the machine (%v): %w", names, err)
	}
	return nil
}

// record writes down the steps of making a machine, all that are waiting in one transaction, and says the latest in the
// state of a Worker that is being made. Losing some is no reason to stop.
func (c *Controller) record(ctx context.Context, w baas.Worker, st baas.WorkerStatus, steps <-chan step) {
	making := w.Status.State == baas.WorkerPending || w.Status.State == baas.WorkerProvisioning
	for first := range steps {
		waiting := []step{first}
		for range len(steps) {
			waiting = append(waiting, <-steps)
		}
		latest := waiting[len(waiting)-1]
		var events []baas.Event
		for _, s := range waiting {
			e := c.newEvent(w, baas.LevelInfo, baas.EventKind("worker."+s.Step), fmt.Sprintf("Worker %s: %s", w.Name, stepText[s.Step]), map[string]any{"step": string(s.Step)})
			e.At = s.at
			events = append(events, e)
		}
		st.Reason = stepText[latest.Step]
		err := c.Store.Tenant(w.TenantID).Update(ctx, func(tx baas.TenantTx) error {
			if err := tx.Events().Add(ctx, events...); err != nil || !making {
				return err
			}
			if err := tx.Workers().SetStatus(ctx, w.ID, st); !errors.Is(err, baas.ErrNotFound) {
				return err
			}
			return nil // deleted meanwhile
		})
		if err != nil {
			c.Log.Warn("recording progress", "worker", w.ID, "step", latest.Step, "err", err)
		}
	}
}

var stepText = map[engine.Step]string{
	engine.StepImage:   "its image is being fetched",
	engine.StepNetwork: "its network is being made",
	engine.StepVolume:  "its volume is being made",
	engine.StepMachine: "its machine is being made",
	engine.StepStart:   "its machine is being started",
	engine.StepResize:  "its limits are being changed while it runs",
}

// remove deletes machine and volume, then the records, so that a crash in between leaves a Worker that is deleted
// again and never a machine that nobody owns.
func (c *Controller) remove(ctx context.Context, w baas.Worker) error {
	if err := c.Engine.Remove(ctx, w.ID); err != nil {
		return fmt.Errorf("removing the machine: %w", err)
	}
	err := c.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		s, err := read(ctx, tx, w.ID)
		if err != nil {
			return err
		}
		in := tx.In(w.TenantID)
		for _, b := range s.bots {
			if err := in.Bots().Delete(ctx, b.ID); err != nil {
				return fmt.Errorf("deleting bot %s: %w", b.ID, err)
			}
		}
		if err := in.Workers().Delete(ctx, w.ID); err != nil {
			return err
		}
		return in.Events().Add(ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: w.TenantID, At: c.Now(), Kind: "worker.deleted",
			Level: baas.LevelInfo, WorkerID: w.ID, Message: fmt.Sprintf("Worker %s is deleted, with its volume", w.Name), Data: map[string]any{"name": w.Name}})
	})
	if errors.Is(err, baas.ErrNotFound) {
		return nil
	}
	return err
}

func (c *Controller) pushFiles(ctx context.Context, w baas.Worker, bots []baas.Bot, botID string) error {
	agent, err := c.agent(w.ID)
	if err != nil {
		return err
	}
	for _, b := range bots {
		if b.ID != botID || b.Files == nil {
			continue
		}
		var body io.ReadCloser
		err := c.Store.Tenant(w.TenantID).View(ctx, func(tx baas.TenantTx) (err error) {
			body, err = tx.Artifacts().Open(ctx, botID, b.Files.Digest)
			return err
		})
		if errors.Is(err, baas.ErrNotFound) {
			return nil // replaced meanwhile; the next pass sends the new one
		}
		if err != nil {
			return fmt.Errorf("opening the archive of %s: %w", botID, err)
		}
		defer body.Close()
		// Outside of the transaction: the agent takes it as slowly as it likes.
		return agent.PutFiles(ctx, botID, *b.Files, body)
	}
	return nil
}

// deleteStored removes the directory of a bot that isn't in the Worker any more, if that is still so.
func (c *Controller) deleteStored(ctx context.Context, w baas.Worker, botID string) error {
	defer c.bots.lock(botID)()
	var s snapshot
	if err := c.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { s, err = read(ctx, tx, w.ID); return err }); err != nil {
		return err
	}
	for _, b := range s.bots {
		if b.ID == botID {
			return nil
		}
	}
	for _, m := range s.moves {
		if m.BotID == botID {
			return nil
		}
	}
	agent, err := c.agent(w.ID)
	if err != nil {
		return err
	}
	return agent.DeleteBot(ctx, botID)
}

// actionFailed writes down a failed action. An unreachable engine or agent is not the Worker's failure: the pass is
// simply repeated.
func (c *Controller) actionFailed(ctx context.Context, s snapshot, a plan.Action, err error) (time.Time, error) {
	if ctx.Err() != nil || baas.CodeOf(err) == baas.CodeUnavailable || baas.CodeOf(err) == baas.CodeConflict {
		return time.Time{}, err
	}
	switch a.(type) {
	case plan.EnsureMachine, plan.StopMachine, plan.RestartMachine, plan.RemoveWorker:
	default:
		return time.Time{}, err
	}
	c.remember(s.worker.ID, s.worker.Version)
	reason := "its machine could not be made"
	switch a.(type) {
	case plan.StopMachine, plan.RestartMachine:
		reason = "its machine could not be stopped"
	case plan.RemoveWorker:
		reason = "it could not be deleted"
	}
	var e *baas.Error
	if errors.As(err, &e) && e.Message != "" {
		reason += ": " + e.Message
	}
	st := plan.Fail(s.worker.Status, c.Now(), reason, rand.Float64())
	c.Log.Warn("an action failed", "worker", s.worker.ID, "action", fmt.Sprintf("%T", a), "attempt", st.Failures, "next", st.NextRetryAt, "err", err)
	c.event(ctx, s.worker, baas.LevelError, "worker.failed", reason, map[string]any{"attempt": st.Failures})
	return *st.NextRetryAt, c.setStatus(ctx, s.worker, st)
}

// engineAway says so in the state of a Worker whose agent is away as well; one whose agent answers is as it was.
func (c *Controller) engineAway(ctx context.Context, s snapshot, err error) error {
	if ctx.Err() != nil || baas.CodeOf(err) != baas.CodeUnavailable {
		return nil
	}
	if agent, _ := c.observedAgent(s.worker.ID); agent != nil {
		return nil
	}
	st := s.worker.Status
	reason := "the engine that runs it does not answer"
	switch st.State {
	case baas.WorkerRunning, baas.WorkerDegraded:
		st.State, st.Since = baas.WorkerUnreachable, c.Now()
	}
	if st.Reason == reason {
		return nil
	}
	st.Reason = reason
	return c.setStatus(ctx, s.worker, st)
}

// writeStatus writes what the decision says about the Worker and its bots, where it is other than before, with an
// event for each change of state.
func (c *Controller) writeStatus(ctx context.Context, s snapshot, d plan.Decision) error {
	workerChanged := !reflect.DeepEqual(normal(d.Status), normal(s.worker.Status))
	if d.Status.State != s.worker.Status.State && (s.worker.Status.State == baas.WorkerRunning || s.worker.Status.State == baas.WorkerDegraded) {
		now := c.Now()
		d.Status.LastSeenAt = &now
	}
	type botChange struct {
		bot    baas.Bot
		status baas.BotStatus
	}
	var changed []botChange
	for _, b := range s.bots {
		if st, ok := d.Bots[b.ID]; ok && !reflect.DeepEqual(normalBot(st), normalBot(b.Status)) {
			changed = append(changed, botChange{b, st})
		}
	}
	if !workerChanged && len(changed) == 0 {
		return nil
	}
	err := c.Store.Tenant(s.worker.TenantID).Update(ctx, func(tx baas.TenantTx) error {
		var events []baas.Event
		if workerChanged {
			if err := tx.Workers().SetStatus(ctx, s.worker.ID, d.Status); err != nil {
				return fmt.Errorf("writing the status of %s: %w", s.worker.ID, err)
			}
			if d.Status.State != s.worker.Status.State {
				events = append(events, c.newEvent(s.worker, workerLevel(d.Status.State), baas.EventKind("worker."+d.Status.State),
					fmt.Sprintf("Worker %s: %s", s.worker.Name, d.Status.Reason), map[string]any{"name": s.worker.Name, "was": string(s.worker.Status.State)}))
			}
		}
		for _, ch := range changed {
			// The bot may have been deleted or moved since it was read: that is for the next pass.
			if err := tx.Bots().SetStatus(ctx, ch.bot.ID, ch.status); err != nil && !errors.Is(err, baas.ErrNotFound) {
				return fmt.Errorf("writing the status of %s: %w", ch.bot.ID, err)
			}
			if ch.status.State != ch.bot.Status.State {
				e := c.newEvent(s.worker, botLevel(ch.status.State), baas.EventKind("bot."+ch.status.State),
					fmt.Sprintf("Bot %s: %s", ch.bot.Name, ch.status.Reason), map[string]any{"name": ch.bot.Name, "was": string(ch.bot.Status.State)})
				e.BotID = ch.bot.ID
				events = append(events, e)
			}
		}
		return tx.Events().Add(ctx, events...)
	})
	if errors.Is(err, baas.ErrNotFound) {
		return nil // deleted meanwhile
	}
	return err
}

// normal makes statuses comparable: times in UTC, to the precision that databases keep.
func normal(s baas.WorkerStatus) baas.WorkerStatus {
	s.Since = s.Since.UTC().Truncate(time.Millisecond)
	s.NextRetryAt, s.LastSeenAt = normalTime(s.NextRetryAt), normalTime(s.LastSeenAt)
	return s
}

func normalBot(s baas.BotStatus) baas.BotStatus {
	s.Since = s.Since.UTC().Truncate(time.Millisecond)
	s.NextRetryAt = normalTime(s.NextRetryAt)
	return s
}

func normalTime(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Millisecond)
	return &u
}

func workerLevel(s baas.WorkerState) baas.Level {
	switch s {
	case baas.WorkerFailed:
		return baas.LevelError
	case baas.WorkerDegraded, baas.WorkerUnreachable:
		return baas.LevelWarning
	}
	return baas.LevelInfo
}

func botLevel(s baas.BotState) baas.Level {
	switch s {
	case baas.BotFailed, baas.BotCrashLoop:
		return baas.LevelError
	case baas.BotUnhealthy, baas.BotBackoff:
		return baas.LevelWarning
	}
	return baas.LevelInfo
}

func (c *Controller) setStatus(ctx context.Context, w baas.Worker, st baas.WorkerStatus) error {
	err := c.Store.Tenant(w.TenantID).Update(ctx, func(tx baas.TenantTx) error { return tx.Workers().SetStatus(ctx, w.ID, st) })
	if errors.Is(err, baas.ErrNotFound) {
		return nil
	}
	return err
}

func (c *Controller) newEvent(w baas.Worker, level baas.Level, k baas.EventKind, message string, data map[string]any) baas.Event {
	return baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: w.TenantID, At: c.Now(), Kind: k, Level: level, WorkerID: w.ID, Message: message, Data: data}
}

// event records something that happened to a Worker. Losing one is no reason to stop.
func (c *Controller) event(ctx context.Context, w baas.Worker, level baas.Level, kind, message string, data map[string]any) {
	e := c.newEvent(w, level, baas.EventKind(kind), fmt.Sprintf("Worker %s: %s", w.Name, message), data)
	if err := c.Store.Tenant(w.TenantID).Update(ctx, func(tx baas.TenantTx) error { return tx.Events().Add(ctx, e) }); err != nil {
		c.Log.Warn("recording an event", "worker", w.ID, "kind", kind, "err", err)
	}
}
