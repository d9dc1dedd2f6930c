package agent

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

func tarOf(t testing.TB, hs ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range hs {
		body := []byte("content")
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(body))
		}
		h.Mode = 0o777
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(body); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
func sym(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}
func hard(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
}
func folder(name string) tar.Header          { return tar.Header{Typeflag: tar.TypeDir, Name: name} }
func special(name string, k byte) tar.Header { return tar.Header{Typeflag: k, Name: name} }

// unpackInto unpacks b in a directory whose parent holds a file that no archive may touch.
func unpackInto(t testing.TB, b []byte, max bounds, keep bool) (dir string, err error) {
	t.Helper()
	outer := t.TempDir()
	if err := os.WriteFile(filepath.Join(outer, "secret"), []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(outer, "in")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	u, err := newUnpacker(dir, max, keep)
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	err = u.tar(bytes.NewReader(b))
	got, rerr := os.ReadFile(filepath.Join(outer, "secret"))
	entries, derr := os.ReadDir(outer)
	if rerr != nil || string(got) != "untouched" || derr != nil || len(entries) != 2 {
		t.Fatalf("it reached out: %q %v, %v %v", got, rerr, entries, derr)
	}
	return dir, err
}

var roomy = bounds{1 << 20, 1000}

func TestAttacksAreRefused(t *testing.T) {
	for name, hs := range map[string][]tar.Header{
		"parent":                 {file("../secret")},
		"parent in the middle":   {file("a/../../secret")},
		"absolute":               {file("/tmp/secret")},
		"backslash":              {file(`..\secret`)},
		"through a link":         {sym("l", ".."), file("l/secret")},
		"link, absolute":         {sym("l", "/etc")},
		"link up":                {sym("a/l", "../../secret")},
		"link over a link":       {sym("a", "b/.."), sym("b", "../in")},
		"link chain out":         {folder("d"), sym("d/up", ".."), sym("x", "d/up/../secret")},
		"link circle":            {sym("a", "b"), sym("b", "a")},
		"hard link out":          {hard("h", "../secret")},
		"hard link to a symlink": {sym("l", "../secret"), hard("h", "l")},
		"hard link to nothing":   {hard("h", "nothing")},
		"device":                 {special("d", tar.TypeBlock)},
		"fifo":                   {special("p", tar.TypeFifo)},
		"file as a directory":    {file("a"), file("a/b")},
		"name too long":          {file(string(bytes.Repeat([]byte("n"), 300)))},
	} {
		_, err := unpackInto(t, tarOf(t, hs...), roomy, false)
		if !errors.Is(err, baas.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGoodArchiveKeepsLinks(t *testing.T) {
	dir, err := unpackInto(t, tarOf(t, folder("lib"), file("lib/a.so.1"), sym("lib/a.so", "a.so.1"), hard("copy", "lib/a.so.1"), file("./x/y/z"), file("x/y/z")), roomy, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"lib/a.so", "copy", "x/y/z"} {
		if b, err := os.ReadFile(filepath.Join(dir, p)); err != nil || string(b) != "content" {
			t.Errorf("%s: %q %v", p, b, err)
		}
	}
	if st, err := os.Lstat(filepath.Join(dir, "lib/a.so")); err != nil || st.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v %v", st.Mode(), err)
	}
}

func TestBoundsOfArchives(t *testing.T) {
	three := tarOf(t, file("a"), file("b"), file("c")) // of 7 bytes each
	for _, c := range []struct {
		max  bounds
		want error
	}{
		{bounds{21, 3}, nil}, {bounds{20, 3}, &baas.Error{Code: baas.CodeTooLarge}}, {bounds{21, 2}, &baas.Error{Code: baas.CodeTooLarge}},
	} {
		if _, err := unpackInto(t, three, c.max, false); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.max, err, c.want)
		}
	}
}

func TestBombIsCutOff(t *testing.T) {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.Create("bomb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, 8<<20); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	u, err := newUnpacker(dir, bounds{1 << 20, 10}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	if err := u.zip(bytes.NewReader(b.Bytes()), int64(b.Len())); baas.CodeOf(err) != baas.CodeTooLarge {
		t.Fatal(err)
	}
	if n := treeBytes(dir); n > 1<<20+1 {
		t.Errorf("%d bytes were written", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzUnpackTar(f *testing.F) {
	f.Add(tarOf(f, file("a"), sym("l", "a")), true)
	f.Add(tarOf(f, sym("l", ".."), file("l/x")), false)
	f.Add([]byte("no tar"), false)
	f.Fuzz(func(t *testing.T, b []byte, keep bool) {
		_, err := unpackInto(t, b, bounds{1 << 16, 50}, keep)
		if c := baas.CodeOf(err); err != nil && c != baas.CodeInvalid && c != baas.CodeTooLarge && !isTarError(err) {
			t.Errorf("%v", err)
		}
	})
}

// isTarError tells errors that the tar reader makes of broken input.
func isTarError(err error) bool {
	var pe *fs.PathError
	return !errors.As(err, &pe)
}

func FuzzUnpackZip(f *testing.F) {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := range 3 {
		w, err := zw.Create(fmt.Sprintf("d/%d", i))
		if err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			f.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		u, err := newUnpacker(dir, bounds{1 << 16, 50}, false)
		if err != nil {
			t.Fatal(err)
		}
		defer u.close()
		err = u.zip(bytes.NewReader(b), int64(len(b)))
		if entries, rerr := os.ReadDir(outer); rerr != nil || len(entries) != 1 {
			t.Fatalf("it reached out: %v %v", entries, rerr)
		}
		if n := treeBytes(dir); n > 1<<16+1 {
			t.Fatalf("%d bytes were written", n)
		}
		_ = err
	})
}

func FuzzGzip(f *testing.F) {
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	if _, err := gz.Write(tarOf(f, file("a"))); err != nil {
		f.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		gz, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		plain, err := io.ReadAll(io.LimitReader(gz, 1<<20))
		if err == nil {
			_, _ = unpackInto(t, plain, bounds{1 << 16, 50}, false)
		}
	})
}

func FuzzDesired(f *testing.F) {
	f.Add([]byte(`{"revision":1,"worker_id":"wrk_1","bots":[{"id":"bot_1","run":true,"command":["x"],"env":{"A":"b"},"port":80}]}`))
	f.Add([]byte(`{"revision":1,"bots":[{"id":"../x"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDesired(b)
		if err != nil {
			if !errors.Is(err, baas.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		vol := volume{"/volume"}
		for _, bot := range d.Bots {
			if filepath.Dir(vol.bot(bot.ID)) != vol.bots() {
				t.Fatalf("id %q leaves its place", bot.ID)
			}
			fingerprint(&bot, "")
			environment([]string{"A=b"}, "/", bot.Env, map[string]string{agentapi.EnvBotID: bot.ID})
		}
	})
}
