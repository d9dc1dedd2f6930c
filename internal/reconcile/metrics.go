package reconcile

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/baas-platform/baas/internal/plan"
)

// Metrics counts passes and actions.
type Metrics struct {
	passes  *prometheus.HistogramVec
	actions *prometheus.CounterVec
}

func newMetrics() Metrics {
	return Metrics{
		passes: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "baas_reconcile_pass_seconds",
			Help: "Duration of passes.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8)}, []string{"kind", "outcome"}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "baas_reconcile_actions_total", Help: "Actions carried out or tried."}, []string{"action"}),
	}
}

func (m Metrics) observe(k kind, d time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.passes.WithLabelValues(string(k), outcome).Observe(d.Seconds())
}

func (m Metrics) action(a plan.Action) {
	m.actions.WithLabelValues(strings.TrimPrefix(fmt.Sprintf("%T", a), "plan.")).Inc()
}

// Collectors are the controller's metrics, for a registry.
func (c *Controller) Collectors() []prometheus.Collector {
	return []prometheus.Collector{c.metrics.passes, c.metrics.actions}
}
