package store

import (
	"context"

	"github.com/baas-platform/baas"
)

// members implements baas.MemberStore.
type members struct{ tenantTx }

const memberQuery = `SELECT m.tenant_id, m.user_id, u.email, u.name, m.role, m.worker_ids, m.version, m.created_at
	FROM members m JOIN users u ON u.id = m.user_id`

func memberFields(m *baas.Member) []any {
	return []any{&m.TenantID, &m.UserID, &m.Email, &m.Name, &m.Role, asJSON(&m.WorkerIDs), &m.Version, timeCol{&m.CreatedAt}}
}

func (t members) Create(ctx context.Context, m baas.Member) error {
	n, err := t.exec(ctx, `INSERT INTO members (tenant_id, user_id, role, worker_ids, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.tenant, m.UserID, m.Role, workerIDs(m.WorkerIDs), micros(m.CreatedAt))
	switch {
	case err != nil && t.dangling(err):
		return baas.Errorf(baas.CodeNotFound, "there is no such user")
	case err != nil:
		return doing("writing the member", err)
	case n == 0:
		return baas.Errorf(baas.CodeConflict, "this person is a member already")
	}
	t.changed("member", m.UserID, "")
	return t.count(ctx, baas.Totals{Members: 1})
}

// workerIDs stores an absent list like an empty one: both mean every Worker.
func workerIDs(ids []string) jsonCol[[]string] {
	if ids == nil {
		ids = []string{}
	}
	return asJSON(&ids)
}

func (t members) Get(ctx context.Context, userID string) (baas.Member, error) {
	return get(ctx, t, "member", memberFields, memberQuery+` WHERE m.tenant_id = ? AND m.user_id = ?`, t.tenant, userID)
}

func (t members) List(ctx context.Context, search string, p baas.Page) ([]baas.Member, string, error) {
	var w filter
	w.and("m.tenant_id = ?", t.tenant)
	w.contains(search, "u.name_key", "u.email")
	return page(ctx, t, "members", memberFields, memberQuery, w,
		"m.user_id", ascending, p, baas.PrefixUser, func(m baas.Member) string { return m.UserID })
}

func (t members) Update(ctx context.Context, m baas.Member) (baas.Member, error) {
	affected, err := t.exec(ctx, `UPDATE members SET role = ?, worker_ids = ?, version = version + 1 WHERE tenant_id = ? AND user_id = ? AND version = ?`,
		m.Role, workerIDs(m.WorkerIDs), t.tenant, m.UserID, m.Version)
	if err != nil {
		return baas.Member{}, doing("writing the member", err)
	}
	now, err := t.Get(ctx, m.UserID)
	if err != nil {
		return baas.Member{}, err
	}
	if affected == 0 {
		return baas.Member{}, versionMismatch("member", now.Version)
	}
	t.changed("member", m.UserID, "")
	return now, nil
}

// Delete also deletes the person's tokens, which would come alive again with a later membership.
func (t members) Delete(ctx context.Context, userID string) error {
	if err := change(ctx, t, "member", `DELETE FROM members WHERE tenant_id = ? AND user_id = ?`, t.tenant, userID); err != nil {
		return err
	}
	n, err := t.exec(ctx, `DELETE FROM tokens WHERE tenant_id = ? AND user_id = ?`, t.tenant, userID)
	if err != nil {
		return doing("deleting the member's tokens", err)
	}
	if n > 0 {
		t.changed("token", "", "")
	}
	t.changed("member", userID, "")
	return t.count(ctx, baas.Totals{Members: -1})
}

func (t members) CountOwners(ctx context.Context) (n int, err error) {
	return n, doing("counting owners", row(ctx, t, []any{&n},
		`SELECT COUNT(*) FROM members WHERE tenant_id = ? AND role = ?`, t.tenant, string(baas.RoleOwner)))
}

// invitations implements baas.InvitationStore.
type invitations struct{ tenantTx }

const invitationColumns = `id, tenant_id, email, role, worker_ids, invited_by, hash, created_at, expires_at`

func invitationFields(i *baas.Invitation) []any {
	return []any{&i.ID, &i.TenantID, &i.Email, &i.Role, asJSON(&i.WorkerIDs), &i.InvitedBy, &i.Hash, timeCol{&i.CreatedAt}, timeCol{&i.ExpiresAt}}
}

func (t invitations) Create(ctx context.Context, i baas.Invitation) error {
	// One that ended before this one began is no longer open, whether or not Purge came by.
	ended, err := t.exec(ctx, `DELETE FROM invitations WHERE tenant_id = ? AND email = ? AND expires_at <= ?`, t.tenant, i.Email, micros(i.CreatedAt))
	if err != nil {
		return doing("writing the invitation", err)
	}
	n, err := t.exec(ctx, `INSERT INTO invitations (`+invitationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		i.ID, t.tenant, i.Email, i.Role, workerIDs(i.WorkerIDs), i.InvitedBy, i.Hash, micros(i.CreatedAt), micros(i.ExpiresAt))
	if err != nil {
		return doing("writing the invitation", err)
	}
	if n == 0 {
		return baas.Errorf(baas.CodeConflict, "%s has an open invitation already", i.Email)
	}
	t.changed("invitation", i.ID, "")
	return t.count(ctx, baas.Totals{Members: 1 - int(ended)})
}

func (t invitations) Get(ctx context.Context, id string) (baas.Invitation, error) {
	return get(ctx, t, "invitation", invitationFields, `SELECT `+invitationColumns+` FROM invitations WHERE tenant_id = ? AND id = ?`, t.tenant, id)
}

func (t invitations) List(ctx context.Context, p baas.Page) ([]baas.Invitation, string, error) {
	var w filter
	w.and("tenant_id = ?", t.tenant)
	return page(ctx, t, "invitations", invitationFields, `SELECT `+invitationColumns+` FROM invitations`, w,
		"id", ascending, p, baas.PrefixInvitation, func(i baas.Invitation) string { return i.ID })
}

func (t invitations) Delete(ctx context.Context, id string) error {
	if err := change(ctx, t, "invitation", `DELETE FROM invitations WHERE tenant_id = ? AND id = ?`, t.tenant, id); err != nil {
		return err
	}
	t.changed("invitation", id, "")
	return t.count(ctx, baas.Totals{Members: -1})
}
