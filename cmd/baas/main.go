// Command baas is the whole product in one binary: the control plane, the agent in each Worker, the built-in bots and
// the client of the API.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// rootCommand lists every command.
func rootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "baas",
		Short:         "Bot as a Service: bots in isolated Workers",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	c := newCLI(s)
	root.AddCommand(
		serveCommand(),
		agentCommand(),
		keysCommand(),
		c.loginCommand(),
		c.logoutCommand(),
		c.tenantCommand(),
		c.memberCommand(),
		c.tokenCommand(),
		c.workerCommand(),
		c.botCommand(assistantCommand()),
		c.secretCommand(),
		c.moveCommand(),
		c.eventCommand(),
		c.usageCommand(),
		c.logsCommand(),
	)
	root.AddCommand(engineCommands()...)
	return root
}
