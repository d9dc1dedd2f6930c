package docker

import (
	"slices"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// BenchmarkCreate compares a raw create and start of a container with a whole machine until its agent has connected.
func BenchmarkCreate(b *testing.B) {
	bn := newBench(b)
	e := bn.New(b)
	var raw, whole []time.Duration
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		res, err := bn.api.ContainerCreate(b.Context(), client.ContainerCreateOptions{
			Config:     &container.Config{Image: e.workerImage(), Labels: e.labels(kindHelper)},
			HostConfig: &container.HostConfig{},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bn.api.ContainerStart(b.Context(), res.ID, client.ContainerStartOptions{}); err != nil {
			b.Fatal(err)
		}
		raw = append(raw, time.Since(begin))
		e.removeHelper(b.Context(), res.ID)

		m := engine.Machine{
			ID: baas.NewID(baas.PrefixWorker), TenantID: baas.NewID(baas.PrefixTenant), Isolation: baas.IsolationContainer,
			Size: baas.DefaultSize, AgentToken: "token",
		}
		begin = time.Now()
		if err := e.Ensure(b.Context(), m, nil); err != nil {
			b.Fatal(err)
		}
		bn.control.Probe(b, m.ID)
		whole = append(whole, time.Since(begin))
		if err := e.Remove(b.Context(), m.ID); err != nil {
			b.Fatal(err)
		}
	}
	p95 := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[(len(d)-1)*95/100].Microseconds()) / 1000
	}
	b.ReportMetric(p95(raw), "raw-p95-ms")
	b.ReportMetric(p95(whole), "machine-p95-ms")
}
