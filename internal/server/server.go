// Package server is the composition root: it opens the store, chooses the engine, wires the parts together and runs
// them. Nothing else knows concrete engines.
//
//	New: store ─► keys ─► engine ─► hub, gateway, controllers, metering, use cases, API ─► listeners
//	Run: loops in that order, then serves; stops in reverse order
package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/gateway"
	"github.com/baas-platform/baas/internal/httpapi"
	"github.com/baas-platform/baas/internal/metering"
	"github.com/baas-platform/baas/internal/reconcile"
	"github.com/baas-platform/baas/internal/replica"
	"github.com/baas-platform/baas/internal/sealing"
	"github.com/baas-platform/baas/internal/service"
	"github.com/baas-platform/baas/internal/store"
	"github.com/baas-platform/baas/internal/tunnel"
	"github.com/baas-platform/baas/web"
)

// Server is a control plane.
type Server struct {
	cfg    Config
	log    *slog.Logger
	store  *store.Store
	keys   *sealing.Keys
	engine engine.Engine
	app    *app.App
	hub    *tunnel.Hub
	mesh   *replica.Mesh
	loops  *service.Group
	// installation is on everything that this platform makes on engines.
	installation string

	public      net.Listener
	agents      net.Listener
	replicas    net.Listener // nil when this control plane is alone
	publicHTTP  *http.Server
	agentsHTTP  *http.Server
	closeEngine func() error
	parallel    int // passes of the controllers at once; their default when 0
}

