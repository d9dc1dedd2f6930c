package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

// botCommand holds what clients do with bots, and what agents start.
func (c *cli) botCommand(builtin ...*cobra.Command) *cobra.Command {
	var search, on string
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List bots", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		q := client.BotQuery{Search: search}
		if on != "" {
			w, err := worker(cmd.Context(), t, on)
			if err != nil {
				return err
			}
			q.WorkerIDs = []string{w.ID}
		}
		bs, err := client.Collect(t.Bots(cmd.Context(), q))
		if err != nil {
			return err
		}
		return c.showBots(bs, bs...)
	}}
	list.Flags().StringVar(&search, "search", "", "part of the name")
	list.Flags().StringVar(&on, "worker", "", "only of this Worker (name or id)")

	get := c.onBot("get BOT", "Show a bot", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error { return c.showBots(b, b) })
	create := c.createBotCommand()
	update := c.updateBotCommand()

	var yes, wait bool
	del := c.onBot("delete BOT", "Delete a bot with its directory", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		if err := c.confirm(yes, "the bot", b.Name); err != nil {
			return err
		}
		if err := t.DeleteBot(cmd.Context(), b.ID, b.Name); err != nil {
			return err
		}
		return c.done(b, "Deleted the bot %s.", b.Name)
	})
	del.Flags().BoolVar(&yes, "yes", false, "don't ask")

	start := c.onBot("start BOT", "Start a bot", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		b, err := t.StartBot(cmd.Context(), b.ID)
		return c.acted(cmd, t, b, err, wait, baas.BotRunning)
	})
	waitFlag(start, &wait)
	stop := c.onBot("stop BOT", "Stop a bot", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		b, err := t.StopBot(cmd.Context(), b.ID)
		return c.acted(cmd, t, b, err, wait, baas.BotStopped)
	})
	waitFlag(stop, &wait)
	restart := c.onBot("restart BOT", "Restart a bot", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		b, err := t.RestartBot(cmd.Context(), b.ID)
		return c.acted(cmd, t, b, err, false, baas.BotRunning)
	})

	move := &cobra.Command{Use: "move BOT WORKER", Short: "Move a bot to another Worker", Args: args(2), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		b, err := bot(cmd.Context(), t, a[0])
		if err != nil {
			return err
		}
		w, err := worker(cmd.Context(), t, a[1])
		if err != nil {
			return err
		}
		m, err := t.MoveBot(cmd.Context(), b.ID, w.ID)
		if err != nil {
			return err
		}
		if wait {
			m, err = await(cmd.Context(), c, t, func() (baas.Move, error) { return t.Move(cmd.Context(), m.ID) },
				func(m baas.Move) string { return strings.TrimSuffix(b.Name+": "+string(m.Step)+", "+m.Reason, ", ") },
				func(m baas.Move) (bool, error) {
					if m.Step == baas.MoveFailed {
						return false, fmt.Errorf("the move failed and the bot is where it was: %s", m.Reason)
					}
					return m.Step == baas.MoveDone, nil
				})
			if err != nil {
				return err
			}
			return c.done(m, "The bot %s runs on %s now.", b.Name, w.Name)
		}
		return c.done(m, "The bot %s is being moved to %s (%s).", b.Name, w.Name, m.ID)
	}}
	waitFlag(move, &wait)

	upload := &cobra.Command{Use: "upload BOT FILE", Short: "Upload a program's files, a tar.gz or zip archive", Args: args(2), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		b, err := bot(cmd.Context(), t, a[0])
		if err != nil {
			return err
		}
		var archive io.Reader = c.in
		if a[1] != "-" {
			f, err := os.Open(a[1])
			if err != nil {
				return fmt.Errorf("opening the archive: %w", err)
			}
			defer f.Close()
			archive = f
		}
		b, err = t.PutFiles(cmd.Context(), b.ID, archive)
		if err != nil {
			return err
		}
		return c.done(b, "Uploaded %d bytes (%s).", b.Files.Size, b.Files.Digest)
	}}

	var conversation string
	send := &cobra.Command{Use: "send BOT MESSAGE", Short: "Send a bot a test message", Args: args(2), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		b, err := bot(cmd.Context(), t, a[0])
		if err != nil {
			return err
		}
		r, err := t.SendMessage(cmd.Context(), b.ID, baas.BotMessage{Message: a[1], Conversation: conversation})
		if err != nil {
			return err
		}
		return c.done(r, "%s", r.Reply)
	}}
	send.Flags().StringVar(&conversation, "conversation", "", "go on with this conversation")

	preview := c.onBot("preview BOT", "Show an address that lets your browser reach a bot for an hour", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		p, err := t.Preview(cmd.Context(), b.ID)
		if err != nil {
			return err
		}
		return c.done(p, "%s", p.URL)
	})
	token := c.onBot("access-token BOT", "Make a bot's access token anew", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		n, err := t.NewAccessToken(cmd.Context(), b.ID)
		if err != nil {
			return err
		}
		return c.done(n, "The access token is not shown again:\n%s", n.Token)
	})
	return c.group("bot", "Bots", append([]*cobra.Command{list, get, create, update, del, start, stop, restart, move, upload, send, preview, token}, builtin...)...)
}

