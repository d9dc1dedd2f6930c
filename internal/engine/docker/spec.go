package docker

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/engine"
)

// tmpMiB bounds the temporary files of a machine, which lie in its memory: at half of it they can't use up all, which
// would end the agent too.
func tmpMiB(s baas.Size) int64 { return min(256, s.MemoryMiB/2) }

// containerSpec describes the container of m. A change here reaches a machine when it is made anew; it needs no other
// fingerprint, since a new binary comes with it.
func (e *Engine) containerSpec(m engine.Machine, runtime string, imageVolumes []string) client.ContainerCreateOptions {
	image, url := m.Image, m.AgentURL
	if image == "" {
		image = e.workerImage()
	}
	if url == "" {
		url = e.agentURL
	}
	name := e.machineName(m.ID)
	stopSeconds := int(e.cfg.StopTimeout.Seconds())

	mounts := []mount.Mount{{
		Type: mount.TypeVolume, Source: name, Target: dataDir,
		// The platform's image gives an empty volume its owner; another image's files must not get in.
		VolumeOptions: &mount.VolumeOptions{NoCopy: m.Image != ""},
	}}
	tmpfs := map[string]string{"/tmp": fmt.Sprintf("rw,exec,nosuid,nodev,mode=1777,size=%dm", tmpMiB(m.Size))}
	if m.Image != "" {
		mounts = append(mounts, mount.Mount{
			Type: mount.TypeVolume, Source: e.agentVolume(), Target: agentDir, ReadOnly: true,
			VolumeOptions: &mount.VolumeOptions{NoCopy: true},
		})
		// A path that an image declares as volume would become an unnamed one on the host's disk, without a limit.
		for _, p := range imageVolumes {
			if p = path.Clean("/" + p); !slices.Contains([]string{"/", "/tmp", dataDir, agentDir}, p) {
				tmpfs[p] = fmt.Sprintf("rw,noexec,nosuid,nodev,mode=1777,size=%dm", tmpMiB(m.Size))
			}
		}
	}
	return client.ContainerCreateOptions{
		Name: name,
		Config: &container.Config{
			Image:      image,
			Hostname:   strings.ReplaceAll(m.ID, "_", "-"),
			User:       fmt.Sprintf("%d:%d", workerUID, workerUID),
			WorkingDir: dataDir,
			Entrypoint: []string{agentPath, "agent"},
			Env: []string{
				"HOME=" + dataDir,
				agentapi.EnvURL + "=" + url,
				agentapi.EnvToken + "=" + m.AgentToken,
				agentapi.EnvWorker + "=" + m.ID,
				agentapi.EnvData + "=" + dataDir,
				agentapi.EnvDiskGiB + "=" + strconv.FormatInt(m.Size.DiskGiB, 10),
			},
			Labels: e.labels(kindWorker,
				labelWorker, m.ID,
				labelTenant, m.TenantID,
				labelName, m.Name,
				labelSpec, e.spec(m),
				labelToken, tokenHash(m.AgentToken),
				labelAgent, e.binary.hash,
				labelRestarts, strconv.FormatInt(m.Restarts, 10),
				labelDisk, strconv.FormatInt(m.Size.DiskGiB, 10),
			),
			// An image's own health check and stop signal are meant for its own program.
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
			StopSignal:  "SIGTERM",
			StopTimeout: &stopSeconds,
		},
		HostConfig: &container.HostConfig{
			Runtime:        runtime,
			NetworkMode:    container.NetworkMode(e.networkName(m.TenantID)),
			IpcMode:        container.IPCModePrivate,
			CgroupnsMode:   container.CgroupnsModePrivate,
			Mounts:         mounts,
			Tmpfs:          tmpfs,
			ReadonlyRootfs: true,
			CapDrop:        []string{"ALL"},
			SecurityOpt:    []string{"no-new-privileges"},
			RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyUnlessStopped},
			LogConfig:      container.LogConfig{Type: "local", Config: map[string]string{"max-size": "5m", "max-file": "2"}},
			Resources:      withUlimits(resources(m.Size)),
		},
	}
}

// resources gives the limits that change live.
func resources(s baas.Size) container.Resources {
	memory := s.MemoryMiB << 20
	pids := min(64+s.MemoryMiB, 4096)
	return container.Resources{
		NanoCPUs:   s.CPUMillis * 1e6,
		Memory:     memory,
		MemorySwap: memory, // no swap besides
		PidsLimit:  &pids,
	}
}

func withUlimits(r container.Resources) container.Resources {
	r.Ulimits = []*container.Ulimit{
		{Name: "core", Soft: 0, Hard: 0},
		{Name: "nofile", Soft: 16384, Hard: 16384},
	}
	return r
}

// sameResources leaves out MemorySwap, which engines without swap accounting don't keep.
func sameResources(have, want container.Resources) bool {
	return have.NanoCPUs == want.NanoCPUs && have.Memory == want.Memory && have.PidsLimit != nil && *have.PidsLimit == *want.PidsLimit
}
