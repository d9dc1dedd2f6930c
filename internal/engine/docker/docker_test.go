package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/engine"
	"github.com/baas-platform/baas/internal/engine/enginetest"
)

// bench is one installation on the real engine, which a test has for itself.
type bench struct {
	cfg     Config
	api     *client.Client
	control *enginetest.Control
	image   string // with settings that must not have any effect
}

func newBench(t testing.TB) *bench {
	t.Helper()
	api, err := connect(t.Context(), "")
	if err != nil {
		t.Fatalf("these tests need a Docker Engine; scripts/docker.sh gets one: %v", err)
	}
	t.Cleanup(func() { api.Close() })
	host, err := AgentHost(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	b := &bench{api: api, control: enginetest.NewControl(t, host.String())}
	b.cfg = Config{
		Installation:    "test-" + hex.EncodeToString(random[:]),
		BinaryPath:      enginetest.BuildProbe(t),
		AgentListenPort: b.control.Port,
		// Of its own, so that the tests of other packages may use the engine at the same time.
		Pool:        netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 232 + random[0]%8, random[1] &^ 0xf, 0}), 20).Masked(),
		StopTimeout: 5 * time.Second,
		Log:         slog.New(slog.DiscardHandler),
	}
	b.image = b.importImage(t)
	t.Cleanup(func() { b.clean(t) })
	return b
}

// importImage makes an image such as a tenant might choose: it has a user, command, health check, volumes
// and variables of its own, and files where the platform puts its own.
func (b *bench) importImage(t testing.TB) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for name, text := range map[string]string{"hello": "world", ".baas/baas": "not the agent", "data/theirs": "theirs"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ref := "baas-test/other:" + b.cfg.Installation
	res, err := b.api.ImageImport(t.Context(), client.ImageImportSource{Source: &buf, SourceName: "-"}, ref, client.ImageImportOptions{
		Changes: []string{
			"USER root", `CMD ["/hello"]`, "VOLUME /data /var/lib/theirs /.baas",
			"ENV BAAS_AGENT_URL=ws://192.0.2.1 HOME=/nowhere", "HEALTHCHECK CMD false",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	if out, err := io.ReadAll(res); err != nil || strings.Contains(string(out), "error") {
		t.Fatalf("importing an image: %s %v", out, err)
	}
	return ref
}

func (b *bench) New(t testing.TB) *Engine {
	t.Helper()
	e, err := New(t.Context(), b.cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func (b *bench) label() client.Filters {
	return client.Filters{}.Add("label", labelInstallation+"="+b.cfg.Installation)
}

// leftovers lists all that the installation has on the engine, except the agent itself.
func (b *bench) leftovers(t testing.TB) (names []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	containers, err := b.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: b.label()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		names = append(names, "container "+strings.Join(c.Names, ","))
	}
	volumes, err := b.api.VolumeList(ctx, client.VolumeListOptions{Filters: b.label()})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Items {
		if v.Labels[labelKind] != kindAgent {
			names = append(names, "volume "+v.Name)
		}
	}
	networks, err := b.api.NetworkList(ctx, client.NetworkListOptions{Filters: b.label()})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks.Items {
		names = append(names, "network "+n.Name)
	}
	return names
}

// clean takes everything of the installation from the engine, after tests that failed too.
func (b *bench) clean(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if cs, err := b.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: b.label()}); err == nil {
		for _, c := range cs.Items {
			_, _ = b.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
	if vs, err := b.api.VolumeList(ctx, client.VolumeListOptions{Filters: b.label()}); err == nil {
		for _, v := range vs.Items {
			_, _ = b.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{Force: true})
		}
	}
	if ns, err := b.api.NetworkList(ctx, client.NetworkListOptions{Filters: b.label()}); err == nil {
		for _, n := range ns.Items {
			_, _ = b.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		}
	}
	if is, err := b.api.ImageList(ctx, client.ImageListOptions{Filters: b.label()}); err == nil {
		for _, i := range is.Items {
			_, _ = b.api.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true})
		}
	}
	_, _ = b.api.ImageRemove(ctx, b.image, client.ImageRemoveOptions{Force: true})
	if e, err := New(ctx, b.cfg); err == nil {
		if err := e.RemoveInstallation(ctx); err != nil {
			t.Errorf("removing the installation: %v", err)
		}
		e.Close()
	}
}

func (b *bench) harness(level, unsupported baas.Isolation) enginetest.Harness {
	name := func(id string) string { return b.cfg.Installation + "-" + id }
	return enginetest.Harness{
		New:         func(t testing.TB) engine.Engine { return b.New(t) },
		Isolation:   level,
		Unsupported: unsupported,
		Control:     b.control,
		Data:        func(string) string { return dataDir },
		OtherImage:  b.image,
		Identity: func(t testing.TB, id string) string {
			res, err := b.api.ContainerInspect(t.Context(), name(id), client.ContainerInspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return res.Container.ID + " " + res.Container.State.StartedAt
		},
		Kill: func(t testing.TB, id string) {
			if _, err := b.api.ContainerKill(t.Context(), name(id), client.ContainerKillOptions{Signal: "KILL"}); err != nil {
				t.Fatal(err)
			}
		},
		Leftovers: b.leftovers,
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	enginetest.Run(t, b.harness(baas.IsolationContainer, baas.IsolationNone))
}

func TestConformanceSandbox(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.needSandbox(t)
	enginetest.Run(t, b.harness(baas.IsolationSandbox, baas.IsolationNone))
}

func (b *bench) needSandbox(t *testing.T) {
	t.Helper()
	c, err := b.New(t).Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if why := c.Missing[baas.IsolationSandbox]; why != "" {
		t.Fatalf("these tests need gVisor; scripts/docker.sh gvisor gets it: %s", why)
	}
}
