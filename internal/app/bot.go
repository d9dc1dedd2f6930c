package app

import (
	"context"
	"fmt"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// bot reads a bot on a Worker that the seat sees. ErrNotFound.
func (s seat) bot(ctx context.Context, tx baas.TenantTx, id string) (baas.Bot, error) {
	b, err := tx.Bots().Get(ctx, id)
	if err != nil {
		return b, err
	}
	if !s.Sees(b.WorkerID) {
		return baas.Bot{}, authz.NotFound()
	}
	return b, nil
}

// addressed fills in the bot's public address.
func (a *App) addressed(b baas.Bot) baas.Bot {
	b.URL = a.BotURL(b.ID)
	return b
}

// Bots lists the bots that the actor sees.
func (a *App) Bots(ctx context.Context, actor authz.Actor, tenant string, f baas.BotFilter) (baas.List[baas.Bot], error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotRead)
	if err != nil {
		return baas.List[baas.Bot]{}, err
	}
	f.WorkerIDs = within(f.WorkerIDs, s.Workers())
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Bot], error) {
		bs, next, err := tx.Bots().List(ctx, f)
		for i := range bs {
			bs[i] = a.addressed(bs[i])
		}
		return listOf(bs, next, err)
	})
}

// Bot reads a bot.
func (a *App) Bot(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Bot, error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotRead)
	if err != nil {
		return baas.Bot{}, err
	}
	b, err := view(ctx, a, s, func(tx baas.TenantTx) (baas.Bot, error) { return s.bot(ctx, tx, id) })
	return a.addressed(b), err
}

// CreateBot makes a bot on a Worker; controllers tell its agent.
func (a *App) CreateBot(ctx context.Context, actor authz.Actor, tenant string, c baas.BotCreate) (baas.Bot, error) {
	s, err := a.enter(ctx, actor, tenant, authz.BotCreate)
	if err != nil {
		return baas.Bot{}, err
	}
	b, err := c.Bot(baas.NewID(baas.PrefixBot), s.tenant.ID, a.now())
	if err != nil {
		return baas.Bot{}, err
	}
	b, err = write(ctx, a, s, authz.BotCreate, func(tx baas.TenantTx) (baas.Bot, error) {
		if _, err := s.workerField(ctx, tx, b.WorkerID); err != nil {
			return b, err
		}
		if err := checkSecrets(ctx, tx, b, b.WorkerID); err != nil {
			return b, err
		}
		if err := room(ctx, tx, baas.Totals{Bots: 1}); err != nil {
			return b, err
		}
		if err := tx.Bots().Create(ctx, b); err != nil {
			return b, err
		}
		return b, tx.Events().Add(ctx, ofBot(a.event(s, "bot.created", "the bot "+b.Name+" was made", map[string]any{"name": b.Name, "kind": b.Kind}), b))
	})
	return a.addressed(b), err
}

// UpdateBot changes a bot's settings. version 0 means any.
func (a *App) UpdateBot(ctx context.Context, actor authz.Actor, tenant, id string, version int64, u baas.BotUpdate) (baas.Bot, error) {
	return a.changeBot(ctx, actor, tenant, id, authz.BotUpdate, "bot.updated", "the bot %s was changed", func(tx baas.TenantTx, b *baas.Bot) (bool, error) {
		if version != 0 {
			b.Version = version
		}
		if err := u.Apply(b); err != nil {
			return false, err
		}
		return true, checkSecrets(ctx, tx, *b, b.WorkerID)
	})
}

// StartBot asks for a bot to run. May be repeated; of one that ended or fails it asks for a new start.
func (a *App) StartBot(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Bot, error) {
	return a.changeBot(ctx, actor, tenant, id, authz.BotControl, "bot.start_requested", "the bot %s is to run", func(_ baas.TenantTx, b *baas.Bot) (bool, error) {
		switch b.Status.State {
		case baas.BotCompleted, baas.BotFailed, baas.BotCrashLoop, baas.BotBackoff:
			if b.Desired == baas.DesiredRunning {
				b.Restarts++
				return true, nil
			}
		}
		changed := b.Desired != baas.DesiredRunning
		b.Desired = baas.DesiredRunning
		return changed, nil
	})
}

// StopBot asks for a bot to stop. May be repeated.
func (a *App) StopBot(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Bot, error) {
	return a.changeBot(ctx, actor, tenant, id, authz.BotControl, "bot.stop_requested", "the bot %s is to stop", func(_ baas.TenantTx, b *baas.Bot) (bool, error) {
		changed := b.Desired != baas.DesiredStopped
		b.Desired = baas.DesiredStopped
		return changed, nil
	})
}

// RestartBot asks for one restart of a bot that should run.
func (a *App) RestartBot(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Bot, error) {
	return a.changeBot(ctx, actor, tenant, id, authz.BotControl, "bot.restart_requested", "the bot %s is to restart", func(_ baas.TenantTx, b *baas.Bot) (bool, error) {
		if b.Desired != baas.DesiredRunning {
			return false, baas.Errorf(baas.CodeConflict, "the bot %s is stopped; start it instead", b.Name)
		}
		b.Restarts++
		return true, nil
	})
}

// changeBot changes a bot's settings.
func (a *App) changeBot(ctx context.Context, actor authz.Actor, tenant, id string, action authz.Action, kind baas.EventKind, message string,
	change func(baas.TenantTx, *baas.Bot) (bool, error)) (baas.Bot, error) {
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return baas.Bot{}, err
	}
	b, err := write(ctx, a, s, action, func(tx baas.TenantTx) (baas.Bot, error) {
		b, err := s.bot(ctx, tx, id)
		if err != nil {
			return b, err
		}
		changed, err := change(tx, &b)
		if err != nil || !changed {
			return b, err
		}
		b.UpdatedAt = a.now()
		if b, err = tx.Bots().Update(ctx, b); err != nil {
			return b, err
		}
		return b, tx.Events().Add(ctx, ofBot(a.event(s, kind, fmt.Sprintf(message, b.Name), map[string]any{"name": b.Name}), b))
	})
	return a.addressed(b), err
}

// DeleteBot deletes a bot; its Worker's agent stops it and deletes its directory. confirm is its name.
func (a *App) DeleteBot(ctx context.Context, actor authz.Actor, tenant, id, confirm string) error {
	s, err := a.enter(ctx, actor, tenant, authz.BotDelete)
	if err != nil {
		return err
	}
	_, err = write(ctx, a, s, authz.BotDelete, func(tx baas.TenantTx) (struct{}, error) {
		var none struct{}
		b, err := s.bot(ctx, tx, id)
		if err != nil {
			return none, err
		}
		if err := confirmed(confirm, b.Name); err != nil {
			return none, err
		}
		if b.MoveID != "" {
			return none, errMoving(b)
		}
		if err := tx.Bots().Delete(ctx, id); err != nil {
			return none, err
		}
		return none, tx.Events().Add(ctx, ofBot(a.event(s, "bot.deleted", "the bot "+b.Name+" was deleted", map[string]any{"name": b.Name}), b))
	})
	return err
}

func errMoving(b baas.Bot) error {
	return baas.Errorf(baas.CodeConflict, "the bot %s is being moved; wait until the move has ended", b.Name)
}
