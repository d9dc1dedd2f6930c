// Package storetest is the contract of baas.Store as a test suite. Every database passes it.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
)

// Run runs the suite. open opens an empty store that is closed when the test is over.
func Run(t *testing.T, open func(t testing.TB) baas.Store) {
	for _, c := range []struct {
		name string
		run  func(*fixture)
	}{
		{"Plans", testPlans},
		{"Tenants", testTenants},
		{"TenantDelete", testTenantDelete},
		{"Users", testUsers},
		{"Sessions", testSessions},
		{"Members", testMembers},
		{"Invitations", testInvitations},
		{"Tokens", testTokens},
		{"Secrets", testSecrets},
		{"Workers", testWorkers},
		{"WorkerStatus", testWorkerStatus},
		{"WorkerDelete", testWorkerDelete},
		{"Bots", testBots},
		{"Moves", testMoves},
		{"Artifacts", testArtifacts},
		{"Events", testEvents},
		{"Support", testSupport},
		{"Platform", testPlatform},
		{"Idempotency", testIdempotency},
		{"Search", testSearch},
		{"Pages", testPages},
		{"Cursors", testCursors},
		{"OtherTenant", testOtherTenant},
		{"StrangeTexts", testStrangeTexts},
		{"Twins", testTwins},
		{"Rollback", testRollback},
		{"Panic", testPanic},
		{"Cancelled", testCancelled},
		{"Concurrent", testConcurrent},
		{"Quota", testQuota},
		{"Leases", testLeases},
		{"Changes", testChanges},
		{"ChangesOverflow", testChangesOverflow},
		{"Purge", testPurge},
		{"Totals", testTotals},
		{"Usage", testUsage},
		{"UsageBadInput", testUsageBadInput},
		{"UsageConcurrent", testUsageConcurrent},
		{"UsageExact", testUsageExact},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newFixture(t, open(t)))
		})
	}
}

// fixture is one test with a store and short ways to use it.
type fixture struct {
	*testing.T
	ctx context.Context
	s   baas.Store
	now time.Time
	n   int
}

func newFixture(t *testing.T, s baas.Store) *fixture {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return &fixture{T: t, ctx: ctx, s: s, now: time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)}
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wants(want, err error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("got error %v, want %v", err, want)
	}
}

func (f *fixture) equal(got, want any) {
	f.Helper()
	if !reflect.DeepEqual(got, want) {
		f.Fatalf("got\n\t%+v\nwant\n\t%+v", got, want)
	}
}

func (f *fixture) update(tenant string, fn func(baas.TenantTx) error) {
	f.Helper()
	f.ok(f.s.Tenant(tenant).Update(f.ctx, fn))
}

func (f *fixture) view(tenant string, fn func(baas.TenantTx) error) {
	f.Helper()
	f.ok(f.s.Tenant(tenant).View(f.ctx, fn))
}

func (f *fixture) system(fn func(baas.SystemTx) error) {
	f.Helper()
	f.ok(f.s.System().Update(f.ctx, fn))
}

// name is another one at every call.
func (f *fixture) name(prefix string) string {
	f.n++
	return fmt.Sprintf("%s %d", prefix, f.n)
}

func (f *fixture) hash() []byte {
	h := sha256.Sum256([]byte(f.name("hash")))
	return h[:]
}

func (f *fixture) tenant() baas.Tenant {
	f.Helper()
	name := f.name("Cliente")
	t := baas.Tenant{ID: baas.NewID(baas.PrefixTenant), Slug: baas.Slug(name), Name: name, Plan: baas.PlanPro,
		Status: baas.TenantActive, Version: 1, CreatedAt: f.now, UpdatedAt: f.now}
	f.system(func(tx baas.SystemTx) error { return tx.Tenants().Create(f.ctx, t) })
	return t
}

func (f *fixture) user() baas.User {
	f.Helper()
	id := baas.NewID(baas.PrefixUser)
	u := baas.User{ID: id, Email: id + "@example.com", Name: f.name("Ana"), Locale: "pt-BR", PasswordHash: "$argon2id$", CreatedAt: f.now, UpdatedAt: f.now}
	f.system(func(tx baas.SystemTx) error { return tx.Users().Create(f.ctx, u) })
	return u
}

