package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/baas-platform/baas"
)

// Request is what a use case needs to know of the request that it serves.
type Request struct {
	IdempotencyKey string // of the client; "" when it sent none
	Fingerprint    []byte // SHA-256 of method, path and body
}

type requestKey struct{}

// WithRequest gives the use cases called with the context the request that they serve.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// once runs fn unless the request's key has an outcome, which it gives instead. Outcomes are sealed, since some hold a
// secret that is shown once.
func once[T any](ctx context.Context, a *App, s seat, tx baas.TenantTx, fn func() (T, error)) (out T, err error) {
	r, _ := ctx.Value(requestKey{}).(Request)
	if r.IdempotencyKey == "" {
		return fn()
	}
	key := "user/" + s.UserID + "/" + r.IdempotencyKey
	sealID := "idempotency/" + s.tenant.ID + "/" + key
	rec, err := tx.Idempotency().Get(ctx, key)
	switch {
	case err == nil:
		if !bytes.Equal(rec.Fingerprint, r.Fingerprint) {
			return out, baas.Errorf(baas.CodeIdempotency, "this Idempotency-Key was used for another request; choose a new one for each request")
		}
		raw, err := a.Sealer.Open(ctx, sealID, rec.Result)
		if err != nil {
			return out, fmt.Errorf("opening a remembered outcome: %w", err)
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			return out, fmt.Errorf("reading a remembered outcome: %w", err)
		}
		return out, nil
	case !errors.Is(err, baas.ErrNotFound):
		return out, err
	}
	if out, err = fn(); err != nil {
		return out, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return out, fmt.Errorf("remembering the outcome: %w", err)
	}
	sealed, err := a.Sealer.Seal(ctx, sealID, raw)
	if err != nil {
		return out, fmt.Errorf("remembering the outcome: %w", err)
	}
	return out, tx.Idempotency().Put(ctx, baas.IdempotencyRecord{Key: key, Fingerprint: r.Fingerprint, Result: sealed, CreatedAt: a.now()})
}
