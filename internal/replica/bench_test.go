package replica_test

import (
	"io"
	"net/http"
	"testing"
)

// BenchmarkRequest compares a small request to an agent that is connected here with one through another replica.
func BenchmarkRequest(b *testing.B) {
	i := newInstallation(b)
	here, there := i.node("here"), i.node("there")
	here.agent("wrk_1", "one")
	reaches(b, "wrk_1", "one", here, there)
	for name, n := range map[string]*node{"direct": here, "forwarded": there} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rt, err := n.mesh.RoundTripper("wrk_1")
				if err != nil {
					b.Fatal(err)
				}
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://agent/name", nil)
				res, err := rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					b.Fatal(err)
				}
				res.Body.Close()
			}
		})
	}
}