// botSpec reads the persona or program from a file of JSON.
func botSpec(path string, in io.Reader) (a *baas.Assistant, p *baas.Program, err error) {
	raw, err := readFile(path, in)
	if err != nil {
		return nil, nil, err
	}
	var spec struct {
		Assistant *baas.Assistant `json:"assistant"`
		Program   *baas.Program   `json:"program"`
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&spec); err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if (spec.Assistant == nil) == (spec.Program == nil) {
		return nil, nil, usageError{fmt.Errorf("%s must hold either \"assistant\" or \"program\"", path)}
	}
	return spec.Assistant, spec.Program, nil
}

func readFile(path string, in io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(in, 1<<20))
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a file: %w", err)
	}
	return raw, nil
}

func (c *cli) createBotCommand() *cobra.Command {
	var on, access, file, prompt, model, welcome string
	var command, env []string
	var port int
	var wait bool
	cmd := &cobra.Command{
		Use:   "create NAME --worker WORKER",
		Short: "Make a bot",
		Long: "Make a bot: an assistant with --prompt, --model and --welcome, a program with --command, or either from a file of JSON " +
			`with all its settings: {"assistant": {…}} or {"program": {…}}.`,
		Args: args(1),
		RunE: func(cmd *cobra.Command, a []string) error {
			if on == "" {
				return usageError{errors.New("--worker is missing")}
			}
			t, err := c.inTenant(cmd.Context())
			if err != nil {
				return err
			}
			w, err := worker(cmd.Context(), t, on)
			if err != nil {
				return err
			}
			in := baas.BotCreate{WorkerID: w.ID, Name: a[0], Kind: baas.BotAssistant, Access: baas.Access(access)}
			switch {
			case file != "":
				if in.Assistant, in.Program, err = botSpec(file, c.in); err != nil {
					return err
				}
			case len(command) > 0:
				in.Program = &baas.Program{Command: command, Port: port}
				if in.Program.Env, err = envVars(env); err != nil {
					return err
				}
			default:
				in.Assistant = &baas.Assistant{SystemPrompt: prompt, Model: model, Welcome: welcome}
			}
			if in.Program != nil {
				in.Kind = baas.BotProgram
			}
			b, err := t.CreateBot(cmd.Context(), in)
			return c.acted(cmd, t, b, err, wait, baas.BotRunning)
		},
	}
	f := cmd.Flags()
	f.StringVar(&on, "worker", "", "the Worker that runs it (name or id)")
	f.StringVar(&access, "access", "", "public, token or private (default)")
	f.StringVarP(&file, "file", "f", "", "read its settings from this file; - is the standard input")
	f.StringVar(&prompt, "prompt", "", "assistant: system prompt")
	f.StringVar(&model, "model", "", "assistant: language model; builtin/echo when left out")
	f.StringVar(&welcome, "welcome", "", "assistant: first message")
	f.StringArrayVar(&command, "command", nil, "program: a word of its command; repeat it for every word")
	f.StringArrayVar(&env, "env", nil, "program: NAME=value, or NAME=@SECRET for the value of a secret; may be repeated")
	f.IntVar(&port, "port", 0, "program: where it listens")
	waitFlag(cmd, &wait)
	return cmd
}

