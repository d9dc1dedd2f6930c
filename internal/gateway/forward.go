package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

const (
	// maxReplay is the largest body, in bytes, that is held so that it can be sent again.
	maxReplay = 64 << 10
	// While a request waits it also looks by itself, at first after minPause, in doubling steps up to maxPause: a bot
	// that begins to listen rings no bell.
	minPause = 5 * time.Millisecond
	maxPause = 250 * time.Millisecond
)

var errFirstByte = errors.New("the bot did not begin to answer in time")

// readMark remembers whether anything of a body was read.
type readMark struct{ atomic.Bool }

// markedBody marks its first read. Closing it leaves the body open for another attempt; the server closes it.
type markedBody struct {
	io.Reader
	mark *readMark
}

func (b markedBody) Read(p []byte) (int, error) { b.mark.Store(true); return b.Reader.Read(p) }
func (b markedBody) Close() error               { return nil }

// bound refuses a request that is too large, bounds one whose size isn't known, and reads a small body whole.
func (g *Gateway) bound(w http.ResponseWriter, r *http.Request, ex *exchange) *problem {
	size := 0
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > g.cfg.Limits.Headers {
		return &problem{Status: http.StatusRequestHeaderFieldsTooLarge, Code: baas.CodeTooLarge, Detail: "the headers are too large"}
	}
	switch {
	case r.ContentLength > g.cfg.Limits.Body:
		return tooLarge(g.cfg.Limits.Body)
	case r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody:
	case r.ContentLength > 0 && r.ContentLength <= maxReplay:
		// Not from a pool: a connection may still read it when the answer is over.
		ex.body = make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, ex.body); err != nil {
			return &problem{Status: http.StatusBadRequest, Code: baas.CodeInvalid, Detail: "the body ended before its announced length"}
		}
		r.Body = io.NopCloser(bytes.NewReader(ex.body))
	default:
		r.Body = http.MaxBytesReader(w, r.Body, g.cfg.Limits.Body)
	}
	return nil
}

func tooLarge(limit int64) *problem {
	return &problem{Status: http.StatusRequestEntityTooLarge, Code: baas.CodeTooLarge,
		Detail: "the body is larger than " + size(limit) + ", the most that a bot is sent at once"}
}

// transport sends a request to the bot's agent, as often as it takes and may be.
type transport struct{ g *Gateway }

// RoundTrip implements http.RoundTripper. Its errors are *problem or the end of the request.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	g, ctx := t.g, req.Context()
	ex := exchangeOf(ctx)
	stream := req.Body
	var wait *waiting
	for {
		why := ex.route.refusal
		if why != nil {
			return nil, why
		}
		if ex.route.moving {
			why = unavailable("this bot is moving to another Worker; try again in a moment", 5)
		} else {
			switch {
			case ex.body != nil:
				req.Body = io.NopCloser(bytes.NewReader(ex.body))
			case stream != nil:
				req.Body = markedBody{stream, &ex.read}
			}
			res, p, again := g.try(req, ex)
			if p == nil {
				return res, nil
			}
			if !again {
				return nil, p
			}
			why = p
		}
		if wait == nil {
			if !g.rooms.enter(ex.id, ex.route.worker) {
				return nil, unavailable("too many requests wait for this bot", 5)
			}
			defer g.rooms.leave(ex.id)
			wait = &waiting{until: time.NewTimer(g.cfg.Limits.Wait), pause: minPause}
			defer wait.until.Stop()
			// Somebody may have rung between the attempt and the entry: look again before waiting.
		} else if err := wait.wait(ctx, why); err != nil {
			return nil, err
		}
		wait.bell = g.rooms.bell(ex.id, ex.route.worker)
		g.routes.renew(ex.id, ex.entry)
		entry, route, err := g.routes.get(ctx, ex.id)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, routeProblem(err)
		}
		ex.entry, ex.route = entry, route
	}
}

// waiting is the patience of one request.
type waiting struct {
	until *time.Timer
	pause time.Duration
	bell  <-chan struct{}
}

