package main

import (
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas/internal/agent"
)

// agentCommand is "baas agent": what an engine starts in every Worker.
func agentCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "agent",
		Short:  "Run the agent of a Worker; its engine starts it",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			cfg, err := agent.ConfigFromEnv(version, log)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			err = agent.Run(ctx, cfg)
			if errors.Is(err, agent.ErrOutdated) {
				log.Error("agent ends", "reason", err)
				os.Exit(agent.ExitOutdated) // tells the engine that only a newer build helps
			}
			return err
		},
	}
}
