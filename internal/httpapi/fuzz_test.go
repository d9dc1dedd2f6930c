package httpapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// FuzzBodies sends any bytes to every operation that takes JSON. The answer is never our fault, and a refusal is a
// problem with a code that says what is wrong.
func FuzzBodies(f *testing.F) {
	p := apitest.New(f, apitest.Config{})
	tenant, owner := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	operator, ctx := p.LogIn(apitest.OperatorEmail), f.Context()
	must := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	actor := p.Actor(owner)
	w, err := p.App.CreateWorker(ctx, actor, tenant.ID, baas.WorkerCreate{Name: "Financeiro"})
	must(err)
	b, err := p.App.CreateBot(ctx, actor, tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotAssistant})
	must(err)
	viewer := p.Actor(p.Join(actor, tenant.ID, baas.InvitationCreate{Email: "v@a.example", Role: baas.RoleViewer}))
	agent := http.NewServeMux()
	agent.HandleFunc("POST /v1/bots/{id}/http/chat", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(rw, `{"reply":"olá"}`)
	})
	p.Agents.Connect(f, w.ID, agent)
	ids := map[string]string{"tenant": tenant.ID, "worker": w.ID, "bot": b.ID, "member": viewer.UserID, "name": "CHAVE", "plan": "OUTRO"}
	world := &world{ids: map[string]string{"worker": w.ID, "other-worker": w.ID}}
	var ops []operation
	known := world.calls()
	for _, op := range operations(f) {
		if c, ok := known[op.id]; ok && c.body != nil {
			ops = append(ops, op)
			raw, err := json.Marshal(c.body)
			must(err)
			f.Add(uint8(len(ops)-1), raw)
			for _, part := range []string{`null`, `[]`, `"x"`, `{`, `{"name":null}`, `{"name":{}}`, `{"name":"\u0000"}`, "{\"name\":\"\xff\"}", `{"name":1e999}`,
				`{"size":{"cpu_millis":9223372036854775808}}`, `{"size":null}`, strings.Repeat(`[`, 20000), `{"":""}`, `{"name":"a","name":"b"}`,
				`{"assistant":{"temperature":-0,"quick_replies":null,"handoff":{"triggers":[null]}}}`, `{"program":{"command":[""],"env":[{}]}}`,
				`{"worker_ids":["\u0000","x"],"role":"owner"}`, `{"expires_at":"0000-01-01T00:00:00Z"}`, `{"limits":{"workers":-1,"isolation":[null]}}`,
				`{"value":"","worker_id":"\u0000"}`, `{"email":"a@b\u0000c","role":"viewer"}`, `{"message":"\ud800"}`} {
				f.Add(uint8(len(ops)-1), []byte(part))
			}
		}
	}
	if len(ops) < 15 {
		f.Fatalf("only %d operations take a body", len(ops))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		op := ops[int(which)%len(ops)]
		path := op.path
		for k, v := range ids {
			path = strings.ReplaceAll(path, "{"+k+"}", v)
		}
		secret := owner
		if slices.Contains([]string{"plan-put", "tenant-create"}, op.id) {
			secret = operator
		}
		a := do(t, op.method, p.URL+httpapi.Prefix+path, string(body), "Authorization: Bearer "+secret, "Content-Type: application/json")
		switch {
		case a.status >= 500:
			t.Errorf("%s: %d %s", op.id, a.status, a.body)
		case a.status >= 400 && (a.problem.Code == "" || a.problem.Code == baas.CodeInternal || a.problem.Detail == "" && len(a.problem.Errors) == 0):
			t.Errorf("%s: %d says nothing: %s", op.id, a.status, a.body)
		case a.status == 422 && a.problem.Code == baas.CodeInvalid && len(a.problem.Errors) == 0:
			t.Errorf("%s: no field is named: %s", op.id, a.body)
		}
	})
}
