package sealing_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/sealing"
	"github.com/baas-platform/baas/internal/store"
)

var ctx = context.Background()

// key makes a master key of one repeated byte.
func key(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

func parse(t testing.TB, text string) *sealing.Keys {
	t.Helper()
	k, err := sealing.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k *sealing.Keys, id, plaintext string) []byte {
	t.Helper()
	sealed, err := k.Seal(ctx, id, []byte(plaintext))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealOpen(t *testing.T) {
	k := parse(t, key(1))
	rapid.Check(t, func(r *rapid.T) {
		id, plaintext := rapid.String().Draw(r, "id"), rapid.SliceOf(rapid.Byte()).Draw(r, "plaintext")
		sealed, err := k.Seal(ctx, id, plaintext)
		if err != nil {
			r.Fatal(err)
		}
		if len(plaintext) >= 8 && bytes.Contains(sealed, plaintext) {
			r.Fatal("the sealed value holds the plain one")
		}
		got, err := k.Open(ctx, id, sealed)
		if err != nil || !bytes.Equal(got, plaintext) {
			r.Fatalf("got %q and %v", got, err)
		}
	})
	if bytes.Equal(seal(t, k, "sec_1", "value"), seal(t, k, "sec_1", "value")) {
		t.Fatal("sealing twice gives the same bytes: values can be compared without the key")
	}
}

func TestRefused(t *testing.T) {
	k := parse(t, key(1))
	sealed := seal(t, k, "sec_1", "value")
	refuse := func(what string, k *sealing.Keys, id string, sealed []byte) {
		t.Helper()
		if got, err := k.Open(ctx, id, sealed); !errors.Is(err, sealing.ErrOpen) || got != nil {
			t.Fatalf("%s: got %q and %v", what, got, err)
		}
	}
	refuse("another id", k, "sec_2", sealed)
	refuse("another key", parse(t, key(2)), "sec_1", sealed)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refuse("a changed bit", k, "sec_1", changed)
		refuse("a cut end", k, "sec_1", sealed[:i])
	}
	refuse("bytes behind", k, "sec_1", append(bytes.Clone(sealed), 0))
	refuse("nothing", k, "sec_1", nil)
}

func FuzzOpen(f *testing.F) {
	k := parse(f, key(1))
	f.Add([]byte{0, 0, 0, 200, 1})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := k.Open(ctx, "sec_1", sealed); !errors.Is(err, sealing.ErrOpen) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestRing(t *testing.T) {
	old, both := parse(t, key(1)), parse(t, "# new\n"+key(2)+"\n\n"+key(1)+"\n")
	for _, k := range []*sealing.Keys{both, parse(t, key(2)+","+key(1))} {
		if got, err := k.Open(ctx, "sec_1", seal(t, old, "sec_1", "value")); err != nil || string(got) != "value" {
			t.Fatalf("got %q and %v", got, err)
		}
	}
	sealed := seal(t, both, "sec_1", "value")
	if _, err := old.Open(ctx, "sec_1", sealed); !errors.Is(err, sealing.ErrOpen) {
		t.Fatal("the old key opens what the new one sealed")
	}
	if got, err := parse(t, key(2)).Open(ctx, "sec_1", sealed); err != nil || string(got) != "value" {
		t.Fatalf("got %q and %v", got, err)
	}
}

func TestDerive(t *testing.T) {
	k := parse(t, key(1))
	preview := k.Derive("preview")
	if len(preview) != 32 || bytes.Equal(preview, k.Derive("other")) || bytes.Equal(preview, bytes.Repeat([]byte{1}, 32)) {
		t.Fatal("derived keys must be 32 bytes and differ from each other and from the master key")
	}
	if !bytes.Equal(preview, parse(t, key(2)+"\n"+key(1)).Derive("preview")) {
		t.Fatal("a rotation changed a derived key")
	}
	if bytes.Equal(preview, parse(t, key(2)).Derive("preview")) {
		t.Fatal("another master key derives the same")
	}
}

func TestBadKeys(t *testing.T) {
	for _, text := range []string{"", "  \n# only a comment\n", "password", key(1) + "A", key(1)[:40], key(1) + "\n" + key(1), base64.StdEncoding.EncodeToString(make([]byte, 16))} {
		_, err := sealing.Parse(text)
		if err == nil {
			t.Fatalf("%q was accepted", text)
		}
		for _, word := range strings.Fields(text) {
			if len(word) > 6 && strings.Contains(err.Error(), word) {
				t.Fatalf("the error quotes a key: %v", err)
			}
		}
	}
	if _, err := sealing.Load(ctx, sealing.Config{}); err == nil {
		t.Fatal("no keys at all were accepted")
	}
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "master.key")
	// Several processes begin at once: one file, one key.
	sealed := make([][]byte, 10)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			k, err := sealing.Load(ctx, sealing.Config{File: file})
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i], err = k.Seal(ctx, "sec_1", []byte("value"))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Fatalf("the file has mode %v", info.Mode())
	}
	if err := sealing.AddKey(file); err != nil {
		t.Fatal(err)
	}
	k, err := sealing.Load(ctx, sealing.Config{File: file})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sealed {
		if got, err := k.Open(ctx, "sec_1", s); err != nil || string(got) != "value" {
			t.Fatalf("got %q and %v", got, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Fatalf("files were left behind: %v, %v", entries, err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sealing.Load(ctx, sealing.Config{File: file}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("a file that everybody reads: %v", err)
	}
	// The environment wins.
	if _, err := sealing.Load(ctx, sealing.Config{File: file, Value: key(3)}); err != nil {
		t.Fatal(err)
	}
}

func TestRotate(t *testing.T) {
	s, err := store.Open(ctx, store.Config{URL: filepath.Join(t.TempDir(), "baas.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	old, both := parse(t, key(1)), parse(t, key(2)+"\n"+key(1))
	tenant := baas.NewID(baas.PrefixTenant)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := s.System().Update(ctx, func(tx baas.SystemTx) error {
		return tx.Tenants().Create(ctx, baas.Tenant{ID: tenant, Slug: "a", Name: "A", Plan: baas.PlanFree, Status: baas.TenantActive, Version: 1})
	}); err != nil {
		t.Fatal(err)
	}
	const n = 250 // more than two pages
	ids := make([]string, n)
	if err := s.Tenant(tenant).Update(ctx, func(tx baas.TenantTx) error {
		for i := range ids {
			ids[i] = baas.NewID(baas.PrefixSecret)
			by := old
			if i%10 == 0 {
				by = both // done before an interruption
			}
			if err := tx.Secrets().Put(ctx, baas.Secret{ID: ids[i], Name: "S" + ids[i], Sealed: seal(t, by, ids[i], "value of "+ids[i]), CreatedAt: now, UpdatedAt: now}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := sealing.Rotate(ctx, s, parse(t, key(2))); !errors.Is(err, sealing.ErrOpen) {
		t.Fatalf("without the old key: %v", err)
	}
	for _, want := range []int{n - n/10, 0} {
		got, err := sealing.Rotate(ctx, s, both)
		if err != nil || got != want {
			t.Fatalf("resealed %d, %v; want %d", got, err, want)
		}
	}
	alone := parse(t, key(2))
	if err := s.Tenant(tenant).View(ctx, func(tx baas.TenantTx) error {
		for _, id := range ids {
			secret, err := tx.Secrets().Get(ctx, id)
			if err != nil {
				return err
			}
			if got, err := alone.Open(ctx, id, secret.Sealed); err != nil || string(got) != "value of "+id {
				t.Fatalf("%s: got %q and %v", id, got, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
