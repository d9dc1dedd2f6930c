package httpapi

import (
	"context"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

func (s *server) supportRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/support", id: "support.list", summary: "Support sessions of a tenant, newest first",
		doc: "Who of the platform was or is in the tenant, why and until when. Every member sees it."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
			Active bool `query:"active" doc:"Only those that are open now"`
		}) (*answer[baas.List[baas.Support]], error) {
			return ok(s.app.Supports(ctx, actor, in.Tenant, in.Active, in.page()))
		})
	handle(s, route{method: "POST", path: "/tenants/{tenant}/support", id: "support.open", summary: "Open a support session (operators of the platform)",
		status: http.StatusCreated,
		doc: "For its time the operator acts in the tenant like a member with the role operator, without API tokens, access tokens of bots, " +
			"programs' files and deletions. The tenant sees who, why and until when. 409 while the operator has one open there."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Body baas.SupportCreate
		}) (*answer[baas.Support], error) {
			return ok(s.app.OpenSupport(ctx, actor, in.Tenant, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}/support/{support}", id: "support.end", summary: "End a support session",
		doc: "For operators of the platform and for owners of the tenant. May be repeated."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Support string `path:"support" maxLength:"64" doc:"Id of the support session"`
		}) (*nothing, error) {
			return done(s.app.EndSupport(ctx, actor, in.Tenant, in.Support))
		})
}
