package bots_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

func TestChatEchoes(t *testing.T) {
	b := start(t, t.TempDir(), persona(nil))
	a := b.say("", "olá, tudo bem?")
	if !strings.Contains(a.Reply, "olá, tudo bem?") || a.Handoff || len(a.QuickReplies) != 2 {
		t.Errorf("the answer is %+v", a)
	}
	if !regexp.MustCompile(`^[a-z0-9]{20,}$`).MatchString(a.Conversation) {
		t.Errorf("the conversation's id is %q", a.Conversation)
	}
	if again := b.say(a.Conversation, "mais"); again.Conversation != a.Conversation {
		t.Errorf("the conversation became %q", again.Conversation)
	}
	status, body := b.get("/chat/" + a.Conversation)
	for _, want := range []string{"olá, tudo bem?", "mais", `"role":"user"`, `"role":"assistant"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the history (%d) lacks %q: %s", status, want, body)
		}
	}
	if status, body := b.get("/info"); status != 200 || !strings.Contains(body, "Sou a Ana") || !strings.Contains(body, "Preços") {
		t.Errorf("info answers %d %s", status, body)
	}
}

func TestChatRefusesBadInput(t *testing.T) {
	b := start(t, t.TempDir(), persona(nil))
	for _, c := range []struct {
		name, body string
		status     int
		code       baas.Code
		field      string
	}{
		{"not JSON", `hello`, 422, baas.CodeInvalid, "body"},
		{"wrong type", `{"message":3}`, 422, baas.CodeInvalid, "body"},
		{"no message", `{}`, 422, baas.CodeInvalid, "message"},
		{"blank message", `{"message":"  \n"}`, 422, baas.CodeInvalid, "message"},
		{"long message", `{"message":"` + strings.Repeat("ã", bots.MaxMessage+1) + `"}`, 422, baas.CodeInvalid, "message"},
		{"short id", `{"message":"a","conversation":"1"}`, 422, baas.CodeInvalid, "conversation"},
		{"path as id", `{"message":"a","conversation":"../../../../etc/passwd"}`, 422, baas.CodeInvalid, "conversation"},
		{"huge body", `{"message":"` + strings.Repeat("a", 70000) + `"}`, 413, baas.CodeTooLarge, ""},
	} {
		status, a := b.post(c.body)
		if status != c.status || a.Code != string(c.code) || a.Message == "" {
			t.Errorf("%s: answers %d %+v", c.name, status, a)
		}
		if c.field != "" && (len(a.Fields) != 1 || a.Fields[0].Field != c.field || a.Fields[0].Message == "") {
			t.Errorf("%s: names the fields %+v", c.name, a.Fields)
		}
	}
	if status, a := b.post(`{"message":"` + strings.Repeat("ã", bots.MaxMessage) + `"}`); status != 200 {
		t.Errorf("the longest message answers %d %+v", status, a)
	}
	for path, want := range map[string]int{
		"/chat/unknownunknownunknownunknown": 404, "/chat/x": 422, "/telegram": 404, "/whatsapp": 404, "/nothing": 404,
	} {
		if status, body := b.get(path); status != want || !strings.Contains(body, `"message"`) {
			t.Errorf("%s answers %d %s", path, status, body)
		}
	}
}

func TestPageIsStrictAndRelative(t *testing.T) {
	b := start(t, t.TempDir(), persona(nil))
	resp, err := http.Get(b.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	csp := resp.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q", csp)
	}
	_, page := b.get("/")
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], "/") || strings.Contains(m[1], "//") {
			t.Errorf("the page refers to %q, which does not work under a path prefix", m[1])
		}
		if m[1] == "data:," {
			continue
		}
		if status, body := b.get("/" + m[1]); status != 200 || len(body) < 100 {
			t.Errorf("%s answers %d", m[1], status)
		}
	}
	_, script := b.get("/chat.js")
	if regexp.MustCompile(`fetch\(["'\x60]/`).MatchString(script) {
		t.Error("the script asks for an absolute path")
	}
}

func withModel(o *botstest.OpenAI) func(*agentapi.AssistantConfig) {
	return func(c *agentapi.AssistantConfig) {
		c.Model, c.BaseURL, c.APIKey = "test-1", o.BaseURL(), o.Key
		c.SystemPrompt, c.Temperature = "You are Ana.", 0.5
	}
}

func TestModelIsShownThePersonaAndTheMemory(t *testing.T) {
	o := botstest.NewOpenAI("sk-test")
	t.Cleanup(o.Close)
	b := start(t, t.TempDir(), persona(func(c *agentapi.AssistantConfig) {
		withModel(o)(c)
		c.Memory = 2
		c.Personality = baas.Personality{Formality: 90, Humor: 10, Empathy: 50, Verbosity: 30, Creativity: 70}
	}))
	first := b.say("", "um")
	if first.Reply != "reply to: um" {
		t.Errorf("the reply is %q", first.Reply)
	}
	b.say(first.Conversation, "dois")
	b.say(first.Conversation, "três")
	reqs := o.Requests()
	if len(reqs) != 3 {
		t.Fatalf("the model was asked %d times", len(reqs))
	}
	last := reqs[2]
	var got []string
	for _, m := range last.Messages[1:] {
		got = append(got, m.Role+": "+m.Content)
	}
	if want := "user: dois|assistant: reply to: dois|user: três"; strings.Join(got, "|") != want {
		t.Errorf("the model was shown %q, not %q", got, want)
	}
	system := last.Messages[0]
	if system.Role != "system" || !strings.HasPrefix(system.Content, "You are Ana.") ||
		!strings.Contains(system.Content, "very formal") || !strings.Contains(system.Content, "very serious") || strings.Contains(system.Content, "empath") {
		t.Errorf("the system prompt is %+v", system)
	}
	if last.Model != "test-1" || !last.Stream || *last.Temperature != 0.5 || *last.MaxTokens != 256 {
		t.Errorf("the question is %+v", last)
	}
}

func TestStreamingArrivesPieceByPiece(t *testing.T) {
	o := botstest.NewOpenAI("sk-test")
	t.Cleanup(o.Close)
	o.Reply(func(botstest.Completion) []string { return []string{"um ", "dois ", "três"} })
	next := o.Step()
	b := start(t, t.TempDir(), persona(withModel(o)))
	events := b.streamChat("", "conte")
	for i, want := range []string{"um ", "dois ", "três"} {
		// The piece after this one is not made before this one has arrived here.
		if e := <-events; e.name != "delta" || e.text != want {
			t.Fatalf("event %d is %+v", i, e)
		}
		if i < 2 {
			next()
		}
	}
	e := <-events
	if e.name != "done" || e.data.Reply != "um dois três" || e.data.Conversation == "" {
		t.Errorf("the end is %+v", e)
	}
	if _, more := <-events; more {
		t.Error("something follows the end")
	}
}

func TestModelFailures(t *testing.T) {
	o := botstest.NewOpenAI("sk-very-secret")
	t.Cleanup(o.Close)
	b := start(t, t.TempDir(), persona(withModel(o)), func(c *bots.Config) { c.ModelTimeout = 3 * time.Second })

	// What passes is repeated.
	o.Fail(botstest.Failure{Status: 503, Body: `{"error":{"message":"busy"}}`})
	if a := b.say("", "oi"); a.Reply != "reply to: oi" {
		t.Errorf("after a repetition the reply is %q", a.Reply)
	}
	// What doesn't pass is a polite answer to the person, and the reason is in the log.
	o.Fail(botstest.Failure{Status: 400, Body: `{"error":{"message":"no such model; you sent sk-very-secret"}}`})
	status, a := b.chat("", "oi")
	if status != 503 || a.Code != "unavailable" || !strings.Contains(a.Message, "Desculpe") {
		t.Errorf("a refusal answers %d %+v", status, a)
	}
	if !strings.Contains(b.log.String(), "no such model") {
		t.Errorf("the log lacks the reason: %s", b.log)
	}
	// An answer that breaks off is an error event, and not remembered.
	o.Fail(botstest.Failure{CutOff: true})
	var last event
	for e := range b.streamChat("conversation-cut-off-00001", "oi") {
		last = e
	}
	if last.name != "error" || last.data.Code != "unavailable" || last.data.Message == "" {
		t.Errorf("a cut-off ends with %+v", last)
	}
	if status, _ := b.get("/chat/conversation-cut-off-00001"); status != 404 {
		t.Error("a turn that failed was remembered")
	}
	o.Fail(botstest.Failure{Hang: true})
	if status, a := b.chat("", "oi"); status != 503 || !strings.Contains(a.Message, "demorou") {
		t.Errorf("a model that never answers: %d %+v", status, a)
	}
	if strings.Contains(b.log.String(), "sk-very-secret") || strings.Contains(b.log.String(), o.BaseURL()) {
		t.Errorf("a secret is in the log: %s", b.log)
	}
}

func TestMissingSecretsAreNamed(t *testing.T) {
	b := start(t, t.TempDir(), persona(func(c *agentapi.AssistantConfig) {
		c.Model, c.APIKeySecret, c.BaseURL = "gpt", "MY_KEY", "http://127.0.0.1:1"
		c.Telegram = &baas.Telegram{TokenSecret: "TG_TOKEN", WebhookSecretSecret: "TG_HOOK"}
		c.WhatsApp = &baas.WhatsApp{PhoneNumberID: "1", AccessTokenSecret: "WA_TOKEN", AppSecretSecret: "WA_APP", VerifyTokenSecret: "WA_VERIFY"}
	}))
	status, a := b.chat("", "oi")
	if status != 503 || !strings.Contains(a.Message, "MY_KEY") || strings.Contains(a.Message, "OPENAI_BASE_URL") {
		t.Errorf("answers %d %+v", status, a)
	}
	// A webhook without its secret must not accept an empty one.
	resp, err := botstest.PostUpdate(deadline(t), b.url+"/telegram", "", botstest.Update(1, 1, "pt", "oi"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("Telegram without secrets answers %d", resp.StatusCode)
	}
	if status, body := b.get("/whatsapp?hub.mode=subscribe&hub.verify_token=&hub.challenge=1"); status != 503 || !strings.Contains(body, "WA_") {
		t.Errorf("WhatsApp without secrets answers %d %s", status, body)
	}
}

func TestHandoff(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	var mu sync.Mutex
	clock := func(c *bots.Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	}
	p := persona(func(c *agentapi.AssistantConfig) {
		c.Handoff = baas.Handoff{Triggers: []string{"Atendente", "falar com alguém", "SOS!"}, Message: "Já chamo alguém."}
	})
	b := start(t, dir, p, clock)
	for text, want := range map[string]bool{
		"quero um ATENDÊNTE, por favor": true, "Falar   com alguem?": true, "sos": true, "(atendente)": true,
		"atendentes": false, "falar com o alguém": false, "sossego": false,
	} {
		if a := b.say("", text); a.Handoff != want || want && a.Reply != "Já chamo alguém." {
			t.Errorf("%q answers %+v", text, a)
		}
	}
	if !strings.Contains(b.log.String(), "a person is asked for") {
		t.Error("the log doesn't tell that a person is asked for")
	}
	id := b.say("", "atendente").Conversation
	b.stop()
	b = start(t, dir, p, clock)
	if a := b.say(id, "ainda aí?"); !a.Handoff || strings.Contains(a.Reply, "ainda") {
		t.Errorf("after a restart the conversation is not handed off: %+v", a)
	}
	mu.Lock()
	now = now.Add(bots.HandoffPause + time.Minute)
	mu.Unlock()
	if a := b.say(id, "voltei"); a.Handoff || !strings.Contains(a.Reply, "voltei") {
		t.Errorf("after the pause the assistant answers %+v", a)
	}
}

func TestConversationsAtOnceKeepTheirOrder(t *testing.T) {
	b := start(t, t.TempDir(), persona(nil))
	var wg sync.WaitGroup
	for c := range 8 {
		for m := range 10 {
			wg.Go(func() {
				want := fmt.Sprintf("message %d of %d", m, c)
				if status, a := b.chat(fmt.Sprintf("conversation-number-%04d", c), want); status != 200 || !strings.Contains(a.Reply, want) {
					t.Errorf("%q answers %d %+v", want, status, a)
				}
			})
		}
	}
	wg.Wait()
	for c := range 8 {
		_, body := b.get(fmt.Sprintf("/chat/conversation-number-%04d", c))
		roles := regexp.MustCompile(`"role":"(\w+)"`).FindAllStringSubmatch(body, -1)
		if len(roles) != 20 {
			t.Fatalf("conversation %d has %d messages", c, len(roles))
		}
		for i, r := range roles {
			if want := []string{"user", "assistant"}[i%2]; r[1] != want {
				t.Errorf("message %d of conversation %d is of %s", i, c, r[1])
			}
		}
	}
}

func TestMemoryIsBoundedAndMendsACutLine(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir, persona(nil))
	const id = "conversation-that-grows"
	big := strings.Repeat("palavra ", 900)
	for range 80 {
		b.say(id, big)
	}
	files, err := filepath.Glob(filepath.Join(dir, "conversations", "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %v (%v)", files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Size() > 1<<20+64<<10 {
		t.Errorf("the conversation takes %d bytes (%v)", info.Size(), err)
	}
	// A kill in the middle of a write leaves half a line.
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-01-01T00:00:00Z","role":"user","te`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	b.say(id, "depois do corte")
	if _, body := b.get("/chat/" + id); !strings.Contains(body, "Echo: depois do corte") {
		t.Errorf("what came after the cut is lost: %.200s", body)
	}
}
