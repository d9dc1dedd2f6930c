package app

import (
	"context"
	"sync"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
)

// healthTimeout bounds the wait for a part of the platform that doesn't answer.
const healthTimeout = 5 * time.Second

// Health is how the platform is. A part that doesn't answer says so and leaves its other fields empty.
type Health struct {
	Database     DatabaseHealth `json:"database"`
	ControlPlane ControlPlane   `json:"control_plane" doc:"The process that answers; of several each has its own"`
	Engine       EngineHealth   `json:"engine"`
	Census       *baas.Census   `json:"census,omitempty" doc:"What all tenants have; left out when the database doesn't answer"`
}

// DatabaseHealth is how the system of record is.
type DatabaseHealth struct {
	Answers   bool           `json:"answers"`
	LatencyMS float64        `json:"latency_ms" doc:"Of one question, in milliseconds"`
	Details   *baas.Database `json:"details,omitempty" doc:"Left out when it doesn't answer"`
}

// ControlPlane is a process of the platform.
type ControlPlane struct {
	Version       string    `json:"version"`
	StartedAt     time.Time `json:"started_at"`
	UptimeSeconds int64     `json:"uptime_seconds"`
}

// EngineHealth is how the engine of Workers is.
type EngineHealth struct {
	Answers      bool                 `json:"answers"`
	Capabilities *engine.Capabilities `json:"capabilities,omitempty" doc:"Left out when it doesn't answer"`
}

// Health asks every part of the platform how it is, all at once.
func (a *App) Health(ctx context.Context, actor authz.Actor) (Health, error) {
	if err := authz.Decide(actor, authz.PlatformRead, ""); err != nil {
		return Health{}, err
	}
	asked, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	now := a.now()
	h := Health{ControlPlane: ControlPlane{Version: a.Version, StartedAt: a.began, UptimeSeconds: int64(now.Sub(a.began).Seconds())}}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.askDatabase(asked, &h); err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "the database doesn't answer", "err", err)
		}
	})
	wg.Go(func() {
		// Not what is remembered of it: whether it answers now is the question.
		c, err := a.Engine.Capabilities(asked)
		if err == nil {
			h.Engine = EngineHealth{Answers: true, Capabilities: &c}
		} else if ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "the engine doesn't answer", "err", err)
		}
	})
	wg.Wait()
	return h, ctx.Err()
}

func (a *App) askDatabase(ctx context.Context, h *Health) error {
	began := time.Now() // a measurement, which an injected clock can't make
	if err := a.Store.Ping(ctx); err != nil {
		return err
	}
	h.Database.LatencyMS = float64(time.Since(began).Microseconds()) / 1000
	d, err := a.Store.Database(ctx)
	if err != nil {
		return err
	}
	h.Database.Answers, h.Database.Details = true, &d
	return a.Store.System().View(ctx, func(tx baas.SystemTx) error {
		c, err := tx.Census(ctx)
		if err == nil {
			h.Census = &c
		}
		return err
	})
}

// usageReach is how far back the usage of a TenantSummary goes.
const usageReach = 24 * time.Hour

// Summaries lists all tenants with what they have and used in the last day.
func (a *App) Summaries(ctx context.Context, actor authz.Actor, f baas.TenantFilter) (l baas.List[baas.TenantSummary], err error) {
	if err := authz.Decide(actor, authz.TenantListAll, ""); err != nil {
		return l, err
	}
	err = a.Store.System().View(ctx, func(tx baas.SystemTx) (err error) {
		l, err = listOf(tx.Summaries(ctx, f, a.now().Add(-usageReach)))
		return err
	})
	return l, err
}
