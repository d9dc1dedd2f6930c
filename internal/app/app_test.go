package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func refused(t *testing.T, err error, code baas.Code, field string) {
	t.Helper()
	var e *baas.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want code %s", err, code)
	}
	for _, f := range e.Fields {
		if f.Field == field {
			return
		}
	}
	if field != "" {
		t.Fatalf("got %v, which doesn't name the field %s", err, field)
	}
}

// office is a tenant with its owner.
type office struct {
	*apitest.Platform
	ctx    context.Context
	tenant baas.Tenant
	owner  authz.Actor
}

func newOffice(t *testing.T, plan string, c apitest.Config) office {
	p := apitest.New(t, c)
	tenant, secret := p.Tenant("Cliente A", plan, "dona@a.example")
	return office{p, t.Context(), tenant, p.Actor(secret)}
}

func (o office) worker(t *testing.T, name string) baas.Worker {
	t.Helper()
	return ok[baas.Worker](t)(o.App.CreateWorker(o.ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: name}))
}

func (o office) bot(t *testing.T, w baas.Worker, name string) baas.Bot {
	t.Helper()
	return ok[baas.Bot](t)(o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: name, Kind: baas.BotAssistant}))
}

func TestQuotasHoldUnderConcurrency(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{}) // 5 Workers, 50 bots
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 40 {
		wg.Go(func() {
			_, err := o.App.CreateWorker(o.ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: fmt.Sprintf("w%d", i)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made++
			case !errors.Is(err, baas.ErrQuotaExceeded):
				t.Errorf("refused with %v", err)
			}
		})
	}
	wg.Wait()
	totals := ok[baas.TenantTotals](t)(o.App.TenantTotals(o.ctx, o.owner, o.tenant.ID))
	list := ok[baas.List[baas.Worker]](t)(o.App.Workers(o.ctx, o.owner, o.tenant.ID, baas.WorkerFilter{}))
	if made != 5 || totals.Totals.Workers != 5 || len(list.Items) != 5 {
		t.Fatalf("made %d, counted %d, listed %d; the plan allows 5", made, totals.Totals.Workers, len(list.Items))
	}

	big := baas.Size{CPUMillis: 5600, MemoryMiB: 1024, DiskGiB: 2} // two of these are more than 8 cores with the other three
	var wg2 sync.WaitGroup
	resized := 0
	for _, w := range list.Items[:2] {
		wg2.Go(func() {
			_, err := o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, big)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				resized++
			} else if !errors.Is(err, baas.ErrQuotaExceeded) {
				t.Errorf("refused with %v", err)
			}
		})
	}
	wg2.Wait()
	if resized != 1 {
		t.Fatalf("%d of 2 Workers were made larger; there is room for one", resized)
	}
}

func TestQuotaOfMembersCountsInvitations(t *testing.T) {
	o := newOffice(t, baas.PlanFree, apitest.Config{}) // 3 members
	for i := range 2 {
		ok[baas.NewInvitation](t)(o.App.CreateInvitation(o.ctx, o.owner, o.tenant.ID, baas.InvitationCreate{Email: fmt.Sprintf("p%d@a.example", i), Role: baas.RoleViewer}))
	}
	_, err := o.App.CreateInvitation(o.ctx, o.owner, o.tenant.ID, baas.InvitationCreate{Email: "p9@a.example", Role: baas.RoleViewer})
	refused(t, err, baas.CodeQuotaExceeded, "members")
}

func TestSmallerIsAllowedAbovePlan(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	w := o.worker(t, "Financeiro")
	ok[baas.Resized](t)(o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, baas.Size{CPUMillis: 4000, MemoryMiB: 4096, DiskGiB: 10}))
	op := o.Operator()
	_, err := o.App.UpdateTenant(o.ctx, op, o.tenant.ID, 0, baas.TenantUpdate{Plan: ptr(baas.PlanFree)})
	refused(t, err, baas.CodeQuotaExceeded, "size.cpu_millis")
	ok[baas.Plan](t)(o.App.PutPlan(o.ctx, op, baas.Plan{ID: baas.PlanPro, Name: "Pro", Limits: baas.DefaultPlans()[0].Limits}))
	_, err = o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, baas.Size{CPUMillis: 4000, MemoryMiB: 5000, DiskGiB: 10})
	refused(t, err, baas.CodeQuotaExceeded, "size.memory_mib")
	r := ok[baas.Resized](t)(o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, baas.Size{CPUMillis: 2000, MemoryMiB: 4096, DiskGiB: 10}))
	if r.Worker.Size.CPUMillis != 2000 {
		t.Fatalf("got %+v", r)
	}
}

