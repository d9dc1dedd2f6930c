package httpapi

import (
	"context"
	"net/http"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
)

// MemberPath names a member.
type MemberPath struct {
	TenantPath
	Member string `path:"member" maxLength:"64" doc:"Id of the user"`
}

func (s *server) memberRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/members", id: "member.list", summary: "Members of a tenant"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
			Search string `query:"search" maxLength:"100" doc:"Part of the name or e-mail"`
		}) (*answer[baas.List[baas.Member]], error) {
			return ok(s.app.Members(ctx, actor, in.Tenant, in.Search, in.page()))
		})
	handle(s, route{method: "GET", path: "/tenants/{tenant}/members/{member}", id: "member.get", summary: "A member"},
		func(ctx context.Context, actor authz.Actor, in *MemberPath) (*tagged[baas.Member], error) {
			return member(s.app.Member(ctx, actor, in.Tenant, in.Member))
		})
	handle(s, route{method: "PATCH", path: "/tenants/{tenant}/members/{member}", id: "member.update", summary: "Change a member's role or Workers",
		doc: "The last owner stays an owner. Only owners make, change and remove owners."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			MemberPath
			Match
			Write
			Body baas.MemberUpdate
		}) (*tagged[baas.Member], error) {
			v, err := in.version()
			if err != nil {
				return nil, err
			}
			return member(s.app.UpdateMember(ctx, actor, in.Tenant, in.Member, v, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}/members/{member}", id: "member.remove", summary: "Remove a member, or leave",
		doc: "The member's API tokens end with it."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			MemberPath
			Write
		}) (*nothing, error) {
			return done(s.app.RemoveMember(ctx, actor, in.Tenant, in.Member))
		})

	handle(s, route{method: "GET", path: "/tenants/{tenant}/invitations", id: "invitation.list", summary: "Open invitations"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
		}) (*answer[baas.List[baas.Invitation]], error) {
			return ok(s.app.Invitations(ctx, actor, in.Tenant, in.page()))
		})
	handle(s, route{method: "POST", path: "/tenants/{tenant}/invitations", id: "invitation.create", summary: "Invite a person", status: http.StatusCreated,
		doc: "The answer holds the link, once. An operator of the platform invites the first owner."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Body baas.InvitationCreate
		}) (*answer[baas.NewInvitation], error) {
			return ok(s.app.CreateInvitation(ctx, actor, in.Tenant, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}/invitations/{invitation}", id: "invitation.delete", summary: "Take an invitation back"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Invitation string `path:"invitation" maxLength:"64"`
		}) (*nothing, error) {
			return done(s.app.DeleteInvitation(ctx, actor, in.Tenant, in.Invitation))
		})
}

func member(m baas.Member, err error) (*tagged[baas.Member], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[baas.Member]{tag(m.Version), m}, nil
}

func (s *server) tokenRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/tokens", id: "token.list", summary: "API tokens",
		doc: "Those of everybody for owners and admins, their own for others."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
		}) (*answer[baas.List[baas.Token]], error) {
			return ok(s.app.Tokens(ctx, actor, in.Tenant, in.page()))
		})
	handle(s, route{method: "POST", path: "/tenants/{tenant}/tokens", id: "token.create", summary: "Make an API token for oneself", status: http.StatusCreated,
		doc: "It may do what its person's role allows within its scopes, in this tenant. The answer holds its secret, once."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Body baas.TokenCreate
		}) (*answer[baas.NewToken], error) {
			return ok(s.app.CreateToken(ctx, actor, in.Tenant, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}/tokens/{token}", id: "token.delete", summary: "End an API token"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Token string `path:"token" maxLength:"64"`
		}) (*nothing, error) {
			return done(s.app.DeleteToken(ctx, actor, in.Tenant, in.Token))
		})
}

func (s *server) secretRoutes() {
	handle(s, route{method: "GET", path: "/tenants/{tenant}/secrets", id: "secret.list", summary: "Secrets, without their values"},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Paged
		}) (*answer[baas.List[baas.Secret]], error) {
			return ok(s.app.Secrets(ctx, actor, in.Tenant, in.page()))
		})
	handle(s, route{method: "PUT", path: "/tenants/{tenant}/secrets/{name}", id: "secret.put", summary: "Set a secret",
		doc: "Bots that use it get the new value with their next start. The value can't be read back."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Name string `path:"name" maxLength:"64"`
			Body baas.SecretPut
		}) (*answer[baas.Secret], error) {
			return ok(s.app.PutSecret(ctx, actor, in.Tenant, in.Name, in.Body))
		})
	handle(s, route{method: "DELETE", path: "/tenants/{tenant}/secrets/{name}", id: "secret.delete", summary: "Delete a secret",
		doc: "Refused with 409 while a bot needs it."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			TenantPath
			Write
			Name   string `path:"name" maxLength:"64"`
			Worker string `query:"worker" maxLength:"64" doc:"Id of the Worker that it is limited to; left out for a secret of every Worker"`
		}) (*nothing, error) {
			return done(s.app.DeleteSecret(ctx, actor, in.Tenant, in.Name, in.Worker))
		})
}
