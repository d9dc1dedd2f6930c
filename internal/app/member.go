package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// Members lists a tenant's members.
func (a *App) Members(ctx context.Context, actor authz.Actor, tenant, search string, p baas.Page) (baas.List[baas.Member], error) {
	s, err := a.enter(ctx, actor, tenant, authz.MemberRead)
	if err != nil {
		return baas.List[baas.Member]{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Member], error) {
		return listOf(tx.Members().List(ctx, search, p))
	})
}

// Member reads one member.
func (a *App) Member(ctx context.Context, actor authz.Actor, tenant, userID string) (baas.Member, error) {
	s, err := a.enter(ctx, actor, tenant, authz.MemberRead)
	if err != nil {
		return baas.Member{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.Member, error) { return tx.Members().Get(ctx, userID) })
}

// UpdateMember changes a member's role and limit. Only owners touch owners, and the last owner stays one. version 0 means any.
func (a *App) UpdateMember(ctx context.Context, actor authz.Actor, tenant, userID string, version int64, u baas.MemberUpdate) (baas.Member, error) {
	s, err := a.enter(ctx, actor, tenant, authz.MemberWrite)
	if err != nil {
		return baas.Member{}, err
	}
	m, err := write(ctx, a, s, authz.MemberWrite, func(tx baas.TenantTx) (baas.Member, error) {
		m, err := tx.Members().Get(ctx, userID)
		if err != nil {
			return m, err
		}
		before := m
		if version != 0 {
			m.Version = version
		}
		if u.Role != nil {
			m.Role = *u.Role
		}
		if u.WorkerIDs != nil {
			m.WorkerIDs = *u.WorkerIDs
		}
		if err := s.mayGive(before.Role, m.Role); err != nil {
			return m, err
		}
		var p baas.Problems
		baas.CheckRole(&p, "role", m.Role)
		if m.Role == baas.RoleOwner && len(m.WorkerIDs) > 0 {
			p.Add("worker_ids", "an owner sees every Worker; give an empty list or choose another role")
		}
		if u.WorkerIDs != nil {
			if err := checkWorkers(ctx, tx, &p, m.WorkerIDs); err != nil {
				return m, err
			}
		}
		if err := p.Err(); err != nil {
			return m, err
		}
		if before.Role == baas.RoleOwner && m.Role != baas.RoleOwner {
			if err := notLastOwner(ctx, tx); err != nil {
				return m, err
			}
		}
		if m, err = tx.Members().Update(ctx, m); err != nil {
			return m, err
		}
		return m, tx.Events().Add(ctx, a.event(s, "member.updated", fmt.Sprintf("%s is %s now", m.Email, m.Role),
			map[string]any{"user_id": m.UserID, "email": m.Email, "role": m.Role, "role_before": before.Role, "worker_ids": m.WorkerIDs}))
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "member", ID: userID})
	return m, err
}

// mayGive checks that the seat may give and take these roles.
func (s seat) mayGive(roles ...baas.Role) error {
	for _, r := range roles {
		if s.Member == nil || !authz.Below(s.Member.Role, r) {
			return baas.Errorf(baas.CodeForbidden, "only an owner may make, change or remove an owner")
		}
	}
	return nil
}

// checkWorkers adds a problem for each id that is no Worker of the tenant.
func checkWorkers(ctx context.Context, tx baas.TenantTx, p *baas.Problems, ids []string) error {
	for _, id := range ids {
		_, err := tx.Workers().Get(ctx, id)
		switch {
		case errors.Is(err, baas.ErrNotFound):
			p.Add("worker_ids", "there is no Worker %s", id)
		case err != nil:
			return err
		}
	}
	return nil
}

func notLastOwner(ctx context.Context, tx baas.TenantTx) error {
	n, err := tx.Members().CountOwners(ctx)
	if err != nil {
		return err
	}
	if n <= 1 {
		return baas.Errorf(baas.CodeConflict, "this is the last owner; make somebody else an owner first")
	}
	return nil
}

