package httpapi

import (
	"context"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
)

func (s *server) platformRoutes() {
	handle(s, route{method: "GET", path: "/capabilities", id: "capabilities.get", summary: "What the engine of Workers can do"},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*answer[engine.Capabilities], error) {
			return ok(s.app.Capabilities(ctx, actor))
		})
	handle(s, route{method: "GET", path: "/platform/health", id: "platform.health", summary: "How the platform is (operators of the platform)",
		doc: "Asks the database and the engine of Workers at the time of the request. A part that doesn't answer says so; the answer is 200 then too."},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*answer[app.Health], error) {
			return ok(s.app.Health(ctx, actor))
		})
	handle(s, route{method: "GET", path: "/platform/tenants", id: "platform.tenants", summary: "Tenants with what they have and used (operators of the platform)",
		doc: "Numbers, and nothing of what is inside. The usage is that of the last 24 full hours."},
		func(ctx context.Context, actor authz.Actor, in *tenantQuery) (*answer[baas.List[baas.TenantSummary]], error) {
			return ok(s.app.Summaries(ctx, actor, in.filter()))
		})
	handle(s, route{method: "GET", path: "/plans", id: "plan.list", summary: "Plans and their limits"},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*answer[baas.List[baas.Plan]], error) {
			ps, err := s.app.Plans(ctx, actor)
			return ok(baas.List[baas.Plan]{Items: ps}, err)
		})
	handle(s, route{method: "PUT", path: "/plans/{plan}", id: "plan.put", summary: "Make or change a plan (operators of the platform)",
		doc: "Replaces the whole plan, so it takes no Idempotency-Key: the same request twice comes to the same."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			Plan string `path:"plan" pattern:"^[A-Z][A-Z0-9_-]{0,39}$" patternDescription:"1 to 40 capital letters, digits, _ and -"`
			Body struct {
				Name   string      `json:"name" minLength:"1" maxLength:"80"`
				Limits baas.Limits `json:"limits"`
			} `nameHint:"PlanPut"`
		}) (*answer[baas.Plan], error) {
			return ok(s.app.PutPlan(ctx, actor, baas.Plan{ID: in.Plan, Name: in.Body.Name, Limits: in.Body.Limits}))
		})
}
