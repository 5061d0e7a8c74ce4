package webhook

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// localClient may send to this machine, as in a demonstration.
func localClient() *Client {
	policy := Policy{AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true}
	return NewClient(policy, 400*time.Millisecond, time.Now)
}

func message(t *testing.T, address string) Message {
	t.Helper()
	body, err := Event{Type: "idv.session.complete", Timestamp: time.Unix(1893456000, 0), Data: map[string]string{"id": "1"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return Message{ID: "msg_1", URL: address, Body: body, Secrets: []string{newSecret(t)}}
}

// The official library accepts what arrives.
func TestSend(t *testing.T) {
	var sent Message
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != string(sent.Body) {
			t.Errorf("body %q, %v", body, err)
		}
		library, err := standardwebhooks.NewWebhook(sent.Secrets[0])
		if err != nil {
			t.Error(err)
		}
		if err := library.Verify(body, r.Header); err != nil {
			t.Errorf("the library refuses: %v", err)
		}
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("webhook-id") != "msg_1" {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	sent = message(t, server.URL+"/hook")
	result := localClient().Send(t.Context(), sent)
	if result.Outcome != Delivered || result.Status != 204 || result.Err != nil || result.Duration <= 0 {
		t.Errorf("%+v", result)
	}
	if blocked := NewClient(Policy{AllowHTTP: true}, time.Second, time.Now).Send(t.Context(), sent); !errors.Is(blocked.Err, ErrBlockedAddress) {
		t.Errorf("without the operator's leave: %+v", blocked)
	}
}

func TestSendOutcomes(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		status     int
		retryAfter string
		outcome    Outcome
		wait       time.Duration
	}{
		{200, "", Delivered, 0},
		{299, "", Delivered, 0},
		{304, "", Retry, 0},
		{400, "", Retry, 0},
		{404, "", Retry, 0},
		{410, "60", Gone, time.Minute},
		{429, "", Throttled, 0},
		{429, "120", Throttled, 2 * time.Minute},
		{429, "Tue, 01 Jan 2030 12:10:00 GMT", Throttled, 10 * time.Minute},
		{429, "Tue, 01 Jan 2030 11:00:00 GMT", Throttled, 0},
		{500, "", Retry, 0},
		{502, "", Throttled, 0},
		{503, " 30 ", Retry, 30 * time.Second},
		{503, "999999999", Retry, maxWait},
		{503, "99999999999999999999", Retry, 0},
		{503, "-5", Retry, 0},
		{503, "soon", Retry, 0},
		{504, "", Throttled, 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.retryAfter != "" {
				w.Header().Set("Retry-After", test.retryAfter)
			}
			w.WriteHeader(test.status)
		}))
		client := localClient()
		client.now = func() time.Time { return now }
		result := client.Send(t.Context(), message(t, server.URL))
		server.Close()
		if result.Status != test.status || result.Outcome != test.outcome || result.RetryAfter != test.wait {
			t.Errorf("%d %q: %+v", test.status, test.retryAfter, result)
		}
		if (result.Err == nil) != (test.outcome == Delivered) || result.Err != nil && !errors.Is(result.Err, ErrRefused) {
			t.Errorf("%d: error %v", test.status, result.Err)
		}
	}
}

// misbehave answers a request with raw bytes and holds the connection open until the test ends.
func misbehave(t *testing.T, answer func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { connection.Close() })
			go func() {
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
					answer(connection)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// Whatever an endpoint does, an attempt ends in time.
func TestSendMisbehaving(t *testing.T) {
	forever := func(prefix, piece string, pause time.Duration) func(net.Conn) {
		return func(connection net.Conn) {
			io.WriteString(connection, prefix)
			for {
				if _, err := io.WriteString(connection, piece); err != nil {
					return
				}
				time.Sleep(pause)
			}
		}
	}
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	for _, test := range []struct {
		name, address string
		outcome       Outcome
		want          error
	}{
		{"never answers", misbehave(t, func(net.Conn) {}), Retry, ErrTimeout},
		{"slow header", misbehave(t, forever("HTTP/1.1 200 OK\r\n", "X: y\r\n", 20*time.Millisecond)), Retry, ErrTimeout},
		{"endless header", misbehave(t, forever("HTTP/1.1 200 OK\r\n", "X: "+strings.Repeat("y", 4096)+"\r\n", 0)), Retry, ErrUnreachable},
		{"dripping body", misbehave(t, forever("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "x", 20*time.Millisecond)), Delivered, nil},
		{"not HTTP", misbehave(t, func(c net.Conn) { io.WriteString(c, "SSH-2.0-x\r\n"); c.Close() }), Retry, ErrUnreachable},
		{"hangs up", misbehave(t, func(c net.Conn) { c.Close() }), Retry, ErrUnreachable},
		{"nobody there", "http://" + refused.Addr().String(), Retry, ErrUnreachable},
		{"no such name", "http://nobody.invalid/", Retry, ErrUnreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			result := localClient().Send(t.Context(), message(t, test.address+"/token-in-path"))
			if result.Outcome != test.outcome || !errors.Is(result.Err, test.want) {
				t.Errorf("%+v, want %v", result, test.want)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if result.Err != nil && strings.Contains(result.Err.Error(), "token-in-path") {
				t.Errorf("the error quotes the address: %v", result.Err)
			}
		})
	}
}

// Of an endless answer little is read: the attempt ends long before its time is up.
func TestSendEndlessBody(t *testing.T) {
	address := misbehave(t, func(connection net.Conn) {
		io.WriteString(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for {
			if _, err := io.WriteString(connection, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	client := localClient()
	client.timeout = 20 * time.Second
	start := time.Now()
	if result := client.Send(t.Context(), message(t, address)); result.Outcome != Delivered {
		t.Errorf("%+v", result)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestSendCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := misbehave(t, func(net.Conn) { cancel() })
	if result := localClient().Send(ctx, message(t, address)); result.Outcome != Retry || !errors.Is(result.Err, context.Canceled) {
		t.Errorf("%+v", result)
	}
}

func TestSendMalformed(t *testing.T) {
	port := silentListener(t)
	good := message(t, "http://127.0.0.1:"+port)
	for name, test := range map[string]struct {
		change func(*Message)
		want   error
	}{
		"scheme": {func(m *Message) { m.URL = "gopher://127.0.0.1:" + port }, ErrInvalidURL},
		"id":     {func(m *Message) { m.ID = "a.b" }, ErrInvalidEvent},
		"secret": {func(m *Message) { m.Secrets = nil }, ErrInvalidSecret},
	} {
		bad := good
		test.change(&bad)
		if result := localClient().Send(t.Context(), bad); result.Outcome != Retry || !errors.Is(result.Err, test.want) {
			t.Errorf("%s: %+v", name, result)
		}
	}
}
