package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

func (c *cli) workerCommand() *cobra.Command {
	var search string
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List Workers", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		ws, err := client.Collect(t.Workers(cmd.Context(), client.WorkerQuery{Search: search}))
		if err != nil {
			return err
		}
		return c.showWorkers(ws, ws...)
	}}
	list.Flags().StringVar(&search, "search", "", "part of the name")

	get := c.onWorker("get WORKER", "Show a Worker", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error { return c.showWorkers(w, w) })

	var in baas.WorkerCreate
	var size baas.Size
	var isolation string
	var wait bool
	create := &cobra.Command{Use: "create NAME", Short: "Make a Worker", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		in.Name, in.Isolation, in.Size = a[0], baas.Isolation(isolation), &size
		w, err := t.CreateWorker(cmd.Context(), in)
		if err != nil {
			return err
		}
		return c.worked(cmd, t, w, wait, running)
	}}
	create.Flags().StringVar(&in.Image, "image", "", "container image; the platform's own when left out")
	create.Flags().StringVar(&isolation, "isolation", "", "container, sandbox or vm")
	sizeFlags(create, &size, baas.DefaultSize)
	waitFlag(create, &wait)

	var name, image string
	update := c.onWorker("update WORKER", "Change a Worker's name, image or isolation", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		var u baas.WorkerUpdate
		f := cmd.Flags()
		if f.Changed("name") {
			u.Name = &name
		}
		if f.Changed("image") {
			u.Image = &image
		}
		if f.Changed("isolation") {
			u.Isolation = (*baas.Isolation)(&isolation)
		}
		w, err := t.UpdateWorker(cmd.Context(), w.ID, w.Version, u)
		if err != nil {
			return err
		}
		return c.showWorkers(w, w)
	})
	update.Flags().StringVar(&name, "name", "", "new name")
	update.Flags().StringVar(&image, "image", "", "new image; an empty one is the platform's own")
	update.Flags().StringVar(&isolation, "isolation", "", "container, sandbox or vm")

	var yes bool
	del := c.onWorker("delete WORKER", "Delete a Worker with its bots and its volume", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		if err := c.confirm(yes, "the Worker", w.Name); err != nil {
			return err
		}
		w, err := t.DeleteWorker(cmd.Context(), w.ID, w.Name)
		if err != nil {
			return err
		}
		if !wait {
			return c.done(w, "The Worker %s is being deleted.", w.Name)
		}
		_, err = await(cmd.Context(), c, t, func() (baas.Worker, error) { return t.Worker(cmd.Context(), w.ID) }, workerState, func(baas.Worker) (bool, error) { return false, nil })
		if !errors.Is(err, baas.ErrNotFound) {
			return err
		}
		return c.done(w, "The Worker %s is deleted.", w.Name)
	})
	del.Flags().BoolVar(&yes, "yes", false, "don't ask")
	waitFlag(del, &wait)

	start := c.onWorker("start WORKER", "Start a Worker", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		w, err := t.StartWorker(cmd.Context(), w.ID)
		if err != nil {
			return err
		}
		return c.worked(cmd, t, w, wait, running)
	})
	waitFlag(start, &wait)
	stop := c.onWorker("stop WORKER", "Stop a Worker and its bots; its volume stays", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		w, err := t.StopWorker(cmd.Context(), w.ID)
		if err != nil {
			return err
		}
		return c.worked(cmd, t, w, wait, func(w baas.Worker) bool { return w.Status.State == baas.WorkerStopped })
	})
	waitFlag(stop, &wait)
	restart := c.onWorker("restart WORKER", "Restart a Worker and its bots", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		before := w.Status.Since
		w, err := t.RestartWorker(cmd.Context(), w.ID)
		if err != nil {
			return err
		}
		return c.worked(cmd, t, w, wait, func(w baas.Worker) bool { return running(w) && w.Status.Since.After(before) })
	})
	waitFlag(restart, &wait)

	var to baas.Size
	resize := c.onWorker("resize WORKER", "Change a Worker's limits, up or down", func(cmd *cobra.Command, t *client.Tenant, w baas.Worker) error {
		next := w.Size
		f := cmd.Flags()
		if f.Changed("cpu") {
			next.CPUMillis = to.CPUMillis
		}
		if f.Changed("memory") {
			next.MemoryMiB = to.MemoryMiB
		}
		if f.Changed("disk") {
			next.DiskGiB = to.DiskGiB
		}
		r, err := t.ResizeWorker(cmd.Context(), w.ID, w.Version, next)
		if err != nil {
			return err
		}
		text := map[baas.ResizeEffect]string{
			baas.ResizeNone:    "it has this size already",
			baas.ResizeLive:    "its bots go on",
			baas.ResizeRestart: "its machine restarts, and its bots with it",
			baas.ResizeLater:   "from its next start",
		}[r.Effect]
		fmt.Fprintln(c.err, "New size:", text)
		if !wait {
			return c.done(r, "%s", sizeText(r.Worker.Size))
		}
		return c.worked(cmd, t, r.Worker, r.Effect != baas.ResizeLater, func(w baas.Worker) bool {
			return running(w) && w.Status.AppliedSize != nil && *w.Status.AppliedSize == next
		})
	})
	sizeFlags(resize, &to, baas.Size{})
	waitFlag(resize, &wait)
	return c.group("worker", "Isolated machines", list, get, create, update, del, start, stop, restart, resize)
}

