package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// errReplaced and errClosed are why a connection ended, as OnDisconnect is told.
var (
	errReplaced = errors.New("replaced by a newer connection of the same Worker")
	errClosed   = errors.New("the control plane is closing")
	errLost     = errors.New("connection lost")
)

// HubConfig says how a Hub treats agents.
type HubConfig struct {
	// Authenticate checks a Worker's token. baas.ErrUnauthenticated refuses the agent, baas.ErrNotFound too; any other
	// error lets it try again later. Required.
	Authenticate func(ctx context.Context, workerID, token string) error
	// OnConnect and OnDisconnect are told about connections. For one Worker they are called one at a time, in order,
	// and every OnConnect is followed by one OnDisconnect. They may be nil and should return soon.
	OnConnect    func(Peer)
	OnDisconnect func(Peer, error)
	// Order numbers a connection as it comes, among those of every hub that the Worker's agent may dial: of two of one
	// Worker the higher number is the later. Its error lets the agent try again later. The time of day when nil.
	Order func(ctx context.Context) (int64, error)
	// KeepAlive is how often each agent is asked whether it is there; 28 s when 0.
	KeepAlive time.Duration
	Log       *slog.Logger
	Now       func() time.Time // time.Now when nil
}

// Peer is a connected agent.
type Peer struct {
	WorkerID    string
	Version     string // of its build
	Protocol    int    // what both sides speak
	ConnectedAt time.Time
	Remote      string // address it dialled from
	Order       int64  // as HubConfig.Order gave it
}

// Hub keeps the connections of agents and gives HTTP over them. It is safe for use by many goroutines.
type Hub struct {
	cfg  HubConfig
	pool *framePool

	mu     sync.Mutex
	conns  map[string]*link
	held   int // connections so far
	closed bool
	ending chan struct{}  // closed with closed
	active sync.WaitGroup // handlers that hold a connection
}

// link is one agent's connection.
type link struct {
	peer      Peer
	ws        *websocket.Conn
	session   *yamux.Session
	transport *Transport
	turn      int           // of turns
	why       error         // set before the session is closed by us
	done      chan struct{} // closed after OnDisconnect
}

// NewHub makes a hub, which works until it is closed. It panics without Authenticate, which is a mistake of the program.
func NewHub(cfg HubConfig) *Hub {
	if cfg.Authenticate == nil {
		panic("tunnel: HubConfig.Authenticate is nil")
	}
	if cfg.OnConnect == nil {
		cfg.OnConnect = func(Peer) {}
	}
	if cfg.OnDisconnect == nil {
		cfg.OnDisconnect = func(Peer, error) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = keepAlive
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Order == nil {
		cfg.Order = func(context.Context) (int64, error) { return cfg.Now().UnixNano(), nil }
	}
	h := &Hub{cfg: cfg, pool: newFramePool(), conns: map[string]*link{}, ending: make(chan struct{})}
	go h.keepAlive()
	return h
}

// keepAlive asks every agent whether it is there, and ends the connections of those that don't answer, until Close.
func (h *Hub) keepAlive() {
	tick := time.NewTicker(h.cfg.KeepAlive / turns)
	defer tick.Stop()
	for turn := 0; ; turn = (turn + 1) % turns {
		select {
		case <-h.ending:
			return
		case <-tick.C:
		}
		h.mu.Lock()
		for _, l := range h.conns {
			if l.turn == turn {
				go func() {
					if _, err := l.session.Ping(); err != nil {
						_ = l.session.Close()
					}
				}()
			}
		}
		h.mu.Unlock()
	}
}

// ServeHTTP takes an agent's connection. Mount it at agentapi.ConnectPath. It returns once the connection is held: that
// goes on without the server's goroutine, whose grown stack, request and buffers an idle agent would keep otherwise.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer, err := h.admit(r)
	if err != nil {
		refuse(w, err)
		return
	}
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		refuse(w, &baas.Error{Code: baas.CodeUnavailable, Message: errClosed.Error()})
		return
	}
	h.active.Add(1)
	h.mu.Unlock()

	l, err := h.accept(w, r, peer)
	if err != nil {
		h.active.Done()
		h.cfg.Log.Info("agent's WebSocket refused", "worker", peer.WorkerID, "remote", peer.Remote, "error", err)
		return
	}
	go func() {
		defer h.active.Done()
		h.hold(l)
	}()
}

