package bots

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/baas-platform/baas"
)

// Limits of the Cloud API, in characters.
const (
	whatsappLimit       = 4096 // a text
	whatsappInteractive = 1024 // the text of a message with buttons
	whatsappButtons     = 3
	whatsappButton      = 20 // the label of a button
	whatsappRow         = 24 // the label of a list's row
)

// whatsapp answers the messages to a number on WhatsApp.
type whatsapp struct {
	*assistant
	url   string // of messages
	inbox *inbox
}

func newWhatsApp(a *assistant) (*whatsapp, error) {
	base := strings.TrimSuffix(or(a.persona.WhatsApp.APIBase, "https://graph.facebook.com/v21.0"), "/")
	w := &whatsapp{assistant: a, url: base + "/" + a.persona.WhatsApp.PhoneNumberID + "/messages"}
	var err error
	w.inbox, err = openInbox(filepath.Join(a.cfg.DataDir, "whatsapp.jsonl"), a.log, w.handle)
	return w, err
}

// missing names the first secret without a value, "" when all have one.
func (w *whatsapp) missing() string {
	for _, s := range []struct{ name, value string }{
		{w.persona.WhatsApp.AppSecretSecret, w.persona.WhatsAppAppSecret},
		{w.persona.WhatsApp.VerifyTokenSecret, w.persona.WhatsAppVerifyToken},
		{w.persona.WhatsApp.AccessTokenSecret, w.persona.WhatsAppAccessToken},
	} {
		if s.value == "" {
			return s.name
		}
	}
	return ""
}

