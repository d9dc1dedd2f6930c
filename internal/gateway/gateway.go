package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/baas-platform/baas"
)

// Prefix is where bots are mounted.
const Prefix = "/b/"

// Agents gives HTTP to the agent of a Worker. Errors are baas.ErrUnavailable while it is not connected. The round
// tripper must report to net/http/httptrace what it wrote, as http.Transport does.
type Agents interface {
	RoundTripper(workerID string) (http.RoundTripper, error)
}

// Limits bound what one request may take. A zero value stands for the default that is written there.
type Limits struct {
	Body      int64         // bytes of a request; 32 MiB
	Headers   int           // bytes of a request's headers; 64 KiB
	FirstByte time.Duration // until the bot begins to answer; 120 s
	Wait      time.Duration // for a bot that isn't there yet; 20 s
	Waiting   int           // requests that wait for one bot at a time; 256
}

func (l Limits) orDefaults() Limits {
	if l.Body <= 0 {
		l.Body = 32 << 20
	}
	if l.Headers <= 0 {
		l.Headers = 64 << 10
	}
	if l.FirstByte <= 0 {
		l.FirstByte = 120 * time.Second
	}
	if l.Wait <= 0 {
		l.Wait = 20 * time.Second
	}
	if l.Waiting <= 0 {
		l.Waiting = 256
	}
	return l
}

// Config is what a Gateway needs.
type Config struct {
	Store   baas.Store
	Agents  Agents
	SignKey []byte // of preview addresses, at least 16 bytes
	// PublicURL is the platform's own address, such as https://baas.example.com.
	PublicURL string
	// BotHosts gives each bot a host of its own: "*.bots.example.com", the * being the bot's id with - for _. Their
	// DNS record and certificate are wildcards. Empty: bots are only under /b/.
	BotHosts string
	// TrustedProxies are the addresses whose X-Forwarded-… headers are believed.
	TrustedProxies []netip.Prefix
	Limits         Limits
	Log            *slog.Logger     // slog.Default() when nil
	Now            func() time.Time // time.Now when nil
}

// Gateway is an http.Handler for Prefix, and for the hosts of Config.BotHosts. Run keeps its routes right.
type Gateway struct {
	cfg     Config
	base    *url.URL
	hosts   string // what follows the bot's id in a host, with its dot; "" for none
	routes  routes
	rooms   rooms
	proxy   *httputil.ReverseProxy
	metrics metrics
}

// New makes a gateway, or says what is wrong with the configuration.
func New(cfg Config) (*Gateway, error) {
	if cfg.Store == nil || cfg.Agents == nil {
		return nil, errors.New("the gateway needs a store and agents")
	}
	if len(cfg.SignKey) < 16 {
		return nil, errors.New("the key that signs preview addresses must have at least 16 bytes")
	}
	base, err := url.Parse(strings.TrimSuffix(cfg.PublicURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("the public address: %w", err)
	}
	hosts := ""
	if cfg.BotHosts != "" {
		var ok bool
		if hosts, ok = strings.CutPrefix(strings.ToLower(cfg.BotHosts), "*"); !ok || len(hosts) < 2 || hosts[0] != '.' || strings.ContainsAny(hosts, "/*") {
			return nil, fmt.Errorf("the hosts of bots are %q; must be like *.bots.example.com", cfg.BotHosts)
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Limits = cfg.Limits.orDefaults()
	g := &Gateway{cfg: cfg, base: base, hosts: hosts}
	g.routes.load = g.loadRoute
	g.rooms.limit = cfg.Limits.Waiting
	g.metrics = newMetrics(&g.rooms)
	g.proxy = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      transport{g},
		ModifyResponse: modifyResponse,
		ErrorHandler:   g.proxyError,
		FlushInterval:  -1,
		BufferPool:     newBufferPool(),
		ErrorLog:       log.New(debugLog{cfg.Log}, "", 0),
	}
	return g, nil
}

// debugLog brings the proxy's remarks (mostly clients that left) into the log at debug level.
type debugLog struct{ log *slog.Logger }

func (l debugLog) Write(p []byte) (int, error) {
	l.log.Debug("gateway", "remark", strings.TrimSpace(string(p)))
	return len(p), nil
}

// Run keeps routes right until ctx ends. Before it is called nothing is remembered and every request reads the store.
func (g *Gateway) Run(ctx context.Context) error {
	changes := g.cfg.Store.Subscribe(ctx)
	g.routes.keep(true)
	defer g.routes.keep(false)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c, ok := <-changes:
			if !ok {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return errors.New("gateway: the store ended its changes")
			}
			g.changed(c)
		}
	}
}

// changed drops what a change makes doubtful, and wakes who may wait for it.
func (g *Gateway) changed(c baas.Change) {
	switch c.Kind {
	case "bot":
		g.routes.drop(c.ID)
		g.rooms.wake(c.ID)
	case "worker":
		g.routes.dropIf(func(r *route) bool { return r.worker == c.ID })
		g.rooms.wakeIf(func(worker string) bool { return worker == c.ID })
	case "tenant":
		g.routes.dropIf(func(r *route) bool { return r.tenant == c.ID })
		g.rooms.wakeIf(func(string) bool { return true })
	case "move":
		g.routes.dropIf(func(r *route) bool { return r.move == c.ID })
		g.rooms.wakeIf(func(string) bool { return true })
	case baas.ChangeResync:
		g.routes.dropIf(func(*route) bool { return true })
		g.rooms.wakeIf(func(string) bool { return true })
	}
}

