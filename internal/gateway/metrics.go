package gateway

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests. What they are labelled with is settled beforehand, so that a request costs two additions.
type metrics struct {
	requests *prometheus.CounterVec
	classes  [6]prometheus.Counter // by the status's first digit; 0: the client left before an answer
	latency  prometheus.Histogram
	waiting  prometheus.GaugeFunc
}

func newMetrics(rooms *rooms) metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "baas_gateway_requests_total",
			Help: "Requests for bots, by the class of their answer; none: the client left before there was one."}, []string{"class"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "baas_gateway_answer_seconds",
			Help: "Time until an answer began, with what the request waited for its bot.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 14)}),
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "baas_gateway_requests_waiting", Help: "Requests that wait for their bot."},
			func() float64 { return float64(rooms.waiting()) }),
	}
	for i, class := range []string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		m.classes[i] = m.requests.WithLabelValues(class)
	}
	return m
}

// Collectors are the gateway's metrics, for a registry.
func (g *Gateway) Collectors() []prometheus.Collector {
	return []prometheus.Collector{g.metrics.requests, g.metrics.latency, g.metrics.waiting}
}

// measured is the answer to a request, with what is counted of it.
type measured struct {
	http.ResponseWriter
	began  time.Time
	status int
	after  time.Duration // until the answer began
}

func (m *measured) WriteHeader(status int) {
	if m.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) { // not what only announces an answer
		m.status, m.after = status, time.Since(m.began)
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *measured) Write(p []byte) (int, error) {
	if m.status == 0 {
		m.status, m.after = http.StatusOK, time.Since(m.began)
	}
	return m.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush and hijack.
func (m *measured) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// count books the request.
func (g *Gateway) count(m *measured) {
	class := m.status / 100
	if class >= len(g.metrics.classes) {
		class = 5
	}
	g.metrics.classes[class].Inc()
	if m.status != 0 {
		g.metrics.latency.Observe(m.after.Seconds())
	}
}
