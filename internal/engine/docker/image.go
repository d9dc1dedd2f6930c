package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/baas-platform/baas"
)

// Where things are inside a machine.
const (
	agentDir  = "/.baas"
	agentPath = agentDir + "/baas"
	dataDir   = "/data"
	repo      = "baas/worker"
)

// workerUID is the user and group that everything in a machine runs as.
const workerUID = 65532

// imageLayout changes with what imageTar writes besides the binary and the certificates.
const imageLayout = "1"

// helperAge is after how long a helper container counts as left behind by a crash.
const helperAge = 10 * time.Minute

// binary is the agent that is injected into machines.
type binary struct {
	path  string
	size  int64
	hash  string // of the binary alone: machines with another one are outdated
	image string // of everything in the platform's image
	ca    []byte
}

func readBinary(path, caFile string) (binary, error) {
	doing := "reading the agent's binary " + path
	f, err := os.Open(path)
	if err != nil {
		return binary{}, fmt.Errorf("%s: %w", doing, err)
	}
	defer f.Close()
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return binary{}, fmt.Errorf("%s: %w", doing, err)
	}
	if err := checkStatic(f); err != nil {
		return binary{}, fmt.Errorf("%s: %w", doing, err)
	}
	ca, err := os.ReadFile(caFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return binary{}, fmt.Errorf("reading the certificate authorities: %w", err)
	}
	hash := hex.EncodeToString(h.Sum(nil))
	return binary{path: path, size: size, hash: hash[:16], image: digest(imageLayout, hash, string(ca))[:16], ca: ca}, nil
}

// checkStatic refuses a binary that needs a dynamic loader, which images needn't have.
func checkStatic(r io.ReaderAt) error {
	f, err := elf.NewFile(r)
	if err != nil {
		return fmt.Errorf("it is not a Linux program: %w", err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("it is linked dynamically, so it would not start in other images; build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// images remembers what was seen on the engine, so that making a machine costs no more calls than needed.
type images struct {
	mu     sync.Mutex
	worker bool // the platform's image is there
	agent  bool // the volume with the agent's binary is there and filled
}

// forgetImages makes the next use look again: somebody has removed something.
func (e *Engine) forgetImages() {
	e.images.mu.Lock()
	defer e.images.mu.Unlock()
	e.images.worker, e.images.agent = false, false
}

func (e *Engine) workerImage() string {
	return repo + ":" + e.cfg.Installation + "-" + e.binary.image
}
func (e *Engine) agentVolume() string { return e.cfg.Installation + "-agent-" + e.binary.hash }

// EnsureImage makes the platform's image from the agent's binary when it is missing, and removes those of earlier
// binaries that no machine uses any more. Idempotent.
func (e *Engine) EnsureImage(ctx context.Context) error {
	e.images.mu.Lock()
	defer e.images.mu.Unlock()
	if e.images.worker {
		return nil
	}
	_, err := e.api.ImageInspect(ctx, e.workerImage())
	if err != nil && !errdefs.IsNotFound(err) {
		return apiError("looking for the Worker image", err)
	}
	if err != nil {
		if err := e.importImage(ctx); err != nil {
			return err
		}
	}
	e.images.worker = true
	e.removeOld(ctx)
	return nil
}

func (e *Engine) importImage(ctx context.Context) error {
	doing := "importing the Worker image " + e.workerImage()
	begin := time.Now()
	r, w := io.Pipe()
	go func() { w.CloseWithError(e.binary.writeImage(w)) }()
	defer r.Close()
	res, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: r, SourceName: "-"}, e.workerImage(), client.ImageImportOptions{
		Changes: []string{
			`ENTRYPOINT ["` + agentPath + `"]`,
			`CMD ["agent"]`,
			fmt.Sprintf("USER %d:%d", workerUID, workerUID),
			"WORKDIR " + dataDir,
			"LABEL " + labelInstallation + "=" + e.cfg.Installation + " " + labelAgent + "=" + e.binary.hash,
		},
	})
	if err != nil {
		return apiError(doing, err)
	}
	defer res.Close()
	for dec := json.NewDecoder(res); ; {
		var line struct {
			Error string `json:"error"`
		}
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return apiError(doing, err)
		}
		if line.Error != "" {
			return fmt.Errorf("%s: %s", doing, line.Error)
		}
	}
	e.log.InfoContext(ctx, "Worker image imported", "image", e.workerImage(), "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

// writeImage writes the root file system of the platform's image.
func (b binary) writeImage(w io.Writer) error {
	f, err := os.Open(b.path)
	if err != nil {
		return fmt.Errorf("reading the agent's binary: %w", err)
	}
	defer f.Close()
	t := tar.NewWriter(w)
	add := func(name string, mode int64, owner int, size int64, body io.Reader) {
		if err != nil {
			return
		}
		h := &tar.Header{Name: name, Mode: mode, Uid: owner, Gid: owner, Size: size, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if body == nil {
			h.Typeflag = tar.TypeDir
		}
		if err = t.WriteHeader(h); err == nil && body != nil {
			_, err = io.Copy(t, body)
		}
	}
	file := func(name, text string) { add(name, 0o644, 0, int64(len(text)), bytes.NewReader([]byte(text))) }
	add(".baas/", 0o755, 0, 0, nil)
	add(".baas/baas", 0o755, 0, b.size, io.LimitReader(f, b.size))
	add("data/", 0o750, workerUID, 0, nil)
	add("tmp/", 0o1777, 0, 0, nil)
	add("etc/", 0o755, 0, 0, nil)
	file("etc/passwd", fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nworker:x:%d:%d:Worker:%s:/sbin/nologin\n", workerUID, workerUID, dataDir))
	file("etc/group", fmt.Sprintf("root:x:0:\nworker:x:%d:\n", workerUID))
	if len(b.ca) > 0 {
		add("etc/ssl/", 0o755, 0, 0, nil)
		add("etc/ssl/certs/", 0o755, 0, 0, nil)
		file("etc/ssl/certs/ca-certificates.crt", string(b.ca))
	}
	if err == nil {
		err = t.Close()
	}
	return err
}

// removeOld removes images and agent volumes of earlier binaries, and helpers that a crash left. The engine itself
// refuses to remove what a container uses, so failures are left for the next start.
func (e *Engine) removeOld(ctx context.Context) {
	if tags, err := e.imageTags(ctx); err == nil {
		for _, tag := range tags {
			if tag != e.workerImage() {
				_, _ = e.api.ImageRemove(ctx, tag, client.ImageRemoveOptions{PruneChildren: true})
			}
		}
	}
	if vols, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: e.owned(kindAgent)}); err == nil {
		for _, v := range vols.Items {
			if v.Name != e.agentVolume() {
				_, _ = e.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			}
		}
	}
	_ = e.removeHelpers(ctx, e.owned(kindHelper), helperAge)
}

// removeHelpers removes helpers that a crash left, if they are as old. One that is left keeps what it uses from being
// removed.
func (e *Engine) removeHelpers(ctx context.Context, which client.Filters, age time.Duration) error {
	const doing = "removing helpers that were left"
	cs, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: which})
	if err != nil {
		return apiError(doing, err)
	}
	for _, c := range cs.Items {
		if time.Since(time.Unix(c.Created, 0)) < age {
			continue
		}
		if _, err := e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			return apiError(doing, err)
		}
	}
	return nil
}

