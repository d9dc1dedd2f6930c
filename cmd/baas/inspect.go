package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

func (c *cli) secretCommand() *cobra.Command {
	var on string
	scope := func(cmd *cobra.Command, t *client.Tenant) (string, error) {
		if on == "" {
			return "", nil
		}
		w, err := worker(cmd.Context(), t, on)
		return w.ID, err
	}
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List secrets, without their values", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		ss, err := client.Collect(t.Secrets(cmd.Context()))
		if err != nil {
			return err
		}
		var rows [][]string
		for _, s := range ss {
			of := s.WorkerID
			if of == "" {
				of = "all"
			}
			rows = append(rows, []string{s.Name, of, when(&s.UpdatedAt, "")})
		}
		return c.show(ss, []string{"NAME", "WORKER", "SET"}, rows)
	}}
	set := &cobra.Command{Use: "set NAME", Short: "Set a secret to what is read from the standard input", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		id, err := scope(cmd, t)
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(io.LimitReader(c.in, baas.MaxSecretValue+2))
		if err != nil {
			return fmt.Errorf("reading the value: %w", err)
		}
		s, err := t.PutSecret(cmd.Context(), a[0], baas.SecretPut{Value: strings.TrimSuffix(string(raw), "\n"), WorkerID: id})
		if err != nil {
			return err
		}
		return c.done(s, "Set the secret %s.", s.Name)
	}}
	set.Flags().StringVar(&on, "worker", "", "only for bots of this Worker (name or id)")
	del := &cobra.Command{Use: "delete NAME", Short: "Delete a secret", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		id, err := scope(cmd, t)
		if err != nil {
			return err
		}
		if err := t.DeleteSecret(cmd.Context(), a[0], id); err != nil {
			return err
		}
		return c.done(struct{}{}, "Deleted the secret %s.", a[0])
	}}
	del.Flags().StringVar(&on, "worker", "", "that of this Worker (name or id)")
	return c.group("secret", "Values that bots receive and nobody can read back", list, set, del)
}

func (c *cli) moveCommand() *cobra.Command {
	var of string
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List moves, newest first", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		id := ""
		if of != "" {
			b, err := bot(cmd.Context(), t, of)
			if err != nil {
				return err
			}
			id = b.ID
		}
		ms, err := client.Collect(t.Moves(cmd.Context(), id))
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range ms {
			rows = append(rows, []string{m.ID, m.BotID, m.From, m.To, string(m.Step), when(&m.CreatedAt, ""), m.Reason})
		}
		return c.show(ms, []string{"ID", "BOT", "FROM", "TO", "STEP", "BEGAN", "REASON"}, rows)
	}}
	list.Flags().StringVar(&of, "bot", "", "only of this bot (name or id)")
	return c.group("move", "Hand-overs of bots; begin one with: baas bot move", list)
}

func (c *cli) eventCommand() *cobra.Command {
	var on, of, search string
	var kinds, levels []string
	var limit int
	var follow bool
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List what happened", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		t, err := c.inTenant(ctx)
		if err != nil {
			return err
		}
		q := client.EventQuery{Search: search}
		for _, k := range kinds {
			q.Kinds = append(q.Kinds, baas.EventKind(k))
		}
		for _, l := range levels {
			q.Levels = append(q.Levels, baas.Level(l))
		}
		if on != "" {
			w, err := worker(ctx, t, on)
			if err != nil {
				return err
			}
			q.WorkerIDs = []string{w.ID}
		}
		if of != "" {
			b, err := bot(ctx, t, of)
			if err != nil {
				return err
			}
			q.BotID = b.ID
		}
		read := func(limit int, since string) (es []baas.Event, err error) { // newest first, down to since
			for e, err := range t.Events(ctx, q) {
				if err != nil {
					return es, err
				}
				if e.ID <= since || len(es) == limit {
					break
				}
				es = append(es, e)
			}
			return es, nil
		}
		es, err := read(limit, "")
		if err != nil || !follow {
			return errors.Join(err, c.showEvents(es, es...))
		}
		last := ""
		print := func(es []baas.Event) error {
			for i := len(es) - 1; i >= 0; i-- {
				last = es[i].ID
				if err := c.printEvent(es[i]); err != nil {
					return err
				}
			}
			return nil
		}
		if err := print(es); err != nil {
			return err
		}
		for ch, err := range t.Changes(ctx) {
			if err != nil {
				return err
			}
			if ch.Kind != "event" && ch.Kind != baas.ChangeResync {
				continue
			}
			es, err := read(1000, last)
			if err != nil {
				return err
			}
			if err := print(es); err != nil {
				return err
			}
		}
		return nil
	}}
	f := list.Flags()
	f.StringVar(&on, "worker", "", "only of this Worker (name or id)")
	f.StringVar(&of, "bot", "", "only of this bot (name or id)")
	f.StringVar(&search, "search", "", "part of the message")
	f.StringSliceVar(&kinds, "kind", nil, "only of these kinds, such as worker.created")
	f.StringSliceVar(&levels, "level", nil, "info, warning or error")
	f.IntVar(&limit, "limit", 50, "how many")
	f.BoolVarP(&follow, "follow", "f", false, "go on with new ones")
	return c.group("event", "What happened", list)
}

