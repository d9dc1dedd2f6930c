package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// users implements baas.UserStore.
type users systemTx

const userColumns = `id, email, name, locale, operator, password_hash, created_at, updated_at`

func userFields(u *baas.User) []any {
	return []any{&u.ID, &u.Email, &u.Name, &u.Locale, &u.Operator, &u.PasswordHash, timeCol{&u.CreatedAt}, timeCol{&u.UpdatedAt}}
}

func (y users) Create(ctx context.Context, u baas.User) error {
	n, err := y.exec(ctx, `INSERT INTO users (`+userColumns+`, name_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		u.ID, u.Email, u.Name, u.Locale, u.Operator, u.PasswordHash, micros(u.CreatedAt), micros(u.UpdatedAt), nameKey(u.Name))
	if err == nil && n == 0 {
		return nameTaken("person", "e-mail", "email", u.Email)
	}
	return doing("writing the user", err)
}

func (y users) Get(ctx context.Context, id string) (baas.User, error) {
	return get(ctx, y, "user", userFields, `SELECT `+userColumns+` FROM users WHERE id = ?`, id)
}

func (y users) ByEmail(ctx context.Context, email string) (baas.User, error) {
	return get(ctx, y, "user", userFields, `SELECT `+userColumns+` FROM users WHERE email = ?`, email)
}

func (y users) Update(ctx context.Context, u baas.User) error {
	err := change(ctx, y, "user", `UPDATE users SET email = ?, name = ?, name_key = ?, locale = ?, operator = ?, password_hash = ?, updated_at = ?
		WHERE id = ?`, u.Email, u.Name, nameKey(u.Name), u.Locale, u.Operator, u.PasswordHash, micros(u.UpdatedAt), u.ID)
	if y.taken(err) {
		return nameTaken("person", "e-mail", "email", u.Email)
	}
	return err
}

func (y users) Count(ctx context.Context) (n int, err error) {
	return n, doing("counting users", row(ctx, y, []any{&n}, `SELECT COUNT(*) FROM users`))
}

// sessions implements baas.SessionStore.
type sessions systemTx

func sessionFields(s *baas.Session) []any {
	return []any{&s.ID, &s.UserID, &s.Hash, timeCol{&s.CreatedAt}, timeCol{&s.ExpiresAt}}
}

func (y sessions) Create(ctx context.Context, s baas.Session) error {
	_, err := y.exec(ctx, `INSERT INTO sessions (id, user_id, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		s.ID, s.UserID, s.Hash, micros(s.CreatedAt), micros(s.ExpiresAt))
	return doing("writing the session", err)
}

func (y sessions) ByHash(ctx context.Context, hash []byte) (baas.Session, error) {
	return get(ctx, y, "session", sessionFields, `SELECT id, user_id, hash, created_at, expires_at FROM sessions WHERE hash = ?`, hash)
}

func (y sessions) Delete(ctx context.Context, id string) error {
	_, err := y.exec(ctx, `DELETE FROM sessions WHERE id = ?`, id)
	return doing("deleting the session", err)
}

func (y sessions) DeleteUser(ctx context.Context, userID string) error {
	_, err := y.exec(ctx, `DELETE FROM sessions WHERE user_id = ?`, userID)
	return doing("deleting a person's sessions", err)
}

func (y sessions) DeleteExpired(ctx context.Context, now time.Time) error {
	_, err := y.exec(ctx, `DELETE FROM sessions WHERE expires_at <= ?`, micros(now))
	return doing("deleting ended sessions", err)
}

// tokens implements baas.TokenStore.
type tokens struct{ tenantTx }

const tokenColumns = `id, tenant_id, user_id, name, scopes, hash, created_at, expires_at, last_used_at`

func tokenFields(t *baas.Token) []any {
	return []any{&t.ID, &t.TenantID, &t.UserID, &t.Name, asJSON(&t.Scopes), &t.Hash,
		timeCol{&t.CreatedAt}, timePtrCol{&t.ExpiresAt}, timePtrCol{&t.LastUsedAt}}
}

func (t tokens) Create(ctx context.Context, n baas.Token) error {
	_, err := t.exec(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, t.tenant, n.UserID, n.Name, asJSON(&n.Scopes), n.Hash, micros(n.CreatedAt), microsPtr(n.ExpiresAt), microsPtr(n.LastUsedAt))
	if err != nil {
		return doing("writing the token", err)
	}
	t.changed("token", n.ID, "")
	return nil
}

func (t tokens) Get(ctx context.Context, id string) (baas.Token, error) {
	return get(ctx, t, "token", tokenFields, `SELECT `+tokenColumns+` FROM tokens WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t tokens) List(ctx context.Context, p baas.Page) ([]baas.Token, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	return page(ctx, t, "tokens", tokenFields, `SELECT `+tokenColumns+` FROM tokens`, w,
		"id", ascending, p, baas.PrefixToken, func(t baas.Token) string { return t.ID })
}

func (t tokens) Delete(ctx context.Context, id string) error {
	t.changed("token", id, "")
	return change(ctx, t, "token", `DELETE FROM tokens WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}
