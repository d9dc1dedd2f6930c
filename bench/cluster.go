package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/sealing"
)

const (
	clusterTenants = 200
	clusterWorkers = 10 // of each tenant
	clusterAtOnce  = 50 // tenants whose Workers are made at once, while nothing else happens
	clusterPods    = 100
	clusterCPU     = 5   // % of a core
	clusterMemory  = 400 // MB
	clusterOurs    = 20  // % of the time that making Workers at once takes
)

// measureCluster reads what the control plane takes for many idle Workers on a Kubernetes: the real control plane on
// PostgreSQL, a real API server, controllers and scheduler, simulated nodes, and agents that are simulated in this
// process. Some of the Workers are made at once.
func measureCluster(ctx context.Context, b *bench) (err error) {
	kubeconfig := os.Getenv("BAAS_TEST_KUBECONFIG")
	if kubeconfig == "" {
		return errors.New(`no cluster: start one with eval "$(test/kubernetes/cluster.sh up)"`)
	}
	const workers = clusterTenants * clusterWorkers
	if _, err := script(ctx, "kwok", strconv.Itoa(workers/clusterPods+2)); err != nil {
		return err
	}
	address, drop, err := newDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	installation := "bench-" + strings.ToLower(baas.NewID("x")[20:])
	settings := filepath.Join(b.dir, "kubernetes.yaml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, `kubeconfig: %s
installation: %s
image: baas.local/bench
agentURL: ws://127.0.0.1:1
placement:
  default:
    nodeSelector: {type: simulated}
    tolerations: [{operator: Exists}]
`, kubeconfig, installation), 0o600); err != nil {
		return fmt.Errorf("writing the engine's settings: %w", err)
	}
	p, err := b.newPlatform(ctx, "kubernetes", "BAAS_KUBERNETES_CONFIG="+settings, "BAAS_DATABASE_URL="+address, "BAAS_TRUSTED_PROXIES=127.0.0.1/32")
	if err != nil {
		return err
	}
	p.forwarded = true
	agents, hangUp := context.WithCancel(ctx)
	defer func() {
		hangUp()
		p.stop() // before, or it would make anew what is removed
		b.logf("  removing the Workers")
		_, gone := script(context.WithoutCancel(ctx), "kubectl", "delete", "namespace", "-l", "baas-platform.github.io/installation="+installation, "--timeout=10m")
		err = errors.Join(err, gone, p.remove(ctx))
	}()
	keys, err := sealing.Load(ctx, sealing.Config{File: filepath.Join(p.dir, "master.key")})
	if err != nil {
		return err
	}
	b.logf("  making %d tenants", clusterTenants)
	tenants := make([]tenant, clusterTenants)
	making, makeCtx := errgroup.WithContext(ctx)
	making.SetLimit(4)
	for i := range tenants {
		making.Go(func() (err error) {
			tenants[i], err = p.newTenant(makeCtx, fmt.Sprint("Tenant ", i))
			return err
		})
	}
	if err := making.Wait(); err != nil {
		return err
	}

	b.logf("  making %d Workers at once", clusterAtOnce*clusterWorkers)
	took, cpu, err := p.populate(agents, keys, tenants[:clusterAtOnce], clusterAtOnce*clusterWorkers)
	if err != nil {
		return err
	}
	b.detail("%d Workers in %.1f s, of which the control plane's processor time was %.1f s", clusterAtOnce*clusterWorkers, took.Seconds(), cpu.Seconds())
	b.add(atMost("cluster: 500 Workers at once, control plane's processor time", cpu.Seconds()/took.Seconds()*100, "% of the time", clusterOurs))

	b.logf("  making the others")
	if took, _, err = p.populate(agents, keys, tenants[clusterAtOnce:], workers); err != nil {
		return err
	}
	b.detail("%d Workers in %.1f s", workers-clusterAtOnce*clusterWorkers, took.Seconds())
	if err := pause(ctx, time.Minute); err != nil { // what their making has set off
		return err
	}
	b.logf("  measuring for %s", idleMeasured)
	requests, err := requestsOfEngine(ctx)
	if err != nil {
		return err
	}
	share, err := p.idle(ctx)
	if err != nil {
		return err
	}
	resident, err := memoryOf(p.cmd.Process.Pid, "status", "VmRSS")
	if err != nil {
		return err
	}
	after, err := requestsOfEngine(ctx)
	if err != nil {
		return err
	}
	if n, err := p.running(ctx); err != nil || n != workers {
		return fmt.Errorf("%d of %d Workers run at the end: %w", n, workers, err)
	}
	const what = "cluster: control plane with 2,000 idle Workers, "
	b.add(
		atMost(what+"processor", share, "% of a core", clusterCPU),
		atMost(what+"memory", float64(resident)/1e6, "MB", clusterMemory),
		atMost(what+"requests about Workers to the API server", after-requests, "in two minutes", 0),
	)
	return nil
}

// populate makes the tenants' Workers, with an agent for each until ctx ends, and waits until so many of all run. It tells
// how long that took, and how much of the processor the control plane took for it.
func (p *platform) populate(ctx context.Context, keys *sealing.Keys, tenants []tenant, all int) (took, cpu time.Duration, err error) {
	spent, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	making, makeCtx := errgroup.WithContext(ctx)
	making.SetLimit(16)
	for _, t := range tenants {
		making.Go(func() error {
			ids := make([]string, clusterWorkers)
			for i := range ids {
				w, err := t.CreateWorker(makeCtx, baas.WorkerCreate{Name: fmt.Sprint("Worker ", i), Size: &baas.Size{CPUMillis: 250, MemoryMiB: 128, DiskGiB: 1}})
				if err != nil {
					return fmt.Errorf("making a Worker: %w", err)
				}
				ids[i] = w.ID
			}
			p.connect(ctx, keys, ids) // until ctx ends
			return nil
		})
	}
	if err := making.Wait(); err != nil {
		return 0, 0, err
	}
	err = until(ctx, 15*time.Minute, "all Workers to run", func() error {
		n, err := p.running(ctx)
		if err == nil && n < all {
			_ = pause(ctx, time.Second) // the question itself takes time of what is waited for
			err = fmt.Errorf("%d of %d do", n, all)
		}
		return err
	})
	took = time.Since(began)
	if err != nil {
		return took, 0, err
	}
	used, err := cpuOf(p.cmd.Process.Pid)
	return took, used - spent, err
}

// running asks the control plane how many Workers run.
func (p *platform) running(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/platform/health", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+p.session)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("asking the platform how it is: %w", err)
	}
	defer res.Body.Close()
	var health struct{ Census *baas.Census }
	if err := json.NewDecoder(res.Body).Decode(&health); err != nil || health.Census == nil {
		return 0, fmt.Errorf("asking the platform how it is: %s: %w", res.Status, err)
	}
	return health.Census.Workers[baas.WorkerRunning], nil
}

// requestsOfEngine counts the requests so far that nobody but the engine sends: every server-side apply, and whatever
// isn't a watch and is about a whole StatefulSet, claim or Secret. The cluster's own controllers follow these by watches
// and write their status alone.
func requestsOfEngine(ctx context.Context) (n float64, err error) {
	out, err := script(ctx, "kubectl", "get", "--raw", "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(out) {
		labels, value, ok := strings.Cut(strings.TrimPrefix(string(line), "apiserver_request_total{"), "} ")
		if !ok || !strings.HasPrefix(string(line), "apiserver_request_total{") {
			continue
		}
		has := func(label, value string) bool { return strings.Contains(labels, label+`="`+value+`"`) }
		ours := (has("resource", "statefulsets") || has("resource", "persistentvolumeclaims") || has("resource", "secrets")) && has("subresource", "")
		if has("verb", "WATCH") || !ours && !has("verb", "APPLY") {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0, fmt.Errorf("reading the API server's metrics: %w", err)
		}
		n += v
	}
	return n, nil
}

// script is what makes the cluster.
func script(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "test/kubernetes/cluster.sh", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cluster.sh %s: %w: %s", strings.Join(args, " "), err, said.String())
	}
	return out, nil
}