func ptr[T any](v T) *T { return &v }

func TestIsolation(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	if w := o.worker(t, "a"); w.Isolation != baas.IsolationContainer {
		t.Fatalf("the default is %s", w.Isolation)
	}
	_, err := o.App.CreateWorker(o.ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: "vm", Isolation: baas.IsolationVM})
	refused(t, err, baas.CodeUnsupported, "isolation")
	ok[baas.Worker](t)(o.App.CreateWorker(o.ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: "sandbox", Isolation: baas.IsolationSandbox}))
	_, err = o.App.UpdateTenant(o.ctx, o.Operator(), o.tenant.ID, 0, baas.TenantUpdate{Plan: ptr(baas.PlanFree)})
	if !errors.Is(err, baas.ErrQuotaExceeded) {
		t.Fatalf("a plan without the isolation that is in use was accepted: %v", err)
	}

	free := newOffice(t, baas.PlanFree, apitest.Config{})
	_, err = free.App.CreateWorker(free.ctx, free.owner, free.tenant.ID, baas.WorkerCreate{Name: "sandbox", Isolation: baas.IsolationSandbox})
	refused(t, err, baas.CodeQuotaExceeded, "isolation")

	bare := newOffice(t, baas.PlanFree, apitest.Config{Caps: &engine.Capabilities{Engine: "process", Isolation: map[baas.Isolation]string{baas.IsolationNone: "nothing"}}})
	if w := bare.worker(t, "a"); w.Isolation != baas.IsolationNone {
		t.Fatalf("on the process engine the default is %s", w.Isolation)
	}
	_, err = bare.App.CreateWorker(bare.ctx, bare.owner, bare.tenant.ID, baas.WorkerCreate{Name: "b", Isolation: baas.IsolationContainer, Image: "debian:12"})
	refused(t, err, baas.CodeUnsupported, "isolation")
	refused(t, err, baas.CodeUnsupported, "image")
}

func TestIdempotency(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	with := func(key, fingerprint string) context.Context {
		return app.WithRequest(o.ctx, app.Request{IdempotencyKey: key, Fingerprint: []byte(fingerprint)})
	}
	create := func(ctx context.Context, name string) (baas.Worker, error) {
		return o.App.CreateWorker(ctx, o.owner, o.tenant.ID, baas.WorkerCreate{Name: name})
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			w, err := create(with("k", "f"), "um")
			if err != nil {
				t.Error(err)
			}
			ids[i] = w.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("the same request made %v", ids)
		}
	}
	_, err := create(with("k", "g"), "dois")
	refused(t, err, baas.CodeIdempotency, "")
	if list := ok[baas.List[baas.Worker]](t)(o.App.Workers(o.ctx, o.owner, o.tenant.ID, baas.WorkerFilter{})); len(list.Items) != 1 {
		t.Fatalf("there are %d Workers", len(list.Items))
	}
	// What failed isn't remembered.
	if _, err := create(with("again", "f"), "um"); baas.CodeOf(err) != baas.CodeNameTaken {
		t.Fatalf("got %v", err)
	}
	ok[baas.Worker](t)(create(with("again", "f"), "dois"))
	// Another person's key is another key.
	other := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "adm@a.example", Role: baas.RoleAdmin}))
	w := ok[baas.Worker](t)(o.App.CreateWorker(with("k", "f"), other, o.tenant.ID, baas.WorkerCreate{Name: "três"}))
	if w.ID == ids[0] {
		t.Fatal("one person got another's outcome")
	}
	// A secret that is shown once comes again with the key, and only with it.
	first := ok[baas.NewToken](t)(o.App.CreateToken(with("tok", "f"), o.owner, o.tenant.ID, baas.TokenCreate{Name: "a", Scopes: []baas.Scope{baas.ScopeRead}}))
	again := ok[baas.NewToken](t)(o.App.CreateToken(with("tok", "f"), o.owner, o.tenant.ID, baas.TokenCreate{Name: "a", Scopes: []baas.Scope{baas.ScopeRead}}))
	if first.Secret != again.Secret || first.ID != again.ID {
		t.Fatal("the same request made two tokens")
	}
}

