package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

const (
	// purgeRows bounds what one Purge deletes from a table, and so how long other writers wait for it.
	purgeRows = 2000
	// minutesSlack is how much longer minutes stay than Record accepts them, so that a clock that is behind the one that
	// purged finds no minute missing that it would count again.
	minutesSlack = time.Hour
	// keepMoves is how long moves that ended can be looked up.
	keepMoves = 90 * 24 * time.Hour
)

// Purge implements baas.SystemTx.
func (y systemTx) Purge(ctx context.Context, now time.Time) (more bool, err error) {
	old := func(keep time.Duration) int64 { return micros(now.Add(-keep)) }
	const usageKey = `(tenant_id, start, worker_id, bot_id) IN (SELECT u.tenant_id, u.start, u.worker_id, u.bot_id FROM tenants t CROSS JOIN `
	for _, p := range []struct {
		what, query string
		before      int64
	}{
		{"usage minutes", `DELETE FROM usage_minutes WHERE ` + usageKey + `usage_minutes u WHERE u.tenant_id = t.id AND u.start < ? LIMIT ?)`,
			old(baas.KeepMinutes + minutesSlack)},
		{"usage hours", `DELETE FROM usage_hours WHERE ` + usageKey + `usage_hours u WHERE u.tenant_id = t.id AND u.start < ? LIMIT ?)`,
			old(baas.KeepHours)},
		{"events", `DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? LIMIT ?)`, old(y.s.keepEvents)},
		{"ended moves", `DELETE FROM moves WHERE id IN (SELECT id FROM moves WHERE NOT active AND ended_at < ? LIMIT ?)`, old(keepMoves)},
		{"idempotency records", `DELETE FROM idempotency WHERE (tenant_id, key) IN (SELECT tenant_id, key FROM idempotency WHERE created_at < ? LIMIT ?)`,
			old(keepIdempotency)},
		{"sessions", `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)`, micros(now)},
		{"leases", `DELETE FROM leases WHERE name IN (SELECT name FROM leases WHERE expires_at < ? LIMIT ?)`, old(keepLeases)},
	} {
		n, err := y.exec(ctx, p.query, p.before, purgeRows)
		if err != nil {
			return false, doing("purging "+p.what, err)
		}
		more = more || n == purgeRows
	}
	n, err := y.purgeInvitations(ctx, now)
	return more || n == purgeRows, err
}

// purgeInvitations goes one by one, since each counts in its tenant's totals.
func (y systemTx) purgeInvitations(ctx context.Context, now time.Time) (int, error) {
	ended, err := list(ctx, y, "ended invitations", invitationFields, `SELECT `+invitationColumns+` FROM invitations
		WHERE expires_at <= ? ORDER BY tenant_id LIMIT ?`+y.forUpdate(), micros(now), purgeRows)
	if err != nil {
		return 0, err
	}
	for _, i := range ended {
		if err := y.In(i.TenantID).Invitations().Delete(ctx, i.ID); err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}
