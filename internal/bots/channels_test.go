package bots_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

const (
	hookSecret = "telegram-hook-secret"
	appSecret  = "whatsapp-app-secret"
	verify     = "whatsapp-verify-word"
)

func withTelegram(tg *botstest.Telegram) func(*agentapi.AssistantConfig) {
	return func(c *agentapi.AssistantConfig) {
		c.Telegram = &baas.Telegram{TokenSecret: "TG", WebhookSecretSecret: "HOOK", APIBase: tg.URL()}
		c.TelegramToken, c.TelegramWebhookSecret = tg.Token, hookSecret
	}
}

func withWhatsApp(wa *botstest.WhatsApp) func(*agentapi.AssistantConfig) {
	return func(c *agentapi.AssistantConfig) {
		c.WhatsApp = &baas.WhatsApp{PhoneNumberID: wa.PhoneNumberID, AccessTokenSecret: "WA", AppSecretSecret: "APP",
			VerifyTokenSecret: "VERIFY", APIBase: wa.URL()}
		c.WhatsAppAccessToken, c.WhatsAppAppSecret, c.WhatsAppVerifyToken = wa.AccessToken, appSecret, verify
	}
}

func newTelegram(t *testing.T) *botstest.Telegram {
	tg := botstest.NewTelegram("123:telegram-token")
	t.Cleanup(tg.Close)
	return tg
}

func newWhatsApp(t *testing.T) *botstest.WhatsApp {
	wa := botstest.NewWhatsApp("5511", "whatsapp-access-token")
	t.Cleanup(wa.Close)
	return wa
}

