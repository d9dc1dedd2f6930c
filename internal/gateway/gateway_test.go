package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/gateway"
)

func TestRequestsReachTheBot(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	w.agent(wk).serve(b.ID, hello("um"))
	if a := w.get("/b/" + b.ID + "/a%2Fb/c?x=1&y=%20z"); a.status != 200 || a.body != "um GET /a/b/c?x=1&y=%20z " {
		t.Errorf("a GET answers %d %q", a.status, a.body)
	}
	if a := w.do("POST", "/b/"+b.ID+"/", "corpo"); a.status != 200 || a.body != "um POST / corpo" {
		t.Errorf("a POST answers %d %q", a.status, a.body)
	}
	if a := w.get("/b/" + b.ID + "?q=1"); a.status != http.StatusPermanentRedirect || a.header.Get("Location") != "/b/"+b.ID+"/?q=1" {
		t.Errorf("without a slash it answers %d to %q", a.status, a.header.Get("Location"))
	}
	for _, path := range []string{"/b/", "/b/x/", "/b/" + baas.NewID(baas.PrefixBot) + "/", "/b/" + baas.NewID(baas.PrefixWorker) + "/"} {
		if a := w.get(path); a.status != 404 || a.problem(t).Code != "not_found" {
			t.Errorf("%s answers %d %s", path, a.status, a.body)
		}
	}
	page := w.get("/b/"+baas.NewID(baas.PrefixBot)+"/", "Accept", "text/html,*/*", "Accept-Language", "pt-BR")
	if page.status != 404 || !strings.Contains(page.body, "Página não encontrada") || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("a browser gets %d %q", page.status, page.body)
	}
}

// The agent has other paths beside a bot's; none of them may be reached.
func TestPathsStayWithinTheBot(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	w.agent(wk).serve(b.ID, hello("um"))
	for _, rest := range []string{"/../../v1/status", "/%2e%2e/%2e%2e/%2e%2e/status", "/a/..%2f..%2f..%2f../status", "/./x", "/.%2e/export"} {
		req, _ := http.NewRequest("GET", w.url, nil)
		req.URL.Opaque = "/b/" + b.ID + rest
		res, err := w.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("%s answers %d", rest, res.StatusCode)
		}
	}
	if a := w.get("/b/" + b.ID + "/.well-known/x..y"); a.status != 200 {
		t.Errorf("dots within a name answer %d", a.status)
	}
}

func TestHeadersThatABotSees(t *testing.T) {
	got := make(chan http.Header, 1)
	see := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h := r.Header.Clone()
		h.Set("Seen-Host", r.Host)
		got <- h
	})
	for _, trusted := range []bool{false, true} {
		w := newWorld(t, func(c *gateway.Config) {
			if trusted {
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			}
		})
		wk := w.worker("Financeiro")
		b := w.bot(wk, "um", baas.AccessPublic)
		w.agent(wk).serve(b.ID, see)
		w.get("/b/"+b.ID+"/", "Host", "baas.example", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "other.example",
			"X-Forwarded-Prefix", "/evil", "Forwarded", "for=6.6.6.6", "Cookie", "baas_session=s; theme=dark; __Host-baas_session=s; a=baas_1",
			"Authorization", "Bearer baas_secret")
		h := <-got
		want := map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "baas.example", "X-Forwarded-Prefix": "/b/" + b.ID,
			"Forwarded": "", "Cookie": "theme=dark; a=baas_1", "Authorization": "", "Seen-Host": "baas.example",
		}
		if trusted {
			want["X-Forwarded-For"], want["X-Forwarded-Proto"], want["X-Forwarded-Host"] = "6.6.6.6, 127.0.0.1", "https", "other.example"
		}
		for name, v := range want {
			if h.Get(name) != v {
				t.Errorf("trusted %v: %s is %q, not %q", trusted, name, h.Get(name), v)
			}
		}
		w.get("/b/"+b.ID+"/", "Authorization", "Bearer the-bots-own")
		if h := <-got; h.Get("Authorization") != "Bearer the-bots-own" {
			t.Error("a bot's own authorization is taken away")
		}
	}
}

