package app

import (
	"context"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Tokens lists API tokens: everybody's for who may end them, one's own otherwise.
func (a *App) Tokens(ctx context.Context, actor authz.Actor, tenant string, p baas.Page) (baas.List[baas.Token], error) {
	s, err := a.enter(ctx, actor, tenant, authz.TokenOwn)
	if err != nil {
		return baas.List[baas.Token]{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Token], error) {
		return listOf(filtered(p, s.mayEnd, func(p baas.Page) ([]baas.Token, string, error) { return tx.Tokens().List(ctx, p) }))
	})
}

// mayEnd reports whether the seat sees and may end the token.
func (s seat) mayEnd(t baas.Token) bool {
	return t.UserID == s.UserID || authz.Decide(s.Actor, authz.TokenAll, s.tenant.Status) == nil
}

// CreateToken makes an API token for the actor. One that is made with a token has no more scopes than that.
func (a *App) CreateToken(ctx context.Context, actor authz.Actor, tenant string, c baas.TokenCreate) (baas.NewToken, error) {
	s, err := a.enter(ctx, actor, tenant, authz.TokenOwn)
	if err != nil {
		return baas.NewToken{}, err
	}
	now := a.now()
	if err := c.Validate(now); err != nil {
		return baas.NewToken{}, err
	}
	return write(ctx, a, s, authz.TokenOwn, func(tx baas.TenantTx) (baas.NewToken, error) {
		secret := TokenPrefix + newSecret()
		t := baas.Token{ID: baas.NewID(baas.PrefixToken), TenantID: s.tenant.ID, UserID: s.UserID, Name: c.Name, Scopes: c.Scopes,
			Hash: hashSecret(secret), CreatedAt: now, ExpiresAt: c.ExpiresAt}
		if err := tx.Tokens().Create(ctx, t); err != nil {
			return baas.NewToken{}, err
		}
		return baas.NewToken{Token: t, Secret: secret}, tx.Events().Add(ctx, a.event(s, "token.created", "the API token "+t.Name+" was made",
			map[string]any{"token_id": t.ID, "name": t.Name, "scopes": t.Scopes}))
	})
}

// DeleteToken ends an API token.
func (a *App) DeleteToken(ctx context.Context, actor authz.Actor, tenant, id string) error {
	s, err := a.enter(ctx, actor, tenant, authz.TokenOwn)
	if err != nil {
		return err
	}
	_, err = write(ctx, a, s, authz.TokenOwn, func(tx baas.TenantTx) (struct{}, error) {
		t, err := tx.Tokens().Get(ctx, id)
		if err != nil {
			return struct{}{}, err
		}
		if !s.mayEnd(t) {
			return struct{}{}, authz.NotFound()
		}
		if err := tx.Tokens().Delete(ctx, id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tx.Events().Add(ctx, a.event(s, "token.deleted", "the API token "+t.Name+" was ended", map[string]any{"token_id": t.ID, "name": t.Name}))
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "token", ID: id})
	return err
}
