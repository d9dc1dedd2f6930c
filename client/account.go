package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Session is a log-in. Give its Secret to New.
type Session struct {
	Secret    string    `json:"-"`
	User      baas.User `json:"user"`
	ExpiresAt time.Time `json:"expires_at"`
	Tenant    string    `json:"tenant"` // slug of the tenant that an accepted invitation was to
}

// LogIn logs in with e-mail and password.
func (c *Client) LogIn(ctx context.Context, email, password string) (Session, error) {
	return c.session(ctx, "/login", baas.Credentials{Email: email, Password: password})
}

// AcceptInvitation becomes a member and logs in.
func (c *Client) AcceptInvitation(ctx context.Context, in baas.InvitationAccept) (Session, error) {
	return c.session(ctx, "/invitations/accept", in)
}

func (c *Client) session(ctx context.Context, path string, body any) (s Session, err error) {
	res, err := c.send(ctx, request{method: http.MethodPost, path: path, body: body, once: true})
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("reading the answer: %w", err)
	}
	for _, k := range res.Cookies() {
		if k.Name == cookieName {
			s.Secret = k.Value
		}
	}
	if s.Secret == "" {
		return s, fmt.Errorf("the server answered without a session")
	}
	return s, nil
}

// LogOut ends the log-in whose secret the client has.
func (c *Client) LogOut(ctx context.Context) error {
	return exec(ctx, c, request{method: http.MethodPost, path: "/logout"})
}

// Account tells who the client is.
func (c *Client) Account(ctx context.Context) (baas.Account, error) {
	return call[baas.Account](ctx, c, request{method: http.MethodGet, path: "/me"})
}

// UpdateAccount changes one's own account. A new password ends the client's log-in with all others.
func (c *Client) UpdateAccount(ctx context.Context, u baas.AccountUpdate) (baas.Account, error) {
	return call[baas.Account](ctx, c, request{method: http.MethodPatch, path: "/me", body: u, once: true})
}

// Capabilities is what the engine of Workers can do.
type Capabilities = engine.Capabilities

// Capabilities asks what the engine of Workers can do.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	return call[Capabilities](ctx, c, request{method: http.MethodGet, path: "/capabilities"})
}

// Plans lists the plans.
func (c *Client) Plans(ctx context.Context) ([]baas.Plan, error) {
	l, err := call[baas.List[baas.Plan]](ctx, c, request{method: http.MethodGet, path: "/plans"})
	return l.Items, err
}

// PutPlan makes or replaces a plan. For operators of the platform.
func (c *Client) PutPlan(ctx context.Context, p baas.Plan) (baas.Plan, error) {
	body := struct {
		Name   string      `json:"name"`
		Limits baas.Limits `json:"limits"`
	}{p.Name, p.Limits}
	return call[baas.Plan](ctx, c, request{method: http.MethodPut, path: "/plans/" + url.PathEscape(p.ID), body: body})
}

// Tenants lists tenants: all for operators of the platform, one's own otherwise.
func (c *Client) Tenants(ctx context.Context, f baas.TenantFilter) iter.Seq2[baas.Tenant, error] {
	return pages[baas.Tenant](ctx, c, "/tenants", query("search", f.Search, "status", string(f.Status), "plan", f.Plan))
}

// CreateTenant makes a tenant. For operators of the platform. It is sent once: after an error, look before trying again.
func (c *Client) CreateTenant(ctx context.Context, in baas.TenantCreate) (baas.Tenant, error) {
	return call[baas.Tenant](ctx, c, request{method: http.MethodPost, path: "/tenants", body: in, once: true})
}
