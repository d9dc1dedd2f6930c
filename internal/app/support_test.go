package app_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }
func (o office) operator() authz.Actor   { return o.Operator() }
func (o office) workers(a authz.Actor) error {
	return second(o.App.Workers(o.ctx, a, o.tenant.ID, baas.WorkerFilter{}))
}

func (o office) support(t *testing.T, minutes int) baas.Support {
	t.Helper()
	return ok[baas.Support](t)(o.App.OpenSupport(o.ctx, o.operator(), o.tenant.ID, baas.SupportCreate{Reason: " Chamado 4711 ", Minutes: minutes}))
}

func (o office) events(t *testing.T, kinds ...baas.EventKind) []baas.Event {
	t.Helper()
	return ok[baas.List[baas.Event]](t)(o.App.Events(o.ctx, o.owner, o.tenant.ID, baas.EventFilter{Kinds: kinds})).Items
}

func TestSupportMode(t *testing.T) {
	c := &clock{}
	o := newOffice(t, baas.PlanPro, apitest.Config{Now: c.now, CacheTTL: time.Hour})
	other, _ := o.Platform.Tenant("Cliente B", baas.PlanPro, "dono@b.example")
	w := o.worker(t, "Financeiro")
	b := o.bot(t, w, "Ana")
	op := o.operator()

	refused(t, o.workers(op), baas.CodeForbidden, "")
	for _, bad := range []struct {
		in    baas.SupportCreate
		field string
	}{{baas.SupportCreate{}, "reason"}, {baas.SupportCreate{Reason: " \n"}, "reason"}, {baas.SupportCreate{Reason: strings.Repeat("x", 501)}, "reason"},
		{baas.SupportCreate{Reason: "x", Minutes: 4}, "minutes"}, {baas.SupportCreate{Reason: "x", Minutes: 241}, "minutes"}} {
		refused(t, second(o.App.OpenSupport(o.ctx, op, o.tenant.ID, bad.in)), baas.CodeInvalid, bad.field)
	}
	refused(t, second(o.App.OpenSupport(o.ctx, o.owner, o.tenant.ID, baas.SupportCreate{Reason: "x"})), baas.CodeForbidden, "")
	refused(t, second(o.App.OpenSupport(o.ctx, op, "missing", baas.SupportCreate{Reason: "x"})), baas.CodeNotFound, "")

	s := o.support(t, 0)
	if s.Reason != "Chamado 4711" || s.Name != "Operador" || s.Email != apitest.OperatorEmail || s.ExpiresAt.Sub(s.CreatedAt) != time.Hour {
		t.Errorf("got %+v", s)
	}
	refused(t, second(o.App.OpenSupport(o.ctx, op, o.tenant.ID, baas.SupportCreate{Reason: "x"})), baas.CodeConflict, "")

	// The operator is in this tenant and in no other.
	if err := o.workers(op); err != nil {
		t.Error(err)
	}
	refused(t, second(o.App.Workers(o.ctx, op, other.ID, baas.WorkerFilter{})), baas.CodeForbidden, "")
	acc := ok[baas.Account](t)(o.App.Account(o.ctx, op))
	if len(acc.Tenants) != 1 || acc.Tenants[0].Tenant.ID != o.tenant.ID || acc.Tenants[0].Role != baas.RoleOperator || acc.Tenants[0].Support.ID != s.ID {
		t.Errorf("the operator's tenants are %+v", acc.Tenants)
	}
	ok[baas.Bot](t)(o.App.StopBot(o.ctx, op, o.tenant.ID, b.ID))
	for name, err := range map[string]error{
		"token":  second(o.App.CreateToken(o.ctx, op, o.tenant.ID, baas.TokenCreate{Name: "x", Scopes: []baas.Scope{baas.ScopeRead}})),
		"access": second(o.App.NewAccessToken(o.ctx, op, o.tenant.ID, b.ID)),
		"delete": o.App.DeleteBot(o.ctx, op, o.tenant.ID, b.ID, "Ana"),
		"secret": second(o.App.PutSecret(o.ctx, op, o.tenant.ID, "X", baas.SecretPut{Value: "x"})),
		"invite": second(o.App.CreateInvitation(o.ctx, op, o.tenant.ID, baas.InvitationCreate{Email: "x@x.example", Role: baas.RoleAdmin})),
	} {
		if baas.CodeOf(err) != baas.CodeForbidden {
			t.Errorf("%s in support mode: %v", name, err)
		}
	}
	p := ok[baas.Preview](t)(o.App.Preview(o.ctx, op, o.tenant.ID, b.ID))
	if p.ExpiresAt.After(s.ExpiresAt) {
		t.Errorf("the preview outlasts the session: %v", p.ExpiresAt)
	}

	// Every member sees it, owners end it.
	limited := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "l@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{o.worker(t, "Outro").ID}}))
	for _, who := range []authz.Actor{o.owner, limited} {
		seen := ok[baas.List[baas.Support]](t)(o.App.Supports(o.ctx, who, o.tenant.ID, true, baas.Page{})).Items
		if len(seen) != 1 || seen[0] != s {
			t.Errorf("a member sees %+v", seen)
		}
	}
	refused(t, o.App.EndSupport(o.ctx, limited, o.tenant.ID, s.ID), baas.CodeForbidden, "")
	ctx, cancel := context.WithTimeout(o.ctx, 30*time.Second)
	defer cancel()
	changes, _, err := o.App.Changes(ctx, op, o.tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // may be repeated
		if err := o.App.EndSupport(o.ctx, o.owner, o.tenant.ID, s.ID); err != nil {
			t.Fatal(err)
		}
	}
	told := false
	for c := range changes { // ends with the session, and says so
		told = c.Kind == "support" && c.ID == s.ID
	}
	if !told {
		t.Error("the operator isn't told that the session has ended")
	}
	if ctx.Err() != nil {
		t.Error("the stream of changes went on")
	}
	refused(t, o.workers(op), baas.CodeForbidden, "")
	if acc := ok[baas.Account](t)(o.App.Account(o.ctx, op)); len(acc.Tenants) != 0 {
		t.Errorf("the operator's tenants are %+v", acc.Tenants)
	}

	es := o.events(t, "support.opened", "support.ended", "bot.stop_requested")
	if len(es) != 3 {
		t.Fatalf("the log has %+v", es)
	}
	if e := es[2]; e.Kind != "support.opened" || e.UserID != op.UserID || e.Data["reason"] != "Chamado 4711" || e.Level != baas.LevelWarning {
		t.Errorf("the opening is %+v", e)
	}
	if e := es[1]; e.UserID != op.UserID || e.Data["support_id"] != s.ID || e.Data["operator"] != "Operador" {
		t.Errorf("what support did is %+v", e)
	}
	if e := es[0]; e.Kind != "support.ended" || e.UserID != o.owner.UserID || e.Data["support_id"] != s.ID {
		t.Errorf("the end is %+v", e)
	}
}

