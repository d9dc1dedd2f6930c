package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Tenants lists all tenants for operators of the platform, and one's own for everybody else.
func (a *App) Tenants(ctx context.Context, actor authz.Actor, f baas.TenantFilter) (l baas.List[baas.Tenant], err error) {
	if err := authz.Decide(actor, authz.AccountRead, ""); err != nil {
		return l, err
	}
	everything := authz.Decide(actor, authz.TenantListAll, "") == nil
	err = a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
		if everything {
			l, err = listOf(tx.Tenants().List(ctx, f))
			return err
		}
		ms, err := a.memberships(ctx, tx, actor)
		mine := map[string]bool{}
		for _, m := range ms {
			mine[m.Tenant.ID] = true
		}
		if err != nil || len(mine) == 0 {
			l, err = listOf([]baas.Tenant{}, "", err)
			return err
		}
		l, err = listOf(own(ms, f), "", nil)
		return err
	})
	return l, err
}

// own narrows one's own tenants, which are few, as the store does for all.
func own(ms []baas.Membership, f baas.TenantFilter) []baas.Tenant {
	ts := []baas.Tenant{}
	for _, m := range ms {
		t := m.Tenant
		if (f.Search == "" || containsFold(t.Name, f.Search) || containsFold(t.Slug, f.Search)) &&
			(f.Status == "" || t.Status == f.Status) && (f.Plan == "" || t.Plan == f.Plan) {
			ts = append(ts, t)
		}
	}
	return ts
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// CreateTenant makes a tenant without members; an invitation makes its first owner.
func (a *App) CreateTenant(ctx context.Context, actor authz.Actor, c baas.TenantCreate) (baas.Tenant, error) {
	if err := authz.Decide(actor, authz.TenantCreate, ""); err != nil {
		return baas.Tenant{}, err
	}
	if err := c.Validate(); err != nil {
		return baas.Tenant{}, err
	}
	now := a.now()
	t := baas.Tenant{ID: baas.NewID(baas.PrefixTenant), Slug: c.Slug, Name: c.Name, Plan: c.Plan, Status: baas.TenantActive, Version: 1, CreatedAt: now, UpdatedAt: now}
	s := seat{actor, t}
	err := a.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		if err := planExists(ctx, tx.Plans(), c.Plan); err != nil {
			return err
		}
		if err := tx.Tenants().Create(ctx, t); err != nil {
			return err
		}
		return tx.In(t.ID).Events().Add(ctx, a.event(s, "tenant.created", "the tenant was made", map[string]any{"plan": t.Plan}))
	})
	return t, err
}

func planExists(ctx context.Context, plans baas.PlanStore, id string) error {
	_, err := plans.Get(ctx, id)
	if errors.Is(err, baas.ErrNotFound) {
		var p baas.Problems
		p.Add("plan", "there is no plan %q", id)
		return p.Err()
	}
	return err
}

// Tenant reads a tenant by id or slug.
func (a *App) Tenant(ctx context.Context, actor authz.Actor, tenant string) (baas.Tenant, error) {
	s, err := a.enter(ctx, actor, tenant, authz.TenantRead)
	if err != nil {
		return baas.Tenant{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.Tenant, error) { return tx.Get(ctx) })
}