func envVars(pairs []string) ([]baas.EnvVar, error) {
	var vars []baas.EnvVar
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("--env is %q; must be NAME=value or NAME=@SECRET", p)}
		}
		v := baas.EnvVar{Name: name, Value: value}
		if secret, ok := strings.CutPrefix(value, "@"); ok {
			v.Value, v.Secret = "", secret
		}
		vars = append(vars, v)
	}
	return vars, nil
}

func (c *cli) updateBotCommand() *cobra.Command {
	var name, access, file, prompt, model string
	cmd := c.onBot("update BOT", "Change a bot", func(cmd *cobra.Command, t *client.Tenant, b baas.Bot) error {
		var u baas.BotUpdate
		var err error
		f := cmd.Flags()
		if f.Changed("name") {
			u.Name = &name
		}
		if f.Changed("access") {
			u.Access = (*baas.Access)(&access)
		}
		if file != "" {
			if u.Assistant, u.Program, err = botSpec(file, c.in); err != nil {
				return err
			}
		} else if f.Changed("prompt") || f.Changed("model") {
			if b.Assistant == nil {
				return usageError{fmt.Errorf("%s is a program; give its settings with --file", b.Name)}
			}
			u.Assistant = b.Assistant
			if f.Changed("prompt") {
				u.Assistant.SystemPrompt = prompt
			}
			if f.Changed("model") {
				u.Assistant.Model = model
			}
		}
		b, err = t.UpdateBot(cmd.Context(), b.ID, b.Version, u)
		if err != nil {
			return err
		}
		return c.showBots(b, b)
	})
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "new name")
	f.StringVar(&access, "access", "", "public, token or private")
	f.StringVarP(&file, "file", "f", "", "read its settings from this file of JSON; - is the standard input")
	f.StringVar(&prompt, "prompt", "", "assistant: system prompt")
	f.StringVar(&model, "model", "", "assistant: language model")
	return cmd
}

// onBot makes a command about one bot, given by name or id.
func (c *cli) onBot(use, short string, do func(*cobra.Command, *client.Tenant, baas.Bot) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		b, err := bot(cmd.Context(), t, a[0])
		if err != nil {
			return err
		}
		return do(cmd, t, b)
	}}
}

// acted shows a bot after an action, and waits for its state when asked.
func (c *cli) acted(cmd *cobra.Command, t *client.Tenant, b baas.Bot, err error, wait bool, want baas.BotState) error {
	if err != nil {
		return err
	}
	if wait {
		b, err = await(cmd.Context(), c, t, func() (baas.Bot, error) { return t.Bot(cmd.Context(), b.ID) },
			func(b baas.Bot) string { return b.Name + ": " + string(b.Status.State) + ", " + b.Status.Reason },
			func(b baas.Bot) (bool, error) {
				if b.Status.State == baas.BotFailed || b.Status.State == baas.BotCrashLoop {
					return false, fmt.Errorf("the bot %s doesn't run: %s", b.Name, b.Status.Reason)
				}
				return b.Status.State == want, nil
			})
		if err != nil {
			return err
		}
	}
	return c.showBots(b, b)
}

func (c *cli) showBots(v any, bs ...baas.Bot) error {
	var rows [][]string
	for _, b := range bs {
		rows = append(rows, []string{b.Name, string(b.Status.State), string(b.Kind), string(b.Access), b.WorkerID, b.ID, b.URL, b.Status.Reason})
	}
	return c.show(v, []string{"NAME", "STATE", "KIND", "ACCESS", "WORKER", "ID", "ADDRESS", "REASON"}, rows)
}
