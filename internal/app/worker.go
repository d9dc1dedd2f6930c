package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
)

// worker reads a Worker that the seat sees. ErrNotFound.
func (s seat) worker(ctx context.Context, tx baas.TenantTx, id string) (baas.Worker, error) {
	if !s.Sees(id) {
		return baas.Worker{}, authz.NotFound()
	}
	return tx.Workers().Get(ctx, id)
}

// workerField reads the Worker that an input's field worker_id names; a missing one is a wrong field.
func (s seat) workerField(ctx context.Context, tx baas.TenantTx, id string) (baas.Worker, error) {
	w, err := s.worker(ctx, tx, id)
	var p baas.Problems
	switch {
	case errors.Is(err, baas.ErrNotFound):
		p.Add("worker_id", "there is no such Worker")
		return w, p.Err()
	case err != nil:
		return w, err
	}
	return w, notDeleting(w)
}

func notDeleting(w baas.Worker) error {
	if w.Desired == baas.DesiredDeleted {
		return baas.Errorf(baas.CodeConflict, "the Worker %s is being deleted", w.Name)
	}
	return nil
}

// room checks that the plan allows more on top of what the tenant has. Call it behind the tenant's lock.
func room(ctx context.Context, tx baas.TenantTx, more baas.Totals) error {
	plan, err := tx.Plan(ctx)
	if err != nil {
		return err
	}
	have, err := tx.Totals(ctx)
	if err != nil {
		return err
	}
	return exceeds(plan.Limits, have, more)
}

// exceeds refuses an increase that passes a limit. What doesn't grow may stay above one: a plan may have become smaller.
func exceeds(l baas.Limits, have, more baas.Totals) error {
	limit := func(limit *int64, have, more int64) {
		if more <= 0 {
			*limit = max(*limit, have+more)
		}
	}
	workers, bots, members := int64(l.Workers), int64(l.Bots), int64(l.Members)
	limit(&workers, int64(have.Workers), int64(more.Workers))
	limit(&bots, int64(have.Bots), int64(more.Bots))
	limit(&members, int64(have.Members), int64(more.Members))
	limit(&l.CPUMillis, have.CPUMillis, more.CPUMillis)
	limit(&l.MemoryMiB, have.MemoryMiB, more.MemoryMiB)
	limit(&l.DiskGiB, have.DiskGiB, more.DiskGiB)
	l.Workers, l.Bots, l.Members = int(workers), int(bots), int(members)
	return l.Check(baas.Totals{Workers: have.Workers + more.Workers, Bots: have.Bots + more.Bots, Members: have.Members + more.Members,
		CPUMillis: have.CPUMillis + more.CPUMillis, MemoryMiB: have.MemoryMiB + more.MemoryMiB, DiskGiB: have.DiskGiB + more.DiskGiB})
}

// Workers lists the Workers that the actor sees.
func (a *App) Workers(ctx context.Context, actor authz.Actor, tenant string, f baas.WorkerFilter) (baas.List[baas.Worker], error) {
	s, err := a.enter(ctx, actor, tenant, authz.WorkerRead)
	if err != nil {
		return baas.List[baas.Worker]{}, err
	}
	f.IDs = within(f.IDs, s.Workers())
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Worker], error) { return listOf(tx.Workers().List(ctx, f)) })
}

// Worker reads a Worker.
func (a *App) Worker(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Worker, error) {
	s, err := a.enter(ctx, actor, tenant, authz.WorkerRead)
	if err != nil {
		return baas.Worker{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.Worker, error) { return s.worker(ctx, tx, id) })
}