func TestAnswersAreKeptToTheBot(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	w.agent(wk).serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Add("Set-Cookie", "baas_session=stolen; Path=/")
		h.Add("Set-Cookie", "__Host-baas_session=stolen; Path=/; Secure")
		h.Add("Set-Cookie", "own=1; Path=/; Domain=example.com; HttpOnly")
		h.Set("Clear-Site-Data", `"*"`)
		h.Set("Strict-Transport-Security", "max-age=1")
		h.Set("Content-Security-Policy", "default-src 'self'")
		h.Set("Location", "/login")
		rw.WriteHeader(http.StatusFound)
	}))
	a := w.get("/b/"+b.ID+"/", "Origin", "null")
	if got := a.header["Set-Cookie"]; len(got) != 1 || got[0] != "own=1; Path=/b/"+b.ID+"/; HttpOnly" {
		t.Errorf("the cookies are %q", got)
	}
	if a.header.Get("Location") != "/b/"+b.ID+"/login" || a.header.Get("Clear-Site-Data") != "" || a.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("the headers are %v", a.header)
	}
	csp := a.header["Content-Security-Policy"]
	if len(csp) != 2 || !strings.HasPrefix(csp[1], "sandbox ") || strings.Contains(csp[1], "allow-same-origin") {
		t.Errorf("the policies are %q", csp)
	}
	if a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a page without an origin can't talk to its bot")
	}
	if a := w.get("/b/"+b.ID+"/", "Origin", "https://elsewhere.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages elsewhere may read the bot's answers without its consent")
	}
	pre := w.do("OPTIONS", "/b/"+b.ID+"/chat", "", "Origin", "null", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	if pre.status != 204 || pre.header.Get("Access-Control-Allow-Headers") != "content-type" || pre.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the preflight answers %d %v", pre.status, pre.header)
	}
}

func TestBotHosts(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.BotHosts = "*.bots.example.com" })
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPrivate)
	w.agent(wk).serve(b.ID, hello("um"))
	u, err := url.Parse(w.gate.PreviewURL(b.ID, time.Now().Add(time.Minute)))
	if err != nil || u.Host != strings.ReplaceAll(b.ID, "_", "-")+".bots.example.com" || u.Scheme != "https" {
		t.Fatalf("the preview is %s (%v)", u, err)
	}
	open := w.get("/?"+u.RawQuery, "Host", u.Host)
	if open.status != http.StatusSeeOther || open.header.Get("Location") != "/" {
		t.Fatalf("opening answers %d %v", open.status, open.header)
	}
	cookie, _, _ := strings.Cut(open.header.Get("Set-Cookie"), ";")
	a := w.get("/x", "Host", u.Host, "Cookie", cookie)
	if a.status != 200 || a.body != "um GET /x " || a.header.Get("Content-Security-Policy") != "" {
		t.Errorf("the bot's own host answers %d %q %v", a.status, a.body, a.header)
	}
	if !w.gate.OwnsHost(u.Host) || w.gate.OwnsHost("baas.example") || w.gate.OwnsHost("a.b.bots.example.com") {
		t.Error("the hosts of bots are not told from others")
	}
	if a := w.get("/", "Host", "other.bots.example.com"); a.status != 404 {
		t.Errorf("a host of no bot answers %d", a.status)
	}
}

func TestLimits(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(c *gateway.Config) {
		c.Limits.Body, c.Limits.Headers, c.Limits.FirstByte = 100_000, 4096, time.Second
	})
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	ag := w.agent(wk)
	ag.serve(b.ID, hello("um"))
	path := "/b/" + b.ID + "/"
	for n, want := range map[int]int{100_000: 200, 100_001: 413} {
		if a := w.do("POST", path, strings.Repeat("a", n)); a.status != want {
			t.Errorf("a body of %d answers %d %s", n, a.status, a.body)
		}
		// Without a length, the limit shows on the way.
		req, _ := http.NewRequest("POST", w.url+path, io.MultiReader(strings.NewReader(strings.Repeat("a", n))))
		res, err := w.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a body of %d without a length answers %d", n, res.StatusCode)
		}
	}
	if a := w.get(path, "X-Long", strings.Repeat("a", 4096)); a.status != 431 {
		t.Errorf("long headers answer %d", a.status)
	}
	ag.serve(b.ID, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer close(release)
	if a := w.get(path); a.status != 504 || a.problem(t).Code != "unavailable" {
		t.Errorf("a silent bot answers %d %s", a.status, a.body)
	}
}

