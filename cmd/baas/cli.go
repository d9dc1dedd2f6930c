package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4 // not logged in, or not allowed
	exitRefused     = 5 // wrong input, a conflict or a limit
	exitUnavailable = 6 // may work later
	exitInterrupted = 130
)

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// run carries out a command line and gives the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := rootCommand(s)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(ctx, err)
	if code != exitInterrupted {
		fmt.Fprintln(s.err, "baas:", describe(err))
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	var usage usageError
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command"): // cobra has no type for it
		return exitUsage
	}
	var e *baas.Error
	if !errors.As(err, &e) {
		return exitFailed
	}
	switch e.Code {
	case baas.CodeNotFound:
		return exitNotFound
	case baas.CodeUnauthenticated, baas.CodeForbidden:
		return exitDenied
	case baas.CodeUnavailable, baas.CodeRateLimited:
		return exitUnavailable
	case baas.CodeInternal:
		return exitFailed
	}
	return exitRefused
}

// describe says what is wrong, with every wrong field on a line of its own.
func describe(err error) string {
	var e *baas.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Message
	if text == "" {
		text = string(e.Code)
	}
	for _, f := range e.Fields {
		text += "\n  " + f.Field + ": " + f.Message
	}
	if e.Code == baas.CodeUnauthenticated {
		text += "\n  log in with: baas login URL --email you@example.com"
	}
	return text
}

// cli is what the client commands share.
type cli struct {
	streams
	url, tenant, output string
}

func newCLI(s streams) *cli {
	return &cli{streams: s}
}

// group makes a command that holds others, with the flags of all client commands.
func (c *cli) group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.flags(cmd)
	cmd.AddCommand(sub...)
	return cmd
}

func (c *cli) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&c.url, "url", "", "address of the platform (BAAS_URL; that of the log-in when left out)")
	f.StringVarP(&c.tenant, "tenant", "t", "", "id or short name of the tenant (BAAS_TENANT; your only one when left out)")
	f.StringVarP(&c.output, "output", "o", "table", "table or json")
}

// args wants between n and at most n (or most[0]) arguments.
func args(n int, most ...int) cobra.PositionalArgs {
	top := n
	if len(most) > 0 {
		top = most[0]
	}
	return func(cmd *cobra.Command, given []string) error {
		if len(given) < n || len(given) > top {
			return usageError{fmt.Errorf("%q takes other arguments: %s", cmd.CommandPath(), cmd.UseLine())}
		}
		return nil
	}
}

// settings are kept between commands.
type settings struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
	Email  string `json:"email,omitempty"`
	Tenant string `json:"tenant,omitempty"`
}

func settingsPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for settings: %w", err)
	}
	return filepath.Join(dir, "baas", "config.json"), nil
}

func readSettings() (s settings, err error) {
	path, err := settingsPath()
	if err != nil {
		return s, err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the settings: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the settings in %s: %w", path, err)
	}
	return s, nil
}

