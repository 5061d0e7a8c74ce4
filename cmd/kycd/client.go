package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kycd/kyc"
)

func clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Manage who may call"}
	cmd.AddCommand(clientCreateCommand(), webhookKeyCommand())
	return cmd
}

func clientCreateCommand() *cobra.Command {
	var c config
	var name string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create", Short: "Create a client; its secret is printed once and can never be read again", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			made, err := service.CreateClient(cmd.Context(), name)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "client_id       %s\nclient_secret   %s\nwebhook_secret  %s\n\nThe client secret is not stored: keep it now.\n", made.ClientID, made.ClientSecret, made.WebhookSecret)
			return err
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "the organisation's name")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	required(cmd, "name")
	c.dataFlags(cmd)
	return cmd
}

func webhookKeyCommand() *cobra.Command {
	var c config
	var id string
	cmd := &cobra.Command{
		Use: "webhook-key", Short: "Print the secret that signs what goes to the webhook_url of a client's sessions", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			secret, err := service.WebhookKey(cmd.Context(), id)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
			return err
		}),
	}
	cmd.Flags().StringVar(&id, "client-id", "", "the client's id")
	required(cmd, "client-id")
	c.dataFlags(cmd)
	return cmd
}

// withService opens the store and the rules around a command that works on them alone.
func (c *config) withService(run func(cmd *cobra.Command, service *kyc.Service) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		log, err := c.logger(os.Stderr)
		if err != nil {
			return err
		}
		s, err := c.openStore(cmd.Context(), true, log)
		if err != nil {
			return err
		}
		service, err := c.service(cmd.Context(), s, noQueue{}, log)
		if err == nil {
			err = run(cmd, service)
		}
		return errors.Join(err, s.close())
	}
}

func required(cmd *cobra.Command, flag string) {
	if err := cmd.MarkFlagRequired(flag); err != nil {
		panic(err) // the flag was not defined before
	}
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
