package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

type object = map[string]any

// TestDocumentedLimits sends what is just within each limit, which is taken, and just beyond, which is refused with the
// name of the field.
func TestDocumentedLimits(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	owner, ctx := p.Actor(secret), t.Context()
	w, err := p.App.CreateWorker(ctx, owner, tenant.ID, baas.WorkerCreate{Name: "Financeiro"})
	if err != nil {
		t.Fatal(err)
	}
	ana, err := p.App.CreateBot(ctx, owner, tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotAssistant})
	if err != nil {
		t.Fatal(err)
	}
	bia, err := p.App.CreateBot(ctx, owner, tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: "Bia", Kind: baas.BotProgram, Program: &baas.Program{Command: []string{"./bot"}}})
	if err != nil {
		t.Fatal(err)
	}
	at := p.URL + httpapi.Prefix + "/tenants/" + tenant.ID
	letters := func(n int) string { return strings.Repeat("ã", n) } // characters count, not bytes
	bytes := func(n int) string { return strings.Repeat("x", n) }
	list := func(n int, v func(i int) any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = v(i)
		}
		return out
	}
	word := func(int) any { return "x" }
	size := func(field string) func(int) any {
		return func(n int) any {
			s := object{"cpu_millis": 500, "memory_mib": 512, "disk_gib": 2}
			s[field] = n
			return s
		}
	}
	assistant := func(field string, v func(n int) any) func(int) any {
		return func(n int) any { return object{"assistant": object{field: v(n)}} }
	}
	program := func(field string, v func(n int) any) func(int) any {
		return func(n int) any {
			g := object{"command": []string{"./bot"}, "port": 8080}
			g[field] = v(n)
			return object{"program": g}
		}
	}
	health := func(field string) func(int) any {
		return program("health", func(n int) any { return object{"tcp": true, field: n} })
	}
	env := func(v func(n int) any) func(int) any {
		return program("env", func(n int) any { return []any{v(n)} })
	}
	number := func(n int) any { return n }
	text := func(n int) any { return letters(n) }
	patchAna, patchBia, worker := "PATCH /bots/"+ana.ID, "PATCH /bots/"+bia.ID, "PATCH /workers/"+w.ID
	resize := "POST /workers/" + w.ID + "/resize"
	for _, c := range []struct {
		call       string // method and path
		field      string
		body       func(n int) any
		fits, over int
	}{
		{worker, "name", func(n int) any { return object{"name": letters(n)} }, 60, 61},
		{worker, "name", func(n int) any { return object{"name": letters(n)} }, 1, 0},
		{worker, "image", func(n int) any { return object{"image": bytes(n)} }, 255, 256},
		{resize, "cpu_millis", size("cpu_millis"), 100, 99},
		{resize, "cpu_millis", size("cpu_millis"), 64000, 64001},
		{resize, "memory_mib", size("memory_mib"), 64, 63},
		{resize, "memory_mib", size("memory_mib"), 262144, 262145},
		{resize, "disk_gib", size("disk_gib"), 1, 0},
		{resize, "disk_gib", size("disk_gib"), 2048, 2049},
		{patchAna, "name", func(n int) any { return object{"name": letters(n)} }, 60, 61},
		{patchAna, "assistant.system_prompt", assistant("system_prompt", text), 32000, 32001},
		{patchAna, "assistant.welcome", assistant("welcome", text), 4000, 4001},
		{patchAna, "assistant.model", assistant("model", text), 200, 201},
		{patchAna, "assistant.temperature", assistant("temperature", number), 2, 3},
		{patchAna, "assistant.temperature", assistant("temperature", number), 0, -1},
		{patchAna, "assistant.max_tokens", assistant("max_tokens", number), 128000, 128001},
		{patchAna, "assistant.max_tokens", assistant("max_tokens", number), 1, -1},
		{patchAna, "assistant.memory_messages", assistant("memory_messages", number), 200, 201},
		{patchAna, "assistant.personality.humor", assistant("personality", func(n int) any { return object{"humor": n} }), 100, 101},
		{patchAna, "assistant.personality.humor", assistant("personality", func(n int) any { return object{"humor": n} }), 0, -1},
		{patchAna, "assistant.quick_replies", assistant("quick_replies", func(n int) any { return list(n, word) }), 10, 11},
		{patchAna, "assistant.quick_replies", assistant("quick_replies", func(n int) any { return []string{letters(n)} }), 60, 61},
		{patchAna, "assistant.handoff.triggers", assistant("handoff", func(n int) any { return object{"triggers": list(n, word)} }), 50, 51},
		{patchAna, "assistant.handoff.triggers", assistant("handoff", func(n int) any { return object{"triggers": []string{letters(n)}} }), 80, 81},
		{patchAna, "assistant.handoff.message", assistant("handoff", func(n int) any { return object{"message": letters(n)} }), 4000, 4001},
		{patchBia, "program.command", program("command", func(n int) any { return list(n, word) }), 100, 101},
		{patchBia, "program.command", program("command", func(n int) any { return list(n, word) }), 1, 0},
		{patchBia, "program.command", program("command", func(n int) any { return []string{"x", bytes(n)} }), 32 << 10, 32<<10 + 1},
		{patchBia, "program.env", program("env", func(n int) any {
			return list(n, func(i int) any { return object{"name": fmt.Sprintf("V%d", i)} })
		}), 200, 201},
		{patchBia, "program.env.value", env(func(n int) any { return object{"name": "V", "value": bytes(n)} }), 32 << 10, 32<<10 + 1},
		{patchBia, "program.env.name", env(func(n int) any { return object{"name": bytes(n)} }), 64, 65},
		{patchBia, "program.env.name", env(func(n int) any { return object{"name": bytes(n)} }), 1, 0},
		{patchBia, "program.port", program("port", number), 1024, 1023},
		{patchBia, "program.port", program("port", number), 65535, 65536},
		{patchBia, "program.stop_seconds", program("stop_seconds", number), 300, 301},
		{patchBia, "program.health.interval_seconds", health("interval_seconds"), 3600, 3601},
		{patchBia, "program.health.timeout_seconds", health("timeout_seconds"), 60, 61},
		{patchBia, "program.health.failures", health("failures"), 100, 101},
		{patchBia, "program.health.restart_after", health("restart_after"), 1000, 1001},
		{"PUT /secrets/CHAVE", "value", func(n int) any { return object{"value": bytes(n)} }, 16 << 10, 16<<10 + 1},
		{"PUT /secrets/CHAVE", "value", func(n int) any { return object{"value": bytes(n)} }, 1, 0},
		{"PATCH ", "name", func(n int) any { return object{"name": letters(n)} }, 80, 81},
		{"POST /tokens", "name", func(n int) any { return object{"name": letters(n), "scopes": []string{"read"}} }, 80, 81},
		{"POST /tokens", "scopes", func(n int) any { return object{"name": "x", "scopes": list(n, func(int) any { return "read" })} }, 1, 0},
		{"POST /invitations", "email", func(n int) any {
			return object{"role": "viewer", "email": bytes(60) + "@" + strings.Repeat(strings.Repeat("y", 60)+".", 3) + bytes(n-60-1-183)}
		}, 254, 255},
		{"POST /invitations", "email", func(n int) any { return object{"role": "viewer", "email": bytes(n) + "@a.example"} }, 1, 0},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.field, c.over), func(t *testing.T) {
			method, path, _ := strings.Cut(c.call, " ")
			call := func(n int) answer {
				raw, err := json.Marshal(c.body(n))
				if err != nil {
					t.Fatal(err)
				}
				return do(t, method, at+path, string(raw), "Authorization: Bearer "+secret)
			}
			if a := call(c.fits); a.status >= 300 {
				t.Errorf("%d is within the limit: %d %s", c.fits, a.status, a.body)
			}
			a := call(c.over)
			want(t, a, 422, baas.CodeInvalid)
			named := false
			for _, f := range a.problem.Errors {
				place := f.Field // huma counts the items of a list
				for i := range 300 {
					place = strings.ReplaceAll(place, fmt.Sprintf("[%d]", i), "")
				}
				named = named || place == c.field
			}
			if !named {
				t.Errorf("%d: no field is %s: %s", c.over, c.field, a.body)
			}
		})
	}
	get := func(path string, headers ...string) answer {
		return do(t, "GET", at+path, "", append(headers, "Authorization: Bearer "+secret)...)
	}
	until := time.Now().UTC().Truncate(time.Minute)
	span := func(minutes int) string {
		return "/usage?step=minute&to=" + url.QueryEscape(until.Format(time.RFC3339)) + "&from=" + url.QueryEscape(until.Add(-time.Duration(minutes)*time.Minute).Format(time.RFC3339))
	}
	for name, c := range map[string]struct{ fits, over, field string }{
		"largest page":  {"/workers?limit=500", "/workers?limit=501", "limit"},
		"smallest page": {"/workers?limit=1", "/workers?limit=0", "limit"},
		"search":        {"/workers?search=" + bytes(100), "/workers?search=" + bytes(101), "search"},
		"steps":         {span(10100), span(10101), "from"},
	} {
		if a := get(c.fits); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		a := get(c.over)
		if a.status != 422 || a.field(c.field) == "" {
			t.Errorf("%s beyond: %d %s", name, a.status, a.body)
		}
	}
	want(t, do(t, "GET", p.URL+httpapi.Prefix+"/tenants/"+bytes(65)+"/workers", "", "Authorization: Bearer "+secret), 422, baas.CodeInvalid)
	logs := "/bots/" + ana.ID + "/logs?tail="
	if a := get(logs + "10000"); a.status != 503 { // no agent is connected
		t.Errorf("10,000 lines: %d %s", a.status, a.body)
	}
	want(t, get(logs+"10001"), 422, baas.CodeInvalid)

	post := func(path, body string, headers ...string) answer {
		return do(t, "POST", at+path, body, append(headers, "Authorization: Bearer "+secret)...)
	}
	if a := post("/tokens", `{"name":"a","scopes":["read"]}`, "Idempotency-Key: "+bytes(200)); a.status >= 300 {
		t.Errorf("a key of 200: %d %s", a.status, a.body)
	}
	want(t, post("/tokens", `{"name":"a","scopes":["read"]}`, "Idempotency-Key: "+bytes(201)), 422, baas.CodeInvalid)
	padded := func(body string, n int) string { return body + strings.Repeat(" ", n-len(body)) }
	if a := post("/tokens", padded(`{"name":"a","scopes":["read"]}`, 1<<20)); a.status >= 300 {
		t.Errorf("a body of 1 MiB: %d %s", a.status, a.body)
	}
	want(t, post("/tokens", padded(`{"name":"a","scopes":["read"]}`, 1<<20+1)), 413, baas.CodeTooLarge)
	message := "/bots/" + ana.ID + "/messages"
	want(t, post(message, padded(`{"message":"oi"}`, 64<<10)), 503, baas.CodeUnavailable) // no agent is connected
	want(t, post(message, padded(`{"message":"oi"}`, 64<<10+1)), 413, baas.CodeTooLarge)

	for n, taken := range map[int]bool{9: false, 10: true, 200: true, 201: false} {
		in, err := p.App.CreateInvitation(ctx, owner, tenant.ID, baas.InvitationCreate{Email: fmt.Sprintf("p%d@a.example", n), Role: baas.RoleViewer})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(baas.InvitationAccept{Token: in.Token, Name: "Ana", Password: bytes(n)})
		if err != nil {
			t.Fatal(err)
		}
		a := do(t, "POST", p.URL+httpapi.Prefix+"/invitations/accept", string(raw))
		if ok := a.status < 300; ok != taken || !ok && a.field("password") == "" {
			t.Errorf("a password of %d: %d %s", n, a.status, a.body)
		}
	}
}

