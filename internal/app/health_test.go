package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

func TestHealth(t *testing.T) {
	c := &clock{}
	o := newOffice(t, baas.PlanPro, apitest.Config{Now: c.now})
	o.bot(t, o.worker(t, "Financeiro"), "Ana")
	refused(t, second(o.App.Health(o.ctx, o.owner)), baas.CodeForbidden, "")
	refused(t, second(o.App.Summaries(o.ctx, o.owner, baas.TenantFilter{})), baas.CodeForbidden, "")
	c.advance(90 * time.Minute)
	h := ok[app.Health](t)(o.App.Health(o.ctx, o.operator()))
	if !h.Database.Answers || h.Database.LatencyMS <= 0 || h.Database.Details.Kind == "" || h.Database.Details.SizeBytes == 0 {
		t.Errorf("the database is %+v", h.Database)
	}
	if up := h.ControlPlane.UptimeSeconds; up < 90*60 || up > 100*60 {
		t.Errorf("it is up for %d s", up)
	}
	if !h.Engine.Answers || h.Engine.Capabilities.Engine != "docker" {
		t.Errorf("the engine is %+v", h.Engine)
	}
	if h.Census == nil || h.Census.Tenants != 1 || h.Census.Workers[baas.WorkerPending] != 1 || h.Census.Bots[baas.BotPending] != 1 || h.Census.Agents.Expected != 1 {
		t.Errorf("there are %+v", h.Census)
	}
	ss := ok[baas.List[baas.TenantSummary]](t)(o.App.Summaries(o.ctx, o.operator(), baas.TenantFilter{})).Items
	if len(ss) != 1 || ss[0].Tenant.ID != o.tenant.ID || ss[0].Totals.Workers != 1 || ss[0].Limits.Workers != 5 || ss[0].Workers[baas.WorkerPending] != 1 {
		t.Errorf("the tenants are %+v", ss)
	}
}

// TestHealthOfPartsThatAreAway asks while the engine doesn't answer, and then the database neither.
func TestHealthOfPartsThatAreAway(t *testing.T) {
	o := newOffice(t, baas.PlanPro, apitest.Config{})
	op := o.operator()
	o.App.Engine = awayEngine{}
	h := ok[app.Health](t)(o.App.Health(o.ctx, op))
	if h.Engine.Answers || h.Engine.Capabilities != nil || !h.Database.Answers {
		t.Errorf("got %+v", h)
	}
	if err := o.Store.Close(); err != nil {
		t.Fatal(err)
	}
	h = ok[app.Health](t)(o.App.Health(o.ctx, op))
	if h.Database.Answers || h.Database.Details != nil || h.Census != nil {
		t.Errorf("got %+v", h)
	}
}

type awayEngine struct{}

func (awayEngine) Capabilities(context.Context) (engine.Capabilities, error) {
	return engine.Capabilities{}, errors.New("no such host")
}