// accept makes a link of an agent's request.
func (h *Hub) accept(w http.ResponseWriter, r *http.Request, peer Peer) (*link, error) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil, err
	}
	// Not the request's context: it ends with the handler, and would keep the request.
	session, err := yamux.Client(newFrameConn(context.Background(), ws, h.pool), muxConfig(h.cfg.Log))
	if err != nil {
		_ = ws.CloseNow()
		return nil, fmt.Errorf("starting the session: %w", err)
	}
	open := func(context.Context) (net.Conn, error) { return openStream(session) }
	return &link{peer: peer, ws: ws, session: session, transport: NewTransport(open), done: make(chan struct{})}, nil
}

// admit checks the headers of a connection.
func (h *Hub) admit(r *http.Request) (Peer, error) {
	peer := Peer{
		WorkerID: r.Header.Get(agentapi.HeaderWorker), Version: r.Header.Get(agentapi.HeaderVersion),
		ConnectedAt: h.cfg.Now().UTC(), Remote: r.RemoteAddr,
	}
	protocol, err := strconv.Atoi(r.Header.Get(agentapi.HeaderProtocol))
	if err != nil {
		return peer, baas.Errorf(baas.CodeInvalid, "header %s must be a number", agentapi.HeaderProtocol)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || peer.WorkerID == "" {
		return peer, baas.Errorf(baas.CodeUnauthenticated, "an agent connects with its Worker's id in %s and its token as bearer", agentapi.HeaderWorker)
	}
	if err := h.cfg.Authenticate(r.Context(), peer.WorkerID, token); err != nil {
		if errors.Is(err, baas.ErrUnauthenticated) || errors.Is(err, baas.ErrNotFound) || errors.Is(err, baas.ErrForbidden) {
			h.cfg.Log.Warn("agent refused: wrong token", "worker", peer.WorkerID, "remote", peer.Remote)
			return peer, baas.Errorf(baas.CodeUnauthenticated, "the token is not this Worker's")
		}
		h.cfg.Log.Error("checking an agent's token", "worker", peer.WorkerID, "error", err)
		return peer, &baas.Error{Code: baas.CodeUnavailable, Message: "the token can't be checked now"}
	}
	if protocol < agentapi.MinProtocol {
		h.cfg.Log.Warn("agent refused: too old", "worker", peer.WorkerID, "version", peer.Version, "protocol", protocol)
		return peer, errTooOld
	}
	peer.Protocol = min(protocol, agentapi.Protocol)
	// While the agent waits for the answer, so that a connection that it makes after this one gets a higher number.
	if peer.Order, err = h.cfg.Order(r.Context()); err != nil {
		h.cfg.Log.Error("numbering an agent's connection", "worker", peer.WorkerID, "error", err)
		return peer, &baas.Error{Code: baas.CodeUnavailable, Message: "the connection can't be numbered now"}
	}
	return peer, nil
}

var errTooOld = baas.Errorf(baas.CodeUnsupported, "this agent is older than the control plane accepts; its machine must be made anew")

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, errTooOld):
		status = http.StatusUpgradeRequired
	case errors.Is(err, baas.ErrUnauthenticated):
		status = http.StatusUnauthorized
	case errors.Is(err, baas.ErrInvalid):
		status = http.StatusBadRequest
	}
	body := agentapi.Error{Code: baas.CodeOf(err)}
	if e := (*baas.Error)(nil); errors.As(err, &e) {
		body.Message = e.Message
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// hold keeps l until it ends, in the place of the connection that the Worker had before.
func (h *Hub) hold(l *link) {
	id := l.peer.WorkerID
	defer close(l.done)
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		l.close(errClosed)
		return
	}
	old := h.conns[id]
	h.conns[id] = l
	l.turn = h.held % turns
	h.held++
	if old != nil {
		old.why = errReplaced
	}
	h.mu.Unlock()
	if old != nil {
		old.close(errReplaced)
		<-old.done
	}
	h.cfg.Log.Info("agent connected", "worker", id, "version", l.peer.Version, "protocol", l.peer.Protocol, "remote", l.peer.Remote)
	h.cfg.OnConnect(l.peer)

	<-l.session.CloseChan()

	h.mu.Lock()
	why := l.why
	h.mu.Unlock()
	if why == nil {
		why = errLost
	}
	l.transport.CloseIdleConnections()
	_ = l.session.Close()
	_ = l.ws.CloseNow()
	h.cfg.Log.Info("agent disconnected", "worker", id, "reason", why)
	h.cfg.OnDisconnect(l.peer, why)
	// Only now, so that the Worker's next connection waits for the end of this one even if that came by itself.
	h.mu.Lock()
	if h.conns[id] == l {
		delete(h.conns, id)
	}
	h.mu.Unlock()
}

