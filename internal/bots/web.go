package bots

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/baas-platform/baas"
)

// Limits of what is read.
const (
	MaxMessage = 8000     // characters of a message
	maxChat    = 64 << 10 // bytes of a request with one
	maxWebhook = 1 << 20  // bytes of a webhook's request
)

//go:embed chat
var pages embed.FS

// conversationPattern asks for length: whoever knows a conversation's id can read it.
var conversationPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{20,64}$`)

const conversationRule = "must be 20 to 64 letters, digits, _ and -; leave it out to begin a new conversation"

// chatRequest is the body of POST /chat.
type chatRequest struct {
	Conversation string `json:"conversation"`
	Message      string `json:"message"`
}

// chatResponse answers POST /chat, also as the event done.
type chatResponse struct {
	Conversation string   `json:"conversation"`
	Reply        string   `json:"reply"`
	Handoff      bool     `json:"handoff"`
	QuickReplies []string `json:"quick_replies"`
}

func (a *assistant) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /{$}", page("index.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /chat.js", page("chat.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /chat.css", page("chat.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /info", a.info)
	mux.HandleFunc("POST /chat", a.chat)
	mux.HandleFunc("GET /chat/{conversation}", a.history)
	if a.telegram != nil {
		mux.HandleFunc("POST /telegram", a.telegram.webhook)
	} else {
		mux.HandleFunc("/telegram", noChannel("Telegram"))
	}
	if a.whatsapp != nil {
		mux.HandleFunc("GET /whatsapp", a.whatsapp.verify)
		mux.HandleFunc("POST /whatsapp", a.whatsapp.webhook)
	} else {
		mux.HandleFunc("/whatsapp", noChannel("WhatsApp"))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, baas.Errorf(baas.CodeNotFound, "there is nothing here; the chat is at the root of the bot's address"))
	})
	return mux
}

func noChannel(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, baas.Errorf(baas.CodeNotFound, "this bot is not connected to %s; add it to the bot's settings first", name))
	}
}

// page serves a file of the chat page. It may do nothing but show itself and talk to the bot.
func page(name, kind string) http.HandlerFunc {
	data, err := pages.ReadFile("chat/" + name)
	sum := sha256.Sum256(data)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			writeError(w, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"img-src 'self' data:; base-uri 'none'; form-action 'none'")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(data)
	}
}

// info is what the chat page shows before the first message.
func (a *assistant) info(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Name         string   `json:"name"`
		Welcome      string   `json:"welcome"`
		QuickReplies []string `json:"quick_replies"`
	}{a.persona.Name, a.persona.Welcome, a.quickReplies(false)})
}

func (a *assistant) quickReplies(handoff bool) []string {
	if handoff || a.persona.QuickReplies == nil {
		return []string{}
	}
	return a.persona.QuickReplies
}

// chat answers one message, as JSON or as a stream of events.
func (a *assistant) chat(w http.ResponseWriter, r *http.Request) {
	req, err := readChat(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	if req.Conversation == "" {
		req.Conversation = strings.ToLower(rand.Text())
	}
	t := turn{channel: channelWeb, chat: req.Conversation, text: req.Message, lang: langOf(r.Header.Get("Accept-Language"))}
	stream := newEventStream(w, r)
	var delta func(string)
	if stream != nil {
		delta = func(text string) { stream.send("delta", map[string]string{"text": text}) }
	}
	ans, err := a.answer(r.Context(), t, delta)
	if err != nil && r.Context().Err() != nil {
		return // nobody listens
	}
	if err != nil {
		e := explain(t.lang, err)
		a.log.Error("no answer", "channel", channelWeb, "error", a.errText(err))
		if stream != nil {
			stream.send("error", errorBody(e))
		} else {
			writeError(w, e)
		}
		return
	}
	resp := chatResponse{req.Conversation, ans.Reply, ans.Handoff, a.quickReplies(ans.Handoff)}
	if stream != nil {
		stream.send("done", resp)
	} else {
		writeJSON(w, http.StatusOK, resp)
	}
}

// readChat reads and checks the body of POST /chat.
func readChat(w http.ResponseWriter, r *http.Request) (chatRequest, error) {
	var req chatRequest
	raw, err := readBody(w, r, maxChat)
	if err != nil {
		return req, err
	}
	if err := json.Unmarshal(raw, &req); err != nil {
		return req, &baas.Error{Code: baas.CodeInvalid, Message: `the body must be JSON such as {"message":"hello"}`,
			Fields: []baas.FieldError{{Field: "body", Message: err.Error()}}, Err: err}
	}
	var p baas.Problems
	if req.Conversation != "" && !conversationPattern.MatchString(req.Conversation) {
		p.Add("conversation", conversationRule)
	}
	switch n := utf8.RuneCountInString(req.Message); {
	case strings.TrimSpace(req.Message) == "":
		p.Add("message", "must not be empty")
	case n > MaxMessage:
		p.Add("message", "has %d characters; at most %d are allowed", n, MaxMessage)
	}
	return req, p.Err()
}

// historyMessage is one message of GET /chat/{conversation}.
type historyMessage struct {
	Role    role   `json:"role"`
	Text    string `json:"text"`
	At      string `json:"at"`
	Handoff bool   `json:"handoff"`
}

func (a *assistant) history(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("conversation")
	if !conversationPattern.MatchString(id) {
		var p baas.Problems
		p.Add("conversation", conversationRule)
		writeError(w, p.Err())
		return
	}
	past, err := a.memory.read(key{channelWeb, id})
	if err != nil {
		writeError(w, err)
		return
	}
	if len(past) == 0 {
		writeError(w, baas.Errorf(baas.CodeNotFound, "there is no such conversation, or it was long ago"))
		return
	}
	msgs := make([]historyMessage, 0, len(past))
	for _, m := range past {
		if m.Role != roleReset {
			msgs = append(msgs, historyMessage{m.Role, m.Text, m.At.Format("2006-01-02T15:04:05.000Z"), m.Handoff})
		}
	}
	writeJSON(w, http.StatusOK, struct {
		Conversation string           `json:"conversation"`
		Messages     []historyMessage `json:"messages"`
		Handoff      bool             `json:"handoff"`
	}{id, msgs, a.handedOff(past)})
}

// eventStream writes server-sent events.
type eventStream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// newEventStream begins a stream if the client asks for one, else it is nil.
func newEventStream(w http.ResponseWriter, r *http.Request) *eventStream {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return nil
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s := &eventStream{w, http.NewResponseController(w)}
	_ = s.c.Flush()
	return s
}

// send writes one event. A client that is gone shows in the request's context.
func (s *eventStream) send(event string, data any) {
	raw, err := json.Marshal(data)
	if err != nil {
		return
	}
	_, _ = io.WriteString(s.w, "event: "+event+"\ndata: "+string(raw)+"\n\n")
	_ = s.c.Flush()
}

// sameSecret compares in a time that tells nothing about the expected value.
func sameSecret(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1
}

// readBody reads a bounded body.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, baas.Errorf(baas.CodeTooLarge, "the body has more than %d bytes", limit)
	}
	if err != nil {
		return nil, baas.Errorf(baas.CodeInvalid, "the body could not be read to its end")
	}
	return raw, nil
}

// statuses of the codes that the assistant answers with.
var statuses = map[baas.Code]int{
	baas.CodeInvalid: 422, baas.CodeUnauthenticated: 401, baas.CodeForbidden: 403, baas.CodeNotFound: 404,
	baas.CodeTooLarge: 413, baas.CodeUnavailable: 503,
}

// problem is the body of an error.
type problem struct {
	Code    baas.Code         `json:"code"`
	Message string            `json:"message"`
	Fields  []baas.FieldError `json:"fields,omitempty"`
}

func errorBody(err error) problem {
	var e *baas.Error
	if !errors.As(err, &e) {
		e = &baas.Error{Code: baas.CodeInternal, Message: "something went wrong; the bot's log says what"}
	}
	return problem{e.Code, e.Message, e.Fields}
}

func writeError(w http.ResponseWriter, err error) {
	body := errorBody(err)
	status := statuses[body.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	var e *baas.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
