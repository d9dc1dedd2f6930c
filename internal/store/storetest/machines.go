package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing/iotest"
	"time"

	"github.com/baas-platform/baas"
)

func testWorkers(f *fixture) {
	t := f.tenant()
	w := f.newWorker(t.ID)
	retry := f.now.Add(time.Minute)
	w.Image, w.Restarts, w.Revision, w.RevisionHash = "example.com/bot:1", 3, 9, "digest"
	w.Status.NextRetryAt, w.Status.AppliedSize, w.Status.RestartsSeen = &retry, &baas.Size{CPUMillis: 1, MemoryMiB: 2, DiskGiB: 3}, 2
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Workers().Create(f.ctx, w) })
	f.equal(f.totals(t.ID), baas.Totals{Workers: 1, CPUMillis: w.Size.CPUMillis, MemoryMiB: w.Size.MemoryMiB, DiskGiB: w.Size.DiskGiB})
	other := f.worker(t.ID)
	f.update(t.ID, func(tx baas.TenantTx) error {
		got, err := tx.Workers().Get(f.ctx, w.ID)
		f.ok(err)
		f.equal(got, w)
		double := f.newWorker(t.ID)
		double.Name = "FINANCEIRO" + w.Name[len("Financeiro"):]
		f.wants(baas.ErrNameTaken, tx.Workers().Create(f.ctx, double))

		changed := w
		changed.Name, changed.Image, changed.Isolation, changed.Desired, changed.Restarts = "Operações", "", baas.IsolationSandbox, baas.DesiredStopped, 4
		changed.Size, changed.UpdatedAt = baas.Size{CPUMillis: 200, MemoryMiB: 1024, DiskGiB: 1}, f.now.Add(time.Hour)
		withStatus := changed
		withStatus.Status, withStatus.Revision = baas.WorkerStatus{}, 0 // which it doesn't write
		got, err = tx.Workers().Update(f.ctx, withStatus)
		f.ok(err)
		changed.Version = 2
		f.equal(got, changed)
		got, err = tx.Workers().Get(f.ctx, w.ID)
		f.ok(err)
		f.equal(got, changed)

		_, err = tx.Workers().Update(f.ctx, w)
		f.wants(baas.ErrVersionMismatch, err)
		changed.Name = other.Name
		_, err = tx.Workers().Update(f.ctx, changed)
		f.wants(baas.ErrNameTaken, err)
		missing := f.newWorker(t.ID)
		_, err = tx.Workers().Update(f.ctx, missing)
		f.wants(baas.ErrNotFound, err)
		// Another spelling of its own name is free.
		changed.Name = "OPERAÇÕES"
		_, err = tx.Workers().Update(f.ctx, changed)
		f.ok(err)

		f.ok(tx.Workers().SetRevision(f.ctx, w.ID, 10, "other"))
		f.wants(baas.ErrNotFound, tx.Workers().SetRevision(f.ctx, missing.ID, 1, ""))
		got, err = tx.Workers().Get(f.ctx, w.ID)
		f.ok(err)
		f.equal([]any{got.Revision, got.RevisionHash, got.Version}, []any{int64(10), "other", int64(3)})
		return nil
	})
	f.equal(f.totals(t.ID), baas.Totals{Workers: 2, CPUMillis: 200 + other.Size.CPUMillis, MemoryMiB: 1024 + other.Size.MemoryMiB, DiskGiB: 1 + other.Size.DiskGiB})
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.Worker(f.ctx, other.ID)
		f.ok(err)
		f.equal(got, other)
		ws, _, err := tx.Workers(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(len(ws), 2)
		return nil
	})
	f.view(t.ID, func(tx baas.TenantTx) error {
		for _, c := range []struct {
			f    baas.WorkerFilter
			want int
		}{{baas.WorkerFilter{}, 2}, {baas.WorkerFilter{Search: "operaç"}, 1}, {baas.WorkerFilter{States: []baas.WorkerState{baas.WorkerRunning}}, 0},
			{baas.WorkerFilter{States: []baas.WorkerState{baas.WorkerRunning, baas.WorkerPending, baas.WorkerFailed}}, 2},
			{baas.WorkerFilter{IDs: []string{}}, 0}, {baas.WorkerFilter{IDs: []string{other.ID, "wrk_x", "wrk_y"}}, 1}} {
			ws, _, err := tx.Workers().List(f.ctx, c.f)
			f.ok(err)
			if len(ws) != c.want {
				f.Fatalf("%+v: got %d Workers, want %d", c.f, len(ws), c.want)
			}
		}
		return nil
	})
}

