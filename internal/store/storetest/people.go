package storetest

import (
	"time"

	"github.com/baas-platform/baas"
)

func testPlans(f *fixture) {
	f.system(func(tx baas.SystemTx) error {
		ps, err := tx.Plans().List(f.ctx)
		f.ok(err)
		f.equal(len(ps), len(baas.DefaultPlans()))
		for _, want := range baas.DefaultPlans() {
			got, err := tx.Plans().Get(f.ctx, want.ID)
			f.ok(err)
			f.equal(got, want)
		}
		p := baas.Plan{ID: "PRO", Name: "Pro Plus", Limits: baas.Limits{Workers: 7, Isolation: []baas.Isolation{baas.IsolationVM}}}
		f.ok(tx.Plans().Put(f.ctx, p))
		f.ok(tx.Plans().Put(f.ctx, p))
		got, err := tx.Plans().Get(f.ctx, "PRO")
		f.ok(err)
		f.equal(got, p)
		_, err = tx.Plans().Get(f.ctx, "NONE")
		f.wants(baas.ErrNotFound, err)
		return nil
	})
}

func testTenants(f *fixture) {
	a := f.tenant()
	f.system(func(tx baas.SystemTx) error {
		for _, key := range []string{a.ID, a.Slug} {
			got, err := tx.Tenants().Get(f.ctx, key)
			f.ok(err)
			f.equal(got, a)
		}
		_, err := tx.Tenants().Get(f.ctx, "nobody")
		f.wants(baas.ErrNotFound, err)
		double := a
		double.ID = baas.NewID(baas.PrefixTenant)
		f.wants(baas.ErrNameTaken, tx.Tenants().Create(f.ctx, double))

		// A refusal leaves the transaction usable.
		changed := a
		changed.Name, changed.Plan, changed.UpdatedAt = "Cliente A Ltda.", baas.PlanEnterprise, f.now.Add(time.Hour)
		got, err := tx.Tenants().Update(f.ctx, changed)
		f.ok(err)
		changed.Version = 2
		f.equal(got, changed)
		_, err = tx.Tenants().Update(f.ctx, a)
		f.wants(baas.ErrVersionMismatch, err)
		_, err = tx.Tenants().Update(f.ctx, baas.Tenant{ID: baas.NewID(baas.PrefixTenant), Version: 1, Plan: baas.PlanFree})
		f.wants(baas.ErrNotFound, err)
		return nil
	})
	f.view(a.ID, func(tx baas.TenantTx) error {
		got, err := tx.Get(f.ctx)
		f.ok(err)
		f.equal(got.Name, "Cliente A Ltda.")
		p, err := tx.Plan(f.ctx)
		f.ok(err)
		f.equal(p.ID, baas.PlanEnterprise)
		return nil
	})
	err := f.s.Tenant(a.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		got, err := tx.Lock(f.ctx)
		f.ok(err)
		got.Plan = "NONE"
		_, err = tx.Update(f.ctx, got)
		return err
	})
	f.wants(baas.ErrInvalid, err)

	b := f.tenant()
	f.system(func(tx baas.SystemTx) error {
		b.Status = baas.TenantSuspended
		_, err := tx.Tenants().Update(f.ctx, b)
		f.ok(err)
		for _, c := range []struct {
			f    baas.TenantFilter
			want int
		}{{baas.TenantFilter{}, 2}, {baas.TenantFilter{Status: baas.TenantSuspended}, 1}, {baas.TenantFilter{Plan: baas.PlanEnterprise}, 1},
			{baas.TenantFilter{Search: "LTDA"}, 1}, {baas.TenantFilter{Search: b.Slug}, 1}, {baas.TenantFilter{Search: "_"}, 0}} {
			ts, _, err := tx.Tenants().List(f.ctx, c.f)
			f.ok(err)
			if len(ts) != c.want {
				f.Fatalf("%+v: got %d tenants, want %d", c.f, len(ts), c.want)
			}
		}
		return nil
	})
	f.wants(baas.ErrNotFound, f.s.Tenant(baas.NewID(baas.PrefixTenant)).View(f.ctx, func(tx baas.TenantTx) error {
		_, err := tx.Lock(f.ctx)
		return err
	}))
}

