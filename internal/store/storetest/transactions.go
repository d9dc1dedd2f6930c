package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
)

func testTenantDelete(f *fixture) {
	t, other := f.filled(), f.filled()
	f.system(func(tx baas.SystemTx) error {
		f.ok(tx.Tenants().Delete(f.ctx, t.ID))
		f.wants(baas.ErrNotFound, tx.Tenants().Delete(f.ctx, t.ID))
		ws, _, err := tx.Workers(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(len(ws), 2)
		ms, err := tx.ActiveMoves(f.ctx)
		f.ok(err)
		f.equal(len(ms), 1)
		return nil
	})
	f.view(t.ID, func(tx baas.TenantTx) error {
		_, err := tx.Get(f.ctx)
		f.wants(baas.ErrNotFound, err)
		ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{To: f.now.Add(time.Hour), Step: baas.StepHour})
		f.ok(err)
		f.equal(len(ps), 0)
		return nil
	})
	_, err := f.recordAt(t.ID, f.now, []baas.UsageWindow{{WorkerID: "wrk_1", Start: f.now.Truncate(time.Minute)}})
	f.wants(baas.ErrNotFound, err)
	f.equal(f.totals(other.ID).Workers, 2)
}

// testOtherTenant asks for everything of one tenant within the scope of another.
func testOtherTenant(f *fixture) {
	a, b := f.tenant(), f.tenant()
	w := f.worker(a.ID)
	w2 := f.worker(a.ID)
	bot := f.bot(a.ID, w.ID)
	m := f.member(a.ID, baas.RoleOwner)
	sec := baas.Secret{ID: baas.NewID(baas.PrefixSecret), Name: "A", Sealed: []byte{1}}
	tok := baas.Token{ID: baas.NewID(baas.PrefixToken), UserID: m.UserID, Hash: f.hash()}
	inv := baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), Email: "a@example.com", Hash: f.hash()}
	mov := baas.Move{ID: baas.NewID(baas.PrefixMove), BotID: bot.ID, From: w.ID, To: w2.ID, Step: baas.MoveRequested}
	sum := sha256.Sum256([]byte("x"))
	archive := baas.Artifact{Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: 1}
	ended := baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), Email: "ended@example.com", Hash: f.hash(), ExpiresAt: f.now}
	f.update(a.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Artifacts().Put(f.ctx, bot.ID, archive, strings.NewReader("x")))
		f.ok(tx.Invitations().Create(f.ctx, ended))
		f.ok(tx.Secrets().Put(f.ctx, sec))
		f.ok(tx.Tokens().Create(f.ctx, tok))
		f.ok(tx.Invitations().Create(f.ctx, inv))
		f.ok(tx.Moves().Create(f.ctx, mov))
		f.ok(tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now}))
		f.ok(tx.Idempotency().Put(f.ctx, baas.IdempotencyRecord{Key: "k"}))
		_, err := tx.Usage().Record(f.ctx, f.now, []baas.UsageWindow{{WorkerID: w.ID, Start: f.now.Truncate(time.Minute)}})
		return err
	})
	gone := func(_ any, err error) {
		f.Helper()
		f.wants(baas.ErrNotFound, err)
	}
	asOther := func(tx baas.TenantTx) error {
		gone(tx.Workers().Get(f.ctx, w.ID))
		gone(tx.Workers().Update(f.ctx, w))
		gone(nil, tx.Workers().SetStatus(f.ctx, w.ID, baas.WorkerStatus{}))
		gone(nil, tx.Workers().SetRevision(f.ctx, w.ID, 99, ""))
		gone(nil, tx.Workers().Delete(f.ctx, w.ID))
		gone(tx.Bots().Get(f.ctx, bot.ID))
		gone(tx.Bots().Update(f.ctx, bot))
		gone(nil, tx.Bots().SetStatus(f.ctx, bot.ID, baas.BotStatus{}))
		gone(nil, tx.Bots().SetAccessToken(f.ctx, bot.ID, nil))
		gone(nil, tx.Bots().Delete(f.ctx, bot.ID))
		gone(tx.Members().Get(f.ctx, m.UserID))
		gone(tx.Members().Update(f.ctx, m))
		gone(nil, tx.Members().Delete(f.ctx, m.UserID))
		gone(tx.Secrets().Get(f.ctx, sec.ID))
		gone(tx.Secrets().ByName(f.ctx, "", "A"))
		gone(nil, tx.Secrets().Delete(f.ctx, sec.ID))
		gone(tx.Tokens().Get(f.ctx, tok.ID))
		gone(nil, tx.Tokens().Delete(f.ctx, tok.ID))
		gone(tx.Invitations().Get(f.ctx, inv.ID))
		gone(nil, tx.Invitations().Delete(f.ctx, inv.ID))
		gone(tx.Moves().Get(f.ctx, mov.ID))
		gone(nil, tx.Moves().Update(f.ctx, mov))
		gone(tx.Idempotency().Get(f.ctx, "k"))
		gone(tx.Artifacts().Open(f.ctx, bot.ID, archive.Digest))
		empty := func(n int, err error) {
			f.Helper()
			f.ok(err)
			f.equal(n, 0)
		}
		ws, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{IDs: []string{w.ID}})
		empty(len(ws), err)
		bs, _, err := tx.Bots().List(f.ctx, baas.BotFilter{WorkerIDs: []string{w.ID}})
		empty(len(bs), err)
		ms, _, err := tx.Members().List(f.ctx, "", baas.Page{})
		empty(len(ms), err)
		ss, _, err := tx.Secrets().List(f.ctx, baas.Page{})
		empty(len(ss), err)
		ts, _, err := tx.Tokens().List(f.ctx, baas.Page{})
		empty(len(ts), err)
		is, _, err := tx.Invitations().List(f.ctx, baas.Page{})
		empty(len(is), err)
		mv, _, err := tx.Moves().List(f.ctx, bot.ID, baas.Page{})
		empty(len(mv), err)
		mv, err = tx.Moves().Active(f.ctx, w.ID)
		empty(len(mv), err)
		es, _, err := tx.Events().List(f.ctx, baas.EventFilter{})
		empty(len(es), err)
		ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{WorkerIDs: []string{w.ID}, To: f.now.Add(time.Hour), Step: baas.StepHour})
		empty(len(ps), err)
		n, err := tx.Members().CountOwners(f.ctx)
		empty(n, err)
		return nil
	}
	f.update(b.ID, asOther)
	f.system(func(tx baas.SystemTx) error { return asOther(tx.In(b.ID)) })
	f.equal(f.totals(b.ID), baas.Totals{})
	f.equal(f.totals(a.ID), baas.Totals{Workers: 2, CPUMillis: 1000, MemoryMiB: 1024, DiskGiB: 4, Bots: 1, Members: 3})

	// What the other tenant does with the same names leaves these alone.
	_ = f.s.Tenant(b.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		f.wants(baas.ErrNotFound, tx.Artifacts().Put(f.ctx, bot.ID, archive, strings.NewReader("x")))
		return nil // PostgreSQL refuses to commit after that, SQLite doesn't
	})
	f.update(b.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Members().Create(f.ctx, baas.Member{UserID: m.UserID, Role: baas.RoleViewer, CreatedAt: f.now}))
		f.ok(tx.Members().Delete(f.ctx, m.UserID))
		return tx.Invitations().Create(f.ctx, baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), Email: ended.Email, Hash: f.hash(),
			CreatedAt: f.now, ExpiresAt: f.now.Add(time.Hour)})
	})
	f.view(a.ID, func(tx baas.TenantTx) error {
		_, err := tx.Invitations().Get(f.ctx, ended.ID)
		f.ok(err)
		_, err = tx.Tokens().Get(f.ctx, tok.ID)
		f.ok(err)
		body, err := tx.Artifacts().Open(f.ctx, bot.ID, archive.Digest)
		f.ok(err)
		return body.Close()
	})
}

