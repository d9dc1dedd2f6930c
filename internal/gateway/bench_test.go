package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/baas-platform/baas"
)

// BenchmarkRequests compares a bot that is reached directly with the same bot through gateway and tunnel, at 64
// connections.
func BenchmarkRequests(b *testing.B) {
	bot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	run := func(b *testing.B, url string) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.SetParallelism(32)
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				res, err := client.Get(url)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					b.Errorf("status %d", res.StatusCode)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	}
	b.Run("direct", func(b *testing.B) {
		srv := httptest.NewServer(bot)
		defer srv.Close()
		run(b, srv.URL)
	})
	b.Run("gateway", func(b *testing.B) {
		w := newWorld(b)
		wk := w.worker("Financeiro")
		bt := w.bot(wk, "um", baas.AccessPublic)
		w.agent(wk).serve(bt.ID, bot)
		run(b, w.url+"/b/"+bt.ID+"/")
	})
}
