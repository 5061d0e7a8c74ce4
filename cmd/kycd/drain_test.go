package main_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

// TestDrain: a server that is asked to stop says so first, and goes on answering meanwhile.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sidecar = newStandIn(t)
	made := p.newClient(t, "Acme")
	server := p.serve(t, "--drain", "2s").ready(t)
	backend := server.backend(t, made)
	if err := server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, "/ready says that it stops", func() bool {
		a, err := http.Get(server.url() + "/ready")
		if err != nil {
			return false
		}
		defer a.Body.Close()
		return a.StatusCode == http.StatusServiceUnavailable
	})
	backend.newSession(t, object{})
	select {
	case <-server.ended:
	case <-time.After(stopWithin):
		t.Fatal("it did not end")
	}
	if server.err != nil {
		t.Errorf("it ended with %v", server.err)
	}
}