// New makes a control plane that listens but doesn't work yet. The caller must call Run or Close.
func New(ctx context.Context, cfg Config, log *slog.Logger) (_ *Server, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	if s.public, err = listen(ctx, cfg.Listen); err != nil {
		return nil, err
	}
	if s.cfg.PublicURL == "" {
		s.cfg.PublicURL = "http://" + reachable(s.public.Addr().String())
	}
	if s.store, err = store.Open(ctx, store.Config{URL: cfg.Database, Log: log}); err != nil {
		return nil, err
	}
	if s.installation, err = s.store.Installation(ctx); err != nil {
		return nil, err
	}
	log.Info("database opened", "installation", s.installation)
	if s.keys, err = sealing.Load(ctx, sealing.Config{File: cfg.MasterKeyFile, Value: cfg.MasterKey}); err != nil {
		return nil, fmt.Errorf("opening the master key: %w", err)
	}
	if cfg.ReplicaListen != "" {
		if s.replicas, err = listen(ctx, cfg.ReplicaListen); err != nil {
			return nil, fmt.Errorf("for other replicas: %w", err)
		}
	}
	if err := s.openEngine(ctx); err != nil {
		return nil, err
	}
	if err := s.wire(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return l, nil
}

// replicaAddress is where other replicas reach this one.
func (s *Server) replicaAddress() string {
	if s.replicas == nil {
		return ""
	}
	host, port, err := net.SplitHostPort(s.replicas.Addr().String())
	if err != nil {
		return s.replicas.Addr().String()
	}
	if s.cfg.ReplicaHost != "" {
		host = s.cfg.ReplicaHost
	}
	return net.JoinHostPort(host, port)
}

// reachable is an address for a person's browser: that of this machine where the listener takes any.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// AgentToken is the token of a Worker's agent; docs/decisions/agent-tokens-are-derived.md has the reasons.
func AgentToken(keys *sealing.Keys, workerID string) string {
	mac := hmac.New(sha256.New, keys.Derive("agent-tokens"))
	mac.Write([]byte(workerID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// wire makes the parts and connects them.
func (s *Server) wire(ctx context.Context) error {
	previewKey := s.keys.Derive("preview-addresses")
	token := func(workerID string) string { return AgentToken(s.keys, workerID) }

	var controller *reconcile.Controller
	var gw *gateway.Gateway
	process := baas.NewID("ctl")
	s.hub = tunnel.NewHub(tunnel.HubConfig{
		Authenticate: func(ctx context.Context, workerID, presented string) error {
			if !hmac.Equal([]byte(presented), []byte(token(workerID))) {
				return baas.Errorf(baas.CodeUnauthenticated, "the token is not this Worker's")
			}
			return s.store.System().View(ctx, func(tx baas.SystemTx) error { _, err := tx.Worker(ctx, workerID); return err })
		},
		Order:        func(ctx context.Context) (int64, error) { return s.mesh.Order(ctx) },
		OnConnect:    func(p tunnel.Peer) { s.mesh.Connected(p) },
		OnDisconnect: func(p tunnel.Peer, _ error) { s.mesh.Disconnected(p) },
		Log:          s.log,
	})
	s.mesh = replica.New(replica.Config{ID: process, Listener: s.replicas, Address: s.replicaAddress(), Key: s.keys.Derive("replicas"),
		Registry: s.store, Agents: s.hub, Log: s.log,
		OnConnect: func(workerID, version string) {
			controller.AgentConnected(context.WithoutCancel(ctx), workerID, version)
			gw.Wake(workerID)
		},
		OnDisconnect: func(workerID string) { controller.AgentLost(workerID) },
	})
	controller = reconcile.New(reconcile.Config{Store: s.store, Engine: s.engine, Agents: s.mesh, Keys: s.keys, AgentToken: token,
		Holder: process, Clock: s.store.Clock, Whole: s.mesh.Whole, Log: s.log, Parallel: s.parallel, OrphanGrace: s.cfg.OrphanGrace, Resync: s.cfg.Resync})

	var err error
	gw, err = gateway.New(gateway.Config{Store: s.store, Agents: s.mesh, SignKey: previewKey, PublicURL: s.cfg.PublicURL, BotHosts: s.cfg.BotHosts,
		TrustedProxies: s.cfg.TrustedProxies, Limits: gateway.Limits{Wait: s.cfg.GatewayWait}, Log: s.log})
	if err != nil {
		return fmt.Errorf("making the gateway: %w", err)
	}
	s.app, err = app.New(app.Config{Store: s.store, Sealer: s.keys, Engine: s.engine, Agents: s.mesh, PublicURL: s.cfg.PublicURL, Log: s.log, Version: s.cfg.Version,
		SignPreview: func(botID string, until time.Time) string { return gateway.SignPreview(previewKey, botID, until) }, BotURL: gw.BotURL})
	if err != nil {
		return err
	}
	// Each control plane collects from the agents that it holds.
	collector := metering.New(metering.Config{Store: s.store, Agents: s.hub, Log: s.log, Gather: 200 * time.Millisecond, Connected: func() []string {
		var ids []string
		for _, p := range s.hub.Peers() {
			ids = append(ids, p.WorkerID)
		}
		return ids
	}})

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "baas_agents_connected", Help: "Agents connected to this process."},
			func() float64 { return float64(len(s.hub.Peers())) }))
	registry.MustRegister(controller.Collectors()...)
	registry.MustRegister(collector.Collectors()...)
	registry.MustRegister(gw.Collectors()...)
	registry.MustRegister(s.mesh.Collectors()...)

	s.loops = service.NewGroup(
		service.New("replicas", s.mesh.Run),
		service.New("use cases", s.app.Run),
		service.New("gateway", func(ctx context.Context, started func()) error { started(); return gw.Run(ctx) }),
		service.New("controllers", controller.Run),
		service.New("metering", collector.Run),
		service.New("retention", s.purge),
	)

	api := httpapi.New(s.app, httpapi.Config{Log: s.log, PublicURL: s.cfg.PublicURL, Rate: s.cfg.APIRate, Burst: s.cfg.APIBurst, LogInRate: 10, LogInBurst: 10,
		ClientAddress: gw.ClientAddress})
	mux := http.NewServeMux()
	mux.Handle(httpapi.Prefix+"/", api)
	mux.Handle(gateway.Prefix, gw)
	s.health(mux, registry)
	mux.Handle("/", web.Handler())
	s.publicHTTP = s.httpServer(botHosts(s.cfg.BotHosts, gw, mux))
	agentMux := http.NewServeMux()
	agentMux.Handle(agentapi.ConnectPath, s.hub)
	s.agentsHTTP = s.httpServer(agentMux)
	return nil
}

// botHosts sends requests for bots' own hosts to the gateway.
func botHosts(pattern string, gw http.Handler, rest http.Handler) http.Handler {
	suffix := strings.TrimPrefix(strings.ToLower(pattern), "*")
	if suffix == "" {
		return rest
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if strings.HasSuffix(strings.ToLower(host), suffix) {
			gw.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
}

// purge deletes what has had its time, in small portions.
func (s *Server) purge(ctx context.Context, started func()) error {
	started()
	for {
		more := false
		err := s.store.System().Update(ctx, func(tx baas.SystemTx) (err error) { more, err = tx.Purge(ctx, time.Now()); return err })
		if err != nil && ctx.Err() == nil {
			s.log.Error("deleting what has had its time", "err", err)
		}
		pause := time.Hour
		if more && err == nil {
			pause = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// warnOfOthers looks for a mistake that shows as Workers that can't be reached now and then: a second control plane on
// the database that doesn't know of this one.
func (s *Server) warnOfOthers(ctx context.Context) {
	if s.replicas != nil || !postgres(s.cfg.Database) {
		return
	}
	now, err := s.store.Clock(ctx)
	if err != nil {
		return // what needs the database says so
	}
	if others, err := s.store.Leases(ctx, "", now); err == nil && len(others) > 0 {
		s.log.Warn("another control plane works on this database, or did until a moment ago; several of them need BAAS_REPLICA_LISTEN each, " +
			"or Workers that are connected to one can't be reached through another")
	}
}

// URL is where people reach the platform.
func (s *Server) URL() string { return s.cfg.PublicURL }

// Run works until ctx ends or a part fails, and closes everything then.
func (s *Server) Run(ctx context.Context) error {
	defer func() {
		if err := s.Close(context.WithoutCancel(ctx)); err != nil {
			s.log.Error("stopping", "err", err)
		}
	}()
	s.warnOfOthers(ctx)
	g, ctx := errgroup.WithContext(ctx)
	// Loops outlive the requests that they serve, so they stop in Close and not with ctx.
	if err := s.loops.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	serve := func(srv *http.Server, l net.Listener) {
		g.Go(func() error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	serve(s.publicHTTP, s.public)
	serve(s.agentsHTTP, s.agents)
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return errStopped
		case err := <-s.loops.Failed():
			return err
		}
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := s.publicHTTP.Shutdown(stop); err != nil { // streams don't end by themselves
			s.publicHTTP.Close()
		}
		return s.agentsHTTP.Close()
	})
	if err := g.Wait(); !errors.Is(err, errStopped) {
		return err
	}
	return nil
}

var errStopped = errors.New("stopped")

// Close stops everything that New or Run began. It may be called again.
func (s *Server) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var errs []error
	if s.loops != nil {
		errs = append(errs, s.loops.Stop(ctx))
	}
	if s.hub != nil {
		errs = append(errs, s.hub.Close(ctx))
	}
	for _, l := range []net.Listener{s.public, s.agents, s.replicas} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if s.closeEngine != nil {
		errs = append(errs, s.closeEngine())
		s.closeEngine = nil
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
		s.store = nil
	}
	return errors.Join(errs...)
}
