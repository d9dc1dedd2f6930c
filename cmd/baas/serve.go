package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas/internal/server"
)

func serveCommand() *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the control plane: dashboard, API, gateway and controllers",
		Long:  "Run the control plane. Everything is set by environment variables; docs/configuration.md lists them.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := server.ConfigFromEnv()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("demo") {
				cfg.Demo = demo
			}
			cfg.Version = version
			return serve(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "fill an empty database with three demo clients and their log-ins (BAAS_DEMO)")
	return cmd
}

func serve(ctx context.Context, cfg server.Config, out io.Writer) error {
	// Most of the heap of a busy platform is connections that stay, so garbage may take less beside it than by default.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, opts)
	if cfg.LogFormat == "json" {
		handler = slog.NewJSONHandler(os.Stderr, opts)
	}
	s, err := server.New(ctx, cfg, slog.New(handler))
	if err != nil {
		return err
	}
	people, err := s.Prepare(ctx)
	if err != nil {
		return fmt.Errorf("preparing the database: %w", err)
	}
	fmt.Fprintf(out, "\nBaaS %s is at %s\n", cfg.Version, s.URL())
	if len(people) > 0 {
		fmt.Fprintf(out, "\nDemo log-ins (password %s):\n", server.DemoPassword)
		for _, p := range people {
			fmt.Fprintf(out, "  %-28s %s\n", p.Email, p.What)
		}
	}
	fmt.Fprintln(out)
	return s.Run(ctx)
}
