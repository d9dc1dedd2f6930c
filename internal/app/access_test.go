package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// TestNobody calls every use case that takes an actor with nobody as the actor.
func TestNobody(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	v := reflect.ValueOf(o.App)
	called := 0
	for i := range v.NumMethod() {
		name, m := v.Type().Method(i).Name, v.Method(i)
		if m.Type().NumIn() < 2 || m.Type().In(1) != reflect.TypeFor[authz.Actor]() {
			continue
		}
		called++
		args := []reflect.Value{reflect.ValueOf(o.ctx)}
		for n := 1; n < m.Type().NumIn(); n++ {
			args = append(args, reflect.Zero(m.Type().In(n)))
		}
		if m.Type().NumIn() > 2 && m.Type().In(2).Kind() == reflect.String {
			args[2] = reflect.ValueOf(o.tenant.ID)
		}
		out := m.Call(args)
		err, _ := out[len(out)-1].Interface().(error)
		want := baas.CodeUnauthenticated
		if name == "LogOut" { // ends the log-in that it is given, and there is none
			want = baas.CodeForbidden
		}
		if baas.CodeOf(err) != want {
			t.Errorf("%s as nobody: %v", name, err)
		}
	}
	if called < 40 {
		t.Errorf("only %d use cases were found", called)
	}
}

// TestTokenStaysInItsTenant uses a token of one tenant for another of which its person is a member too.
func TestTokenStaysInItsTenant(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	other, _ := o.Platform.Tenant("Cliente B", baas.PlanPro, "dono@b.example")
	b := o.Actor(o.LogIn("dono@b.example"))
	invited := ok[baas.NewInvitation](t)(o.App.CreateInvitation(o.ctx, b, other.ID, baas.InvitationCreate{Email: "dona@a.example", Role: baas.RoleOwner}))
	if l := ok[app.LogIn](t)(o.App.AcceptInvitation(o.ctx, baas.InvitationAccept{Token: invited.Token, Password: apitest.Password})); l.Tenant != other.Slug {
		t.Errorf("the invitation led to %q", l.Tenant)
	}
	made := ok[baas.NewToken](t)(o.App.CreateToken(o.ctx, o.owner, o.tenant.ID, baas.TokenCreate{Name: "a", Scopes: []baas.Scope{baas.ScopeAdmin}}))
	token := o.Actor(made.Secret)

	ok[baas.List[baas.Worker]](t)(o.App.Workers(o.ctx, o.owner, other.ID, baas.WorkerFilter{}))
	for _, ref := range []string{other.ID, other.Slug} {
		_, err := o.App.Workers(o.ctx, token, ref, baas.WorkerFilter{})
		refused(t, err, baas.CodeNotFound, "")
		_, err = o.App.CreateWorker(o.ctx, token, ref, baas.WorkerCreate{Name: "x"})
		refused(t, err, baas.CodeNotFound, "")
	}
	mine := ok[[]baas.Membership](t)(o.App.Memberships(o.ctx, token))
	tenants := ok[baas.List[baas.Tenant]](t)(o.App.Tenants(o.ctx, token, baas.TenantFilter{}))
	account := ok[baas.Account](t)(o.App.Account(o.ctx, token))
	if len(mine) != 1 || mine[0].Tenant.ID != o.tenant.ID || len(tenants.Items) != 1 || len(account.Tenants) != 1 {
		t.Errorf("the token sees %v, %v and %v", mine, tenants.Items, account.Tenants)
	}
	if both := ok[[]baas.Membership](t)(o.App.Memberships(o.ctx, o.owner)); len(both) != 2 {
		t.Errorf("the person sees %v", both)
	}
}

