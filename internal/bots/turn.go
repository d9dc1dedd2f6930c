package bots

import (
	"context"
	"errors"
	"time"

	"github.com/baas-platform/baas"
)

// Channels of conversations.
const (
	channelWeb      = "web"
	channelTelegram = "telegram"
	channelWhatsApp = "whatsapp"
)

// turn is one message of a person that wants an answer.
type turn struct {
	channel string
	chat    string // id of the conversation within its channel
	ref     string // id of the update that brought it; a repetition gets the same answer. "" for none
	text    string
	lang    lang
}

func (t turn) key() key { return key{t.channel, t.chat} }

// answer is what the assistant says to a turn. An empty Reply says nothing: a person has taken over.
type answer struct {
	Reply   string
	Handoff bool
}

// answer takes one turn: turns of one conversation wait for each other. delta, if not nil, is given the reply in
// pieces as it comes. What is said is in the conversation when answer returns; a turn that failed leaves no trace.
func (a *assistant) answer(ctx context.Context, t turn, delta func(string)) (answer, error) {
	if delta == nil {
		delta = func(string) {}
	}
	unlock, err := a.locks.lock(ctx, t.key())
	if err != nil {
		return answer{}, err
	}
	defer unlock()
	past, err := a.memory.read(t.key())
	if err != nil {
		return answer{}, err
	}
	if t.ref != "" {
		for _, m := range past {
			if m.Role == roleAssistant && m.Ref == t.ref {
				return answer{Reply: m.Text, Handoff: m.Handoff}, nil
			}
		}
	}
	past = sinceReset(past)

	var ans answer
	switch {
	case asksForPerson(t.text, a.triggers):
		ans = answer{Reply: a.handoffMessage(t.lang), Handoff: true}
		a.log.Warn("a person is asked for", "channel", t.channel, "conversation", t.chat)
		delta(ans.Reply)
	case a.handedOff(past):
		ans.Handoff = true
		// On a chat platform the person answers in the same chat, and the assistant keeps silent. The chat page has
		// nobody else to say that the message arrived.
		if t.channel == channelWeb {
			ans.Reply = a.handoffMessage(t.lang)
			delta(ans.Reply)
		}
		a.log.Info("message in a conversation that a person has", "channel", t.channel, "conversation", t.chat)
	default:
		if ans.Reply, err = a.model.reply(ctx, a.prompt(past, t.text), delta); err != nil {
			return answer{}, err
		}
	}
	now := a.cfg.Now().UTC()
	err = a.memory.append(t.key(),
		message{At: now, Role: roleUser, Text: t.text, Ref: t.ref},
		message{At: now, Role: roleAssistant, Text: ans.Reply, Ref: t.ref, Handoff: ans.Handoff})
	return ans, err
}

// prompt is what the model is shown: the persona, the end of the conversation, the message.
func (a *assistant) prompt(past []message, text string) []message {
	ms := make([]message, 0, a.persona.Memory+2)
	ms = append(ms, message{Role: roleSystem, Text: systemPrompt(a.persona.Assistant)})
	for _, m := range past[max(0, len(past)-a.persona.Memory):] {
		if m.Text != "" {
			ms = append(ms, m)
		}
	}
	return append(ms, message{Role: roleUser, Text: text})
}

// handedOff reports whether a person has the conversation.
func (a *assistant) handedOff(past []message) bool {
	if len(past) == 0 {
		return false
	}
	last := past[len(past)-1]
	return last.Handoff && a.cfg.Now().Sub(last.At) < HandoffPause
}

func (a *assistant) handoffMessage(l lang) string {
	if m := a.persona.Handoff.Message; m != "" {
		return m
	}
	return say(l, textHandoff)
}

// reset begins the conversation anew; it may be repeated with the same ref.
func (a *assistant) reset(ctx context.Context, k key, ref string) error {
	unlock, err := a.locks.lock(ctx, k)
	if err != nil {
		return err
	}
	defer unlock()
	return a.memory.append(k, message{At: a.cfg.Now().UTC(), Role: roleReset, Ref: ref})
}

// failureText is what a person on a chat platform reads instead of an answer.
func failureText(l lang, err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return say(l, textSlow)
	}
	return say(l, textFailed)
}

// explain turns a failed turn into an error for a client of the HTTP API. Only what the bot's owner must mend himself
// is told; the rest is in the log.
func explain(l lang, err error) *baas.Error {
	var e *baas.Error
	if errors.As(err, &e) {
		return e
	}
	return &baas.Error{Code: baas.CodeUnavailable, Message: failureText(l, err), RetryAfter: int((10 * time.Second).Seconds()), Err: err}
}
