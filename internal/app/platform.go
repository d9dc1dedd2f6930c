package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
)

// Capabilities tells what the engine can do.
func (a *App) Capabilities(ctx context.Context, actor authz.Actor) (engine.Capabilities, error) {
	if err := authz.Decide(actor, authz.EngineRead, ""); err != nil {
		return engine.Capabilities{}, err
	}
	return a.capabilities(ctx)
}

// capabilities asks the engine, at most once in CacheTTL.
func (a *App) capabilities(ctx context.Context) (engine.Capabilities, error) {
	a.capsMu.Lock()
	defer a.capsMu.Unlock()
	if !a.capsAt.IsZero() && a.Now().Sub(a.capsAt) < a.CacheTTL {
		return a.caps, nil
	}
	c, err := a.Engine.Capabilities(ctx)
	if err != nil {
		if !a.capsAt.IsZero() {
			a.Log.WarnContext(ctx, "asking the engine what it can do; going on with its last answer", "err", err)
			return a.caps, nil
		}
		return c, fmt.Errorf("asking the engine what it can do: %w", err)
	}
	a.caps, a.capsAt = c, a.Now()
	return c, nil
}

// Plans lists the plans, by id.
func (a *App) Plans(ctx context.Context, actor authz.Actor) (ps []baas.Plan, err error) {
	if err := authz.Decide(actor, authz.PlanRead, ""); err != nil {
		return nil, err
	}
	err = a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { ps, err = tx.Plans().List(ctx); return err })
	if ps == nil {
		ps = []baas.Plan{}
	}
	return ps, err
}

// PutPlan makes or replaces a plan. Tenants that have more than it allows keep it and get no more.
func (a *App) PutPlan(ctx context.Context, actor authz.Actor, plan baas.Plan) (baas.Plan, error) {
	if err := authz.Decide(actor, authz.PlanWrite, ""); err != nil {
		return baas.Plan{}, err
	}
	var p baas.Problems
	for _, i := range plan.Limits.Isolation {
		if !slices.Contains([]baas.Isolation{baas.IsolationContainer, baas.IsolationSandbox, baas.IsolationVM, baas.IsolationNone}, i) {
			p.Add("limits.isolation", "%q is not one of container, sandbox, vm", i)
		}
	}
	if err := p.Err(); err != nil {
		return baas.Plan{}, err
	}
	if plan.Limits.Isolation == nil {
		plan.Limits.Isolation = []baas.Isolation{}
	}
	err := a.Store.System().Update(ctx, func(tx baas.SystemTx) error { return tx.Plans().Put(ctx, plan) })
	return plan, err
}
