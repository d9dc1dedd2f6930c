package store

import (
	"context"

	"github.com/baas-platform/baas"
)

// idempotency implements baas.IdempotencyStore.
type idempotency struct{ tenantTx }

func (t idempotency) Get(ctx context.Context, key string) (baas.IdempotencyRecord, error) {
	return get(ctx, t, "record of this Idempotency-Key", func(r *baas.IdempotencyRecord) []any {
		return []any{&r.Key, &r.Fingerprint, &r.Result, timeCol{&r.CreatedAt}}
	}, `SELECT key, fingerprint, result, created_at FROM idempotency WHERE tenant_id = ? AND key = ?`, t.tenant, key)
}

func (t idempotency) Put(ctx context.Context, r baas.IdempotencyRecord) error {
	n, err := t.exec(ctx, `INSERT INTO idempotency (tenant_id, key, fingerprint, result, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.tenant, r.Key, notNil(r.Fingerprint), notNil(r.Result), micros(r.CreatedAt))
	if err == nil && n == 0 {
		return baas.Errorf(baas.CodeConflict, "a request with this Idempotency-Key has been carried out")
	}
	return doing("remembering the outcome", err)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