func TestStreamsAndWebSockets(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.Limits.FirstByte = 500 * time.Millisecond })
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	more := make(chan struct{})
	w.agent(wk).serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			c, err := websocket.Accept(rw, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err != nil {
				return
			}
			defer c.CloseNow()
			for {
				kind, msg, err := c.Read(r.Context())
				if err != nil || c.Write(r.Context(), kind, append([]byte("eco "), msg...)) != nil {
					return
				}
			}
		}
		for i := range 3 {
			fmt.Fprintf(rw, "parte %d\n", i)
			_ = http.NewResponseController(rw).Flush()
			<-more
		}
	}))
	res, err := w.client.Get(w.url + "/b/" + b.ID + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 100)
	for i := range 3 {
		// The next part is not written before this one has come through.
		n, err := res.Body.Read(buf)
		if want := fmt.Sprintf("parte %d\n", i); string(buf[:n]) != want {
			t.Fatalf("part %d is %q (%v)", i, buf[:n], err)
		}
		more <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, w.url+"/b/"+b.ID+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, msg := range []string{"um", strings.Repeat("x", 20000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != "eco "+msg {
			t.Fatalf("the WebSocket answers %.20q (%v)", got, err)
		}
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	ag := w.agent(wk)
	token := w.bot(wk, "token", baas.AccessToken)
	private := w.bot(wk, "private", baas.AccessPrivate)
	got := make(chan http.Header, 10)
	for _, b := range []baas.Bot{token, private} {
		ag.serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			got <- r.Header.Clone()
			fmt.Fprint(rw, r.URL.RequestURI())
		}))
	}
	w.change(func(ctx context.Context, tx baas.TenantTx) error {
		return tx.Bots().SetAccessToken(ctx, token.ID, hash("s3cret"))
	})
	path := "/b/" + token.ID + "/"
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"nothing", nil, 401},
		{"wrong", []string{"X-Baas-Token", "other"}, 401},
		{"empty", []string{"Authorization", "Bearer "}, 401},
		{"other scheme", []string{"Authorization", "Basic s3cret"}, 401},
		{"bearer", []string{"Authorization", "Bearer s3cret"}, 200},
		{"header", []string{"X-Baas-Token", "s3cret", "Authorization", "Bearer mine"}, 200},
	} {
		a := w.get(path, c.headers...)
		if a.status != c.status {
			t.Errorf("%s: answers %d %s", c.name, a.status, a.body)
		}
		if a.status == 401 && (a.header.Get("WWW-Authenticate") == "" || a.problem(t).Code != "unauthenticated") {
			t.Errorf("%s: the refusal is %v", c.name, a.header)
		}
		if a.status == 200 {
			h := <-got
			if h.Get("X-Baas-Token") != "" || strings.Contains(h.Get("Authorization"), "s3cret") {
				t.Errorf("%s: the token reaches the bot", c.name)
			}
			if c.name == "header" && h.Get("Authorization") != "Bearer mine" {
				t.Error("the bot's own authorization doesn't reach it")
			}
		}
	}

	// A new token counts at once.
	w.change(func(ctx context.Context, tx baas.TenantTx) error {
		return tx.Bots().SetAccessToken(ctx, token.ID, hash("newer"))
	})
	w.until("the old token is refused", func() bool { return w.get(path, "X-Baas-Token", "s3cret").status == 401 })

	path = "/b/" + private.ID + "/"
	if a := w.get(path); a.status != 403 || !strings.Contains(a.problem(t).Detail, "dashboard") {
		t.Errorf("a private bot answers %d %s", a.status, a.body)
	}
	preview := gateway.SignPreview(signKey, private.ID, time.Now().Add(time.Hour))
	for name, q := range map[string]string{
		"expired":     gateway.SignPreview(signKey, private.ID, time.Now().Add(-time.Second)),
		"other bot's": gateway.SignPreview(signKey, token.ID, time.Now().Add(time.Hour)),
		"other key's": gateway.SignPreview([]byte("another key that is long enough"), private.ID, time.Now().Add(time.Hour)),
		"longer":      preview + "AA", "garbage": "baas_preview=%00",
	} {
		for _, a := range []answer{w.get(path + "?" + q), w.do("POST", path+"?"+q, "x"), w.get(path, "Cookie", q),
			w.get(path + "~preview-" + strings.TrimPrefix(q, "baas_preview=") + "/")} {
			if a.status != 403 || (name == "expired") != strings.Contains(a.problem(t).Detail, "expired") {
				t.Errorf("a preview that is %s answers %d %s", name, a.status, a.body)
			}
		}
	}
	open := w.get(path + "a/b?x=1&" + preview + "&y=2")
	cookie := open.header.Get("Set-Cookie")
	if open.status != http.StatusSeeOther || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "Path="+path+";") {
		t.Fatalf("the preview answers %d %v", open.status, open.header)
	}
	to := open.header.Get("Location")
	if strings.Contains(to, "?baas_preview") || !strings.HasSuffix(to, "/a/b?x=1&y=2") {
		t.Errorf("it leads to %s", to)
	}
	// Pages without an origin send no cookies: what follows from the address alone must do.
	a := w.get(to)
	if a.status != 200 || a.body != "/a/b?x=1&y=2" || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("it then answers %d %q", a.status, a.body)
	}
	if h := <-got; !strings.HasPrefix(to, h.Get("X-Forwarded-Prefix")) || strings.Contains(h.Get("Cookie"), "baas_") {
		t.Errorf("the bot sees %v", h)
	}
	pair, _, _ := strings.Cut(cookie, ";")
	if a := w.get(path+"c", "Cookie", pair); a.status != 200 || a.body != "/c" {
		t.Errorf("with the cookie it answers %d %q", a.status, a.body)
	}
	if a := w.get("/b/"+token.ID+"/", "Cookie", pair); a.status != 401 {
		t.Errorf("the cookie opens another bot: %d", a.status)
	}
}

