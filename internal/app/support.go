package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// overdueEvery is how often support sessions are ended whose time is over. They let nobody in from that time on, so
// it only says how late the tenant's activity log tells.
const overdueEvery = 15 * time.Second

// OpenSupport opens a support session: the actor, an operator of the platform, is in the tenant from now on.
// baas.ErrConflict while the actor has one there, or is a member.
func (a *App) OpenSupport(ctx context.Context, actor authz.Actor, tenant string, c baas.SupportCreate) (baas.Support, error) {
	s, err := a.enter(ctx, actor, tenant, authz.SupportOpen)
	if err != nil {
		return baas.Support{}, err
	}
	if err := c.Validate(); err != nil {
		return baas.Support{}, err
	}
	var u baas.User
	err = a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { u, err = tx.Users().Get(ctx, s.UserID); return err })
	if err != nil {
		return baas.Support{}, fmt.Errorf("finding the operator: %w", err)
	}
	s.Support = nil // of an earlier session this one isn't part
	out, err := write(ctx, a, s, authz.SupportOpen, func(tx baas.TenantTx) (baas.Support, error) {
		if s.Member != nil {
			return baas.Support{}, baas.Errorf(baas.CodeConflict, "you are a member of this tenant and need no support session")
		}
		now := a.now()
		before, err := tx.Support().Open(ctx, s.UserID)
		switch {
		case errors.Is(err, baas.ErrNotFound):
		case err != nil:
			return before, err
		case before.Active(now):
			return before, baas.Errorf(baas.CodeConflict, "your support session in this tenant is open until %s; end it first", before.ExpiresAt.Format(time.RFC3339))
		default:
			if err := a.endOverdue(ctx, tx, before); err != nil {
				return before, err
			}
		}
		n := baas.Support{ID: baas.NewID(baas.PrefixSupport), TenantID: s.tenant.ID, UserID: u.ID, Name: u.Name, Email: u.Email, Reason: c.Reason,
			CreatedAt: now, ExpiresAt: now.Add(time.Duration(c.Minutes) * time.Minute)}
		if err := tx.Support().Create(ctx, n); err != nil {
			return n, err
		}
		e := a.event(s, "support.opened", fmt.Sprintf("%s of the platform opened a support session: %s", n.Name, n.Reason), supportData(n))
		e.Level = baas.LevelWarning // members should notice
		return n, tx.Events().Add(ctx, e)
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "support", ID: out.ID})
	return out, err
}

// Supports lists a tenant's support sessions, newest first; with active only those that are open now.
func (a *App) Supports(ctx context.Context, actor authz.Actor, tenant string, active bool, p baas.Page) (baas.List[baas.Support], error) {
	s, err := a.enter(ctx, actor, tenant, authz.SupportRead)
	if err != nil {
		return baas.List[baas.Support]{}, err
	}
	f := baas.SupportFilter{Page: p}
	if active {
		f.ActiveAt = a.now()
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Support], error) { return listOf(tx.Support().List(ctx, f)) })
}

// EndSupport ends a support session: operators of the platform do, and owners of the tenant. May be repeated.
func (a *App) EndSupport(ctx context.Context, actor authz.Actor, tenant, id string) error {
	s, err := a.enter(ctx, actor, tenant, authz.SupportEnd)
	if err != nil {
		return err
	}
	s.Support = nil // ending the session that one is in is no part of it
	_, err = write(ctx, a, s, authz.SupportEnd, func(tx baas.TenantTx) (struct{}, error) {
		var none struct{}
		n, err := tx.Support().Get(ctx, id)
		if err != nil || n.EndedAt != nil {
			return none, err
		}
		now := a.now()
		if !n.Active(now) {
			return none, a.endOverdue(ctx, tx, n)
		}
		if err := tx.Support().End(ctx, id, now, s.UserID); err != nil {
			return none, err
		}
		return none, tx.Events().Add(ctx, a.event(s, "support.ended", fmt.Sprintf("the support session of %s was ended", n.Name), supportData(n)))
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "support", ID: id})
	return err
}

// endOverdue ends a session whose time is over.
func (a *App) endOverdue(ctx context.Context, tx baas.TenantTx, n baas.Support) error {
	if err := tx.Support().End(ctx, n.ID, n.ExpiresAt, ""); err != nil {
		return err
	}
	return tx.Events().Add(ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: n.TenantID, At: n.ExpiresAt, Kind: "support.ended",
		Level: baas.LevelInfo, Message: fmt.Sprintf("the support session of %s ended: its time was over", n.Name), Data: supportData(n)})
}

// EndOverdueSupport ends every support session whose time is over. May be repeated, by several processes at once.
func (a *App) EndOverdueSupport(ctx context.Context) error {
	var open []baas.Support
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { open, err = tx.OpenSupport(ctx); return err })
	if err != nil {
		return fmt.Errorf("looking for support sessions: %w", err)
	}
	var errs []error
	for _, n := range open {
		if n.Active(a.now()) {
			continue
		}
		err := a.Store.Tenant(n.TenantID).Update(ctx, func(tx baas.TenantTx) error { return a.endOverdue(ctx, tx, n) })
		if err != nil && !errors.Is(err, baas.ErrNotFound) { // somebody else was quicker
			errs = append(errs, fmt.Errorf("ending the support session %s: %w", n.ID, err))
		}
		a.auth.change(baas.Change{TenantID: n.TenantID, Kind: "support", ID: n.ID})
	}
	return errors.Join(errs...)
}

func supportData(n baas.Support) map[string]any {
	return map[string]any{"support_id": n.ID, "operator": n.Name, "email": n.Email, "reason": n.Reason, "until": n.ExpiresAt.Format(time.RFC3339)}
}

// stillIn checks within a transaction that the support session of the seat, if that is what it stands on, goes on.
func (a *App) stillIn(ctx context.Context, tx baas.TenantTx, s seat) error {
	if s.Support == nil {
		return nil
	}
	n, err := tx.Support().Get(ctx, s.Support.ID)
	if err != nil {
		return err
	}
	if !n.Active(a.now()) {
		return baas.Errorf(baas.CodeForbidden, "your support session in this tenant has ended; open another if there is a reason")
	}
	return nil
}

// left is how long the seat may look on without asking again: max, or until its support session's time is over.
func (a *App) left(s seat, max time.Duration) time.Duration {
	if s.Support == nil {
		return max
	}
	return min(max, s.Support.ExpiresAt.Sub(a.Now()))
}

// supported lists the tenants that an operator is in by a support session.
func (a *App) supported(ctx context.Context, tx baas.SystemTx, actor authz.Actor) (ms []baas.Membership, err error) {
	if !actor.Operator {
		return nil, nil
	}
	open, err := tx.OpenSupport(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range open {
		if n.UserID != actor.UserID || !n.Active(a.now()) {
			continue
		}
		t, err := tx.Tenants().Get(ctx, n.TenantID)
		if err != nil {
			return nil, err
		}
		ms = append(ms, baas.Membership{Tenant: t, Role: authz.SupportRole, WorkerIDs: []string{}, Support: &n})
	}
	return ms, nil
}
