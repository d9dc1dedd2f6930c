package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
)

// Inspect implements engine.Engine.
func (e *Engine) Inspect(ctx context.Context, m engine.Machine) (engine.State, error) {
	s := engine.State{ID: m.ID, TenantID: m.TenantID, Phase: engine.PhaseAbsent}
	c, err := e.find(ctx, m.ID)
	if err != nil {
		return s, err
	}
	if c == nil {
		s.Volume, err = e.hasVolume(ctx, m.ID)
		return s, err
	}
	s.Volume = slices.ContainsFunc(c.Mounts, func(p container.MountPoint) bool { return p.Destination == dataDir })
	s.TenantID = c.Config.Labels[labelTenant]
	s.Phase, s.Detail, s.Reason = phaseOf(c.State)
	s.ExitCode, s.OOMKilled = c.State.ExitCode, c.State.OOMKilled
	s.StartedAt, _ = time.Parse(time.RFC3339Nano, c.State.StartedAt)
	s.AgentOld = c.Config.Labels[labelAgent] != e.binary.hash
	// The agent is told the disk limit with its desired state, so it has the one that is asked for.
	s.Size = baas.Size{CPUMillis: c.HostConfig.NanoCPUs / 1e6, MemoryMiB: c.HostConfig.Memory >> 20, DiskGiB: m.Size.DiskGiB}
	s.Current = s.Phase == engine.PhaseRunning && !e.mustMakeAnew(m, c) && sameResources(c.HostConfig.Resources, resources(m.Size))
	return s, nil
}

func phaseOf(s *container.State) (phase engine.Phase, detail, reason string) {
	switch {
	case s.Restarting:
		return engine.PhaseFailed, fmt.Sprintf("the agent ended with code %d; the engine starts it again", s.ExitCode), "The machine ends right after its start and is tried again."
	case s.Paused:
		return engine.PhaseStopped, "the container is paused", ""
	case s.Running:
		return engine.PhaseRunning, "", ""
	case s.Dead:
		return engine.PhaseFailed, "the engine could not remove the container", ""
	case s.Error != "":
		return engine.PhaseFailed, s.Error, "The machine could not be started."
	case s.OOMKilled:
		return engine.PhaseStopped, "killed: out of memory", "The Worker used more memory than its limit."
	case s.Status == container.StateCreated:
		return engine.PhaseStopped, "made and not started", ""
	}
	return engine.PhaseStopped, fmt.Sprintf("ended with code %d", s.ExitCode), ""
}

func (e *Engine) hasVolume(ctx context.Context, id string) (bool, error) {
	res, err := e.api.VolumeInspect(ctx, e.machineName(id), client.VolumeInspectOptions{})
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, apiError("looking at the volume of "+id, err)
	}
	return e.ours(res.Volume.Labels), nil
}

// List implements engine.Engine. The sizes in force are left to Inspect.
func (e *Engine) List(ctx context.Context) ([]engine.State, error) {
	const doing = "listing machines"
	containers, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: e.owned(kindWorker)})
	if err != nil {
		return nil, apiError(doing, err)
	}
	volumes, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned(kindWorker)})
	if err != nil {
		return nil, apiError(doing, err)
	}
	states := map[string]engine.State{}
	for _, c := range containers.Items {
		id := c.Labels[labelWorker]
		phase := engine.PhaseStopped
		if c.State == container.StateRunning {
			phase = engine.PhaseRunning
		}
		disk, _ := strconv.ParseInt(c.Labels[labelDisk], 10, 64)
		states[id] = engine.State{
			ID: id, TenantID: c.Labels[labelTenant], Phase: phase, Detail: c.Status,
			AgentOld: c.Labels[labelAgent] != e.binary.hash, Size: baas.Size{DiskGiB: disk},
		}
	}
	for _, v := range volumes.Items {
		id := v.Labels[labelWorker]
		s, ok := states[id]
		if !ok {
			s = engine.State{ID: id, TenantID: v.Labels[labelTenant], Phase: engine.PhaseAbsent, Detail: "a volume without a machine"}
		}
		s.Volume = true
		states[id] = s
	}
	return slices.SortedFunc(maps.Values(states), func(a, b engine.State) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	}), nil
}
