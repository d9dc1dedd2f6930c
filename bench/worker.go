package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	docker "github.com/moby/moby/client"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

const (
	pairs        = 50
	warmUp       = 2 // pairs that aren't counted: the first brings image, network and firewall rules
	idleSettle   = 70 * time.Second
	addedTarget  = 150 // ms
	memoryTarget = 14  // MB
)

var workerSize = baas.Size{CPUMillis: 2000, MemoryMiB: 512, DiskGiB: 1}

// measureWorkers compares the making of a Worker, from the API call until its agent is connected, with the making and
// starting of a plain container of the same image, and reads what an idle agent takes.
func measureWorkers(ctx context.Context, b *bench) (err error) {
	p, err := b.newPlatform(ctx, "docker")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(ctx)) }()
	t, err := p.newTenant(ctx, "Acme")
	if err != nil {
		return err
	}
	engine, err := docker.New(docker.FromEnv)
	if err != nil {
		return fmt.Errorf("opening the Docker Engine: %w", err)
	}
	defer engine.Close()
	changes, stop := t.follow(ctx)
	defer stop()

	idle, err := t.newWorker(ctx, baas.WorkerCreate{Name: "Ocioso", Size: &workerSize})
	if err != nil {
		return err
	}
	machine, err := machineOf(ctx, engine, idle.ID)
	if err != nil {
		return err
	}
	var raw, whole times
	var phases phases
	for i := range warmUp + pairs {
		r, err := plainContainer(ctx, engine, machine.Config.Image)
		if err != nil {
			return err
		}
		w, err := oneWorker(ctx, t, changes, fmt.Sprint("Worker ", i), &phases)
		if err != nil {
			return err
		}
		if i >= warmUp {
			raw, whole = append(raw, r), append(whole, w)
		}
	}
	b.detail("p50 %.0f ms, plain container %.0f ms", whole.at(50), raw.at(50))
	for _, name := range phases.names {
		b.detail("until %s: p50 %.1f ms, p95 %.1f ms", name, phases.took[name].at(50), phases.took[name].at(95))
	}
	b.add(atMost("Worker made → agent connected, added to a plain container, p95", whole.at(95)-raw.at(95), "ms", addedTarget).against(raw.at(95), whole.at(95)))

	// Long enough for every timer of the agent to have run.
	if err := pause(ctx, idleSettle); err != nil {
		return err
	}
	pss, err := memoryOf(machine.State.Pid, "smaps_rollup", "Pss")
	if err != nil {
		return fmt.Errorf("reading the agent's memory (as root, where the Docker Engine runs): %w", err)
	}
	b.add(atMost("memory of an idle agent (PSS)", float64(pss)/1e6, "MB", memoryTarget))
	return nil
}

// follow gives the ids of Workers that change.
func (t tenant) follow(ctx context.Context) (ids <-chan string, stop func()) {
	ctx, stop = context.WithCancel(ctx)
	ch := make(chan string, 1024)
	go func() {
		defer close(ch)
		for c, err := range t.Changes(ctx) {
			if err != nil {
				return
			}
			if c.Kind != "worker" && c.Kind != baas.ChangeResync {
				continue
			}
			select {
			case ch <- c.ID:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch, stop
}

// plainContainer makes and starts a container of the image, as docker create and docker start do, and removes it.
func plainContainer(ctx context.Context, engine *docker.Client, image string) (time.Duration, error) {
	began := time.Now()
	made, err := engine.ContainerCreate(ctx, docker.ContainerCreateOptions{Config: &container.Config{Image: image}, HostConfig: &container.HostConfig{}})
	if err != nil {
		return 0, fmt.Errorf("making a container: %w", err)
	}
	_, err = engine.ContainerStart(ctx, made.ID, docker.ContainerStartOptions{})
	took := time.Since(began)
	if _, gone := engine.ContainerRemove(context.WithoutCancel(ctx), made.ID, docker.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err == nil {
		err = gone
	}
	if err != nil {
		return 0, fmt.Errorf("starting a container: %w", err)
	}
	return took, nil
}

// oneWorker makes a Worker, waits until the API says that its agent is connected, and deletes it.
func oneWorker(ctx context.Context, t tenant, changes <-chan string, name string, phases *phases) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	began := time.Now()
	w, err := t.CreateWorker(ctx, baas.WorkerCreate{Name: name, Size: &workerSize})
	if err != nil {
		return 0, fmt.Errorf("making a Worker: %w", err)
	}
	if err := t.wait(ctx, changes, w.ID, func(w baas.Worker, err error) bool { return err == nil && w.Status.State == baas.WorkerRunning }); err != nil {
		return 0, fmt.Errorf("waiting for its agent: %w", err)
	}
	took := time.Since(began)
	if err := phases.add(ctx, t, w.ID, began, began.Add(took)); err != nil {
		return 0, err
	}
	if _, err := t.DeleteWorker(ctx, w.ID, name); err != nil {
		return 0, fmt.Errorf("deleting a Worker: %w", err)
	}
	if err := t.wait(ctx, changes, w.ID, func(_ baas.Worker, err error) bool { return errors.Is(err, baas.ErrNotFound) }); err != nil {
		return 0, fmt.Errorf("waiting until it is gone: %w", err)
	}
	return took, nil
}

// phases is how long Workers took from one of their events to the next.
type phases struct {
	names []string // in the order in which they were first met
	took  map[string]times
}

// add reads the events of a Worker that was asked for at began and seen to run at end.
func (p *phases) add(ctx context.Context, t tenant, workerID string, began, end time.Time) error {
	var events []baas.Event
	for e, err := range t.Events(ctx, client.EventQuery{WorkerIDs: []string{workerID}}) {
		if err != nil {
			return fmt.Errorf("reading the Worker's events: %w", err)
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b baas.Event) int { return a.At.Compare(b.At) })
	for _, e := range append(events, baas.Event{Kind: "seen", At: end}) {
		name := string(e.Kind)
		if p.took == nil {
			p.took = map[string]times{}
		}
		if !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
		}
		p.took[name] = append(p.took[name], e.At.Sub(began))
		began = e.At
	}
	return nil
}

// wait reads the Worker whenever it changed until it is as it should be.
func (t tenant) wait(ctx context.Context, changes <-chan string, id string, ok func(baas.Worker, error) bool) error {
	for {
		w, err := t.Worker(ctx, id)
		if ok(w, err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := next(ctx, changes, id); err != nil {
			return fmt.Errorf("it is %s (%s): %w", w.Status.State, w.Status.Reason, err)
		}
	}
}

// next waits until the Worker may have changed.
func next(ctx context.Context, changes <-chan string, id string) error {
	for {
		select {
		case changed, ok := <-changes:
			if !ok {
				return errors.New("the stream of changes ended")
			}
			if changed == id || changed == "" {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// machineOf finds a Worker's container.
func machineOf(ctx context.Context, engine *docker.Client, workerID string) (container.InspectResponse, error) {
	list, err := engine.ContainerList(ctx, docker.ContainerListOptions{Filters: docker.Filters{}.Add("label", "baas.worker="+workerID)})
	if err != nil {
		return container.InspectResponse{}, fmt.Errorf("looking for the Worker's container: %w", err)
	}
	if len(list.Items) != 1 {
		return container.InspectResponse{}, fmt.Errorf("looking for the container of Worker %s: there are %d", workerID, len(list.Items))
	}
	c, err := engine.ContainerInspect(ctx, list.Items[0].ID, docker.ContainerInspectOptions{})
	if err != nil {
		return container.InspectResponse{}, fmt.Errorf("reading the Worker's container: %w", err)
	}
	return c.Container, nil
}
