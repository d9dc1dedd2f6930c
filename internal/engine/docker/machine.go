package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
)

// removeSeconds is what the agent gets when its machine is deleted: nothing of it will be used again.
const removeSeconds = 10

// Ensure implements engine.Engine.
func (e *Engine) Ensure(ctx context.Context, m engine.Machine, progress func(engine.Step)) error {
	if progress == nil {
		progress = func(engine.Step) {}
	}
	runtime, err := e.admit(ctx, m)
	if err != nil {
		return err
	}
	if err := e.requireGuard(ctx); err != nil {
		return err
	}
	found, err := e.find(ctx, m.ID)
	if err != nil {
		return err
	}
	if found != nil && !e.mustMakeAnew(m, found) {
		err := e.converge(ctx, m, found, progress)
		if !errors.Is(err, errMakeAnew) {
			return err
		}
	}
	if found != nil {
		// The token of the machine goes on when no other is given: the agent's identity is the Worker's.
		if m.AgentToken == "" {
			m.AgentToken = tokenOf(found)
		}
		if err := e.end(ctx, found, int(e.cfg.StopTimeout.Seconds())); err != nil {
			return err
		}
	}
	if m.AgentToken == "" {
		return fmt.Errorf("making the machine of %s: an agent token is needed for a new machine", m.ID)
	}
	err = e.make(ctx, m, runtime, progress)
	if errdefs.IsNotFound(err) {
		// Something that was seen before has been taken away since; the next call looks at everything again.
		e.forgetImages()
	}
	return err
}

// errMakeAnew says that the container can't be used any more and a new one may work.
var errMakeAnew = errors.New("the container must be made anew")

// find inspects the Worker's container; nil when there is none.
func (e *Engine) find(ctx context.Context, id string) (*container.InspectResponse, error) {
	name := e.machineName(id)
	res, err := answer(ctx, e.cfg.AnswerWithin, "looking at container "+name, func(ctx context.Context) (client.ContainerInspectResult, error) {
		return e.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c := res.Container; c.Config == nil || !e.ours(c.Config.Labels) || c.Config.Labels[labelWorker] != id {
		return nil, fmt.Errorf("container %s exists and doesn't belong to installation %s; rename or remove it", name, e.cfg.Installation)
	}
	return &res.Container, nil
}

// mustMakeAnew reports whether m differs in what a container can't change.
func (e *Engine) mustMakeAnew(m engine.Machine, c *container.InspectResponse) bool {
	l := c.Config.Labels
	restarts, _ := strconv.ParseInt(l[labelRestarts], 10, 64)
	switch {
	case l[labelSpec] != e.spec(m), restarts < m.Restarts, c.State.Dead:
		return true
	case m.AgentToken != "" && l[labelToken] != tokenHash(m.AgentToken):
		return true
	case !c.State.Running && c.State.Error != "":
		// Its last start failed: something it stands on is broken or gone, which only a new one gets again.
		return true
	}
	// An agent is updated when nothing is disturbed by it.
	return !c.State.Running && l[labelAgent] != e.binary.hash
}

// converge resizes and starts a container that may stay.
func (e *Engine) converge(ctx context.Context, m engine.Machine, c *container.InspectResponse, progress func(engine.Step)) error {
	if want := resources(m.Size); !sameResources(c.HostConfig.Resources, want) {
		progress(engine.StepResize)
		if err := e.resize(ctx, m, c, want); err != nil {
			return err
		}
	}
	switch {
	case c.State.Paused:
		progress(engine.StepStart)
		_, err := e.api.ContainerUnpause(ctx, c.ID, client.ContainerUnpauseOptions{})
		return apiError("resuming container "+c.Name, err)
	case c.State.Running && !c.State.Restarting:
		return nil
	case c.State.Restarting:
		// Its agent ends again and again and the engine waits longer each time. A start has to end that wait first.
		now := 0
		if _, err := e.api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{Timeout: &now}); err != nil {
			return apiError("ending the restarts of container "+c.Name, err)
		}
	}
	progress(engine.StepNetwork)
	release, err := e.holdNetwork(ctx, m.TenantID)
	if err != nil {
		return err
	}
	defer release()
	progress(engine.StepStart)
	_, err = e.api.ContainerStart(ctx, c.ID, client.ContainerStartOptions{})
	if errdefs.IsNotFound(err) {
		// Gone, or its network or one of its volumes is another one by now.
		return errMakeAnew
	}
	return apiError("starting container "+c.Name, err)
}

// resize changes the limits of the live container.
func (e *Engine) resize(ctx context.Context, m engine.Machine, c *container.InspectResponse, want container.Resources) error {
	if c.State.Running && want.Memory < c.HostConfig.Memory {
		used, err := e.memoryInUse(ctx, c.ID)
		if err != nil {
			return err
		}
		if used > want.Memory {
			return tooSmall(m, used)
		}
	}
	update := func(r container.Resources) error {
		_, err := e.api.ContainerUpdate(ctx, c.ID, client.ContainerUpdateOptions{Resources: &r})
		return err
	}
	err := update(want)
	if err != nil && c.State.Running && want.Memory > c.HostConfig.Memory {
		// On cgroup v1 the limit with swap must rise before the one without. runc sees to that itself, runsc doesn't.
		if update(container.Resources{MemorySwap: want.MemorySwap}) == nil {
			err = update(want)
		}
	}
	if err != nil && c.State.Running && want.Memory < c.HostConfig.Memory && strings.Contains(err.Error(), "device or resource busy") {
		// The kernel could not reclaim enough: its use grew since it was looked at.
		return tooSmall(m, want.Memory)
	}
	return apiError(fmt.Sprintf("resizing container %s to %+v", c.Name, m.Size), err)
}

func tooSmall(m engine.Machine, used int64) error {
	return baas.Errorf(baas.CodeConflict,
		"memory can't be lowered to %d MiB while the Worker uses %d MiB: stop some of its bots first, or choose a larger size", m.Size.MemoryMiB, (used+1<<20-1)>>20)
}

// memoryInUse gives the bytes that can't be reclaimed: use without the page cache of files that are seldom read.
func (e *Engine) memoryInUse(ctx context.Context, id string) (int64, error) {
	const doing = "reading the memory in use"
	res, err := e.api.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return 0, apiError(doing, err)
	}
	defer res.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return 0, apiError(doing, err)
	}
	cache := s.MemoryStats.Stats["inactive_file"] // cgroup v2
	if total, ok := s.MemoryStats.Stats["total_inactive_file"]; ok {
		cache = total // v1
	}
	return int64(s.MemoryStats.Usage) - int64(min(cache, s.MemoryStats.Usage)), nil
}