// CreateWorker writes down a Worker; controllers make its machine.
func (a *App) CreateWorker(ctx context.Context, actor authz.Actor, tenant string, c baas.WorkerCreate) (baas.Worker, error) {
	s, err := a.enter(ctx, actor, tenant, authz.WorkerCreate)
	if err != nil {
		return baas.Worker{}, err
	}
	caps, err := a.capabilities(ctx)
	if err != nil {
		return baas.Worker{}, err
	}
	if c.Isolation == "" {
		c.Isolation = defaultIsolation(caps)
	}
	w, err := c.Worker(baas.NewID(baas.PrefixWorker), s.tenant.ID, a.now())
	if err != nil {
		return baas.Worker{}, err
	}
	if err := engineGives(caps, w); err != nil {
		return baas.Worker{}, err
	}
	return write(ctx, a, s, authz.WorkerCreate, func(tx baas.TenantTx) (baas.Worker, error) {
		plan, err := tx.Plan(ctx)
		if err != nil {
			return w, err
		}
		if err := planGives(plan, w.Isolation); err != nil {
			return w, err
		}
		have, err := tx.Totals(ctx)
		if err != nil {
			return w, err
		}
		if err := exceeds(plan.Limits, have, with(baas.Totals{Workers: 1}, w.Size, 1)); err != nil {
			return w, err
		}
		if err := tx.Workers().Create(ctx, w); err != nil {
			return w, err
		}
		return w, tx.Events().Add(ctx, ofWorker(a.event(s, "worker.created", "the Worker "+w.Name+" was made",
			map[string]any{"name": w.Name, "size": w.Size, "isolation": w.Isolation}), w))
	})
}

// with adds n sizes to t.
func with(t baas.Totals, s baas.Size, n int64) baas.Totals {
	t.CPUMillis += n * s.CPUMillis
	t.MemoryMiB += n * s.MemoryMiB
	t.DiskGiB += n * s.DiskGiB
	return t
}

// defaultIsolation is container where the engine gives it, else the weakest level that it gives.
func defaultIsolation(c engine.Capabilities) baas.Isolation {
	for _, i := range []baas.Isolation{baas.IsolationContainer, baas.IsolationSandbox, baas.IsolationVM, baas.IsolationNone} {
		if _, ok := c.Isolation[i]; ok {
			return i
		}
	}
	return baas.IsolationContainer
}

// engineGives refuses what the engine can't do, with the reason.
func engineGives(c engine.Capabilities, w baas.Worker) error {
	var p baas.Problems
	if _, ok := c.Isolation[w.Isolation]; !ok {
		reason := c.Missing[w.Isolation]
		if reason == "" {
			reason = "the " + c.Engine + " engine of this platform doesn't have it"
		}
		p.Add("isolation", "%s can't be had here: %s; there is %s", w.Isolation, reason, levels(slices.Collect(maps.Keys(c.Isolation))))
	}
	if w.Image != "" && !c.Images {
		p.Add("image", "the %s engine of this platform runs its own image only; leave this out", c.Engine)
	}
	if len(p) == 0 {
		return nil
	}
	return &baas.Error{Code: baas.CodeUnsupported, Message: "the platform can't give this", Fields: p}
}

// planGives refuses a level that the plan lacks. What isolates nothing is in no plan and is given where there is nothing else.
func planGives(plan baas.Plan, i baas.Isolation) error {
	if i == baas.IsolationNone || plan.Limits.AllowsIsolation(i) {
		return nil
	}
	return &baas.Error{Code: baas.CodeQuotaExceeded, Message: "this is more than the plan allows", Fields: []baas.FieldError{{Field: "isolation",
		Message: fmt.Sprintf("the plan %s doesn't include %s; it includes %s", plan.ID, i, levels(plan.Limits.Isolation))}}}
}

