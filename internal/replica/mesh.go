package replica

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/tunnel"
)

const (
	// leasePrefix begins the names of the leases that tell who is there.
	leasePrefix = "replica/"
	// beat is how often a replica says that it is there; who didn't for leaseTTL isn't.
	beat     = 3 * time.Second
	leaseTTL = 5 * beat
	// startWait bounds how long a new replica waits to hear of the others' agents before it serves.
	startWait = 3 * time.Second
)

// Registry is where replicas find each other.
type Registry interface {
	// Clock tells the time that all replicas agree on.
	Clock(ctx context.Context) (time.Time, error)
	// Lease takes or renews the named lease for holder until now+ttl; a ttl of zero gives it up.
	Lease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (held bool, err error)
	// Leases gives the holders of the leases whose names begin with prefix, by name.
	Leases(ctx context.Context, prefix string, now time.Time) (map[string]string, error)
}

// Agents is what holds the connections of this replica.
type Agents interface {
	RoundTripper(workerID string) (http.RoundTripper, error)
	Dial(workerID string) (net.Conn, error)
	Displace(workerID string, order int64)
}

// Config is what a Mesh needs. Without a Listener it is alone, and Agents are all the agents there are.
type Config struct {
	ID       string // of this process, another after every start
	Listener net.Listener
	Address  string // host:port at which the others reach Listener
	Key      []byte // 32 bytes that all replicas of the installation have, and nobody else
	Registry Registry
	Agents   Agents
	// OnConnect and OnDisconnect are told of the agents of all replicas, one call at a time: the first also when an
	// agent's connection is replaced by another, here or elsewhere. They must return soon and not call the Mesh.
	OnConnect    func(workerID, version string)
	OnDisconnect func(workerID string)
	Log          *slog.Logger
}

// Mesh reaches the agents of all replicas. It is safe for use by many goroutines.
type Mesh struct {
	cfg     Config
	metrics metrics

	mu       sync.Mutex
	agents   directory
	watchers map[*watcher]struct{}
	members  map[string]*member // the other replicas, by id
	ctx      context.Context    // of Run, nil before; links of members end with it
	tls      *tls.Config        // set before ctx
	running  sync.WaitGroup
}

// member is another replica.
type member struct {
	address string
	stop    context.CancelFunc
	synced  bool // we know of all its agents
	tried   bool // we tried to reach it
}

// New makes a mesh that knows of this replica alone until Run is called.
func New(cfg Config) *Mesh {
	if cfg.OnConnect == nil {
		cfg.OnConnect = func(string, string) {}
	}
	if cfg.OnDisconnect == nil {
		cfg.OnDisconnect = func(string) {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mesh{cfg: cfg, agents: directory{}, watchers: map[*watcher]struct{}{}, members: map[string]*member{}}
	m.metrics = newMetrics(m)
	return m
}

// Order is the tunnel.HubConfig.Order of this replica's hub.
func (m *Mesh) Order(ctx context.Context) (int64, error) {
	if m.cfg.Listener == nil {
		return time.Now().UnixMicro(), nil
	}
	now, err := m.cfg.Registry.Clock(ctx)
	return now.UnixMicro(), err
}

// Connected tells of an agent of this replica. It and Disconnected are the hub's OnConnect and OnDisconnect.
func (m *Mesh) Connected(p tunnel.Peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(p.WorkerID, &holding{order: p.Order, version: p.Version})
	m.announce(announcement{Worker: p.WorkerID, Version: p.Version, Order: p.Order})
}

// Disconnected tells that an agent's connection to this replica is gone.
func (m *Mesh) Disconnected(p tunnel.Peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.agents[p.WorkerID] {
		if h.via == nil && h.order != p.Order {
			return // another came in between
		}
	}
	m.drop(p.WorkerID, nil)
	m.announce(announcement{Worker: p.WorkerID, Gone: true})
}

// RoundTripper gives HTTP to the Worker's agent, whichever replica holds it, as tunnel.Hub.RoundTripper does:
// baas.ErrUnavailable when none does, and from requests once the connection has ended.
func (m *Mesh) RoundTripper(workerID string) (http.RoundTripper, error) {
	m.mu.Lock()
	h := m.agents.current(workerID)
	if h != nil && h.via != nil && h.transport == nil {
		via := h.via
		h.transport = tunnel.NewTransport(func(ctx context.Context) (net.Conn, error) {
			c, err := via.open(ctx, workerID)
			m.metrics.streams.WithLabelValues(outcome(err)).Inc()
			return c, err
		})
	}
	m.mu.Unlock()
	switch {
	case h == nil:
		return nil, &baas.Error{Code: baas.CodeUnavailable, Message: "the Worker is not connected"}
	case h.via == nil:
		return m.cfg.Agents.RoundTripper(workerID)
	}
	return h.transport, nil
}

// Whole reports whether the agents of every replica are known here, so that one of which nothing is known isn't
// connected anywhere.
func (m *Mesh) Whole() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.members {
		if !o.synced {
			return false
		}
	}
	return true
}

// Run joins the other replicas until ctx ends. started is called once their agents are known, or can't be.
func (m *Mesh) Run(ctx context.Context, started func()) error {
	if m.cfg.Listener == nil {
		started()
		<-ctx.Done()
		return nil
	}
	identity, err := identity(m.cfg.Key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	m.mu.Lock()
	m.ctx, m.tls = ctx, identity
	m.mu.Unlock()
	defer func() {
		cancel()
		m.cfg.Listener.Close()
		m.running.Wait()
		m.leave(context.WithoutCancel(ctx))
	}()
	m.running.Go(func() { m.accept(ctx) })
	if err := m.greet(ctx); err != nil {
		return fmt.Errorf("joining the other replicas: %w", err)
	}
	m.awaitFirst(ctx)
	m.cfg.Log.Info("this replica takes part", "replica", m.cfg.ID, "address", m.cfg.Address)
	started()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := m.greet(ctx); err != nil && ctx.Err() == nil {
			m.cfg.Log.Error("looking for the other replicas", "err", err) // those that are known stay
		}
	}
}

type metrics struct {
	replicas prometheus.GaugeFunc
	streams  *prometheus.CounterVec
}

func newMetrics(m *Mesh) metrics {
	return metrics{
		replicas: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "baas_replicas_joined", Help: "Other control planes whose agents are known here."},
			func() float64 {
				m.mu.Lock()
				defer m.mu.Unlock()
				n := 0
				for _, o := range m.members {
					if o.synced {
						n++
					}
				}
				return float64(n)
			}),
		streams: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "baas_replica_streams_total",
			Help: "Streams to agents of other control planes."}, []string{"outcome"}),
	}
}

func outcome(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

// Collectors are the mesh's metrics, for a registry.
func (m *Mesh) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.metrics.replicas, m.metrics.streams}
}