// Wake lets requests that wait for a bot of the Worker try again, such as when its agent has connected.
func (g *Gateway) Wake(workerID string) {
	g.rooms.wakeIf(func(worker string) bool { return worker == workerID })
}

// BotURL is a bot's public address, with a slash at its end.
func (g *Gateway) BotURL(botID string) string {
	if g.hosts != "" {
		u := url.URL{Scheme: g.base.Scheme, Host: strings.ReplaceAll(botID, "_", "-") + g.hosts, Path: "/"}
		if p := g.base.Port(); p != "" {
			u.Host += ":" + p
		}
		return u.String()
	}
	return g.base.String() + Prefix + botID + "/"
}

// PreviewURL is an address of the bot that is good until expires, whatever its access.
func (g *Gateway) PreviewURL(botID string, expires time.Time) string {
	return g.BotURL(botID) + "?" + SignPreview(g.cfg.SignKey, botID, expires)
}

// exchange is one request on its way, found in the context of what the proxy sends out.
type exchange struct {
	id      string // the bot's
	prefix  string // of the public path, without a slash at its end; "" on a host of its own
	rest    string // path at the bot, decoded, with a slash at its start
	rawRest string // as it came
	query   string
	sandbox bool // shares the dashboard's origin
	entry   *entry
	route   *route
	body    []byte // the whole body when it is small enough to be sent again
	token   bool   // Authorization holds the bot's access token
	trusted bool   // came through a trusted proxy
	read    readMark
	broke   bool // the bot broke off before it answered
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	ex, _ := ctx.Value(exchangeKey{}).(*exchange)
	return ex
}

// locate finds out which bot a request is for. It answers those that need no bot itself.
func (g *Gateway) locate(w http.ResponseWriter, r *http.Request) *exchange {
	ex := &exchange{query: r.URL.RawQuery}
	raw, path := r.URL.EscapedPath(), r.URL.Path
	if id, ok := g.botOfHost(r.Host); ok {
		ex.id, ex.rest, ex.rawRest = id, path, raw
	} else {
		after, ok := strings.CutPrefix(raw, Prefix)
		if !ok {
			g.refuse(w, r, notFound("there is no such page"))
			return nil
		}
		id, _, slash := strings.Cut(after, "/")
		ex.id, ex.sandbox, ex.prefix = id, true, Prefix+id
		if !slash {
			if !baas.ValidID(baas.PrefixBot, id) {
				g.refuse(w, r, notFound("there is no bot at this address"))
				return nil
			}
			to := Prefix + id + "/"
			if ex.query != "" {
				to += "?" + ex.query
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusPermanentRedirect)
			return nil
		}
		// The id is not escaped, or it would not be valid.
		ex.rawRest, ex.rest = raw[len(ex.prefix):], strings.TrimPrefix(path, ex.prefix)
	}
	if !baas.ValidID(baas.PrefixBot, ex.id) {
		g.refuse(w, r, notFound("there is no bot at this address"))
		return nil
	}
	if hasDots(ex.rest) {
		g.refuse(w, r, &problem{Status: http.StatusBadRequest, Code: baas.CodeInvalid, Detail: "the path must not hold . or .. as a segment"})
		return nil
	}
	return ex
}

// botOfHost is the bot whose own host this is.
func (g *Gateway) botOfHost(host string) (string, bool) {
	if g.hosts == "" {
		return "", false
	}
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	label, ok := strings.CutSuffix(host, g.hosts)
	if !ok || strings.Contains(label, ".") {
		return "", false
	}
	return strings.ReplaceAll(label, "-", "_"), true
}

// OwnsHost reports whether a request's host is a bot's own, so that it belongs to the gateway whatever its path.
func (g *Gateway) OwnsHost(host string) bool {
	_, ok := g.botOfHost(host)
	return ok
}

// hasDots reports whether a decoded path would lead elsewhere when it is cleaned, as out of the bot on its agent.
func hasDots(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	for seg := range strings.SplitSeq(path, "/") {
		if seg == "." || seg == ".." {
			return true
		}
	}
	return false
}

// ServeHTTP answers a request for a bot.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := &measured{ResponseWriter: w, began: time.Now()}
	defer g.count(m)
	g.serve(m, r)
}

func (g *Gateway) serve(w *measured, r *http.Request) {
	ex := g.locate(w, r)
	if ex == nil {
		return
	}
	if ex.sandbox && preflight(w, r) {
		return
	}
	var err error
	if ex.entry, ex.route, err = g.routes.get(r.Context(), ex.id); err != nil {
		g.refuse(w, r, routeProblem(err))
		return
	}
	if p, done := g.admit(w, r, ex); p != nil {
		g.refuse(w, r, p)
		return
	} else if done {
		return
	}
	if p := g.bound(w.ResponseWriter, r, ex); p != nil {
		g.refuse(w, r, p)
		return
	}
	ex.trusted = g.trusts(r.RemoteAddr)
	g.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, ex)))
}

// ClientAddress is the address of who sends a request: that of the connection or, where it is a trusted proxy's, the last
// one in X-Forwarded-For that isn't.
func (g *Gateway) ClientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if !g.trusts(r.RemoteAddr) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // what is before it may be anything
		}
		host = addr.Unmap().WithZone("").String()
		if !g.trustsAddr(addr) {
			break
		}
	}
	return host
}

func (g *Gateway) trusts(remote string) bool {
	if len(g.cfg.TrustedProxies) == 0 {
		return false
	}
	addr, err := netip.ParseAddrPort(remote)
	return err == nil && g.trustsAddr(addr.Addr())
}

func (g *Gateway) trustsAddr(addr netip.Addr) bool {
	return slices.ContainsFunc(g.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap().WithZone("")) })
}
