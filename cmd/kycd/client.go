package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Manage who may call"}
	cmd.AddCommand(clientCreateCommand())
	return cmd
}

func clientCreateCommand() *cobra.Command {
	var c config
	var name string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create", Short: "Create a client; its secret is printed once and can never be read again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := c.logger(os.Stderr)
			if err != nil {
				return err
			}
			s, err := c.openStore(cmd.Context(), true, log)
			if err != nil {
				return err
			}
			defer s.close()
			service, err := c.service(cmd.Context(), s, noQueue{}, log)
			if err != nil {
				return err
			}
			made, err := service.CreateClient(cmd.Context(), name)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "client_id      %s\nclient_secret  %s\n\nThe secret is not stored: keep it now.\n", made.ClientID, made.ClientSecret)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the organisation's name")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	if err := cmd.MarkFlagRequired("name"); err != nil {
		panic(err) // the flag is defined above
	}
	c.dataFlags(cmd)
	return cmd
}

func migrateCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the database's tables up to date", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := c.logger(os.Stderr)
			if err != nil {
				return err
			}
			s, err := c.openStore(cmd.Context(), true, log)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The tables are up to date.")
			return s.close()
		},
	}
	c.dataFlags(cmd)
	return cmd
}
