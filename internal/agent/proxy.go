package agent

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// proxy carries requests to the HTTP servers of bots and counts them: each request, and the bytes of bodies and of
// upgraded connections.
type proxy struct {
	sup       *supervisor
	log       *slog.Logger
	transport *http.Transport
	buffers   buffers
}

func newProxy(sup *supervisor, log *slog.Logger) *proxy {
	return &proxy{sup: sup, log: log, transport: &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        256,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     15 * time.Second,
		DisableCompression:  true,
	}}
}

// buffers lends the copying of bodies its memory.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 16<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// answerOwn answers in the place of a bot.
func answerOwn(w http.ResponseWriter, status int, code baas.Code, message string) {
	w.Header().Set(agentapi.HeaderError, string(code))
	writeAnswer(w, status, agentapi.Error{Code: code, Message: message})
}

// smallBody is how much of a request, in bytes, is read before it is answered in any case: net/http's own bound.
const smallBody = 256 << 10

// serve asks the bot for path, which is unescaped; the request's own path tells how it was escaped.
func (p *proxy) serve(w http.ResponseWriter, r *http.Request, id, path string) {
	b := p.sup.bot(id)
	if b == nil {
		answerOwn(w, http.StatusNotFound, baas.CodeNotFound, "there is no such bot in this Worker")
		return
	}
	b.mu.Lock()
	port, pid, status := b.port, b.pid, b.status
	b.mu.Unlock()
	switch {
	case pid == 0:
		answerOwn(w, http.StatusBadGateway, baas.CodeUnavailable, "the bot does not run: "+string(status.State)+", "+status.Reason)
		return
	case port == 0:
		answerOwn(w, http.StatusBadGateway, baas.CodeUnavailable, "the bot serves nothing: it has no port")
		return
	}
	b.meters.requests.Add(1)
	if r.ContentLength < 0 || r.ContentLength > smallBody {
		// A bot may answer before it has read everything. net/http breaks off a connection on which such a request was
		// answered and not read, under whatever came next on it; so nothing does.
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Connection", "close")
	}
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port), Path: path}
	if raw := r.URL.RawPath; raw != "" {
		_, target.RawPath, _ = botRequest(raw)
	}
	rp := httputil.ReverseProxy{
		Rewrite:    func(pr *httputil.ProxyRequest) { rewrite(pr, target, &b.meters.in) },
		Transport:  p.transport,
		BufferPool: &p.buffers,
		ErrorLog:   slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		ModifyResponse: func(res *http.Response) error {
			res.Header.Del(agentapi.HeaderError)
			if rw, ok := res.Body.(io.ReadWriteCloser); ok && res.StatusCode == http.StatusSwitchingProtocols {
				res.Body = countedConn{rw, &b.meters}
			} else {
				res.Body = countedBody{res.Body, &b.meters.out}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			p.log.Debug("bot did not answer", "bot", id, "error", err)
			if notReached(err) {
				answerOwn(w, http.StatusBadGateway, baas.CodeUnavailable, "the bot can't be reached")
				return
			}
			b.mu.Lock()
			stopping := b.stopping
			b.mu.Unlock()
			if stopping {
				answerOwn(w, http.StatusBadGateway, baas.CodeConflict, "the bot broke off before it answered, since it was being stopped")
				return
			}
			answerOwn(w, http.StatusBadGateway, baas.CodeInternal, "the bot broke off before it answered")
		},
	}
	rp.ServeHTTP(w, r)
}

// notReached reports whether nothing of a request can have reached the bot: there was no connection to send it on. Any
// other failure may come after the bot has acted on it.
func notReached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// rewrite leaves the request as the gateway made it, headers of forwarding included.
func rewrite(pr *httputil.ProxyRequest, target *url.URL, in *atomic.Int64) {
	target.RawQuery, target.ForceQuery = pr.In.URL.RawQuery, pr.In.URL.ForceQuery
	pr.Out.URL = target
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := pr.In.Header[h]; ok {
			pr.Out.Header[h] = v
		}
	}
	if pr.Out.Body != nil && pr.Out.Body != http.NoBody {
		pr.Out.Body = countedBody{pr.Out.Body, in}
	}
}

// countedBody counts the bytes that are read.
type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// countedConn counts the bytes of an upgraded connection, both ways.
type countedConn struct {
	io.ReadWriteCloser
	m *botMeters
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Read(p)
	c.m.out.Add(int64(n))
	return n, err
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.ReadWriteCloser.Write(p)
	c.m.in.Add(int64(n))
	return n, err
}
