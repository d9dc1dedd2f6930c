package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baas-platform/baas/internal/tunnel"
)

func anyToken(context.Context, string, string) error { return nil }

func dialBench(b *testing.B, hub *tunnel.Hub, front *httptest.Server, worker string, h http.Handler) *tunnel.Hub {
	ctx, cancel := context.WithCancel(context.Background())
	up, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		_ = tunnel.Serve(ctx, tunnel.DialConfig{
			URL: "ws" + strings.TrimPrefix(front.URL, "http"), Token: "x", WorkerID: worker, Handler: h,
			OnState: func(on bool) {
				if on {
					up <- struct{}{}
				}
			},
		})
	}()
	b.Cleanup(func() { cancel(); <-done })
	<-up
	for {
		if _, ok := hub.Peer(worker); ok {
			return hub
		}
		runtime.Gosched()
	}
}

// BenchmarkRequest compares a small request through the tunnel with the same handler reached directly.
func BenchmarkRequest(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	direct := httptest.NewServer(h)
	defer direct.Close()
	hub := tunnel.NewHub(tunnel.HubConfig{Authenticate: anyToken})
	front := httptest.NewServer(hub)
	defer front.Close()
	up := dialBench(b, hub, front, "wrk_1", h)
	rt, err := up.RoundTripper("wrk_1")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
		url  string
	}{
		{"direct", &http.Transport{MaxIdleConnsPerHost: 128}, direct.URL},
		{"tunnel", rt, "http://agent"},
	} {
		for _, conns := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", c.name, conns), func(b *testing.B) { load(b, c.rt, c.url, conns) })
		}
	}
}

// load sends b.N requests over conns at once and reports the median latency and the rate.
func load(b *testing.B, rt http.RoundTripper, url string, conns int) {
	all := make([][]time.Duration, conns)
	var wg sync.WaitGroup
	next := make(chan struct{}, b.N)
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	b.ResetTimer()
	began := time.Now()
	for i := range conns {
		wg.Go(func() {
			for range next {
				t := time.Now()
				req, err := http.NewRequest(http.MethodGet, url, nil)
				if err != nil {
					b.Error(err)
					return
				}
				res, err := rt.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Error(err)
				}
				res.Body.Close()
				all[i] = append(all[i], time.Since(t))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	sorted := slices.Sorted(slices.Values(slices.Concat(all...)))
	b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N)/took.Seconds(), "req/s")
}
