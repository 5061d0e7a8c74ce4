// Command kycd-eval measures how often kycd is right and how fast it is, and writes docs/accuracy.md and
// docs/speed.md. It measures the built programs from outside: what they print is what counts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kycd-eval:", err)
		os.Exit(1)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "kycd-eval", Short: "Measure accuracy and speed, and write them down",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(accuracyCommand(), speedCommand())
	return root
}