// testStrangeTexts asks for and writes texts that no database of ours should hold.
func testStrangeTexts(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	for _, text := range []string{"wrk_\x00", "\x00", "\xff", "a\xc3"} {
		_ = f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
			_, err := tx.Workers().Get(f.ctx, text)
			f.wants(baas.ErrNotFound, err)
			_, err = tx.Bots().Get(f.ctx, text)
			f.wants(baas.ErrNotFound, err)
			if _, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{Search: text}); err != nil {
				f.wants(baas.ErrNotFound, err)
			}
			// The transaction goes on.
			_, err = tx.Workers().Get(f.ctx, w.ID)
			f.ok(err)
			if err := tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now, Message: text}); err != nil {
				f.wants(baas.ErrInvalid, err)
			}
			return nil
		})
	}
}

// testTwins lets two tenants have the same of everything that may be the same, changes it in one, and looks at the other.
func testTwins(f *fixture) {
	a, b := f.tenant(), f.tenant()
	f.system(func(tx baas.SystemTx) error {
		b.Plan = baas.PlanFree
		_, err := tx.Tenants().Update(f.ctx, b)
		if err == nil {
			a, err = tx.Tenants().Update(f.ctx, a)
		}
		return err
	})
	w := f.worker(a.ID)
	window := func(requests int64) []baas.UsageWindow {
		return []baas.UsageWindow{{WorkerID: w.ID, Start: f.now.Truncate(time.Minute), Meters: baas.Meters{Requests: requests}}}
	}
	for _, step := range []struct {
		tenant   string
		requests int64
	}{{a.ID, 800}, {b.ID, 5}, {b.ID, 7}, {a.ID, 900}} {
		_, err := f.recordAt(step.tenant, f.now, window(step.requests))
		f.ok(err)
	}
	for tenant, want := range map[string]int64{a.ID: 900, b.ID: 7} {
		f.view(tenant, func(tx baas.TenantTx) error {
			for _, step := range []baas.UsageStep{baas.StepMinute, baas.StepHour, baas.StepDay} {
				for _, workers := range [][]string{nil, {w.ID}} {
					ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{WorkerIDs: workers, From: f.now.Add(-24 * time.Hour), To: f.now.Add(24 * time.Hour), Step: step})
					f.ok(err)
					f.equal(len(ps), 1)
					f.equal(ps[0].Requests, want)
				}
			}
			return nil
		})
	}
	for tenant, want := range map[string]string{a.ID: baas.PlanPro, b.ID: baas.PlanFree} {
		f.view(tenant, func(tx baas.TenantTx) error {
			plan, err := tx.Plan(f.ctx)
			f.ok(err)
			f.equal(plan.ID, want)
			return nil
		})
	}
	f.update(a.ID, func(tx baas.TenantTx) error {
		a.Name = "Outro nome"
		_, err := tx.Update(f.ctx, a)
		return err
	})
	f.view(b.ID, func(tx baas.TenantTx) error {
		now, err := tx.Get(f.ctx)
		f.ok(err)
		f.equal(now.Name, b.Name)
		return nil
	})
	_, err := f.recordAt(baas.NewID(baas.PrefixTenant), f.now, window(1))
	f.wants(baas.ErrNotFound, err)
	other := f.worker(b.ID)
	bot, otherBot := f.bot(a.ID, w.ID), f.bot(b.ID, other.ID)
	f.update(b.ID, func(tx baas.TenantTx) error {
		other.Name, otherBot.Name = w.Name, bot.Name
		_, err := tx.Workers().Update(f.ctx, other)
		f.ok(err)
		_, err = tx.Bots().Update(f.ctx, otherBot)
		return err
	})
}

