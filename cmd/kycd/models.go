package main

import (
	"os"

	"github.com/spf13/cobra"

	"kycd/models"
)

func modelsCommand() *cobra.Command {
	var dir, mirror, cache, predictor string
	var fetch, verify, offline, retry, large, asJSON bool
	cmd := &cobra.Command{
		Use: "models", Short: "Report the weights: what is there, from where, and which checks each enables", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := models.Options{
				Dir: dir, Mirror: mirror, Cache: cache, Predictor: predictor, Offline: offline, Retry: retry, Large: large, Progress: os.Stderr,
			}
			var report models.Report
			var failed error
			switch {
			case fetch:
				report, failed = models.Fetch(cmd.Context(), options)
			case verify:
				report, failed = models.Verify(cmd.Context(), dir)
			default:
				report, failed = models.Inspect(cmd.Context(), dir)
			}
			write := report.WriteTable
			if asJSON {
				write = report.WriteJSON
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			return failed
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "models", "data/models", "folder of the weights")
	f.StringVar(&mirror, "models-mirror", "", "folder to copy weights from, or none")
	f.StringVar(&cache, "models-cache", "", "where packages are unpacked (default: the user's cache folder)")
	f.StringVar(&predictor, "models-predictor", "", "a shape predictor of your own")
	f.BoolVar(&fetch, "fetch", false, "obtain what is missing first")
	f.BoolVar(&verify, "verify", false, "fail if anything required is missing or damaged")
	f.BoolVar(&offline, "offline", false, "with --fetch: use only the mirror and what is installed")
	f.BoolVar(&retry, "retry", false, "with --fetch: ask sources again that failed lately")
	f.BoolVar(&large, "large", false, "with --fetch: allow packages that are large for what is used of them (144 MB for MobileFace)")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	fromEnvironment(cmd)
	return cmd
}
