package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc"
)

func clientCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "client", Short: "Manage who may call"}
	cmd.AddCommand(clientCreateCommand(), clientListCommand(), clientUpdateCommand(), clientRevokeCommand(), webhookKeyCommand())
	return cmd
}

// clientFlags are what an operator can set for a client. A flag that is not given changes nothing.
type clientFlags struct {
	scopes, origins []string
	rate            float64
	externalID      string
}

func (f *clientFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.scopes, "scope", nil, "scope that the client may ask for; can be repeated (default: all)")
	flags.StringSliceVar(&f.origins, "origin", nil, "web origin from which its SDK may call, scheme://host[:port]; can be repeated (default: none)")
	flags.Float64Var(&f.rate, "requests-per-second", 0, "the client's own rate limit (default: the installation's)")
	flags.StringVar(&f.externalID, "external-id", "", "what the external issuer of tokens calls the client (default: its id here)")
}

func (f *clientFlags) update(cmd *cobra.Command) kyc.ClientUpdate {
	var update kyc.ClientUpdate
	if cmd.Flags().Changed("scope") {
		update.Scopes = &f.scopes
	}
	if cmd.Flags().Changed("origin") {
		update.Origins = &f.origins
	}
	if cmd.Flags().Changed("requests-per-second") {
		update.RequestsPerSecond = &f.rate
	}
	if cmd.Flags().Changed("external-id") {
		update.ExternalID = &f.externalID
	}
	return update
}

// fieldsOf says which part of the input an error is about.
func fieldsOf(err error) error {
	refused, ok := errors.AsType[*kyc.Error](err)
	if !ok || len(refused.Fields) == 0 {
		return err
	}
	var each []error
	for _, field := range refused.Fields {
		each = append(each, fmt.Errorf("%s %s", field.Pointer, field.Message))
	}
	return errors.Join(each...)
}

func clientCreateCommand() *cobra.Command {
	var c config
	var set clientFlags
	var name string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "create", Short: "Create a client; its secret is printed once and can never be read again", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			made, err := service.CreateClient(cmd.Context(), name, set.update(cmd))
			if err != nil {
				return fieldsOf(err)
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
	set.define(cmd)
	c.dataFlags(cmd)
	return cmd
}

func clientListCommand() *cobra.Command {
	var c config
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the clients, the revoked ones too", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			clients, err := service.ListClients(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(clients)
			}
			return printClients(cmd.OutOrStdout(), clients)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	c.dataFlags(cmd)
	return cmd
}

func printClients(out io.Writer, clients []kyc.Client) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLIENT_ID\tNAME\tSCOPES\tORIGINS\tREQUESTS/S\tEXTERNAL_ID\tREVOKED")
	for _, client := range clients {
		revoked := "-"
		if client.RevokedAt != nil {
			revoked = client.RevokedAt.Format(time.RFC3339)
		}
		rate := "-"
		if client.RequestsPerSecond > 0 {
			rate = strconv.FormatFloat(client.RequestsPerSecond, 'f', -1, 64)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", client.ID, strconv.QuoteToGraphic(client.Name),
			cmp.Or(strings.Join(client.Scopes, ","), "all"), cmp.Or(strings.Join(client.Origins, ","), "-"), rate, cmp.Or(client.ExternalID, "-"), revoked)
	}
	return table.Flush()
}

func clientUpdateCommand() *cobra.Command {
	var c config
	var set clientFlags
	var id string
	var rotate, asJSON bool
	cmd := &cobra.Command{
		Use: "update", Short: "Change what a client may do; an empty value takes a setting back", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			update := set.update(cmd)
			update.RotateSecret = rotate
			changed, err := service.UpdateClient(cmd.Context(), id, update)
			if err != nil {
				return fieldsOf(err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(changed)
			}
			if rotate {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "client_id       %s\nclient_secret   %s\n\nThe client secret is not stored: keep it now. The one before is worth nothing any more.\n", changed.ClientID, changed.ClientSecret)
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "The client is changed; every server knows within 5 seconds.")
			return err
		}),
	}
	cmd.Flags().StringVar(&id, "client-id", "", "the client's id")
	cmd.Flags().BoolVar(&rotate, "rotate-secret", false, "replace the secret; the new one is printed once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	required(cmd, "client-id")
	set.define(cmd)
	c.dataFlags(cmd)
	return cmd
}

func clientRevokeCommand() *cobra.Command {
	var c config
	var id string
	cmd := &cobra.Command{
		Use: "revoke", Short: "End a client for ever, and all its tokens within 5 seconds", Args: cobra.NoArgs,
		RunE: c.withService(func(cmd *cobra.Command, service *kyc.Service) error {
			if err := service.RevokeClient(cmd.Context(), id); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "The client is revoked; its tokens end within 5 seconds.")
			return err
		}),
	}
	cmd.Flags().StringVar(&id, "client-id", "", "the client's id")
	required(cmd, "client-id")
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
