package e2e

import (
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	dockerengine "github.com/baas-platform/baas/internal/engine/docker"
)

// wire is what lies between agents and the control plane, on a machine of the test's own. It is used by one goroutine at
// a time.
type wire struct {
	server           *toxiproxy.ApiServer
	listen, upstream string
	proxy            *toxiproxy.Proxy
	life             int // which proxy this is: a new one knows nothing of what was done to the one before
}

// agentWire starts a wire and gives the settings of a control plane behind it. Its ports are fixed, and out of the range
// that clients dial from: one that dials a port where nobody listens for a moment may get that very port as its own, and
// be connected to itself.
func agentWire(t *testing.T) (w *wire, env []string) {
	t.Helper()
	host, err := dockerengine.AgentHost(t.Context(), dockerengine.Config{})
	must(t, err)
	zerolog.SetGlobalLevel(zerolog.Disabled) // its toxics log on their own
	w = &wire{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop()),
		listen: host.String() + ":8082", upstream: "127.0.0.1:8081"}
	must(t, w.begin())
	t.Cleanup(func() { must(t, w.do(func(p *toxiproxy.Proxy) error { p.Stop(); return nil })) })
	return w, []string{"BAAS_AGENT_LISTEN=" + w.upstream, "BAAS_AGENT_URL=ws://" + w.listen, "BAAS_LISTEN=0.0.0.0:8080", "BAAS_DOCKER_POOL=10.231.0.0/16"}
}

// begin starts a proxy in the place of the one before, which may take a moment to give its port up.
func (w *wire) begin() error {
	w.life++
	w.proxy = toxiproxy.NewProxy(w.server, "agents", w.listen, w.upstream)
	limit := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := w.proxy.Start()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return err
		}
	}
}

// do changes the proxy. One that doesn't come to an end is replaced: a toxic that holds data for a connection whose far
// end is gone can't be interrupted in toxiproxy, and whoever tries holds the lock that everything else needs.
func (w *wire) do(change func(*toxiproxy.Proxy) error) error {
	p := w.proxy
	done := make(chan error, 1)
	go func() { done <- change(p) }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
	}
	go p.Stop() // gives the port up at once, and may never end
	return w.begin()
}