// close ends the link; hold does the rest.
func (l *link) close(why error) {
	code := websocket.StatusGoingAway
	if errors.Is(why, errReplaced) {
		code = closeReplaced
	}
	// The peer may be gone; the close handshake then waits for its own time limit, which nobody here has.
	go func() { _ = l.ws.Close(code, why.Error()); _ = l.session.Close() }()
	select {
	case <-l.session.CloseChan():
	case <-time.After(time.Second):
		_ = l.ws.CloseNow()
		_ = l.session.Close()
	}
}

// RoundTripper gives HTTP to the Worker's agent over its present connection; once that has ended, requests fail with
// baas.ErrUnavailable and the caller asks for another. baas.ErrUnavailable when it is not connected.
func (h *Hub) RoundTripper(workerID string) (http.RoundTripper, error) {
	l, err := h.link(workerID)
	if err != nil {
		return nil, err
	}
	return l.transport, nil
}

// link is the Worker's present connection, or baas.ErrUnavailable.
func (h *Hub) link(workerID string) (*link, error) {
	h.mu.Lock()
	l := h.conns[workerID]
	h.mu.Unlock()
	if l == nil || l.session.IsClosed() {
		return nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the Worker is not connected"}
	}
	return l, nil
}

// Peer gives the Worker's connected agent.
func (h *Hub) Peer(workerID string) (Peer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.conns[workerID]
	if l == nil || l.session.IsClosed() {
		return Peer{}, false
	}
	return l.peer, true
}

// Peers lists the connected agents, by Worker.
func (h *Hub) Peers() []Peer {
	h.mu.Lock()
	ps := make([]Peer, 0, len(h.conns))
	for _, l := range h.conns {
		if !l.session.IsClosed() {
			ps = append(ps, l.peer)
		}
	}
	h.mu.Unlock()
	slices.SortFunc(ps, func(a, b Peer) int { return strings.Compare(a.WorkerID, b.WorkerID) })
	return ps
}

// Disconnect ends the Worker's connection, such as when its token was changed. It does nothing when there is none.
func (h *Hub) Disconnect(workerID string) {
	h.mu.Lock()
	l := h.conns[workerID]
	if l != nil && l.why == nil {
		l.why = errClosed
	}
	h.mu.Unlock()
	if l != nil {
		l.close(errClosed)
	}
}

// Close ends all connections, refuses new ones, and waits until OnDisconnect was told of each, or for ctx. May be
// repeated.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		close(h.ending)
	}
	h.closed = true
	links := make([]*link, 0, len(h.conns))
	for _, l := range h.conns {
		if l.why == nil {
			l.why = errClosed
		}
		links = append(links, l)
	}
	h.mu.Unlock()
	for _, l := range links {
		go l.close(errClosed)
	}
	done := make(chan struct{})
	go func() { h.active.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing the tunnel hub: %w", ctx.Err())
	}
}