// update posts an update and gives the status.
func (b *bot) update(secret string, body []byte) int {
	b.t.Helper()
	res, err := botstest.PostUpdate(context.Background(), b.url+"/telegram", secret, body)
	if err != nil {
		b.t.Error(err)
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// notify posts a notification and gives the status.
func (b *bot) notify(secret string, body []byte) int {
	b.t.Helper()
	res, err := botstest.PostNotification(context.Background(), b.url+"/whatsapp", secret, body)
	if err != nil {
		b.t.Error(err)
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

func TestTelegram(t *testing.T) {
	tg := newTelegram(t)
	b := start(t, t.TempDir(), persona(withTelegram(tg)))
	for _, secret := range []string{"", "wrong", hookSecret + "x"} {
		if s := b.update(secret, botstest.Update(1, 7, "pt", "oi")); s != http.StatusUnauthorized {
			t.Errorf("the secret %q answers %d", secret, s)
		}
	}
	if s := b.update(hookSecret, []byte("{")); s != 422 {
		t.Errorf("broken JSON answers %d", s)
	}
	if s := b.update(hookSecret, []byte(`{"message":{}}`)); s != 422 {
		t.Errorf("an update without id answers %d", s)
	}
	if s := b.update(hookSecret, []byte(strings.Repeat("x", 2<<20))); s != 413 {
		t.Errorf("a huge update answers %d", s)
	}
	for _, other := range []string{`{"update_id":90}`, `{"update_id":91,"edited_message":{"chat":{"id":7},"text":"oi"}}`, `{"update_id":92,"message":{"text":"oi"}}`} {
		if s := b.update(hookSecret, []byte(other)); s != 200 {
			t.Errorf("%s answers %d", other, s)
		}
	}
	b.update(hookSecret, botstest.Update(1, 7, "pt", "/start"))
	b.update(hookSecret, botstest.Update(2, 7, "pt", "bom dia"))
	b.update(hookSecret, botstest.Update(2, 7, "pt", "bom dia")) // Telegram repeats what it isn't sure of
	b.update(hookSecret, botstest.Update(3, 7, "en", ""))        // a picture, say
	sent := tg.Wait(deadline(t), 3)
	if len(sent) != 3 {
		t.Fatalf("sent: %+v", sent)
	}
	if sent[0].Text != "Olá! Sou a Ana." || len(sent[0].Keyboard.Rows) != 2 || sent[0].Keyboard.Rows[0][0].Text != "Preços" || sent[0].ChatID != 7 {
		t.Errorf("the welcome is %+v", sent[0])
	}
	if sent[1].Text != "Echo: bom dia" || sent[2].Text != "For now I only understand text messages." {
		t.Errorf("the answers are %+v", sent[1:])
	}
}

func TestTelegramSendingIsRepeated(t *testing.T) {
	tg := newTelegram(t)
	b := start(t, t.TempDir(), persona(withTelegram(tg)))
	tg.Fail(botstest.Failure{Status: 502, Body: "<html>"}, botstest.TelegramTooMany(1), botstest.Failure{Status: 500, Body: `{}`})
	began := time.Now()
	b.update(hookSecret, botstest.Update(1, 7, "pt", "insista"))
	if sent := tg.Wait(deadline(t), 1); len(sent) != 1 || sent[0].Text != "Echo: insista" {
		t.Fatalf("sent: %+v", sent)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("retry_after of a second was not kept: %s", took)
	}
	// What is refused for good is not repeated, and doesn't hold the next one up.
	tg.Fail(botstest.Failure{Status: 403, Body: `{"ok":false,"description":"Forbidden: bot was blocked by the user"}`})
	b.update(hookSecret, botstest.Update(2, 7, "pt", "bloqueado"))
	b.update(hookSecret, botstest.Update(3, 7, "pt", "adiante"))
	if sent := tg.Wait(deadline(t), 2); len(sent) != 2 || sent[1].Text != "Echo: adiante" {
		t.Errorf("sent: %+v", sent)
	}
	if !strings.Contains(b.log.String(), "blocked by the user") || strings.Contains(b.log.String(), tg.Token) {
		t.Errorf("the log is %s", b.log)
	}
	// The address with the token is in the errors of the network, and must not be in the log.
	tg.Close()
	b.update(hookSecret, botstest.Update(4, 7, "pt", "sem rede"))
	eventually(t, "a repetition in the log", func() bool { return strings.Contains(b.log.String(), "connection refused") })
	if strings.Contains(b.log.String(), tg.Token) {
		t.Errorf("the token is in the log: %s", b.log)
	}
}

func TestTelegramSplitsLongAnswers(t *testing.T) {
	tg := newTelegram(t)
	o := botstest.NewOpenAI("sk")
	t.Cleanup(o.Close)
	long := strings.Repeat("palavra 😀 ", 1200)
	o.Reply(func(botstest.Completion) []string { return []string{long} })
	b := start(t, t.TempDir(), persona(func(c *agentapi.AssistantConfig) { withModel(o)(c); withTelegram(tg)(c) }))
	b.update(hookSecret, botstest.Update(1, 7, "pt", "fale muito"))
	sent := tg.Wait(deadline(t), 4) // the server refuses what is too long
	var all strings.Builder
	for _, m := range sent {
		all.WriteString(m.Text)
	}
	if all.String() != long || len(sent) != 4 {
		t.Errorf("%d messages with %d of %d bytes", len(sent), all.Len(), len(long))
	}
}

func TestTelegramKeepsTheOrderOfAChat(t *testing.T) {
	tg := newTelegram(t)
	b := start(t, t.TempDir(), persona(withTelegram(tg)))
	const chats, each = 5, 12
	var wg sync.WaitGroup
	for c := range chats {
		wg.Go(func() {
			for n := range each {
				id := int64(c*1000 + n + 1)
				for range 2 { // every one twice
					if s := b.update(hookSecret, botstest.Update(id, int64(c+1), "pt", fmt.Sprint(n))); s != 200 {
						t.Errorf("update %d answers %d", id, s)
					}
				}
			}
		})
	}
	wg.Wait()
	next := map[int64]int{}
	for _, m := range tg.Wait(deadline(t), chats*each) {
		if want := fmt.Sprintf("Echo: %d", next[m.ChatID]); m.Text != want {
			t.Errorf("chat %d got %q, not %q", m.ChatID, m.Text, want)
		}
		next[m.ChatID]++
	}
	for c := range int64(chats) {
		if next[c+1] != each {
			t.Errorf("chat %d got %d answers", c+1, next[c+1])
		}
	}
}

func TestHandoffKeepsSilentOnTelegram(t *testing.T) {
	tg := newTelegram(t)
	b := start(t, t.TempDir(), persona(func(c *agentapi.AssistantConfig) {
		withTelegram(tg)(c)
		c.Handoff = baas.Handoff{Triggers: []string{"humano"}}
	}))
	for i, text := range []string{"um humano, por favor", "alguém?", "/start", "oi"} {
		b.update(hookSecret, botstest.Update(int64(i+1), 7, "pt-br", text))
	}
	sent := tg.Wait(deadline(t), 3)
	if len(sent) != 3 || !strings.Contains(sent[0].Text, "uma pessoa") || sent[1].Text != "Olá! Sou a Ana." || sent[2].Text != "Echo: oi" {
		t.Errorf("sent: %+v", sent)
	}
}

func TestWhatsApp(t *testing.T) {
	wa := newWhatsApp(t)
	b := start(t, t.TempDir(), persona(withWhatsApp(wa)))
	for query, want := range map[string]int{
		"hub.mode=subscribe&hub.verify_token=" + verify + "&hub.challenge=4711": 200,
		"hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=4711":          403,
		"hub.mode=other&hub.verify_token=" + verify + "&hub.challenge=4711":     403,
		"": 403,
	} {
		if status, body := b.get("/whatsapp?" + query); status != want || (want == 200) != (body == "4711") {
			t.Errorf("%s answers %d %q", query, status, body)
		}
	}
	body := botstest.Notification(wa.PhoneNumberID, botstest.TextMessage("wamid.1", "5511999", "bom dia"))
	if s := b.notify("wrong", body); s != 401 {
		t.Errorf("a wrong signature answers %d", s)
	}
	for _, header := range []string{"", "sha256=", "sha256=zz", "sha1=" + strings.TrimPrefix(botstest.Sign(appSecret, body), "sha256="), botstest.Sign(appSecret, append(body, ' '))} {
		req, _ := http.NewRequest("POST", b.url+"/whatsapp", strings.NewReader(string(body)))
		req.Header.Set("X-Hub-Signature-256", header)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 401 {
			t.Errorf("the signature %q answers %d", header, res.StatusCode)
		}
	}
	if s := b.notify(appSecret, []byte(`{"object":"page"}`)); s != 422 {
		t.Errorf("another object answers %d", s)
	}
	for range 2 { // Meta repeats too
		if s := b.notify(appSecret, body); s != 200 {
			t.Errorf("a message answers %d", s)
		}
	}
	b.notify(appSecret, botstest.StatusNotification(wa.PhoneNumberID, "wamid.out1"))
	b.notify(appSecret, botstest.Notification("another number", botstest.TextMessage("wamid.2", "5511999", "não é aqui")))
	b.notify(appSecret, botstest.Notification(wa.PhoneNumberID, botstest.ButtonMessage("wamid.3", "5511999", "Horário", "Horário"),
		map[string]any{"id": "wamid.4", "from": "5511999", "type": "image", "image": map[string]any{"id": "1"}}))
	sent := wa.Wait(deadline(t), 4)
	if len(sent) != 4 {
		t.Fatalf("sent: %+v", sent)
	}
	welcome := sent[0].Interactive
	if sent[0].Type != "interactive" || welcome.Type != "button" || welcome.Body.Text != "Olá! Sou a Ana." || len(welcome.Action.Buttons) != 2 ||
		welcome.Action.Buttons[1].Reply.ID != "Horário" || sent[0].To != "5511999" {
		t.Errorf("the welcome is %+v", sent[0])
	}
	for i, want := range []string{"Echo: bom dia", "Echo: Horário", "Por enquanto só entendo mensagens de texto."} {
		if sent[i+1].Text.Body != want {
			t.Errorf("message %d is %+v", i+1, sent[i+1])
		}
	}
}

func TestWhatsAppListsManyOrLongReplies(t *testing.T) {
	wa := newWhatsApp(t)
	long := strings.Repeat("Uma opção bem longa ", 3)[:58]
	b := start(t, t.TempDir(), persona(func(c *agentapi.AssistantConfig) {
		withWhatsApp(wa)(c)
		c.QuickReplies = []string{long, "B", "C", "D", "E", "F", "G", "H", "I", "J"}
		c.Welcome = strings.Repeat("boas-vindas ", 200)
	}))
	wa.Fail(*botstest.GraphError(400, 131056, "Pair rate limit hit"), *botstest.GraphError(503, 2, "busy"))
	b.notify(appSecret, botstest.Notification(wa.PhoneNumberID, botstest.TextMessage("wamid.1", "1202", "hi")))
	sent := wa.Wait(deadline(t), 3)
	if len(sent) != 3 || sent[0].Type != "text" || sent[1].Interactive.Type != "list" {
		t.Fatalf("sent: %+v", sent)
	}
	rows := sent[1].Interactive.Action.Sections[0].Rows
	if len(rows) != 10 || rows[0].ID != long || rows[0].Description != long || sent[1].Interactive.Body.Text != "Choose an option:" {
		t.Errorf("the list is %+v", sent[1].Interactive)
	}
	if strings.Contains(b.log.String(), wa.AccessToken) {
		t.Error("the token is in the log")
	}
}

// The process is killed while an answer is on its way: everything accepted is answered after the restart, once.
func TestKilledAssistantGoesOn(t *testing.T) {
	tg, wa := newTelegram(t), newWhatsApp(t)
	dir := t.TempDir()
	o := botstest.NewOpenAI("sk")
	t.Cleanup(o.Close)
	c := persona(func(c *agentapi.AssistantConfig) { withModel(o)(c); withTelegram(tg)(c); withWhatsApp(wa)(c) })

	first := startProcess(t, dir, c)
	o.Fail(botstest.Failure{Hang: true}, botstest.Failure{Hang: true})
	for n := range 3 {
		if s := first.update(hookSecret, botstest.Update(int64(n+1), 7, "pt", fmt.Sprint("t", n))); s != 200 {
			t.Fatalf("the update answers %d", s)
		}
	}
	if s := first.notify(appSecret, botstest.Notification(wa.PhoneNumberID, botstest.TextMessage("wamid.1", "5511", "w0"))); s != 200 {
		t.Fatalf("the notification answers %d", s)
	}
	eventually(t, "both questions at the model", func() bool { return len(o.Requests()) == 2 })
	first.stop() // SIGKILL

	second := startProcess(t, dir, c)
	for n, m := range tg.Wait(deadline(t), 3) {
		if want := fmt.Sprintf("reply to: t%d", n); m.Text != want {
			t.Errorf("message %d is %q", n, m.Text)
		}
	}
	if sent := wa.Wait(deadline(t), 2); len(sent) != 2 || sent[1].Text.Body != "reply to: w0" {
		t.Errorf("sent: %+v", sent)
	}
	// The platforms repeat what they sent before the kill.
	second.update(hookSecret, botstest.Update(1, 7, "pt", "t0"))
	second.notify(appSecret, botstest.Notification(wa.PhoneNumberID, botstest.TextMessage("wamid.1", "5511", "w0")))
	second.update(hookSecret, botstest.Update(4, 7, "pt", "fim"))
	if sent := tg.Wait(deadline(t), 4); len(sent) != 4 || sent[3].Text != "reply to: fim" {
		t.Errorf("sent: %+v", sent)
	}
	second.notify(appSecret, botstest.Notification(wa.PhoneNumberID, botstest.TextMessage("wamid.9", "5511", "fim")))
	if sent := wa.Wait(deadline(t), 3); len(sent) != 3 || sent[2].Text.Body != "reply to: fim" {
		t.Errorf("sent: %+v", sent)
	}
}

// An answer that was made but not sent is sent after the restart as it was, without asking the model again.
func TestAnswerIsKeptUntilItIsSent(t *testing.T) {
	tg := newTelegram(t)
	dir := t.TempDir()
	o := botstest.NewOpenAI("sk")
	t.Cleanup(o.Close)
	c := persona(func(c *agentapi.AssistantConfig) { withModel(o)(c); withTelegram(tg)(c) })
	tg.Fail(botstest.Failure{Hang: true})
	first := startProcess(t, dir, c)
	first.update(hookSecret, botstest.Update(1, 7, "pt", "uma vez"))
	eventually(t, "the first try to send", func() bool { return tg.Tried() == 1 })
	first.stop()
	startProcess(t, dir, c)
	if sent := tg.Wait(deadline(t), 1); len(sent) != 1 || sent[0].Text != "reply to: uma vez" {
		t.Errorf("sent: %+v", sent)
	}
	if n := len(o.Requests()); n != 1 {
		t.Errorf("the model was asked %d times", n)
	}
}

func TestConfigFromEnv(t *testing.T) {
	env := map[string]string{"PORT": "70000", "BAAS_BOT_ID": "bot_1"}
	_, err := bots.ConfigFromEnv(func(k string) string { return env[k] })
	for _, want := range []string{"PORT", "BAAS_BOT_CONFIG", "BAAS_BOT_DATA"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error %v doesn't name %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "BAAS_BOT_ID") {
		t.Errorf("the error %v names what is right", err)
	}
}
