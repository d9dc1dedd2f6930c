package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/baas-platform/baas"
)

// workers implements baas.WorkerStore.
type workers struct{ tenantTx }

const workerColumns = `id, tenant_id, name, image, isolation, cpu_millis, memory_mib, disk_gib, desired, restarts, version,
	created_at, updated_at, status, revision, revision_hash`

func workerFields(w *baas.Worker) []any {
	return []any{&w.ID, &w.TenantID, &w.Name, &w.Image, &w.Isolation, &w.Size.CPUMillis, &w.Size.MemoryMiB, &w.Size.DiskGiB,
		&w.Desired, &w.Restarts, &w.Version, timeCol{&w.CreatedAt}, timeCol{&w.UpdatedAt},
		workerStatusCol{&w.Status}, &w.Revision, &w.RevisionHash}
}

// workerStatus is a status as it is stored: the public JSON doesn't hold all of it.
type workerStatus struct {
	baas.WorkerStatus
	RestartsSeen int64 `json:"restarts_seen"`
}

func encodeWorkerStatus(s baas.WorkerStatus) ([]byte, error) {
	return json.Marshal(workerStatus{s, s.RestartsSeen})
}

// workerStatusCol scans a stored status.
type workerStatusCol struct{ s *baas.WorkerStatus }

func (c workerStatusCol) Scan(src any) error {
	var s workerStatus
	if err := asJSON(&s).Scan(src); err != nil {
		return err
	}
	*c.s = s.WorkerStatus
	c.s.RestartsSeen = s.RestartsSeen
	return nil
}

func sizeTotals(n int, s baas.Size) baas.Totals {
	k := int64(n)
	return baas.Totals{Workers: n, CPUMillis: k * s.CPUMillis, MemoryMiB: k * s.MemoryMiB, DiskGiB: k * s.DiskGiB}
}

