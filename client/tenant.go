package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/baas-platform/baas"
)

// Tenant calls the API about one tenant.
type Tenant struct {
	c    *Client
	path string
}

// Tenant is the tenant with the id or slug. It is not looked up.
func (c *Client) Tenant(ref string) *Tenant {
	return &Tenant{c, "/tenants/" + url.PathEscape(ref)}
}

// at is the path below the tenant, each word escaped.
func (t *Tenant) at(words ...string) string {
	p := t.path
	for _, w := range words {
		p += "/" + url.PathEscape(w)
	}
	return p
}

// Get reads the tenant.
func (t *Tenant) Get(ctx context.Context) (baas.Tenant, error) {
	return call[baas.Tenant](ctx, t.c, request{method: http.MethodGet, path: t.path})
}

// Update changes the tenant if it still has the version; 0 means any.
func (t *Tenant) Update(ctx context.Context, version int64, u baas.TenantUpdate) (baas.Tenant, error) {
	return call[baas.Tenant](ctx, t.c, request{method: http.MethodPatch, path: t.path, body: u, version: version})
}

// Delete deletes the tenant, which has no Workers any more. confirm is its name.
func (t *Tenant) Delete(ctx context.Context, confirm string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.path, query: query("confirm", confirm), once: true})
}

// Totals tells what the tenant has and may have.
func (t *Tenant) Totals(ctx context.Context) (baas.TenantTotals, error) {
	return call[baas.TenantTotals](ctx, t.c, request{method: http.MethodGet, path: t.at("totals")})
}

// Members lists the members.
func (t *Tenant) Members(ctx context.Context, search string) iter.Seq2[baas.Member, error] {
	return pages[baas.Member](ctx, t.c, t.at("members"), query("search", search))
}

// UpdateMember changes a member's role or Workers if the membership still has the version; 0 means any.
func (t *Tenant) UpdateMember(ctx context.Context, userID string, version int64, u baas.MemberUpdate) (baas.Member, error) {
	return call[baas.Member](ctx, t.c, request{method: http.MethodPatch, path: t.at("members", userID), body: u, version: version})
}

// RemoveMember ends a membership.
func (t *Tenant) RemoveMember(ctx context.Context, userID string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("members", userID)})
}

// Invitations lists the open invitations.
func (t *Tenant) Invitations(ctx context.Context) iter.Seq2[baas.Invitation, error] {
	return pages[baas.Invitation](ctx, t.c, t.at("invitations"), nil)
}

// Invite invites a person.
func (t *Tenant) Invite(ctx context.Context, in baas.InvitationCreate) (baas.NewInvitation, error) {
	return call[baas.NewInvitation](ctx, t.c, request{method: http.MethodPost, path: t.at("invitations"), body: in})
}

// DeleteInvitation takes an invitation back.
func (t *Tenant) DeleteInvitation(ctx context.Context, id string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("invitations", id)})
}

// Tokens lists API tokens.
func (t *Tenant) Tokens(ctx context.Context) iter.Seq2[baas.Token, error] {
	return pages[baas.Token](ctx, t.c, t.at("tokens"), nil)
}

// CreateToken makes an API token for oneself.
func (t *Tenant) CreateToken(ctx context.Context, in baas.TokenCreate) (baas.NewToken, error) {
	return call[baas.NewToken](ctx, t.c, request{method: http.MethodPost, path: t.at("tokens"), body: in})
}

// DeleteToken ends an API token.
func (t *Tenant) DeleteToken(ctx context.Context, id string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("tokens", id)})
}

// Secrets lists the secrets, without their values.
func (t *Tenant) Secrets(ctx context.Context) iter.Seq2[baas.Secret, error] {
	return pages[baas.Secret](ctx, t.c, t.at("secrets"), nil)
}

// PutSecret sets a secret.
func (t *Tenant) PutSecret(ctx context.Context, name string, in baas.SecretPut) (baas.Secret, error) {
	return call[baas.Secret](ctx, t.c, request{method: http.MethodPut, path: t.at("secrets", name), body: in})
}

// DeleteSecret deletes the secret of the Worker, or of all Workers when workerID is "".
func (t *Tenant) DeleteSecret(ctx context.Context, name, workerID string) error {
	return exec(ctx, t.c, request{method: http.MethodDelete, path: t.at("secrets", name), query: query("worker", workerID)})
}
