package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// answer is a response that was read.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	problem struct {
		Code      baas.Code         `json:"code"`
		Detail    string            `json:"detail"`
		Errors    []baas.FieldError `json:"errors"`
		RequestID string            `json:"request_id"`
	}
}

func (a answer) field(name string) string {
	for _, f := range a.problem.Errors {
		if f.Field == name {
			return f.Message
		}
	}
	return ""
}

// do sends a request with headers as "Name: value".
func do(t *testing.T, method, url, body string, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(a.body, &a.problem); err != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
		if a.problem.RequestID == "" || a.problem.RequestID != res.Header.Get("X-Request-Id") {
			t.Errorf("the problem has the request id %q, the header %q", a.problem.RequestID, res.Header.Get("X-Request-Id"))
		}
	}
	return a
}

func want(t *testing.T, a answer, status int, code baas.Code) {
	t.Helper()
	if a.status != status || a.problem.Code != code {
		t.Fatalf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
}

func TestProblems(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	api := p.URL + httpapi.Prefix
	at := api + "/tenants/" + tenant.Slug
	auth := "Authorization: Bearer " + secret

	a := do(t, "POST", at+"/workers", `{"name":"x","colour":"red"}`, auth)
	want(t, a, 422, baas.CodeInvalid)
	if !strings.Contains(a.field("colour"), "not a field") {
		t.Errorf("an unknown field: %s", a.body)
	}
	a = do(t, "POST", at+"/workers", `{}`, auth)
	want(t, a, 422, baas.CodeInvalid)
	if a.field("name") != "must be given" {
		t.Errorf("a missing field: %s", a.body)
	}
	a = do(t, "POST", at+"/workers", `{"name":"x","size":{"cpu_millis":1,"memory_mib":512,"disk_gib":2}}`, auth)
	want(t, a, 422, baas.CodeInvalid)
	if a.field("size.cpu_millis") == "" {
		t.Errorf("a nested field: %s", a.body)
	}
	a = do(t, "POST", at+"/workers", `{"name":`, auth)
	want(t, a, 400, baas.CodeInvalid)
	a = do(t, "POST", at+"/workers", `<name>`, auth, "Content-Type: application/xml")
	want(t, a, 415, baas.CodeInvalid)
	a = do(t, "POST", at+"/workers", ``, auth)
	want(t, a, 400, baas.CodeInvalid)
	a = do(t, "GET", at+"/workers?stat=running", "", auth)
	want(t, a, 422, baas.CodeInvalid)
	if a.field("stat") == "" {
		t.Errorf("an unknown parameter: %s", a.body)
	}
	a = do(t, "GET", at+"/workers?cursor=nonsense", "", auth)
	want(t, a, 422, baas.CodeInvalid)
	a = do(t, "POST", at+"/workers", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`, auth)
	want(t, a, 413, baas.CodeTooLarge)
	a = do(t, "GET", api+"/nothing", "", auth)
	want(t, a, 404, baas.CodeNotFound)
	a = do(t, "PUT", at+"/workers", "{}", auth)
	if a.status != 405 || a.header.Get("Allow") != "GET, POST" {
		t.Errorf("got %d, Allow %q", a.status, a.header.Get("Allow"))
	}
	a = do(t, "GET", at, "")
	want(t, a, 401, baas.CodeUnauthenticated)
	if a.header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	a = do(t, "GET", at, "", auth, "X-Request-Id: my-request-0001")
	if a.status != 200 || a.header.Get("X-Request-Id") != "my-request-0001" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v", a.status, a.header)
	}
	a = do(t, "GET", at, "", auth, "X-Request-Id: <script>")
	if strings.Contains(a.header.Get("X-Request-Id"), "<") {
		t.Error("a strange request id is repeated")
	}
}

type brokenEngine struct{ error }

func (e brokenEngine) Capabilities(context.Context) (engine.Capabilities, error) {
	return engine.Capabilities{}, e.error
}

// logs keeps what is logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *logs) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestInternalErrorsStayInside(t *testing.T) {
	var l logs
	p := apitest.New(t, apitest.Config{HTTP: httpapi.Config{Log: slog.New(slog.NewTextHandler(&l, nil))}})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	p.App.Engine = brokenEngine{errors.New("dial unix /run/secret-place.sock")}
	a := do(t, "POST", p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/workers", `{"name":"x"}`, "Authorization: Bearer "+secret)
	want(t, a, 500, baas.CodeInternal)
	if bytes.Contains(a.body, []byte("secret-place")) {
		t.Errorf("the cause is shown: %s", a.body)
	}
	if !strings.Contains(l.String(), "secret-place") || !strings.Contains(l.String(), a.problem.RequestID) {
		t.Errorf("the cause isn't logged with the request: %s", l.String())
	}
	if strings.Contains(l.String(), secret) {
		t.Error("a secret is logged")
	}
	p.App.Engine = nil // panics
	a = do(t, "POST", p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/workers", `{"name":"x"}`, "Authorization: Bearer "+secret)
	want(t, a, 500, baas.CodeInternal)
	if !strings.Contains(l.String(), "panicked") {
		t.Error("a panic isn't logged")
	}
}

func TestHeadersOfWrites(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	at := p.URL + httpapi.Prefix + "/tenants/" + tenant.ID + "/workers"
	auth := "Authorization: Bearer " + secret
	first := do(t, "POST", at, `{"name":"x"}`, auth, "Idempotency-Key: a")
	again := do(t, "POST", at, `{"name":"x"}`, auth, "Idempotency-Key: a")
	if first.status != 202 || again.status != 202 || !bytes.Equal(first.body, again.body) || first.header.Get("ETag") != `"1"` {
		t.Fatalf("got %d %s and %d %s", first.status, first.body, again.status, again.body)
	}
	want(t, do(t, "POST", at, `{"name":"y"}`, auth, "Idempotency-Key: a"), 422, baas.CodeIdempotency)
	var w baas.Worker
	if err := json.Unmarshal(first.body, &w); err != nil {
		t.Fatal(err)
	}
	a := do(t, "PATCH", at+"/"+w.ID, `{"name":"z"}`, auth, `If-Match: "1"`)
	if a.status != 200 || a.header.Get("ETag") != `"2"` {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	want(t, do(t, "PATCH", at+"/"+w.ID, `{"name":"z"}`, auth, `If-Match: "1"`), 412, baas.CodeVersionMismatch)
	want(t, do(t, "PATCH", at+"/"+w.ID, `{"name":"z"}`, auth, `If-Match: nonsense`), 422, baas.CodeInvalid)
	if a := do(t, "PATCH", at+"/"+w.ID, `{"name":"zz"}`, auth, `If-Match: *`); a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	// A deletion that was carried out is answered the same again.
	for range 2 {
		if a := do(t, "DELETE", at+"/"+w.ID+"?confirm=zz", "", auth, "Idempotency-Key: del"); a.status != 202 {
			t.Fatalf("got %d %s", a.status, a.body)
		}
	}
}

// TestMembersEditedAtOnce lets two people change a member whom both have read.
func TestMembersEditedAtOnce(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	ana := p.Actor(p.Join(p.Actor(secret), tenant.ID, baas.InvitationCreate{Email: "ana@a.example", Role: baas.RoleViewer}))
	at := p.URL + httpapi.Prefix + "/tenants/" + tenant.ID + "/members/" + ana.UserID
	auth := "Authorization: Bearer " + secret
	read := do(t, "GET", at, "", auth)
	if read.header.Get("ETag") != `"1"` || !strings.Contains(string(read.body), `"version":1`) {
		t.Fatalf("got %v %s", read.header, read.body)
	}
	first := do(t, "PATCH", at, `{"role":"operator"}`, auth, "If-Match: "+read.header.Get("ETag"))
	if first.status != 200 || first.header.Get("ETag") != `"2"` || !strings.Contains(string(first.body), `"version":2`) {
		t.Fatalf("got %d %v %s", first.status, first.header, first.body)
	}
	want(t, do(t, "PATCH", at, `{"role":"admin"}`, auth, "If-Match: "+read.header.Get("ETag")), 412, baas.CodeVersionMismatch)
	want(t, do(t, "PATCH", at, `{"role":"admin"}`, auth, "If-Match: x"), 422, baas.CodeInvalid)
	if now := do(t, "GET", at, "", auth); !strings.Contains(string(now.body), `"role":"operator"`) || now.header.Get("ETag") != `"2"` {
		t.Errorf("got %s", now.body)
	}
	if a := do(t, "PATCH", at, `{"role":"admin"}`, auth); a.status != 200 || a.header.Get("ETag") != `"3"` {
		t.Errorf("without If-Match: %d %s", a.status, a.body)
	}
}

func TestCookieAndOrigin(t *testing.T) {
	p := apitest.New(t, apitest.Config{HTTP: httpapi.Config{PublicURL: "https://baas.example"}})
	p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	api := p.URL + httpapi.Prefix
	in := `{"email":"dona@a.example","password":"` + apitest.Password + `"}`
	a := do(t, "POST", api+"/login", in)
	c := a.header.Get("Set-Cookie")
	for _, part := range []string{"baas_session=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(c, part) {
			t.Errorf("the cookie %q lacks %s", c, part)
		}
	}
	value, _, _ := strings.Cut(c, ";")
	if bytes.Contains(a.body, []byte(strings.TrimPrefix(value, "baas_session="))) {
		t.Error("the answer shows the secret to scripts")
	}
	if a := do(t, "GET", api+"/me", "", "Cookie: "+value); a.status != 200 || bytes.Contains(a.body, []byte("argon2")) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	want(t, do(t, "POST", api+"/logout", "", "Cookie: "+value, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), 403, baas.CodeForbidden)
	want(t, do(t, "POST", api+"/login", in, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), 403, baas.CodeForbidden)
	if a := do(t, "POST", api+"/logout", "", "Cookie: "+value, "Origin: https://baas.example"); a.status != 204 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	want(t, do(t, "GET", api+"/me", "", "Cookie: "+value), 401, baas.CodeUnauthenticated)
}

func TestRateLimits(t *testing.T) {
	now := time.Now() // stands still: nothing is given back
	p := apitest.New(t, apitest.Config{HTTP: httpapi.Config{Rate: 10, Burst: 5, LogInRate: 6, LogInBurst: 3, Now: func() time.Time { return now }}})
	_, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	api := p.URL + httpapi.Prefix
	for i := range 6 {
		a := do(t, "GET", api+"/me", "", "Authorization: Bearer "+secret)
		if i < 5 {
			if a.status != 200 || a.header.Get("RateLimit-Remaining") != fmt.Sprint(4-i) || a.header.Get("RateLimit-Limit") != "5" {
				t.Fatalf("%d: got %d %v", i, a.status, a.header)
			}
			continue
		}
		want(t, a, 429, baas.CodeRateLimited)
		if a.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
		}
	}
	try := func(email string) answer {
		return do(t, "POST", api+"/login", `{"email":"`+email+`","password":"nao e esta senha"}`)
	}
	for range 3 {
		want(t, try("dona@a.example"), 401, baas.CodeUnauthenticated)
	}
	want(t, try("DONA@a.example"), 429, baas.CodeRateLimited)
	want(t, try("outra@a.example"), 401, baas.CodeUnauthenticated)
}

func TestStreamOfChanges(t *testing.T) {
	p := apitest.New(t, apitest.Config{HTTP: httpapi.Config{Heartbeat: 20 * time.Millisecond}})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	req, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatalf("Content-Type is %q", ct)
	}
	lines := bufio.NewScanner(res.Body)
	until := func(prefix string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return
			}
		}
		t.Fatalf("the stream ended without %q: %v", prefix, lines.Err())
	}
	until("event: resync")
	until(": ") // a heartbeat
	if _, err := p.App.CreateWorker(t.Context(), p.Actor(secret), tenant.ID, baas.WorkerCreate{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	until("event: worker")
}

func TestBotTraffic(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	ctx := t.Context()
	c := p.Client(secret).Tenant(tenant.Slug)
	w, err := c.CreateWorker(ctx, baas.WorkerCreate{Name: "Financeiro"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.CreateBot(ctx, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./bot"}, Port: 8080}})
	if err != nil {
		t.Fatal(err)
	}
	if b.URL != p.URL+"/b/"+b.ID+"/" {
		t.Errorf("the bot's address is %q", b.URL)
	}
	if _, err := c.SendMessage(ctx, b.ID, baas.BotMessage{Message: "oi"}); !errors.Is(err, baas.ErrUnavailable) {
		t.Fatalf("without an agent: %v", err)
	}
	agent := http.NewServeMux()
	more := make(chan struct{})
	agent.HandleFunc("GET /v1/bots/{id}/logs", func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(rw, `{"at":"2026-01-02T03:04:05Z","stream":"stdout","text":"um"}`)
		rw.(http.Flusher).Flush()
		if r.FormValue("follow") != "" {
			select {
			case <-more:
			case <-r.Context().Done():
			}
		}
		fmt.Fprintln(rw, `{"at":"2026-01-02T03:04:06Z","stream":"stderr","text":"dois"}`)
	})
	agent.HandleFunc("POST /v1/bots/{id}/http/chat", func(rw http.ResponseWriter, r *http.Request) {
		var m baas.BotMessage
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(rw, `{"conversation":"c","reply":%q,"handoff":false,"quick_replies":[]}`, "você disse "+m.Message)
	})
	p.Agents.Connect(t, w.ID, agent)
	r, err := c.SendMessage(ctx, b.ID, baas.BotMessage{Message: "oi"})
	if err != nil || r.Reply != "você disse oi" || r.Conversation != "c" {
		t.Fatalf("got %+v, %v", r, err)
	}
	lines, err := client.Collect(c.Logs(ctx, b.ID, client.LogQuery{Tail: 10}))
	if err != nil || len(lines) != 2 || lines[1].Text != "dois" {
		t.Fatalf("got %v, %v", lines, err)
	}
	n := 0
	for l, err := range c.Logs(ctx, b.ID, client.LogQuery{Tail: 10, Follow: true}) {
		if n++; n == 1 {
			if err != nil || l.Text != "um" {
				t.Fatalf("got %v, %v", l, err)
			}
			close(more) // the first line was here before the second was written
		}
	}
	if n < 2 {
		t.Errorf("got %d lines", n)
	}
	a := do(t, "GET", p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/bots/"+b.ID+"/logs", "", "Authorization: Bearer "+secret, "Accept: text/event-stream")
	if got := string(a.body); !strings.HasPrefix(got, "event: line\ndata: {") || !strings.Contains(got, "event: end") {
		t.Errorf("got %q", got)
	}
	pv, err := c.Preview(ctx, b.ID)
	if err != nil || pv.URL != b.URL+"?baas_preview=signed-"+b.ID || !pv.ExpiresAt.After(time.Now()) {
		t.Fatalf("got %+v, %v", pv, err)
	}
	tok, err := c.NewAccessToken(ctx, b.ID)
	if err != nil || strings.HasPrefix(tok.Token, "baas_") || len(tok.Token) < 40 {
		t.Fatalf("got %+v, %v", tok, err)
	}
}

func TestUpload(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanPro, "dona@a.example")
	ctx := t.Context()
	c := p.Client(secret).Tenant(tenant.ID)
	w, err := c.CreateWorker(ctx, baas.WorkerCreate{Name: "Financeiro"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.CreateBot(ctx, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./bot"}}})
	if err != nil {
		t.Fatal(err)
	}
	ana, err := c.CreateBot(ctx, baas.BotCreate{WorkerID: w.ID, Name: "Bia", Kind: baas.BotAssistant})
	if err != nil {
		t.Fatal(err)
	}
	data := append([]byte("\x1f\x8b"), bytes.Repeat([]byte("files"), 1000)...)
	b, err = c.PutFiles(ctx, b.ID, bytes.NewReader(data))
	if err != nil || b.Files == nil || b.Files.Size != int64(len(data)) || b.Files.Format != baas.FormatTarGz {
		t.Fatalf("got %+v, %v", b.Files, err)
	}
	var kept []byte
	err = p.Store.Tenant(tenant.ID).View(ctx, func(tx baas.TenantTx) error {
		r, err := tx.Artifacts().Open(ctx, b.ID, b.Files.Digest)
		if err != nil {
			return err
		}
		kept, err = io.ReadAll(r)
		return errors.Join(err, r.Close())
	})
	if err != nil || !bytes.Equal(kept, data) {
		t.Fatalf("kept %d of %d bytes: %v", len(kept), len(data), err)
	}
	files := p.URL + httpapi.Prefix + "/tenants/" + tenant.ID + "/bots/" + b.ID + "/files"
	a := do(t, "GET", files, "", "Authorization: Bearer "+secret)
	if a.status != 200 || !bytes.Equal(a.body, data) || a.header.Get("Content-Type") != "application/gzip" || a.header.Get("ETag") != `"`+b.Files.Digest+`"` ||
		a.header.Get("Content-Disposition") != `attachment; filename="ana.tar.gz"` || a.header.Get("Content-Length") != fmt.Sprint(len(data)) {
		t.Errorf("downloading: %d, %d bytes, %v", a.status, len(a.body), a.header)
	}
	if _, err := c.Files(ctx, ana.ID); !errors.Is(err, baas.ErrNotFound) {
		t.Errorf("the files of an assistant: %v", err)
	}
	if _, err := c.PutFiles(ctx, b.ID, strings.NewReader("#!/bin/sh")); baas.CodeOf(err) != baas.CodeInvalid {
		t.Errorf("no archive: %v", err)
	}
	if _, err := c.PutFiles(ctx, ana.ID, bytes.NewReader(data)); !errors.Is(err, baas.ErrUnsupported) {
		t.Errorf("an assistant's files: %v", err)
	}
	large := io.MultiReader(strings.NewReader("PK\x03\x04"), io.LimitReader(zeros{}, baas.MaxArtifact))
	if _, err := c.PutFiles(ctx, b.ID, large); baas.CodeOf(err) != baas.CodeTooLarge {
		t.Errorf("too large: %v", err)
	}
	exact := io.MultiReader(strings.NewReader("PK\x03\x04"), io.LimitReader(zeros{}, baas.MaxArtifact-4))
	if b, err = c.PutFiles(ctx, b.ID, exact); err != nil || b.Files.Size != baas.MaxArtifact {
		t.Errorf("just not too large: %v", err)
	}
	body, err := c.Files(ctx, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if n, err := io.Copy(io.Discard, body); n != baas.MaxArtifact || err != nil {
		t.Errorf("%d bytes of the largest archive were downloaded: %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPaging(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	c := p.Client(secret).Tenant(tenant.ID)
	for i := range 7 {
		if _, err := c.CreateWorker(t.Context(), baas.WorkerCreate{Name: fmt.Sprintf("w%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	url, cursor := p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/workers?limit=3", ""
	for pages := 1; ; pages++ {
		a := do(t, "GET", url+cursor, "", "Authorization: Bearer "+secret)
		var l baas.List[baas.Worker]
		if err := json.Unmarshal(a.body, &l); err != nil {
			t.Fatal(err)
		}
		for _, w := range l.Items {
			names = append(names, w.Name)
		}
		if l.Next == "" {
			if pages != 3 {
				t.Errorf("got %d pages", pages)
			}
			break
		}
		cursor = "&cursor=" + l.Next
	}
	if got := strings.Join(names, " "); got != "w0 w1 w2 w3 w4 w5 w6" {
		t.Errorf("got %s", got)
	}
	a := do(t, "GET", p.URL+httpapi.Prefix+"/tenants/"+tenant.ID+"/bots", "", "Authorization: Bearer "+secret)
	if strings.TrimSpace(string(a.body)) != `{"items":[]}` {
		t.Errorf("an empty list is %s", a.body)
	}
}
