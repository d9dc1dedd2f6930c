package botstest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"unicode/utf8"
)

// WhatsApp is the Cloud API for one number.
type WhatsApp struct {
	PhoneNumberID, AccessToken string

	srv  *httptest.Server
	mu   sync.Mutex
	sent []WhatsAppMessage
	fail []Failure
	news chan struct{}
}

// WhatsAppMessage is one message that the bot sent.
type WhatsAppMessage struct {
	Product string `json:"messaging_product"`
	To      string `json:"to"`
	Type    string `json:"type"`
	Text    struct {
		Body string `json:"body"`
	} `json:"text"`
	Interactive struct {
		Type string `json:"type"`
		Body struct {
			Text string `json:"text"`
		} `json:"body"`
		Action struct {
			Button  string `json:"button"`
			Buttons []struct {
				Type  string       `json:"type"`
				Reply WhatsAppItem `json:"reply"`
			} `json:"buttons"`
			Sections []struct {
				Rows []WhatsAppItem `json:"rows"`
			} `json:"sections"`
		} `json:"action"`
	} `json:"interactive"`
}

// WhatsAppItem is a button or a row of a list.
type WhatsAppItem struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

// check says what the Cloud API would refuse, "" for nothing.
func (m WhatsAppMessage) check() string {
	long := func(s string, n int) bool { return utf8.RuneCountInString(s) > n || s == "" }
	switch {
	case m.Product != "whatsapp" || m.To == "":
		return "messaging_product and to are required"
	case m.Type == "text":
		if long(m.Text.Body, 4096) {
			return "text.body must have 1 to 4096 characters"
		}
	case m.Type != "interactive":
		return "type is not supported"
	case long(m.Interactive.Body.Text, 1024):
		return "interactive.body.text must have 1 to 1024 characters"
	case m.Interactive.Type == "button":
		if n := len(m.Interactive.Action.Buttons); n < 1 || n > 3 {
			return "interactive.action.buttons must have 1 to 3 buttons"
		}
		for _, b := range m.Interactive.Action.Buttons {
			if b.Type != "reply" || long(b.Reply.ID, 256) || long(b.Reply.Title, 20) {
				return "a button's title must have 1 to 20 characters"
			}
		}
	case m.Interactive.Type == "list":
		if long(m.Interactive.Action.Button, 20) || len(m.Interactive.Action.Sections) != 1 || len(m.Interactive.Action.Sections[0].Rows) > 10 {
			return "a list needs a button and at most 10 rows"
		}
		for _, row := range m.Interactive.Action.Sections[0].Rows {
			if long(row.ID, 200) || long(row.Title, 24) || utf8.RuneCountInString(row.Description) > 72 {
				return "a row's title must have 1 to 24 characters and its description at most 72"
			}
		}
	default:
		return "interactive.type is not supported"
	}
	return ""
}

// NewWhatsApp starts the API; Close ends it.
func NewWhatsApp(phoneNumberID, accessToken string) *WhatsApp {
	w := &WhatsApp{PhoneNumberID: phoneNumberID, AccessToken: accessToken, news: make(chan struct{}, 1)}
	w.srv = httptest.NewServer(w)
	return w
}

// URL is the API's address, for api_base.
func (w *WhatsApp) URL() string { return w.srv.URL + "/v21.0" }

// Close ends the server.
func (w *WhatsApp) Close() { w.srv.CloseClientConnections(); w.srv.Close() }

// Fail makes the next messages fail, one each.
func (w *WhatsApp) Fail(fs ...Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = append(w.fail, fs...)
}

// Sent are the messages so far.
func (w *WhatsApp) Sent() []WhatsAppMessage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]WhatsAppMessage(nil), w.sent...)
}

// Wait returns the messages when there are n, or with what there is when ctx ends.
func (w *WhatsApp) Wait(ctx context.Context, n int) []WhatsAppMessage {
	return wait(ctx, n, w.news, w.Sent)
}

// number answers GET /v21.0/<number>.
func (w *WhatsApp) number(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(w.fail) > 0:
		f := w.fail[0]
		w.fail = w.fail[1:]
		f.handle(rw, r)
	case r.URL.Path != "/v21.0/"+w.PhoneNumberID:
		GraphError(http.StatusBadRequest, 100, "Unsupported get request. Object with ID does not exist").handle(rw, r)
	default:
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"id":%q,"display_phone_number":"+55 11 3000-0000","verified_name":"Padaria"}`, w.PhoneNumberID)
	}
}

// ServeHTTP answers POST /v21.0/<number>/messages and GET /v21.0/<number>.
func (w *WhatsApp) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+w.AccessToken {
		GraphError(http.StatusUnauthorized, 190, "Invalid OAuth access token").handle(rw, r)
		return
	}
	if r.Method == http.MethodGet {
		w.number(rw, r)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v21.0/"+w.PhoneNumberID+"/messages" {
		GraphError(http.StatusBadRequest, 100, "Unsupported post request").handle(rw, r)
		return
	}
	var m WhatsAppMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		GraphError(http.StatusBadRequest, 100, "Invalid parameter").handle(rw, r)
		return
	}
	if wrong := m.check(); wrong != "" {
		GraphError(http.StatusBadRequest, 100, wrong).handle(rw, r)
		return
	}
	w.mu.Lock()
	var f *Failure
	if len(w.fail) > 0 {
		f, w.fail = &w.fail[0], w.fail[1:]
	} else {
		w.sent = append(w.sent, m)
	}
	n := len(w.sent)
	w.mu.Unlock()
	if f != nil {
		f.handle(rw, r)
		return
	}
	notify(w.news)
	fmt.Fprintf(rw, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":"wamid.out%d"}]}`, m.To, m.To, n)
}

// GraphError is an error of the Graph API.
func GraphError(status, code int, message string) *Failure {
	raw, _ := json.Marshal(map[string]any{"error": map[string]any{"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}})
	return &Failure{Status: status, Body: string(raw)}
}

// TextMessage is a message in a notification.
func TextMessage(id, from, text string) map[string]any {
	return map[string]any{"from": from, "id": id, "timestamp": "1700000000", "type": "text", "text": map[string]any{"body": text}}
}

// ButtonMessage is a message that chooses a button.
func ButtonMessage(id, from, button, title string) map[string]any {
	return map[string]any{"from": from, "id": id, "timestamp": "1700000000", "type": "interactive",
		"interactive": map[string]any{"type": "button_reply", "button_reply": map[string]any{"id": button, "title": title}}}
}

// Notification is the body of a webhook with messages to a number.
func Notification(phoneNumberID string, messages ...map[string]any) []byte {
	return notification(map[string]any{"messages": messages}, phoneNumberID)
}

// StatusNotification is the body of a webhook that tells of a delivery.
func StatusNotification(phoneNumberID, id string) []byte {
	return notification(map[string]any{"statuses": []any{map[string]any{"id": id, "status": "delivered"}}}, phoneNumberID)
}

func notification(value map[string]any, phoneNumberID string) []byte {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]any{"display_phone_number": "551130000000", "phone_number_id": phoneNumberID}
	raw, _ := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{
		map[string]any{"id": "1", "changes": []any{map[string]any{"field": "messages", "value": value}}},
	}})
	return raw
}

// Sign gives the header X-Hub-Signature-256 for a body.
func Sign(appSecret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// PostNotification sends a notification to a webhook as Meta does.
func PostNotification(ctx context.Context, url, appSecret string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", Sign(appSecret, body))
	return http.DefaultClient.Do(req)
}
