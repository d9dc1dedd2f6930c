package bots_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/bots"
)

// bot is an assistant that runs in this process.
type bot struct {
	t    *testing.T
	url  string
	cfg  bots.Config
	log  *logBuffer
	stop func() // and wait; may be repeated
}

// logBuffer collects what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func persona(change func(*agentapi.AssistantConfig)) agentapi.AssistantConfig {
	c := agentapi.AssistantConfig{BotID: "bot_1", Name: "Ana", Assistant: baas.Assistant{
		Model: baas.ModelEcho, MaxTokens: 256, Memory: 20, Welcome: "Olá! Sou a Ana.", QuickReplies: []string{"Preços", "Horário"},
	}}
	if change != nil {
		change(&c)
	}
	return c
}

func writeConfig(t *testing.T, dir string, c agentapi.AssistantConfig) string {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs an assistant on a directory; tune may change its configuration.
func start(t *testing.T, dir string, c agentapi.AssistantConfig, tune ...func(*bots.Config)) *bot {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bot{t: t, url: "http://" + ln.Addr().String(), log: &logBuffer{}}
	b.cfg = bots.Config{
		ConfigFile: writeConfig(t, dir, c), DataDir: dir, BotID: c.BotID, Listener: ln, RetryDelay: time.Millisecond,
		Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	for _, f := range tune {
		f(&b.cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bots.RunAssistant(ctx, b.cfg) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the assistant ended with: %v", err)
		}
	})
	t.Cleanup(b.stop)
	if status, body := b.get("/healthz"); status != http.StatusOK {
		t.Fatalf("healthz answers %d %s", status, body)
	}
	return b
}

func (b *bot) get(path string) (int, string) {
	b.t.Helper()
	resp, err := http.Get(b.url + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

type chatAnswer struct {
	Conversation string            `json:"conversation"`
	Reply        string            `json:"reply"`
	Handoff      bool              `json:"handoff"`
	QuickReplies []string          `json:"quick_replies"`
	Code         string            `json:"code"`
	Message      string            `json:"message"`
	Fields       []baas.FieldError `json:"fields"`
}

func (b *bot) chat(conversation, message string) (int, chatAnswer) {
	b.t.Helper()
	raw, _ := json.Marshal(map[string]string{"conversation": conversation, "message": message})
	return b.post(string(raw))
}

func (b *bot) post(body string) (int, chatAnswer) {
	b.t.Helper()
	resp, err := http.Post(b.url+"/chat", "application/json", strings.NewReader(body))
	if err != nil {
		b.t.Error(err)
		return 0, chatAnswer{}
	}
	defer resp.Body.Close()
	var a chatAnswer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		b.t.Errorf("the answer is not JSON: %v", err)
	}
	return resp.StatusCode, a
}

// say asks and insists on an answer.
func (b *bot) say(conversation, message string) chatAnswer {
	b.t.Helper()
	status, a := b.chat(conversation, message)
	if status != http.StatusOK {
		b.t.Fatalf("saying %q answers %d %+v", message, status, a)
	}
	return a
}

// event is a server-sent event.
type event struct {
	name string
	data chatAnswer
	text string // of a delta
}

// streamChat asks for a stream and hands over its events as they come.
func (b *bot) streamChat(conversation, message string) <-chan event {
	b.t.Helper()
	raw, _ := json.Marshal(map[string]string{"conversation": conversation, "message": message})
	req, _ := http.NewRequest(http.MethodPost, b.url+"/chat", bytes.NewReader(raw))
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		b.t.Errorf("the stream's type is %q", ct)
	}
	events := make(chan event)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "event: "):
				e.name = line[len("event: "):]
			case strings.HasPrefix(line, "data: "):
				var d struct {
					Text string `json:"text"`
				}
				_ = json.Unmarshal([]byte(line[len("data: "):]), &d)
				_ = json.Unmarshal([]byte(line[len("data: "):]), &e.data)
				e.text = d.Text
			case line == "":
				events <- e
				e = event{}
			}
		}
	}()
	return events
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx := deadline(t)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never came: %s", what)
		}
	}
}
