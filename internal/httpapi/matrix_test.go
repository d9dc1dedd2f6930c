package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
	"github.com/baas-platform/baas/internal/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is a tenant with one of everything, and people of every kind around it.
type world struct {
	file    string // the database, of SQLite or PostgreSQL
	keys    string // file of its master key
	now     time.Time
	tenant  baas.Tenant
	other   baas.Tenant
	ids     map[string]string // path parameters
	secrets map[string]string // log-in or token by persona
}

// personas in the order of the golden file. platform and support are operators of the platform; support has a support session.
// Those who are limited see another Worker than the one that is asked for.
func personas() []string {
	return []string{"nobody", "expired", "stranger", "platform", "support", "limited", "limited-admin", "viewer", "operator", "admin", "owner",
		"token-read", "token-write", "token-admin"}
}

func makeWorld(t *testing.T, database string) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{file: database, keys: filepath.Join(t.TempDir(), "master.key"), now: time.Now(), ids: map[string]string{}, secrets: map[string]string{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("world", func(t *testing.T) { // ends its platform, so that the file is whole
		p := apitest.New(t, apitest.Config{Database: w.file, Keys: w.keys})
		w.tenant, w.secrets["owner"] = p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
		w.other, w.secrets["stranger"] = p.Tenant("Cliente B", baas.PlanEnterprise, "dono@b.example")
		w.secrets["platform"] = p.LogIn(apitest.OperatorEmail)
		must(p.App.EnsureOperator(ctx, "suporte@baas.example", "Suporte", apitest.Password))
		w.secrets["support"] = p.LogIn("suporte@baas.example")
		session, err := p.App.OpenSupport(ctx, p.Actor(w.secrets["support"]), w.tenant.ID, baas.SupportCreate{Reason: "Chamado 4711", Minutes: baas.MaxSupportMinutes})
		must(err)
		w.ids["support"] = session.ID
		owner := p.Actor(w.secrets["owner"])
		var workers []baas.Worker
		for _, name := range []string{"Financeiro", "Operações", "Atendimento"} {
			x, err := p.App.CreateWorker(ctx, owner, w.tenant.ID, baas.WorkerCreate{Name: name})
			must(err)
			workers = append(workers, x)
		}
		w.ids["tenant"], w.ids["worker"], w.ids["other-worker"] = w.tenant.ID, workers[0].ID, workers[1].ID
		w.ids["name"], w.ids["plan"] = "CHAVE", "PRO"
		_, err = p.App.PutSecret(ctx, owner, w.tenant.ID, "CHAVE", baas.SecretPut{Value: "x"})
		must(err)
		b, err := p.App.CreateBot(ctx, owner, w.tenant.ID, baas.BotCreate{WorkerID: workers[0].ID, Name: "Ana", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./bot"}}})
		must(err)
		w.ids["bot"] = b.ID
		_, err = p.App.PutFiles(ctx, owner, w.tenant.ID, b.ID, strings.NewReader("\x1f\x8b not looked into any further"))
		must(err)
		_, err = p.App.PutSecret(ctx, owner, w.tenant.ID, "TELEGRAM", baas.SecretPut{Value: "x"})
		must(err)
		assistant, err := p.App.CreateBot(ctx, owner, w.tenant.ID, baas.BotCreate{WorkerID: workers[0].ID, Name: "Caio", Kind: baas.BotAssistant,
			Assistant: &baas.Assistant{Telegram: &baas.Telegram{TokenSecret: "TELEGRAM", WebhookSecretSecret: "TELEGRAM"}}})
		must(err)
		w.ids["assistant"] = assistant.ID
		moving, err := p.App.CreateBot(ctx, owner, w.tenant.ID, baas.BotCreate{WorkerID: workers[0].ID, Name: "Bia", Kind: baas.BotAssistant})
		must(err)
		m, err := p.App.MoveBot(ctx, owner, w.tenant.ID, moving.ID, baas.MoveCreate{WorkerID: workers[1].ID})
		must(err)
		w.ids["move"] = m.ID
		open, err := p.App.CreateInvitation(ctx, owner, w.tenant.ID, baas.InvitationCreate{Email: "nova@a.example", Role: baas.RoleViewer})
		must(err)
		w.ids["invitation"] = open.ID
		for _, r := range []baas.Role{baas.RoleAdmin, baas.RoleOperator, baas.RoleViewer} {
			w.secrets[string(r)] = p.Join(owner, w.tenant.ID, baas.InvitationCreate{Email: string(r) + "@a.example", Role: r})
		}
		w.ids["member"] = p.Actor(w.secrets["viewer"]).UserID
		w.secrets["limited"] = p.Join(owner, w.tenant.ID, baas.InvitationCreate{Email: "limitada@a.example", Role: baas.RoleOperator, WorkerIDs: []string{workers[2].ID}})
		w.secrets["limited-admin"] = p.Join(owner, w.tenant.ID, baas.InvitationCreate{Email: "chefe@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{workers[2].ID}})
		soon := w.now.Add(time.Minute)
		for name, in := range map[string]baas.TokenCreate{
			"token-read": {Scopes: []baas.Scope{baas.ScopeRead}}, "token-write": {Scopes: []baas.Scope{baas.ScopeWrite}},
			"token-admin": {Scopes: []baas.Scope{baas.ScopeAdmin}}, "expired": {Scopes: []baas.Scope{baas.ScopeAdmin}, ExpiresAt: &soon},
		} {
			in.Name = name
			x, err := p.App.CreateToken(ctx, owner, w.tenant.ID, in)
			must(err)
			w.secrets[name] = x.Secret
		}
		spare, err := p.App.CreateToken(ctx, owner, w.tenant.ID, baas.TokenCreate{Name: "spare", Scopes: []baas.Scope{baas.ScopeRead}})
		must(err)
		w.ids["token"] = spare.ID
	})
	return w
}

// copyTo starts a platform on a copy of the world, an hour later.
func (w *world) copyTo(t *testing.T) *apitest.Platform {
	t.Helper()
	var database string
	if strings.HasPrefix(w.file, "postgres") {
		database = storetest.PostgresCopy(t, w.file)
	} else {
		database = filepath.Join(t.TempDir(), "world.db")
		raw, err := os.ReadFile(w.file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(database, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	now := func() time.Time { return w.now.Add(time.Hour + time.Since(began)) }
	return apitest.New(t, apitest.Config{Database: database, Keys: w.keys, Now: now, HTTP: httpapi.Config{Heartbeat: 10 * time.Millisecond}})
}

// call is what an operation is called with: it must be good for who is allowed.
type call struct {
	query string
	body  any
	raw   []byte
	ids   map[string]string // path parameters in place of the world's
}

func (w *world) calls() map[string]call {
	ok := "Nome novo"
	return map[string]call{
		"account-log-in":       {body: baas.Credentials{Email: "dona@a.example", Password: apitest.Password}},
		"account-update":       {body: baas.AccountUpdate{Name: &ok}},
		"invitation-accept":    {body: baas.InvitationAccept{Token: "unknown", Password: apitest.Password}},
		"plan-put":             {body: map[string]any{"name": "Pro", "limits": baas.DefaultPlans()[1].Limits}},
		"tenant-create":        {body: baas.TenantCreate{Name: "Cliente C"}},
		"tenant-update":        {body: baas.TenantUpdate{Name: &ok}},
		"tenant-delete":        {query: "confirm=Cliente+A"},
		"member-update":        {body: baas.MemberUpdate{}},
		"invitation-create":    {body: baas.InvitationCreate{Email: "outra@a.example", Role: baas.RoleViewer}},
		"token-create":         {body: baas.TokenCreate{Name: "novo", Scopes: []baas.Scope{baas.ScopeRead}}},
		"secret-put":           {body: baas.SecretPut{Value: "y"}},
		"worker-create":        {body: baas.WorkerCreate{Name: "Novo"}},
		"worker-update":        {body: baas.WorkerUpdate{Name: &ok}},
		"worker-delete":        {query: "confirm=Financeiro"},
		"worker-resize":        {body: baas.DefaultSize},
		"bot-create":           {body: baas.BotCreate{WorkerID: w.ids["worker"], Name: "Novo", Kind: baas.BotAssistant}},
		"bot-update":           {body: baas.BotUpdate{Name: &ok}},
		"bot-delete":           {query: "confirm=Ana"},
		"bot-move":             {body: baas.MoveCreate{WorkerID: w.ids["other-worker"]}},
		"bot-send-message":     {body: baas.BotMessage{Message: "oi"}},
		"support-open":         {body: baas.SupportCreate{Reason: "Chamado 4712"}},
		"bot-check-channels":   {ids: map[string]string{"bot": w.ids["assistant"]}},
		"bot-telegram-webhook": {ids: map[string]string{"bot": w.ids["assistant"]}},
		"bot-put-files":        {raw: []byte("\x1f\x8b not looked into any further")},
	}
}

type operation struct{ method, path, id string }

func operations(t testing.TB) (ops []operation) {
	t.Helper()
	raw, err := httpapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			ops = append(ops, operation{strings.ToUpper(method), path, op.OperationID})
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return ops
}

// send calls an operation with the path parameters and gives status and body; of a stream, its beginning.
func send(t *testing.T, base string, op operation, ids map[string]string, c call, secret string) (int, []byte) {
	t.Helper()
	path := op.path
	for k, v := range ids {
		path = strings.ReplaceAll(path, "{"+k+"}", v)
	}
	if strings.Contains(path, "{") {
		t.Fatalf("%s has a parameter that the world doesn't know: %s", op.id, path)
	}
	body := c.raw
	if c.body != nil {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, op.method, base+httpapi.Prefix+path+"?"+c.query, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var raw []byte
	if op.id == "change-stream" && res.StatusCode == http.StatusOK {
		raw = make([]byte, 64)
		_, err = io.ReadFull(res.Body, raw)
	} else {
		raw, err = io.ReadAll(res.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, raw
}

// repeatable are writes that one person may do after another with the same outcome.
func repeatable(id string) bool {
	return slices.Contains([]string{"account-log-in", "account-update", "bot-access-token", "bot-check-channels", "bot-telegram-webhook", "bot-preview", "bot-put-files", "bot-restart", "bot-send-message",
		"bot-start", "bot-stop", "bot-update", "member-update", "plan-put", "secret-put", "tenant-update", "token-create", "worker-resize", "worker-restart",
		"worker-start", "worker-stop", "worker-update"}, id)
}

// connect gives the platform an agent that answers.
func (w *world) connect(t *testing.T, p *apitest.Platform) *apitest.Platform {
	agent := http.NewServeMux()
	agent.HandleFunc("GET /v1/bots/{id}/logs", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, `{"text":"oi"}`) })
	agent.HandleFunc("POST /v1/bots/{id}/http/chat", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"reply":"olá"}`) })
	agent.HandleFunc("POST /v1/channels", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"checks":[]}`) })
	agent.HandleFunc("GET /v1/status", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{}`) })
	p.Agents.Connect(t, w.ids["worker"], agent)
	return p
}

// TestMatrix calls every operation as every kind of person and compares the answers with testdata/matrix.txt. A new
// operation changes the file: look at its line, and write it with -update when it is right.
func TestMatrix(t *testing.T) { matrix(t, filepath.Join(t.TempDir(), "world.db")) }

func TestMatrixPostgres(t *testing.T) { matrix(t, storetest.Postgres(t)) }

func matrix(t *testing.T, database string) {
	w := makeWorld(t, database)
	calls := w.calls()
	reader := w.connect(t, w.copyTo(t)) // for what changes nothing
	known := lines(t, "testdata/matrix.txt")
	var out strings.Builder
	fmt.Fprintf(&out, "%-22s", "operation")
	for _, p := range personas() {
		fmt.Fprintf(&out, " %-13s", p)
	}
	out.WriteByte('\n')
	for _, op := range operations(t) {
		t.Run(op.id, func(t *testing.T) {
			c := calls[op.id]
			line := fmt.Sprintf("%-22s", op.id)
			p := reader
			for _, who := range personas() {
				if p == nil || p == reader && op.method != http.MethodGet {
					p = w.connect(t, w.copyTo(t))
				}
				ids := maps.Clone(w.ids)
				maps.Copy(ids, c.ids)
				code, body := send(t, p.URL, op, ids, c, w.secrets[who])
				line += fmt.Sprintf(" %-13d", code)
				if code >= 500 || code == http.StatusUnprocessableEntity && !strings.HasPrefix(who, "limited") {
					t.Errorf("%s as %s: %d %s", op.id, who, code, body)
				}
				if code < 300 && op.method != http.MethodGet && !repeatable(op.id) {
					p = nil // what it changed is gone for the next
				}
			}
			out.WriteString(line + "\n")
			if !*update && !slices.Contains(known, line) {
				t.Errorf("testdata/matrix.txt has other answers or none:\n%s", line)
			}
		})
	}
	if !t.Failed() { // of a part of the operations, such as with -run, there is nothing to compare
		golden(t, "testdata/matrix.txt", out.String())
	}
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	return strings.Split(string(raw), "\n")
}

func golden(t *testing.T, file, have string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != have {
		t.Errorf("%s has other answers; look at the difference, and write it with -update when it is right:\n%s", file, difference(string(want), have))
	}
}

func difference(want, have string) string {
	var b strings.Builder
	old := strings.Split(want, "\n")
	for _, line := range strings.Split(have, "\n") {
		if i := slices.Index(old, line); i >= 0 {
			old = slices.Delete(old, i, i+1)
			continue
		}
		fmt.Fprintf(&b, "+ %s\n", line)
	}
	for _, line := range old {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	return b.String()
}

// TestForeignLooksMissing compares, for every operation on a thing, the answer about another tenant's with the answer
// about one that isn't there; and the same for a member who is limited to other Workers.
func TestForeignLooksMissing(t *testing.T) {
	foreignLooksMissing(t, filepath.Join(t.TempDir(), "world.db"))
}

func TestForeignLooksMissingPostgres(t *testing.T) { foreignLooksMissing(t, storetest.Postgres(t)) }

func foreignLooksMissing(t *testing.T, database string) {
	w := makeWorld(t, database)
	p := w.copyTo(t)
	missing := map[string]string{"worker": baas.NewID(baas.PrefixWorker), "bot": baas.NewID(baas.PrefixBot), "move": baas.NewID(baas.PrefixMove),
		"member": baas.NewID(baas.PrefixUser), "invitation": baas.NewID(baas.PrefixInvitation), "token": baas.NewID(baas.PrefixToken), "support": baas.NewID(baas.PrefixSupport), "name": "CHAVE", "plan": "PRO"}
	calls := w.calls()
	same := func(t *testing.T, op operation, a, b map[string]string, who string) {
		t.Helper()
		codeA, bodyA := send(t, p.URL, op, a, calls[op.id], w.secrets[who])
		codeB, bodyB := send(t, p.URL, op, b, calls[op.id], w.secrets[who])
		if codeA != codeB || !bytes.Equal(plain(t, bodyA), plain(t, bodyB)) {
			t.Errorf("%s: %d %s\nbut a missing one: %d %s", who, codeA, bodyA, codeB, bodyB)
		}
	}
	with := func(ids map[string]string, tenant string) map[string]string {
		out := map[string]string{}
		for k, v := range ids {
			out[k] = v
		}
		out["tenant"] = tenant
		return out
	}
	for _, op := range operations(t) {
		if !strings.Contains(op.path, "{tenant}") {
			continue
		}
		t.Run(op.id, func(t *testing.T) {
			// A tenant that one isn't a member of, and one that isn't there.
			same(t, op, w.ids, with(w.ids, baas.NewID(baas.PrefixTenant)), "stranger")
			same(t, op, with(w.ids, w.tenant.Slug), with(w.ids, "no-such-tenant"), "stranger")
			if strings.Count(op.path, "{") < 2 {
				return
			}
			if strings.Contains(op.path, "{name}") {
				return // named by the tenant itself
			}
			// Another tenant's thing asked of one's own tenant, and one that isn't there.
			same(t, op, with(w.ids, w.other.ID), with(missing, w.other.ID), "stranger")
			if strings.Contains(op.path, "{worker}") || strings.Contains(op.path, "{bot}") || strings.Contains(op.path, "{move}") {
				same(t, op, w.ids, with(missing, w.tenant.ID), "limited")
				same(t, op, w.ids, with(missing, w.tenant.ID), "limited-admin")
			}
		})
	}
}

// plain is a problem without what differs by request.
func plain(t *testing.T, body []byte) []byte {
	t.Helper()
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return body
	}
	delete(m, "request_id")
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