// UpdateTenant changes a tenant. Plan and status are for operators of the platform; a plan that allows less than the
// tenant has is refused. version 0 means any.
func (a *App) UpdateTenant(ctx context.Context, actor authz.Actor, tenant string, version int64, u baas.TenantUpdate) (baas.Tenant, error) {
	s, err := a.enter(ctx, actor, tenant, authz.TenantUpdate)
	if err != nil {
		return baas.Tenant{}, err
	}
	if u.Plan != nil || u.Status != nil {
		if err := authz.Decide(s.Actor, authz.TenantGovern, s.tenant.Status); err != nil {
			return baas.Tenant{}, err
		}
	}
	var next baas.Plan
	if u.Plan != nil { // plans are the platform's: read in its scope
		err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
			if err = planExists(ctx, tx.Plans(), *u.Plan); err == nil {
				next, err = tx.Plans().Get(ctx, *u.Plan)
			}
			return err
		})
		if err != nil {
			return baas.Tenant{}, err
		}
	}
	out, err := write(ctx, a, s, authz.TenantUpdate, func(tx baas.TenantTx) (baas.Tenant, error) {
		t, err := tx.Get(ctx)
		if err != nil {
			return t, err
		}
		before := t
		if version != 0 {
			t.Version = version
		}
		if err := u.Apply(&t); err != nil {
			return t, err
		}
		if t.Plan != before.Plan {
			if err := fits(ctx, tx, next); err != nil {
				return t, err
			}
		}
		t.UpdatedAt = a.now()
		if t, err = tx.Update(ctx, t); err != nil {
			return t, err
		}
		kind := baas.EventKind("tenant.updated")
		switch {
		case before.Status != t.Status && t.Status == baas.TenantSuspended:
			kind = "tenant.suspended"
		case before.Status != t.Status:
			kind = "tenant.resumed"
		case before.Plan != t.Plan:
			kind = "tenant.plan_changed"
		}
		return t, tx.Events().Add(ctx, a.event(s, kind, "the tenant was changed",
			map[string]any{"name": t.Name, "plan": t.Plan, "plan_before": before.Plan, "status": t.Status}))
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "tenant"})
	return out, err
}

// fits checks that the tenant stays within the plan with what it has.
func fits(ctx context.Context, tx baas.TenantTx, plan baas.Plan) error {
	totals, err := tx.Totals(ctx)
	if err != nil {
		return err
	}
	if err := plan.Limits.Check(totals); err != nil {
		return err
	}
	workers, err := all(func(p baas.Page) ([]baas.Worker, string, error) {
		return tx.Workers().List(ctx, baas.WorkerFilter{Page: p})
	})
	if err != nil {
		return err
	}
	for _, w := range workers {
		if err := planGives(plan, w.Isolation); err != nil {
			return err
		}
	}
	return nil
}

// DeleteTenant deletes a tenant without Workers, with everything else of it. confirm is its name.
func (a *App) DeleteTenant(ctx context.Context, actor authz.Actor, tenant, confirm string) error {
	s, err := a.enter(ctx, actor, tenant, authz.TenantDelete)
	if err != nil {
		return err
	}
	err = a.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		in := tx.In(s.tenant.ID)
		t, err := in.Lock(ctx)
		if err != nil {
			return err
		}
		if err := authz.Decide(s.Actor, authz.TenantDelete, t.Status); err != nil {
			return err
		}
		if err := confirmed(confirm, t.Name); err != nil {
			return err
		}
		ws, _, err := in.Workers().List(ctx, baas.WorkerFilter{Page: baas.Page{Limit: 1}})
		if err != nil {
			return err
		}
		if len(ws) > 0 {
			return baas.Errorf(baas.CodeConflict, "the tenant still has Workers; delete them first and wait until they are gone")
		}
		return tx.Tenants().Delete(ctx, t.ID)
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "tenant"})
	if err != nil {
		return hidden(err)
	}
	a.Log.InfoContext(ctx, "a tenant was deleted", "tenant", s.tenant.ID, "slug", s.tenant.Slug, "user", actor.UserID)
	return nil
}

// confirmed wants the name of what is deleted, letter for letter.
func confirmed(confirm, name string) error {
	if confirm == name {
		return nil
	}
	var p baas.Problems
	p.Add("confirm", "must be the name of what is deleted, %q", name)
	return p.Err()
}

// TenantTotals tells what the tenant has and may have.
func (a *App) TenantTotals(ctx context.Context, actor authz.Actor, tenant string) (baas.TenantTotals, error) {
	s, err := a.enter(ctx, actor, tenant, authz.TenantRead)
	if err != nil {
		return baas.TenantTotals{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (t baas.TenantTotals, err error) {
		plan, err := tx.Plan(ctx)
		if err != nil {
			return t, err
		}
		t.Plan, t.Limits = plan.ID, plan.Limits
		if t.Totals, err = tx.Totals(ctx); err != nil {
			return t, fmt.Errorf("counting: %w", err)
		}
		return t, nil
	})
}