func levels(is []baas.Isolation) string {
	names := make([]string, len(is))
	for n, i := range is {
		names[n] = string(i)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// UpdateWorker changes a Worker's settings. version 0 means any.
func (a *App) UpdateWorker(ctx context.Context, actor authz.Actor, tenant, id string, version int64, u baas.WorkerUpdate) (baas.Worker, error) {
	w, _, err := a.updateWorker(ctx, actor, tenant, id, version, u, "worker.updated")
	return w, err
}

// ResizeWorker changes a Worker's limits and tells what that does to its bots. version 0 means any.
func (a *App) ResizeWorker(ctx context.Context, actor authz.Actor, tenant, id string, version int64, size baas.Size) (baas.Resized, error) {
	w, effect, err := a.updateWorker(ctx, actor, tenant, id, version, baas.WorkerUpdate{Size: &size}, "worker.resize_requested")
	return baas.Resized{Worker: w, Effect: effect}, err
}

func (a *App) updateWorker(ctx context.Context, actor authz.Actor, tenant, id string, version int64, u baas.WorkerUpdate, kind baas.EventKind) (baas.Worker, baas.ResizeEffect, error) {
	s, err := a.enter(ctx, actor, tenant, authz.WorkerUpdate)
	if err != nil {
		return baas.Worker{}, "", err
	}
	caps, err := a.capabilities(ctx)
	if err != nil {
		return baas.Worker{}, "", err
	}
	var used agentapi.Now
	if u.Size != nil {
		used = a.used(ctx, s, id)
	}
	r, err := write(ctx, a, s, authz.WorkerUpdate, func(tx baas.TenantTx) (r baas.Resized, err error) {
		w, err := s.worker(ctx, tx, id)
		if err != nil {
			return r, err
		}
		before := w
		if err := notDeleting(w); err != nil {
			return r, err
		}
		if err := u.Apply(&w); err != nil {
			return r, err
		}
		if w.Isolation != before.Isolation || w.Image != before.Image {
			if err := engineGives(caps, w); err != nil {
				return r, err
			}
		}
		plan, err := tx.Plan(ctx)
		if err != nil {
			return r, err
		}
		if w.Isolation != before.Isolation {
			if err := planGives(plan, w.Isolation); err != nil {
				return r, err
			}
		}
		if w.Size != before.Size {
			have, err := tx.Totals(ctx)
			if err != nil {
				return r, err
			}
			if err := exceeds(plan.Limits, have, with(with(baas.Totals{}, w.Size, 1), before.Size, -1)); err != nil {
				return r, err
			}
		}
		r.Effect = effect(caps, before, w)
		if err := holds(before.Size, w.Size, used, r.Effect); err != nil {
			return r, err
		}
		if version != 0 {
			w.Version = version
		}
		w.UpdatedAt = a.now()
		if r.Worker, err = tx.Workers().Update(ctx, w); err != nil {
			return r, err
		}
		data := map[string]any{"name": w.Name}
		if w.Size != before.Size {
			data["size"], data["size_before"], data["effect"] = w.Size, before.Size, r.Effect
		}
		if w.Image != before.Image || w.Isolation != before.Isolation {
			data["image"], data["isolation"] = w.Image, w.Isolation
		}
		message := "the Worker " + w.Name + " was changed"
		if kind == "worker.resize_requested" {
			message = fmt.Sprintf("the Worker %s is to have %d thousandths of a core, %d MiB of memory and %d GiB of disk", w.Name, w.Size.CPUMillis, w.Size.MemoryMiB, w.Size.DiskGiB)
		}
		return r, tx.Events().Add(ctx, ofWorker(a.event(s, kind, message, data), w))
	})
	return r.Worker, r.Effect, err
}

// effect says what a change of size does to the bots.
func effect(c engine.Capabilities, before, after baas.Worker) baas.ResizeEffect {
	switch {
	case before.Size == after.Size:
		return baas.ResizeNone
	case before.Desired != baas.DesiredRunning || before.Status.AppliedSize == nil:
		return baas.ResizeLater
	case c.LiveResize:
		return baas.ResizeLive
	}
	return baas.ResizeRestart
}

// holds refuses a size that is too small for what the Worker uses now. Memory counts only if its bots go on: a restart
// frees it.
func holds(before, after baas.Size, used agentapi.Now, effect baas.ResizeEffect) error {
	var p baas.Problems
	message := "the Worker uses more than that"
	if after.DiskGiB < before.DiskGiB && used.DiskBytes > after.DiskGiB<<30 {
		p.Add("size.disk_gib", "the Worker's bots use %.1f GiB now; delete files first or ask for at least %d", float64(used.DiskBytes)/(1<<30), (used.DiskBytes+1<<30-1)>>30)
		message = "the disk holds more than that"
	}
	if after.MemoryMiB < before.MemoryMiB && effect == baas.ResizeLive && used.MemoryBytes > after.MemoryMiB<<20 {
		p.Add("size.memory_mib", "the Worker's bots use %d MiB now; stop one first or ask for more than that", (used.MemoryBytes+1<<20-1)>>20)
	}
	if len(p) == 0 {
		return nil
	}
	return &baas.Error{Code: baas.CodeConflict, Message: message, Fields: p}
}

// used asks the agent what the Worker uses; nothing when it can't be reached, since then the new limits hold from its
// next word on.
func (a *App) used(ctx context.Context, s seat, workerID string) agentapi.Now {
	if _, err := view(ctx, a, s, func(tx baas.TenantTx) (baas.Worker, error) { return s.worker(ctx, tx, workerID) }); err != nil {
		return agentapi.Now{} // the update itself answers
	}
	rt, err := a.Agents.RoundTripper(workerID)
	if err != nil {
		return agentapi.Now{}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	st, err := agentapi.NewClient(rt).Status(ctx)
	if err != nil {
		return agentapi.Now{}
	}
	return st.Usage
}

// DeleteWorker asks for the end of a Worker with its bots and its volume; controllers carry it out. confirm is its
// name. May be repeated.
func (a *App) DeleteWorker(ctx context.Context, actor authz.Actor, tenant, id, confirm string) (baas.Worker, error) {
	return a.control(ctx, actor, tenant, id, authz.WorkerDelete, "worker.delete_requested", "the Worker %s is to be deleted", func(w *baas.Worker) (bool, error) {
		if err := confirmed(confirm, w.Name); err != nil {
			return false, err
		}
		changed := w.Desired != baas.DesiredDeleted
		w.Desired = baas.DesiredDeleted
		return changed, nil
	})
}

// StartWorker asks for a Worker to run. May be repeated; of one that failed it asks for a new attempt.
func (a *App) StartWorker(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Worker, error) {
	return a.control(ctx, actor, tenant, id, authz.WorkerControl, "worker.start_requested", "the Worker %s is to run", func(w *baas.Worker) (bool, error) {
		changed := w.Desired != baas.DesiredRunning || w.Status.State == baas.WorkerFailed
		w.Desired = baas.DesiredRunning
		return changed, nil
	})
}

// StopWorker asks for a Worker to stop with its bots. May be repeated.
func (a *App) StopWorker(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Worker, error) {
	return a.control(ctx, actor, tenant, id, authz.WorkerControl, "worker.stop_requested", "the Worker %s is to stop", func(w *baas.Worker) (bool, error) {
		changed := w.Desired != baas.DesiredStopped
		w.Desired = baas.DesiredStopped
		return changed, nil
	})
}

// RestartWorker asks for one restart of a Worker that should run.
func (a *App) RestartWorker(ctx context.Context, actor authz.Actor, tenant, id string) (baas.Worker, error) {
	return a.control(ctx, actor, tenant, id, authz.WorkerControl, "worker.restart_requested", "the Worker %s is to restart", func(w *baas.Worker) (bool, error) {
		if w.Desired != baas.DesiredRunning {
			return false, baas.Errorf(baas.CodeConflict, "the Worker %s is stopped; start it instead", w.Name)
		}
		w.Restarts++
		return true, nil
	})
}

// control changes what a Worker should be.
func (a *App) control(ctx context.Context, actor authz.Actor, tenant, id string, action authz.Action, kind baas.EventKind, message string,
	change func(*baas.Worker) (bool, error)) (baas.Worker, error) {
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return baas.Worker{}, err
	}
	return write(ctx, a, s, action, func(tx baas.TenantTx) (baas.Worker, error) {
		w, err := s.worker(ctx, tx, id)
		if err != nil {
			return w, err
		}
		if action != authz.WorkerDelete {
			if err := notDeleting(w); err != nil {
				return w, err
			}
		}
		changed, err := change(&w)
		if err != nil || !changed {
			return w, err
		}
		w.UpdatedAt = a.now()
		if w, err = tx.Workers().Update(ctx, w); err != nil {
			return w, err
		}
		return w, tx.Events().Add(ctx, ofWorker(a.event(s, kind, fmt.Sprintf(message, w.Name), map[string]any{"name": w.Name}), w))
	})
}
