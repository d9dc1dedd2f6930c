package botstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"unicode/utf16"
)

// Telegram is the Bot API for one bot.
type Telegram struct {
	Token string

	srv   *httptest.Server
	mu    sync.Mutex
	sent  []TelegramMessage
	tried int
	fail  []Failure
	hook  TelegramWebhook
	news  chan struct{}
}

// TelegramWebhook is where Telegram sends updates.
type TelegramWebhook struct {
	URL            string   `json:"url"`
	SecretToken    string   `json:"secret_token"`
	AllowedUpdates []string `json:"allowed_updates"`
	Pending        int      `json:"-"` // updates that could not be delivered
	LastError      string   `json:"-"`
}

// Webhook is what was set.
func (t *Telegram) Webhook() TelegramWebhook {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hook
}

// SetWebhook sets the webhook as somebody else would.
func (t *Telegram) SetWebhook(h TelegramWebhook) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hook = h
}

// Username is the bot's name on Telegram.
const Username = "padaria_bot"

// TelegramMessage is one message that the bot sent.
type TelegramMessage struct {
	ChatID   int64  `json:"chat_id"`
	Text     string `json:"text"`
	Keyboard struct {
		Rows [][]struct {
			Text string `json:"text"`
		} `json:"keyboard"`
		Resize bool `json:"resize_keyboard"`
	} `json:"reply_markup"`
}

// NewTelegram starts the API; Close ends it.
func NewTelegram(token string) *Telegram {
	t := &Telegram{Token: token, news: make(chan struct{}, 1)}
	t.srv = httptest.NewServer(t)
	return t
}

// URL is the API's address, for api_base.
func (t *Telegram) URL() string { return t.srv.URL }

// Close ends the server.
func (t *Telegram) Close() { t.srv.CloseClientConnections(); t.srv.Close() }

// Fail makes the next sendMessage calls fail, one each.
func (t *Telegram) Fail(fs ...Failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fail = append(t.fail, fs...)
}

// Sent are the messages so far.
func (t *Telegram) Sent() []TelegramMessage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]TelegramMessage(nil), t.sent...)
}

// Tried counts the sendMessage calls, those that failed included.
func (t *Telegram) Tried() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tried
}

// Wait returns the messages when there are n, or with what there is when ctx ends.
func (t *Telegram) Wait(ctx context.Context, n int) []TelegramMessage {
	return wait(ctx, n, t.news, t.Sent)
}

func wait[T any](ctx context.Context, n int, news <-chan struct{}, sent func() []T) []T {
	for {
		if s := sent(); len(s) >= n || ctx.Err() != nil {
			return s
		}
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
}

func notify(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// ServeHTTP answers POST /bot<token>/<method>.
func (t *Telegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+t.Token+"/")
	if !ok {
		telegramError(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	switch method {
	case "sendChatAction":
		fmt.Fprint(w, `{"ok":true,"result":true}`)
		return
	case "getMe", "setWebhook", "getWebhookInfo":
		t.webhook(w, r, method)
		return
	case "sendMessage":
	default:
		telegramError(w, http.StatusNotFound, "Not Found")
		return
	}
	var m TelegramMessage
	switch err := json.NewDecoder(r.Body).Decode(&m); {
	case err != nil || m.ChatID == 0:
		telegramError(w, http.StatusBadRequest, "Bad Request: chat_id is empty")
		return
	case m.Text == "":
		telegramError(w, http.StatusBadRequest, "Bad Request: message text is empty")
		return
	case len(utf16.Encode([]rune(m.Text))) > 4096:
		telegramError(w, http.StatusBadRequest, "Bad Request: message is too long")
		return
	}
	t.mu.Lock()
	t.tried++
	var f *Failure
	if len(t.fail) > 0 {
		f, t.fail = &t.fail[0], t.fail[1:]
	} else {
		t.sent = append(t.sent, m)
	}
	n := len(t.sent)
	t.mu.Unlock()
	if f != nil {
		f.handle(w, r)
		return
	}
	notify(t.news)
	fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d}}`, n)
}

// webhook answers the methods about the bot itself; Fail holds for them too.
func (t *Telegram) webhook(w http.ResponseWriter, r *http.Request, method string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.fail) > 0 {
		f := t.fail[0]
		t.fail = t.fail[1:]
		f.handle(w, r)
		return
	}
	result := any(true)
	switch method {
	case "getMe":
		result = map[string]any{"id": 123, "is_bot": true, "first_name": "Padaria", "username": Username}
	case "getWebhookInfo":
		info := map[string]any{"url": t.hook.URL, "has_custom_certificate": false, "pending_update_count": t.hook.Pending}
		if t.hook.LastError != "" {
			info["last_error_date"], info["last_error_message"] = 1700000000, t.hook.LastError
		}
		result = info
	case "setWebhook":
		var h TelegramWebhook
		if err := json.NewDecoder(r.Body).Decode(&h); err != nil || strings.HasPrefix(h.URL, "ftp:") {
			telegramError(w, http.StatusBadRequest, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
			return
		}
		h.Pending, h.LastError = t.hook.Pending, t.hook.LastError
		t.hook = h
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

// TelegramTooMany is the answer to a bot that sends too much.
func TelegramTooMany(seconds int) Failure {
	return Failure{Status: http.StatusTooManyRequests, Body: fmt.Sprintf(
		`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after %d","parameters":{"retry_after":%d}}`, seconds, seconds)}
}

func telegramError(w http.ResponseWriter, status int, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error_code": status, "description": description})
}

// Update is the body of a webhook with a text message.
func Update(id, chat int64, language, text string) []byte {
	raw, _ := json.Marshal(map[string]any{"update_id": id, "message": map[string]any{
		"message_id": id, "date": 1700000000, "text": text,
		"chat": map[string]any{"id": chat, "type": "private"},
		"from": map[string]any{"id": chat, "is_bot": false, "first_name": "Ana", "language_code": language},
	}})
	return raw
}

// PostUpdate sends an update to a webhook as Telegram does.
func PostUpdate(ctx context.Context, url, secret string, update []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(update)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	return http.DefaultClient.Do(req)
}
