package store

import (
	"context"
	"time"

	"github.com/baas-platform/baas"
)

// tenantTx is a baas.TenantTx: a transaction and the tenant that its every query names.
type tenantTx struct {
	*tx
	tenant string
}

func (t tenantTx) Members() baas.MemberStore          { return members{t} }
func (t tenantTx) Invitations() baas.InvitationStore  { return invitations{t} }
func (t tenantTx) Tokens() baas.TokenStore            { return tokens{t} }
func (t tenantTx) Secrets() baas.SecretStore          { return secrets{t} }
func (t tenantTx) Workers() baas.WorkerStore          { return workers{t} }
func (t tenantTx) Bots() baas.BotStore                { return bots{t} }
func (t tenantTx) Artifacts() baas.ArtifactStore      { return artifacts{t} }
func (t tenantTx) Moves() baas.MoveStore              { return moves{t} }
func (t tenantTx) Events() baas.EventStore            { return events{t} }
func (t tenantTx) Usage() baas.UsageStore             { return usage{t} }
func (t tenantTx) Idempotency() baas.IdempotencyStore { return idempotency{t} }
func (t tenantTx) Support() baas.SupportStore         { return support{t} }

// changed announces that a thing of the tenant is different.
func (t tenantTx) changed(kind, id, workerID string) {
	t.announce(baas.Change{TenantID: t.tenant, Kind: kind, ID: id, WorkerID: workerID})
}

// count adds to the tenant's totals.
func (t tenantTx) count(ctx context.Context, d baas.Totals) error {
	return change(ctx, t, "tenant", `UPDATE tenants SET workers = workers + ?, cpu_millis = cpu_millis + ?, memory_mib = memory_mib + ?,
		disk_gib = disk_gib + ?, bots = bots + ?, members = members + ? WHERE id = ?`,
		d.Workers, d.CPUMillis, d.MemoryMiB, d.DiskGiB, d.Bots, d.Members, t.tenant)
}

// systemTx is a baas.SystemTx.
type systemTx struct{ *tx }

func (y systemTx) Tenants() baas.TenantStore        { return tenants(y) }
func (y systemTx) Plans() baas.PlanStore            { return plans(y) }
func (y systemTx) Users() baas.UserStore            { return users(y) }
func (y systemTx) Sessions() baas.SessionStore      { return sessions(y) }
func (y systemTx) In(tenantID string) baas.TenantTx { return tenantTx{y.tx, tenantID} }

func (y systemTx) Memberships(ctx context.Context, userID string) ([]baas.Membership, error) {
	return list(ctx, y, "memberships", func(m *baas.Membership) []any {
		return append(tenantFields(&m.Tenant), &m.Role, asJSON(&m.WorkerIDs))
	}, `SELECT `+tenantColumns+`, m.role, m.worker_ids FROM members m JOIN tenants t ON t.id = m.tenant_id
		WHERE m.user_id = ? ORDER BY t.id`, userID)
}

func (y systemTx) TokenByHash(ctx context.Context, hash []byte) (baas.Token, error) {
	return get(ctx, y, "token", tokenFields, `SELECT `+tokenColumns+` FROM tokens WHERE hash = ?`, hash)
}

func (y systemTx) TouchToken(ctx context.Context, id string, at time.Time) error {
	at = at.Truncate(time.Minute)
	_, err := y.exec(ctx, `UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)`,
		micros(at), id, micros(at))
	return doing("writing the token's last use", err)
}

func (y systemTx) InvitationByHash(ctx context.Context, hash []byte) (baas.Invitation, error) {
	return get(ctx, y, "invitation", invitationFields, `SELECT `+invitationColumns+` FROM invitations WHERE hash = ?`, hash)
}

func (y systemTx) Worker(ctx context.Context, id string) (baas.Worker, error) {
	return get(ctx, y, "Worker", workerFields, `SELECT `+workerColumns+` FROM workers WHERE id = ?`, id)
}

func (y systemTx) Bot(ctx context.Context, id string) (baas.Bot, error) {
	return get(ctx, y, "bot", botFields, `SELECT `+botColumns+` FROM bots WHERE id = ?`, id)
}

func (y systemTx) Workers(ctx context.Context, p baas.Page) ([]baas.Worker, string, error) {
	return page(ctx, y, "Workers", workerFields, `SELECT `+workerColumns+` FROM workers`, filter{},
		"id", ascending, p, baas.PrefixWorker, func(w baas.Worker) string { return w.ID })
}

func (y systemTx) Bots(ctx context.Context, p baas.Page) ([]baas.Bot, string, error) {
	return page(ctx, y, "bots", botFields, `SELECT `+botColumns+` FROM bots`, filter{},
		"id", ascending, p, baas.PrefixBot, func(b baas.Bot) string { return b.ID })
}

func (y systemTx) ActiveMoves(ctx context.Context) ([]baas.Move, error) {
	return list(ctx, y, "moves", moveFields, `SELECT `+moveColumns+` FROM moves WHERE active ORDER BY id`)
}

// Secrets locks what it lists in an Update, so that Reseal doesn't overwrite what was put meanwhile.
func (y systemTx) Secrets(ctx context.Context, p baas.Page) ([]baas.Secret, string, error) {
	return page(ctx, y, "secrets", secretFields, `SELECT `+secretColumns+` FROM secrets`, filter{lock: y.forUpdate()},
		"id", ascending, p, baas.PrefixSecret, func(s baas.Secret) string { return s.ID })
}

// Reseal announces nothing: what the secret holds is the same.
func (y systemTx) Reseal(ctx context.Context, id string, sealed []byte) error {
	return change(ctx, y, "secret", `UPDATE secrets SET sealed = ? WHERE id = ?`, sealed, id)
}
