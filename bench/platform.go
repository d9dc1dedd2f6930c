package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
	"github.com/baas-platform/baas/internal/engine/docker"
)

const (
	operatorEmail    = "operator@platform.example"
	operatorPassword = "operator's password"
	ownerPassword    = "owner's password"
	networkPool      = "10.214.0.0/16" // of no other installation's default
)

// platform is an installation of the product whose control plane is a process.
type platform struct {
	b        *bench
	engine   string
	dir      string
	logFile  string
	env      []string
	url      string // of people
	agentURL string // of agents
	cmd      *exec.Cmd
	done     chan struct{} // closed when the process has ended
	operator *client.Client
	session  string // the operator's
	// forwarded says that this program is a proxy that the control plane believes: each tenant comes from an address of
	// its own, since an address may not log in as often as all of them do.
	forwarded bool
}

// newPlatform starts an installation on the engine, with an operator logged in and a plan that allows everything.
func (b *bench) newPlatform(ctx context.Context, engine string, env ...string) (_ *platform, err error) {
	p := &platform{b: b, engine: engine}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.remove(ctx))
		}
	}()
	if p.dir, err = os.MkdirTemp(b.dir, engine+"-"); err != nil {
		return nil, fmt.Errorf("making a data folder: %w", err)
	}
	p.logFile = filepath.Join(p.dir, "log")
	agentHost := "127.0.0.1"
	if engine == "docker" {
		host, err := docker.AgentHost(ctx, docker.Config{})
		if err != nil {
			return nil, fmt.Errorf("asking the Docker Engine: %w", err)
		}
		agentHost = host.String()
	}
	public, err := freeAddress(ctx, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	agents, err := freeAddress(ctx, agentHost)
	if err != nil {
		return nil, err
	}
	p.url, p.agentURL = "http://"+public, "ws://"+agents
	p.env = append([]string{"BAAS_ENGINE=" + engine, "BAAS_DATA=" + p.dir, "BAAS_LISTEN=" + public, "BAAS_AGENT_LISTEN=" + agents,
		"BAAS_OPERATOR_EMAIL=" + operatorEmail, "BAAS_OPERATOR_PASSWORD=" + operatorPassword, "BAAS_DOCKER_POOL=" + networkPool,
		"BAAS_API_RATE=1000000", "BAAS_API_BURST=1000000"}, env...)
	if engine == "kubernetes" {
		p.env = append(p.env, "BAAS_AGENT_URL="+p.agentURL)
	}
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	nobody, err := client.New(p.url, "")
	if err != nil {
		return nil, err
	}
	s, err := nobody.LogIn(ctx, operatorEmail, operatorPassword)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	p.session = s.Secret
	if p.operator, err = client.New(p.url, p.session); err != nil {
		return nil, err
	}
	_, err = p.operator.PutPlan(ctx, baas.Plan{ID: baas.PlanEnterprise, Name: "Enterprise", Limits: baas.Limits{Workers: 1e6, CPUMillis: 1e12, MemoryMiB: 1e12,
		DiskGiB: 1e12, Bots: 1e6, Members: 100, Isolation: []baas.Isolation{baas.IsolationContainer, baas.IsolationSandbox, baas.IsolationVM}}})
	if err != nil {
		return nil, fmt.Errorf("making the plan: %w", err)
	}
	return p, nil
}

// start runs the control plane and waits until it serves.
func (p *platform) start(ctx context.Context) error {
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the log file: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(p.b.binary, "serve") // it ends by stop, in order, and not with ctx
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	// Its end comes with that of the thread that starts it, which Go ends only where a locked one isn't unlocked.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}()
	return until(ctx, time.Minute, "the control plane to be ready", func() error {
		select {
		case <-done:
			return fmt.Errorf("it has ended: %s", p.logTail())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
}

// stop ends the control plane and waits for it.
func (p *platform) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}

// remove ends the control plane and deletes everything that it made.
func (p *platform) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	p.stop()
	var errs []error
	if id := p.installation(); p.engine == "docker" && id != "" {
		e, err := docker.New(ctx, docker.Config{Installation: id, BinaryPath: p.b.binary, AgentListenPort: 1, Log: slog.New(slog.DiscardHandler), AllowUnguarded: true})
		if err == nil {
			err = errors.Join(removeMachines(ctx, e), e.RemoveInstallation(ctx), e.Close())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("removing Workers from the Docker Engine: %w", err))
		}
	}
	if p.dir != "" {
		errs = append(errs, os.RemoveAll(p.dir))
	}
	return errors.Join(errs...)
}

