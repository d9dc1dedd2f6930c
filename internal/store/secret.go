package store

import (
	"context"

	"github.com/baas-platform/baas"
)

// secrets implements baas.SecretStore.
type secrets struct{ tenantTx }

const secretColumns = `id, tenant_id, worker_id, name, sealed, created_at, updated_at`

func secretFields(s *baas.Secret) []any {
	return []any{&s.ID, &s.TenantID, textCol{&s.WorkerID}, &s.Name, &s.Sealed, timeCol{&s.CreatedAt}, timeCol{&s.UpdatedAt}}
}

func (t secrets) Put(ctx context.Context, s baas.Secret) error {
	_, err := t.exec(ctx, `INSERT INTO secrets (`+secretColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, COALESCE(worker_id, ''), name) DO UPDATE
		SET id = excluded.id, sealed = excluded.sealed, updated_at = excluded.updated_at`,
		s.ID, t.tenant, orNull(s.WorkerID), s.Name, s.Sealed, micros(s.CreatedAt), micros(s.UpdatedAt))
	switch {
	case err != nil && t.dangling(err):
		return baas.Errorf(baas.CodeNotFound, "there is no such Worker")
	case err != nil && t.taken(err):
		return baas.Errorf(baas.CodeConflict, "the id belongs to another secret")
	case err != nil:
		return doing("writing the secret", err)
	}
	t.changed("secret", s.ID, s.WorkerID)
	return nil
}

func (t secrets) Get(ctx context.Context, id string) (baas.Secret, error) {
	return get(ctx, t, "secret", secretFields, `SELECT `+secretColumns+` FROM secrets WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t secrets) ByName(ctx context.Context, workerID, name string) (baas.Secret, error) {
	return get(ctx, t, "secret", secretFields, `SELECT `+secretColumns+` FROM secrets
		WHERE tenant_id = ? AND COALESCE(worker_id, '') = ? AND name = ?`, t.tenant, workerID, name)
}

func (t secrets) List(ctx context.Context, p baas.Page) ([]baas.Secret, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	return page(ctx, t, "secrets", secretFields, `SELECT `+secretColumns+` FROM secrets`, w,
		"id", ascending, p, baas.PrefixSecret, func(s baas.Secret) string { return s.ID })
}

func (t secrets) Delete(ctx context.Context, id string) error {
	s, err := t.Get(ctx, id)
	if err != nil {
		return err
	}
	t.changed("secret", id, s.WorkerID)
	return change(ctx, t, "secret", `DELETE FROM secrets WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}
