package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Manage the keys that sign access tokens"}
	cmd.AddCommand(keysListCommand(), keysRotateCommand())
	return cmd
}

func keysListCommand() *cobra.Command {
	var c config
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the keys that are published; the first one signs", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			keys, err := service.SigningKeys(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(keys)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "KID\tCREATED\tSTATE")
			for _, key := range keys {
				state := "signs"
				if key.EndsAt != nil {
					state = "retired, published until " + key.EndsAt.Format(time.RFC3339)
				}
				fmt.Fprintf(table, "%s\t%s\t%s\n", key.ID, key.CreatedAt.Format(time.RFC3339), state)
			}
			return table.Flush()
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	c.dataFlags(cmd)
	return cmd
}

func keysRotateCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use: "rotate", Short: "Replace the signing key; tokens that the old one signed stay valid until they end", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			key, err := service.RotateSigningKey(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The key %s signs now; every server uses it within a minute.\n", key.ID)
			return err
		}),
	}
	c.dataFlags(cmd)
	return cmd
}
