// Command kycd is the server: REST, jobs and, as its child, the vision sidecar. It is pure Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, "kycd:", err)
		}
		stop()
		os.Exit(exitStatus(err))
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "kycd", Short: "Identity verification on your own machines", Version: version,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), migrateCommand(), clientCommand(), keysCommand(), modelsCommand(), specimenCommand(), demoCommand(), statesCommand(), simulateCommand(), parseCommand())
	return root
}
