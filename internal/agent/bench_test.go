package agent_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// BenchmarkBot asks a bot through tunnel and agent, and directly.
func BenchmarkBot(b *testing.B) {
	w := newPlatform(b).newWorker(b, "wrk_1")
	d := program(b, "bot_1", "serve", freePort(b))
	w.run(d)
	w.until("bot_1", "running", state(baas.BotRunning))
	direct := &http.Transport{MaxIdleConnsPerHost: 64}
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
		host string
	}{{"direct", direct, fmt.Sprint("127.0.0.1:", d.Port)}, {"tunnel", w.client().BotTransport("bot_1"), "bot"}} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				t := time.Now()
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+c.host+"/pid", nil)
				if err != nil {
					b.Fatal(err)
				}
				res, err := c.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
				took = append(took, time.Since(t))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkAssign measures from telling the agent of a bot to the bot's first answer.
func BenchmarkAssign(b *testing.B) {
	w := newPlatform(b).newWorker(b, "wrk_1")
	client := w.client()
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		w.run()
		w.eventually("stopped", func() bool { return len(w.processes("bot_1")) == 0 })
		d := program(b, "bot_1", "serve", freePort(b))
		b.StartTimer()
		t := time.Now()
		w.rev++
		if _, err := client.PutDesired(b.Context(), agentapi.Desired{Revision: w.rev, WorkerID: w.id, Bots: []agentapi.DesiredBot{d}}); err != nil {
			b.Fatal(err)
		}
		w.until("bot_1", "running", state(baas.BotRunning))
		if code, _ := w.get("bot_1", "/pid"); code != 200 {
			b.Fatal(code)
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}
