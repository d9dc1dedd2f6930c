package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

// canaries are secrets that were planted, each with the name of its place.
type canaries struct {
	t      *testing.T
	values map[string]string // by value
	places []string          // searched so far
}

// plant makes a secret.
func (c *canaries) plant(what string) string {
	v := "canary" + rand.Text()
	c.values[v] = what
	return v
}

// know adds a secret that the platform made.
func (c *canaries) know(what, value string) string {
	if value == "" {
		c.t.Fatalf("%s is empty", what)
	}
	c.values[value] = what
	return value
}

// search fails the test when a secret is in the text, as it is or encoded.
func (c *canaries) search(place string, text []byte) {
	c.places = append(c.places, fmt.Sprintf("%s (%d bytes)", place, len(text)))
	for value, what := range c.values {
		if how, at := find(text, value); how != "" {
			c.t.Errorf("%s is in %s (%s): %q", what, place, how, text[max(0, at-80):min(len(text), at+60)])
		}
	}
}

// find says in what form the value is in the text, "" when it isn't, and where.
func find(text []byte, value string) (how string, at int) {
	for how, form := range forms(value) {
		if i := bytes.Index(text, []byte(form)); i >= 0 {
			return how, i
		}
	}
	return "", 0
}

// A search that finds nothing proves nothing unless it would find.
func TestTheSearchForSecretsFinds(t *testing.T) {
	value := "canary" + rand.Text()
	for _, before := range []string{"", "a", "ab", "abc", "abcd"} {
		text := []byte(before + value + "after")
		for name, in := range map[string]string{"plain": string(text), "hex": hex.EncodeToString(text), "base64": base64.StdEncoding.EncodeToString(text),
			"base64url": base64.RawURLEncoding.EncodeToString(text), "end": base64.StdEncoding.EncodeToString([]byte(before + value))} {
			if how, _ := find([]byte("..."+in), value); how == "" {
				t.Errorf("%s behind %q isn't found", name, before)
			}
		}
	}
	if how, _ := find([]byte("canary"+rand.Text()), value); how != "" {
		t.Errorf("another value is found as %s", how)
	}
}

// forms are the shapes that a secret may lie in.
func forms(value string) map[string]string {
	out := map[string]string{"as it is": value, "hexadecimal": hex.EncodeToString([]byte(value)), "escaped": url.QueryEscape(value)}
	for shift := range 3 { // base64 looks different by where in a text the secret begins
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := enc.EncodeToString([]byte(strings.Repeat("x", shift) + value))
			out[fmt.Sprint(name, shift)] = text[4*((shift+2)/3) : len(text)-3]
		}
	}
	return out
}

// TestSecretsLeaveNoTrace plants secrets wherever somebody may put one, lets things go right and wrong with them, and
// searches the database, the logs, the events, the errors, the metrics and what the API says for them.
func TestSecretsLeaveNoTrace(t *testing.T) {
	for _, engine := range []string{"process", "docker"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			leaveNoTrace(t, engine)
		})
	}
}

