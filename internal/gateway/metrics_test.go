package gateway_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/gateway"
)

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	wk := w.worker("Financeiro")
	b := w.bot(wk, "Ana", baas.AccessPublic)
	w.update(b.ID, func(b *baas.Bot) { b.Desired = baas.DesiredStopped })
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w.gate.Collectors()...)
	for path, status := range map[string]int{"/b/" + b.ID: 308, "/b/" + b.ID + "/": 503, "/b/bot_unknown/": 404, "/elsewhere": 404} {
		res, err := w.client.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, status)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			switch {
			case m.GetCounter() != nil:
				got[name] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				got[name] = m.GetGauge().GetValue()
			default:
				got[name] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	want := map[string]float64{"baas_gateway_requests_total none": 0, "baas_gateway_requests_total 1xx": 0, "baas_gateway_requests_total 2xx": 0,
		"baas_gateway_requests_total 3xx": 1, "baas_gateway_requests_total 4xx": 2, "baas_gateway_requests_total 5xx": 1,
		"baas_gateway_requests_waiting": 0, "baas_gateway_answer_seconds": 4}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestClientAddress(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"203.0.113.7:4000", nil, "203.0.113.7"},
		{"203.0.113.7:4000", []string{"198.51.100.1"}, "203.0.113.7"}, // anybody can say so
		{"10.0.0.2:4000", nil, "10.0.0.2"},
		{"10.0.0.2:4000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.2:4000", []string{"192.0.2.9, 198.51.100.1"}, "198.51.100.1"}, // the first is the client's own claim
		{"10.0.0.2:4000", []string{"198.51.100.1, 10.0.0.3"}, "198.51.100.1"},
		{"10.0.0.2:4000", []string{"192.0.2.9", "198.51.100.1, 10.0.0.3"}, "198.51.100.1"},
		{"10.0.0.2:4000", []string{"10.0.0.4"}, "10.0.0.4"},
		{"10.0.0.2:4000", []string{"nonsense"}, "10.0.0.2"},
		{"10.0.0.2:4000", []string{"198.51.100.1, nonsense, 10.0.0.3"}, "10.0.0.3"},
		{"[fd00::2]:4000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"10.0.0.2:4000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"pipe", []string{"198.51.100.1"}, "pipe"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := w.gate.ClientAddress(r); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