func TestSupportEndsByItself(t *testing.T) {
	c := &clock{}
	o := newOffice(t, baas.PlanPro, apitest.Config{Now: c.now, CacheTTL: time.Hour})
	s := o.support(t, 5)
	if err := o.workers(o.operator()); err != nil {
		t.Fatal(err)
	}
	if err := o.App.EndOverdueSupport(o.ctx); err != nil {
		t.Fatal(err)
	}
	c.advance(5*time.Minute - time.Minute)
	if err := o.workers(o.operator()); err != nil {
		t.Fatalf("before its time is over: %v", err)
	}
	c.advance(2 * time.Minute)
	refused(t, o.workers(o.operator()), baas.CodeForbidden, "") // whether or not anything noted the end
	if seen := ok[baas.List[baas.Support]](t)(o.App.Supports(o.ctx, o.owner, o.tenant.ID, true, baas.Page{})).Items; len(seen) != 0 {
		t.Errorf("members see %+v as open", seen)
	}
	for range 2 {
		if err := o.App.EndOverdueSupport(o.ctx); err != nil {
			t.Fatal(err)
		}
	}
	es := o.events(t, "support.ended")
	if len(es) != 1 || es[0].UserID != "" || !es[0].At.Equal(s.ExpiresAt) {
		t.Errorf("the log has %+v", es)
	}

	// One that nothing has ended yet doesn't keep the operator from the next.
	second := o.support(t, 5)
	c.advance(6 * time.Minute)
	third := o.support(t, 5)
	all := ok[baas.List[baas.Support]](t)(o.App.Supports(o.ctx, o.owner, o.tenant.ID, false, baas.Page{})).Items
	if len(all) != 3 || all[0].ID != third.ID || all[1].ID != second.ID || all[1].EndedAt == nil || !all[1].EndedAt.Equal(second.ExpiresAt) {
		t.Errorf("the sessions are %+v", all)
	}
	if es := o.events(t, "support.ended"); len(es) != 2 {
		t.Errorf("the log has %+v", es)
	}
}

// TestSupportEndedMeanwhile ends a session after a request was let in and before it writes: the write looks again.
func TestSupportEndedMeanwhile(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{CacheTTL: time.Hour})
	b := o.bot(t, o.worker(t, "Financeiro"), "Ana")
	s := o.support(t, 60)
	real := o.App.Store
	defer func() { o.App.Store = real }()
	o.App.Store = pausing{real, func() {
		err := real.Tenant(o.tenant.ID).Update(o.ctx, func(tx baas.TenantTx) error { return tx.Support().End(o.ctx, s.ID, time.Now(), "") })
		if err != nil {
			t.Error(err)
		}
	}}
	refused(t, second(o.App.StopBot(o.ctx, o.operator(), o.tenant.ID, b.ID)), baas.CodeForbidden, "")
}

func TestSupportOfSuspendedTenant(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	b := o.bot(t, o.worker(t, "Financeiro"), "Ana")
	suspended := baas.TenantSuspended
	ok[baas.Tenant](t)(o.App.UpdateTenant(o.ctx, o.operator(), o.tenant.ID, 0, baas.TenantUpdate{Status: &suspended}))
	s := o.support(t, 60)
	ok[baas.Bot](t)(o.App.Bot(o.ctx, o.operator(), o.tenant.ID, b.ID))
	refused(t, second(o.App.StartBot(o.ctx, o.operator(), o.tenant.ID, b.ID)), baas.CodeForbidden, "")
	if err := o.App.EndSupport(o.ctx, o.owner, o.tenant.ID, s.ID); err != nil {
		t.Errorf("the owner of a suspended tenant: %v", err)
	}
}

func TestMembersNeedNoSupport(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	invited := ok[baas.NewInvitation](t)(o.App.CreateInvitation(o.ctx, o.owner, o.tenant.ID, baas.InvitationCreate{Email: apitest.OperatorEmail, Role: baas.RoleViewer}))
	l, err := o.App.AcceptInvitation(o.ctx, baas.InvitationAccept{Token: invited.Token, Password: apitest.Password})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, second(o.App.OpenSupport(o.ctx, o.Actor(l.Secret), o.tenant.ID, baas.SupportCreate{Reason: "x"})), baas.CodeConflict, "")
}