// writeSettings replaces the settings; only their owner can read them.
func writeSettings(s settings) error {
	path, err := settingsPath()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the settings: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder for settings: %w", err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

// client makes the client of whom the environment or the last log-in says.
func (c *cli) client() (*client.Client, settings, error) {
	s, err := readSettings()
	if err != nil {
		return nil, s, err
	}
	if v := os.Getenv("BAAS_TOKEN"); v != "" {
		s.Secret = v
	}
	for _, v := range []string{os.Getenv("BAAS_URL"), c.url} {
		if v == "" {
			continue
		}
		if v != s.URL && os.Getenv("BAAS_TOKEN") == "" {
			s.Secret = "" // of another platform
		}
		s.URL = v
	}
	if v := os.Getenv("BAAS_TENANT"); v != "" {
		s.Tenant = v
	}
	if c.tenant != "" {
		s.Tenant = c.tenant
	}
	if s.URL == "" || s.Secret == "" {
		return nil, s, baas.Errorf(baas.CodeUnauthenticated, "not logged in")
	}
	cl, err := client.New(s.URL, s.Secret)
	return cl, s, err
}

// inTenant is the tenant that the command is about.
func (c *cli) inTenant(ctx context.Context) (*client.Tenant, error) {
	cl, s, err := c.client()
	if err != nil {
		return nil, err
	}
	if s.Tenant != "" {
		return cl.Tenant(s.Tenant), nil
	}
	acc, err := cl.Account(ctx)
	if err != nil {
		return nil, err
	}
	if len(acc.Tenants) == 1 {
		return cl.Tenant(acc.Tenants[0].Tenant.ID), nil
	}
	var names []string
	for _, m := range acc.Tenants {
		names = append(names, m.Tenant.Slug)
	}
	if len(names) == 0 {
		return nil, usageError{errors.New("you are a member of no tenant; name one with --tenant")}
	}
	return nil, usageError{fmt.Errorf("name a tenant with --tenant: %s", strings.Join(names, ", "))}
}

// show writes v as JSON or as a table of rows under columns.
func (c *cli) show(v any, columns []string, rows [][]string) error {
	switch c.output {
	case "json":
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "table":
		w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, strings.Join(columns, "\t"))
		for _, r := range rows {
			fmt.Fprintln(w, strings.Join(r, "\t"))
		}
		return w.Flush()
	}
	return usageError{fmt.Errorf("--output is %q; must be table or json", c.output)}
}

// done reports the outcome of an action: v as JSON, or a sentence.
func (c *cli) done(v any, format string, a ...any) error {
	if c.output == "json" {
		return c.show(v, nil, nil)
	}
	_, err := fmt.Fprintf(c.out, format+"\n", a...)
	return err
}

// confirm asks for the name of what is deleted, unless yes.
func (c *cli) confirm(yes bool, what, name string) error {
	if yes {
		return nil
	}
	f, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return usageError{fmt.Errorf("deleting %s %s needs --yes when nobody can be asked", what, name)}
	}
	fmt.Fprintf(c.err, "Delete %s %q for good? Type its name: ", what, name)
	line, err := readLine(c.in)
	if err != nil {
		return err
	}
	if line != name {
		return errors.New("not deleted: that is not its name")
	}
	return nil
}

// readLine reads to the end of the line and not beyond.
func readLine(r io.Reader) (string, error) {
	var b []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				break
			}
			b = append(b, one[0])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("reading: %w", err)
		}
	}
	return strings.TrimRight(string(b), "\r"), nil
}

// worker finds a Worker by id or name.
func worker(ctx context.Context, t *client.Tenant, ref string) (baas.Worker, error) {
	if baas.ValidID(baas.PrefixWorker, ref) {
		return t.Worker(ctx, ref)
	}
	for w, err := range t.Workers(ctx, client.WorkerQuery{Search: ref}) {
		if err != nil || w.Name == ref {
			return w, err
		}
	}
	return baas.Worker{}, baas.Errorf(baas.CodeNotFound, "there is no Worker %q", ref)
}

// bot finds a bot by id or name.
func bot(ctx context.Context, t *client.Tenant, ref string) (baas.Bot, error) {
	if baas.ValidID(baas.PrefixBot, ref) {
		return t.Bot(ctx, ref)
	}
	for b, err := range t.Bots(ctx, client.BotQuery{Search: ref}) {
		if err != nil || b.Name == ref {
			return b, err
		}
	}
	return baas.Bot{}, baas.Errorf(baas.CodeNotFound, "there is no bot %q", ref)
}

// await reads a thing again whenever something changes, until enough says so, and reports each new state.
func await[T any](ctx context.Context, c *cli, t *client.Tenant, read func() (T, error), state func(T) string, enough func(T) (bool, error)) (T, error) {
	var last string
	for _, err := range t.Changes(ctx) {
		if err != nil {
			var none T
			return none, err
		}
		v, err := read()
		if err != nil {
			return v, err
		}
		if s := state(v); s != last {
			fmt.Fprintln(c.err, s)
			last = s
		}
		if ok, err := enough(v); ok || err != nil {
			return v, err
		}
	}
	var none T
	return none, ctx.Err()
}
