package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// demoServer is a kycd serve of the demo's own, on a free port and with a temporary data folder.
type demoServer struct {
	url, clientID, clientSecret string

	data    string
	command *exec.Cmd
	ended   chan struct{} // closed when the process has ended; exit is set then
	exit    error
}

const (
	// A first start may have to download and convert the weights.
	demoServerStart = 10 * time.Minute
	demoServerStop  = 30 * time.Second
)

// startDemoServer returns when the server is ready and has a client.
func startDemoServer(ctx context.Context, weights string, progress io.Writer) (_ *demoServer, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := demoAddress()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "kycd-demo-")
	if err != nil {
		return nil, err
	}
	s := &demoServer{url: "http://" + addr, data: data, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	command := exec.Command(self, "serve", "--addr", addr, "--data", data, "--models", weights, "--log-level", "warn")
	command.Env = demoServerEnvironment(os.Environ())
	command.Stderr = &indenter{out: progress} // its output greets with a secret, and is not shown
	command.WaitDelay = 5 * time.Second
	// In a group of its own it does not hear the terminal's Ctrl-C: the demo ends it when it has tidied up.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, err
	}
	s.command = command
	go func() {
		s.exit = command.Wait()
		close(s.ended)
	}()
	if err := s.awaitReady(ctx); err != nil {
		return nil, err
	}
	return s, s.createClient(ctx, self, progress)
}

// demoAddress finds a port that nobody uses. Another process may take it before the server does; then the server
// says so and ends.
func demoAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// demoServerEnvironment leaves out where another kycd of this machine keeps its data: the demo must not touch it.
func demoServerEnvironment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "KYCD_") && !strings.HasPrefix(name, "KYCD_MODELS") && name != "KYCD_SIDECAR"
	})
}

func (s *demoServer) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoServerStart)
	defer cancel()
	client := &http.Client{Timeout: 5 * time.Second}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/ready", nil)
		if err != nil {
			return err
		}
		if answer, err := client.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("the server ended before it was ready: %w", errors.Join(s.exit))
		case <-ctx.Done():
			return fmt.Errorf("the server did not become ready: %w", ctx.Err())
		}
	}
}

func (s *demoServer) createClient(ctx context.Context, self string, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, self, "client", "create", "--name", "kycd demo", "--data", s.data, "--json", "--log-level", "error")
	command.Env = demoServerEnvironment(os.Environ())
	command.Stderr = &indenter{out: progress}
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("kycd client create: %w", err)
	}
	var made struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	if json.Unmarshal(output, &made) != nil || made.ClientID == "" || made.ClientSecret == "" {
		return errors.New("kycd client create --json printed no client") // and not what it printed
	}
	s.clientID, s.clientSecret = made.ClientID, made.ClientSecret
	return nil
}

// stop ends the server by its process id and removes its data. It says so if the server does not end cleanly.
func (s *demoServer) stop() error {
	defer os.RemoveAll(s.data)
	if s.command == nil {
		return nil
	}
	select {
	case <-s.ended:
		return nil // its end was reported where it was noticed, or shows in what failed
	default:
	}
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		if s.exit != nil {
			return fmt.Errorf("the server did not end cleanly: %w", s.exit)
		}
		return nil
	case <-time.After(demoServerStop):
		_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL) // the group that was made for it, sidecar included
		<-s.ended
		return fmt.Errorf("the server did not end within %s and was killed", demoServerStop)
	}
}

// indenter shows another program's lines as such.
type indenter struct {
	out  io.Writer
	line []byte
}

func (w *indenter) Write(b []byte) (int, error) {
	w.line = append(w.line, b...)
	for {
		end := bytes.IndexByte(w.line, '\n')
		if end < 0 {
			return len(b), nil
		}
		if _, err := fmt.Fprintf(w.out, "    | %s\n", w.line[:end]); err != nil {
			return 0, err
		}
		w.line = w.line[end+1:]
	}
}