func testRollback(f *fixture) {
	t := f.tenant()
	boom := errors.New("boom")
	changes := f.subscribe(f.ctx)
	f.wants(boom, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		f.ok(tx.Workers().Create(f.ctx, f.newWorker(t.ID)))
		return boom
	}))
	f.equal(f.totals(t.ID), baas.Totals{})
	w := f.worker(t.ID)
	f.equal(f.next(changes).ID, w.ID)
	if err := f.s.Tenant(t.ID).View(f.ctx, func(tx baas.TenantTx) error { return tx.Workers().Delete(f.ctx, w.ID) }); err == nil {
		f.Fatal("a View wrote")
	}
	f.equal(f.totals(t.ID).Workers, 1)
}

func testPanic(f *fixture) {
	boom := errors.New("boom")
	t := f.tenant()
	for _, run := range []func(fn func(baas.TenantTx) error) error{
		func(fn func(baas.TenantTx) error) error { return f.s.Tenant(t.ID).Update(f.ctx, fn) },
		func(fn func(baas.TenantTx) error) error { return f.s.Tenant(t.ID).View(f.ctx, fn) },
	} {
		for range 20 { // more often than there are connections
			func() {
				defer func() {
					if err, ok := recover().(error); !ok || !errors.Is(err, boom) {
						f.Error("the panic didn't arrive:", err)
					}
				}()
				err := run(func(tx baas.TenantTx) error {
					panic(errors.Join(tx.Workers().Create(f.ctx, f.newWorker(t.ID)), boom))
				})
				f.Error("the panic became", err)
			}()
		}
	}
	f.worker(t.ID)
	f.equal(f.totals(t.ID).Workers, 1)
}

