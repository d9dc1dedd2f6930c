package client

import (
	"context"
	"iter"
	"net/http"

	"github.com/baas-platform/baas"
)

// WorkerQuery narrows a list of Workers.
type WorkerQuery struct {
	Search string // part of the name
	States []baas.WorkerState
}

// Workers lists the Workers.
func (t *Tenant) Workers(ctx context.Context, q WorkerQuery) iter.Seq2[baas.Worker, error] {
	return pages[baas.Worker](ctx, t.c, t.at("workers"), query("search", q.Search, "state", join(q.States)))
}

// Worker reads a Worker.
func (t *Tenant) Worker(ctx context.Context, id string) (baas.Worker, error) {
	return call[baas.Worker](ctx, t.c, request{method: http.MethodGet, path: t.at("workers", id)})
}

// CreateWorker asks for a Worker, whose machine is made after that.
func (t *Tenant) CreateWorker(ctx context.Context, in baas.WorkerCreate) (baas.Worker, error) {
	return call[baas.Worker](ctx, t.c, request{method: http.MethodPost, path: t.at("workers"), body: in})
}

// UpdateWorker changes a Worker if it still has the version; 0 means any.
func (t *Tenant) UpdateWorker(ctx context.Context, id string, version int64, u baas.WorkerUpdate) (baas.Worker, error) {
	return call[baas.Worker](ctx, t.c, request{method: http.MethodPatch, path: t.at("workers", id), body: u, version: version})
}

// DeleteWorker asks for the end of a Worker with its bots and its volume. confirm is its name.
func (t *Tenant) DeleteWorker(ctx context.Context, id, confirm string) (baas.Worker, error) {
	return call[baas.Worker](ctx, t.c, request{method: http.MethodDelete, path: t.at("workers", id), query: query("confirm", confirm)})
}

// StartWorker asks for a Worker to run.
func (t *Tenant) StartWorker(ctx context.Context, id string) (baas.Worker, error) {
	return t.workerAction(ctx, id, "start")
}

// StopWorker asks for a Worker to stop.
func (t *Tenant) StopWorker(ctx context.Context, id string) (baas.Worker, error) {
	return t.workerAction(ctx, id, "stop")
}

// RestartWorker asks for one restart of a Worker.
func (t *Tenant) RestartWorker(ctx context.Context, id string) (baas.Worker, error) {
	return t.workerAction(ctx, id, "restart")
}

func (t *Tenant) workerAction(ctx context.Context, id, action string) (baas.Worker, error) {
	return call[baas.Worker](ctx, t.c, request{method: http.MethodPost, path: t.at("workers", id, action)})
}

// ResizeWorker changes a Worker's limits if it still has the version; 0 means any.
func (t *Tenant) ResizeWorker(ctx context.Context, id string, version int64, size baas.Size) (baas.Resized, error) {
	return call[baas.Resized](ctx, t.c, request{method: http.MethodPost, path: t.at("workers", id, "resize"), body: size, version: version})
}
