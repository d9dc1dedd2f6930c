package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/plan"
)

// movePoll is how often a waiting move looks again when nothing wakes it.
const movePoll = 2 * time.Second

// movePass carries one hand-over as far as it goes now.
func (c *Controller) movePass(ctx context.Context, tenantID, id string) (again time.Time, err error) {
	for {
		var m baas.Move
		err := c.Store.Tenant(tenantID).View(ctx, func(tx baas.TenantTx) (err error) { m, err = tx.Moves().Get(ctx, id); return err })
		if errors.Is(err, baas.ErrNotFound) || err == nil && m.Step.Ended() {
			return time.Time{}, nil
		}
		if err != nil {
			return time.Time{}, fmt.Errorf("reading move %s: %w", id, err)
		}
		next, err := c.moveStep(ctx, m)
		if err != nil {
			return time.Time{}, err
		}
		if !next { // it waits
			return c.Now().Add(movePoll), nil
		}
	}
}

// moveStep does what the move's step asks for and reports whether the move went on.
func (c *Controller) moveStep(ctx context.Context, m baas.Move) (bool, error) {
	before := m.Step == baas.MoveRequested || m.Step == baas.MoveStopping || m.Step == baas.MoveCarrying
	if before && !c.Now().Before(m.DeadlineAt) {
		return true, c.advance(ctx, m, baas.MoveRollingBack, or(m.Reason, "it took too long"))
	}
	switch m.Step {
	case baas.MoveRequested:
		return true, c.advance(ctx, m, baas.MoveStopping, "")
	case baas.MoveStopping:
		return c.awaitStop(ctx, m)
	case baas.MoveCarrying:
		return c.carry(ctx, m)
	case baas.MoveSwitched:
		return true, c.advance(ctx, m, baas.MoveCleaning, "")
	case baas.MoveCleaning:
		return true, c.finish(ctx, m, m.From, baas.MoveDone, "")
	case baas.MoveRollingBack:
		return true, c.finish(ctx, m, m.To, baas.MoveFailed, m.Reason)
	}
	return false, fmt.Errorf("move %s has the unknown step %q", m.ID, m.Step)
}

// workers reads the two ends of a move; a missing one is the zero Worker.
func (c *Controller) workers(ctx context.Context, m baas.Move) (from, to baas.Worker, err error) {
	err = c.Store.Tenant(m.TenantID).View(ctx, func(tx baas.TenantTx) error {
		for _, end := range []struct {
			id string
			w  *baas.Worker
		}{{m.From, &from}, {m.To, &to}} {
			w, err := tx.Workers().Get(ctx, end.id)
			if err != nil && !errors.Is(err, baas.ErrNotFound) {
				return err
			}
			*end.w = w
		}
		return nil
	})
	return from, to, err
}

// awaitStop waits until the source confirms that no process of the bot is left.
func (c *Controller) awaitStop(ctx context.Context, m baas.Move) (bool, error) {
	from, to, err := c.workers(ctx, m)
	if err != nil {
		return false, fmt.Errorf("reading the Workers of move %s: %w", m.ID, err)
	}
	if to.ID == "" || to.Desired == baas.DesiredDeleted {
		return true, c.advance(ctx, m, baas.MoveRollingBack, "the Worker that it was to go to is deleted")
	}
	held, _, known := c.holds(from.ID, m.BotID, from.Revision)
	switch {
	case held:
		return true, c.advance(ctx, m, baas.MoveCarrying, "")
	case known:
		return false, c.waits(ctx, m, "")
	}
	return false, c.waits(ctx, m, "waiting for the Worker that it leaves ("+or(from.Status.Reason, string(from.Status.State))+")")
}