// RemoveMember ends a membership, or the actor's own. The person's API tokens of the tenant end with it.
func (a *App) RemoveMember(ctx context.Context, actor authz.Actor, tenant, userID string) error {
	action := authz.MemberWrite
	if userID == actor.UserID {
		action = authz.MemberLeave
	}
	s, err := a.enter(ctx, actor, tenant, action)
	if err != nil {
		return err
	}
	_, err = write(ctx, a, s, action, func(tx baas.TenantTx) (struct{}, error) {
		m, err := tx.Members().Get(ctx, userID)
		if err != nil {
			return struct{}{}, err
		}
		if userID != s.UserID {
			if err := s.mayGive(m.Role); err != nil {
				return struct{}{}, err
			}
		}
		if m.Role == baas.RoleOwner {
			if err := notLastOwner(ctx, tx); err != nil {
				return struct{}{}, err
			}
		}
		if err := tx.Members().Delete(ctx, userID); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tx.Events().Add(ctx, a.event(s, "member.removed", m.Email+" is not a member any more",
			map[string]any{"user_id": m.UserID, "email": m.Email, "role": m.Role}))
	})
	a.auth.change(baas.Change{TenantID: s.tenant.ID, Kind: "member", ID: userID})
	a.auth.forget(func(o authz.Actor) bool { return o.UserID == userID && o.TenantID == s.tenant.ID })
	return err
}

// Invitations lists the open invitations.
func (a *App) Invitations(ctx context.Context, actor authz.Actor, tenant string, p baas.Page) (baas.List[baas.Invitation], error) {
	s, err := a.enter(ctx, actor, tenant, authz.InvitationRead)
	if err != nil {
		return baas.List[baas.Invitation]{}, err
	}
	return view(ctx, a, s, func(tx baas.TenantTx) (baas.List[baas.Invitation], error) {
		return listOf(tx.Invitations().List(ctx, p))
	})
}

// CreateInvitation invites a person. An operator of the platform invites owners, as long as there is none.
func (a *App) CreateInvitation(ctx context.Context, actor authz.Actor, tenant string, c baas.InvitationCreate) (baas.NewInvitation, error) {
	s, err := a.enter(ctx, actor, tenant, authz.InviteMember)
	if err != nil {
		return baas.NewInvitation{}, err
	}
	if err := c.Validate(); err != nil {
		return baas.NewInvitation{}, err
	}
	return write(ctx, a, s, authz.InviteMember, func(tx baas.TenantTx) (baas.NewInvitation, error) {
		if err := s.mayInvite(ctx, tx, c.Role); err != nil {
			return baas.NewInvitation{}, err
		}
		var p baas.Problems
		if err := checkWorkers(ctx, tx, &p, c.WorkerIDs); err != nil {
			return baas.NewInvitation{}, err
		}
		if err := p.Err(); err != nil {
			return baas.NewInvitation{}, err
		}
		members, _, err := tx.Members().List(ctx, c.Email, baas.Page{Limit: baas.MaxPageSize})
		if err != nil {
			return baas.NewInvitation{}, err
		}
		if slices.ContainsFunc(members, func(m baas.Member) bool { return m.Email == c.Email }) {
			return baas.NewInvitation{}, baas.Errorf(baas.CodeConflict, "%s is a member already", c.Email)
		}
		if err := room(ctx, tx, baas.Totals{Members: 1}); err != nil {
			return baas.NewInvitation{}, err
		}
		now, secret := a.now(), newSecret()
		i := baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), TenantID: s.tenant.ID, Email: c.Email, Role: c.Role, WorkerIDs: c.WorkerIDs,
			InvitedBy: s.UserID, Hash: hashSecret(secret), CreatedAt: now, ExpiresAt: now.Add(a.InvitationTTL)}
		if i.WorkerIDs == nil {
			i.WorkerIDs = []string{}
		}
		if err := tx.Invitations().Create(ctx, i); err != nil {
			return baas.NewInvitation{}, err
		}
		return baas.NewInvitation{Invitation: i, Token: secret, URL: a.PublicURL + "/invitation#" + url.PathEscape(secret)},
			tx.Events().Add(ctx, a.event(s, "invitation.created", c.Email+" was invited as "+string(c.Role),
				map[string]any{"email": c.Email, "role": c.Role, "worker_ids": c.WorkerIDs}))
	})
}

// mayInvite checks that the seat may invite somebody with the role. Operators of the platform can't make themselves
// members of a tenant that has an owner.
func (s seat) mayInvite(ctx context.Context, tx baas.TenantTx, r baas.Role) error {
	if s.Member != nil {
		return s.mayGive(r)
	}
	owners, err := tx.Members().CountOwners(ctx)
	if err != nil {
		return err
	}
	if owners > 0 || r != baas.RoleOwner {
		return baas.Errorf(baas.CodeForbidden, "operators of the platform invite the first owner; the owner invites everybody else")
	}
	return nil
}

