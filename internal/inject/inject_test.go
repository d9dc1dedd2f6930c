package inject

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func hash(t *testing.T, path string) [32]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func TestRunCopiesTheProgram(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "baas")
	for range 2 { // also over one that is there
		if err := Run([]string{path}); err != nil {
			t.Fatal(err)
		}
	}
	if hash(t, path) != hash(t, "/proc/self/exe") {
		t.Error("the copy differs")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("mode: %v %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left beside it: %v %v", entries, err)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"relative"}, {"/a", "/b"}, {filepath.Join(t.TempDir(), "missing", "baas")}} {
		if err := Run(args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