func testUsers(f *fixture) {
	u := f.user()
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.Users().Get(f.ctx, u.ID)
		f.ok(err)
		f.equal(got, u)
		got, err = tx.Users().ByEmail(f.ctx, u.Email)
		f.ok(err)
		f.equal(got, u)
		double := u
		double.ID = baas.NewID(baas.PrefixUser)
		f.wants(baas.ErrNameTaken, tx.Users().Create(f.ctx, double))
		_, err = tx.Users().ByEmail(f.ctx, "nobody@example.com")
		f.wants(baas.ErrNotFound, err)
		u.Operator, u.Name, u.Locale, u.PasswordHash = true, "Ana Souza", "en", "$new"
		f.ok(tx.Users().Update(f.ctx, u))
		got, err = tx.Users().Get(f.ctx, u.ID)
		f.ok(err)
		f.equal(got, u)
		f.wants(baas.ErrNotFound, tx.Users().Update(f.ctx, baas.User{ID: "usr_none", Email: "x@example.com"}))
		n, err := tx.Users().Count(f.ctx)
		f.ok(err)
		f.equal(n, 1)
		return nil
	})
}

func testSessions(f *fixture) {
	u := f.user()
	session := func(expires time.Time) baas.Session {
		s := baas.Session{ID: baas.NewID(baas.PrefixSession), UserID: u.ID, Hash: f.hash(), CreatedAt: f.now, ExpiresAt: expires}
		f.system(func(tx baas.SystemTx) error { return tx.Sessions().Create(f.ctx, s) })
		return s
	}
	a, b, c := session(f.now.Add(time.Hour)), session(f.now.Add(2*time.Hour)), session(f.now.Add(3*time.Hour))
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.Sessions().ByHash(f.ctx, a.Hash)
		f.ok(err)
		f.equal(got, a)
		f.ok(tx.Sessions().DeleteExpired(f.ctx, f.now.Add(time.Hour)))
		_, err = tx.Sessions().ByHash(f.ctx, a.Hash)
		f.wants(baas.ErrNotFound, err)
		f.ok(tx.Sessions().Delete(f.ctx, b.ID))
		f.ok(tx.Sessions().Delete(f.ctx, b.ID))
		_, err = tx.Sessions().ByHash(f.ctx, b.Hash)
		f.wants(baas.ErrNotFound, err)
		_, err = tx.Sessions().ByHash(f.ctx, c.Hash)
		f.ok(err)
		f.ok(tx.Sessions().DeleteUser(f.ctx, u.ID))
		_, err = tx.Sessions().ByHash(f.ctx, c.Hash)
		f.wants(baas.ErrNotFound, err)
		return nil
	})
}

func testMembers(f *fixture) {
	t, other := f.tenant(), f.tenant()
	m := f.member(t.ID, baas.RoleOwner)
	f.update(t.ID, func(tx baas.TenantTx) error {
		got, err := tx.Members().Get(f.ctx, m.UserID)
		f.ok(err)
		f.equal(got, m)
		f.wants(baas.ErrConflict, tx.Members().Create(f.ctx, m))
		m.Role, m.WorkerIDs = baas.RoleViewer, []string{"wrk_a", "wrk_b"}
		got, err = tx.Members().Update(f.ctx, m)
		f.ok(err)
		_, err = tx.Members().Update(f.ctx, m)
		f.wants(baas.ErrVersionMismatch, err)
		m.Version = 2
		f.equal(got, m)
		got, err = tx.Members().Get(f.ctx, m.UserID)
		f.ok(err)
		f.equal(got, m)
		_, err = tx.Members().Update(f.ctx, baas.Member{UserID: baas.NewID(baas.PrefixUser), Version: 1})
		f.wants(baas.ErrNotFound, err)
		n, err := tx.Members().CountOwners(f.ctx)
		f.ok(err)
		f.equal(n, 0)
		return nil
	})
	f.equal(f.totals(t.ID).Members, 1)
	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Members().Create(f.ctx, baas.Member{UserID: baas.NewID(baas.PrefixUser), Role: baas.RoleViewer})
	}))
	owner := f.member(t.ID, baas.RoleOwner)
	f.view(t.ID, func(tx baas.TenantTx) error {
		n, err := tx.Members().CountOwners(f.ctx)
		f.ok(err)
		f.equal(n, 1)
		ms, next, err := tx.Members().List(f.ctx, owner.Email[5:], baas.Page{})
		f.ok(err)
		f.equal(ms, []baas.Member{owner})
		f.equal(next, "")
		return nil
	})
	f.update(other.ID, func(tx baas.TenantTx) error { return tx.Members().Create(f.ctx, m) })
	f.system(func(tx baas.SystemTx) error {
		ms, err := tx.Memberships(f.ctx, m.UserID)
		f.ok(err)
		f.equal(ms, []baas.Membership{{Tenant: t, Role: m.Role, WorkerIDs: m.WorkerIDs}, {Tenant: other, Role: m.Role, WorkerIDs: m.WorkerIDs}})
		return nil
	})
	tok := baas.Token{ID: baas.NewID(baas.PrefixToken), UserID: m.UserID, Hash: f.hash(), CreatedAt: f.now}
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Tokens().Create(f.ctx, tok))
		f.ok(tx.Members().Delete(f.ctx, m.UserID))
		f.wants(baas.ErrNotFound, tx.Members().Delete(f.ctx, m.UserID))
		_, err := tx.Tokens().Get(f.ctx, tok.ID)
		f.wants(baas.ErrNotFound, err)
		return nil
	})
	f.equal(f.totals(t.ID).Members, 1)
}

