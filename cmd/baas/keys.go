package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas/internal/server"
)

// keysCommand manages the master keys on the control plane's machine, with its configuration.
func keysCommand() *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "Rotate the master key that seals secrets (on the control plane's machine)",
		Long: "Rotate the master key that seals secrets:\n\n" +
			"  1. baas keys add      puts a new key first into the key file\n" +
			"  2. restart every control plane, so that all know it\n" +
			"  3. baas keys rotate   seals every secret anew with it; repeat until it reports 0\n" +
			"  4. remove the old lines from the key file and restart. This ends preview addresses, and Workers get new agent tokens (they are made anew).",
	}
	add := &cobra.Command{Use: "add", Short: "Put a new master key first into the key file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := server.ConfigFromEnv()
			if err != nil {
				return err
			}
			if err := server.AddMasterKey(cfg); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "A new master key is in the key file. Restart every control plane, then run: baas keys rotate")
			return nil
		}}
	rotate := &cobra.Command{Use: "rotate", Short: "Seal every secret anew with the first master key", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := server.ConfigFromEnv()
			if err != nil {
				return err
			}
			n, err := server.RotateKeys(cmd.Context(), cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d secrets were sealed anew\n", n)
			return nil
		}}
	keys.AddCommand(add, rotate)
	return keys
}