func leaveNoTrace(t *testing.T, engine string) {
	ctx := t.Context()
	c := &canaries{t: t, values: map[string]string{}}
	// An endpoint that repeats what it was sent in its errors, as some do; bots on Docker can't reach it, and get theirs
	// from the network.
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"ok":false,"description":%q,"error":{"message":%q}}`, r.URL, "Incorrect key provided: "+r.Header.Get("Authorization")+string(body))
	}))
	t.Cleanup(echo.Close)
	endpoint := map[string]string{"process": echo.URL, "docker": "http://127.0.0.1:1"}[engine]

	operatorSecret, ownerSecret := c.plant("the operator's password"), c.plant("the owner's password")
	p := newPlatform(t, engine, "BAAS_LOG_LEVEL=DEBUG", "BAAS_OPERATOR_PASSWORD="+operatorSecret, "BAAS_METRICS_TOKEN="+c.plant("the metrics token"))
	nobody, err := client.New(p.url, "")
	must(t, err)
	logIn := func(email, password string) *client.Client {
		s, err := nobody.LogIn(ctx, email, password)
		must(t, err)
		in, err := client.New(p.url, c.know("a session", s.Secret))
		must(t, err)
		return in
	}
	operator := logIn(operatorEmail, operatorSecret)
	tenant, err := operator.CreateTenant(ctx, baas.TenantCreate{Name: "Acme", Plan: baas.PlanPro})
	must(t, err)
	invitation, err := operator.Tenant(tenant.ID).Invite(ctx, baas.InvitationCreate{Email: "owner@acme.example", Role: baas.RoleOwner})
	must(t, err)
	c.know("an invitation", invitation.Token)
	_, err = nobody.AcceptInvitation(ctx, baas.InvitationAccept{Token: invitation.Token, Name: "Olívia", Password: ownerSecret})
	must(t, err)
	owner := logIn("owner@acme.example", ownerSecret)
	acme := owner.Tenant(tenant.Slug)
	open, err := acme.Invite(ctx, baas.InvitationCreate{Email: "ana@acme.example", Role: baas.RoleViewer})
	must(t, err)
	c.know("an open invitation", open.Token)
	token, err := acme.CreateToken(ctx, baas.TokenCreate{Name: "robô", Scopes: []baas.Scope{baas.ScopeAdmin}})
	must(t, err)
	c.know("an API token", token.Secret)
	next := c.plant("the owner's next password")
	_, err = owner.UpdateAccount(ctx, baas.AccountUpdate{Password: &next, CurrentPassword: ownerSecret})
	must(t, err)
	owner = logIn("owner@acme.example", next) // the change ended the log-ins before
	acme = owner.Tenant(tenant.Slug)

	// Bots that use every kind of secret, on an endpoint that refuses them.
	plain := map[string]string{"BASE": endpoint + "/" + c.plant("an endpoint's address"), "TG_BASE": "unused"}
	for _, name := range []string{"KEY", "TG_TOKEN", "TG_HOOK", "WA_ACCESS", "WA_APP", "WA_VERIFY", "PROGRAM", "REPLACED"} {
		plain[name] = c.plant("the secret " + name)
	}
	for name, value := range plain {
		_, err := acme.PutSecret(ctx, name, baas.SecretPut{Value: value})
		must(t, err)
	}
	_, err = acme.PutSecret(ctx, "REPLACED", baas.SecretPut{Value: c.plant("a secret's second value")})
	must(t, err)
	must(t, acme.DeleteSecret(ctx, "REPLACED", ""))
	w := p.worker(acme, baas.WorkerCreate{Name: "Segredos"})
	assistant := p.bot(acme, baas.BotCreate{Name: "Ana", WorkerID: w.ID, Kind: baas.BotAssistant, Access: baas.AccessPublic, Assistant: &baas.Assistant{
		Model: "m", BaseURLSecret: "BASE", APIKeySecret: "KEY",
		Telegram: &baas.Telegram{TokenSecret: "TG_TOKEN", WebhookSecretSecret: "TG_HOOK", APIBase: endpoint},
		WhatsApp: &baas.WhatsApp{PhoneNumberID: "5511", AccessTokenSecret: "WA_ACCESS", AppSecretSecret: "WA_APP", VerifyTokenSecret: "WA_VERIFY", APIBase: endpoint}}})
	program := p.probe(acme, w.ID, "Programa", portFor(t, engine), baas.EnvVar{Name: "MY_SECRET", Secret: "PROGRAM"})
	var env []string
	must(t, ask(ctx, http.MethodGet, program.URL+"env", &env))
	if !strings.Contains(strings.Join(env, "\n"), plain["PROGRAM"]) {
		t.Fatal("the program didn't get its secret, so nothing is proven")
	}
	access, err := acme.NewAccessToken(ctx, assistant.ID)
	must(t, err)
	c.know("a bot's access token", access.Token)
	if engine == "docker" {
		machine := docker(t, "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", container(t, w.ID))
		_, rest, _ := strings.Cut(machine, "BAAS_AGENT_TOKEN=")
		c.know("the agent's token", strings.SplitN(rest, "\n", 2)[0])
		c.search("the container's environment and settings, but for the agent's token", []byte(strings.ReplaceAll(docker(t, "inspect", container(t, w.ID)), strings.SplitN(rest, "\n", 2)[0], "")))
	}

	// What goes wrong, and what is said about it.
	var said bytes.Buffer
	failed := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("that should have failed")
		}
		fmt.Fprintln(&said, err)
	}
	_, err = nobody.LogIn(ctx, operatorEmail, c.plant("a wrong password"))
	failed(err)
	_, err = nobody.AcceptInvitation(ctx, baas.InvitationAccept{Token: c.plant("a wrong invitation"), Name: "X", Password: c.plant("a password for a wrong invitation")})
	failed(err)
	stranger, err := client.New(p.url, c.plant("a wrong token"))
	must(t, err)
	_, err = stranger.Account(ctx)
	failed(err)
	_, err = acme.PutSecret(ctx, "not a name!", baas.SecretPut{Value: c.plant("the value of a badly named secret")})
	failed(err)
	_, err = acme.PutSecret(ctx, "TOO_LARGE", baas.SecretPut{Value: strings.Repeat(c.plant("a value that is too large"), 1000)})
	failed(err)
	_, err = acme.PutSecret(ctx, "NUL", baas.SecretPut{Value: c.plant("a value with NUL") + "\x00"})
	failed(err)
	short := c.plant("a new password with the wrong present one")
	_, err = owner.UpdateAccount(ctx, baas.AccountUpdate{Password: &short, CurrentPassword: c.plant("a wrong present password")})
	failed(err)
	for what, body := range map[string]string{
		"of a broken document":   `{"value":"` + c.plant("a value in a broken document"),
		"of the wrong type":      `{"value":{"deep":"` + c.plant("a value of the wrong type") + `"}}`,
		"with an unknown field":  `{"value":"x","password":"` + c.plant("an unknown field") + `"}`,
		"of the wrong kind, too": `{"value":["` + c.plant("a value in a list") + `"]}`,
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.url+"/api/v1/tenants/"+tenant.ID+"/secrets/BROKEN", strings.NewReader(body))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+token.Secret)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		must(t, err)
		if res.StatusCode < 400 {
			t.Errorf("a body %s was accepted: %s", what, answer)
		}
		said.Write(answer)
	}
	_, err = acme.SendMessage(ctx, assistant.ID, baas.BotMessage{Message: "oi"})
	fmt.Fprintln(&said, err) // the assistant may answer that it can't
	for i, secret := range []string{plain["TG_HOOK"], c.plant("a wrong webhook secret")} {
		res, err := botstest.PostUpdate(ctx, assistant.URL+"telegram", secret, botstest.Update(int64(i+1), 77, "pt-br", "oi"))
		must(t, err)
		res.Body.Close()
	}
	res, err := botstest.PostNotification(ctx, assistant.URL+"whatsapp", plain["WA_APP"], botstest.Notification("5511", botstest.TextMessage("wamid.1", "5521999", "oi")))
	must(t, err)
	res.Body.Close()
	said.WriteString(get(t, assistant.URL+"whatsapp?hub.mode=subscribe&hub.verify_token="+c.plant("a wrong verify token")+"&hub.challenge=1"))
	said.WriteString(get(t, assistant.URL+"whatsapp?hub.mode=subscribe&hub.verify_token="+plain["WA_VERIFY"]+"&hub.challenge=1"))
	// The failures reach the bot's log once it gives up on its endpoint.
	eventually(t, 60*time.Second, "the assistant to complain about its endpoint", func() error {
		lines, err := client.Collect(acme.Logs(ctx, assistant.ID, client.LogQuery{Tail: 1000}))
		if err != nil || !strings.Contains(fmt.Sprint(lines), "elegram") {
			return fmt.Errorf("%v %w", lines, err)
		}
		return nil
	})
	p.kill() // its write-ahead log stays
	c.searchFiles(p.dir)
	p.start()
	p.awaitBot(acme, assistant.ID, baas.BotRunning)

	c.search("errors of the API", said.Bytes())
	c.search("what the API says", everything(t, ctx, operator, acme, assistant, program))
	scrape, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/metrics", nil)
	must(t, err)
	res, err = http.DefaultClient.Do(scrape)
	must(t, err)
	metrics, err := io.ReadAll(res.Body)
	res.Body.Close()
	must(t, err)
	if res.StatusCode != http.StatusOK || !bytes.Contains(metrics, []byte("baas_")) {
		t.Errorf("metrics: %s", res.Status)
	}
	c.search("metrics", metrics)
	if engine == "docker" {
		c.search("the container's log", []byte(docker(t, "logs", container(t, w.ID))))
	}
	c.searchCommandLines()
	p.terminate()
	c.searchFiles(p.dir)
	c.search("the control plane's log, with debugging", []byte(p.log.String()))
	t.Logf("%d secrets, not found in:\n%s", len(c.values), strings.Join(c.places, "\n"))
}

