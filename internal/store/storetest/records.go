package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/baas-platform/baas"
)

func testEvents(f *fixture) {
	t := f.tenant()
	event := func(i int) baas.Event {
		return baas.Event{ID: baas.NewID(baas.PrefixEvent), TenantID: t.ID, At: f.now.Add(time.Duration(i) * time.Minute), Kind: baas.EventKind(fmt.Sprintf("kind.%d", i%2)),
			Level: baas.LevelInfo, Message: fmt.Sprintf("Ação %d", i)}
	}
	es := []baas.Event{event(0), event(1), event(2), event(3)}
	es[1].WorkerID, es[1].BotID, es[1].UserID, es[1].Level = "wrk_1", "bot_1", "usr_1", baas.LevelError
	es[1].Data = map[string]any{"attempt": 2.0, "name": "é"}
	es[2].WorkerID = "wrk_2"
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Events().Add(f.ctx, es...) })
	f.view(t.ID, func(tx baas.TenantTx) error {
		got, _, err := tx.Events().List(f.ctx, baas.EventFilter{})
		f.ok(err)
		f.equal(got, []baas.Event{es[3], es[2], es[1], es[0]})
		for _, c := range []struct {
			f    baas.EventFilter
			want []baas.Event
		}{
			{baas.EventFilter{WorkerIDs: []string{}}, []baas.Event{}},
			{baas.EventFilter{WorkerIDs: []string{"wrk_1", "wrk_2"}}, []baas.Event{es[2], es[1]}},
			{baas.EventFilter{BotID: "bot_1"}, []baas.Event{es[1]}},
			{baas.EventFilter{UserIDs: []string{"usr_1", "usr_2"}}, []baas.Event{es[1]}},
			{baas.EventFilter{UserIDs: []string{baas.ByPlatform}}, []baas.Event{es[3], es[2], es[0]}},
			{baas.EventFilter{UserIDs: []string{"usr_1", baas.ByPlatform}, WorkerIDs: []string{"wrk_1", "wrk_2"}}, []baas.Event{es[2], es[1]}},
			{baas.EventFilter{Areas: []baas.Area{"kind"}}, []baas.Event{es[3], es[2], es[1], es[0]}},
			{baas.EventFilter{Areas: []baas.Area{"kin", "k%", "kind.0"}}, []baas.Event{}},
			{baas.EventFilter{Areas: []baas.Area{"worker", "kind"}, Levels: []baas.Level{baas.LevelError}}, []baas.Event{es[1]}},
			{baas.EventFilter{Kinds: []baas.EventKind{"kind.0"}}, []baas.Event{es[2], es[0]}},
			{baas.EventFilter{Levels: []baas.Level{baas.LevelError, baas.LevelWarning}}, []baas.Event{es[1]}},
			{baas.EventFilter{Search: "AÇÃO 3"}, []baas.Event{es[3]}},
			{baas.EventFilter{From: es[1].At, To: es[3].At}, []baas.Event{es[2], es[1]}},
		} {
			got, _, err := tx.Events().List(f.ctx, c.f)
			f.ok(err)
			f.equal(got, c.want)
		}
		return nil
	})
}

func testIdempotency(f *fixture) {
	t, other := f.tenant(), f.tenant()
	r := baas.IdempotencyRecord{Key: "user/usr_1/k", Fingerprint: f.hash(), Result: []byte(`{"id":"x"}`), CreatedAt: f.now}
	f.update(t.ID, func(tx baas.TenantTx) error {
		_, err := tx.Idempotency().Get(f.ctx, r.Key)
		f.wants(baas.ErrNotFound, err)
		f.ok(tx.Idempotency().Put(f.ctx, r))
		f.wants(baas.ErrConflict, tx.Idempotency().Put(f.ctx, r))
		got, err := tx.Idempotency().Get(f.ctx, r.Key)
		f.ok(err)
		f.equal(got, r)
		return nil
	})
	f.update(other.ID, func(tx baas.TenantTx) error { return tx.Idempotency().Put(f.ctx, r) })
}

