package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas/internal/bots"
)

// assistantCommand is "baas bot assistant": what an agent starts for a built-in bot.
func assistantCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "assistant",
		Short:  "Run the built-in assistant; its agent starts it",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := bots.ConfigFromEnv(os.Getenv)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return bots.RunAssistant(ctx, cfg)
		},
	}
}