func TestWebhooksPassWithoutAccess(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	ag := w.agent(wk)
	assistant := func(a baas.Assistant) func(*baas.BotCreate) {
		return func(c *baas.BotCreate) { c.Kind, c.Program, c.Assistant = baas.BotAssistant, nil, &a }
	}
	with := w.bot(wk, "with", baas.AccessPrivate, assistant(baas.Assistant{
		Telegram: &baas.Telegram{TokenSecret: "A", WebhookSecretSecret: "B"}}))
	without := w.bot(wk, "without", baas.AccessToken, assistant(baas.Assistant{}))
	program := w.bot(wk, "program", baas.AccessPrivate)
	for _, b := range []baas.Bot{with, without, program} {
		ag.serve(b.ID, hello("x"))
	}
	for path, want := range map[string]int{
		"/b/" + with.ID + "/telegram": 200, "/b/" + with.ID + "/whatsapp": 403, "/b/" + with.ID + "/telegram/x": 403, "/b/" + with.ID + "/": 403,
		"/b/" + with.ID + "//telegram": 403, "/b/" + without.ID + "/telegram": 401, "/b/" + program.ID + "/telegram": 403,
	} {
		if a := w.do("POST", path, "{}"); a.status != want {
			t.Errorf("%s answers %d", path, a.status)
		}
	}
}

// until waits for what the gateway learns from the store behind the test's back.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); {
		if time.Now().After(end) {
			w.t.Fatalf("never came: %s", what)
		}
	}
}

