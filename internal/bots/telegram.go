package bots

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// telegramLimit is the longest message that the Bot API takes.
const telegramLimit = 4096

// telegram answers the updates of a bot on Telegram.
type telegram struct {
	*assistant
	base  string // of the methods, with the token
	inbox *inbox
}

func newTelegram(a *assistant) (*telegram, error) {
	base := strings.TrimSuffix(or(a.persona.Telegram.APIBase, "https://api.telegram.org"), "/")
	t := &telegram{assistant: a, base: base + "/bot" + a.persona.TelegramToken}
	var err error
	t.inbox, err = openInbox(filepath.Join(a.cfg.DataDir, "telegram.jsonl"), a.log, t.handle)
	return t, err
}

// telegramUpdate is what is read of an update.
type telegramUpdate struct {
	UpdateID *int64 `json:"update_id"`
	Message  *struct {
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
		From struct {
			LanguageCode string `json:"language_code"`
			IsBot        bool   `json:"is_bot"`
		} `json:"from"`
		Text    string `json:"text"`
		Caption string `json:"caption"`
	} `json:"message"`
}

// incoming is what is kept of an update until it is answered.
type incoming struct {
	Text string `json:"text"` // "" for what isn't text
	Lang lang   `json:"lang"`
}

// parseTelegram reads an update. wanted is false for kinds of updates that aren't answered.
func parseTelegram(raw []byte) (it item, wanted bool, err error) {
	var u telegramUpdate
	if err := json.Unmarshal(raw, &u); err != nil {
		return item{}, false, baas.Errorf(baas.CodeInvalid, "the body is not a Telegram update: %v", err)
	}
	if u.UpdateID == nil {
		var p baas.Problems
		p.Add("update_id", "must be there: Telegram sends it with every update")
		return item{}, false, p.Err()
	}
	m := u.Message
	if m == nil || m.Chat.ID == 0 || m.From.IsBot {
		return item{}, false, nil
	}
	body, err := json.Marshal(incoming{Text: or(strings.TrimSpace(m.Text), strings.TrimSpace(m.Caption)), Lang: langOf(m.From.LanguageCode)})
	if err != nil {
		return item{}, false, err
	}
	return item{ID: strconv.FormatInt(*u.UpdateID, 10), Chat: strconv.FormatInt(m.Chat.ID, 10), Body: body}, true, nil
}

// webhook accepts an update.
func (t *telegram) webhook(w http.ResponseWriter, r *http.Request) {
	if t.persona.TelegramToken == "" || t.persona.TelegramWebhookSecret == "" {
		missing := t.persona.Telegram.TokenSecret
		if t.persona.TelegramToken != "" {
			missing = t.persona.Telegram.WebhookSecretSecret
		}
		writeError(w, baas.Errorf(baas.CodeUnavailable, "Telegram is not set up: the secret %s has no value", missing))
		return
	}
	if !sameSecret(r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), t.persona.TelegramWebhookSecret) {
		writeError(w, baas.Errorf(baas.CodeUnauthenticated, "X-Telegram-Bot-Api-Secret-Token is missing or wrong; "+
			"it must be the secret_token that setWebhook was given"))
		return
	}
	raw, err := readBody(w, r, maxWebhook)
	if err != nil {
		writeError(w, err)
		return
	}
	it, wanted, err := parseTelegram(raw)
	if err == nil && wanted {
		err = t.accept(t.inbox, it)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// accept keeps items, or says that the platform should send them again.
func (a *assistant) accept(box *inbox, items ...item) error {
	if err := box.accept(items...); err != nil {
		a.log.Error("updates can't be accepted", "error", err)
		return &baas.Error{Code: baas.CodeUnavailable, Message: "the update can't be kept just now; send it again later", RetryAfter: 5, Err: err}
	}
	return nil
}

// handle answers one update.
func (t *telegram) handle(ctx context.Context, it item) error {
	var in incoming
	if err := json.Unmarshal(it.Body, &in); err != nil {
		t.log.Error("an update is unreadable", "error", err)
		return nil
	}
	tn := turn{channel: channelTelegram, chat: it.Chat, ref: it.ID, text: in.Text, lang: in.Lang}
	var reply string
	var markup any
	command, _, _ := strings.Cut(in.Text, " ")
	command, _, _ = strings.Cut(command, "@")
	switch {
	case command == "/start":
		if err := t.reset(ctx, tn.key(), it.ID); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		reply = or(t.persona.Welcome, say(in.Lang, textHello))
		markup = replyKeyboard(t.persona.QuickReplies)
	case in.Text == "":
		reply = say(in.Lang, textOnlyText)
	default:
		stop := t.typing(ctx, it.Chat)
		ans, err := t.answer(ctx, tn, nil)
		stop()
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		if err != nil {
			t.log.Error("no answer", "channel", channelTelegram, "conversation", it.Chat, "error", t.errText(err))
			ans.Reply = failureText(in.Lang, err)
		}
		reply = ans.Reply
	}
	texts := split(reply, telegramLimit)
	parts := make([]func(context.Context) error, len(texts))
	for i, text := range texts {
		body := map[string]any{"chat_id": json.RawMessage(it.Chat), "text": text}
		if markup != nil && i == len(texts)-1 {
			body["reply_markup"] = markup
		}
		parts[i] = func(ctx context.Context) error { return t.call(ctx, "sendMessage", body) }
	}
	return t.deliver(ctx, t.inbox, channelTelegram, it, parts)
}

// replyKeyboard shows quick replies in place of the keyboard; nil without any.
func replyKeyboard(replies []string) any {
	if len(replies) == 0 {
		return nil
	}
	rows := make([][]map[string]string, len(replies))
	for i, q := range replies {
		rows[i] = []map[string]string{{"text": q}}
	}
	return map[string]any{"keyboard": rows, "resize_keyboard": true, "one_time_keyboard": true}
}

// typing tells the person that an answer is being written, until the returned func is called. Telegram shows it for
// five seconds at a time.
func (t *telegram) typing(ctx context.Context, chat string) (stop func()) {
	if t.persona.Model == "" || t.persona.Model == baas.ModelEcho {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for ctx.Err() == nil {
			// It is a courtesy: what goes wrong with it is left alone.
			_ = t.call(ctx, "sendChatAction", map[string]any{"chat_id": json.RawMessage(chat), "action": "typing"})
			select {
			case <-ctx.Done():
			case <-time.After(4 * time.Second):
			}
		}
	}()
	return cancel
}

func (t *telegram) call(ctx context.Context, method string, body any) error {
	return call(ctx, t.cfg.HTTPClient, t.base+"/"+method, "", body, refusedByTelegram)
}

// refusedByTelegram reads the Bot API's error.
func refusedByTelegram(status int, raw []byte) *refusal {
	var e struct {
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.Unmarshal(raw, &e); err != nil && !errors.Is(err, context.Canceled) {
		e.Description = "an answer that is not the Bot API's"
	}
	return &refusal{
		status: status, detail: clip(e.Description, 200), after: time.Duration(e.Parameters.RetryAfter) * time.Second,
		again: status == http.StatusTooManyRequests || status >= 500,
	}
}
