package store

import (
	"context"
	"encoding/json"

	"github.com/baas-platform/baas"
)

// bots implements baas.BotStore.
type bots struct{ tenantTx }

const botColumns = `id, tenant_id, worker_id, name, kind, access, desired, spec, files, restarts, version, created_at, updated_at,
	status, move_id, access_token_hash`

// botSpec is the part of a bot that only the agent takes apart.
type botSpec struct {
	Assistant *baas.Assistant `json:"assistant,omitempty"`
	Program   *baas.Program   `json:"program,omitempty"`
}

func (c botSpecCol) Scan(src any) error {
	var s botSpec
	if err := asJSON(&s).Scan(src); err != nil {
		return err
	}
	c.b.Assistant, c.b.Program = s.Assistant, s.Program
	return nil
}

// botSpecCol scans a stored botSpec into its bot.
type botSpecCol struct{ b *baas.Bot }

func botFields(b *baas.Bot) []any {
	return []any{&b.ID, &b.TenantID, &b.WorkerID, &b.Name, &b.Kind, &b.Access, &b.Desired, botSpecCol{b}, asJSON(&b.Files), &b.Restarts,
		&b.Version, timeCol{&b.CreatedAt}, timeCol{&b.UpdatedAt}, asJSON(&b.Status), &b.MoveID, &b.AccessTokenHash}
}

// files is the stored form of a bot's archive, NULL without one.
func botFiles(b baas.Bot) any {
	if b.Files == nil {
		return nil
	}
	return asJSON(b.Files)
}

func (t bots) Create(ctx context.Context, b baas.Bot) error {
	n, err := t.exec(ctx, `INSERT INTO bots (`+botColumns+`, name_key, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		b.ID, t.tenant, b.WorkerID, b.Name, b.Kind, b.Access, b.Desired, asJSON(&botSpec{b.Assistant, b.Program}), botFiles(b), b.Restarts,
		b.Version, micros(b.CreatedAt), micros(b.UpdatedAt), asJSON(&b.Status), b.MoveID, b.AccessTokenHash, nameKey(b.Name), b.Status.State)
	switch {
	case err != nil && t.dangling(err):
		return noWorker()
	case err != nil:
		return doing("writing the bot", err)
	case n == 0:
		return nameTaken("bot", "name", "name", b.Name)
	}
	t.changed("bot", b.ID, b.WorkerID)
	return t.count(ctx, baas.Totals{Bots: 1})
}

func noWorker() error {
	var p baas.Problems
	p.Add("worker_id", "there is no such Worker")
	return p.Err()
}

func (t bots) Get(ctx context.Context, id string) (baas.Bot, error) {
	return get(ctx, t, "bot", botFields, `SELECT `+botColumns+` FROM bots WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t bots) List(ctx context.Context, f baas.BotFilter) ([]baas.Bot, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	w.contains(f.Search, "name_key")
	if len(f.States) > 0 {
		in(&w, "state", f.States)
	}
	if f.WorkerIDs != nil {
		in(&w, "worker_id", f.WorkerIDs)
	}
	if f.Kind != "" {
		w.and("kind = ?", string(f.Kind))
	}
	return page(ctx, t, "bots", botFields, `SELECT `+botColumns+` FROM bots`, w,
		"id", ascending, f.Page, baas.PrefixBot, func(b baas.Bot) string { return b.ID })
}

func (t bots) Update(ctx context.Context, b baas.Bot) (baas.Bot, error) {
	old, err := get(ctx, t, "bot", botFields, `SELECT `+botColumns+` FROM bots WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, b.ID)
	if err != nil {
		return baas.Bot{}, err
	}
	if old.Version != b.Version {
		return baas.Bot{}, versionMismatch("bot", old.Version)
	}
	if err := t.nameFree(ctx, "bots", "bot", b.ID, b.Name, old.Name); err != nil {
		return baas.Bot{}, err
	}
	err = change(ctx, t, "bot", `UPDATE bots SET worker_id = ?, name = ?, name_key = ?, kind = ?, access = ?, desired = ?, spec = ?, files = ?,
		restarts = ?, version = version + 1, updated_at = ?, move_id = ? WHERE tenant_id = ? AND id = ?`,
		b.WorkerID, b.Name, nameKey(b.Name), b.Kind, b.Access, b.Desired, asJSON(&botSpec{b.Assistant, b.Program}), botFiles(b),
		b.Restarts, micros(b.UpdatedAt), b.MoveID, t.tenant, b.ID)
	switch {
	case err != nil && t.taken(err):
		return baas.Bot{}, nameTaken("bot", "name", "name", b.Name)
	case err != nil && t.dangling(err):
		return baas.Bot{}, noWorker()
	case err != nil:
		return baas.Bot{}, err
	}
	t.changed("bot", b.ID, old.WorkerID) // who sees only the old Worker must learn that the bot is gone from it
	t.changed("bot", b.ID, b.WorkerID)
	return t.Get(ctx, b.ID)
}

// SetStatus stores and announces only a status that is different.
func (t bots) SetStatus(ctx context.Context, id string, s baas.BotStatus) error {
	var old, workerID string
	err := row(ctx, t, []any{&old, &workerID}, `SELECT status, worker_id FROM bots WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, id)
	if err != nil {
		return doing("reading the bot's status", notFound(err, "bot"))
	}
	status, err := json.Marshal(s)
	if err != nil {
		return doing("encoding the bot's status", err)
	}
	if old == string(status) {
		return nil
	}
	t.changed("bot", id, workerID)
	return change(ctx, t, "bot", `UPDATE bots SET state = ?, status = ? WHERE tenant_id = ? AND id = ?`, s.State, string(status), t.tenant, id)
}

func (t bots) SetAccessToken(ctx context.Context, id string, hash []byte) error {
	b, err := t.Get(ctx, id)
	if err != nil {
		return err
	}
	t.changed("bot", id, b.WorkerID)
	return change(ctx, t, "bot", `UPDATE bots SET access_token_hash = ? WHERE tenant_id = ? AND id = ?`, hash, t.tenant, id)
}

func (t bots) Delete(ctx context.Context, id string) error {
	var workerID string
	err := row(ctx, t, []any{&workerID}, `SELECT worker_id FROM bots WHERE tenant_id = ? AND id = ?`+t.forUpdate(), t.tenant, id)
	if err == nil {
		err = change(ctx, t, "bot", `DELETE FROM bots WHERE tenant_id = ? AND id = ?`, t.tenant, id)
	}
	if err != nil {
		return doing("deleting the bot", notFound(err, "bot"))
	}
	t.changed("bot", id, workerID)
	return t.count(ctx, baas.Totals{Bots: -1})
}
