package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/baas-platform/baas/internal/engine/docker"
	"github.com/baas-platform/baas/internal/engine/fake"
	"github.com/baas-platform/baas/internal/engine/kubernetes"
	"github.com/baas-platform/baas/internal/engine/process"
)

// defaultAgentPort is where agents connect unless the configuration says otherwise. It must stay the same over
// restarts, since running machines know it.
const defaultAgentPort = "8081"

// kubernetesParallel is how many Workers are seen to at once on a cluster, where nearly all of the work is waiting for it.
const kubernetesParallel = 256

// kubernetesResync is how often each Worker on a cluster is looked at without a reason. Watches there lose nothing: one that
// breaks is begun with a list of what there is.
const kubernetesResync = 5 * time.Minute

// openEngine listens for agents where the engine's machines can reach it, and opens the engine.
func (s *Server) openEngine(ctx context.Context) (err error) {
	switch s.cfg.Engine {
	case "docker":
		return s.openDocker(ctx)
	case "kubernetes":
		return s.openKubernetes(ctx)
	case "process":
		if err := s.listenForAgents(ctx, net.JoinHostPort("127.0.0.1", defaultAgentPort)); err != nil {
			return err
		}
		dir, err := filepath.Abs(filepath.Join(s.cfg.Data, "process"))
		if err != nil {
			return fmt.Errorf("finding the data folder: %w", err)
		}
		e, err := process.New(ctx, process.Config{Dir: dir, AgentURL: s.cfg.AgentURL, Log: s.log})
		if err != nil {
			return fmt.Errorf("opening the process engine: %w", err)
		}
		s.engine = e
		s.log.Warn("the process engine isolates NOTHING: every bot can read and change what this user can. It is for a look around, never for clients")
	case "fake":
		if err := s.listenForAgents(ctx, "127.0.0.1:0"); err != nil {
			return err
		}
		s.engine = fake.New(fake.Config{})
		s.log.Warn("the fake engine runs nothing: it is for measurements")
	}
	return nil
}

// listenForAgents listens on the configured address, or on the one given, and completes AgentURL.
func (s *Server) listenForAgents(ctx context.Context, fallback string) (err error) {
	addr := s.cfg.AgentListen
	if addr == "" {
		addr = fallback
	}
	if s.agents, err = listen(ctx, addr); err != nil {
		return fmt.Errorf("for agents: %w", err)
	}
	if s.cfg.AgentURL == "" {
		s.cfg.AgentURL = "ws://" + reachable(s.agents.Addr().String())
	}
	return nil
}

func (s *Server) openKubernetes(ctx context.Context) error {
	if s.cfg.AgentURL == "" {
		return errors.New("BAAS_AGENT_URL must be set: the address at which Workers' pods reach the agents' port, such as ws://baas-agents.baas.svc:8081")
	}
	var cfg kubernetes.Config
	if s.cfg.KubernetesConfig != "" {
		var err error
		if cfg, err = kubernetes.ReadConfig(s.cfg.KubernetesConfig); err != nil {
			return fmt.Errorf("reading the settings of the Kubernetes engine: %w", err)
		}
	}
	if cfg.Installation == "" {
		cfg.Installation = s.installation
	}
	cfg.AgentURL, cfg.Version, cfg.Log = s.cfg.AgentURL, s.cfg.Version, s.log
	if err := s.listenForAgents(ctx, net.JoinHostPort("0.0.0.0", defaultAgentPort)); err != nil {
		return err
	}
	e, err := kubernetes.New(ctx, cfg)
	if err != nil {
		return fmt.Errorf("opening the Kubernetes engine: %w", err)
	}
	s.engine, s.closeEngine = e, e.Close
	s.parallel = kubernetesParallel
	if s.cfg.Resync == 0 {
		s.cfg.Resync = kubernetesResync
	}
	return nil
}

func (s *Server) openDocker(ctx context.Context) error {
	pool, err := netip.ParsePrefix(s.cfg.DockerPool)
	if err != nil {
		return fmt.Errorf("reading the network pool: %w", err)
	}
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the running program: %w", err)
	}
	cfg := docker.Config{Host: s.cfg.DockerHost, Installation: s.installation, BinaryPath: binary, AgentURL: s.cfg.AgentURL, Pool: pool, Log: s.log}
	// Agents get a listener of their own, on the one address of the host that every Worker can reach.
	address := ""
	if s.cfg.AgentListen == "" {
		host, err := docker.AgentHost(ctx, cfg)
		if err != nil {
			return fmt.Errorf("finding the address that Workers reach (with BAAS_AGENT_LISTEN set, the engine isn't asked): %w", err)
		}
		address = net.JoinHostPort(host.String(), defaultAgentPort)
	}
	if err := s.listenForAgents(ctx, address); err != nil {
		return err
	}
	cfg.AgentURL = s.cfg.AgentURL
	_, port, err := net.SplitHostPort(s.agents.Addr().String())
	if err != nil {
		return fmt.Errorf("reading the agents' address: %w", err)
	}
	if cfg.AgentListenPort, err = strconv.Atoi(port); err != nil {
		return fmt.Errorf("reading the agents' port: %w", err)
	}
	e, err := docker.New(ctx, cfg)
	if err != nil {
		return fmt.Errorf("opening the Docker Engine (is it running? scripts/docker.sh starts one): %w", err)
	}
	s.engine, s.closeEngine = e, e.Close
	return nil
}