// make makes the container and what it stands on, and starts it.
func (e *Engine) make(ctx context.Context, m engine.Machine, runtime string, progress func(engine.Step)) error {
	progress(engine.StepImage)
	if err := e.EnsureImage(ctx); err != nil {
		return err
	}
	var imageVolumes []string
	if m.Image != "" {
		var err error
		if imageVolumes, err = e.ensureTenantImage(ctx, m.Image); err != nil {
			return err
		}
		if err := e.ensureAgentVolume(ctx); err != nil {
			return err
		}
	}
	progress(engine.StepNetwork)
	release, err := e.holdNetwork(ctx, m.TenantID)
	if err != nil {
		return err
	}
	defer release()

	progress(engine.StepVolume)
	if err := e.ensureVolume(ctx, m); err != nil {
		return err
	}
	progress(engine.StepMachine)
	name := e.machineName(m.ID)
	res, err := e.api.ContainerCreate(ctx, e.containerSpec(m, runtime, imageVolumes))
	if err != nil {
		return apiError("making container "+name, err)
	}
	progress(engine.StepStart)
	if _, err := e.api.ContainerStart(ctx, res.ID, client.ContainerStartOptions{}); err != nil {
		e.forgetImages() // the agent may have been taken away
		return apiError("starting container "+name, err)
	}
	e.log.InfoContext(ctx, "machine made", "worker", m.ID, "tenant", m.TenantID, "container", res.ID[:12], "runtime", runtime)
	return nil
}

// ensureVolume makes the Worker's volume, writable by the user that everything runs as. The platform's image brings
// the owner by itself when its container is made; for another image it must be there before.
func (e *Engine) ensureVolume(ctx context.Context, m engine.Machine) error {
	name := e.machineName(m.ID)
	doing := "making volume " + name
	res, err := e.api.VolumeCreate(ctx, client.VolumeCreateOptions{
		Name: name, Labels: e.labels(kindWorker, labelWorker, m.ID, labelTenant, m.TenantID),
	})
	if err != nil {
		return apiError(doing, err)
	}
	if !e.ours(res.Volume.Labels) || res.Volume.Labels[labelWorker] != m.ID {
		return fmt.Errorf("%s: a volume of this name exists and doesn't belong to installation %s; remove it", doing, e.cfg.Installation)
	}
	if m.Image == "" {
		return nil
	}
	if err := e.fill(ctx, name, dataDir, nil); err != nil {
		return apiError(doing, err)
	}
	return nil
}

// end stops the container and removes it; volumes with names stay.
func (e *Engine) end(ctx context.Context, c *container.InspectResponse, seconds int) error {
	if c.State.Running {
		if _, err := e.api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{Timeout: &seconds}); err != nil && !errdefs.IsNotFound(err) {
			return apiError("stopping container "+c.Name, err)
		}
	}
	_, err := e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return apiError("removing container "+c.Name, err)
	}
	return nil
}

// Stop implements engine.Engine.
func (e *Engine) Stop(ctx context.Context, id string) error {
	c, err := e.find(ctx, id)
	if err != nil || c == nil || !c.State.Running {
		return err
	}
	seconds := int(e.cfg.StopTimeout.Seconds())
	if _, err := e.api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{Timeout: &seconds}); err != nil && !errdefs.IsNotFound(err) {
		return apiError("stopping container "+c.Name, err)
	}
	return nil
}

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, id string) error {
	c, err := e.find(ctx, id)
	if err != nil {
		return err
	}
	if c != nil {
		if err := e.end(ctx, c, removeSeconds); err != nil {
			return err
		}
	}
	name := e.machineName(id)
	switch v, err := e.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{}); {
	case errdefs.IsNotFound(err):
	case err != nil:
		return apiError("looking at volume "+name, err)
	case !e.ours(v.Volume.Labels):
		return fmt.Errorf("volume %s doesn't belong to installation %s", name, e.cfg.Installation)
	default:
		// Nothing else works on this machine now, so a helper that has the volume is one that a crash left.
		if err := e.removeHelpers(ctx, e.owned(kindHelper).Add("volume", name), 0); err != nil {
			return err
		}
		if _, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return apiError("removing volume "+name, err)
		}
	}
	return e.sweepNetworks(ctx)
}

// tokenOf reads the agent's token back from the container that has it.
func tokenOf(c *container.InspectResponse) string {
	for _, kv := range c.Config.Env {
		if v, ok := strings.CutPrefix(kv, agentapi.EnvToken+"="); ok {
			return v
		}
	}
	return ""
}
