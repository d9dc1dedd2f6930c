package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas/internal/netguard"
)

// guard is what is known about the host's firewall rules.
type guard struct {
	apply sync.Mutex // one application at a time
	mu    sync.Mutex
	done  bool
	err   error // of the last application
}

func (e *Engine) guardState() (done bool, err error) {
	e.guard.mu.Lock()
	defer e.guard.mu.Unlock()
	return e.guard.done, e.guard.err
}

// requireGuard refuses to go on without rules, after one more try.
func (e *Engine) requireGuard(ctx context.Context) error {
	if done, err := e.guardState(); done && err == nil {
		return nil
	}
	if err := e.applyGuard(ctx); err != nil && !e.cfg.AllowUnguarded {
		return err
	}
	return nil
}

// applyGuard sets the rules. When it fails, rules that are in place stay.
func (e *Engine) applyGuard(ctx context.Context) error {
	e.guard.apply.Lock()
	defer e.guard.apply.Unlock()
	err := e.runGuard(ctx)
	if ctx.Err() != nil {
		return err // says nothing about the rules
	}
	e.guard.mu.Lock()
	defer e.guard.mu.Unlock()
	e.guard.done, e.guard.err = true, err
	return err
}

func (e *Engine) guardConfig() (netguard.Config, error) {
	agent, err := agentAddress(e.agentURL)
	if err != nil {
		return netguard.Config{}, err
	}
	return netguard.Config{
		Table:           e.tableName(),
		InterfacePrefix: e.bridgePrefix(),
		Pool:            e.cfg.Pool,
		Agent:           agent,
		Deny:            e.cfg.Deny,
	}, nil
}

// tableName can't be that of another installation, whose hyphens are underscores here too, since the rules match only
// this one's bridges.
func (e *Engine) tableName() string { return strings.ReplaceAll("baas_"+e.cfg.Installation, "-", "_") }

// agentAddress gives where the agent's URL leads. The address is unspecified when the URL has a name, which may mean
// any of the host's addresses.
func agentAddress(raw string) (netip.AddrPort, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return netip.AddrPort{}, fmt.Errorf("agent URL %q: must be like ws://172.17.0.1:7080", raw)
	}
	port := uint64(80)
	switch {
	case u.Port() != "":
		if port, err = strconv.ParseUint(u.Port(), 10, 16); err != nil {
			return netip.AddrPort{}, fmt.Errorf("agent URL %q: %w", raw, err)
		}
	case u.Scheme == "wss" || u.Scheme == "https":
		port = 443
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		addr = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

// runGuard sets the rules of this installation.
func (e *Engine) runGuard(ctx context.Context) error {
	cfg, err := e.guardConfig()
	if err != nil {
		return err
	}
	arg, err := json.Marshal(cfg)
	if err != nil {
		return fmt.Errorf("encoding the firewall rules: %w", err)
	}
	return e.runNetguard(ctx, "apply", string(arg))
}

// runNetguard runs `baas netguard` in a container of the platform's image that has the host's network and may change
// it, and nothing else. The control plane itself needn't be root, nor be on the engine's host.
func (e *Engine) runNetguard(ctx context.Context, args ...string) error {
	const doing = "setting the host's firewall rules"
	if err := e.EnsureImage(ctx); err != nil {
		return err
	}
	res, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: e.workerImage(), User: "0:0", WorkingDir: "/",
			Entrypoint: append([]string{agentPath, "netguard"}, args...),
			Labels:     e.labels(kindHelper),
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "host", CapDrop: []string{"ALL"}, CapAdd: []string{"NET_ADMIN"},
			SecurityOpt: []string{"no-new-privileges"}, ReadonlyRootfs: true, Runtime: e.defaultOCIRuntime(ctx),
		},
	})
	if err != nil {
		if errdefs.IsNotFound(err) {
			e.forgetImages()
		}
		return apiError(doing, err)
	}
	defer e.removeHelper(ctx, res.ID)
	wait := e.api.ContainerWait(ctx, res.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := e.api.ContainerStart(ctx, res.ID, client.ContainerStartOptions{}); err != nil {
		return apiError(doing, err)
	}
	select {
	case err := <-wait.Error:
		return apiError(doing, err)
	case ended := <-wait.Result:
		if ended.StatusCode == 0 {
			return nil
		}
		return fmt.Errorf("%s: %w", doing, e.output(ctx, res.ID, ended.StatusCode))
	}
}

// output makes an error of what a helper said before it ended.
func (e *Engine) output(ctx context.Context, id string, code int64) error {
	logs, err := e.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
	if err != nil {
		return fmt.Errorf("the helper ended with code %d", code)
	}
	defer logs.Close()
	var text strings.Builder
	if _, err := stdcopy.StdCopy(&text, &text, io.LimitReader(logs, 16<<10)); err != nil || text.Len() == 0 {
		return fmt.Errorf("the helper ended with code %d", code)
	}
	return errors.New(strings.TrimSpace(text.String()))
}
