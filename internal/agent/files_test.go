package agent_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

func artifact(format baas.ArchiveFormat, b []byte) baas.Artifact {
	return baas.Artifact{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(b)), Size: int64(len(b)), Format: format}
}

func tarGz(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	tw := tar.NewWriter(gz)
	for _, h := range entries {
		body := h.PAXRecords["BODY.text"]
		h.PAXRecords = nil
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(body))
		}
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func entry(name string, mode int64, body string) tar.Header {
	return tar.Header{Name: name, Mode: mode, PAXRecords: map[string]string{"BODY.text": body}}
}

func zipped(t *testing.T, name, body string) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	w, err := zw.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestProgramWaitsForFilesAndRunsInThem(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	exe, _ := os.Executable()
	first := tarGz(t, entry("run.sh", 0o4777, "#!/bin/sh\nexec "+exe+"\n"), entry("./sub/data.txt", 0o600, "v1"))
	a := artifact(baas.FormatTarGz, first)
	d := program(t, "bot_1", "serve", freePort(t))
	d.Command, d.Files = []string{"run.sh"}, &a
	w.run(d)
	b := w.until("bot_1", "pending", state(baas.BotPending))
	if b.FilesDigest != "" || !strings.Contains(b.Reason, "files") {
		t.Fatalf("status %+v", b)
	}
	if err := w.client().PutFiles(w.ctx(), "bot_1", a, bytes.NewReader(first)); err != nil {
		t.Fatal(err)
	}
	b = w.until("bot_1", "running", state(baas.BotRunning))
	if b.FilesDigest != a.Digest {
		t.Fatalf("files %s", b.FilesDigest)
	}
	_, cwd := w.get("bot_1", "/cwd")
	if got, err := os.ReadFile(filepath.Join(cwd, "sub/data.txt")); err != nil || string(got) != "v1" {
		t.Fatalf("%q %v", got, err)
	}
	st, err := os.Stat(filepath.Join(cwd, "run.sh"))
	if err != nil || st.Mode() != 0o755 {
		t.Fatalf("mode %v %v: setuid and write for others must be gone", st.Mode(), err)
	}

	// New files: it goes on with the old ones until the new are there, and is then restarted on them.
	second := zipped(t, "sub/data.txt", "v2")
	a2 := artifact(baas.FormatZip, second)
	d.Command, d.Files = []string{exe}, &a2
	old := b.PID
	s := w.run(d)
	if s.Bots[0].FilesDigest != a.Digest {
		t.Fatal("unexpected files", s.Bots[0].FilesDigest)
	}
	if err := w.client().PutFiles(w.ctx(), "bot_1", a2, bytes.NewReader(second)); err != nil {
		t.Fatal(err)
	}
	w.until("bot_1", "running on the new files", func(b agentapi.BotStatus) bool {
		return b.State == baas.BotRunning && b.FilesDigest == a2.Digest && b.PID != old
	})
	_, cwd2 := w.get("bot_1", "/cwd")
	if got, err := os.ReadFile(filepath.Join(cwd2, "sub/data.txt")); err != nil || string(got) != "v2" {
		t.Fatalf("%q %v", got, err)
	}
	if _, err := os.Stat(cwd); !os.IsNotExist(err) {
		t.Error("the old files are still there")
	}
}

func TestBadFilesAreRefused(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	good := tarGz(t, entry("a", 0o644, "x"))
	put := func(a baas.Artifact, b []byte) error {
		return w.client().PutFiles(w.ctx(), "bot_1", a, bytes.NewReader(b))
	}
	wrong := artifact(baas.FormatTarGz, good)
	wrong.Digest = "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		a    baas.Artifact
		b    []byte
		want error
	}{
		"digest":       {wrong, good, baas.ErrInvalid},
		"digest form":  {baas.Artifact{Digest: "sha256:../../x", Format: baas.FormatZip}, good, baas.ErrInvalid},
		"format":       {artifact("rar", good), good, baas.ErrInvalid},
		"not gzip":     {artifact(baas.FormatTarGz, []byte("hello")), []byte("hello"), baas.ErrInvalid},
		"not zip":      {artifact(baas.FormatZip, []byte("hello")), []byte("hello"), baas.ErrInvalid},
		"cut short":    {artifact(baas.FormatTarGz, good[:len(good)/2]), good[:len(good)/2], baas.ErrInvalid},
		"leads out":    {artifact(baas.FormatZip, zipped(t, "../../evil", "x")), zipped(t, "../../evil", "x"), baas.ErrInvalid},
		"to the root":  {artifact(baas.FormatZip, zipped(t, "/etc/evil", "x")), zipped(t, "/etc/evil", "x"), baas.ErrInvalid},
		"a conflict":   {artifact(baas.FormatTarGz, tarGz(t, entry("a", 0o644, ""), entry("a/b", 0o644, ""))), tarGz(t, entry("a", 0o644, ""), entry("a/b", 0o644, "")), baas.ErrInvalid},
		"a device":     {artifact(baas.FormatTarGz, tarGz(t, tar.Header{Name: "d", Typeflag: tar.TypeChar})), tarGz(t, tar.Header{Name: "d", Typeflag: tar.TypeChar}), baas.ErrInvalid},
		"link outside": {artifact(baas.FormatTarGz, tarGz(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../../../agent"})), tarGz(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../../../agent"}), baas.ErrInvalid},
	} {
		if err := put(c.a, c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(w.data, "agent/tmp")); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	s, err := w.client().Status(w.ctx())
	if err != nil || len(s.Stored) != 0 {
		t.Errorf("a refused archive made a directory: %v %v", s.Stored, err)
	}
}

