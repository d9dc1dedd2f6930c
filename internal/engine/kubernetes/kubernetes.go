package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

const (
	// The API server protects itself by priority and fairness; these only bound a mistake of ours.
	apiRequestsPerSecond = 500
	apiBurst             = 1000

	syncWait   = 5 * time.Second  // for the first lists, before New goes on without them
	seenWait   = 15 * time.Second // for a write to come back through the informers
	deleteWait = time.Minute      // for what is deleted to be gone, besides the time that pods get to end
	resizeWait = 15 * time.Second
)

// Engine implements engine.Engine. Safe for concurrent use.
type Engine struct {
	cfg      Config
	api      kubernetes.Interface
	registry string // the name of the Secrets with the credentials for images, "" when there are none
	log      *slog.Logger
	close    context.CancelFunc
	running  *sync.WaitGroup
	notifier engine.Notifier

	seen     *informers
	ready    chan struct{} // closed when the first lists are in
	signals  signals
	tenants  tenants
	server   server
	troubles troubles
	asking   *rate.Limiter // about troubles

	confirmed confirmations
}

var _ engine.Engine = (*Engine)(nil)

// New connects to the cluster and lists what it has of the installation. When the API server is away, New comes back
// without, so that everything that isn't about machines goes on: every call gives ErrUnavailable until the lists are in.
// An API server that refuses them is an error. Close ends what New began.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	restConfig, err := clientConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	api, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	restConfig.Dial = dialPatiently
	watches, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return nil, fmt.Errorf("kubernetes engine: %w", err)
	}
	return newWith(ctx, cfg, api, watches)
}

func newWith(ctx context.Context, cfg Config, api, watches kubernetes.Interface) (*Engine, error) {
	e := &Engine{cfg: cfg, api: api, registry: registryName(cfg.RegistryCredentials), log: cfg.Log.With("engine", "kubernetes"), running: &sync.WaitGroup{},
		ready: make(chan struct{}), asking: rate.NewLimiter(asksPerSecond, asksPerSecond)}
	// The client library logs to where this program does.
	background, cancel := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.FromSlogHandler(e.log.Handler())))
	e.close = cancel
	if err := e.follow(background, watches); err != nil {
		e.Close()
		return nil, err
	}
	if err := e.awaitLists(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close ends the watches. Machines go on.
func (e *Engine) Close() error {
	e.close()
	e.running.Wait()
	return nil
}

func clientConfig(cfg Config) (*rest.Config, error) {
	var c *rest.Config
	var err error
	if cfg.Kubeconfig != "" {
		c, err = clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	} else {
		c, err = rest.InClusterConfig()
	}
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	c.QPS, c.Burst = apiRequestsPerSecond, apiBurst
	if cfg.Transport != nil {
		c.Wrap(cfg.Transport)
	}
	c.UserAgent = "baas"
	if cfg.Version != "" {
		c.UserAgent += "/" + cfg.Version
	}
	return c, nil
}

const (
	dialPause    = 250 * time.Millisecond
	dialPatience = 30 * time.Second
)

// dialPatiently tries for a while to connect, for the watches alone: each failure makes them wait longer before they try
// again, up to a minute, and an API server that is back would go unseen for that long.
func dialPatiently(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	tick := time.NewTicker(dialPause)
	defer tick.Stop()
	d := net.Dialer{Timeout: dialPatience, KeepAlive: dialPatience}
	for {
		c, err := d.DialContext(ctx, network, address)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

func unavailable(message string, err error) error {
	return &baas.Error{Code: baas.CodeUnavailable, Message: message, Err: err}
}

// Parts of what the API server's quota admission answers; it has no codes of its own.
const (
	quotaExceeded = "exceeded quota"
	quotaUnknown  = "status unknown for quota"
)

// apiError says what was being done, and makes an API server that is away an ErrUnavailable.
func (e *Engine) apiError(doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return wrapped
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		apierrors.IsServiceUnavailable(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err),
		apierrors.IsTooManyRequests(err), apierrors.IsInternalError(err), apierrors.IsUnexpectedServerError(err):
		return unavailable("the cluster can't be reached", wrapped)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), apierrors.IsForbidden(err) && strings.Contains(err.Error(), quotaUnknown):
		return unavailable("the cluster isn't ready for it yet", wrapped)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), quotaExceeded):
		return &baas.Error{Code: baas.CodeQuotaExceeded, Message: quotaMessage, Err: wrapped}
	}
	return wrapped
}

const quotaMessage = "the tenant's quota in the cluster is used up"

// tenants keeps a tenant's namespace from being deleted while a machine of the tenant is being made.
type tenants struct {
	mu    sync.Mutex
	known map[string]*tenant
}

type tenant struct {
	sync.Mutex
	refs   int
	making int // guarded by the tenant's own lock
}

// lock locks the tenant and returns its unlock.
func (t *tenants) lock(id string) func() {
	_, unlock := t.get(id)
	return unlock
}

func (t *tenants) get(id string) (*tenant, func()) {
	t.mu.Lock()
	if t.known == nil {
		t.known = map[string]*tenant{}
	}
	x := t.known[id]
	if x == nil {
		x = &tenant{}
		t.known[id] = x
	}
	x.refs++
	t.mu.Unlock()
	x.Lock()
	return x, func() {
		x.Unlock()
		t.drop(id, x)
	}
}

func (t *tenants) drop(id string, x *tenant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.refs--; x.refs == 0 {
		delete(t.known, id)
	}
}

// begin notes that a machine of the tenant is being made, until the function that it returns is called.
func (t *tenants) begin(id string) (end func()) {
	x, unlock := t.get(id)
	x.making++
	t.mu.Lock()
	x.refs++ // for the note
	t.mu.Unlock()
	unlock()
	return func() {
		x.Lock()
		x.making--
		x.Unlock()
		t.drop(id, x)
	}
}
