package botstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// OpenAI is an OpenAI-compatible endpoint that streams chat completions.
type OpenAI struct {
	Key string

	srv  *httptest.Server
	mu   sync.Mutex
	reqs []Completion
	fail []Failure
	// reply makes the pieces of an answer.
	reply func(Completion) []string
	gate  chan struct{}
}

// Completion is one question that the endpoint was asked.
type Completion struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages"`
	Temperature *float64  `json:"temperature"`
	MaxTokens   *int      `json:"max_tokens"`
	Stream      bool      `json:"stream"`
}

// Message is one message of a question.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Last is the last message.
func (c Completion) Last() string {
	if len(c.Messages) == 0 {
		return ""
	}
	return c.Messages[len(c.Messages)-1].Content
}

// Failure is what a server does instead of answering, once.
type Failure struct {
	Status     int    // answered with Body
	Body       string // JSON
	RetryAfter int    // header, seconds
	CutOff     bool   // instead: the connection breaks in the middle of the answer
	Hang       bool   // instead: nothing comes until the client gives up
}

// NewOpenAI starts an endpoint; Close ends it. It answers "reply to: <last message>" in pieces of a word each.
func NewOpenAI(key string) *OpenAI {
	o := &OpenAI{Key: key}
	o.reply = func(c Completion) []string { return strings.SplitAfter("reply to: "+c.Last(), " ") }
	o.srv = httptest.NewServer(o)
	return o
}

// BaseURL is the endpoint's address, with /v1.
func (o *OpenAI) BaseURL() string { return o.srv.URL + "/v1" }

// Close ends the server.
func (o *OpenAI) Close() { o.srv.CloseClientConnections(); o.srv.Close() }

// Reply sets how the pieces of an answer are made.
func (o *OpenAI) Reply(f func(Completion) []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reply = f
}

// Fail makes the next requests fail, one each.
func (o *OpenAI) Fail(fs ...Failure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = append(o.fail, fs...)
}

// Step makes every piece after the first wait for a call of the returned func.
func (o *OpenAI) Step() (next func()) {
	gate := make(chan struct{})
	o.mu.Lock()
	o.gate = gate
	o.mu.Unlock()
	return func() { gate <- struct{}{} }
}

// Requests are the questions so far, failed ones included.
func (o *OpenAI) Requests() []Completion {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Completion(nil), o.reqs...)
}

// ServeHTTP answers POST /v1/chat/completions.
func (o *OpenAI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" {
		openaiError(w, http.StatusNotFound, "invalid_request_error", "Unknown request URL: "+r.Method+" "+r.URL.Path)
		return
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+o.Key {
		openaiError(w, http.StatusUnauthorized, "invalid_request_error", "Incorrect API key provided: "+strings.TrimPrefix(got, "Bearer "))
		return
	}
	var c Completion
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || c.Model == "" || len(c.Messages) == 0 {
		openaiError(w, http.StatusBadRequest, "invalid_request_error", "model and messages are required")
		return
	}
	o.mu.Lock()
	o.reqs = append(o.reqs, c)
	pieces, gate := o.reply(c), o.gate
	var f *Failure
	if len(o.fail) > 0 {
		f, o.fail = &o.fail[0], o.fail[1:]
	}
	o.mu.Unlock()
	if f != nil && f.handle(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	send := func(delta map[string]any, finish any) {
		raw, _ := json.Marshal(map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": time.Now().Unix(), "model": c.Model,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
		})
		fmt.Fprintf(w, "data: %s\n\n", raw)
		_ = rc.Flush()
	}
	send(map[string]any{"role": "assistant", "content": ""}, nil)
	for i, p := range pieces {
		if i > 0 && gate != nil {
			select {
			case <-gate:
			case <-r.Context().Done():
				return
			}
		}
		send(map[string]any{"content": p}, nil)
		if f != nil && f.CutOff {
			panic(http.ErrAbortHandler)
		}
	}
	send(map[string]any{}, "stop")
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// handle fails unless the failure is a cut-off, which comes later.
func (f *Failure) handle(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Status != 0:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(f.RetryAfter))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.Status)
		fmt.Fprint(w, f.Body)
	default:
		return false
	}
	return true
}

func openaiError(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": nil}})
}