func TestVersions(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	w := o.worker(t, "Financeiro")
	ok[baas.Worker](t)(o.App.UpdateWorker(o.ctx, o.owner, o.tenant.ID, w.ID, w.Version, baas.WorkerUpdate{Name: ptr("Fiscal")}))
	_, err := o.App.UpdateWorker(o.ctx, o.owner, o.tenant.ID, w.ID, w.Version, baas.WorkerUpdate{Name: ptr("Tributário")})
	refused(t, err, baas.CodeVersionMismatch, "")
	b := o.bot(t, w, "Ana")
	ok[baas.Bot](t)(o.App.UpdateBot(o.ctx, o.owner, o.tenant.ID, b.ID, b.Version, baas.BotUpdate{Name: ptr("Bia")}))
	_, err = o.App.UpdateBot(o.ctx, o.owner, o.tenant.ID, b.ID, b.Version, baas.BotUpdate{Name: ptr("Cris")})
	refused(t, err, baas.CodeVersionMismatch, "")
	_, err = o.App.UpdateTenant(o.ctx, o.owner, o.tenant.ID, 99, baas.TenantUpdate{Name: ptr("X")})
	refused(t, err, baas.CodeVersionMismatch, "")
}

func TestLimitedMemberSeesItsWorkersOnly(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	mine, theirs, third := o.worker(t, "Meu"), o.worker(t, "Deles"), o.worker(t, "Terceiro")
	myBot, theirBot := o.bot(t, mine, "Ana"), o.bot(t, theirs, "Bia")
	for _, s := range []baas.SecretPut{{Value: "1"}, {Value: "2", WorkerID: mine.ID}, {Value: "3", WorkerID: theirs.ID}} {
		ok[baas.Secret](t)(o.App.PutSecret(o.ctx, o.owner, o.tenant.ID, "CHAVE", s))
	}
	move := ok[baas.Move](t)(o.App.MoveBot(o.ctx, o.owner, o.tenant.ID, theirBot.ID, baas.MoveCreate{WorkerID: third.ID}))
	chief := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "chefe@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{mine.ID}}))
	at := o.tenant.ID

	ws := ok[baas.List[baas.Worker]](t)(o.App.Workers(o.ctx, chief, at, baas.WorkerFilter{}))
	bs := ok[baas.List[baas.Bot]](t)(o.App.Bots(o.ctx, chief, at, baas.BotFilter{}))
	if len(ws.Items) != 1 || ws.Items[0].ID != mine.ID || len(bs.Items) != 1 || bs.Items[0].ID != myBot.ID {
		t.Fatalf("sees %v and %v", ws.Items, bs.Items)
	}
	if bs := ok[baas.List[baas.Bot]](t)(o.App.Bots(o.ctx, chief, at, baas.BotFilter{WorkerIDs: []string{theirs.ID}})); len(bs.Items) != 0 {
		t.Fatalf("sees %v by asking for it", bs.Items)
	}
	for _, e := range ok[baas.List[baas.Event]](t)(o.App.Events(o.ctx, chief, at, baas.EventFilter{})).Items {
		if e.WorkerID != mine.ID {
			t.Errorf("sees the event %s of %q", e.Kind, e.WorkerID)
		}
	}
	for _, s := range ok[baas.List[baas.Secret]](t)(o.App.Secrets(o.ctx, chief, at, baas.Page{})).Items {
		if s.WorkerID == theirs.ID {
			t.Error("sees a secret of another Worker")
		}
	}
	if ms := ok[baas.List[baas.Move]](t)(o.App.Moves(o.ctx, chief, at, "", baas.Page{})); len(ms.Items) != 0 {
		t.Errorf("sees the move %v", ms.Items)
	}
	// Usage of another Worker.
	start := time.Now().UTC().Truncate(time.Minute).Add(-time.Minute)
	err := o.Store.Tenant(at).Update(o.ctx, func(tx baas.TenantTx) error {
		_, err := tx.Usage().Record(o.ctx, time.Now(), []baas.UsageWindow{{WorkerID: mine.ID, Start: start, Meters: baas.Meters{CPUMillis: 1}},
			{WorkerID: theirs.ID, Start: start, Meters: baas.Meters{CPUMillis: 2}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	points := ok[[]baas.UsagePoint](t)(o.App.Usage(o.ctx, chief, at, baas.UsageQuery{Step: baas.StepMinute}))
	if len(points) != 1 || points[0].WorkerID != mine.ID {
		t.Errorf("sees the usage %v", points)
	}
	if all := ok[[]baas.UsagePoint](t)(o.App.Usage(o.ctx, o.owner, at, baas.UsageQuery{Step: baas.StepMinute})); len(all) != 2 {
		t.Errorf("the owner sees the usage %v", all)
	}

	for name, err := range map[string]error{
		"read":   second(o.App.Worker(o.ctx, chief, at, theirs.ID)),
		"stop":   second(o.App.StopWorker(o.ctx, chief, at, theirs.ID)),
		"delete": second(o.App.DeleteWorker(o.ctx, chief, at, theirs.ID, "Deles")),
		"bot":    second(o.App.Bot(o.ctx, chief, at, theirBot.ID)),
		"move":   second(o.App.Move(o.ctx, chief, at, move.ID)),
		"secret": o.App.DeleteSecret(o.ctx, chief, at, "CHAVE", theirs.ID),
	} {
		if !errors.Is(err, baas.ErrNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err = o.App.MoveBot(o.ctx, chief, at, myBot.ID, baas.MoveCreate{WorkerID: third.ID})
	refused(t, err, baas.CodeInvalid, "worker_id")
	_, err = o.App.CreateBot(o.ctx, chief, at, baas.BotCreate{WorkerID: theirs.ID, Name: "X", Kind: baas.BotAssistant})
	refused(t, err, baas.CodeInvalid, "worker_id")
	_, err = o.App.PutSecret(o.ctx, chief, at, "NOVA", baas.SecretPut{Value: "x", WorkerID: theirs.ID})
	refused(t, err, baas.CodeInvalid, "worker_id")
	_, err = o.App.PutSecret(o.ctx, chief, at, "NOVA", baas.SecretPut{Value: "x"})
	refused(t, err, baas.CodeForbidden, "")
	_, err = o.App.CreateWorker(o.ctx, chief, at, baas.WorkerCreate{Name: "Novo"})
	refused(t, err, baas.CodeForbidden, "")
	ok[baas.Bot](t)(o.App.CreateBot(o.ctx, chief, at, baas.BotCreate{WorkerID: mine.ID, Name: "Minha", Kind: baas.BotAssistant}))
}

func second[T any](_ T, err error) error { return err }

func TestSecretsOfBots(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	a, b := o.worker(t, "A"), o.worker(t, "B")
	in := baas.BotCreate{WorkerID: a.ID, Name: "Ana", Kind: baas.BotProgram,
		Program: &baas.Program{Command: []string{"./bot"}, Env: []baas.EnvVar{{Name: "KEY", Secret: "CHAVE"}}}}
	_, err := o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, in)
	refused(t, err, baas.CodeInvalid, "program.env.secret")
	ok[baas.Secret](t)(o.App.PutSecret(o.ctx, o.owner, o.tenant.ID, "CHAVE", baas.SecretPut{Value: "x", WorkerID: a.ID}))
	bot := ok[baas.Bot](t)(o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, in))
	_, err = o.App.MoveBot(o.ctx, o.owner, o.tenant.ID, bot.ID, baas.MoveCreate{WorkerID: b.ID})
	refused(t, err, baas.CodeInvalid, "program.env.secret")
	err = o.App.DeleteSecret(o.ctx, o.owner, o.tenant.ID, "CHAVE", a.ID)
	refused(t, err, baas.CodeConflict, "")
	ok[baas.Secret](t)(o.App.PutSecret(o.ctx, o.owner, o.tenant.ID, "CHAVE", baas.SecretPut{Value: "y"}))
	if err := o.App.DeleteSecret(o.ctx, o.owner, o.tenant.ID, "CHAVE", a.ID); err != nil { // the tenant's stands in
		t.Fatal(err)
	}
	m := ok[baas.Move](t)(o.App.MoveBot(o.ctx, o.owner, o.tenant.ID, bot.ID, baas.MoveCreate{WorkerID: b.ID}))
	if got := ok[baas.Bot](t)(o.App.Bot(o.ctx, o.owner, o.tenant.ID, bot.ID)); got.MoveID != m.ID {
		t.Fatalf("the bot doesn't say that it is being moved: %+v", got)
	}
	_, err = o.App.MoveBot(o.ctx, o.owner, o.tenant.ID, bot.ID, baas.MoveCreate{WorkerID: b.ID})
	refused(t, err, baas.CodeConflict, "")
	refused(t, o.App.DeleteBot(o.ctx, o.owner, o.tenant.ID, bot.ID, "Ana"), baas.CodeConflict, "")
}

func TestSuspendedTenantIsReadOnly(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	w := o.worker(t, "Financeiro")
	suspended := baas.TenantSuspended
	ok[baas.Tenant](t)(o.App.UpdateTenant(o.ctx, o.Operator(), o.tenant.ID, 0, baas.TenantUpdate{Status: &suspended}))
	ok[baas.Worker](t)(o.App.Worker(o.ctx, o.owner, o.tenant.ID, w.ID))
	_, err := o.App.StopWorker(o.ctx, o.owner, o.tenant.ID, w.ID)
	refused(t, err, baas.CodeForbidden, "")
	active := baas.TenantActive
	_, err = o.App.UpdateTenant(o.ctx, o.owner, o.tenant.ID, 0, baas.TenantUpdate{Status: &active})
	refused(t, err, baas.CodeForbidden, "")
	ok[baas.Tenant](t)(o.App.UpdateTenant(o.ctx, o.Operator(), o.tenant.ID, 0, baas.TenantUpdate{Status: &active}))
	ok[baas.Worker](t)(o.App.StopWorker(o.ctx, o.owner, o.tenant.ID, w.ID))
}

func TestOwnersAreGuarded(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	admin := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "adm@a.example", Role: baas.RoleAdmin}))
	_, err := o.App.UpdateMember(o.ctx, o.owner, o.tenant.ID, o.owner.UserID, 0, baas.MemberUpdate{Role: ptr(baas.RoleViewer)})
	refused(t, err, baas.CodeConflict, "")
	refused(t, o.App.RemoveMember(o.ctx, o.owner, o.tenant.ID, o.owner.UserID), baas.CodeConflict, "")
	refused(t, o.App.RemoveMember(o.ctx, admin, o.tenant.ID, o.owner.UserID), baas.CodeForbidden, "")
	_, err = o.App.UpdateMember(o.ctx, admin, o.tenant.ID, admin.UserID, 0, baas.MemberUpdate{Role: ptr(baas.RoleOwner)})
	refused(t, err, baas.CodeForbidden, "")
	_, err = o.App.CreateInvitation(o.ctx, admin, o.tenant.ID, baas.InvitationCreate{Email: "x@a.example", Role: baas.RoleOwner})
	refused(t, err, baas.CodeForbidden, "")
	_, err = o.App.CreateInvitation(o.ctx, o.Operator(), o.tenant.ID, baas.InvitationCreate{Email: "x@a.example", Role: baas.RoleOwner})
	refused(t, err, baas.CodeForbidden, "") // the tenant has one
	if err := o.App.RemoveMember(o.ctx, admin, o.tenant.ID, admin.UserID); err != nil {
		t.Fatalf("leaving: %v", err)
	}
}

func TestRevocationIsAtOnce(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{CacheTTL: time.Hour})
	w := o.worker(t, "Financeiro")
	secret := o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "adm@a.example", Role: baas.RoleAdmin})
	admin := o.Actor(secret)
	tok := ok[baas.NewToken](t)(o.App.CreateToken(o.ctx, admin, o.tenant.ID, baas.TokenCreate{Name: "ci", Scopes: []baas.Scope{baas.ScopeWrite}}))
	bearer := o.Actor(tok.Secret)
	ok[baas.Worker](t)(o.App.Worker(o.ctx, bearer, o.tenant.Slug, w.ID))
	ok[baas.Member](t)(o.App.UpdateMember(o.ctx, o.owner, o.tenant.ID, admin.UserID, 0, baas.MemberUpdate{Role: ptr(baas.RoleViewer)}))
	_, err := o.App.StopWorker(o.ctx, admin, o.tenant.ID, w.ID)
	refused(t, err, baas.CodeForbidden, "")
	_, err = o.App.StopWorker(o.ctx, bearer, o.tenant.Slug, w.ID)
	refused(t, err, baas.CodeForbidden, "")
	if err := o.App.RemoveMember(o.ctx, o.owner, o.tenant.ID, admin.UserID); err != nil {
		t.Fatal(err)
	}
	_, err = o.App.Worker(o.ctx, admin, o.tenant.ID, w.ID)
	refused(t, err, baas.CodeNotFound, "")
	_, err = o.App.Authenticate(o.ctx, tok.Secret)
	refused(t, err, baas.CodeUnauthenticated, "")
	// A log-in ends at once, too.
	if err := o.App.LogOut(o.ctx, admin); err != nil {
		t.Fatal(err)
	}
	_, err = o.App.Authenticate(o.ctx, secret)
	refused(t, err, baas.CodeUnauthenticated, "")
}

