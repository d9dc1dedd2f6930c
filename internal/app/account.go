package app

import (
	"context"
	"fmt"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Account is the actor's own person and where it is a member; of an API token, within its tenant.
func (a *App) Account(ctx context.Context, actor authz.Actor) (baas.Account, error) {
	if err := authz.Decide(actor, authz.AccountRead, ""); err != nil {
		return baas.Account{}, err
	}
	var acc baas.Account
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
		if acc.User, err = tx.Users().Get(ctx, actor.UserID); err != nil {
			return err
		}
		acc.Tenants, err = a.memberships(ctx, tx, actor)
		return err
	})
	return acc, hidden(err)
}

// Memberships lists the tenants that the actor is a member of, and those that a support session lets the actor into.
func (a *App) Memberships(ctx context.Context, actor authz.Actor) (ms []baas.Membership, err error) {
	if err := authz.Decide(actor, authz.AccountRead, ""); err != nil {
		return nil, err
	}
	err = a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { ms, err = a.memberships(ctx, tx, actor); return err })
	return ms, err
}

func (a *App) memberships(ctx context.Context, tx baas.SystemTx, actor authz.Actor) ([]baas.Membership, error) {
	found, err := tx.Memberships(ctx, actor.UserID)
	if err != nil {
		return nil, err
	}
	ms := []baas.Membership{}
	for _, m := range found {
		if actor.TenantID == "" || actor.TenantID == m.Tenant.ID {
			ms = append(ms, m)
		}
	}
	supported, err := a.supported(ctx, tx, actor)
	return append(ms, supported...), err
}

// UpdateAccount changes the actor's own person. A new password ends all log-ins of the person and gives a new one in
// their place; without it the LogIn is nil.
func (a *App) UpdateAccount(ctx context.Context, actor authz.Actor, c baas.AccountUpdate) (baas.Account, *LogIn, error) {
	if err := authz.Decide(actor, authz.AccountUpdate, ""); err != nil {
		return baas.Account{}, nil, err
	}
	before, err := a.Account(ctx, actor)
	if err != nil {
		return baas.Account{}, nil, err
	}
	if err := c.Apply(&before.User); err != nil {
		return baas.Account{}, nil, err
	}
	var hash string
	if c.Password != nil {
		ok, err := a.checkPassword(ctx, before.PasswordHash, c.CurrentPassword)
		if err != nil {
			return baas.Account{}, nil, err
		}
		if !ok {
			var p baas.Problems
			p.Add("current_password", "is wrong")
			return baas.Account{}, nil, p.Err()
		}
		if hash, err = a.hashPassword(ctx, *c.Password); err != nil {
			return baas.Account{}, nil, err
		}
	}
	var acc baas.Account
	var fresh *LogIn
	err = a.Store.System().Update(ctx, func(tx baas.SystemTx) (err error) {
		if acc.User, err = tx.Users().Get(ctx, actor.UserID); err != nil {
			return err
		}
		if err := c.Apply(&acc.User); err != nil {
			return err
		}
		acc.UpdatedAt = a.now()
		if hash != "" {
			acc.PasswordHash = hash
			if err := tx.Sessions().DeleteUser(ctx, actor.UserID); err != nil {
				return err
			}
			l, err := a.newSession(ctx, tx, acc.User)
			if err != nil {
				return err
			}
			fresh = &l
		}
		if err := tx.Users().Update(ctx, acc.User); err != nil {
			return err
		}
		acc.Tenants, err = a.memberships(ctx, tx, actor)
		return err
	})
	if hash != "" {
		a.auth.forget(func(o authz.Actor) bool { return o.UserID == actor.UserID && o.TokenID == "" })
	}
	return acc, fresh, hidden(err)
}

// EnsureOperator makes an operator of the platform unless somebody has the e-mail, which is left as it is. It is for
// the start of an installation: no actor asks for it.
func (a *App) EnsureOperator(ctx context.Context, email, name, password string) error {
	var p baas.Problems
	email = baas.NormalizeEmail(&p, "email", email)
	baas.CheckPassword(&p, "password", password)
	if err := p.Err(); err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	now := a.now()
	err = a.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		return tx.Users().Create(ctx, baas.User{ID: baas.NewID(baas.PrefixUser), Email: email, Name: name, Locale: "pt-BR", Operator: true,
			PasswordHash: hash, CreatedAt: now, UpdatedAt: now})
	})
	if err != nil && baas.CodeOf(err) != baas.CodeNameTaken {
		return fmt.Errorf("making the operator %s: %w", email, err)
	}
	return nil
}