// verify answers Meta's check of the webhook's address.
func (w *whatsapp) verify(rw http.ResponseWriter, r *http.Request) {
	if name := w.missing(); name != "" {
		writeError(rw, baas.Errorf(baas.CodeUnavailable, "WhatsApp is not set up: the secret %s has no value", name))
		return
	}
	q := r.URL.Query()
	if q.Get("hub.mode") != "subscribe" || !sameSecret(q.Get("hub.verify_token"), w.persona.WhatsAppVerifyToken) {
		writeError(rw, baas.Errorf(baas.CodeForbidden, "hub.mode must be subscribe and hub.verify_token the word in the secret %s",
			w.persona.WhatsApp.VerifyTokenSecret))
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(rw, q.Get("hub.challenge"))
}

// webhook accepts a notification.
func (w *whatsapp) webhook(rw http.ResponseWriter, r *http.Request) {
	if name := w.missing(); name != "" {
		writeError(rw, baas.Errorf(baas.CodeUnavailable, "WhatsApp is not set up: the secret %s has no value", name))
		return
	}
	raw, err := readBody(rw, r, maxWebhook)
	if err != nil {
		writeError(rw, err)
		return
	}
	if !signedBy(w.persona.WhatsAppAppSecret, raw, r.Header.Get("X-Hub-Signature-256")) {
		writeError(rw, baas.Errorf(baas.CodeUnauthenticated, "X-Hub-Signature-256 is missing or wrong; "+
			"it must be sha256= and the HMAC of the body with the app secret in %s", w.persona.WhatsApp.AppSecretSecret))
		return
	}
	items, err := parseWhatsApp(raw, w.persona.WhatsApp.PhoneNumberID)
	if err == nil {
		err = w.accept(w.inbox, items...)
	}
	if err != nil {
		writeError(rw, err)
		return
	}
	writeJSON(rw, http.StatusOK, struct{}{})
}

// signedBy checks the header "sha256=<hex of HMAC-SHA256 of body>".
func signedBy(secret string, body []byte, header string) bool {
	hexSum, ok := strings.CutPrefix(header, "sha256=")
	sum, err := hex.DecodeString(hexSum)
	if !ok || err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(sum, mac.Sum(nil))
}

// whatsappNotification is what is read of a notification.
type whatsappNotification struct {
	Object string `json:"object"`
	Entry  []struct {
		Changes []struct {
			Field string `json:"field"`
			Value struct {
				Metadata struct {
					PhoneNumberID string `json:"phone_number_id"`
				} `json:"metadata"`
				Messages []whatsappMessage `json:"messages"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type whatsappMessage struct {
	From string `json:"from"`
	ID   string `json:"id"`
	Type string `json:"type"`
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
	Button struct {
		Text string `json:"text"`
	} `json:"button"`
	Interactive struct {
		ButtonReply whatsappChoice `json:"button_reply"`
		ListReply   whatsappChoice `json:"list_reply"`
	} `json:"interactive"`
}

// whatsappChoice is a button or row that was chosen. The ids that this package gives are the quick replies in full.
type whatsappChoice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// said is what the person said, "" for pictures and the like.
func (m whatsappMessage) said() string {
	switch m.Type {
	case "text":
		return strings.TrimSpace(m.Text.Body)
	case "button":
		return strings.TrimSpace(m.Button.Text)
	case "interactive":
		for _, c := range []whatsappChoice{m.Interactive.ButtonReply, m.Interactive.ListReply} {
			if s := or(c.ID, c.Title); s != "" {
				return s
			}
		}
	}
	return ""
}

// parseWhatsApp reads the messages to a number; statuses and other numbers' messages are left out.
func parseWhatsApp(raw []byte, phoneNumberID string) ([]item, error) {
	var n whatsappNotification
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, baas.Errorf(baas.CodeInvalid, "the body is not a notification of the Cloud API: %v", err)
	}
	if n.Object != "whatsapp_business_account" {
		var p baas.Problems
		p.Add("object", "is %q; must be whatsapp_business_account", clip(n.Object, 60))
		return nil, p.Err()
	}
	var items []item
	for _, e := range n.Entry {
		for _, c := range e.Changes {
			if c.Field != "messages" || c.Value.Metadata.PhoneNumberID != phoneNumberID {
				continue
			}
			for _, m := range c.Value.Messages {
				if m.ID == "" || m.From == "" || m.Type == "reaction" || m.Type == "system" {
					continue
				}
				body, err := json.Marshal(incoming{Text: m.said(), Lang: langOfPhone(m.From)})
				if err != nil {
					return nil, err
				}
				items = append(items, item{ID: m.ID, Chat: m.From, Body: body})
			}
		}
	}
	return items, nil
}

// handle answers one message.
func (w *whatsapp) handle(ctx context.Context, it item) error {
	var in incoming
	if err := json.Unmarshal(it.Body, &in); err != nil {
		w.log.Error("a message is unreadable", "error", err)
		return nil
	}
	tn := turn{channel: channelWhatsApp, chat: it.Chat, ref: it.ID, text: in.Text, lang: in.Lang}
	var bodies []map[string]any
	first, err := w.firstContact(ctx, tn)
	if err != nil {
		return err
	}
	if first {
		bodies = w.welcome(in.Lang)
	}
	reply := say(in.Lang, textOnlyText)
	if in.Text != "" {
		ans, err := w.answer(ctx, tn, nil)
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		if err != nil {
			w.log.Error("no answer", "channel", channelWhatsApp, "conversation", it.Chat, "error", w.errText(err))
			ans.Reply = failureText(in.Lang, err)
		}
		reply = ans.Reply
	}
	for _, text := range split(reply, whatsappLimit) {
		bodies = append(bodies, map[string]any{"type": "text", "text": map[string]any{"body": text}})
	}
	parts := make([]func(context.Context) error, len(bodies))
	for i, body := range bodies {
		body["messaging_product"] = "whatsapp"
		body["recipient_type"] = "individual"
		body["to"] = it.Chat
		parts[i] = func(ctx context.Context) error {
			return call(ctx, w.cfg.HTTPClient, w.url, w.persona.WhatsAppAccessToken, body, refusedByWhatsApp)
		}
	}
	return w.deliver(ctx, w.inbox, channelWhatsApp, it, parts)
}

// firstContact reports whether the person hears from the assistant for the first time. It stays true for this message
// until its answer is sent, so that a repetition after a kill sends the same parts.
func (w *whatsapp) firstContact(ctx context.Context, t turn) (bool, error) {
	unlock, err := w.locks.lock(ctx, t.key())
	if err != nil {
		return false, err
	}
	defer unlock()
	past, err := w.memory.read(t.key())
	if err != nil {
		w.log.Error("a conversation is unreadable", "error", err)
		return false, nil
	}
	if len(past) == 0 {
		err := w.memory.append(t.key(), message{At: w.cfg.Now().UTC(), Role: roleReset, Ref: t.ref})
		if err != nil {
			w.log.Error("a conversation can't be kept", "error", err)
		}
		return true, nil
	}
	return past[0].Role == roleReset && past[0].Ref == t.ref, nil
}

// welcome is the messages that a new person is greeted with: up to three quick replies become buttons, more a list.
func (w *whatsapp) welcome(l lang) []map[string]any {
	var bodies []map[string]any
	text := w.persona.Welcome
	replies := w.persona.QuickReplies
	if len(replies) == 0 || utf8.RuneCountInString(text) > whatsappInteractive {
		for _, part := range split(text, whatsappLimit) {
			bodies = append(bodies, map[string]any{"type": "text", "text": map[string]any{"body": part}})
		}
		text = say(l, textChoose)
	}
	if len(replies) == 0 {
		return bodies
	}
	interactive := map[string]any{"body": map[string]any{"text": or(text, say(l, textChoose))}}
	short := len(replies) <= whatsappButtons
	for _, q := range replies {
		short = short && utf8.RuneCountInString(q) <= whatsappButton
	}
	if short {
		buttons := make([]map[string]any, len(replies))
		for i, q := range replies {
			buttons[i] = map[string]any{"type": "reply", "reply": map[string]any{"id": q, "title": q}}
		}
		interactive["type"], interactive["action"] = "button", map[string]any{"buttons": buttons}
	} else {
		rows := make([]map[string]any, len(replies))
		for i, q := range replies {
			rows[i] = map[string]any{"id": q, "title": clip(q, whatsappRow)}
			if utf8.RuneCountInString(q) > whatsappRow {
				rows[i]["description"] = q
			}
		}
		interactive["type"] = "list"
		interactive["action"] = map[string]any{"button": say(l, textOptions), "sections": []map[string]any{{"title": say(l, textOptions), "rows": rows}}}
	}
	return append(bodies, map[string]any{"type": "interactive", "interactive": interactive})
}

// refusedByWhatsApp reads the Graph API's error. Some limits of rate come with status 400 and a code.
func refusedByWhatsApp(status int, raw []byte) *refusal {
	var e struct {
		Error struct {
			Message string `json:"message"`
			Code    int    `json:"code"`
		} `json:"error"`
	}
	r := &refusal{status: status, again: status == http.StatusTooManyRequests || status >= 500}
	if json.Unmarshal(raw, &e) != nil {
		r.detail = "an answer that is not the Graph API's"
		return r
	}
	r.detail = clip(e.Error.Message, 200)
	switch e.Error.Code {
	case 1, 2, 4, 80007, 130429, 131016, 131048, 131056, 133016:
		r.again = true
	}
	return r
}
