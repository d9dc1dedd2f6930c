package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// seat is an actor within a tenant, allowed to do what it was taken for.
type seat struct {
	authz.Actor
	tenant baas.Tenant
}

// enter finds the tenant by id or slug and checks that the actor may do the action in it. A tenant that isn't there and
// one that the actor has nothing to do with answer the same.
func (a *App) enter(ctx context.Context, actor authz.Actor, ref string, action authz.Action) (seat, error) {
	actor.Member, actor.Support = nil, nil
	known, err := a.standing(ctx, actor, ref)
	if err != nil && !errors.Is(err, baas.ErrNotFound) {
		return seat{}, err
	}
	there := err == nil && (actor.TenantID == "" || actor.TenantID == known.tenant.ID)
	if there {
		actor.Member = known.member
		if known.support != nil && known.support.Active(a.Now()) {
			actor.Support = known.support
		}
	}
	if err := authz.Decide(actor, action, known.tenant.Status); err != nil {
		return seat{}, err
	}
	if !there {
		return seat{}, authz.NotFound()
	}
	return seat{actor, known.tenant}, nil
}

// standing is a person's place in a tenant. ErrNotFound without the tenant.
type standing struct {
	user    string
	tenant  baas.Tenant
	member  *baas.Member  // nil for strangers
	support *baas.Support // of an operator of the platform who is no member
}

func (a *App) standing(ctx context.Context, actor authz.Actor, ref string) (standing, error) {
	userID := actor.UserID
	if userID == "" {
		return standing{}, authz.NotFound()
	}
	key := userID + " " + ref
	if actor.Operator {
		key = "operator " + key // one's API token is no operator
	}
	if s, ok := a.auth.standings.get(key, a.Now()); ok {
		return s, nil
	}
	read := a.auth.reading()
	var s standing
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) error {
		t, err := tx.Tenants().Get(ctx, ref)
		if err != nil {
			return err
		}
		m, err := tx.In(t.ID).Members().Get(ctx, userID)
		switch {
		case err == nil:
			s = standing{user: userID, tenant: t, member: &m}
			return nil
		case !errors.Is(err, baas.ErrNotFound):
			return err
		}
		s = standing{user: userID, tenant: t}
		if !actor.Operator {
			return nil
		}
		n, err := tx.In(t.ID).Support().Open(ctx, userID)
		switch {
		case err == nil:
			s.support = &n
		case !errors.Is(err, baas.ErrNotFound):
			return err
		}
		return nil
	})
	if err != nil {
		return standing{}, fmt.Errorf("finding the tenant: %w", err)
	}
	read(func() { a.auth.standings.add(key, s, a.Now()) })
	return s, nil
}

// view runs fn in a read-only transaction of the tenant.
func view[T any](ctx context.Context, a *App, s seat, fn func(tx baas.TenantTx) (T, error)) (out T, err error) {
	err = a.Store.Tenant(s.tenant.ID).View(ctx, func(tx baas.TenantTx) error {
		out, err = fn(tx)
		return err
	})
	return out, hidden(err)
}

// write runs fn in a transaction behind the tenant's lock, once for each idempotency key, and checks again there that
// the action is allowed as the tenant is now. fn may run more than once.
func write[T any](ctx context.Context, a *App, s seat, action authz.Action, fn func(tx baas.TenantTx) (T, error)) (out T, err error) {
	err = a.Store.Tenant(s.tenant.ID).Update(ctx, func(tx baas.TenantTx) error {
		t, err := tx.Lock(ctx)
		if err != nil {
			return err
		}
		if err := authz.Decide(s.Actor, action, t.Status); err != nil {
			return err
		}
		if err := a.stillIn(ctx, tx, s); err != nil {
			return err
		}
		out, err = once(ctx, a, s, tx, func() (T, error) { return fn(tx) })
		return err
	})
	return out, hidden(err)
}

// hidden makes every missing thing look the same.
func hidden(err error) error {
	if errors.Is(err, baas.ErrNotFound) {
		return authz.NotFound()
	}
	return err
}

// filtered lists with a condition that the store doesn't know. A page may hold fewer things than its limit; it is
// empty only at the end, or after many pages without a match.
func filtered[T any](p baas.Page, keep func(T) bool, list func(baas.Page) ([]T, string, error)) ([]T, string, error) {
	for range 50 {
		items, next, err := list(p)
		if err != nil {
			return nil, "", err
		}
		if kept := slices.DeleteFunc(items, func(t T) bool { return !keep(t) }); len(kept) > 0 || next == "" {
			return kept, next, nil
		}
		p.Cursor = next
	}
	return nil, p.Cursor, nil
}

// all gathers every page of a list.
func all[T any](list func(baas.Page) ([]T, string, error)) ([]T, error) {
	var out []T
	p := baas.Page{Limit: baas.MaxPageSize}
	for {
		items, next, err := list(p)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
		if next == "" {
			return out, nil
		}
		p.Cursor = next
	}
}

func listOf[T any](items []T, next string, err error) (baas.List[T], error) {
	if items == nil {
		items = []T{} // a list, not null
	}
	return baas.List[T]{Items: items, Next: next}, err
}

// within narrows a filter by Workers to those that a limit allows; nil means all.
func within(asked, limit []string) []string {
	switch {
	case len(asked) == 0:
		return limit
	case limit == nil:
		return asked
	}
	both := []string{}
	for _, id := range asked {
		if slices.Contains(limit, id) {
			both = append(both, id)
		}
	}
	return both
}