// TestStrangePaths puts what no database holds into paths and queries.
func TestStrangePaths(t *testing.T) {
	p := apitest.New(t, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	at := p.URL + httpapi.Prefix + "/tenants/"
	for _, x := range []string{"%00", "%ff", "a%00b", "%ed%a0%80", "%2e%2e", "%2f", "'", "%25", "wrk_%00"} {
		for _, call := range []string{"GET " + x, "GET " + x + "/workers", "GET {}/workers/" + x, "GET {}/bots/" + x, "GET {}/moves/" + x, "GET {}/members/" + x,
			"GET {}/workers?search=" + x, "GET {}/workers?cursor=" + x, "GET {}/events?kind=" + x, "GET {}/events?worker=" + x, "GET {}/usage?worker=" + x, "GET {}/usage?bot=" + x,
			"DELETE {}/secrets/" + x, "DELETE {}/tokens/" + x, "DELETE {}/bots/" + x + "?confirm=" + x, "POST {}/workers/" + x + "/start", "GET {}/moves?bot=" + x,
			"GET {}/members?search=" + x, "DELETE {}/secrets/A?worker_id=" + x} {
			method, path, _ := strings.Cut(strings.ReplaceAll(call, "{}", tenant.ID), " ")
			a := do(t, method, at+path, "", "Authorization: Bearer "+secret, "Idempotency-Key: key-"+strings.ReplaceAll(x, "%", "."))
			if a.status >= 500 || a.status >= 400 && a.problem.Code == "" {
				t.Errorf("%s: %d %s", call, a.status, a.body)
			}
		}
	}
}