func testWorkerStatus(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	changes := f.subscribe(f.ctx)
	set := func(s baas.WorkerStatus) {
		f.Helper()
		f.update(t.ID, func(tx baas.TenantTx) error { return tx.Workers().SetStatus(f.ctx, w.ID, s) })
	}
	seen := f.now
	s := baas.WorkerStatus{State: baas.WorkerRunning, Reason: "runs", Since: f.now, AgentVersion: "1", LastSeenAt: &seen, RestartsSeen: 5}
	set(s)
	f.equal(f.next(changes), baas.Change{TenantID: t.ID, Kind: "worker", ID: w.ID, WorkerID: w.ID})
	set(s) // changes nothing
	later := seen.Add(time.Minute)
	s.LastSeenAt = &later
	set(s) // changes what nobody waits for
	s.RestartsSeen = 6
	set(s)
	f.equal(f.next(changes).Kind, "worker")
	f.member(t.ID, baas.RoleViewer)
	f.equal(f.next(changes).Kind, "member") // and nothing before
	f.view(t.ID, func(tx baas.TenantTx) error {
		got, err := tx.Workers().Get(f.ctx, w.ID)
		f.ok(err)
		f.equal(got.Status, s)
		f.equal(got.Version, w.Version)
		ws, _, err := tx.Workers().List(f.ctx, baas.WorkerFilter{States: []baas.WorkerState{baas.WorkerRunning}})
		f.ok(err)
		f.equal(len(ws), 1)
		return nil
	})
	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Workers().SetStatus(f.ctx, baas.NewID(baas.PrefixWorker), s)
	}))
}

func testWorkerDelete(f *fixture) {
	t := f.tenant()
	w := f.worker(t.ID)
	b := f.bot(t.ID, w.ID)
	minute := f.now.Truncate(time.Minute)
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Events().Add(f.ctx, baas.Event{ID: baas.NewID(baas.PrefixEvent), At: f.now, Kind: "bot.created", Level: baas.LevelInfo, WorkerID: w.ID, BotID: b.ID}))
		_, err := tx.Usage().Record(f.ctx, f.now, []baas.UsageWindow{{WorkerID: w.ID, Start: minute, Meters: baas.Meters{CPUMillis: 1}}})
		f.ok(err)
		f.wants(baas.ErrConflict, tx.Workers().Delete(f.ctx, w.ID))
		f.ok(tx.Bots().Delete(f.ctx, b.ID))
		f.ok(tx.Workers().Delete(f.ctx, w.ID))
		f.wants(baas.ErrNotFound, tx.Workers().Delete(f.ctx, w.ID))
		return nil
	})
	f.equal(f.totals(t.ID), baas.Totals{})
	f.view(t.ID, func(tx baas.TenantTx) error {
		es, _, err := tx.Events().List(f.ctx, baas.EventFilter{WorkerIDs: []string{w.ID}})
		f.ok(err)
		f.equal(len(es), 1)
		ps, err := tx.Usage().Query(f.ctx, baas.UsageQuery{From: minute, To: minute.Add(time.Minute), Step: baas.StepMinute})
		f.ok(err)
		f.equal(len(ps), 1)
		return nil
	})
}

