package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kycd/kyc"
)

func statesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "states", Short: "Print the session's state machine as a Mermaid diagram", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), kyc.StateDiagram())
			return err
		},
	}
}
