package store

import (
	"context"

	"github.com/baas-platform/baas"
)

// moves implements baas.MoveStore.
type moves struct{ tenantTx }

const moveColumns = `id, tenant_id, bot_id, from_worker, to_worker, step, reason, bytes, created_at, updated_at, deadline_at, ended_at`

func moveFields(m *baas.Move) []any {
	return []any{&m.ID, &m.TenantID, &m.BotID, &m.From, &m.To, &m.Step, &m.Reason, &m.Bytes,
		timeCol{&m.CreatedAt}, timeCol{&m.UpdatedAt}, timeCol{&m.DeadlineAt}, timePtrCol{&m.EndedAt}}
}

func (t moves) Create(ctx context.Context, m baas.Move) error {
	n, err := t.exec(ctx, `INSERT INTO moves (`+moveColumns+`, active) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		m.ID, t.tenant, m.BotID, m.From, m.To, m.Step, m.Reason, m.Bytes,
		micros(m.CreatedAt), micros(m.UpdatedAt), micros(m.DeadlineAt), microsPtr(m.EndedAt), !m.Step.Ended())
	switch {
	case err != nil && t.dangling(err):
		return baas.Errorf(baas.CodeNotFound, "there is no such bot")
	case err != nil:
		return doing("writing the move", err)
	case n == 0:
		return baas.Errorf(baas.CodeConflict, "the bot is being moved already")
	}
	t.changed("move", m.ID, m.From)
	return nil
}

func (t moves) Get(ctx context.Context, id string) (baas.Move, error) {
	return get(ctx, t, "move", moveFields, `SELECT `+moveColumns+` FROM moves WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t moves) List(ctx context.Context, botID string, p baas.Page) ([]baas.Move, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	if botID != "" {
		w.and("bot_id = ?", botID)
	}
	return page(ctx, t, "moves", moveFields, `SELECT `+moveColumns+` FROM moves`, w,
		"id", descending, p, baas.PrefixMove, func(m baas.Move) string { return m.ID })
}

func (t moves) Active(ctx context.Context, workerID string) ([]baas.Move, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	w.and("active")
	if workerID != "" {
		w.and("(from_worker = ? OR to_worker = ?)", workerID, workerID)
	}
	return list(ctx, t, "moves", moveFields, `SELECT `+moveColumns+` FROM moves`+w.sql()+` ORDER BY id`, w.args...)
}

func (t moves) Update(ctx context.Context, m baas.Move) error {
	t.changed("move", m.ID, m.From)
	return change(ctx, t, "move", `UPDATE moves SET step = ?, active = ?, reason = ?, bytes = ?, updated_at = ?, deadline_at = ?, ended_at = ?
		WHERE tenant_id = ? AND id = ?`,
		m.Step, !m.Step.Ended(), m.Reason, m.Bytes, micros(m.UpdatedAt), micros(m.DeadlineAt), microsPtr(m.EndedAt), t.tenant, m.ID)
}