func TestRefusalsAtOnce(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.Limits.Wait = time.Hour })
	wk := w.worker("Financeiro")
	ag := w.agent(wk)
	b := w.bot(wk, "um", baas.AccessPublic)
	ag.serve(b.ID, hello("um"))
	silent := w.bot(wk, "sem porta", baas.AccessPublic, func(c *baas.BotCreate) { c.Program.Port = 0 })
	if a := w.get("/b/" + silent.ID + "/"); a.status != 404 || !strings.Contains(a.problem(t).Detail, "port") {
		t.Errorf("a bot without a port answers %d %s", a.status, a.body)
	}
	status := func(s baas.BotState) func() {
		return func() {
			w.change(func(ctx context.Context, tx baas.TenantTx) error {
				return tx.Bots().SetStatus(ctx, b.ID, baas.BotStatus{State: s, Reason: "secret reason", Since: time.Now().UTC()})
			})
		}
	}
	worker := func(fn func(*baas.Worker)) func() {
		return func() {
			w.change(func(ctx context.Context, tx baas.TenantTx) error {
				cur, err := tx.Workers().Get(ctx, wk.ID)
				if err != nil {
					return err
				}
				fn(&cur)
				if _, err = tx.Workers().Update(ctx, cur); err != nil {
					return err
				}
				return tx.Workers().SetStatus(ctx, wk.ID, cur.Status)
			})
		}
	}
	tenant := func(s baas.TenantStatus) func() {
		return func() {
			w.system(func(ctx context.Context, tx baas.SystemTx) error {
				cur, err := tx.Tenants().Get(ctx, w.tenant.ID)
				if err != nil {
					return err
				}
				cur.Status = s
				_, err = tx.Tenants().Update(ctx, cur)
				return err
			})
		}
	}
	for _, c := range []struct {
		name, says string
		on, off    func()
	}{
		{"stopped bot", "stopped", func() { w.update(b.ID, func(b *baas.Bot) { b.Desired = baas.DesiredStopped }) },
			func() { w.update(b.ID, func(b *baas.Bot) { b.Desired = baas.DesiredRunning }) }},
		{"stopped Worker", "Worker", worker(func(w *baas.Worker) { w.Desired = baas.DesiredStopped }), worker(func(w *baas.Worker) { w.Desired = baas.DesiredRunning })},
		{"failed Worker", "Worker", worker(func(w *baas.Worker) { w.Status.State = baas.WorkerFailed }), worker(func(w *baas.Worker) { w.Status.State = baas.WorkerRunning })},
		{"suspended tenant", "suspended", tenant(baas.TenantSuspended), tenant(baas.TenantActive)},
		{"failed bot", "fails", status(baas.BotFailed), status(baas.BotRunning)},
		{"bot in a crash loop", "fails", status(baas.BotCrashLoop), status(baas.BotRunning)},
		{"completed bot", "finished", status(baas.BotCompleted), status(baas.BotRunning)},
	} {
		c.on()
		var a answer
		w.until(c.name+" is refused", func() bool { a = w.get("/b/" + b.ID + "/"); return a.status == 503 })
		if p := a.problem(t); p.Code != "unavailable" || !strings.Contains(p.Detail, c.says) || strings.Contains(a.body, "secret reason") {
			t.Errorf("%s answers %s", c.name, a.body)
		}
		c.off()
		w.until(c.name+" answers again", func() bool { return w.get("/b/"+b.ID+"/").status == 200 })
	}
}

func TestRequestsWaitForTheWorker(t *testing.T) {
	var looks chan struct{}
	w := newWorld(t, func(c *gateway.Config) {
		looks = make(chan struct{}, 1000)
		c.Agents = countingAgents{c.Agents, looks}
	})
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if a := w.do("POST", "/b/"+b.ID+"/", fmt.Sprint("n", i)); a.status != 200 || !strings.HasSuffix(a.body, fmt.Sprint(" n", i)) {
				t.Errorf("request %d answers %d %s", i, a.status, a.body)
			}
		})
	}
	for range 40 { // each looked at least once more after its first attempt
		<-looks
	}
	w.agent(wk).serve(b.ID, hello("um"))
	wg.Wait()
}

func TestWaitingHasLimits(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.Limits.Wait, c.Limits.Waiting = 2*time.Second, 3 })
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	began := time.Now()
	var full, late atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			a := w.get("/b/" + b.ID + "/")
			if a.status != 503 || a.header.Get("Retry-After") == "" {
				t.Errorf("answers %d %v", a.status, a.header)
			}
			if strings.Contains(a.problem(t).Detail, "too many") {
				full.Add(1)
			} else {
				late.Add(1)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took < 2*time.Second || took > 15*time.Second {
		t.Errorf("the limit took %s", took)
	}
	if full.Load() != 7 || late.Load() != 3 {
		t.Errorf("%d found no place and %d waited in vain", full.Load(), late.Load())
	}
}

func TestRequestsWaitForABotThatStarts(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	ag := w.agent(wk)
	answers := make(chan answer)
	go func() { answers <- w.do("POST", "/b/"+b.ID+"/", strings.Repeat("x", 1000)) }()
	select {
	case a := <-answers:
		t.Fatalf("it doesn't wait: %d %s", a.status, a.body)
	case <-time.After(100 * time.Millisecond): // that nothing comes can't be announced
	}
	ag.serve(b.ID, hello("um"))
	if a := <-answers; a.status != 200 || !strings.HasSuffix(a.body, strings.Repeat("x", 1000)) {
		t.Errorf("answers %d %.100s", a.status, a.body)
	}
}

