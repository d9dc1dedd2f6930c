package httpapi

import (
	"context"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// tenantQuery narrows a list of tenants.
type tenantQuery struct {
	Paged
	Search string            `query:"search" maxLength:"100" doc:"Part of the name or slug"`
	Status baas.TenantStatus `query:"status" enum:"active,suspended"`
	Plan   string            `query:"plan" maxLength:"40"`
}

func (q *tenantQuery) filter() baas.TenantFilter {
	return baas.TenantFilter{Search: q.Search, Status: q.Status, Plan: q.Plan, Page: q.page()}
}

func (s *server) tenantRoutes() {
	handle(s, route{method: "GET", path: "/tenants", id: "tenant.list", summary: "Tenants",
		doc: "All of them for operators of the platform, their own for everybody else."},
		func(ctx context.Context, actor authz.Actor, in *tenantQuery) (*answer[baas.List[baas.Tenant]], error) {
			return ok(s.app.Tenants(ctx, actor, in.filter()))
		})
	handle(s, route{method: "POST", path: "/tenants", id: "tenant.create", summary: "Make a tenant (operators of the platform)", status: http.StatusCreated,
		doc: "Takes no Idempotency-Key: a request that is sent again finds the slug in use and is answered 409 name_taken."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			Body baas.TenantCreate
		}) (*tagged[baas.Tenant], error) {
			return tenant(s.app.CreateTenant(ctx, actor, in.Body))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}", id: "tenant.get", summary: "A tenant"},
		func(ctx context.Context, actor authz.Actor, in *TenantPath) (*tagged[baas.Tenant], error) {
			return tenant(s.app.Tenant(ctx, actor, in.Tenant))
		})
	handle(s, route{method: "PATCH", path: "/tenants/{tenant}", id: "tenant.update", summary: "Change a tenant",
		doc: "Owners change the name; plan and status are for operators of the platform."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Match
			Write
			Body baas.TenantUpdate
		}) (*tagged[baas.Tenant], error) {
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			return tenant(s.app.UpdateTenant(ctx, actor, in.Tenant, v, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}", id: "tenant.delete", summary: "Delete a tenant",
		doc: "Refused with 409 while it has Workers: delete them first. Everything else of the tenant goes with it."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Confirm
		}) (*nothing, error) {
			return done(s.app.DeleteTenant(ctx, actor, in.Tenant, in.Confirm.Confirm))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/totals", id: "tenant.totals", summary: "What a tenant has, and what its plan allows"},
		func(ctx context.Context, actor authz.Actor, in *TenantPath) (*answer[baas.TenantTotals], error) {
			return ok(s.app.TenantTotals(ctx, actor, in.Tenant))
		})
}

func tenant(t baas.Tenant, err error) (*tagged[baas.Tenant], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[baas.Tenant]{tag(t.Version), t}, nil
}
