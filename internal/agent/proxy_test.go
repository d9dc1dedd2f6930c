package agent_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// A request that a bot may have acted on must not look like one that never reached it, or the gateway sends it again.
func TestABotThatDiesDuringAPostMayHaveActed(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(program(t, "bot_1", "serve", freePort(t)))
	w.until("bot_1", "running", state(baas.BotRunning))
	post := func(path, body string) (int, baas.Code) {
		t.Helper()
		req, err := http.NewRequestWithContext(w.ctx(), http.MethodPost, "http://bot"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := w.client().BotTransport("bot_1").RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode, baas.Code(res.Header.Get(agentapi.HeaderError))
	}
	for range 3 { // later ones go over a connection that was used before
		if status, code := post("/echo", "warm"); status != http.StatusOK || code != "" {
			t.Fatalf("a POST: %d %s", status, code)
		}
	}
	status, code := post("/die", "once;")
	if status != http.StatusBadGateway || code != baas.CodeInternal {
		t.Errorf("a bot that died during a POST: %d, code %q; the request may be sent again", status, code)
	}
	w.until("bot_1", "running again", func(b agentapi.BotStatus) bool { return b.State == baas.BotRunning && b.Restarts == 1 })
	w.eventually("the bot answers again", func() bool { status, _ := post("/echo", "warm"); return status == http.StatusOK })
	if _, acted := w.get("bot_1", "/kept?name=acted"); acted != "once;" {
		t.Errorf("the bot acted on %q", acted)
	}
	broken := make(chan baas.Code, 1)
	go func() {
		_, code := post("/wait", "x")
		broken <- code
	}()
	w.eventually("the bot has the request", func() bool { _, got := w.get("bot_1", "/kept?name=waits"); return got == "yes" })
	w.run(agentapi.DesiredBot{ID: "bot_1", Name: "bot_1", Command: []string{"/bin/true"}, Port: 1})
	if code := <-broken; code != baas.CodeConflict {
		t.Errorf("a bot that was stopped during a POST: code %q, want %q", code, baas.CodeConflict)
	}
	w.until("bot_1", "stopped", state(baas.BotStopped))
	// It is stopped from the moment that it is told to; its process may still answer while it ends.
	w.eventually("a stopped bot's requests may be sent again", func() bool {
		status, code := post("/echo", "x")
		return status == http.StatusBadGateway && code == baas.CodeUnavailable
	})
}

// The connection that a request came on is used again by the next, which must not be broken off for what became of the
// one before.
func TestConnectionsOutlastRequestsThatFindNobody(t *testing.T) {
	w := newPlatform(t).newWorker(t, "wrk_1")
	w.run(program(t, "bot_1", "silent", freePort(t)))
	w.until("bot_1", "started", func(b agentapi.BotStatus) bool { return b.PID != 0 })
	bot := w.client().BotTransport("bot_1")
	for i := range 300 {
		body := io.Reader(strings.NewReader(`{"message":"hello"}`))
		if i%2 == 1 {
			body = struct{ io.Reader }{body} // of a length that isn't said beforehand
		}
		req, err := http.NewRequestWithContext(w.ctx(), http.MethodPost, "http://bot/chat", body)
		if err != nil {
			t.Fatal(err)
		}
		res, err := bot.RoundTrip(req)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusBadGateway || res.Header.Get(agentapi.HeaderError) != string(baas.CodeUnavailable) {
			t.Fatalf("request %d: %d %v %v", i, res.StatusCode, res.Header, err)
		}
	}
}