func TestRequestsFollowAMove(t *testing.T) {
	w := newWorld(t)
	from, to := w.worker("Financeiro"), w.worker("Geral")
	b := w.bot(from, "um", baas.AccessPublic)
	source, target := w.agent(from), w.agent(to)
	source.serve(b.ID, hello("origem"))
	now := time.Now().UTC()
	m := baas.Move{ID: baas.NewID(baas.PrefixMove), TenantID: w.tenant.ID, BotID: b.ID, From: from.ID, To: to.ID,
		Step: baas.MoveRequested, CreatedAt: now, UpdatedAt: now, DeadlineAt: now.Add(time.Hour)}
	w.change(func(ctx context.Context, tx baas.TenantTx) error { return tx.Moves().Create(ctx, m) })
	w.update(b.ID, func(b *baas.Bot) { b.MoveID = m.ID })
	path := "/b/" + b.ID + "/"
	if a := w.get(path); a.status != 200 || !strings.HasPrefix(a.body, "origem") {
		t.Fatalf("before it is stopped the bot answers %d %s", a.status, a.body)
	}
	step := func(s baas.MoveStep) {
		m.Step = s
		w.change(func(ctx context.Context, tx baas.TenantTx) error { return tx.Moves().Update(ctx, m) })
	}
	step(baas.MoveStopping)
	source.serve(b.ID, nil)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if a := w.do("POST", path, fmt.Sprint(i)); a.status != 200 || !strings.HasPrefix(a.body, "destino") {
				t.Errorf("request %d answers %d %s", i, a.status, a.body)
			}
		})
	}
	step(baas.MoveCarrying)
	target.serve(b.ID, hello("destino"))
	w.update(b.ID, func(b *baas.Bot) { b.WorkerID = to.ID })
	step(baas.MoveSwitched)
	step(baas.MoveCleaning)
	wg.Wait()
}