func (f *fixture) member(tenant string, r baas.Role) baas.Member {
	f.Helper()
	u := f.user()
	m := baas.Member{TenantID: tenant, UserID: u.ID, Email: u.Email, Name: u.Name, Role: r, WorkerIDs: []string{}, Version: 1, CreatedAt: f.now}
	f.update(tenant, func(tx baas.TenantTx) error { return tx.Members().Create(f.ctx, m) })
	return m
}

func (f *fixture) newWorker(tenant string) baas.Worker {
	f.Helper()
	w, err := baas.WorkerCreate{Name: f.name("Financeiro")}.Worker(baas.NewID(baas.PrefixWorker), tenant, f.now)
	f.ok(err)
	return w
}

func (f *fixture) worker(tenant string) baas.Worker {
	f.Helper()
	w := f.newWorker(tenant)
	f.update(tenant, func(tx baas.TenantTx) error { return tx.Workers().Create(f.ctx, w) })
	return w
}

func (f *fixture) newBot(tenant, worker string) baas.Bot {
	f.Helper()
	b, err := baas.BotCreate{WorkerID: worker, Name: f.name("Atendente"), Kind: baas.BotAssistant}.Bot(baas.NewID(baas.PrefixBot), tenant, f.now)
	f.ok(err)
	return b
}

func (f *fixture) bot(tenant, worker string) baas.Bot {
	f.Helper()
	b := f.newBot(tenant, worker)
	f.update(tenant, func(tx baas.TenantTx) error { return tx.Bots().Create(f.ctx, b) })
	return b
}

func (f *fixture) totals(tenant string) (n baas.Totals) {
	f.Helper()
	f.view(tenant, func(tx baas.TenantTx) (err error) {
		n, err = tx.Totals(f.ctx)
		return err
	})
	return n
}

// filled makes a tenant with something of every kind.
func (f *fixture) filled() baas.Tenant {
	f.Helper()
	t := f.tenant()
	w, w2 := f.worker(t.ID), f.worker(t.ID)
	b := f.bot(t.ID, w.ID)
	m := f.member(t.ID, baas.RoleOwner)
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Secrets().Put(f.ctx, baas.Secret{ID: baas.NewID(baas.PrefixSecret), WorkerID: w.ID, Name: "A", Sealed: []byte{1}}))
		f.ok(tx.Tokens().Create(f.ctx, baas.Token{ID: baas.NewID(baas.PrefixToken), UserID: m.UserID, Hash: f.hash()}))
		f.ok(tx.Invitations().Create(f.ctx, baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), Email: "a@example.com", Hash: f.hash()}))
		sum := sha256.Sum256([]byte("x"))
		f.ok(tx.Artifacts().Put(f.ctx, b.ID, baas.Artifact{Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: 1}, strings.NewReader("x")))
		f.ok(tx.Moves().Create(f.ctx, baas.Move{ID: baas.NewID(baas.PrefixMove), BotID: b.ID, From: w.ID, To: w2.ID, Step: baas.MoveRequested}))
		f.ok(tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now}))
		f.ok(tx.Idempotency().Put(f.ctx, baas.IdempotencyRecord{Key: "k"}))
		f.ok(tx.Support().Create(f.ctx, baas.Support{ID: baas.NewID(baas.PrefixSupport), UserID: "usr_x", ExpiresAt: f.now}))
		_, err := tx.Usage().Record(f.ctx, f.now, []baas.UsageWindow{{WorkerID: w.ID, Start: f.now.Truncate(time.Minute), Meters: baas.Meters{Requests: 1}}})
		return err
	})
	return t
}

// Fill makes two tenants that each have at least one row in every table that tenants have rows in.
func Fill(t *testing.T, s baas.Store) (a, b baas.Tenant) {
	t.Helper()
	f := newFixture(t, s)
	return f.filled(), f.filled()
}

// subscribe returns a subscription that no change from before will reach any more.
func (f *fixture) subscribe(ctx context.Context) <-chan baas.Change {
	f.Helper()
	ch := f.s.Subscribe(ctx)
	mark := f.tenant()
	for f.next(ch).ID != mark.ID {
	}
	return ch
}

// next waits for a change.
func (f *fixture) next(ch <-chan baas.Change) baas.Change {
	f.Helper()
	select {
	case c, ok := <-ch:
		if !ok {
			f.Fatal("the subscription ended")
		}
		return c
	case <-f.ctx.Done():
		f.Fatal("no change arrived")
	}
	panic("unreachable")
}
