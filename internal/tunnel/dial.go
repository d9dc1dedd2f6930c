package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"

	"github.com/baas-platform/baas/internal/agentapi"
)

// ErrOutdated is why Serve ended: the control plane refuses this build's protocol, and trying again won't help.
var ErrOutdated = errors.New("the control plane refuses this agent as too old")

// errDisplaced is why a connection ended: another agent of the same Worker took its place.
var errDisplaced = errors.New("another agent of this Worker took its place")

// Backoff is how long to wait between attempts: Min at first, growing up to Max, each with up to half of it in
// addition, by chance, so that many agents don't come back at the same moment.
type Backoff struct {
	Min, Max time.Duration
}

// DialConfig says where an agent connects and what it serves.
type DialConfig struct {
	URL      string // ws://host:port or wss://…; the path is agentapi.ConnectPath when it has none
	Token    string
	WorkerID string
	Version  string // of the build
	Protocol int    // agentapi.Protocol when 0
	Handler  http.Handler
	Log      *slog.Logger
	Backoff  Backoff // 200 ms to 10 s when zero
	// Silence is how long the control plane, which asks whether the agent is there, may say nothing before the connection
	// counts as lost; 43 s when 0.
	Silence time.Duration
	// OnState is told when a connection is up, and when it is gone. May be nil.
	OnState func(connected bool)
}

// Serve connects to the control plane, serves Handler on that connection and connects again whenever it is lost. It
// returns ctx.Err() when ctx ends, ErrOutdated when the control plane refuses the protocol, and at once an error when
// the configuration is wrong.
func Serve(ctx context.Context, cfg DialConfig) error {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("control plane's address %q: must be like ws://host:port", cfg.URL)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = agentapi.ConnectPath
	}
	if cfg.Backoff == (Backoff{}) {
		cfg.Backoff = Backoff{Min: 200 * time.Millisecond, Max: 10 * time.Second}
	}
	if cfg.Silence == 0 {
		cfg.Silence = silence
	}
	if cfg.Protocol == 0 {
		cfg.Protocol = agentapi.Protocol
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.OnState == nil {
		cfg.OnState = func(bool) {}
	}
	d := dialer{cfg: cfg, url: u.String(), pool: newFramePool()}
	wait := cfg.Backoff.Min
	for {
		began := time.Now()
		err := d.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrOutdated) {
			return err
		}
		if time.Since(began) > cfg.Backoff.Max { // it was up for a while
			wait = cfg.Backoff.Min
		}
		if errors.Is(err, errDisplaced) {
			wait = cfg.Backoff.Max
		}
		pause := wait + rand.N(wait/2+1)
		cfg.Log.Info("not connected to the control plane", "reason", err, "retry_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		wait = min(wait*2, cfg.Backoff.Max)
	}
}

type dialer struct {
	cfg  DialConfig
	url  string
	pool *framePool
}

// once connects and serves until the connection ends.
func (d *dialer) once(ctx context.Context) error {
	ws, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	conn := &endConn{frameConn: newFrameConn(ctx, ws, d.pool), silence: d.cfg.Silence}
	session, err := yamux.Server(conn, muxConfig(d.cfg.Log))
	if err != nil {
		return fmt.Errorf("starting the session: %w", err)
	}
	defer session.Close()
	d.cfg.Log.Info("connected to the control plane")
	d.cfg.OnState(true)
	defer d.cfg.OnState(false)

	srv := &http.Server{
		Handler: d.cfg.Handler,
		// The other side closes idle connections first, so that none is closed under a request.
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 256 << 10,
		ErrorLog:       slog.NewLogLogger(d.cfg.Log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = ws.Close(websocket.StatusGoingAway, "agent is ending"); session.Close() })
	defer stop()
	_ = srv.Serve(session) // ends with the session
	_ = srv.Close()
	end := conn.end.Load()
	switch {
	case end == nil || errors.Is(*end, io.EOF):
		return errLost
	case websocket.CloseStatus(*end) == closeReplaced:
		return errDisplaced
	}
	return fmt.Errorf("%w: %w", errLost, *end)
}

// endConn ends when nothing comes for too long, and remembers the read error that ended it.
type endConn struct {
	*frameConn
	silence time.Duration
	end     atomic.Pointer[error]
}

func (c *endConn) Read(p []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(c.silence)) // never fails
	n, err := c.frameConn.Read(p)
	if err != nil {
		c.end.Store(&err)
	}
	return n, err
}

func (d *dialer) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	h := http.Header{}
	h.Set("Authorization", "Bearer "+d.cfg.Token)
	h.Set(agentapi.HeaderWorker, d.cfg.WorkerID)
	h.Set(agentapi.HeaderVersion, d.cfg.Version)
	h.Set(agentapi.HeaderProtocol, strconv.Itoa(d.cfg.Protocol))
	ws, res, err := websocket.Dial(ctx, d.url, &websocket.DialOptions{HTTPHeader: h}) //nolint:bodyclose // the library closes it
	if err == nil {
		return ws, nil
	}
	if res != nil {
		switch res.StatusCode {
		case http.StatusUpgradeRequired:
			return nil, ErrOutdated
		case http.StatusUnauthorized:
			return nil, errors.New("the control plane refuses this Worker's token")
		}
		return nil, fmt.Errorf("the control plane answered %s", res.Status)
	}
	return nil, fmt.Errorf("connecting: %w", err)
}
