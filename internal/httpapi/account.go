package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
)

// loggedIn answers a log-in with its cookie.
type loggedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      LogInAnswer
}

// LogInAnswer is who is logged in now. The secret is in the cookie alone.
type LogInAnswer struct {
	User      baas.User `json:"user"`
	ExpiresAt time.Time `json:"expires_at" doc:"Unless it is used before; each use prolongs it"`
	Tenant    string    `json:"tenant,omitempty" doc:"Slug of the tenant that an accepted invitation was to"`
}

// changedAccount answers with a new cookie after a new password.
type changedAccount struct {
	SetCookie string `header:"Set-Cookie"`
	Body      baas.Account
}

type logIn struct {
	address
	Body baas.Credentials
}

// address finds the client's address for the limit of log-ins.
type address struct{ remote string }

func (s *server) accountRoutes() {
	handle(s, route{method: "POST", path: "/login", id: "account.log_in", summary: "Log in", public: true,
		doc: "Sets the cookie baas_session (HttpOnly). Requests from other sites are refused."},
		func(ctx context.Context, _ authz.Actor, in *logIn) (*loggedIn, error) {
			if err := s.limitLogIn(in.remote, in.Body.Email); err != nil {
				return nil, err
			}
			return s.loggedIn(s.app.LogIn(ctx, in.Body))
		})
	handle(s, route{method: "POST", path: "/logout", id: "account.log_out", summary: "Log out"},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*struct {
			SetCookie http.Cookie `header:"Set-Cookie"`
		}, error) {
			if err := s.app.LogOut(ctx, actor); err != nil {
				return nil, err
			}
			out := struct {
				SetCookie http.Cookie `header:"Set-Cookie"`
			}{s.cookie("", time.Unix(0, 0))}
			return &out, nil
		})
	handle(s, route{method: "GET", path: "/me", id: "account.get", summary: "Who is logged in"},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*answer[baas.Account], error) {
			return ok(s.app.Account(ctx, actor))
		})
	handle(s, route{method: "PATCH", path: "/me", id: "account.update", summary: "Change one's own name, language or password",
		doc: "A new password ends every log-in of the person; the answer sets the cookie of a new one."},
		func(ctx context.Context, actor authz.Actor, in *struct {
			address
			Body baas.AccountUpdate
		}) (*changedAccount, error) {
			if in.Body.Password != nil {
				if err := s.limitLogIn(in.remote, actor.UserID); err != nil {
					return nil, err
				}
			}
			acc, fresh, err := s.app.UpdateAccount(ctx, actor, in.Body)
			if err != nil {
				return nil, err
			}
			out := &changedAccount{Body: acc}
			if fresh != nil {
				c := s.cookie(fresh.Secret, fresh.ExpiresAt)
				out.SetCookie = c.String()
			}
			return out, nil
		})
	handle(s, route{method: "GET", path: "/me/tenants", id: "account.tenants", summary: "Tenants that one is a member of"},
		func(ctx context.Context, actor authz.Actor, _ *struct{}) (*answer[baas.List[baas.Membership]], error) {
			ms, err := s.app.Memberships(ctx, actor)
			return ok(baas.List[baas.Membership]{Items: ms}, err)
		})
	handle(s, route{method: "POST", path: "/invitations/accept", id: "invitation.accept", summary: "Become a member by an invitation", public: true,
		doc: "A new person chooses a name and a password; one who has an account gives the password of it. Logs in."},
		func(ctx context.Context, _ authz.Actor, in *struct {
			address
			Body baas.InvitationAccept
		}) (*loggedIn, error) {
			if err := s.limitLogIn(in.remote, "invitation"); err != nil {
				return nil, err
			}
			return s.loggedIn(s.app.AcceptInvitation(ctx, in.Body))
		})
}

// Resolve reads the client's address; huma calls it before the handler.
func (a *address) Resolve(ctx huma.Context) []error {
	a.remote, _ = ctx.Context().Value(ctxRemote).(string)
	return nil
}

// limitLogIn counts an attempt against its address, and against the address and the person.
func (s *server) limitLogIn(remote, who string) error {
	none := http.Header{}
	if err := s.sources.take(none, remote, s.Now()); err != nil {
		return err
	}
	return s.logIns.take(none, remote+" "+strings.ToLower(strings.TrimSpace(who)), s.Now())
}

func (s *server) loggedIn(l app.LogIn, err error) (*loggedIn, error) {
	if err != nil {
		return nil, err
	}
	return &loggedIn{SetCookie: s.cookie(l.Secret, l.ExpiresAt), Body: LogInAnswer{User: l.User, ExpiresAt: l.ExpiresAt, Tenant: l.Tenant}}, nil
}

func (s *server) cookie(secret string, expires time.Time) http.Cookie {
	c := http.Cookie{Name: CookieName, Value: secret, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure()}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}