func testSearch(f *fixture) {
	t := f.tenant()
	names := []string{"100% Fiscal", "100 Fiscal", "a_b", "aXb", `back\slash`, "ÁGUA"}
	for _, n := range names {
		w := f.newWorker(t.ID)
		w.Name = n
		f.update(t.ID, func(tx baas.TenantTx) error { return tx.Workers().Create(f.ctx, w) })
	}
	f.view(t.ID, func(tx baas.TenantTx) error {
		for search, want := range map[string]int{"100%": 1, "%": 1, "_": 1, `\`: 1, "fiscal": 2, "FISCAL": 2, "água": 1, "A": 6, "x": 1, "' OR 1=1 --": 0, "": 6} {
			ws, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{Search: search})
			f.ok(err)
			if len(ws) != want {
				f.Fatalf("search %q: got %d, want %d", search, len(ws), want)
			}
		}
		return nil
	})
}

func testPages(f *fixture) {
	t := f.tenant()
	var want []string
	for range 7 {
		want = append(want, f.worker(t.ID).ID)
		f.update(t.ID, func(tx baas.TenantTx) error {
			return tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now, Kind: "x", Level: baas.LevelInfo, Message: fmt.Sprint(len(want))})
		})
	}
	for limit := 1; limit <= 8; limit++ {
		var got, messages []string
		pages := 0
		for p := (baas.Page{Limit: limit}); ; pages++ {
			var next string
			f.view(t.ID, func(tx baas.TenantTx) error {
				ws, n, err := tx.Workers().List(f.ctx, baas.WorkerFilter{Page: p})
				for _, w := range ws {
					got = append(got, w.ID)
				}
				next = n
				return err
			})
			if p.Cursor = next; next == "" {
				break
			}
		}
		f.equal(got, want)
		f.equal(pages, (7-1)/limit)
		for p := (baas.Page{Limit: limit}); ; {
			f.view(t.ID, func(tx baas.TenantTx) error {
				es, n, err := tx.Events().List(f.ctx, baas.EventFilter{Page: p})
				for _, e := range es {
					messages = append(messages, e.Message)
				}
				p.Cursor = n
				return err
			})
			if p.Cursor == "" {
				break
			}
		}
		f.equal(messages, []string{"7", "6", "5", "4", "3", "2", "1"})
	}
}

func testCursors(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	f.worker(t.ID)
	f.bot(t.ID, w.ID)
	f.bot(t.ID, w.ID)
	f.view(t.ID, func(tx baas.TenantTx) error {
		_, botsCursor, err := tx.Bots().List(f.ctx, baas.BotFilter{Page: baas.Page{Limit: 1}})
		f.ok(err)
		for _, c := range []string{botsCursor, "x", "%%%", "wrk_1", botsCursor + "A", "AAAA", string([]byte{0, 255})} {
			_, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{Page: baas.Page{Cursor: c}})
			f.wants(baas.ErrInvalid, err)
			var e *baas.Error
			if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Field != "cursor" {
				f.Fatalf("cursor %q: the error doesn't name the field: %v", c, err)
			}
		}
		return nil
	})
}

func testPurge(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	u := f.user()
	old, recent := f.now.Add(-100*24*time.Hour), f.now.Add(-time.Hour)
	record := func(at time.Time) {
		_, err := f.recordAt(t.ID, at, []baas.UsageWindow{{WorkerID: w.ID, Start: at.Truncate(time.Minute), Meters: baas.Meters{Requests: 1}}})
		f.ok(err)
	}
	record(f.now.Add(-401 * 24 * time.Hour))
	record(old)
	record(recent)
	f.update(t.ID, func(tx baas.TenantTx) error {
		for _, at := range []time.Time{old, recent} {
			f.ok(tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: at, Kind: "x", Level: baas.LevelInfo}))
			f.ok(tx.Idempotency().Put(f.ctx, baas.IdempotencyRecord{Key: at.String(), CreatedAt: at}))
			f.ok(tx.Invitations().Create(f.ctx, baas.Invitation{ID: baas.NewID(baas.PrefixInvitation), Email: at.String(), Hash: f.hash(), CreatedAt: at, ExpiresAt: at.Add(2 * time.Hour)}))
		}
		return nil
	})
	from, to, b := w, f.worker(t.ID), f.bot(t.ID, w.ID)
	move := func(at time.Time, ended bool) baas.Move {
		m := baas.Move{ID: baas.NewID(baas.PrefixMove), BotID: b.ID, From: from.ID, To: to.ID, Step: baas.MoveRequested, CreatedAt: at}
		f.update(t.ID, func(tx baas.TenantTx) error {
			f.ok(tx.Moves().Create(f.ctx, m))
			if ended {
				m.Step, m.EndedAt = baas.MoveDone, &at
				return tx.Moves().Update(f.ctx, m)
			}
			return nil
		})
		return m
	}
	oldMove, newMove, openMove := move(old, true), move(recent, true), move(old, false)
	live := baas.Session{ID: baas.NewID(baas.PrefixSession), UserID: u.ID, Hash: f.hash(), CreatedAt: old, ExpiresAt: f.now.Add(time.Second)}
	ended := baas.Session{ID: baas.NewID(baas.PrefixSession), UserID: u.ID, Hash: f.hash(), CreatedAt: old, ExpiresAt: f.now}
	f.system(func(tx baas.SystemTx) error {
		f.ok(tx.Sessions().Create(f.ctx, live))
		return tx.Sessions().Create(f.ctx, ended)
	})
	f.equal(f.totals(t.ID).Members, 2)
	for more := true; more; {
		f.system(func(tx baas.SystemTx) (err error) {
			more, err = tx.Purge(f.ctx, f.now)
			return err
		})
	}
	f.equal(f.totals(t.ID).Members, 1)
	f.view(t.ID, func(tx baas.TenantTx) error {
		es, _, err := tx.Events().List(f.ctx, baas.EventFilter{})
		f.ok(err)
		f.equal(len(es), 1)
		_, err = tx.Moves().Get(f.ctx, oldMove.ID)
		f.wants(baas.ErrNotFound, err)
		for _, m := range []baas.Move{newMove, openMove} {
			_, err = tx.Moves().Get(f.ctx, m.ID)
			f.ok(err)
		}
		_, err = tx.Idempotency().Get(f.ctx, old.String())
		f.wants(baas.ErrNotFound, err)
		_, err = tx.Idempotency().Get(f.ctx, recent.String())
		f.ok(err)
		for step, want := range map[baas.UsageStep]int{baas.StepMinute: 1, baas.StepHour: 2} {
			ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{From: f.now.Add(-500 * 24 * time.Hour), To: f.now, Step: step})
			f.ok(err)
			if len(ps) != want {
				f.Fatalf("step %s: %d points left, want %d", step, len(ps), want)
			}
		}
		return nil
	})
	f.system(func(tx baas.SystemTx) error {
		_, err := tx.Sessions().ByHash(f.ctx, live.Hash)
		f.ok(err)
		_, err = tx.Sessions().ByHash(f.ctx, ended.Hash)
		f.wants(baas.ErrNotFound, err)
		return nil
	})

	// Each call does a bounded amount of work.
	many := make([]baas.Event, 5000)
	for i := range many {
		many[i] = baas.Event{ID: baas.NewID(baas.PrefixEvent), At: old, Kind: "x", Level: baas.LevelInfo}
	}
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Events().Add(f.ctx, many...) })
	calls := 0
	for more := true; more; calls++ {
		f.system(func(tx baas.SystemTx) (err error) {
			more, err = tx.Purge(f.ctx, f.now)
			return err
		})
	}
	if calls < 2 {
		f.Fatal("one call purged 5000 events")
	}
	f.view(t.ID, func(tx baas.TenantTx) error {
		es, _, err := tx.Events().List(f.ctx, baas.EventFilter{})
		f.ok(err)
		f.equal(len(es), 1)
		return nil
	})
}

func (f *fixture) recordAt(tenant string, now time.Time, ws []baas.UsageWindow) (late int, err error) {
	err = f.s.Tenant(tenant).Update(f.ctx, func(tx baas.TenantTx) error {
		late, err = tx.Usage().Record(f.ctx, now, ws)
		return err
	})
	return late, err
}