// testCancelled shows that who gives up disturbs nobody else.
func testCancelled(f *fixture) {
	t := f.tenant()
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(f.ctx)
			defer cancel()
			errs[i] = f.s.Tenant(t.ID).Update(ctx, func(tx baas.TenantTx) error {
				w, err := baas.WorkerCreate{Name: fmt.Sprint(i)}.Worker(baas.NewID(baas.PrefixWorker), t.ID, f.now)
				if err != nil {
					return err
				}
				if i%2 == 1 {
					cancel()
				}
				return tx.Workers().Create(ctx, w)
			})
		})
	}
	wg.Wait()
	for i, err := range errs {
		if i%2 == 0 && err != nil {
			f.Fatalf("an update failed because another was cancelled: %v", err)
		}
		if i%2 == 1 && !errors.Is(err, context.Canceled) {
			f.Fatalf("a cancelled update returned %v", err)
		}
	}
	f.equal(f.totals(t.ID).Workers, len(errs)/2)
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	f.wants(context.Canceled, f.s.Tenant(t.ID).View(ctx, func(tx baas.TenantTx) error {
		_, err := tx.Get(ctx)
		return err
	}))
}

// testConcurrent writes from many goroutines, some of which fail, and finds exactly what was acknowledged.
func testConcurrent(f *fixture) {
	t := f.tenant()
	boom := errors.New("boom")
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 20 {
				id := baas.NewID(baas.PrefixWorker)
				err := f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
					w, err := baas.WorkerCreate{Name: fmt.Sprint(i, " ", j)}.Worker(id, t.ID, f.now)
					if err == nil {
						err = tx.Workers().Create(f.ctx, w)
					}
					if j%5 == 4 {
						return boom
					}
					return err
				})
				if j%5 == 4 {
					if !errors.Is(err, boom) {
						f.Errorf("got %v, want boom", err)
					}
					continue
				}
				if err != nil {
					f.Error(err)
					continue
				}
				// What was acknowledged is visible at once.
				err = f.s.Tenant(t.ID).View(f.ctx, func(tx baas.TenantTx) error {
					_, err := tx.Workers().Get(f.ctx, id)
					return err
				})
				if err != nil {
					f.Error(err)
				}
				mu.Lock()
				acknowledged[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	f.equal(len(acknowledged), 16*16)
	f.view(t.ID, func(tx baas.TenantTx) error {
		ws, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{Page: baas.Page{Limit: baas.MaxPageSize}})
		f.ok(err)
		f.equal(len(ws), len(acknowledged))
		for _, w := range ws {
			if !acknowledged[w.ID] {
				f.Fatalf("%s is there and was not acknowledged", w.ID)
			}
		}
		return nil
	})
	f.equal(f.totals(t.ID).Workers, len(acknowledged))
}

// testQuota counts behind the lock from many goroutines at once.
func testQuota(f *fixture) {
	t := f.tenant() // PRO: 5 Workers
	var wg sync.WaitGroup
	var mu sync.Mutex
	made, refused := 0, 0
	for i := range 30 {
		wg.Go(func() {
			err := f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
				if _, err := tx.Lock(f.ctx); err != nil {
					return err
				}
				p, err := tx.Plan(f.ctx)
				if err != nil {
					return err
				}
				n, err := tx.Totals(f.ctx)
				if err != nil {
					return err
				}
				n.Workers++
				if err := p.Limits.Check(n); err != nil {
					return err
				}
				w, err := baas.WorkerCreate{Name: fmt.Sprint(i)}.Worker(baas.NewID(baas.PrefixWorker), t.ID, f.now)
				if err != nil {
					return err
				}
				return tx.Workers().Create(f.ctx, w)
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made++
			case errors.Is(err, baas.ErrQuotaExceeded):
				refused++
			default:
				f.Error(err)
			}
		})
	}
	wg.Wait()
	f.equal([]int{made, refused}, []int{5, 25})
}