// DeleteInvitation takes an invitation back.
func (a *App) DeleteInvitation(ctx context.Context, actor authz.Actor, tenant, id string) error {
	s, err := a.enter(ctx, actor, tenant, authz.InviteMember)
	if err != nil {
		return err
	}
	_, err = write(ctx, a, s, authz.InviteMember, func(tx baas.TenantTx) (struct{}, error) {
		i, err := tx.Invitations().Get(ctx, id)
		if err != nil {
			return struct{}{}, err
		}
		if s.Member != nil {
			if err := s.mayGive(i.Role); err != nil {
				return struct{}{}, err
			}
		}
		if err := tx.Invitations().Delete(ctx, id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tx.Events().Add(ctx, a.event(s, "invitation.deleted", "the invitation of "+i.Email+" was taken back", map[string]any{"email": i.Email}))
	})
	return err
}

// AcceptInvitation makes the invited person a member and logs in. Who has an account gives its password.
func (a *App) AcceptInvitation(ctx context.Context, c baas.InvitationAccept) (LogIn, error) {
	hash := hashSecret(c.Token)
	var inv baas.Invitation
	var u baas.User
	err := a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
		if inv, err = a.openInvitation(ctx, tx, hash); err != nil {
			return err
		}
		u, err = tx.Users().ByEmail(ctx, inv.Email)
		if errors.Is(err, baas.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return LogIn{}, err
	}
	isNew := u.ID == ""
	if isNew {
		u, err = a.newUser(ctx, inv.Email, c)
	} else {
		var ok bool
		if ok, err = a.checkPassword(ctx, u.PasswordHash, c.Password); err == nil && !ok {
			err = errWrongPassword()
		}
	}
	if err != nil {
		return LogIn{}, err
	}
	var l LogIn
	err = a.Store.System().Update(ctx, func(tx baas.SystemTx) error {
		inv, err := a.openInvitation(ctx, tx, hash)
		if err != nil {
			return err
		}
		in := tx.In(inv.TenantID)
		t, err := in.Lock(ctx)
		if err != nil {
			return err
		}
		if t.Status == baas.TenantSuspended {
			return baas.Errorf(baas.CodeForbidden, "the tenant is suspended; try again when it is active")
		}
		if isNew {
			if err := tx.Users().Create(ctx, u); err != nil {
				return err
			}
		}
		if err := in.Invitations().Delete(ctx, inv.ID); err != nil {
			return err
		}
		if err := in.Members().Create(ctx, baas.Member{TenantID: t.ID, UserID: u.ID, Role: inv.Role, WorkerIDs: inv.WorkerIDs, CreatedAt: a.now()}); err != nil {
			return err
		}
		s := seat{authz.Actor{UserID: u.ID}, t}
		if err := in.Events().Add(ctx, a.event(s, "member.joined", u.Email+" is a member now",
			map[string]any{"user_id": u.ID, "email": u.Email, "role": inv.Role, "worker_ids": inv.WorkerIDs})); err != nil {
			return err
		}
		l, err = a.newSession(ctx, tx, u)
		l.Tenant = t.Slug
		return err
	})
	a.auth.change(baas.Change{TenantID: inv.TenantID, Kind: "member", ID: u.ID})
	return l, err
}

func (a *App) openInvitation(ctx context.Context, tx baas.SystemTx, hash []byte) (baas.Invitation, error) {
	inv, err := tx.InvitationByHash(ctx, hash)
	if errors.Is(err, baas.ErrNotFound) || err == nil && !inv.ExpiresAt.After(a.now()) {
		return inv, baas.Errorf(baas.CodeNotFound, "the invitation is not valid: it was used, taken back, or has expired; ask for a new one")
	}
	return inv, err
}

// newUser makes the person that an invitation is for.
func (a *App) newUser(ctx context.Context, email string, c baas.InvitationAccept) (baas.User, error) {
	var p baas.Problems
	now := a.now()
	u := baas.User{ID: baas.NewID(baas.PrefixUser), Email: email, Name: strings.TrimSpace(c.Name), Locale: c.Locale, CreatedAt: now, UpdatedAt: now}
	if u.Locale == "" {
		u.Locale = "pt-BR"
	}
	baas.CheckPassword(&p, "password", c.Password)
	if err := (baas.AccountUpdate{Name: &u.Name, Locale: &u.Locale}).Apply(&u); err != nil {
		var e *baas.Error
		if errors.As(err, &e) {
			p = append(p, e.Fields...)
		}
	}
	if err := p.Err(); err != nil {
		return u, err
	}
	var err error
	u.PasswordHash, err = a.hashPassword(ctx, c.Password)
	return u, err
}