// portFor is a port for a program: on the process engine all Workers share this machine's.
func portFor(t *testing.T, engine string) int {
	if engine == "docker" {
		return 20001
	}
	var port int
	_, err := fmt.Sscanf(freeAddress(t, "127.0.0.1"), "127.0.0.1:%d", &port)
	must(t, err)
	return port
}

// everything is all that the API tells.
func everything(t *testing.T, ctx context.Context, operator *client.Client, acme *client.Tenant, bots ...baas.Bot) []byte {
	var out bytes.Buffer
	add := func(v any, err error) {
		t.Helper()
		must(t, err)
		b, err := json.Marshal(v)
		must(t, err)
		out.Write(b)
	}
	add(client.Collect(acme.Secrets(ctx)))
	add(client.Collect(acme.Workers(ctx, client.WorkerQuery{})))
	add(client.Collect(acme.Bots(ctx, client.BotQuery{})))
	add(client.Collect(acme.Members(ctx, "")))
	add(client.Collect(acme.Invitations(ctx)))
	add(client.Collect(acme.Tokens(ctx)))
	add(client.Collect(acme.Moves(ctx, "")))
	events, err := client.Collect(acme.Events(ctx, client.EventQuery{}))
	add(events, err)
	if len(events) < 10 {
		t.Errorf("only %d events", len(events))
	}
	add(client.Collect(operator.Tenants(ctx, baas.TenantFilter{})))
	for _, b := range bots {
		add(client.Collect(acme.Logs(ctx, b.ID, client.LogQuery{Tail: 1000})))
	}
	return out.Bytes()
}

// searchFiles searches what the control plane keeps, byte for byte. The master key, and the volumes of Workers, which on
// the process engine lie beside it and hold what their bots need, are not its to hide from itself.
func (c *canaries) searchFiles(dir string) {
	c.t.Helper()
	found, control := 0, false
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "process":
			return fs.SkipDir
		case !d.Type().IsRegular() || d.Name() == "master.key":
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found++
		control = control || bytes.Contains(b, []byte("Segredos")) // the Worker's name, which is no secret
		c.search("the file "+d.Name(), b)
		return nil
	})
	if err != nil || !control {
		c.t.Errorf("%d files searched, and even the name of the Worker isn't there: %v", found, err)
	}
}

// searchCommandLines looks at what every user of the machine can read of processes.
func (c *canaries) searchCommandLines() {
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(c.t, err)
	var all bytes.Buffer
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue // it ended meanwhile
		}
		all.Write(b)
	}
	c.search("command lines", all.Bytes())
}

// walkFiles visits every regular file below dir.
func walkFiles(dir string, visit func(name string, size int64)) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			visit(name, info.Size())
		}
		return nil
	})
}
