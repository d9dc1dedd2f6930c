package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/baas-platform/baas"
)

// Support lists support sessions, newest first; with active only those that are open now.
func (t *Tenant) Support(ctx context.Context, active bool) iter.Seq2[baas.Support, error] {
	q := query()
	if active {
		q = query("active", "true")
	}
	return pages[baas.Support](ctx, t.c, t.at("support"), q)
}

// OpenSupport opens a support session; for operators of the platform.
func (t *Tenant) OpenSupport(ctx context.Context, in baas.SupportCreate) (baas.Support, error) {
	return call[baas.Support](ctx, t.c, request{method: http.MethodPost, path: t.at("support"), body: in})
}

// EndSupport ends a support session.
func (t *Tenant) EndSupport(ctx context.Context, id string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("support", id)})
}
