package store

import (
	"context"

	"github.com/baas-platform/baas"
)

const tenantColumns = `t.id, t.slug, t.name, t.plan, t.status, t.version, t.created_at, t.updated_at`

func tenantFields(t *baas.Tenant) []any {
	return []any{&t.ID, &t.Slug, &t.Name, &t.Plan, &t.Status, &t.Version, timeCol{&t.CreatedAt}, timeCol{&t.UpdatedAt}}
}

// Get implements baas.TenantTx.
func (t tenantTx) Get(ctx context.Context) (baas.Tenant, error) {
	return get(ctx, t, "tenant", tenantFields, `SELECT `+tenantColumns+` FROM tenants t WHERE t.id = ?`, t.tenant)
}

// Lock implements baas.TenantTx. On SQLite every writer waits for the one before anyway.
func (t tenantTx) Lock(ctx context.Context) (baas.Tenant, error) {
	return get(ctx, t, "tenant", tenantFields, `SELECT `+tenantColumns+` FROM tenants t WHERE t.id = ?`+t.forUpdate(), t.tenant)
}

// Plan implements baas.TenantTx.
func (t tenantTx) Plan(ctx context.Context) (baas.Plan, error) {
	return get(ctx, t, "tenant", planFields, `SELECT p.id, p.name, p.limits FROM tenants t JOIN plans p ON p.id = t.plan WHERE t.id = ?`, t.tenant)
}

// Totals implements baas.TenantTx.
func (t tenantTx) Totals(ctx context.Context) (baas.Totals, error) {
	return get(ctx, t, "tenant", func(n *baas.Totals) []any {
		return []any{&n.Workers, &n.CPUMillis, &n.MemoryMiB, &n.DiskGiB, &n.Bots, &n.Members}
	}, `SELECT workers, cpu_millis, memory_mib, disk_gib, bots, members FROM tenants WHERE id = ?`, t.tenant)
}

// Update implements baas.TenantTx.
func (t tenantTx) Update(ctx context.Context, n baas.Tenant) (baas.Tenant, error) {
	affected, err := t.exec(ctx, `UPDATE tenants SET name = ?, name_key = ?, plan = ?, status = ?, version = version + 1, updated_at = ?
		WHERE id = ? AND version = ?`,
		n.Name, nameKey(n.Name), n.Plan, n.Status, micros(n.UpdatedAt), t.tenant, n.Version)
	if err != nil {
		return baas.Tenant{}, t.tenantError(err)
	}
	if affected == 0 {
		now, err := t.Get(ctx)
		if err != nil {
			return baas.Tenant{}, err
		}
		return baas.Tenant{}, versionMismatch("tenant", now.Version)
	}
	t.changed("tenant", t.tenant, "")
	return t.Get(ctx)
}

func (t tenantTx) tenantError(err error) error {
	if t.dangling(err) {
		var p baas.Problems
		p.Add("plan", "there is no such plan")
		return p.Err()
	}
	return doing("writing the tenant", err)
}

func versionMismatch(what string, version int64) error {
	return baas.Errorf(baas.CodeVersionMismatch, "the %s has changed since it was read and has version %d now; read it again", what, version)
}

// tenants implements baas.TenantStore.
type tenants systemTx

func (y tenants) Create(ctx context.Context, t baas.Tenant) error {
	n, err := y.exec(ctx, `INSERT INTO tenants (id, slug, name, name_key, plan, status, version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.ID, t.Slug, t.Name, nameKey(t.Name), t.Plan, t.Status, t.Version, micros(t.CreatedAt), micros(t.UpdatedAt))
	in := tenantTx{y.tx, t.ID}
	if err != nil {
		return in.tenantError(err)
	}
	if n == 0 {
		return nameTaken("tenant", "short name", "slug", t.Slug)
	}
	in.changed("tenant", t.ID, "")
	return nil
}

func nameTaken(what, kind, field, name string) error {
	return &baas.Error{Code: baas.CodeNameTaken, Message: "the " + kind + " is in use",
		Fields: []baas.FieldError{{Field: field, Message: "another " + what + " has the " + kind + " " + name + "; choose another"}}}
}

func (y tenants) Get(ctx context.Context, idOrSlug string) (baas.Tenant, error) {
	col := "slug"
	if baas.ValidID(baas.PrefixTenant, idOrSlug) {
		col = "id"
	}
	return get(ctx, y, "tenant", tenantFields, `SELECT `+tenantColumns+` FROM tenants t WHERE t.`+col+` = ?`, idOrSlug)
}

func (y tenants) List(ctx context.Context, f baas.TenantFilter) ([]baas.Tenant, string, error) {
	return page(ctx, y, "tenants", tenantFields, `SELECT `+tenantColumns+` FROM tenants t`, tenantFilter(f),
		"t.id", ascending, f.Page, baas.PrefixTenant, func(t baas.Tenant) string { return t.ID })
}

func tenantFilter(f baas.TenantFilter) filter {
	var w filter
	w.contains(f.Search, "t.name_key", "t.slug")
	if f.Status != "" {
		w.and("t.status = ?", string(f.Status))
	}
	if f.Plan != "" {
		w.and("t.plan = ?", f.Plan)
	}
	return w
}

func (y tenants) Update(ctx context.Context, t baas.Tenant) (baas.Tenant, error) {
	return tenantTx{y.tx, t.ID}.Update(ctx, t)
}

func (y tenants) Delete(ctx context.Context, id string) error {
	// Locked first, so that nothing is added behind the back of the deletes.
	in := tenantTx{y.tx, id}
	if _, err := in.Lock(ctx); err != nil {
		return err
	}
	for _, table := range []string{"artifact_chunks", "artifacts", "moves", "bots", "secrets", "workers", "tokens", "invitations", "members",
		"events", "usage_minutes", "usage_hours", "idempotency", "support"} {
		if _, err := y.exec(ctx, `DELETE FROM `+table+` WHERE tenant_id = ?`, id); err != nil {
			return doing("deleting the tenant's "+table, err)
		}
	}
	in.changed("tenant", id, "")
	return change(ctx, y, "tenant", `DELETE FROM tenants WHERE id = ?`, id)
}

// plans implements baas.PlanStore.
type plans struct{ *tx }

func planFields(p *baas.Plan) []any { return []any{&p.ID, &p.Name, asJSON(&p.Limits)} }

func (y plans) Get(ctx context.Context, id string) (baas.Plan, error) {
	return get(ctx, y, "plan", planFields, `SELECT id, name, limits FROM plans WHERE id = ?`, id)
}

func (y plans) List(ctx context.Context) ([]baas.Plan, error) {
	return list(ctx, y, "plans", planFields, `SELECT id, name, limits FROM plans ORDER BY id`)
}

func (y plans) Put(ctx context.Context, p baas.Plan) error {
	_, err := y.exec(ctx, `INSERT INTO plans (id, name, limits) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, limits = excluded.limits`, p.ID, p.Name, asJSON(&p.Limits))
	return doing("writing the plan", err)
}
