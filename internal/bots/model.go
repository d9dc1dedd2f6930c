package bots

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// maxReply bounds a reply, in bytes, whatever the endpoint sends.
const maxReply = 1 << 20

// model answers a prompt.
type model interface {
	// reply gives the whole answer, and its pieces to delta as they come.
	reply(ctx context.Context, prompt []message, delta func(string)) (string, error)
}

func newModel(p agentapi.AssistantConfig, cfg Config) model {
	if p.Model == "" || p.Model == baas.ModelEcho {
		return echo{}
	}
	// The address has no default: conversations must not go to a provider that nobody chose.
	var missing []string
	if p.BaseURL == "" {
		missing = append(missing, or(p.BaseURLSecret, "OPENAI_BASE_URL"))
	}
	if p.APIKey == "" {
		missing = append(missing, or(p.APIKeySecret, "OPENAI_API_KEY"))
	}
	if len(missing) > 0 {
		return unusable{baas.Errorf(baas.CodeUnavailable,
			"the model %s can't be asked: set the secret %s and restart the bot", p.Model, strings.Join(missing, " and the secret "))}
	}
	u, err := url.Parse(p.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return unusable{baas.Errorf(baas.CodeUnavailable,
			"the model %s can't be asked: the secret %s must hold an address such as https://api.openai.com/v1",
			p.Model, or(p.BaseURLSecret, "OPENAI_BASE_URL"))}
	}
	return &chatModel{
		persona: p.Assistant, timeout: cfg.ModelTimeout, slots: make(chan struct{}, 64), openai: u.Hostname() == "api.openai.com",
		completions: openai.NewChatCompletionService(
			option.WithBaseURL(p.BaseURL), option.WithAPIKey(p.APIKey), option.WithHTTPClient(cfg.HTTPClient), option.WithMaxRetries(2)),
	}
}

func or(s, fallback string) string {
	if s != "" {
		return s
	}
	return fallback
}

// echo repeats what it is told, word by word.
type echo struct{}

func (echo) reply(ctx context.Context, prompt []message, delta func(string)) (string, error) {
	reply := "Echo: " + prompt[len(prompt)-1].Text
	for _, piece := range strings.SplitAfter(reply, " ") {
		delta(piece)
	}
	return reply, ctx.Err()
}

// unusable is a model that lacks something; it says what.
type unusable struct{ err *baas.Error }

func (m unusable) reply(context.Context, []message, func(string)) (string, error) { return "", m.err }

// chatModel asks an OpenAI-compatible endpoint.
type chatModel struct {
	persona     baas.Assistant
	completions openai.ChatCompletionService
	timeout     time.Duration
	slots       chan struct{} // bounds questions at once
	openai      bool          // the original endpoint
}

func (m *chatModel) reply(ctx context.Context, prompt []message, delta func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return "", fmt.Errorf("waiting to ask the model: %w", ctx.Err())
	}
	stream := m.completions.NewStreaming(ctx, m.params(prompt))
	defer stream.Close()
	var reply strings.Builder
	for stream.Next() {
		chunk := stream.Current()
		if len(chunk.Choices) == 0 {
			continue
		}
		piece := chunk.Choices[0].Delta.Content
		if piece == "" {
			continue
		}
		if reply.Len()+len(piece) > maxReply {
			return "", fmt.Errorf("the model's answer is longer than %d bytes", maxReply)
		}
		reply.WriteString(piece)
		delta(piece)
	}
	if err := stream.Err(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		var api *openai.Error
		if errors.As(err, &api) {
			return "", fmt.Errorf("asking the model: %w: %s", err, clip(or(api.Message, api.RawJSON()), 300))
		}
		return "", fmt.Errorf("asking the model: %w", err)
	}
	if reply.Len() == 0 {
		return "", errors.New("the model's answer is empty")
	}
	return strings.ToValidUTF8(reply.String(), "\uFFFD"), nil
}

func (m *chatModel) params(prompt []message) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{Model: m.persona.Model, Temperature: openai.Float(m.persona.Temperature)}
	// OpenAI replaced max_tokens; most compatible endpoints know only the old name.
	if n := int64(m.persona.MaxTokens); n > 0 && m.openai {
		p.MaxCompletionTokens = openai.Int(n)
	} else if n > 0 {
		p.MaxTokens = openai.Int(n)
	}
	for _, msg := range prompt {
		switch {
		case msg.Text == "":
		case msg.Role == roleSystem:
			p.Messages = append(p.Messages, openai.SystemMessage(msg.Text))
		case msg.Role == roleAssistant:
			p.Messages = append(p.Messages, openai.AssistantMessage(msg.Text))
		default:
			p.Messages = append(p.Messages, openai.UserMessage(msg.Text))
		}
	}
	return p
}