// ensureTenantImage makes sure that an image of the tenant's choice is on the engine, and gives the paths that it
// declares as volumes.
func (e *Engine) ensureTenantImage(ctx context.Context, ref string) (volumes []string, err error) {
	img, err := e.api.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		if err := e.pull(ctx, ref); err != nil {
			return nil, err
		}
		img, err = e.api.ImageInspect(ctx, ref)
	}
	if err != nil {
		return nil, apiError("looking for image "+ref, err)
	}
	if img.Config != nil {
		for path := range img.Config.Volumes {
			volumes = append(volumes, path)
		}
	}
	return volumes, nil
}

// pull fetches an image. That it can't be had is the client's problem, whose choice it is, so the error is for it to
// read.
func (e *Engine) pull(ctx context.Context, ref string) error {
	refused := func(err error) error {
		if ctx.Err() != nil {
			return fmt.Errorf("pulling image %s: %w", ref, ctx.Err())
		}
		if e := apiError("pulling image "+ref, err); errors.Is(e, baas.ErrUnavailable) {
			return e
		}
		return &baas.Error{
			Code: baas.CodeInvalid, Message: fmt.Sprintf("image %s could not be pulled: %v", ref, err), Err: err,
			Fields: []baas.FieldError{{Field: "image", Message: "must name an image that the platform can pull"}},
		}
	}
	res, err := e.api.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return refused(err)
	}
	defer res.Close()
	if err := res.Wait(ctx); err != nil {
		return refused(err)
	}
	e.log.InfoContext(ctx, "image pulled", "image", ref)
	return nil
}

// ensureAgentVolume makes sure that the volume with the agent's binary is there and complete.
func (e *Engine) ensureAgentVolume(ctx context.Context) error {
	e.images.mu.Lock()
	defer e.images.mu.Unlock()
	if e.images.agent {
		return nil
	}
	const doing = "filling the volume with the agent"
	for range 2 {
		_, err := e.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: e.agentVolume(), Labels: e.labels(kindAgent, labelAgent, e.binary.hash)})
		if err != nil {
			return apiError(doing, err)
		}
		var size int64
		err = e.fill(ctx, e.agentVolume(), agentDir, func(helper string) error {
			res, err := e.api.ContainerStatPath(ctx, helper, client.ContainerStatPathOptions{Path: agentPath})
			if err != nil && !errdefs.IsNotFound(err) {
				return err
			}
			size = res.Stat.Size
			return nil
		})
		if err != nil {
			return apiError(doing, err)
		}
		if size == e.binary.size {
			e.images.agent = true
			return nil
		}
		// The engine was killed in the middle of copying. It copies only into an empty volume, so it needs a new one.
		if _, err := e.api.VolumeRemove(ctx, e.agentVolume(), client.VolumeRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return apiError(doing, err)
		}
	}
	return errors.New(doing + ": it is still incomplete after a second try")
}

// fill lets the engine copy what the platform's image has at path, with its owner, into the volume if that is empty: a
// container that mounts it is made, given to check, and removed without having been started.
func (e *Engine) fill(ctx context.Context, volume, path string, check func(helper string) error) error {
	res, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: e.workerImage(), Labels: e.labels(kindHelper)},
		HostConfig: &container.HostConfig{
			NetworkMode: "none",
			Mounts:      []mount.Mount{{Type: mount.TypeVolume, Source: volume, Target: path}},
		},
	})
	if err != nil {
		return err
	}
	defer e.removeHelper(ctx, res.ID)
	if check == nil {
		return nil
	}
	return check(res.ID)
}

// removeHelper works also after ctx has ended.
func (e *Engine) removeHelper(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
		e.log.WarnContext(ctx, "helper container could not be removed; the next start does", "container", id, "error", err)
	}
}