// carry takes the bot's directory to the target and then makes the target its owner.
func (c *Controller) carry(ctx context.Context, m baas.Move) (bool, error) {
	from, to, err := c.workers(ctx, m)
	if err != nil {
		return false, fmt.Errorf("reading the Workers of move %s: %w", m.ID, err)
	}
	if to.ID == "" || to.Desired == baas.DesiredDeleted {
		return true, c.advance(ctx, m, baas.MoveRollingBack, "the Worker that it was to go to is deleted")
	}
	held, stored, known := c.holds(from.ID, m.BotID, from.Revision)
	if !known || !held {
		return false, c.waits(ctx, m, "waiting for the Worker that it leaves ("+or(from.Status.Reason, string(from.Status.State))+")")
	}
	if target, _ := c.observedAgent(to.ID); target == nil {
		return false, c.waits(ctx, m, "waiting for the Worker that it goes to ("+or(to.Status.Reason, string(to.Status.State))+")")
	}
	if stored {
		if err := c.copyDirectory(ctx, m); err != nil {
			if ctx.Err() != nil {
				return false, err
			}
			var e *baas.Error
			reason := "its files could not be carried over"
			if errors.As(err, &e) && e.Message != "" {
				reason += ": " + e.Message
			}
			c.Log.Warn("carrying a bot's files", "move", m.ID, "bot", m.BotID, "err", err)
			if baas.CodeOf(err) == baas.CodeUnavailable { // a connection broke: again, until the deadline
				return false, c.waits(ctx, m, reason)
			}
			return true, c.advance(ctx, m, baas.MoveRollingBack, reason)
		}
	}
	return true, c.switchOwner(ctx, m)
}

// copyDirectory streams the bot's directory from agent to agent.
func (c *Controller) copyDirectory(ctx context.Context, m baas.Move) error {
	defer c.bots.lock(m.BotID)()
	// Neither agent may hold the move up for longer than it is to take.
	ctx, cancel := context.WithTimeout(ctx, m.DeadlineAt.Sub(c.Now()))
	defer cancel()
	source, err := c.agent(m.From)
	if err != nil {
		return err
	}
	target, err := c.agent(m.To)
	if err != nil {
		return err
	}
	body, _, err := source.Export(ctx, m.BotID)
	if err != nil {
		return fmt.Errorf("exporting from %s: %w", m.From, err)
	}
	defer body.Close()
	counter := &countingReader{r: body}
	done := make(chan struct{})
	defer close(done)
	go c.reportProgress(ctx, m, counter, done)
	if err := target.Import(ctx, m.BotID, counter); err != nil {
		return fmt.Errorf("importing into %s: %w", m.To, err)
	}
	return nil
}

type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *Controller) reportProgress(ctx context.Context, m baas.Move, counter *countingReader, done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-tick.C:
			n := counter.n.Load()
			err := c.updateMove(ctx, m, func(m *baas.Move) { m.Bytes = n })
			if err != nil && ctx.Err() == nil {
				c.Log.Warn("writing the progress of a move", "move", m.ID, "err", err)
			}
		}
	}
}

// errStepChanged says that the move isn't in the step that the caller saw.
var errStepChanged = errors.New("the move went on meanwhile")

// updateMove changes the move if it is still in the step that m has.
func (c *Controller) updateMove(ctx context.Context, m baas.Move, change func(*baas.Move)) error {
	err := c.Store.Tenant(m.TenantID).Update(ctx, func(tx baas.TenantTx) error {
		return c.changeMove(ctx, tx, m, change)
	})
	if errors.Is(err, errStepChanged) {
		return nil
	}
	return err
}

func (c *Controller) changeMove(ctx context.Context, tx baas.TenantTx, m baas.Move, change func(*baas.Move)) error {
	now, err := tx.Moves().Get(ctx, m.ID)
	if err != nil {
		return err
	}
	if now.Step != m.Step {
		return errStepChanged
	}
	change(&now)
	now.UpdatedAt = c.Now()
	return tx.Moves().Update(ctx, now)
}

// advance takes the move to its next step and wakes both ends.
func (c *Controller) advance(ctx context.Context, m baas.Move, step baas.MoveStep, reason string) error {
	err := c.Store.Tenant(m.TenantID).Update(ctx, func(tx baas.TenantTx) error {
		if err := c.changeMove(ctx, tx, m, func(m *baas.Move) { m.Step, m.Reason = step, reason }); err != nil {
			return err
		}
		m.Step, m.Reason = step, reason
		return tx.Events().Add(ctx, c.moveEvent(m, baas.LevelInfo))
	})
	c.WakeWorker(m.From)
	c.WakeWorker(m.To)
	if errors.Is(err, errStepChanged) {
		return nil
	}
	return err
}

// waits writes down what the move waits for, once.
func (c *Controller) waits(ctx context.Context, m baas.Move, reason string) error {
	if m.Reason == reason {
		return nil
	}
	return c.updateMove(ctx, m, func(m *baas.Move) { m.Reason = reason })
}