// wait returns nil when it is worth another look, why when patience ended, or ctx's error.
func (w *waiting) wait(ctx context.Context, why *problem) error {
	pause := time.NewTimer(w.pause)
	defer pause.Stop()
	w.pause = min(2*w.pause, maxPause)
	select {
	case <-w.bell:
	case <-pause.C:
	case <-w.until.C:
		return why
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// try sends the request once. again says that it may be sent once more because nothing of it reached a bot, or
// because it is safe.
func (g *Gateway) try(req *http.Request, ex *exchange) (res *http.Response, p *problem, again bool) {
	rt, err := g.cfg.Agents.RoundTripper(ex.route.worker)
	if err != nil {
		if !errors.Is(err, baas.ErrUnavailable) {
			g.cfg.Log.Error("reaching a Worker", "worker", ex.route.worker, "error", err)
		}
		return nil, unavailable("the Worker of this bot is restarting or not connected; try again in a moment", 5), true
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	limit := time.AfterFunc(g.cfg.Limits.FirstByte, func() { cancel(errFirstByte) })
	var sent atomic.Bool
	safe := ex.body == nil && req.Body == nil && (req.Method == http.MethodGet || req.Method == http.MethodHead || req.Method == http.MethodOptions)
	traced := ctx
	if !safe {
		traced = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	}
	res, err = rt.RoundTrip(req.WithContext(traced))
	inTime := limit.Stop()
	switch {
	case err == nil && inTime:
		// ctx goes on: it bounds the answer's body, and ends with the request.
		if code := baas.Code(res.Header.Get(agentapi.HeaderError)); code != "" {
			p, again = g.agentProblem(res, code, ex)
			if code == baas.CodeConflict && safe && !ex.broke {
				// Only what broke off because the bot was being stopped: a request that makes a bot crash would do so again.
				// And once, however often it is stopped.
				ex.broke, again = true, true
			}
			cancel(nil)
			return nil, p, again
		}
		return res, nil, false
	case err == nil:
		res.Body.Close()
		err = errFirstByte
	}
	defer cancel(nil)
	var tooLong *http.MaxBytesError
	switch {
	case req.Context().Err() != nil:
		return nil, &problem{gone: true}, false
	case errors.As(err, &tooLong):
		return nil, tooLarge(tooLong.Limit), false
	case errors.Is(err, errFirstByte), errors.Is(context.Cause(ctx), errFirstByte):
		return nil, &problem{Status: http.StatusGatewayTimeout, Code: baas.CodeUnavailable,
			Detail: "this bot took too long to answer"}, false
	}
	g.cfg.Log.Debug("a request's connection broke", "bot", ex.id, "worker", ex.route.worker, "error", err)
	p = unavailable("the connection to this bot broke; try again in a moment", 5)
	if safe || !sent.Load() && !ex.read.Load() {
		return nil, p, true
	}
	// It may have done what it was asked.
	p.Status, p.RetryAfter = http.StatusBadGateway, 0
	p.Detail = "the connection to this bot broke before it answered; what was asked may have been done or not"
	return nil, p, false
}

// agentProblem reads an answer that is the agent's and not the bot's.
func (g *Gateway) agentProblem(res *http.Response, code baas.Code, ex *exchange) (p *problem, again bool) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10)) // so that the connection is used again
	res.Body.Close()
	switch code {
	case baas.CodeUnavailable, baas.CodeNotFound:
		return unavailable("this bot is starting; try again in a moment", 5), !ex.read.Load()
	}
	return &problem{Status: http.StatusBadGateway, Code: baas.CodeUnavailable,
		Detail: "this bot broke off before it answered; what was asked may have been done or not"}, false
}

// proxyError answers a request that got no answer.
func (g *Gateway) proxyError(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		if r.Context().Err() != nil {
			return
		}
		g.cfg.Log.Debug("a request failed", "error", err)
		p = &problem{Status: http.StatusBadGateway, Code: baas.CodeUnavailable, Detail: "the connection to this bot broke"}
	}
	if p.gone {
		return
	}
	g.refuse(w, r, p)
}

// bufferPool lends the buffers that answers are copied with.
type bufferPool struct{ pool sync.Pool }

func newBufferPool() *bufferPool {
	return &bufferPool{sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}}
}

func (p *bufferPool) Get() []byte  { return *p.pool.Get().(*[]byte) }
func (p *bufferPool) Put(b []byte) { p.pool.Put(&b) }