func testBots(f *fixture) {
	t, stranger := f.tenant(), f.tenant()
	w, w2, theirs := f.worker(t.ID), f.worker(t.ID), f.worker(stranger.ID)
	b := f.newBot(t.ID, w.ID)
	b.Assistant.QuickReplies = []string{"Sim", "Não"}
	b.AccessTokenHash, b.MoveID = f.hash(), "mov_x"
	p, err := baas.BotCreate{WorkerID: w.ID, Name: "Programa", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./run"},
		Env: []baas.EnvVar{{Name: "A", Value: "1"}}, Health: &baas.HealthCheck{Command: []string{"true"}}}}.Bot(baas.NewID(baas.PrefixBot), t.ID, f.now)
	f.ok(err)
	code := 137
	p.Status.ExitCode, p.Files = &code, &baas.Artifact{Digest: "sha256:00", Size: 3, Format: baas.FormatZip, UploadedAt: f.now}
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Bots().Create(f.ctx, b))
		f.ok(tx.Bots().Create(f.ctx, p))
		for _, want := range []baas.Bot{b, p} {
			got, err := tx.Bots().Get(f.ctx, want.ID)
			f.ok(err)
			f.equal(got, want)
		}
		double := f.newBot(t.ID, w.ID)
		double.Name = "PROGRAMA"
		f.wants(baas.ErrNameTaken, tx.Bots().Create(f.ctx, double))

		changed := b
		changed.WorkerID, changed.MoveID, changed.Name, changed.Desired, changed.Restarts = w2.ID, "", "Cobrança", baas.DesiredStopped, 1
		changed.Files = &baas.Artifact{Digest: "sha256:11"}
		stale := changed
		stale.Status, stale.AccessTokenHash = baas.BotStatus{}, nil // which it doesn't write
		got, err := tx.Bots().Update(f.ctx, stale)
		f.ok(err)
		changed.Version = 2
		changed.Files.UploadedAt = changed.Files.UploadedAt.UTC()
		f.equal(got, changed)
		_, err = tx.Bots().Update(f.ctx, b)
		f.wants(baas.ErrVersionMismatch, err)
		changed.Name = p.Name
		_, err = tx.Bots().Update(f.ctx, changed)
		f.wants(baas.ErrNameTaken, err)
		_, err = tx.Bots().Update(f.ctx, f.newBot(t.ID, w.ID))
		f.wants(baas.ErrNotFound, err)

		f.ok(tx.Bots().SetAccessToken(f.ctx, b.ID, []byte("hash")))
		f.ok(tx.Bots().SetStatus(f.ctx, b.ID, baas.BotStatus{State: baas.BotRunning, Since: f.now}))
		f.ok(tx.Bots().SetStatus(f.ctx, b.ID, baas.BotStatus{State: baas.BotRunning, Since: f.now}))
		f.wants(baas.ErrNotFound, tx.Bots().SetStatus(f.ctx, baas.NewID(baas.PrefixBot), baas.BotStatus{}))
		f.wants(baas.ErrNotFound, tx.Bots().SetAccessToken(f.ctx, baas.NewID(baas.PrefixBot), nil))
		got, err = tx.Bots().Get(f.ctx, b.ID)
		f.ok(err)
		f.equal([]any{got.Version, string(got.AccessTokenHash), got.Status.State}, []any{int64(2), "hash", baas.BotRunning})
		return nil
	})
	f.equal(f.totals(t.ID).Bots, 2)
	for _, worker := range []string{theirs.ID, baas.NewID(baas.PrefixWorker)} {
		f.wants(baas.ErrInvalid, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error { return tx.Bots().Create(f.ctx, f.newBot(t.ID, worker)) }))
		f.wants(baas.ErrInvalid, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
			moved := p
			moved.WorkerID = worker
			_, err := tx.Bots().Update(f.ctx, moved)
			return err
		}))
	}
	f.view(t.ID, func(tx baas.TenantTx) error {
		for _, c := range []struct {
			f    baas.BotFilter
			want int
		}{{baas.BotFilter{}, 2}, {baas.BotFilter{Search: "COBRANÇA"}, 1}, {baas.BotFilter{WorkerIDs: []string{w2.ID}}, 1}, {baas.BotFilter{WorkerIDs: []string{}}, 0},
			{baas.BotFilter{Kind: baas.BotProgram}, 1}, {baas.BotFilter{States: []baas.BotState{baas.BotRunning}}, 1}} {
			bs, _, err := tx.Bots().List(f.ctx, c.f)
			f.ok(err)
			if len(bs) != c.want {
				f.Fatalf("%+v: got %d bots, want %d", c.f, len(bs), c.want)
			}
		}
		return nil
	})
	f.system(func(tx baas.SystemTx) error {
		got, err := tx.Bot(f.ctx, p.ID)
		f.ok(err)
		f.equal(got, p)
		bs, _, err := tx.Bots(f.ctx, baas.Page{})
		f.ok(err)
		f.equal(len(bs), 2)
		return nil
	})
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Bots().Delete(f.ctx, b.ID))
		f.wants(baas.ErrNotFound, tx.Bots().Delete(f.ctx, b.ID))
		return nil
	})
	f.equal(f.totals(t.ID).Bots, 1)
}

