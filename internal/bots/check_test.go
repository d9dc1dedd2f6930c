package bots_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
	"github.com/baas-platform/baas/internal/bots/botstest"
)

const webhook = "https://baas.example/b/bot_1/telegram"

// outcome is what a check came to, as "telegram account ok".
func outcome(cs []baas.ChannelCheck) string {
	var lines []string
	for _, c := range cs {
		lines = append(lines, fmt.Sprintf("%s %s %s", c.Channel, c.Check, c.Code))
	}
	return strings.Join(lines, ", ")
}

func check(t *testing.T, q agentapi.ChannelQuery) []baas.ChannelCheck {
	t.Helper()
	cs := bots.CheckChannels(deadline(t), http.DefaultClient, q)
	for _, c := range cs {
		if c.OK != (c.Code == baas.ChannelOK) || c.Message == "" {
			t.Errorf("got %+v", c)
		}
		for _, secret := range []string{"telegram-token", hookSecret, "whatsapp-access-token", appSecret, verify} {
			if strings.Contains(fmt.Sprintf("%+v", c), secret) {
				t.Errorf("a secret is shown: %+v", c)
			}
		}
	}
	return cs
}

func TestCheckTelegram(t *testing.T) {
	const well = "telegram secrets ok, telegram account ok"
	for _, c := range []struct {
		name   string
		change func(*botstest.Telegram, *agentapi.ChannelQuery)
		want   string
		detail string // of the last check
	}{
		{"all is well", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.SetWebhook(botstest.TelegramWebhook{URL: webhook, LastError: "of long ago"})
		}, well + ", telegram webhook ok", ""},
		{"no webhook", func(*botstest.Telegram, *agentapi.ChannelQuery) {}, well + ", telegram webhook webhook_missing", ""},
		{"another webhook", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.SetWebhook(botstest.TelegramWebhook{URL: "https://other.example/"})
		}, well + ", telegram webhook webhook_elsewhere", "https://other.example/"},
		{"deliveries fail", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.SetWebhook(botstest.TelegramWebhook{URL: webhook, Pending: 3, LastError: "Connection refused"})
		}, well + ", telegram webhook webhook_failing", "Connection refused"},
		{"no token", func(_ *botstest.Telegram, q *agentapi.ChannelQuery) { q.Assistant.TelegramToken = "" }, "telegram secrets secret_missing", "TG"},
		{"no webhook secret", func(_ *botstest.Telegram, q *agentapi.ChannelQuery) { q.Assistant.TelegramWebhookSecret = "" }, "telegram secrets secret_missing", "HOOK"},
		{"malformed secret", func(_ *botstest.Telegram, q *agentapi.ChannelQuery) { q.Assistant.TelegramWebhookSecret = "não serve" }, "telegram secrets secret_malformed", "HOOK"},
		{"wrong token", func(_ *botstest.Telegram, q *agentapi.ChannelQuery) { q.Assistant.TelegramToken = "1:wrong" }, "telegram secrets ok, telegram account token_rejected", "Unauthorized"},
		{"no token at all", func(_ *botstest.Telegram, q *agentapi.ChannelQuery) { q.Assistant.TelegramToken = "a b/../%zz?x#y" }, "telegram secrets ok, telegram account unreachable", "the address can't be used"},
		{"too often", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) { tg.Fail(botstest.TelegramTooMany(7)) }, "telegram secrets ok, telegram account rate_limited", "Too Many Requests: retry after 7"},
		{"trouble", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.Fail(botstest.Failure{Status: 502, Body: `{"ok":false,"description":"Bad Gateway"}`})
		}, "telegram secrets ok, telegram account unreachable", "Bad Gateway"},
		{"something else answers", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.Fail(botstest.Failure{Status: 200, Body: `<html>`})
		}, "telegram secrets ok, telegram account not_the_api", "status 200"},
		{"the secret in what is said", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) {
			tg.Fail(botstest.Failure{Status: 400, Body: `{"ok":false,"description":"no ` + hookSecret + `"}`})
		}, "telegram secrets ok, telegram account refused", "no [secret]"},
		{"nobody answers", func(tg *botstest.Telegram, _ *agentapi.ChannelQuery) { tg.Close() }, "telegram secrets ok, telegram account unreachable", "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tg := newTelegram(t)
			q := agentapi.ChannelQuery{Assistant: persona(withTelegram(tg)), TelegramWebhook: webhook}
			c.change(tg, &q)
			cs := check(t, q)
			last := cs[len(cs)-1]
			if got := outcome(cs); got != c.want || !strings.Contains(last.Detail, c.detail) || c.detail == "" && last.Detail != "" {
				t.Errorf("got %s (%+v), want %s (%s)", got, last, c.want, c.detail)
			}
			if len(cs) > 1 && cs[1].OK && cs[1].Account != "@"+botstest.Username {
				t.Errorf("the account is %q", cs[1].Account)
			}
		})
	}
}

