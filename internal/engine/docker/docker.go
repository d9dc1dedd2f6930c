package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Config says which engine to use and how. The zero value works on the engine of this machine once AgentListenPort or
// AgentURL is set.
type Config struct {
	Host         string // of the engine, such as unix:///var/run/docker.sock; DOCKER_HOST or that socket when empty
	Installation string // keeps several installations on one engine apart; "baas" when empty
	BinaryPath   string // the static baas binary, which becomes the agent; the running program when empty
	CAFile       string // certificate authorities for the platform's image; /etc/ssl/certs/ca-certificates.crt when empty

	// AgentURL is what agents dial. When empty, it is ws:// with AgentHost and AgentListenPort.
	AgentURL        string
	AgentListenPort int

	Pool       netip.Prefix // subnets of tenants are cut from it; 10.231.0.0/16 when zero. It must be free on the host
	SubnetBits int          // prefix length of a tenant's subnet; 25 when 0: up to 125 running Workers

	StopTimeout time.Duration // what the agent gets to stop its bots before it is killed; 310 s when 0

	// Deny is networks that Workers may not reach besides the cloud metadata addresses, such as the host's own network.
	Deny []netip.Prefix
	// AllowUnguarded lets Workers run when the host's firewall rules can't be set. Then every Worker reaches every
	// port of the host.
	AllowUnguarded bool
	GuardEvery     time.Duration // between repeats of setting the rules; 5 min when 0

	// AnswerWithin is how long the engine may take for what one that is well answers at once; 30 s when 0. An engine that
	// takes longer can't be reached: it may hang for hours, and nobody must wait for it without a word.
	AnswerWithin time.Duration

	Log *slog.Logger // slog.Default() when nil
}

const answerWithin = 30 * time.Second

// Engine implements engine.Engine. Safe for concurrent use.
type Engine struct {
	cfg      Config
	api      *client.Client
	log      *slog.Logger
	binary   binary
	agentURL string
	notifier engine.Notifier

	images  images
	guard   guard
	tenants tenants
	info    infoCache
}

var _ engine.Engine = (*Engine)(nil)

var installationPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

func (c Config) withDefaults() (Config, error) {
	if c.Installation == "" {
		c.Installation = "baas"
	}
	if !installationPattern.MatchString(c.Installation) {
		return c, fmt.Errorf("installation %q: must be up to 32 lower-case letters, digits and hyphens", c.Installation)
	}
	if c.BinaryPath == "" {
		path, err := os.Executable()
		if err != nil {
			return c, fmt.Errorf("finding the running program: %w", err)
		}
		c.BinaryPath = path
	}
	if c.CAFile == "" {
		c.CAFile = "/etc/ssl/certs/ca-certificates.crt"
	}
	if !c.Pool.IsValid() {
		c.Pool = netip.MustParsePrefix("10.231.0.0/16")
	}
	if c.SubnetBits == 0 {
		c.SubnetBits = 25
	}
	if !c.Pool.Addr().Is4() || c.Pool != c.Pool.Masked() {
		return c, fmt.Errorf("pool %s: must be an IPv4 network such as 10.231.0.0/16", c.Pool)
	}
	if c.SubnetBits < c.Pool.Bits() || c.SubnetBits > 29 {
		return c, fmt.Errorf("subnet bits %d: must be between the pool's %d and 29", c.SubnetBits, c.Pool.Bits())
	}
	if c.AgentURL == "" && (c.AgentListenPort < 1 || c.AgentListenPort > 65535) {
		return c, fmt.Errorf("agent listen port %d: must be between 1 and 65535 unless the agent URL is set", c.AgentListenPort)
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = 310 * time.Second
	}
	if c.GuardEvery == 0 {
		c.GuardEvery = 5 * time.Minute
	}
	if c.AnswerWithin == 0 {
		c.AnswerWithin = answerWithin
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// New connects to the engine, makes the platform's image and sets the firewall rules. Rules that can't be set are no
// error here but in Ensure, unless Config allows it. Nor is an engine that doesn't answer, when the agents' URL is
// known: the control plane must start without it, since Workers run on; what needs the engine is then ErrUnavailable.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	api, err := open(cfg.Host)
	if err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, api: api, log: cfg.Log.With("engine", "docker"), agentURL: cfg.AgentURL}
	if err := e.prepare(ctx); err != nil {
		api.Close()
		return nil, err
	}
	return e, nil
}

