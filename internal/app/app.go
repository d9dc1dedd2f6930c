package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Sealer encrypts secrets at rest; id is bound to the ciphertext.
type Sealer interface {
	Seal(ctx context.Context, id string, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, id string, sealed []byte) ([]byte, error)
}

// Engine tells what the engine of Workers can do.
type Engine interface {
	Capabilities(ctx context.Context) (engine.Capabilities, error)
}

// Agents reaches the agents of Workers. RoundTripper answers baas.ErrUnavailable for one that isn't connected.
type Agents interface {
	RoundTripper(workerID string) (http.RoundTripper, error)
}

// Config is what use cases stand on. Store, Sealer, Engine, Agents and SignPreview are needed.
type Config struct {
	Store  baas.Store
	Sealer Sealer
	Engine Engine
	Agents Agents
	// SignPreview gives what is added to a bot's address as its query to let a member's browser in until the time.
	SignPreview func(botID string, until time.Time) string
	PublicURL   string // where people reach the platform, without a slash at the end
	// BotURL gives a bot's public address, with a slash at its end; /b/<id>/ below PublicURL when nil.
	BotURL  func(botID string) string
	Log     *slog.Logger
	Now     func() time.Time // time.Now when nil
	Version string           // of this build, for operators

	SessionTTL    time.Duration // since the last use; 14 days when 0
	InvitationTTL time.Duration // 7 days when 0
	PreviewTTL    time.Duration // an hour when 0
	CacheTTL      time.Duration // how long authentication and capabilities are remembered; 5 s when 0
}

// App is the use cases. It is safe for use by many goroutines.
type App struct {
	Config
	auth    *authCache
	hashing *semaphore.Weighted // bounds memory and CPU of password hashing
	began   time.Time

	capsMu sync.Mutex
	caps   engine.Capabilities
	capsAt time.Time
}

// New checks the configuration and fills in defaults.
func New(c Config) (*App, error) {
	var errs []error
	for name, missing := range map[string]bool{"Store": c.Store == nil, "Sealer": c.Sealer == nil, "Engine": c.Engine == nil,
		"Agents": c.Agents == nil, "SignPreview": c.SignPreview == nil} {
		if missing {
			errs = append(errs, fmt.Errorf("%s is missing", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("making the use cases: %w", err)
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.BotURL == nil {
		c.BotURL = func(botID string) string { return c.PublicURL + "/b/" + botID + "/" }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	orDefault(&c.SessionTTL, 14*24*time.Hour)
	orDefault(&c.InvitationTTL, 7*24*time.Hour)
	orDefault(&c.PreviewTTL, time.Hour)
	orDefault(&c.CacheTTL, 5*time.Second)
	a := &App{Config: c, auth: newAuthCache(c.CacheTTL), hashing: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
	a.began = a.now()
	return a, nil
}

func orDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Run drops what is remembered of log-ins when they change, in this process or another, until ctx ends. Without it a
// change made by another process is seen after CacheTTL. It also ends support sessions whose time is over.
func (a *App) Run(ctx context.Context, started func()) error {
	changes := a.Store.Subscribe(ctx)
	tick := time.NewTicker(overdueEvery)
	defer tick.Stop()
	started()
	for {
		select {
		case c, more := <-changes:
			if !more {
				return ctx.Err()
			}
			a.auth.change(c)
		case <-tick.C:
			if err := a.EndOverdueSupport(ctx); err != nil && ctx.Err() == nil {
				a.Log.ErrorContext(ctx, "ending support sessions", "err", err)
			}
		}
	}
}

// now is the time in UTC, to the microsecond that every database keeps.
func (a *App) now() time.Time { return a.Now().UTC().Truncate(time.Microsecond) }