func TestLogIn(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	forward := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	o := newOffice(t, baas.PlanPro, apitest.Config{Now: clock, CacheTTL: time.Nanosecond})
	_, err := o.App.LogIn(o.ctx, baas.Credentials{Email: "dona@a.example", Password: "errada errada"})
	refused(t, err, baas.CodeUnauthenticated, "")
	_, err2 := o.App.LogIn(o.ctx, baas.Credentials{Email: "ninguem@a.example", Password: "errada errada"})
	if err.Error() != err2.Error() {
		t.Fatalf("a wrong password and an unknown person differ: %v, %v", err, err2)
	}
	secret := o.LogIn(" Dona@A.example ")
	// Used within its time, it lasts; then it ends.
	for range 4 {
		forward(13 * 24 * time.Hour)
		o.Actor(secret)
	}
	forward(15 * 24 * time.Hour)
	_, err = o.App.Authenticate(o.ctx, secret)
	refused(t, err, baas.CodeUnauthenticated, "")

	// A new password ends every log-in and gives a new one.
	one, two := o.LogIn("dona@a.example"), o.LogIn("dona@a.example")
	_, _, err = o.App.UpdateAccount(o.ctx, o.Actor(one), baas.AccountUpdate{Password: ptr("outra senha comprida"), CurrentPassword: "errada"})
	refused(t, err, baas.CodeInvalid, "current_password")
	_, fresh, err := o.App.UpdateAccount(o.ctx, o.Actor(one), baas.AccountUpdate{Password: ptr("outra senha comprida"), CurrentPassword: apitest.Password})
	if err != nil || fresh == nil {
		t.Fatalf("got %v, %v", fresh, err)
	}
	for _, s := range []string{one, two} {
		_, err := o.App.Authenticate(o.ctx, s)
		refused(t, err, baas.CodeUnauthenticated, "")
	}
	o.Actor(fresh.Secret)
}