func TestSetTelegramWebhook(t *testing.T) {
	tg, wa := newTelegram(t), newWhatsApp(t)
	tg.SetWebhook(botstest.TelegramWebhook{URL: "https://other.example/", Pending: 2, LastError: "Connection refused"})
	p := persona(withTelegram(tg))
	withWhatsApp(wa)(&p)
	q := agentapi.ChannelQuery{Assistant: p, TelegramWebhook: webhook, SetWebhook: true}
	if got := outcome(check(t, q)); got != "telegram secrets ok, telegram account ok, telegram webhook ok" {
		t.Errorf("got %s", got)
	}
	if h := tg.Webhook(); h.URL != webhook || h.SecretToken != hookSecret || len(h.AllowedUpdates) != 1 || h.AllowedUpdates[0] != "message" {
		t.Errorf("the webhook is %+v", h)
	}
	q.TelegramWebhook = "ftp://baas.example/"
	cs := check(t, q)
	if got := outcome(cs); got != "telegram secrets ok, telegram account ok, telegram webhook refused" || !strings.Contains(cs[2].Detail, "HTTPS URL must be provided") {
		t.Errorf("got %s: %+v", got, cs)
	}
	if h := tg.Webhook(); h.URL != webhook {
		t.Errorf("the webhook is %+v", h)
	}
}

// TestWebhookThatWasSetIsAccepted sends an update as Telegram does after the webhook was set.
func TestWebhookThatWasSetIsAccepted(t *testing.T) {
	tg := newTelegram(t)
	b := start(t, t.TempDir(), persona(withTelegram(tg)))
	check(t, agentapi.ChannelQuery{Assistant: persona(withTelegram(tg)), TelegramWebhook: b.url + "/telegram", SetWebhook: true})
	res, err := botstest.PostUpdate(t.Context(), tg.Webhook().URL, tg.Webhook().SecretToken, botstest.Update(1, 7, "pt", "oi"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if sent := tg.Wait(deadline(t), 1); res.StatusCode != http.StatusOK || len(sent) != 1 || sent[0].Text != "Echo: oi" {
		t.Errorf("got %d and sent %+v", res.StatusCode, sent)
	}
}

func TestCheckWhatsApp(t *testing.T) {
	graph := func(status, code int) func(*botstest.WhatsApp, *agentapi.ChannelQuery) {
		return func(wa *botstest.WhatsApp, _ *agentapi.ChannelQuery) {
			wa.Fail(*botstest.GraphError(status, code, "said"))
		}
	}
	for _, c := range []struct {
		name   string
		change func(*botstest.WhatsApp, *agentapi.ChannelQuery)
		want   string
	}{
		{"all is well", func(*botstest.WhatsApp, *agentapi.ChannelQuery) {}, "ok"},
		{"wrong token", func(_ *botstest.WhatsApp, q *agentapi.ChannelQuery) { q.Assistant.WhatsAppAccessToken = "wrong" }, "token_rejected"},
		{"expired", graph(400, 190), "token_rejected"},
		{"another number", func(_ *botstest.WhatsApp, q *agentapi.ChannelQuery) { q.Assistant.WhatsApp.PhoneNumberID = "1/../2" }, "number_unknown"},
		{"no permission", graph(403, 10), "permission_missing"},
		{"no permission of the account", graph(400, 200), "permission_missing"},
		{"too often", graph(400, 80007), "rate_limited"},
		{"trouble", graph(500, 2), "unreachable"},
		{"something new", graph(400, 999), "refused"},
		{"another thing of the Graph", func(wa *botstest.WhatsApp, _ *agentapi.ChannelQuery) {
			wa.Fail(botstest.Failure{Status: 200, Body: `{"id":"1"}`})
		}, "number_unknown"},
		{"something else answers", func(wa *botstest.WhatsApp, _ *agentapi.ChannelQuery) {
			wa.Fail(botstest.Failure{Status: 404, Body: `<html>`})
		}, "not_the_api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wa := newWhatsApp(t)
			q := agentapi.ChannelQuery{Assistant: persona(withWhatsApp(wa))}
			c.change(wa, &q)
			cs := check(t, q)
			if got := outcome(cs); got != "whatsapp secrets ok, whatsapp account "+c.want {
				t.Errorf("got %s: %+v", got, cs)
			}
			if cs[1].OK && cs[1].Account != "+55 11 3000-0000 Padaria" {
				t.Errorf("the account is %q", cs[1].Account)
			}
		})
	}
	wa := newWhatsApp(t)
	q := agentapi.ChannelQuery{Assistant: persona(withWhatsApp(wa))}
	q.Assistant.WhatsAppVerifyToken = ""
	if cs := check(t, q); outcome(cs) != "whatsapp secrets secret_missing" || cs[0].Detail != "VERIFY" {
		t.Errorf("got %+v", cs)
	}
}

// TestChecksAreNotRedirected answers with a redirect, which would carry the token elsewhere.
func TestChecksAreNotRedirected(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) }))
	defer elsewhere.Close()
	api := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer api.Close()
	q := agentapi.ChannelQuery{Assistant: persona(func(c *agentapi.AssistantConfig) {
		c.Telegram = &baas.Telegram{TokenSecret: "TG", WebhookSecretSecret: "HOOK", APIBase: api.URL}
		c.TelegramToken, c.TelegramWebhookSecret = "1:telegram-token", hookSecret
	})}
	if got := outcome(check(t, q)); got != "telegram secrets ok, telegram account not_the_api" {
		t.Errorf("got %s", got)
	}
}
