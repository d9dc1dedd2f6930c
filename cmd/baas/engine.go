package main

import (
	"github.com/spf13/cobra"

	"github.com/baas-platform/baas/internal/inject"
	"github.com/baas-platform/baas/internal/netguard"
)

// engineCommands are what engines run in containers of the platform's image.
func engineCommands() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "netguard", Hidden: true, DisableFlagParsing: true, Short: "Set the host's firewall rules for Workers",
			RunE: func(cmd *cobra.Command, args []string) error { return netguard.Run(cmd.Context(), args) },
		},
		{
			Use: "inject", Hidden: true, DisableFlagParsing: true, Short: "Copy this program to where another container finds it",
			RunE: func(_ *cobra.Command, args []string) error { return inject.Run(args) },
		},
	}
}