func TestInvitationExpires(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	o := newOffice(t, baas.PlanPro, apitest.Config{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	i := ok[baas.NewInvitation](t)(o.App.CreateInvitation(o.ctx, o.owner, o.tenant.ID, baas.InvitationCreate{Email: "x@a.example", Role: baas.RoleViewer}))
	_, err := o.App.AcceptInvitation(o.ctx, baas.InvitationAccept{Token: i.Token, Password: "curta"})
	refused(t, err, baas.CodeInvalid, "password")
	refused(t, err, baas.CodeInvalid, "name")
	mu.Lock()
	now = now.Add(8 * 24 * time.Hour)
	mu.Unlock()
	_, err = o.App.AcceptInvitation(o.ctx, baas.InvitationAccept{Token: i.Token, Name: "X", Password: apitest.Password})
	refused(t, err, baas.CodeNotFound, "")
}

func TestChanges(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	mine, theirs := o.worker(t, "Meu"), o.worker(t, "Deles")
	chief := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "chefe@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{mine.ID}}))
	ctx, cancel := context.WithTimeout(o.ctx, 20*time.Second)
	defer cancel()
	changes, _, err := o.App.Changes(ctx, chief, o.tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	ok[baas.Worker](t)(o.App.StopWorker(o.ctx, o.owner, o.tenant.ID, theirs.ID))
	ok[baas.Worker](t)(o.App.StopWorker(o.ctx, o.owner, o.tenant.ID, mine.ID))
	for c := range changes {
		if c.WorkerID == theirs.ID || c.ID == theirs.ID {
			t.Fatalf("told of %+v", c)
		}
		if c.Kind == "worker" && c.ID == mine.ID {
			break
		}
	}
	if ctx.Err() != nil {
		t.Fatal("nothing was told")
	}
	if err := o.App.RemoveMember(o.ctx, o.owner, o.tenant.ID, chief.UserID); err != nil {
		t.Fatal(err)
	}
	for range changes { // ends by itself
	}
	if ctx.Err() != nil {
		t.Fatal("who was removed goes on being told")
	}
}

func TestDeletions(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	w := o.worker(t, "Financeiro")
	_, err := o.App.DeleteWorker(o.ctx, o.owner, o.tenant.ID, w.ID, "financeiro")
	refused(t, err, baas.CodeInvalid, "confirm")
	refused(t, o.App.DeleteTenant(o.ctx, o.owner, o.tenant.ID, "Cliente A"), baas.CodeConflict, "")
	for range 2 { // may be repeated
		w = ok[baas.Worker](t)(o.App.DeleteWorker(o.ctx, o.owner, o.tenant.ID, w.ID, "Financeiro"))
	}
	if w.Desired != baas.DesiredDeleted || w.Version != 2 {
		t.Fatalf("got %+v", w)
	}
	_, err = o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotAssistant})
	refused(t, err, baas.CodeConflict, "")
	_, err = o.App.StartWorker(o.ctx, o.owner, o.tenant.ID, w.ID)
	refused(t, err, baas.CodeConflict, "")
	if err := o.Store.Tenant(o.tenant.ID).Update(o.ctx, func(tx baas.TenantTx) error { return tx.Workers().Delete(o.ctx, w.ID) }); err != nil {
		t.Fatal(err)
	}
	if err := o.App.DeleteTenant(o.ctx, o.owner, o.tenant.ID, "Cliente A"); err != nil {
		t.Fatal(err)
	}
	_, err = o.App.Tenant(o.ctx, o.owner, o.tenant.ID)
	refused(t, err, baas.CodeNotFound, "")
}

func TestSizeBelowWhatIsUsed(t *testing.T) {
	for _, live := range []bool{true, false} {
		caps := apitest.Capabilities()
		caps.LiveResize = live
		o := newOffice(t, baas.PlanPro, apitest.Config{Caps: &caps})
		w := o.worker(t, "Financeiro") // 512 MiB, 2 GiB
		ok[baas.Resized](t)(o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, baas.Size{CPUMillis: 500, MemoryMiB: 1024, DiskGiB: 8}))
		size := baas.Size{CPUMillis: 500, MemoryMiB: 1024, DiskGiB: 8}
		err := o.Store.Tenant(o.tenant.ID).Update(o.ctx, func(tx baas.TenantTx) error {
			return tx.Workers().SetStatus(o.ctx, w.ID, baas.WorkerStatus{State: baas.WorkerRunning, AppliedSize: &size})
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Agents.Connect(t, w.ID, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(rw, `{"usage":{"memory_bytes":%d,"disk_bytes":%d}}`, 600<<20, 3<<30)
		}))
		resize := func(memory, disk int64) error {
			return second(o.App.ResizeWorker(o.ctx, o.owner, o.tenant.ID, w.ID, 0, baas.Size{CPUMillis: 500, MemoryMiB: memory, DiskGiB: disk}))
		}
		refused(t, resize(1024, 2), baas.CodeConflict, "size.disk_gib")
		if live {
			refused(t, resize(599, 8), baas.CodeConflict, "size.memory_mib")
			refused(t, resize(599, 2), baas.CodeConflict, "size.disk_gib")
		} else if err := resize(599, 8); err != nil { // it restarts, which frees the memory
			t.Error(err)
		}
		if err := resize(600, 3); err != nil {
			t.Error(err)
		}
	}
}