func testInvitations(f *fixture) {
	t := f.tenant()
	i := baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), TenantID: t.ID, Email: "ana@example.com", Role: baas.RoleAdmin, WorkerIDs: []string{},
		InvitedBy: "usr_x", Hash: f.hash(), CreatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)}
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Invitations().Create(f.ctx, i) })
	f.equal(f.totals(t.ID).Members, 1)
	again := i
	again.ID, again.Hash = baas.NewID(baas.PrefixInvitation), f.hash()
	f.update(t.ID, func(tx baas.TenantTx) error {
		got, err := tx.Invitations().Get(f.ctx, i.ID)
		f.ok(err)
		f.equal(got, i)
		f.wants(baas.ErrConflict, tx.Invitations().Create(f.ctx, again))
		is, _, err := tx.Invitations().List(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(is, []baas.Invitation{i})
		return nil
	})
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.InvitationByHash(f.ctx, i.Hash)
		f.ok(err)
		f.equal(got, i)
		_, err = tx.InvitationByHash(f.ctx, f.hash())
		f.wants(baas.ErrNotFound, err)
		return nil
	})
	// One that has ended is not open.
	again.CreatedAt, again.ExpiresAt = i.ExpiresAt, i.ExpiresAt.Add(time.Hour)
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Invitations().Create(f.ctx, again) })
	f.equal(f.totals(t.ID).Members, 1)
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Invitations().Delete(f.ctx, again.ID) })
	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error { return tx.Invitations().Delete(f.ctx, again.ID) }))
	f.equal(f.totals(t.ID).Members, 0)
}

func testTokens(f *fixture) {
	t := f.tenant()
	u := f.user()
	expires := f.now.Add(time.Hour)
	tok := baas.Token{ID: baas.NewID(baas.PrefixToken), TenantID: t.ID, UserID: u.ID, Name: "CI", Scopes: []baas.Scope{baas.ScopeRead, baas.ScopeWrite},
		Hash: f.hash(), CreatedAt: f.now, ExpiresAt: &expires}
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Tokens().Create(f.ctx, tok) })
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.TokenByHash(f.ctx, tok.Hash)
		f.ok(err)
		f.equal(got, tok)
		_, err = tx.TokenByHash(f.ctx, f.hash())
		f.wants(baas.ErrNotFound, err)
		f.ok(tx.TouchToken(f.ctx, tok.ID, f.now))
		f.ok(tx.TouchToken(f.ctx, tok.ID, f.now.Add(-time.Hour))) // never goes back
		return nil
	})
	f.update(t.ID, func(tx baas.TenantTx) error {
		used := f.now.Truncate(time.Minute)
		tok.LastUsedAt = &used
		got, err := tx.Tokens().Get(f.ctx, tok.ID)
		f.ok(err)
		f.equal(got, tok)
		ts, _, err := tx.Tokens().List(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(ts, []baas.Token{tok})
		f.ok(tx.Tokens().Delete(f.ctx, tok.ID))
		f.wants(baas.ErrNotFound, tx.Tokens().Delete(f.ctx, tok.ID))
		return nil
	})
}