func TestMoveCarriesDirectory(t *testing.T) {
	p := newPlatform(t)
	from, to := p.newWorker(t, "wrk_1"), p.newWorker(t, "wrk_2")
	d := program(t, "bot_1", "serve", freePort(t))
	from.run(d)
	from.until("bot_1", "running", state(baas.BotRunning))
	req, _ := http.NewRequest(http.MethodPost, "http://bot/write?name=memory", strings.NewReader("what I know"))
	res, err := from.client().BotTransport("bot_1").RoundTrip(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err, res)
	}
	res.Body.Close()
	// A bot's own links are carried as they are, and never followed.
	if err := os.Symlink("/usr/bin/python3", filepath.Join(from.data, "bots/bot_1/data/python")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := from.client().Export(from.ctx(), "bot_1"); !errors.Is(err, baas.ErrConflict) {
		t.Fatalf("exported while it runs: %v", err)
	}
	d.Held = true
	from.run(d)
	b := from.until("bot_1", "held", func(b agentapi.BotStatus) bool { return b.Held })
	if b.State != baas.BotStopped || len(from.processes("bot_1")) != 0 {
		t.Fatalf("held: %+v, processes %v", b, from.processes("bot_1"))
	}
	body, size, err := from.client().Export(from.ctx(), "bot_1")
	if err != nil || size == 0 {
		t.Fatal(size, err)
	}
	// While it is exported it doesn't start, even when told to.
	back := d
	back.Held = false
	if err := to.client().Import(to.ctx(), "bot_1", body); err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := to.client().Status(to.ctx()); err != nil || fmt.Sprint(s.Stored) != "[bot_1]" {
		t.Fatal(s.Stored, err)
	}
	from.run()
	to.run(back)
	to.until("bot_1", "running", state(baas.BotRunning))
	if code, got := to.get("bot_1", "/kept?name=memory"); code != 200 || got != "what I know" {
		t.Fatalf("%d %q", code, got)
	}
	if l, err := os.Readlink(filepath.Join(to.data, "bots/bot_1/data/python")); err != nil || l != "/usr/bin/python3" {
		t.Error(l, err)
	}
	// The log came along.
	found := false
	for l, err := range to.client().Logs(to.ctx(), "bot_1", agentapi.LogQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(l.Text, "moved to another Worker")
	}
	if !found {
		t.Error("the log did not come along")
	}
	for range 2 {
		if err := from.client().DeleteBot(from.ctx(), "bot_1"); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := from.client().Status(from.ctx()); err != nil || len(s.Stored) != 0 {
		t.Fatal(s.Stored, err)
	}
	if err := to.client().DeleteBot(to.ctx(), "bot_1"); !errors.Is(err, baas.ErrConflict) {
		t.Errorf("deleted what should run: %v", err)
	}
	if err := to.client().Import(to.ctx(), "bot_1", strings.NewReader("")); !errors.Is(err, baas.ErrConflict) {
		t.Errorf("imported over what runs: %v", err)
	}
}

func TestInterruptedImportChangesNothing(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	dir := filepath.Join(w.data, "bots/bot_1/data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := tarGz(t, entry("data/new", 0o600, strings.Repeat("n", 100000)))
	gz, err := gzip.NewReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client().Import(w.ctx(), "bot_1", bytes.NewReader(plain[:50000])); !errors.Is(err, baas.ErrInvalid) {
		t.Errorf("cut short: %v", err)
	}
	broken := errors.New("source broke")
	if err := w.client().Import(w.ctx(), "bot_1", io.MultiReader(bytes.NewReader(plain[:50000]), errReader{broken})); !errors.Is(err, broken) {
		t.Errorf("source breaks: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "old")); err != nil || string(got) != "old" {
		t.Fatalf("%q %v", got, err)
	}
	if err := w.client().Import(w.ctx(), "bot_1", bytes.NewReader(plain)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "old")); !os.IsNotExist(err) {
		t.Error("an import must replace the whole")
	}
	w.eventually("temporary files are gone", func() bool {
		left, err := os.ReadDir(filepath.Join(w.data, "agent/tmp"))
		return err == nil && len(left) == 0
	})
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestWebSocketAndBigBodies(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(program(t, "bot_1", "serve", freePort(t)))
	w.until("bot_1", "running", state(baas.BotRunning))
	rt := w.client().BotTransport("bot_1")
	c, _, err := websocket.Dial(w.ctx(), "ws://bot/ws", &websocket.DialOptions{HTTPClient: &http.Client{Transport: rt}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := range 100 {
		msg := strings.Repeat("m", i*50)
		if err := c.Write(w.ctx(), websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(w.ctx()); err != nil || string(got) != msg {
			t.Fatalf("%d: %q %v", i, got, err)
		}
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	req, _ := http.NewRequest(http.MethodPost, "http://bot/echo", bytes.NewReader(big))
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	// The bot's own server refuses to go on reading after it has answered, so its echo may be short; the path must not.
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.HasPrefix(big, got) || len(got) == 0 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if res.Header.Get(agentapi.HeaderError) != "" {
		t.Error("a bot's answer is marked as the agent's")
	}
	w.run()
	w.eventually("bot is stopped", func() bool { return len(w.processes("bot_1")) == 0 })
	// A request that still finds the bot's last connection open is told that it may have reached the bot.
	w.eventually("a stopped bot can't be reached", func() bool {
		req, _ := http.NewRequest(http.MethodGet, "http://bot/", nil)
		res, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		code := res.Header.Get(agentapi.HeaderError)
		if res.StatusCode != 502 || code != string(baas.CodeUnavailable) && code != string(baas.CodeConflict) {
			t.Fatalf("answer for a stopped bot: %d %v", res.StatusCode, res.Header)
		}
		return code == string(baas.CodeUnavailable)
	})
}
