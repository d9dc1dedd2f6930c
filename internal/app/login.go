package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// TokenPrefix begins the secret of every API token, so that people and scanners recognise one.
const TokenPrefix = "baas_"

// LogIn is a new log-in.
type LogIn struct {
	User      baas.User
	Secret    string // for the cookie, or as bearer
	ExpiresAt time.Time
	Tenant    string // slug of the tenant that an accepted invitation was to
}

// LogIn checks e-mail and password, with the same work and answer for a person who isn't there.
func (a *App) LogIn(ctx context.Context, c baas.Credentials) (LogIn, error) {
	email := strings.ToLower(strings.TrimSpace(c.Email))
	var u baas.User
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { u, err = tx.Users().ByEmail(ctx, email); return err })
	if err != nil && !errors.Is(err, baas.ErrNotFound) {
		return LogIn{}, fmt.Errorf("finding a person: %w", err)
	}
	if len(c.Password) > baas.MaxPassword {
		c.Password = "" // of nobody; the work stays bounded
	}
	ok, err := a.checkPassword(ctx, u.PasswordHash, c.Password)
	if err != nil {
		return LogIn{}, err
	}
	if !ok {
		return LogIn{}, errWrongPassword()
	}
	var l LogIn
	err = a.Store.System().Update(ctx, func(tx baas.SystemTx) (err error) { l, err = a.newSession(ctx, tx, u); return err })
	return l, err
}

func errWrongPassword() error {
	return baas.Errorf(baas.CodeUnauthenticated, "e-mail or password is wrong")
}

func (a *App) newSession(ctx context.Context, tx baas.SystemTx, u baas.User) (LogIn, error) {
	now := a.now()
	l := LogIn{User: u, Secret: newSecret(), ExpiresAt: now.Add(a.SessionTTL)}
	err := tx.Sessions().Create(ctx, baas.Session{ID: baas.NewID(baas.PrefixSession), UserID: u.ID, Hash: hashSecret(l.Secret), CreatedAt: now, ExpiresAt: l.ExpiresAt})
	return l, err
}

// LogOut ends the log-in. May be repeated. An API token is ended by deleting it.
func (a *App) LogOut(ctx context.Context, actor authz.Actor) error {
	if actor.SessionID == "" {
		return baas.Errorf(baas.CodeForbidden, "an API token doesn't log out; delete it")
	}
	err := a.Store.System().Update(ctx, func(tx baas.SystemTx) error { return tx.Sessions().Delete(ctx, actor.SessionID) })
	a.auth.forget(func(o authz.Actor) bool { return o.SessionID == actor.SessionID })
	return err
}

// Authenticate finds who holds the secret of a log-in or of an API token. baas.ErrUnauthenticated for anything else.
func (a *App) Authenticate(ctx context.Context, secret string) (authz.Actor, error) {
	if secret == "" {
		return authz.Actor{}, baas.Errorf(baas.CodeUnauthenticated, "log in or send an API token")
	}
	hash := hashSecret(secret)
	key := cacheKey(hash)
	if actor, ok := a.auth.actors.get(key, a.Now()); ok {
		return actor, nil
	}
	remember := a.auth.reading()
	find := a.bySession
	if strings.HasPrefix(secret, TokenPrefix) {
		find = a.byToken
	}
	actor, err := find(ctx, hash)
	if errors.Is(err, baas.ErrNotFound) {
		return authz.Actor{}, baas.Errorf(baas.CodeUnauthenticated, "the log-in or API token is unknown, or has ended")
	}
	if err != nil {
		return authz.Actor{}, fmt.Errorf("authenticating: %w", err)
	}
	remember(func() { a.auth.actors.add(key, actor, a.Now()) })
	return actor, nil
}

// prolongAfter is how much of a log-in's time passes before a use prolongs it: not every use, which would be a write.
const prolongAfter = 24 * time.Hour

func (a *App) bySession(ctx context.Context, hash []byte) (authz.Actor, error) {
	var s baas.Session
	var u baas.User
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
		if s, err = tx.Sessions().ByHash(ctx, hash); err != nil {
			return err
		}
		u, err = tx.Users().Get(ctx, s.UserID)
		return err
	})
	now := a.now()
	if err == nil && !s.ExpiresAt.After(now) {
		return authz.Actor{}, authz.NotFound()
	}
	if err != nil {
		return authz.Actor{}, err
	}
	if s.ExpiresAt.Sub(now) < a.SessionTTL-prolongAfter {
		a.prolong(ctx, s.Hash, now)
	}
	return authz.Actor{UserID: u.ID, Operator: u.Operator, SessionID: s.ID}, nil
}

// prolong gives a log-in its whole time again, unless it ended meanwhile.
func (a *App) prolong(ctx context.Context, hash []byte, now time.Time) {
	err := a.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		s, err := tx.Sessions().ByHash(ctx, hash)
		if err != nil {
			return err
		}
		if err := tx.Sessions().Delete(ctx, s.ID); err != nil {
			return err
		}
		s.ExpiresAt = now.Add(a.SessionTTL)
		return tx.Sessions().Create(ctx, s)
	})
	if err != nil && !errors.Is(err, baas.ErrNotFound) && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "prolonging a log-in", "err", err)
	}
}

func (a *App) byToken(ctx context.Context, hash []byte) (authz.Actor, error) {
	var t baas.Token
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) { t, err = tx.TokenByHash(ctx, hash); return err })
	if err != nil {
		return authz.Actor{}, err
	}
	now := a.now()
	if t.ExpiresAt != nil && !t.ExpiresAt.After(now) {
		return authz.Actor{}, authz.NotFound()
	}
	if minute := now.Truncate(time.Minute); t.LastUsedAt == nil || t.LastUsedAt.Before(minute) {
		err := a.Store.System().Update(ctx, func(tx baas.SystemTx) error { return tx.TouchToken(ctx, t.ID, minute) })
		if err != nil && !errors.Is(err, baas.ErrNotFound) && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "noting the use of a token", "token", t.ID, "err", err)
		}
	}
	return authz.Actor{UserID: t.UserID, Scopes: t.Scopes, TenantID: t.TenantID, TokenID: t.ID}, nil
}

// newSecret is 32 random bytes as text.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashSecret(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