func testLeases(f *fixture) {
	take := func(holder string, at time.Duration) bool {
		f.Helper()
		held, err := f.s.Lease(f.ctx, "controller", holder, f.now.Add(at), 10*time.Second)
		f.ok(err)
		return held
	}
	f.equal(take("a", 0), true)
	f.equal(take("b", 5*time.Second), false)
	f.equal(take("a", 9*time.Second), true)
	f.equal(take("b", 18*time.Second), false)
	f.equal(take("b", 19*time.Second), true)
	f.equal(take("a", 20*time.Second), false)
	held, err := f.s.Lease(f.ctx, "other", "a", f.now, time.Second)
	f.ok(err)
	f.equal(held, true)
	// Given up, it is free at once; who doesn't have it can't give it up.
	held, err = f.s.Lease(f.ctx, "controller", "a", f.now.Add(21*time.Second), 0)
	f.ok(err)
	f.equal(held, false)
	f.equal(take("a", 21*time.Second), false)
	_, err = f.s.Lease(f.ctx, "controller", "b", f.now.Add(21*time.Second), 0)
	f.ok(err)
	f.equal(take("a", 21*time.Second), true)

	var wg sync.WaitGroup
	var mu sync.Mutex
	holders := 0
	for i := range 20 {
		wg.Go(func() {
			held, err := f.s.Lease(f.ctx, "race", fmt.Sprint(i), f.now, time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Error(err)
			}
			if held {
				holders++
			}
		})
	}
	wg.Wait()
	f.equal(holders, 1)
}

func testChanges(f *fixture) {
	t := f.tenant()
	ctx, cancel := context.WithCancel(f.ctx)
	a := f.subscribe(ctx)
	b := f.subscribe(f.ctx)
	f.equal(f.next(a).Kind, "tenant") // b's mark
	w := f.worker(t.ID)
	w2 := f.worker(t.ID)
	want := []baas.Change{{TenantID: t.ID, Kind: "worker", ID: w.ID, WorkerID: w.ID}, {TenantID: t.ID, Kind: "worker", ID: w2.ID, WorkerID: w2.ID}}
	for _, ch := range []<-chan baas.Change{a, b} {
		f.equal([]baas.Change{f.next(ch), f.next(ch)}, want)
	}
	cancel()
	for range a { // is closed
	}
	bot := f.bot(t.ID, w.ID)
	f.equal(f.next(b), baas.Change{TenantID: t.ID, Kind: "bot", ID: bot.ID, WorkerID: w.ID})
	// Both Workers hear of a bot that changes over.
	bot.WorkerID = w2.ID
	f.update(t.ID, func(tx baas.TenantTx) error {
		_, err := tx.Bots().Update(f.ctx, bot)
		return err
	})
	f.equal([]string{f.next(b).WorkerID, f.next(b).WorkerID}, []string{w.ID, w2.ID})
	// What a transaction does to a thing many times is one change.
	f.update(t.ID, func(tx baas.TenantTx) error {
		for i := range 3 {
			f.ok(tx.Bots().SetStatus(f.ctx, bot.ID, baas.BotStatus{State: baas.BotRunning, Restarts: i + 1}))
		}
		return tx.Events().Add(f.ctx, baas.Event{ID: "evt_1", At: f.now, WorkerID: w2.ID, BotID: bot.ID})
	})
	f.equal(f.next(b).Kind, "bot")
	f.equal(f.next(b), baas.Change{TenantID: t.ID, Kind: "event", ID: "evt_1", WorkerID: w2.ID})
	f.ok(f.s.Close())
	for range b {
	}
	if err := f.s.Ping(f.ctx); err == nil {
		f.Fatal("a closed store answers")
	}
}