func testMoves(f *fixture) {
	t := f.tenant()
	w, w2 := f.worker(t.ID), f.worker(t.ID)
	b, b2 := f.bot(t.ID, w.ID), f.bot(t.ID, w.ID)
	move := func(bot string) baas.Move {
		return baas.Move{ID: baas.NewID(baas.PrefixMove), TenantID: t.ID, BotID: bot, From: w.ID, To: w2.ID, Step: baas.MoveRequested,
			CreatedAt: f.now, UpdatedAt: f.now, DeadlineAt: f.now.Add(time.Hour)}
	}
	m, m2 := move(b.ID), move(b2.ID)
	f.update(t.ID, func(tx baas.TenantTx) error {
		f.ok(tx.Moves().Create(f.ctx, m))
		f.wants(baas.ErrConflict, tx.Moves().Create(f.ctx, move(b.ID)))
		f.ok(tx.Moves().Create(f.ctx, m2))
		got, err := tx.Moves().Get(f.ctx, m.ID)
		f.ok(err)
		f.equal(got, m)
		ms, err := tx.Moves().Active(f.ctx, w2.ID)
		f.ok(err)
		f.equal(ms, []baas.Move{m, m2})
		m.Step, m.Reason, m.Bytes, m.EndedAt = baas.MoveFailed, "no room", 42, &f.now
		f.ok(tx.Moves().Update(f.ctx, m))
		ms, err = tx.Moves().Active(f.ctx, "")
		f.ok(err)
		f.equal(ms, []baas.Move{m2})
		again := move(b.ID)
		f.ok(tx.Moves().Create(f.ctx, again))
		ms, _, err = tx.Moves().List(f.ctx, b.ID, baas.Page{})
		f.ok(err)
		f.equal(ms, []baas.Move{again, m})
		ms, _, err = tx.Moves().List(f.ctx, "", baas.Page{})
		f.ok(err)
		f.equal(len(ms), 3)
		ms, err = tx.Moves().Active(f.ctx, baas.NewID(baas.PrefixWorker))
		f.ok(err)
		f.equal(len(ms), 0)
		f.wants(baas.ErrNotFound, tx.Moves().Update(f.ctx, move(b.ID)))
		return nil
	})
	f.system(func(tx baas.SystemTx) error {
		ms, err := tx.ActiveMoves(f.ctx)
		f.ok(err)
		f.equal(len(ms), 2)
		return nil
	})
	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error { return tx.Moves().Create(f.ctx, move(baas.NewID(baas.PrefixBot))) }))
}

func testArtifacts(f *fixture) {
	t := f.tenant()
	b := f.bot(t.ID, f.worker(t.ID).ID)
	archive := func(size int, seed byte) (baas.Artifact, []byte) {
		data := bytes.Repeat([]byte{seed, 1, 2, 3, 5}, size/5+1)[:size]
		sum := sha256.Sum256(data)
		return baas.Artifact{Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(size), Format: baas.FormatTarGz, UploadedAt: f.now}, data
	}
	open := func(digest string) (r io.ReadCloser, err error) {
		err = f.s.Tenant(t.ID).View(f.ctx, func(tx baas.TenantTx) error {
			r, err = tx.Artifacts().Open(f.ctx, b.ID, digest)
			return err
		})
		return r, err
	}
	var last baas.Artifact
	var lastData []byte
	for i, size := range []int{0, 1, 1 << 20, 1<<20 + 1, 3<<20 - 7} {
		a, data := archive(size, byte(i))
		f.update(t.ID, func(tx baas.TenantTx) error {
			return tx.Artifacts().Put(f.ctx, b.ID, a, iotest.HalfReader(bytes.NewReader(data)))
		})
		r, err := open(a.Digest)
		f.ok(err)
		got, err := io.ReadAll(r)
		f.ok(err)
		f.ok(r.Close())
		if !bytes.Equal(got, data) {
			f.Fatalf("an archive of %d bytes came back different", size)
		}
		if size > 1 {
			_, err = open(last.Digest)
			f.wants(baas.ErrNotFound, err)
		}
		last, lastData = a, data
	}
	// What is not what was announced, or stops on the way, leaves the archive as it was.
	a, data := archive(1<<20, 99)
	wrong := a
	wrong.Digest = last.Digest
	f.wants(baas.ErrInvalid, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error { return tx.Artifacts().Put(f.ctx, b.ID, wrong, bytes.NewReader(data)) }))
	f.wants(io.ErrNoProgress, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Artifacts().Put(f.ctx, b.ID, a, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrNoProgress)))
	}))
	r, err := open(last.Digest)
	f.ok(err)
	if err := iotest.TestReader(r, lastData); err != nil {
		f.Fatal(err)
	}
	// A reader of an archive that is replaced meanwhile says so instead of mixing the two.
	r, err = open(last.Digest)
	f.ok(err)
	_, err = io.ReadFull(r, make([]byte, 1<<20))
	f.ok(err)
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Artifacts().Put(f.ctx, b.ID, a, bytes.NewReader(data)) })
	_, err = io.ReadAll(r)
	f.wants(baas.ErrNotFound, err)

	f.wants(baas.ErrNotFound, f.s.Tenant(t.ID).Update(f.ctx, func(tx baas.TenantTx) error {
		return tx.Artifacts().Put(f.ctx, baas.NewID(baas.PrefixBot), a, bytes.NewReader(data))
	}))
	f.update(t.ID, func(tx baas.TenantTx) error { return tx.Bots().Delete(f.ctx, b.ID) })
	_, err = open(a.Digest)
	f.wants(baas.ErrNotFound, err)
}
