package httpapi_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/httpapi/apitest"
)

// busyClient keeps a connection open; http.DefaultTransport would keep two for all.
func busyClient(b *testing.B, url, secret string) *client.Client {
	c, err := client.New(url, secret, client.WithHTTPClient(&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkCreateWorker makes Workers over HTTP with a token, on SQLite with full durability.
func BenchmarkCreateWorker(b *testing.B) {
	p := apitest.New(b, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	plan := baas.Plan{ID: baas.PlanEnterprise, Name: "Enterprise", Limits: baas.Limits{Workers: 1 << 30, CPUMillis: 1 << 50, MemoryMiB: 1 << 50, DiskGiB: 1 << 50,
		Bots: 1, Members: 5, Isolation: []baas.Isolation{baas.IsolationContainer}}}
	if _, err := p.App.PutPlan(b.Context(), p.Operator(), plan); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		c := busyClient(b, p.URL, secret).Tenant(tenant.ID)
		for pb.Next() {
			if _, err := c.CreateWorker(b.Context(), baas.WorkerCreate{Name: fmt.Sprint("w", n.Add(1))}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkGetWorker reads a Worker over HTTP with a log-in.
func BenchmarkGetWorker(b *testing.B) {
	p := apitest.New(b, apitest.Config{})
	tenant, secret := p.Tenant("Cliente A", baas.PlanEnterprise, "dona@a.example")
	w, err := p.Client(secret).Tenant(tenant.ID).CreateWorker(b.Context(), baas.WorkerCreate{Name: "w"})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		c := busyClient(b, p.URL, secret).Tenant(tenant.ID)
		for pb.Next() {
			if _, err := c.Worker(b.Context(), w.ID); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "gets/s")
}