func testChangesOverflow(f *fixture) {
	t := f.tenant()
	slow, fast, reader := f.s.Subscribe(f.ctx), f.s.Subscribe(f.ctx), f.s.Subscribe(f.ctx)
	const n = 1000
	f.update(t.ID, func(tx baas.TenantTx) error {
		for range n {
			f.ok(tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now}))
		}
		return nil
	})
	// Changes may be on their way for a while. Nobody else reads until the reader has seen the last, so both overflow.
	w := f.worker(t.ID)
	workers := []string{w.ID}
	for c := f.next(reader); c.ID != w.ID; c = f.next(reader) {
		if c.Kind == baas.ChangeResync { // it fell behind as well, and may have missed the last
			w = f.worker(t.ID)
			workers = append(workers, w.ID)
		}
	}
	for _, ch := range []<-chan baas.Change{slow, fast} {
		got := 0
		for f.next(ch).Kind != baas.ChangeResync {
			got++
		}
		if got == 0 || got > n {
			f.Fatalf("got %d changes before the resync", got)
		}
	}
	// After that, changes arrive again. Those of the Workers may still be on their way.
	last := f.worker(t.ID)
	for {
		c := f.next(slow)
		if c.ID == last.ID {
			return
		}
		if c.Kind != "event" && !slices.Contains(workers, c.ID) && c.Kind != baas.ChangeResync {
			f.Fatalf("unexpected change %+v", c)
		}
	}
}

// testTotals does random things and compares the totals with a count.
func testTotals(f *fixture) {
	rapid.Check(f.T, func(r *rapid.T) {
		t := f.tenant()
		var ws []baas.Worker
		var bs []baas.Bot
		var want baas.Totals
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(r, "which") }
		size := func() baas.Size {
			return baas.Size{CPUMillis: rapid.Int64Range(100, 64000).Draw(r, "cpu"), MemoryMiB: rapid.Int64Range(64, 9999).Draw(r, "memory"), DiskGiB: rapid.Int64Range(1, 99).Draw(r, "disk")}
		}
		resized := func(n int, s baas.Size) {
			k := int64(n)
			want.CPUMillis, want.MemoryMiB, want.DiskGiB = want.CPUMillis+k*s.CPUMillis, want.MemoryMiB+k*s.MemoryMiB, want.DiskGiB+k*s.DiskGiB
		}
		r.Repeat(map[string]func(*rapid.T){
			"create Worker": func(*rapid.T) {
				w := f.newWorker(t.ID)
				w.Size = size()
				f.update(t.ID, func(tx baas.TenantTx) error { return tx.Workers().Create(f.ctx, w) })
				ws = append(ws, w)
				want.Workers++
				resized(1, w.Size)
			},
			"resize Worker": func(r *rapid.T) {
				if len(ws) == 0 {
					return
				}
				i := pick(len(ws))
				resized(-1, ws[i].Size)
				ws[i].Size = size()
				resized(1, ws[i].Size)
				f.update(t.ID, func(tx baas.TenantTx) (err error) {
					ws[i], err = tx.Workers().Update(f.ctx, ws[i])
					return err
				})
			},
			"delete Worker": func(r *rapid.T) {
				if len(ws) == 0 {
					return
				}
				i := pick(len(ws))
				err := f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error { return tx.Workers().Delete(f.ctx, ws[i].ID) })
				for _, b := range bs {
					if b.WorkerID == ws[i].ID {
						f.wants(baas.ErrConflict, err)
						return
					}
				}
				f.ok(err)
				resized(-1, ws[i].Size)
				want.Workers--
				ws = append(ws[:i], ws[i+1:]...)
			},
			"create bot": func(r *rapid.T) {
				if len(ws) == 0 {
					return
				}
				bs = append(bs, f.bot(t.ID, ws[pick(len(ws))].ID))
				want.Bots++
			},
			"delete bot": func(r *rapid.T) {
				if len(bs) == 0 {
					return
				}
				i := pick(len(bs))
				f.update(t.ID, func(tx baas.TenantTx) error { return tx.Bots().Delete(f.ctx, bs[i].ID) })
				bs = append(bs[:i], bs[i+1:]...)
				want.Bots--
			},
			"member comes": func(*rapid.T) {
				f.member(t.ID, baas.RoleViewer)
				want.Members++
			},
			"fail": func(*rapid.T) {
				f.wants(baas.ErrConflict, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
					f.ok(tx.Workers().Create(f.ctx, f.newWorker(t.ID)))
					return baas.ErrConflict
				}))
			},
			"": func(*rapid.T) { f.equal(f.totals(t.ID), want) },
		})
		f.system(func(tx baas.SystemTx) error { return tx.Tenants().Delete(f.ctx, t.ID) })
	})
}
