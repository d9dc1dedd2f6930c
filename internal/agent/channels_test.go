package agent_test

import (
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

// TestChannels asks a real agent, which has no bot yet.
func TestChannels(t *testing.T) {
	tg := botstest.NewTelegram("1:telegram-token")
	t.Cleanup(tg.Close)
	p := newPlatform(t)
	w := p.newWorker(t, "wrk_1")
	q := agentapi.ChannelQuery{TelegramWebhook: "https://baas.example/b/bot_1/telegram", SetWebhook: true}
	q.Assistant.Telegram = &baas.Telegram{TokenSecret: "TG", WebhookSecretSecret: "HOOK", APIBase: tg.URL()}
	q.Assistant.TelegramToken, q.Assistant.TelegramWebhookSecret = "1:telegram-token", "hook"
	checks, err := w.client().CheckChannels(w.ctx(), q)
	if err != nil || len(checks) != 3 || !checks[2].OK || checks[1].Account != "@"+botstest.Username {
		t.Fatalf("got %+v, %v", checks, err)
	}
	if h := tg.Webhook(); h.URL != q.TelegramWebhook || h.SecretToken != "hook" {
		t.Errorf("the webhook is %+v", h)
	}
	tg.Close()
	checks, err = w.client().CheckChannels(w.ctx(), q)
	if err != nil || len(checks) != 2 || checks[1].Code != baas.ChannelUnreachable {
		t.Errorf("got %+v, %v", checks, err)
	}
}
