package rest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestNoEmptySuccess: a caller that closes its own direction counts as gone, and what was asked is given up. It still
// reads, so it must not get what looks like success.
func TestNoEmptySuccess(t *testing.T) {
	began := make(chan struct{}, 1)
	service := slowService{fake: plainService(), began: began, ends: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	web, url, _ := serve(t, service)
	defer web.Stop(Stopping{Finish: time.Second})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"session_id":"x"}`
	if _, err := fmt.Fprintf(conn, "POST /v2/idv/session/read HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(conn); len(got) > 0 { // the end may come as a reset
		t.Errorf("the answer is %.100q, want none", got)
	}
}