// TestSuspendedMeanwhile suspends a tenant after a request was let in and before it writes: the write looks again.
func TestSuspendedMeanwhile(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{CacheTTL: time.Hour})
	w := o.worker(t, "Financeiro")
	b := o.bot(t, w, "Ana")
	for name, act := range map[string]func() error{
		"create": func() error {
			return second(o.App.CreateWorker(o.ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: "Novo"}))
		},
		"stop": func() error { return second(o.App.StopBot(o.ctx, o.owner, o.tenant.ID, b.ID)) },
	} {
		t.Run(name, func(t *testing.T) {
			set := func(status baas.TenantStatus) {
				t.Helper()
				err := o.Store.System().Update(o.ctx, func(tx baas.SystemTx) error {
					tenant, err := tx.Tenants().Get(o.ctx, o.tenant.ID)
					if err != nil {
						return err
					}
					tenant.Status = status
					_, err = tx.Tenants().Update(o.ctx, tenant)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			real := o.App.Store
			defer func() { o.App.Store = real }()
			o.App.Store = pausing{real, func() { set(baas.TenantSuspended) }}
			refused(t, act(), baas.CodeForbidden, "")
			set(baas.TenantActive)
		})
	}
}

// pausing calls before ahead of every write of a tenant.
type pausing struct {
	baas.Store
	before func()
}

func (p pausing) Tenant(id string) baas.TenantScope {
	return pausingScope{p.Store.Tenant(id), p.before}
}

type pausingScope struct {
	baas.TenantScope
	before func()
}

func (p pausingScope) Update(ctx context.Context, fn func(baas.TenantTx) error) error {
	p.before()
	return p.TenantScope.Update(ctx, fn)
}

// TestMovedDuringUpload takes a bot out of a limited member's sight while the files arrive.
func TestMovedDuringUpload(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	mine, theirs := o.worker(t, "Meu"), o.worker(t, "Deles")
	b := ok[baas.Bot](t)(o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, baas.BotCreate{WorkerID: mine.ID, Name: "Ana", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./bot"}}}))
	chief := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "chefe@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{mine.ID}}))
	body := io.MultiReader(bytes.NewReader([]byte("\x1f\x8b")), readerFunc(func([]byte) (int, error) {
		err := o.Store.Tenant(o.tenant.ID).Update(o.ctx, func(tx baas.TenantTx) error {
			now, err := tx.Bots().Get(o.ctx, b.ID)
			if err != nil {
				return err
			}
			now.WorkerID = theirs.ID
			_, err = tx.Bots().Update(o.ctx, now)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return 0, io.EOF
	}))
	_, err := o.App.PutFiles(o.ctx, chief, o.tenant.ID, b.ID, body)
	refused(t, err, baas.CodeNotFound, "")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestChangesOfOthers listens while another tenant changes something too.
func TestChangesOfOthers(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	other, secret := o.Platform.Tenant("Cliente B", baas.PlanPro, "dono@b.example")
	changes, _, err := o.App.Changes(o.ctx, o.owner, o.tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	ok[baas.Worker](t)(o.App.CreateWorker(o.ctx, o.Actor(secret), other.ID, baas.WorkerCreate{Name: "Deles"}))
	w := o.worker(t, "Meu")
	for {
		select {
		case c := <-changes:
			if c.Kind != baas.ChangeResync && c.TenantID != o.tenant.ID {
				t.Fatalf("another tenant's change is delivered: %+v", c)
			}
			if c.Kind == "worker" && c.ID == w.ID {
				return
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the own change isn't delivered")
		}
	}
}

// TestStreamsEndWithAccess follows a bot's log and the changes, each time until what lets one in is taken away.
func TestStreamsEndWithAccess(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	w, elsewhere := o.worker(t, "Financeiro"), o.worker(t, "Operações")
	b := o.bot(t, w, "Ana")
	o.Agents.Connect(t, w.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, `{"at":"2026-01-02T03:04:05Z","stream":"stdout","text":"um"}`+"\n")
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	for i, c := range []struct {
		name    string
		end     func(t *testing.T, who authz.Actor) error
		changes bool // ends the stream of changes as well
		token   bool
	}{
		{"removed", func(_ *testing.T, who authz.Actor) error {
			return o.App.RemoveMember(o.ctx, o.owner, o.tenant.ID, who.UserID)
		}, true, false},
		{"limited to other Workers", func(_ *testing.T, who authz.Actor) error {
			return second(o.App.UpdateMember(o.ctx, o.owner, o.tenant.ID, who.UserID, 0, baas.MemberUpdate{WorkerIDs: &[]string{elsewhere.ID}}))
		}, true, false},
		{"token ended", func(_ *testing.T, who authz.Actor) error {
			return o.App.DeleteToken(o.ctx, o.owner, o.tenant.ID, who.TokenID)
		}, true, true},
		{"bot moved", func(_ *testing.T, _ authz.Actor) error {
			return o.Store.Tenant(o.tenant.ID).Update(o.ctx, func(tx baas.TenantTx) error {
				now, err := tx.Bots().Get(o.ctx, b.ID)
				if err != nil {
					return err
				}
				now.WorkerID = elsewhere.ID
				_, err = tx.Bots().Update(o.ctx, now)
				return err
			})
		}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: fmt.Sprintf("p%d@a.example", i), Role: baas.RoleAdmin}))
			if c.token {
				who = o.Actor(ok[baas.NewToken](t)(o.App.CreateToken(o.ctx, who, o.tenant.ID, baas.TokenCreate{Name: "t", Scopes: []baas.Scope{baas.ScopeRead}})).Secret)
			}
			ctx, cancel := context.WithTimeout(o.ctx, 30*time.Second)
			defer cancel()
			changes, _, err := o.App.Changes(ctx, who, o.tenant.ID)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for seen == 0 {
				lines, err := o.App.Logs(ctx, who, o.tenant.ID, b.ID, agentapi.LogQuery{Follow: true})
				if err != nil {
					t.Fatal(err)
				}
				for l, err := range lines {
					if seen == 0 && errors.Is(err, baas.ErrUnavailable) && ctx.Err() == nil {
						break // PostgreSQL was late with a change from before; it is asked for again, as it says
					}
					if seen++; seen == 1 {
						if err != nil || l.Text != "um" {
							t.Fatalf("got %v, %v", l, err)
						}
						if err := c.end(t, who); err != nil {
							t.Fatal(err)
						}
						continue
					}
					if !errors.Is(err, baas.ErrUnavailable) || ctx.Err() != nil {
						t.Fatalf("the log ended with %v", err)
					}
				}
			}
			if seen != 2 {
				t.Errorf("the log went on: %d", seen)
			}
			for c.changes {
				_, c.changes = <-changes
			}
			if ctx.Err() != nil {
				t.Error("the stream of changes went on")
			}
		})
	}
}

// TestAgentsOutOfSightAreNotAsked resizes a Worker that a limited member doesn't see, and one of another tenant.
func TestAgentsOutOfSightAreNotAsked(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	mine, theirs := o.worker(t, "Meu"), o.worker(t, "Deles")
	chief := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "chefe@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{mine.ID}}))
	other, secret := o.Platform.Tenant("Cliente B", baas.PlanPro, "dono@b.example")
	o.Agents.Connect(t, theirs.ID, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("its agent was asked for %s", r.URL.Path)
	}))
	for tenant, who := range map[string]authz.Actor{o.tenant.ID: chief, other.ID: o.Actor(secret)} {
		_, err := o.App.ResizeWorker(o.ctx, who, tenant, theirs.ID, 0, baas.DefaultSize)
		refused(t, err, baas.CodeNotFound, "")
	}
}

// TestTokensOfOthers lists tokens as one who may end one's own only, and as one who may end all.
func TestTokensOfOthers(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	viewer := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "v@a.example", Role: baas.RoleViewer}))
	for _, who := range []authz.Actor{o.owner, viewer} {
		ok[baas.NewToken](t)(o.App.CreateToken(o.ctx, who, o.tenant.ID, baas.TokenCreate{Name: "t", Scopes: []baas.Scope{baas.ScopeRead}}))
	}
	own := ok[baas.List[baas.Token]](t)(o.App.Tokens(o.ctx, viewer, o.tenant.ID, baas.Page{})).Items
	all := ok[baas.List[baas.Token]](t)(o.App.Tokens(o.ctx, o.owner, o.tenant.ID, baas.Page{})).Items
	if len(own) != 1 || own[0].UserID != viewer.UserID || len(all) != 2 {
		t.Errorf("the viewer sees %v, the owner %v", own, all)
	}
}

// TestInvitationsOfOwners lets an admin try to take back what only an owner may give.
func TestInvitationsOfOwners(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	admin := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "adm@a.example", Role: baas.RoleAdmin}))
	for role, code := range map[baas.Role]baas.Code{baas.RoleOwner: baas.CodeForbidden, baas.RoleAdmin: "", baas.RoleViewer: ""} {
		i := ok[baas.NewInvitation](t)(o.App.CreateInvitation(o.ctx, o.owner, o.tenant.ID, baas.InvitationCreate{Email: string(role) + "@b.example", Role: role}))
		if err := o.App.DeleteInvitation(o.ctx, admin, o.tenant.ID, i.ID); baas.CodeOf(err) != code {
			t.Errorf("an admin takes back the invitation of an %s: %v", role, err)
		}
	}
}