func testSecrets(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	secret := func(worker, name string) baas.Secret {
		return baas.Secret{ID: baas.NewID(baas.PrefixSecret), TenantID: t.ID, WorkerID: worker, Name: name, Sealed: []byte{0, 1, 255}, CreatedAt: f.now, UpdatedAt: f.now}
	}
	all, one := secret("", "API_KEY"), secret(w.ID, "API_KEY")
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Secrets().Put(f.ctx, all))
		f.ok(tx.Secrets().Put(f.ctx, one))
		for _, want := range []baas.Secret{all, one} {
			got, err := tx.Secrets().ByName(f.ctx, want.WorkerID, "API_KEY")
			f.ok(err)
			f.equal(got, want)
			got, err = tx.Secrets().Get(f.ctx, want.ID)
			f.ok(err)
			f.equal(got, want)
		}
		_, err := tx.Secrets().ByName(f.ctx, "", "OTHER")
		f.wants(baas.ErrNotFound, err)
		replaced := secret(w.ID, "API_KEY")
		replaced.Sealed, replaced.UpdatedAt = []byte("new"), f.now.Add(time.Hour)
		f.ok(tx.Secrets().Put(f.ctx, replaced))
		f.ok(tx.Secrets().Put(f.ctx, replaced))
		got, err := tx.Secrets().ByName(f.ctx, w.ID, "API_KEY")
		f.ok(err)
		f.equal(got, replaced)
		ss, _, err := tx.Secrets().List(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(ss, []baas.Secret{all, replaced})
		one = replaced
		return nil
	})
	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Secrets().Put(f.ctx, secret(baas.NewID(baas.PrefixWorker), "X"))
	}))
	f.system(func(tx baas.SystemTx) error {
		ss, next, err := tx.Secrets(f.ctx, baas.Page{Limit: 1})
		f.ok(err)
		f.equal(ss, []baas.Secret{all})
		f.ok(tx.Reseal(f.ctx, all.ID, []byte("resealed")))
		f.wants(baas.ErrNotFound, tx.Reseal(f.ctx, baas.NewID(baas.PrefixSecret), nil))
		ss, next, err = tx.Secrets(f.ctx, baas.Page{Limit: 1, Cursor: next})
		f.ok(err)
		f.equal(ss, []baas.Secret{one})
		f.equal(next, "")
		return nil
	})
	f.update(t.ID, func(tx baas.TenantTx) error {
		got, err := tx.Secrets().Get(f.ctx, all.ID)
		f.ok(err)
		f.equal(string(got.Sealed), "resealed")
		f.ok(tx.Secrets().Delete(f.ctx, all.ID))
		f.wants(baas.ErrNotFound, tx.Secrets().Delete(f.ctx, all.ID))
		// A Worker takes its secrets with it.
		f.ok(tx.Workers().Delete(f.ctx, w.ID))
		_, err = tx.Secrets().Get(f.ctx, one.ID)
		f.wants(baas.ErrNotFound, err)
		return nil
	})
}

func testSupport(f *fixture) {
	t, other := f.tenant(), f.tenant()
	session := func(tenant, user string) baas.Support {
		return baas.Support{ID: baas.NewID(baas.PrefixSupport), TenantID: tenant, UserID: user, Name: "Olga", Email: "olga@baas.example", Reason: "Chamado 4711",
			CreatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)}
	}
	first, second, elsewhere := session(t.ID, "usr_1"), session(t.ID, "usr_2"), session(other.ID, "usr_1")
	f.update(other.ID, func(tx baas.TenantTx) error { return tx.Support().Create(f.ctx, elsewhere) })
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Support().Create(f.ctx, first))
		f.ok(tx.Support().Create(f.ctx, second))
		f.wants(baas.ErrConflict, tx.Support().Create(f.ctx, session(t.ID, "usr_1")))
		for _, want := range []baas.Support{first, second} {
			got, err := tx.Support().Get(f.ctx, want.ID)
			f.ok(err)
			f.equal(got, want)
			got, err = tx.Support().Open(f.ctx, want.UserID)
			f.ok(err)
			f.equal(got, want)
		}
		_, err := tx.Support().Get(f.ctx, elsewhere.ID)
		f.wants(baas.ErrNotFound, err)
		_, err = tx.Support().Open(f.ctx, "usr_3")
		f.wants(baas.ErrNotFound, err)
		f.wants(baas.ErrNotFound, tx.Support().End(f.ctx, elsewhere.ID, f.now, "usr_1"))

		ended := f.now.Add(time.Minute)
		f.ok(tx.Support().End(f.ctx, first.ID, ended, "usr_9"))
		f.wants(baas.ErrNotFound, tx.Support().End(f.ctx, first.ID, f.now, ""))
		first.EndedAt, first.EndedBy = &ended, "usr_9"
		_, err = tx.Support().Open(f.ctx, "usr_1")
		f.wants(baas.ErrNotFound, err)
		for _, c := range []struct {
			at   time.Time
			want []baas.Support
		}{{time.Time{}, []baas.Support{second, first}}, {f.now, []baas.Support{second}}, {second.ExpiresAt, []baas.Support{}}} {
			got, _, err := tx.Support().List(f.ctx, baas.SupportFilter{ActiveAt: c.at})
			f.ok(err)
			f.equal(got, c.want)
		}
		return tx.Support().Create(f.ctx, session(t.ID, "usr_1")) // a new one after the end of the other
	})
	f.wants(baas.ErrNotFound, f.s.Tenant(baas.NewID(baas.PrefixTenant)).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Support().Create(f.ctx, session("", "usr_1"))
	}))
	f.system(func(tx baas.SystemTx) error {
		open, err := tx.OpenSupport(f.ctx)
		f.ok(err)
		f.equal(len(open), 3)
		f.equal(open[0], second)
		f.equal(open[1], elsewhere)
		return nil
	})
}