func (c *cli) showEvents(v any, es ...baas.Event) error {
	var rows [][]string
	for _, e := range es {
		rows = append(rows, []string{when(&e.At, ""), string(e.Level), string(e.Kind), e.Message})
	}
	return c.show(v, []string{"TIME", "LEVEL", "KIND", "MESSAGE"}, rows)
}

func (c *cli) printEvent(e baas.Event) error {
	if c.output == "json" {
		return json.NewEncoder(c.out).Encode(e)
	}
	_, err := fmt.Fprintf(c.out, "%s  %-7s  %-26s  %s\n", e.At.Local().Format(time.DateTime), e.Level, e.Kind, e.Message)
	return err
}

func (c *cli) usageCommand() *cobra.Command {
	var on, of, step, from, to string
	var byBot, csv bool
	cmd := &cobra.Command{Use: "usage", Short: "What Workers and bots used", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		t, err := c.inTenant(ctx)
		if err != nil {
			return err
		}
		q := baas.UsageQuery{ByBot: byBot, Step: baas.UsageStep(step)}
		if q.From, err = moment(from); err != nil {
			return err
		}
		if q.To, err = moment(to); err != nil {
			return err
		}
		if on != "" {
			w, err := worker(ctx, t, on)
			if err != nil {
				return err
			}
			q.WorkerIDs = []string{w.ID}
		}
		if of != "" {
			b, err := bot(ctx, t, of)
			if err != nil {
				return err
			}
			q.BotID = b.ID
		}
		if csv {
			r, err := t.UsageCSV(ctx, q)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(c.out, r)
			return err
		}
		points, err := t.Usage(ctx, q)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, p := range points {
			rows = append(rows, []string{when(&p.Start, ""), p.WorkerID, p.BotID, strconv.FormatFloat(float64(p.CPUMillis)/1000, 'f', 1, 64),
				strconv.FormatFloat(float64(p.MemoryByteSeconds)/(3600<<30), 'f', 3, 64), strconv.FormatInt(p.Requests, 10)})
		}
		return c.show(points, []string{"START", "WORKER", "BOT", "CPU (s)", "MEMORY (GiB h)", "REQUESTS"}, rows)
	}}
	c.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&on, "worker", "", "only of this Worker (name or id)")
	f.StringVar(&of, "bot", "", "only of this bot (name or id)")
	f.BoolVar(&byBot, "by-bot", false, "one line per bot instead of one per Worker")
	f.StringVar(&step, "step", "hour", "minute, hour or day")
	f.StringVar(&from, "from", "", "such as 2026-01-31 or 2026-01-31T12:00:00Z; a day ago when left out")
	f.StringVar(&to, "to", "", "now when left out")
	f.BoolVar(&csv, "csv", false, "all meters as CSV")
	return cmd
}

func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("%q is no time such as 2026-01-31 or 2026-01-31T12:00:00Z", s)}
}

func (c *cli) logsCommand() *cobra.Command {
	var q client.LogQuery
	var since time.Duration
	cmd := &cobra.Command{Use: "logs BOT", Short: "What a bot wrote", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		ctx := cmd.Context()
		t, err := c.inTenant(ctx)
		if err != nil {
			return err
		}
		b, err := bot(ctx, t, a[0])
		if err != nil {
			return err
		}
		if since > 0 {
			q.Since = time.Now().Add(-since)
		}
		for {
			broken, err := c.printLogs(t.Logs(ctx, b.ID, q), &q)
			if !q.Follow || !broken || ctx.Err() != nil {
				return err
			}
			fmt.Fprintln(c.err, "baas: the connection ended; connecting again")
			q.Tail = 10000 // what was written meanwhile; Since leaves out what was shown
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Second):
			}
		}
	}}
	c.flags(cmd)
	cmd.Flags().IntVar(&q.Tail, "tail", 200, "the last lines")
	cmd.Flags().BoolVarP(&q.Follow, "follow", "f", false, "go on with new lines")
	cmd.Flags().DurationVar(&since, "since", 0, "leave out what is older, such as 10m")
	return cmd
}

// printLogs writes lines and notes in q what comes after them. broken means that the connection ended, and not by a refusal.
func (c *cli) printLogs(lines iter.Seq2[client.LogLine, error], q *client.LogQuery) (broken bool, err error) {
	for l, err := range lines {
		if err != nil {
			return errors.Is(err, baas.ErrUnavailable), err
		}
		q.Since = l.At.Add(time.Nanosecond)
		if c.output == "json" {
			err = json.NewEncoder(c.out).Encode(l)
		} else {
			_, err = fmt.Fprintf(c.out, "%s  %-6s  %s\n", l.At.Local().Format("15:04:05.000"), l.Stream, l.Text)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
