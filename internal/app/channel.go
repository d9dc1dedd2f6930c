package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/authz"
)

// CheckChannels asks the chat platforms of an assistant, from inside its Worker, whether its channels work as they are
// set now. baas.ErrUnavailable while the Worker isn't connected.
func (a *App) CheckChannels(ctx context.Context, actor authz.Actor, tenant, id string) (baas.List[baas.ChannelCheck], error) {
	s, b, err := a.find(ctx, actor, tenant, id, authz.BotTalk)
	if err != nil {
		return baas.List[baas.ChannelCheck]{}, err
	}
	if b.Assistant == nil || b.Assistant.Telegram == nil && b.Assistant.WhatsApp == nil {
		return baas.List[baas.ChannelCheck]{}, baas.Errorf(baas.CodeUnsupported, "the bot %s has no channel; connect it to Telegram or WhatsApp first", b.Name)
	}
	checks, err := a.askChannels(ctx, s, b, false)
	return listOf(checks, "", err)
}

// SetTelegramWebhook tells Telegram, from inside the assistant's Worker, to send messages to the bot's address with
// the secret that the bot expects, and gives the checks of the channel after that. May be repeated.
func (a *App) SetTelegramWebhook(ctx context.Context, actor authz.Actor, tenant, id string) (baas.List[baas.ChannelCheck], error) {
	s, b, err := a.find(ctx, actor, tenant, id, authz.BotUpdate)
	if err != nil {
		return baas.List[baas.ChannelCheck]{}, err
	}
	if b.Assistant == nil || b.Assistant.Telegram == nil {
		return baas.List[baas.ChannelCheck]{}, baas.Errorf(baas.CodeUnsupported, "the bot %s isn't connected to Telegram; add its token first", b.Name)
	}
	checks, err := a.askChannels(ctx, s, b, true)
	if err != nil || len(checks) == 0 || !checks[len(checks)-1].OK {
		return listOf(checks, "", err)
	}
	_, err = write(ctx, a, s, authz.BotUpdate, func(tx baas.TenantTx) (struct{}, error) {
		return struct{}{}, tx.Events().Add(ctx, ofBot(a.event(s, "bot.telegram_webhook_set", "Telegram sends messages to the bot "+b.Name+" now",
			map[string]any{"name": b.Name, "url": a.telegramWebhook(b)}), b))
	})
	return listOf(checks, "", err)
}

func (a *App) telegramWebhook(b baas.Bot) string { return a.addressed(b).URL + "telegram" }

func (a *App) askChannels(ctx context.Context, s seat, b baas.Bot, setWebhook bool) ([]baas.ChannelCheck, error) {
	agent, err := a.agent(b)
	if err != nil {
		return nil, err
	}
	conf, err := view(ctx, a, s, func(tx baas.TenantTx) (agentapi.AssistantConfig, error) { return a.channelConfig(ctx, tx, b) })
	if err != nil {
		return nil, err
	}
	checks, err := agent.CheckChannels(ctx, agentapi.ChannelQuery{Assistant: conf, TelegramWebhook: a.telegramWebhook(b), SetWebhook: setWebhook})
	if errors.Is(err, baas.ErrNotFound) {
		return nil, baas.Errorf(baas.CodeUnsupported, "the agent of the bot's Worker is too old to check channels; restart the Worker, which updates it")
	}
	return checks, err
}

// channelConfig is what an agent needs to know of an assistant's channels, with the values of their secrets.
func (a *App) channelConfig(ctx context.Context, tx baas.TenantTx, b baas.Bot) (agentapi.AssistantConfig, error) {
	conf := agentapi.AssistantConfig{BotID: b.ID, Name: b.Name, Assistant: baas.Assistant{Telegram: b.Assistant.Telegram, WhatsApp: b.Assistant.WhatsApp}}
	for _, ref := range conf.ChannelSecretRefs() {
		for _, scope := range []string{b.WorkerID, ""} {
			x, err := tx.Secrets().ByName(ctx, scope, ref.Name)
			if errors.Is(err, baas.ErrNotFound) {
				continue
			}
			if err != nil {
				return conf, err
			}
			value, err := a.Sealer.Open(ctx, x.ID, x.Sealed)
			if err != nil {
				return conf, fmt.Errorf("opening the secret %s: %w", ref.Name, err)
			}
			*ref.Value = string(value)
			break
		}
	}
	return conf, nil
}