// What may have reached a bot is never sent twice; what can't have is.
func TestNothingIsSentTwice(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	ag := w.agent(wk)
	var seen sync.Map
	counter := func(id string) *atomic.Int32 {
		v, _ := seen.LoadOrStore(id, new(atomic.Int32))
		return v.(*atomic.Int32)
	}
	ag.serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := counter(r.URL.Query().Get("id")).Add(1)
		if r.URL.Query().Get("broken") != "" && n == 1 {
			panic(http.ErrAbortHandler) // the connection breaks before an answer
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	for _, c := range []struct {
		method, body string
		status       int
		sent         int32
	}{
		{"GET", "", 200, 2}, {"HEAD", "", 200, 2}, {"POST", "x", 502, 1}, {"POST", "", 502, 1}, {"DELETE", "", 502, 1},
		{"PUT", strings.Repeat("x", 200_000), 502, 1}, {"GET", "x", 502, 1},
	} {
		id := c.method + fmt.Sprint(len(c.body))
		a := w.do(c.method, "/b/"+b.ID+"/?broken=1&id="+id, c.body)
		if a.status != c.status || counter(id).Load() != c.sent {
			t.Errorf("%s with %d bytes answers %d and reached the bot %d times", c.method, len(c.body), a.status, counter(id).Load())
		}
		if a.status == 502 && c.method != "HEAD" && !strings.Contains(a.problem(t).Detail, "may have been done") {
			t.Errorf("%s: the problem is %s", c.method, a.body)
		}
	}
	// Tunnels that break under load: no request is done twice.
	stop := make(chan struct{})
	var breaker, wg sync.WaitGroup
	breaker.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond): // the rhythm of the fault
				w.hub.Disconnect(wk.ID)
			}
		}
	})
	var ok, unsure atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			for n := range 40 {
				id := fmt.Sprintf("load-%d-%d", i, n)
				a := w.do("POST", "/b/"+b.ID+"/?id="+id, "x")
				sent := counter(id).Load()
				switch {
				case a.status == 200 && sent == 1:
					ok.Add(1)
				case a.status == 502 && sent <= 1:
					unsure.Add(1)
				default:
					t.Errorf("%s answers %d and reached the bot %d times", id, a.status, sent)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	breaker.Wait()
	t.Logf("%d done, %d unsure", ok.Load(), unsure.Load())
	if ok.Load() == 0 {
		t.Error("nothing came through")
	}
}

// countingStore counts the transactions over all tenants, which is what routes are read in.
type countingStore struct {
	baas.Store
	views *atomic.Int32
}

func (s countingStore) System() baas.SystemScope { return countingScope{s.Store.System(), s.views} }

type countingScope struct {
	baas.SystemScope
	views *atomic.Int32
}

func (s countingScope) View(ctx context.Context, fn func(baas.SystemTx) error) error {
	s.views.Add(1)
	return s.SystemScope.View(ctx, fn)
}

// A request for a known bot reads nothing from the store, and many for an unknown one read it once.
func TestRoutesAreRemembered(t *testing.T) {
	var views atomic.Int32
	w := newWorld(t, func(c *gateway.Config) { c.Store = countingStore{c.Store, &views} })
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	w.agent(wk).serve(b.ID, hello("um"))
	// The changes that this test made reach the gateway by and by, and each drops the route.
	w.until("a request without a look at the store", func() bool {
		before := views.Load()
		return w.get("/b/"+b.ID+"/").status == 200 && views.Load() == before
	})
	before := views.Load()
	for range 20 {
		if a := w.get("/b/" + b.ID + "/"); a.status != 200 {
			t.Fatalf("it answers %d %s", a.status, a.body)
		}
	}
	if n := views.Load() - before; n != 0 {
		t.Errorf("20 requests read the store %d times", n)
	}
	for _, path := range []string{"/b/x/", "/b/bot_/", "/b/bot_zzzz/"} {
		w.get(path)
	}
	if n := views.Load() - before; n != 0 {
		t.Errorf("ids that can't be a bot's read the store %d times", n)
	}
	// A change of the bot itself is seen.
	w.update(b.ID, func(b *baas.Bot) { b.Desired = baas.DesiredStopped })
	w.until("the change is seen", func() bool { return w.get("/b/"+b.ID+"/").status == 503 })
}

func TestAgentsOwnErrorsAreProblems(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	w.agent(wk).serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set(agentapi.HeaderError, string(baas.CodeInternal))
		rw.WriteHeader(502)
	}))
	if a := w.do("POST", "/b/"+b.ID+"/", "x"); a.status != 502 || a.problem(t).Code != "unavailable" || a.header.Get(agentapi.HeaderError) != "" {
		t.Errorf("answers %d %s", a.status, a.body)
	}
}

// A bot that is being stopped breaks off what came on its last connections. What can be asked again safely is, once.
func TestWhatABotBreaksOffIsAskedAgainOnce(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "um", baas.AccessPublic)
	var asked, breaks atomic.Int64
	var code atomic.Value
	w.agent(wk).serve(b.ID, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= breaks.Load() {
			rw.Header().Set(agentapi.HeaderError, string(code.Load().(baas.Code)))
			rw.WriteHeader(502)
		}
	}))
	for _, c := range []struct {
		method, body           string
		code                   baas.Code
		breaks, asked, answers int
	}{
		{"GET", "", baas.CodeConflict, 1, 2, 200},
		{"GET", "", baas.CodeConflict, 9, 2, 502},
		{"GET", "", baas.CodeInternal, 1, 1, 502}, // what made it crash would do so again
		{"POST", "x", baas.CodeConflict, 1, 1, 502},
		{"DELETE", "", baas.CodeConflict, 1, 1, 502},
	} {
		code.Store(c.code)
		asked.Store(0)
		breaks.Store(int64(c.breaks))
		if a := w.do(c.method, "/b/"+b.ID+"/", c.body); a.status != c.answers || asked.Load() != int64(c.asked) {
			t.Errorf("%s broken off %d times, %s: answer %d after %d requests, want %d after %d", c.method, c.breaks, c.code, a.status, asked.Load(), c.answers, c.asked)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]gateway.Config{
		"no store":  {Agents: w.hub, SignKey: signKey},
		"no agents": {Store: w.store, SignKey: signKey},
		"short key": {Store: w.store, Agents: w.hub, SignKey: []byte("short")},
		"hosts":     {Store: w.store, Agents: w.hub, SignKey: signKey, BotHosts: "bots.example.com"},
	} {
		if _, err := gateway.New(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