// onWorker makes a command about one Worker, given by name or id.
func (c *cli) onWorker(use, short string, do func(*cobra.Command, *client.Tenant, baas.Worker) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		w, err := worker(cmd.Context(), t, a[0])
		if err != nil {
			return err
		}
		return do(cmd, t, w)
	}}
}

func sizeFlags(cmd *cobra.Command, s *baas.Size, standard baas.Size) {
	cmd.Flags().Int64Var(&s.CPUMillis, "cpu", standard.CPUMillis, "thousandths of a core")
	cmd.Flags().Int64Var(&s.MemoryMiB, "memory", standard.MemoryMiB, "MiB of memory")
	cmd.Flags().Int64Var(&s.DiskGiB, "disk", standard.DiskGiB, "GiB of disk")
}

func waitFlag(cmd *cobra.Command, wait *bool) {
	cmd.Flags().BoolVar(wait, "wait", false, "wait until it is done, and show how far it is")
}

func running(w baas.Worker) bool {
	return w.Status.State == baas.WorkerRunning || w.Status.State == baas.WorkerDegraded
}

func workerState(w baas.Worker) string {
	return w.Name + ": " + string(w.Status.State) + ", " + w.Status.Reason
}

// worked shows a Worker, after waiting for it when asked.
func (c *cli) worked(cmd *cobra.Command, t *client.Tenant, w baas.Worker, wait bool, enough func(baas.Worker) bool) error {
	if wait {
		var err error
		w, err = await(cmd.Context(), c, t, func() (baas.Worker, error) { return t.Worker(cmd.Context(), w.ID) }, workerState, func(w baas.Worker) (bool, error) {
			if w.Status.State == baas.WorkerFailed {
				return false, fmt.Errorf("the Worker %s failed: %s", w.Name, w.Status.Reason)
			}
			return enough(w), nil
		})
		if err != nil {
			return err
		}
	}
	return c.showWorkers(w, w)
}

func (c *cli) showWorkers(v any, ws ...baas.Worker) error {
	var rows [][]string
	for _, w := range ws {
		rows = append(rows, []string{w.Name, string(w.Status.State), strconv.FormatInt(w.Size.CPUMillis, 10), strconv.FormatInt(w.Size.MemoryMiB, 10),
			strconv.FormatInt(w.Size.DiskGiB, 10), string(w.Isolation), w.ID, w.Status.Reason})
	}
	return c.show(v, []string{"NAME", "STATE", "CPU (m)", "MEMORY (MiB)", "DISK (GiB)", "ISOLATION", "ID", "REASON"}, rows)
}

func sizeText(s baas.Size) string {
	return fmt.Sprintf("%d thousandths of a core, %d MiB of memory, %d GiB of disk", s.CPUMillis, s.MemoryMiB, s.DiskGiB)
}
