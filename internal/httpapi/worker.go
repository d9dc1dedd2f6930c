package httpapi

import (
	"context"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// workerWrite is what the actions on a Worker take.
type workerWrite struct {
	WorkerPath
	Write
}

func (s *server) workerRoutes() {
	const one = "/tenants/{tenant}/workers/{worker}"
	handle(s, route{method: "GET", path: "/tenants/{tenant}/workers", id: "worker.list", summary: "Workers"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
			Search string             `query:"search" maxLength:"100" doc:"Part of the name"`
			State  []baas.WorkerState `query:"state" enum:"pending,provisioning,running,degraded,unreachable,stopping,stopped,hibernated,failed,deleting" doc:"Any of these, separated by commas"`
		}) (*answer[baas.List[baas.Worker]], error) {
			return ok(s.app.Workers(ctx, actor, in.Tenant, baas.WorkerFilter{Search: in.Search, States: in.State, Page: in.page()}))
		})
	handle(s, route{method: "POST", path: "/tenants/{tenant}/workers", id: "worker.create", summary: "Make a Worker", status: http.StatusAccepted,
		doc: "Answers at once; the machine is made after that. Its state, events and the stream of changes tell how far it is."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Body baas.WorkerCreate
		}) (*tagged[baas.Worker], error) {
			return worker(s.app.CreateWorker(ctx, actor, in.Tenant, in.Body))
		})
	handle(s, route{method: "GET", path: one, id: "worker.get", summary: "A Worker"},
		func(ctx context.Context, actor authz.Actor, in *WorkerPath) (*tagged[baas.Worker], error) {
			return worker(s.app.Worker(ctx, actor, in.Tenant, in.Worker))
		})
	handle(s, route{method: "PATCH", path: one, id: "worker.update", summary: "Change a Worker",
		doc: "A new image or isolation restarts its machine."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			WorkerPath
			Match
			Write
			Body baas.WorkerUpdate
		}) (*tagged[baas.Worker], error) {
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			return worker(s.app.UpdateWorker(ctx, actor, in.Tenant, in.Worker, v, in.Body))
		})
	handle(s, route{method: "DELETE", path: one, id: "worker.delete", summary: "Delete a Worker with its bots and its volume", status: http.StatusAccepted,
		doc: "Its bots go with it. Answers at once with the Worker, which goes away after that."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			WorkerPath
			Confirm
			Write
		}) (*tagged[baas.Worker], error) {
			return worker(s.app.DeleteWorker(ctx, actor, in.Tenant, in.Worker, in.Confirm.Confirm))
		})
	handle(s, route{method: "POST", path: one + "/start", id: "worker.start", summary: "Start a Worker", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *workerWrite) (*tagged[baas.Worker], error) {
			return worker(s.app.StartWorker(ctx, actor, in.Tenant, in.Worker))
		})
	handle(s, route{method: "POST", path: one + "/stop", id: "worker.stop", summary: "Stop a Worker and its bots; its volume stays", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *workerWrite) (*tagged[baas.Worker], error) {
			return worker(s.app.StopWorker(ctx, actor, in.Tenant, in.Worker))
		})
	handle(s, route{method: "POST", path: one + "/restart", id: "worker.restart", summary: "Restart a Worker and its bots", status: http.StatusAccepted},
		func(ctx context.Context, actor authz.Actor, in *workerWrite) (*tagged[baas.Worker], error) {
			return worker(s.app.RestartWorker(ctx, actor, in.Tenant, in.Worker))
		})
	handle(s, route{method: "POST", path: one + "/resize", id: "worker.resize", summary: "Change a Worker's limits, up or down", status: http.StatusAccepted,
		doc: "The answer says whether its bots go on (live) or restart."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			WorkerPath
			Match
			Write
			Body baas.Size
		}) (*tagged[baas.Resized], error) {
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			r, err := s.app.ResizeWorker(ctx, actor, in.Tenant, in.Worker, v, in.Body)
			if err != nil {
				return nil, err
			}
			return &tagged[baas.Resized]{tag(r.Worker.Version), r}, nil
		})
}

func worker(w baas.Worker, err error) (*tagged[baas.Worker], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[baas.Worker]{tag(w.Version), w}, nil
}
