package app_test

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
	"github.com/baas-platform/baas/internal/bots/botstest"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// TestChannels checks and registers an assistant whose agent does what agents do.
func TestChannels(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	tg, wa := botstest.NewTelegram("1:telegram-token"), botstest.NewWhatsApp("5511", "whatsapp-token")
	t.Cleanup(tg.Close)
	t.Cleanup(wa.Close)
	w, other := o.worker(t, "Vendas"), o.worker(t, "Outro")
	for _, s := range []struct{ name, value, worker string }{
		{"TG", "of another Worker", other.ID}, {"TG", "of the tenant", ""}, {"TG", "1:telegram-token", w.ID}, // its Worker's comes first
		{"HOOK", "hook", ""}, {"WA", "whatsapp-token", ""}, {"APP", "app", ""}, {"VERIFY", "verify", ""},
	} {
		ok[baas.Secret](t)(o.App.PutSecret(o.ctx, o.owner, o.tenant.ID, s.name, baas.SecretPut{Value: s.value, WorkerID: s.worker}))
	}
	b := ok[baas.Bot](t)(o.App.CreateBot(o.ctx, o.owner, o.tenant.ID, baas.BotCreate{WorkerID: w.ID, Name: "Ana", Kind: baas.BotAssistant, Assistant: &baas.Assistant{
		Telegram: &baas.Telegram{TokenSecret: "TG", WebhookSecretSecret: "HOOK", APIBase: tg.URL()},
		WhatsApp: &baas.WhatsApp{PhoneNumberID: "5511", AccessTokenSecret: "WA", AppSecretSecret: "APP", VerifyTokenSecret: "VERIFY", APIBase: wa.URL()},
	}}))
	check := func() []baas.ChannelCheck {
		t.Helper()
		return ok[baas.List[baas.ChannelCheck]](t)(o.App.CheckChannels(o.ctx, o.owner, o.tenant.ID, b.ID)).Items
	}
	refused(t, second(o.App.CheckChannels(o.ctx, o.owner, o.tenant.ID, b.ID)), baas.CodeUnavailable, "") // no agent yet

	var old atomic.Bool
	o.Agents.Connect(t, w.ID, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if old.Load() || r.URL.Path != "/v1/channels" {
			rw.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(rw).Encode(agentapi.Error{Code: baas.CodeNotFound, Message: "the agent has no " + r.URL.Path})
			return
		}
		var q agentapi.ChannelQuery
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(rw).Encode(agentapi.ChannelReport{Checks: bots.CheckChannels(r.Context(), http.DefaultClient, q)})
	}))
	codes := func(cs []baas.ChannelCheck) (all []baas.ChannelCode) {
		for _, c := range cs {
			all = append(all, c.Code)
		}
		return all
	}
	wants := func(cs []baas.ChannelCheck, want ...baas.ChannelCode) {
		t.Helper()
		got := codes(cs)
		if len(got) != len(want) {
			t.Fatalf("got %+v, want %v", cs, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("got %+v, want %v", cs, want)
			}
		}
	}
	wants(check(), baas.ChannelOK, baas.ChannelOK, baas.ChannelNoWebhook, baas.ChannelOK, baas.ChannelOK)
	for range 2 { // may be repeated
		wants(ok[baas.List[baas.ChannelCheck]](t)(o.App.SetTelegramWebhook(o.ctx, o.owner, o.tenant.ID, b.ID)).Items, baas.ChannelOK, baas.ChannelOK, baas.ChannelOK)
	}
	if h := tg.Webhook(); h.URL != b.URL+"telegram" || h.SecretToken != "hook" {
		t.Errorf("the webhook is %+v", h)
	}
	wants(check(), baas.ChannelOK, baas.ChannelOK, baas.ChannelOK, baas.ChannelOK, baas.ChannelOK)
	if es := o.events(t, "bot.telegram_webhook_set"); len(es) != 2 || es[0].BotID != b.ID || es[0].UserID != o.owner.UserID || es[0].Data["url"] != b.URL+"telegram" {
		t.Errorf("the log has %+v", es)
	}

	// What was saved a moment ago is what is checked, and what Telegram refuses leaves no event.
	ok[baas.Secret](t)(o.App.PutSecret(o.ctx, o.owner, o.tenant.ID, "TG", baas.SecretPut{Value: "wrong", WorkerID: w.ID}))
	wants(check(), baas.ChannelOK, baas.ChannelBadToken, baas.ChannelOK, baas.ChannelOK)
	wants(ok[baas.List[baas.ChannelCheck]](t)(o.App.SetTelegramWebhook(o.ctx, o.owner, o.tenant.ID, b.ID)).Items, baas.ChannelOK, baas.ChannelBadToken)
	if es := o.events(t, "bot.telegram_webhook_set"); len(es) != 2 {
		t.Errorf("the log has %+v", es)
	}

	old.Store(true)
	refused(t, second(o.App.CheckChannels(o.ctx, o.owner, o.tenant.ID, b.ID)), baas.CodeUnsupported, "")
	plain := o.bot(t, w, "Bia")
	refused(t, second(o.App.CheckChannels(o.ctx, o.owner, o.tenant.ID, plain.ID)), baas.CodeUnsupported, "")
	refused(t, second(o.App.SetTelegramWebhook(o.ctx, o.owner, o.tenant.ID, plain.ID)), baas.CodeUnsupported, "")
	viewer := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "v@a.example", Role: baas.RoleViewer}))
	refused(t, second(o.App.CheckChannels(o.ctx, viewer, o.tenant.ID, b.ID)), baas.CodeForbidden, "")
	limited := o.Actor(o.Join(o.owner, o.tenant.ID, baas.InvitationCreate{Email: "l@a.example", Role: baas.RoleAdmin, WorkerIDs: []string{other.ID}}))
	refused(t, second(o.App.CheckChannels(o.ctx, limited, o.tenant.ID, b.ID)), baas.CodeNotFound, "")
}
