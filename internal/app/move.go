package app

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// moveDeadline is how long a hand-over may take before it goes back.
const moveDeadline = 10 * time.Minute

// MoveBot asks for a hand-over of a bot to another Worker; controllers carry it out.
func (a *App) MoveBot(ctx context.Context, actor authz.Actor, tenant, id string, c baas.MoveCreate) (baas.Move, error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotMove)
	if err != nil {
		return baas.Move{}, err
	}
	return write(ctx, a, s, authz.BotMove, func(tx baas.TenantTx) (baas.Move, error) {
		b, err := s.bot(ctx, tx, id)
		if err != nil {
			return baas.Move{}, err
		}
		if b.MoveID != "" {
			return baas.Move{}, errMoving(b)
		}
		to, err := s.workerField(ctx, tx, c.WorkerID)
		if err != nil {
			return baas.Move{}, err
		}
		if to.ID == b.WorkerID {
			var p baas.Problems
			p.Add("worker_id", "the bot is on this Worker; choose another")
			return baas.Move{}, p.Err()
		}
		from, err := tx.Workers().Get(ctx, b.WorkerID)
		if err != nil {
			return baas.Move{}, err
		}
		if err := notDeleting(from); err != nil {
			return baas.Move{}, err
		}
		if err := checkSecrets(ctx, tx, b, to.ID); err != nil {
			return baas.Move{}, err
		}
		now := a.now()
		m := baas.Move{ID: baas.NewID(baas.PrefixMove), TenantID: s.tenant.ID, BotID: b.ID, From: b.WorkerID, To: to.ID, Step: baas.MoveRequested,
			CreatedAt: now, UpdatedAt: now, DeadlineAt: now.Add(moveDeadline)}
		if err := tx.Moves().Create(ctx, m); err != nil {
			return m, err
		}
		b.MoveID, b.UpdatedAt = m.ID, now
		if b, err = tx.Bots().Update(ctx, b); err != nil {
			return m, err
		}
		e := ofBot(a.event(s, "bot.move_requested", "the bot "+b.Name+" is to move from "+from.Name+" to "+to.Name,
			map[string]any{"move_id": m.ID, "name": b.Name, "from": m.From, "to": m.To}), b)
		return m, tx.Events().Add(ctx, e)
	})
}

// seesMove reports whether one end of the move is a Worker that the seat sees.
func (s seat) seesMove(m baas.Move) bool { return s.Sees(m.From) || s.Sees(m.To) }

// Moves lists moves, of one bot or of all, newest first.
func (a *App) Moves(ctx context.Context, actor authz.Actor, tenant, botID string, p baas.Page) (baas.List[baas.Move], error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotRead)
	if err != nil {
		return baas.List[baas.Move]{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Move], error) {
		return listOf(filtered(p, s.seesMove, func(p baas.Page) ([]baas.Move, string, error) { return tx.Moves().List(ctx, botID, p) }))
	})
}

// Move reads a move.
func (a *App) Move(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Move, error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotRead)
	if err != nil {
		return baas.Move{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.Move, error) {
		m, err := tx.Moves().Get(ctx, id)
		if err == nil && !s.seesMove(m) {
			return baas.Move{}, authz.NotFound()
		}
		return m, err
	})
}
