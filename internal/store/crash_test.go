package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/store"
)

// crashPath in the environment makes the test binary a process that writes to this database until it is killed.
const crashPath = "BAAS_TEST_CRASH_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := writeUntilKilled(path, os.Getenv(crashPath+"_TENANT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled prints the id of every Worker once its creation is acknowledged.
func writeUntilKilled(path, tenant string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{URL: path})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				id, err := createWorker(ctx, s, tenant, baas.NewID(baas.PrefixWorker))
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(id) // one write, so lines don't mix
			}
		}()
	}
	return <-failed
}

// TestKill kills a process in the middle of its writes, again and again, and finds all that it acknowledged.
func TestKill(t *testing.T) {
	path := sqlitePath(t)
	ctx := context.Background()
	tenant := baas.NewID(baas.PrefixTenant)
	first := open(t, path)
	err := first.System().Update(ctx, func(tx baas.SystemTx) error {
		p := baas.Plan{ID: "MANY", Limits: baas.Limits{Workers: 1 << 30, CPUMillis: 1 << 50, MemoryMiB: 1 << 50, DiskGiB: 1 << 50}}
		if err := tx.Plans().Put(ctx, p); err != nil {
			return err
		}
		return tx.Tenants().Create(ctx, baas.Tenant{ID: tenant, Slug: "a", Name: "A", Plan: p.ID, Status: baas.TenantActive, Version: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]bool{}
	for round := 1; round <= 8; round++ {
		for _, id := range killAfter(t, path, tenant, round*37) {
			acknowledged[id] = true
		}
		checkAfterKill(t, path, tenant, acknowledged)
	}
}

// killAfter kills the process once it has acknowledged n Workers, and returns all that it acknowledged.
func killAfter(t *testing.T, path, tenant string, n int) (ids []string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), crashPath+"="+path, crashPath+"_TENANT="+tenant)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill := func() {
		once.Do(func() {
			if err := c.Process.Kill(); err != nil {
				t.Error(err)
			}
		})
	}
	defer kill()
	for lines := bufio.NewScanner(out); lines.Scan(); { // to the end of what it wrote before it died
		if !baas.ValidID(baas.PrefixWorker, lines.Text()) {
			t.Fatalf("unexpected output %q", lines.Text())
		}
		ids = append(ids, lines.Text())
		if len(ids) == n {
			kill()
		}
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the process ended well")
	}
	if len(ids) < n {
		t.Fatalf("the process ended by itself: %s", stderr.String())
	}
	return ids
}

func checkAfterKill(t *testing.T, path, tenant string, acknowledged map[string]bool) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Tenant(tenant).View(ctx, func(tx baas.TenantTx) error {
		there := 0
		for p := (baas.Page{Limit: baas.MaxPageSize}); ; {
			ws, next, err := tx.Workers().List(ctx, baas.WorkerFilter{Page: p})
			if err != nil {
				return err
			}
			there += len(ws)
			if p.Cursor = next; next == "" {
				break
			}
		}
		for id := range acknowledged {
			if _, err := tx.Workers().Get(ctx, id); err != nil {
				t.Errorf("%s was acknowledged: %v", id, err)
			}
		}
		// All of a transaction is there or nothing: a Worker has its count, its event and its outcome.
		n, err := tx.Totals(ctx)
		if err != nil || n.Workers != there {
			t.Errorf("totals say %d, %v; there are %d", n.Workers, err, there)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var integrity string
	var workers, events, outcomes int
	if err := db.QueryRow(`SELECT (SELECT * FROM pragma_integrity_check), (SELECT COUNT(*) FROM workers), (SELECT COUNT(*) FROM events),
		(SELECT COUNT(*) FROM idempotency)`).Scan(&integrity, &workers, &events, &outcomes); err != nil {
		t.Fatal(err)
	}
	if integrity != "ok" || events != workers || outcomes != workers {
		t.Fatalf("integrity: %s; %d Workers, %d events, %d outcomes", integrity, workers, events, outcomes)
	}
}
