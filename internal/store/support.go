package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// support implements baas.SupportStore.
type support struct{ tenantTx }

const supportColumns = `id, tenant_id, user_id, name, email, reason, created_at, expires_at, ended_at, ended_by`

func supportFields(s *baas.Support) []any {
	return []any{&s.ID, &s.TenantID, &s.UserID, &s.Name, &s.Email, &s.Reason, timeCol{&s.CreatedAt}, timeCol{&s.ExpiresAt},
		timePtrCol{&s.EndedAt}, textCol{&s.EndedBy}}
}

func (t support) Create(ctx context.Context, s baas.Support) error {
	n, err := t.exec(ctx, `INSERT INTO support (`+supportColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.ID, t.tenant, s.UserID, s.Name, s.Email, s.Reason, micros(s.CreatedAt), micros(s.ExpiresAt), microsPtr(s.EndedAt), orNull(s.EndedBy))
	switch {
	case err != nil && t.dangling(err):
		return baas.Errorf(baas.CodeNotFound, "there is no such tenant")
	case err != nil:
		return doing("writing the support session", err)
	case n == 0:
		return baas.Errorf(baas.CodeConflict, "this operator has an open support session in the tenant already")
	}
	t.changed("support", s.ID, "")
	return nil
}

func (t support) Get(ctx context.Context, id string) (baas.Support, error) {
	return get(ctx, t, "support session", supportFields, `SELECT `+supportColumns+` FROM support WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t support) Open(ctx context.Context, userID string) (baas.Support, error) {
	return get(ctx, t, "support session", supportFields, `SELECT `+supportColumns+` FROM support
		WHERE tenant_id = ? AND user_id = ? AND ended_at IS NULL`, t.tenant, userID)
}

func (t support) List(ctx context.Context, f baas.SupportFilter) ([]baas.Support, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	if !f.ActiveAt.IsZero() {
		w.and("ended_at IS NULL AND expires_at > ?", micros(f.ActiveAt))
	}
	return page(ctx, t, "support sessions", supportFields, `SELECT `+supportColumns+` FROM support`, w,
		"id", descending, f.Page, baas.PrefixSupport, func(s baas.Support) string { return s.ID })
}

func (t support) End(ctx context.Context, id string, at time.Time, by string) error {
	err := change(ctx, t, "support session", `UPDATE support SET ended_at = ?, ended_by = ? WHERE tenant_id = ? AND id = ? AND ended_at IS NULL`,
		micros(at), orNull(by), t.tenant, id)
	if err != nil {
		return err
	}
	t.changed("support", id, "")
	return nil
}

// OpenSupport implements baas.SystemTx.
func (y systemTx) OpenSupport(ctx context.Context) ([]baas.Support, error) {
	return list(ctx, y, "open support sessions", supportFields, `SELECT `+supportColumns+` FROM support WHERE ended_at IS NULL ORDER BY id`)
}
