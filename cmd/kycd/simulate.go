package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc/azureface"
	"kycd/kyc/azureface/simulator"
)

func simulateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "simulate", Short: "Stand in for a service outside, to try kycd without it"}
	cmd.AddCommand(simulateAzureFaceCommand())
	return cmd
}

// azureFaceKeyVariable names the key for the simulator and for the server that calls it.
const azureFaceKeyVariable = "KYCD_AZURE_FACE_KEY"

func simulateAzureFaceCommand() *cobra.Command {
	var o azureFaceSimulation
	cmd := &cobra.Command{
		Use: "azure-face", Short: "Stand in for Azure Face liveness: decisions come from a script, no face is looked at", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.key == "" {
				o.key = os.Getenv(azureFaceKeyVariable)
			}
			if o.key == "" {
				o.key = rand.Text()
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "HOST:PORT to listen on; port 0 is a free one")
	f.StringVar(&o.key, "key", "", "key that callers must send (default: "+azureFaceKeyVariable+", or a random one)")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "listen where other machines reach it, without TLS")
	f.DurationVar(&o.keep, "keep", simulator.DefaultKeep, "how long a session is kept after its creation")
	return cmd
}

// azureFaceSimulation is what the flags say.
type azureFaceSimulation struct {
	listen, key string
	allowRemote bool
	keep        time.Duration
}

// run serves until the context ends.
func (o azureFaceSimulation) run(ctx context.Context, out, log io.Writer) error {
	if o.keep <= 0 {
		return errors.New("--keep must be more than 0")
	}
	if err := (azureface.Config{Endpoint: "https://localhost", Key: o.key}).Validate(); err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	at, err := o.address()
	if err != nil {
		return err
	}
	sim, err := simulator.New(simulator.Config{
		Key: o.key, Seed: []byte(rand.Text()), Now: time.Now, Sleep: azureface.Sleep, Keep: o.keep,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", at)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	server := &http.Server{
		Handler: sim, BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := o.introduce(out, "http://"+listener.Addr().String()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// address is where to listen: on this machine alone, unless the operator wants otherwise.
func (o azureFaceSimulation) address() (*net.TCPAddr, error) {
	at, err := net.ResolveTCPAddr("tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if !at.IP.IsLoopback() && !o.allowRemote { // no host at all is every address
		return nil, fmt.Errorf("--listen %s would let other machines in: a simulator decides whatever it is told (--allow-remote, if that is wanted)", o.listen)
	}
	return at, nil
}

func (o azureFaceSimulation) introduce(out io.Writer, url string) error {
	_, err := fmt.Fprintf(out, `This simulates Azure Face liveness %[3]s at %[1]s. It looks at no face: it decides what it is told.

Point kycd to it:
  %[4]s=%[2]s kycd serve --azure-face-endpoint %[1]s

Play the device, with the token that kycd gave it:
  curl -d '{"outcome":"realface"}' %[1]s/simulator/sessions/TOKEN/attempt

Outcomes: realface, spoofface, uncertain, error, never, canceled. Let the next three calls fail:
  curl -H 'Ocp-Apim-Subscription-Key: %[2]s' -d '{"kind":"throttle","calls":3,"retry_after":1}' %[1]s/simulator/faults

Ctrl-C ends it.
`, url, o.key, azureface.DefaultAPIVersion, azureFaceKeyVariable)
	return err
}