func (e *Engine) prepare(ctx context.Context) (err error) {
	away := ping(ctx, e.api, e.cfg.AnswerWithin)
	if away != nil && (!errors.Is(away, baas.ErrUnavailable) || e.agentURL == "") {
		return away
	}
	if e.binary, err = readBinary(e.cfg.BinaryPath, e.cfg.CAFile); err != nil {
		return err
	}
	if away != nil {
		e.log.ErrorContext(ctx, "the engine doesn't answer; Workers run on, and none is changed until it does", "error", away)
		return nil
	}
	if e.agentURL == "" {
		host, err := bridgeGateway(ctx, e.api)
		if err != nil {
			return err
		}
		e.agentURL = "ws://" + net.JoinHostPort(host.String(), strconv.Itoa(e.cfg.AgentListenPort))
	}
	if err := e.EnsureImage(ctx); err != nil {
		return err
	}
	if err := e.applyGuard(ctx); err != nil {
		e.log.ErrorContext(ctx, "host firewall rules could not be set", "error", err)
	}
	return nil
}

// Close frees the connections to the engine. Machines go on.
func (e *Engine) Close() error { return e.api.Close() }

// open makes a client of the API; nothing is asked yet.
func open(host string) (*client.Client, error) {
	opts := []client.Opt{client.FromEnv}
	if host != "" {
		opts = append(opts, client.WithHost(host))
	}
	api, err := client.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("docker engine: %w", err)
	}
	return api, nil
}

// connect makes a client of an engine that answers.
func connect(ctx context.Context, host string) (*client.Client, error) {
	api, err := open(host)
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, api, answerWithin); err != nil {
		api.Close()
		return nil, err
	}
	return api, nil
}

// ping checks that the engine answers.
func ping(ctx context.Context, api *client.Client, within time.Duration) error {
	_, err := answer(ctx, within, "asking the engine at "+api.DaemonHost(), func(ctx context.Context) (client.PingResult, error) {
		return api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	})
	return err
}

var errSilent = errors.New("no answer in time")

// answer asks what an engine that is well answers at once, with an end to the wait for one that hangs.
func answer[T any](ctx context.Context, within time.Duration, doing string, ask func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeoutCause(ctx, within, errSilent)
	defer cancel()
	v, err := ask(limited)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(limited), errSilent) {
		return v, &baas.Error{Code: baas.CodeUnavailable, Message: "the container engine does not answer", Err: fmt.Errorf("%s: %w", doing, err)}
	}
	return v, apiError(doing, err)
}

// AgentHost gives the address on which the control plane should listen for agents: the engine's end of its default
// bridge, which containers of every network reach and nobody outside the host does. It fits a control plane on the
// engine's own host; one elsewhere sets Config.AgentURL.
func AgentHost(ctx context.Context, cfg Config) (netip.Addr, error) {
	api, err := connect(ctx, cfg.Host)
	if err != nil {
		return netip.Addr{}, err
	}
	defer api.Close()
	return bridgeGateway(ctx, api)
}

func bridgeGateway(ctx context.Context, api *client.Client) (netip.Addr, error) {
	const doing = "finding the address of the engine's default bridge"
	res, err := api.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{})
	if errdefs.IsNotFound(err) {
		return netip.Addr{}, errors.New(doing + ": the engine runs without one; set the agent URL")
	}
	if err != nil {
		return netip.Addr{}, apiError(doing, err)
	}
	for _, c := range res.Network.IPAM.Config {
		switch {
		case c.Gateway.Is4():
			return c.Gateway, nil
		case c.Subnet.IsValid() && c.Subnet.Addr().Is4():
			return c.Subnet.Masked().Addr().Next(), nil
		}
	}
	return netip.Addr{}, errors.New(doing + ": it has no IPv4 address; set the agent URL")
}

// apiError says what was being done, and makes a lost engine an ErrUnavailable.
func apiError(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", doing, err)
	var op *net.OpError
	if client.IsErrConnectionFailed(err) || errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errdefs.IsUnavailable(err) {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return &baas.Error{Code: baas.CodeUnavailable, Message: "the container engine can't be reached", Err: err}
		}
	}
	return err
}

// tenants guards the networks: making one must not race with sweeping those that nobody uses.
type tenants struct {
	mu     sync.Mutex
	making map[string]int // machines of the tenant that are being made: their network is in use before they exist
}
