package agentapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// answers is an agent that answers everything the same.
type answers struct {
	status int
	kind   string
	body   func() io.Reader
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: a.status, Status: fmt.Sprint(a.status), Header: http.Header{"Content-Type": {a.kind}}, Request: r,
		Body: io.NopCloser(contextReader{r.Context(), a.body()})}, nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// endless goes on with repeat for ever.
type endless struct{ next, repeat string }

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if e.next == "" {
			e.next = e.repeat
		}
		k := copy(p[n:], e.next)
		e.next = e.next[k:]
		n += k
	}
	return n, nil
}

// calls does everything that reads what an agent answers, and gives the errors.
func calls(ctx context.Context, c *agentapi.Client, status func(agentapi.Status)) map[string]error {
	errs := map[string]error{}
	s, err := c.Status(ctx)
	status(s)
	errs["status"] = err
	s, err = c.PutDesired(ctx, agentapi.Desired{})
	status(s)
	errs["desired"] = err
	watching, cancel := context.WithCancel(ctx)
	seen := 0
	errs["watch"] = c.Watch(watching, func(s agentapi.Status) {
		status(s)
		if seen++; seen > 100 {
			cancel()
		}
	})
	cancel()
	for _, follow := range []bool{false, true} {
		seen = 0
		for _, err := range c.Logs(ctx, "bot_1", agentapi.LogQuery{Follow: follow}) {
			if errs["logs"] = err; err != nil {
				break
			}
			if seen++; seen > 100 {
				break
			}
		}
	}
	r, err := c.Usage(ctx, agentapi.UsageQuery{Limit: 10})
	errs["usage"] = err
	if len(r.Windows) > 10 {
		errs["usage"] = errors.New("more windows than were asked for")
	}
	errs["delete"] = c.DeleteBot(ctx, "bot_1")
	return errs
}

// tame checks that a status can be stored and shown.
func tame(t *testing.T, s agentapi.Status) {
	t.Helper()
	for _, b := range s.Bots {
		if utf8.RuneCountInString(b.Reason) > 501 || !utf8.ValidString(b.Reason) || strings.ContainsFunc(b.Reason, unicode.IsControl) {
			t.Errorf("the reason %.60q is given on", b.Reason)
		}
		known := false
		for _, state := range baas.BotStates() {
			known = known || b.State == state
		}
		if !known || b.Restarts < 0 {
			t.Errorf("the state %q with %d restarts is given on", b.State, b.Restarts)
		}
	}
	if s.Usage.MemoryBytes < 0 || s.Usage.DiskBytes < 0 || s.Revision < 0 {
		t.Errorf("negative amounts are given on: %+v", s)
	}
}

// TestEndlessAnswers never ends an answer: it is given up within a bound of memory.
func TestEndlessAnswers(t *testing.T) {
	for name, e := range map[string]endless{
		"text":   {`{"version":"`, "x"},
		"list":   {`{"bots":[{}`, `,{"id":"b","reason":"r"}`},
		"stored": {`{"stored":["x"`, `,"x"`},
		"usage":  {`{"windows":[{"start":"2026-01-01T00:00:00Z"}`, `,{"start":"2026-01-01T00:00:00Z"}`},
		"nested": {`{"x":`, `[`},
		"spaces": {``, ` `},
		"line":   {`{"text":"`, `\u0000`},
	} {
		t.Run(name, func(t *testing.T) {
			a := answers{200, "application/json", func() io.Reader { again := e; return &again }}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			errs := calls(t.Context(), agentapi.NewClient(a), func(s agentapi.Status) { tame(t, s) })
			runtime.ReadMemStats(&after)
			for call, err := range errs {
				if err == nil && call != "ack" && call != "delete" {
					t.Errorf("%s took it", call)
				}
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 400<<20 {
				t.Errorf("%d MiB were allocated", got>>20)
			}
			a.status = 500
			if _, err := agentapi.NewClient(a).Status(t.Context()); baas.CodeOf(err) != baas.CodeInternal {
				t.Errorf("a refusal without end: %v", err)
			}
		})
	}
}

// TestEndlessLines goes on with small lines: they are given on one by one.
func TestEndlessLines(t *testing.T) {
	a := answers{200, "application/json", func() io.Reader { return &endless{"", `{"text":"oi","worker_id":"w"}` + "\n"} }}
	errs := calls(t.Context(), agentapi.NewClient(a), func(agentapi.Status) {})
	if !errors.Is(errs["watch"], context.Canceled) || errs["logs"] != nil {
		t.Errorf("got %v", errs)
	}
}

func TestRefusalsOfAgents(t *testing.T) {
	for body, want := range map[string]baas.Code{
		`{"code":"conflict","message":"it runs"}`:          baas.CodeConflict,
		`{"code":"unauthenticated","message":"log in"}`:    baas.CodeInternal,
		`{"code":"quota_exceeded","message":"pay"}`:        baas.CodeInternal,
		`{"code":"no such code"}`:                          baas.CodeInternal,
		`<html>`:                                           baas.CodeInternal,
		`{"code":"invalid","message":"a\u0000b\u001b[2J"}`: baas.CodeInvalid,
	} {
		a := answers{409, "application/json", func() io.Reader { return strings.NewReader(body) }}
		err := agentapi.NewClient(a).DeleteBot(t.Context(), "bot_1")
		var e *baas.Error
		if !errors.As(err, &e) || e.Code != want || strings.ContainsFunc(e.Message, unicode.IsControl) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzAgent answers with any bytes.
func FuzzAgent(f *testing.F) {
	for _, seed := range []string{"", "null", "{}", "[]", `{"bots":null}`, `{"bots":[{"id":"b","state":"running","reason":"\u0000\ud800","restarts":-1,"exit_code":99999}]}`,
		`{"bots":[{"state":"no such state"}],"usage":{"memory_bytes":-5,"disk_bytes":9223372036854775807},"revision":-9}`, `{"revision":1e99}`,
		`{"windows":[{"start":"0000-00-00T00:00:00Z"}]}`, `{"at":"x"}`, "{\"text\":\"\xff\"}\n{", `{"stored":[1]}`, strings.Repeat("[", 20000), "\n\n\n",
		`{"bots":[{"reason":"` + strings.Repeat("x", 2000) + `"}]}`} {
		f.Add(uint16(200), []byte(seed))
		f.Add(uint16(409), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		code := 200 + int(status)%400
		a := answers{code, "application/json", func() io.Reader { return strings.NewReader(string(body)) }}
		for call, err := range calls(t.Context(), agentapi.NewClient(a), func(s agentapi.Status) { tame(t, s) }) {
			if err != nil && baas.CodeOf(err) == "" {
				t.Errorf("%s: %v has no code", call, err)
			}
			if code >= 300 && err == nil {
				t.Errorf("%s took a refusal for an answer", call)
			}
		}
	})
}