func (t workers) Create(ctx context.Context, w baas.Worker) error {
	status, err := encodeWorkerStatus(w.Status)
	if err != nil {
		return doing("encoding the Worker's status", err)
	}
	n, err := t.exec(ctx, `INSERT INTO workers (`+workerColumns+`, name_key, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		w.ID, t.tenant, w.Name, w.Image, w.Isolation, w.Size.CPUMillis, w.Size.MemoryMiB, w.Size.DiskGiB, w.Desired, w.Restarts, w.Version,
		micros(w.CreatedAt), micros(w.UpdatedAt), string(status), w.Revision, w.RevisionHash, nameKey(w.Name), w.Status.State)
	switch {
	case err != nil && t.dangling(err):
		return baas.Errorf(baas.CodeNotFound, "there is no such tenant")
	case err != nil:
		return doing("writing the Worker", err)
	case n == 0:
		return nameTaken("Worker", "name", "name", w.Name)
	}
	t.changed("worker", w.ID, w.ID)
	return t.count(ctx, sizeTotals(1, w.Size))
}

func (t workers) Get(ctx context.Context, id string) (baas.Worker, error) {
	return get(ctx, t, "Worker", workerFields, `SELECT `+workerColumns+` FROM workers WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t workers) List(ctx context.Context, f baas.WorkerFilter) ([]baas.Worker, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	w.contains(f.Search, "name_key")
	if len(f.States) > 0 {
		in(&w, "state", f.States)
	}
	if f.IDs != nil {
		in(&w, "id", f.IDs)
	}
	return page(ctx, t, "Workers", workerFields, `SELECT `+workerColumns+` FROM workers`, w,
		"id", ascending, f.Page, baas.PrefixWorker, func(w baas.Worker) string { return w.ID })
}

func (t workers) Update(ctx context.Context, w baas.Worker) (baas.Worker, error) {
	old, err := get(ctx, t, "Worker", workerFields, `SELECT `+workerColumns+` FROM workers WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, w.ID)
	if err != nil {
		return baas.Worker{}, err
	}
	if old.Version != w.Version {
		return baas.Worker{}, versionMismatch("Worker", old.Version)
	}
	if err := t.nameFree(ctx, "workers", "Worker", w.ID, w.Name, old.Name); err != nil {
		return baas.Worker{}, err
	}
	err = change(ctx, t, "Worker", `UPDATE workers SET name = ?, name_key = ?, image = ?, isolation = ?, cpu_millis = ?, memory_mib = ?,
		disk_gib = ?, desired = ?, restarts = ?, version = version + 1, updated_at = ? WHERE tenant_id = ? AND id = ?`,
		w.Name, nameKey(w.Name), w.Image, w.Isolation, w.Size.CPUMillis, w.Size.MemoryMiB, w.Size.DiskGiB, w.Desired, w.Restarts,
		micros(w.UpdatedAt), t.tenant, w.ID)
	if t.taken(err) {
		return baas.Worker{}, nameTaken("Worker", "name", "name", w.Name)
	}
	if err != nil {
		return baas.Worker{}, err
	}
	if old.Size != w.Size {
		d := sizeTotals(1, baas.Size{CPUMillis: w.Size.CPUMillis - old.Size.CPUMillis,
			MemoryMiB: w.Size.MemoryMiB - old.Size.MemoryMiB, DiskGiB: w.Size.DiskGiB - old.Size.DiskGiB})
		d.Workers = 0
		if err := t.count(ctx, d); err != nil {
			return baas.Worker{}, err
		}
	}
	t.changed("worker", w.ID, w.ID)
	return t.Get(ctx, w.ID)
}

// nameFree refuses a new name that another row of the table has. A violated constraint would say the same, but on
// PostgreSQL it would also end the transaction.
func (t tenantTx) nameFree(ctx context.Context, table, what, id, name, old string) error {
	if nameKey(name) == nameKey(old) {
		return nil
	}
	var one int
	err := row(ctx, t, []any{&one}, `SELECT 1 FROM `+table+` WHERE tenant_id = ? AND name_key = ? AND id <> ?`, t.tenant, nameKey(name), id)
	switch {
	case err == nil:
		return nameTaken(what, "name", "name", name)
	case errors.Is(err, errMissing):
		return nil
	}
	return doing("looking for the name", err)
}

// SetStatus announces what people see change; a later LastSeenAt alone is stored in silence.
func (t workers) SetStatus(ctx context.Context, id string, s baas.WorkerStatus) error {
	var old string
	if err := row(ctx, t, []any{&old}, `SELECT status FROM workers WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, id); err != nil {
		return doing("reading the Worker's status", notFound(err, "Worker"))
	}
	status, err := encodeWorkerStatus(s)
	if err != nil {
		return doing("encoding the Worker's status", err)
	}
	if old == string(status) {
		return nil
	}
	err = change(ctx, t, "Worker", `UPDATE workers SET state = ?, status = ? WHERE tenant_id = ? AND id = ?`, s.State, string(status), t.tenant, id)
	if err != nil {
		return err
	}
	var was baas.WorkerStatus
	if err := (workerStatusCol{&was}).Scan(old); err != nil {
		return doing("reading the Worker's status", err)
	}
	was.LastSeenAt = s.LastSeenAt
	if before, err := encodeWorkerStatus(was); err != nil || !bytes.Equal(before, status) {
		t.changed("worker", id, id)
	}
	return nil
}

func (t workers) SetRevision(ctx context.Context, id string, revision int64, hash string) error {
	return change(ctx, t, "Worker", `UPDATE workers SET revision = ?, revision_hash = ? WHERE tenant_id = ? AND id = ?`, revision, hash, t.tenant, id)
}

func (t workers) Delete(ctx context.Context, id string) error {
	w, err := get(ctx, t, "Worker", workerFields, `SELECT `+workerColumns+` FROM workers WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, id)
	if err != nil {
		return err
	}
	var n int
	if err := row(ctx, t, []any{&n}, `SELECT COUNT(*) FROM bots WHERE tenant_id = ? AND worker_id = ?`, t.tenant, id); err != nil {
		return doing("counting the Worker's bots", err)
	}
	inUse := baas.Errorf(baas.CodeConflict, "the Worker has bots; delete them or move them to another Worker first")
	if n > 0 {
		return inUse
	}
	err = change(ctx, t, "Worker", `DELETE FROM workers WHERE tenant_id = ? AND id = ?`, t.tenant, id)
	if t.dangling(err) {
		return inUse
	}
	if err != nil {
		return err
	}
	t.changed("worker", id, id)
	return t.count(ctx, sizeTotals(-1, w.Size))
}
