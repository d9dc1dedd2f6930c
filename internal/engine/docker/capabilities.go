package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// infoAge is how long what the engine tells about itself is kept: asking costs more than making a network.
const infoAge = 30 * time.Second

type engineInfo struct {
	system.Info
	version  string
	runcInfo string // runc's version, "" when the engine doesn't tell
}

type infoCache struct {
	mu   sync.Mutex
	at   time.Time
	info engineInfo
	// failed is the last failure, and when: those who waited for an engine that hangs needn't wait for it in turn.
	failed   error
	failedAt time.Time
}

// failureAge is how long the engine isn't asked again after it couldn't be reached.
const failureAge = 2 * time.Second

// engineInfo asks the engine about itself.
func (e *Engine) engineInfo(ctx context.Context, fresh bool) (engineInfo, error) {
	e.info.mu.Lock()
	defer e.info.mu.Unlock()
	switch {
	case e.info.failed != nil && time.Since(e.info.failedAt) < failureAge:
		return engineInfo{}, e.info.failed
	case !fresh && time.Since(e.info.at) < infoAge:
		return e.info.info, nil
	}
	i, err := e.askInfo(ctx)
	e.info.failed = nil
	switch {
	case err == nil:
		e.info.info, e.info.at = i, time.Now()
	case errors.Is(err, baas.ErrUnavailable):
		e.info.failed, e.info.failedAt = err, time.Now()
	}
	return i, err
}

func (e *Engine) askInfo(ctx context.Context) (engineInfo, error) {
	const doing = "asking the engine about itself"
	info, err := answer(ctx, e.cfg.AnswerWithin, doing, func(ctx context.Context) (client.SystemInfoResult, error) {
		return e.api.Info(ctx, client.InfoOptions{})
	})
	if err != nil {
		return engineInfo{}, err
	}
	version, err := answer(ctx, e.cfg.AnswerWithin, doing, func(ctx context.Context) (client.ServerVersionResult, error) {
		return e.api.ServerVersion(ctx, client.ServerVersionOptions{})
	})
	if err != nil {
		return engineInfo{}, err
	}
	i := engineInfo{Info: info.Info, version: version.Version}
	for _, c := range version.Components {
		if c.Name == "runc" {
			i.runcInfo = c.Version
		}
	}
	return i, nil
}

// runtimeFor gives the name under which the engine knows a runtime for the level, "" when it has none.
func (i engineInfo) runtimeFor(level baas.Isolation) string {
	match := map[baas.Isolation]func(name string) bool{
		baas.IsolationContainer: func(n string) bool { return n == "runc" || n == "crun" },
		baas.IsolationSandbox:   func(n string) bool { return n == "runsc" || strings.HasPrefix(n, "io.containerd.runsc.") },
		baas.IsolationVM:        func(n string) bool { return strings.HasPrefix(n, "kata") || strings.HasPrefix(n, "io.containerd.kata") },
	}[level]
	var names []string
	for name := range i.Runtimes {
		if match != nil && match(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	// An engine may know several; the default first, then by name, so that the choice stays the same.
	if slices.Contains(names, i.DefaultRuntime) {
		return i.DefaultRuntime
	}
	slices.Sort(names)
	return names[len(names)-1]
}

// Why a level is missing, for whoever asked for it.
var missing = map[baas.Isolation]string{
	baas.IsolationContainer: "the engine has no runtime named runc or crun",
	baas.IsolationSandbox:   "the engine has no runtime named runsc: gVisor is not installed there",
	baas.IsolationVM:        "the engine has no runtime whose name begins with kata: Kata Containers is not installed there",
}

// admit gives the runtime for m, or ErrUnsupported with the reason why m can't be had here.
func (e *Engine) admit(ctx context.Context, m engine.Machine) (runtime string, err error) {
	reason, ok := missing[m.Isolation]
	if !ok {
		return "", baas.Errorf(baas.CodeUnsupported, "isolation %q can't be had on a container engine: choose container, sandbox or vm", m.Isolation)
	}
	info, err := e.engineInfo(ctx, false)
	if err != nil {
		return "", err
	}
	if runtime = info.runtimeFor(m.Isolation); runtime == "" {
		// It may have been installed a moment ago.
		if info, err = e.engineInfo(ctx, true); err != nil {
			return "", err
		}
		if runtime = info.runtimeFor(m.Isolation); runtime == "" {
			return "", baas.Errorf(baas.CodeUnsupported, "isolation %s can't be had: %s", m.Isolation, reason)
		}
	}
	if have := int64(info.NCPU) * 1000; have > 0 && m.Size.CPUMillis > have {
		return "", baas.Errorf(baas.CodeUnsupported, "%d thousandths of a core can't be had: the machine that runs Workers has %d", m.Size.CPUMillis, have)
	}
	if have := info.MemTotal >> 20; have > 0 && m.Size.MemoryMiB > have {
		return "", baas.Errorf(baas.CodeUnsupported, "%d MiB of memory can't be had: the machine that runs Workers has %d", m.Size.MemoryMiB, have)
	}
	return runtime, nil
}

// defaultOCIRuntime is what helpers run on: never a sandbox, which would hide the host's network from them.
func (e *Engine) defaultOCIRuntime(ctx context.Context) string {
	info, err := e.engineInfo(ctx, false)
	if err != nil {
		return ""
	}
	return info.runtimeFor(baas.IsolationContainer)
}

// Capabilities implements engine.Engine.
func (e *Engine) Capabilities(ctx context.Context) (engine.Capabilities, error) {
	info, err := e.engineInfo(ctx, false)
	if err != nil {
		return engine.Capabilities{}, err
	}
	c := engine.Capabilities{
		Engine: "docker", Version: info.version, LiveResize: true, DiskLimit: "watched", Images: true,
		Isolation: map[baas.Isolation]string{}, Missing: map[baas.Isolation]string{},
	}
	for level, reason := range missing {
		switch name := info.runtimeFor(level); {
		case name == "":
			c.Missing[level] = reason
		case name == "runc" && info.runcInfo != "":
			c.Isolation[level] = "runc " + info.runcInfo
		default:
			c.Isolation[level] = name
		}
	}
	if w := runcWarning(info.runcInfo); w != "" && c.Isolation[baas.IsolationContainer] != "" {
		c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnRuntimeOutdated, Message: w})
	}
	if !info.MemoryLimit || !info.CPUCfsQuota || !info.PidsLimit {
		c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnNoLimits,
			Message: "the engine's host can't limit memory, CPU or processes of containers: its kernel lacks cgroup support for it"})
	}
	if !slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.Contains(o, "seccomp") }) {
		c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnNoSeccomp,
			Message: "the engine runs containers without seccomp: any system call is open to bots"})
	}
	if _, err := e.guardState(); err != nil {
		c.Warnings = append(c.Warnings, engine.Warning{Code: engine.WarnHostReachable,
			Message: fmt.Sprintf("bots may reach the host's ports and the cloud's metadata addresses: %v", err)})
	}
	return c, nil
}