// switchOwner makes the target the bot's owner: the one transaction before which the bot is the source's and after
// which it is the target's.
func (c *Controller) switchOwner(ctx context.Context, m baas.Move) error {
	err := c.Store.Tenant(m.TenantID).Update(ctx, func(tx baas.TenantTx) error {
		target, err := tx.Workers().Get(ctx, m.To)
		if err != nil {
			return err
		}
		if target.Desired == baas.DesiredDeleted {
			return errStepChanged // the next pass rolls back
		}
		b, err := tx.Bots().Get(ctx, m.BotID)
		if err != nil {
			return fmt.Errorf("reading bot: %w", err)
		}
		b.WorkerID, b.MoveID, b.UpdatedAt = m.To, "", c.Now()
		if b, err = tx.Bots().Update(ctx, b); err != nil {
			return fmt.Errorf("giving the bot to its new Worker: %w", err)
		}
		b.Status.State, b.Status.Reason, b.Status.Since = baas.BotStarting, "being started in its new Worker", c.Now()
		if b.Desired == baas.DesiredStopped || target.Desired != baas.DesiredRunning {
			b.Status.State, b.Status.Reason = baas.BotStopped, "stopped"
		}
		if err := tx.Bots().SetStatus(ctx, b.ID, b.Status); err != nil {
			return err
		}
		if err := c.changeMove(ctx, tx, m, func(m *baas.Move) { m.Step, m.Reason = baas.MoveSwitched, "" }); err != nil {
			return err
		}
		m.Step, m.Reason = baas.MoveSwitched, ""
		return tx.Events().Add(ctx, c.moveEvent(m, baas.LevelInfo))
	})
	c.WakeWorker(m.From)
	c.WakeWorker(m.To)
	if errors.Is(err, errStepChanged) || errors.Is(err, baas.ErrNotFound) {
		return nil
	}
	return err
}

// finish removes the copy of the directory that isn't needed any more and ends the move. An end that can't be reached
// now is cleaned by its next pass, which removes what isn't placed there.
func (c *Controller) finish(ctx context.Context, m baas.Move, leftover string, step baas.MoveStep, reason string) error {
	if err := c.removeLeftover(ctx, m, leftover); err != nil && baas.CodeOf(err) != baas.CodeUnavailable {
		return fmt.Errorf("removing what move %s left in %s: %w", m.ID, leftover, err)
	}
	err := c.Store.Tenant(m.TenantID).Update(ctx, func(tx baas.TenantTx) error {
		b, err := tx.Bots().Get(ctx, m.BotID)
		switch {
		case errors.Is(err, baas.ErrNotFound): // deleted meanwhile
		case err != nil:
			return fmt.Errorf("reading bot: %w", err)
		case b.MoveID == m.ID:
			b.MoveID, b.UpdatedAt = "", c.Now()
			if _, err := tx.Bots().Update(ctx, b); err != nil {
				return fmt.Errorf("ending the bot's move: %w", err)
			}
		}
		if err := c.changeMove(ctx, tx, m, func(m *baas.Move) {
			now := c.Now()
			m.Step, m.Reason, m.EndedAt = step, reason, &now
		}); err != nil {
			return err
		}
		m.Step, m.Reason = step, reason
		level := baas.LevelInfo
		if step == baas.MoveFailed {
			level = baas.LevelError
		}
		return tx.Events().Add(ctx, c.moveEvent(m, level))
	})
	c.WakeWorker(m.From)
	c.WakeWorker(m.To)
	if errors.Is(err, errStepChanged) {
		return nil
	}
	return err
}

// removeLeftover deletes the bot's directory from the end of a move that doesn't own it.
func (c *Controller) removeLeftover(ctx context.Context, m baas.Move, workerID string) error {
	defer c.bots.lock(m.BotID)()
	var s snapshot
	err := c.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { s, err = read(ctx, tx, workerID); return err })
	if errors.Is(err, baas.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.bots, func(b baas.Bot) bool { return b.ID == m.BotID }) {
		return nil // it owns it after all
	}
	agent, err := c.agent(workerID)
	if err != nil {
		return err
	}
	return agent.DeleteBot(ctx, m.BotID)
}

func (c *Controller) moveEvent(m baas.Move, level baas.Level) baas.Event {
	return baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: m.TenantID, At: c.Now(), Kind: baas.EventKind("move." + string(m.Step)), Level: level,
		WorkerID: m.From, BotID: m.BotID, Message: "Bot move: " + plan.MoveReason(m), Data: map[string]any{"move": m.ID, "from": m.From, "to": m.To}}
}