func removeMachines(ctx context.Context, e *docker.Engine) error {
	machines, err := e.List(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range machines {
		errs = append(errs, e.Remove(ctx, m.ID))
	}
	return errors.Join(errs...)
}

// installation is the installation's id, which the control plane logs.
func (p *platform) installation() string {
	b, err := os.ReadFile(p.logFile)
	if err != nil {
		return ""
	}
	_, rest, _ := bytes.Cut(b, []byte("installation="))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		return string(fields[0])
	}
	return ""
}

func (p *platform) logTail() string {
	b, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// tenant is a client company with its owner logged in.
type tenant struct {
	*client.Tenant
	url   string // of the tenant in the API
	token string // of the API, allowed everything
}

// newTenant has the operator make a tenant and its owner accept the invitation.
func (p *platform) newTenant(ctx context.Context, name string) (tenant, error) {
	made, err := p.operator.CreateTenant(ctx, baas.TenantCreate{Name: name, Plan: baas.PlanEnterprise})
	if err != nil {
		return tenant{}, fmt.Errorf("making a tenant: %w", err)
	}
	invitation, err := p.operator.Tenant(made.ID).Invite(ctx, baas.InvitationCreate{Email: "owner@" + made.Slug + ".example", Role: baas.RoleOwner})
	if err != nil {
		return tenant{}, fmt.Errorf("inviting its owner: %w", err)
	}
	var options []client.Option
	if p.forwarded {
		options = append(options, client.WithHTTPClient(&http.Client{Transport: from(made.ID)}))
	}
	nobody, err := client.New(p.url, "", options...)
	if err != nil {
		return tenant{}, err
	}
	s, err := nobody.AcceptInvitation(ctx, baas.InvitationAccept{Token: invitation.Token, Name: "Olívia", Password: ownerPassword})
	if err != nil {
		return tenant{}, fmt.Errorf("becoming its owner: %w", err)
	}
	owner, err := client.New(p.url, s.Secret)
	if err != nil {
		return tenant{}, err
	}
	t := owner.Tenant(made.ID)
	token, err := t.CreateToken(ctx, baas.TokenCreate{Name: "bench", Scopes: []baas.Scope{baas.ScopeRead, baas.ScopeWrite, baas.ScopeAdmin}})
	if err != nil {
		return tenant{}, fmt.Errorf("making a token: %w", err)
	}
	byToken, err := client.New(p.url, token.Secret)
	if err != nil {
		return tenant{}, err
	}
	return tenant{byToken.Tenant(made.ID), p.url + "/api/v1/tenants/" + made.ID, token.Secret}, nil
}

// from sends requests as a proxy that got them from an address that follows from the name.
type from string

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	sum := sha256.Sum256([]byte(f))
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{198, 18, sum[0], sum[1]}).String())
	return http.DefaultTransport.RoundTrip(r)
}

// newWorker makes a Worker and waits until it runs.
func (t tenant) newWorker(ctx context.Context, in baas.WorkerCreate) (baas.Worker, error) {
	w, err := t.CreateWorker(ctx, in)
	if err != nil {
		return w, fmt.Errorf("making a Worker: %w", err)
	}
	err = until(ctx, 2*time.Minute, "the Worker to run", func() (err error) {
		if w, err = t.Worker(ctx, w.ID); err == nil && w.Status.State != baas.WorkerRunning {
			err = fmt.Errorf("it is %s (%s)", w.Status.State, w.Status.Reason)
		}
		return err
	})
	return w, err
}

func freeAddress(ctx context.Context, host string) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// until tries until ok gives no error.
func until(ctx context.Context, limit time.Duration, what string, ok func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := ok()
		if err == nil {
			return nil
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// memoryOf reads one line, such as Pss, of a file of /proc in bytes.
func memoryOf(pid int, file, name string) (int64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
	if err != nil {
		return 0, fmt.Errorf("reading a process's memory: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s of process %d says nothing of %s", file, pid, name)
}

// cpuOfAll is the processor time of a process and all its children that live.
func cpuOfAll(pid int) (time.Duration, error) {
	sum, err := cpuOf(pid)
	if err != nil {
		return 0, err
	}
	// Each thread lists the children that it made.
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, fmt.Errorf("reading a process's children: %w", err)
	}
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(f)
			if err != nil {
				return 0, fmt.Errorf("reading a process's children: %w", err)
			}
			d, err := cpuOfAll(child)
			if err != nil {
				return 0, err
			}
			sum += d
		}
	}
	return sum, nil
}

// cpuOf is the processor time that a process has taken.
func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("reading a process's time: %w", err)
	}
	// The name may hold anything, spaces too; it ends at the last parenthesis. User and system time are 14th and 15th.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("the status of process %d is too short", pid)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading a process's time: %w", err)
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, the same on every Linux that Go runs on
	return time.Duration(ticks) * time.Second / perSecond, nil
}
