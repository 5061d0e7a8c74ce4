package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "93.184.216.34": true, "172.15.255.255": true, "172.32.0.1": true,
		"100.63.255.255": true, "100.128.0.1": true, "192.167.1.1": true, "168.63.129.17": true,
		"223.255.255.255": true, "2606:4700:4700::1111": true, "2a00:1450:4001:81b::200e": true,
		"2001:4860:4860::8888": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false,
		"100.100.100.200": false, "127.0.0.1": false, "127.255.255.254": false, "168.63.129.16": false,
		"169.254.169.254": false, "169.254.170.2": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.0.0.8": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false,
		"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false,
		"240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:8.8.8.8": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false, "100::1": false,
		"2001::1": false, "2001:db8::1": false, "2002:7f00:1::1": false, "2002:a9fe:a9fe::1": false,
		"3fff::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false,
		"2606:4700:4700::1111%eth0": false, "fec0::1": false, "ff02::1": false, "5f00::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v", address, got)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address at all is public")
	}
}

// urlCases are addresses that must be refused at registration, each with the code.
func urlCases() map[string]error {
	return map[string]error{
		"https://127.0.0.1/":                       ErrBlockedAddress,
		"https://127.1.2.3:8443/hook":              ErrBlockedAddress,
		"https://0.0.0.0/":                         ErrBlockedAddress,
		"https://10.0.0.1/":                        ErrBlockedAddress,
		"https://172.16.0.1/":                      ErrBlockedAddress,
		"https://192.168.0.1/":                     ErrBlockedAddress,
		"https://169.254.169.254/latest/meta-data": ErrBlockedAddress,
		"https://100.64.0.1/":                      ErrBlockedAddress,
		"https://[::1]/":                           ErrBlockedAddress,
		"https://[::]/":                            ErrBlockedAddress,
		"https://[fc00::1]/":                       ErrBlockedAddress,
		"https://[fe80::1]/":                       ErrBlockedAddress,
		"https://[fe80::1%25eth0]/":                ErrBlockedAddress,
		"https://[::ffff:127.0.0.1]/":              ErrBlockedAddress,
		"https://[::ffff:7f00:1]/":                 ErrBlockedAddress,
		"https://[64:ff9b::7f00:1]/":               ErrBlockedAddress,
		"https://localhost/":                       ErrBlockedAddress,
		"https://LOCALHOST./":                      ErrBlockedAddress,
		"https://a.localhost/":                     ErrBlockedAddress,
		"https://2130706433/":                      ErrInvalidURL,
		"https://0x7f.1/":                          ErrInvalidURL,
		"https://0x7f000001/":                      ErrInvalidURL,
		"https://0177.0.0.1/":                      ErrInvalidURL,
		"https://127.1/":                           ErrInvalidURL,
		"https://127.0.0.1./":                      ErrInvalidURL,
		"https://example.0x/":                      ErrInvalidURL,
		"https://user@example.com/":                ErrInvalidURL,
		"https://example.com@127.0.0.1/":           ErrInvalidURL,
		"https://user:password@example.com/":       ErrInvalidURL,
		"http://example.com/":                      ErrInvalidURL,
		"ftp://example.com/":                       ErrInvalidURL,
		"file:///etc/passwd":                       ErrInvalidURL,
		"gopher://127.0.0.1:6379/_FLUSHALL":        ErrInvalidURL,
		"javascript:alert(1)":                      ErrInvalidURL,
		"//example.com/":                           ErrInvalidURL,
		"example.com/hook":                         ErrInvalidURL,
		"https:example.com":                        ErrInvalidURL,
		"https:///hook":                            ErrInvalidURL,
		"https://":                                 ErrInvalidURL,
		"":                                         ErrInvalidURL,
		"https://example.com:0/":                   ErrInvalidURL,
		"https://example.com:65536/":               ErrInvalidURL,
		"https://example.com:/":                    ErrInvalidURL,
		"https://example.com/#part":                ErrInvalidURL,
		"https://example.com/#":                    ErrInvalidURL,
		"https://exa mple.com/":                    ErrInvalidURL,
		"https://exa\nmple.com/":                   ErrInvalidURL,
		"https://example..com/":                    ErrInvalidURL,
		"https://ex%61mple.com\\@127.0.0.1/":       ErrInvalidURL,
		"https://①②⑦.⓪.⓪.①/":                       ErrInvalidURL,
		"https://example.com/" + strings.Repeat("a", maxURLBytes): ErrInvalidURL,
	}
}

func TestParseURLRefused(t *testing.T) {
	for address, want := range urlCases() {
		parsed, err := Policy{}.ParseURL(address)
		if !errors.Is(err, want) || parsed != nil {
			t.Errorf("%q: %v, want %v", address, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "password") {
			t.Errorf("the error quotes the address: %v", err)
		}
	}
}

func TestParseURLAccepted(t *testing.T) {
	demo := Policy{AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}, AllowHTTP: true}
	for _, test := range []struct {
		address string
		policy  Policy
		want    error
	}{
		{"https://example.com/hook?tenant=1", Policy{}, nil},
		{"https://hooks.example.com:8443/a/b", Policy{}, nil},
		{"https://xn--bcher-kva.example/", Policy{}, nil},
		{"https://8.8.8.8/", Policy{}, nil},
		{"https://[2606:4700:4700::1111]/", Policy{}, nil},
		{"https://0xcafe.example/", Policy{}, nil},
		{"http://127.0.0.1:9000/hook", demo, nil},
		{"http://[::ffff:127.0.0.1]:9000/hook", demo, nil},
		{"http://localhost:9000/hook", demo, nil},
		{"https://10.1.2.3/", demo, nil},
		{"https://10.2.2.3/", demo, ErrBlockedAddress},
		{"http://169.254.169.254/", demo, ErrBlockedAddress},
		{"http://[::1]:9000/", demo, ErrBlockedAddress},
		{"ftp://127.0.0.1/", demo, ErrInvalidURL},
		{"http://127.1/", demo, ErrInvalidURL},
	} {
		if _, err := test.policy.ParseURL(test.address); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.address, err, test.want)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for address := range urlCases() {
		f.Add(address)
	}
	f.Add("https://example.com/hook?x=1")
	f.Fuzz(func(t *testing.T, address string) {
		parsed, err := Policy{}.ParseURL(address)
		if err != nil {
			return
		}
		if parsed.Scheme != "https" || parsed.User != nil || parsed.Hostname() == "" {
			t.Errorf("accepted %q", address)
		}
		if ip, err := netip.ParseAddr(parsed.Hostname()); err == nil && !public(ip) {
			t.Errorf("accepted the address %v", ip)
		}
		// The standard library's request must go to the host that was checked.
		if request, err := http.NewRequest(http.MethodPost, address, nil); err != nil || request.URL.Host != parsed.Host {
			t.Errorf("%q is sent to another host, %v", address, err)
		}
	})
}

// silentListener fails the test if anything connects to it.
func silentListener(t *testing.T) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connects atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			connects.Add(1)
			connection.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
		if n := connects.Load(); n > 0 {
			t.Errorf("%d connections to a private address", n)
		}
	})
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// resolver answers every question for an IPv4 address with these, as a hostile name server would.
func resolver(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var message dnsmessage.Message
			if message.Unpack(buffer[:n]) != nil || len(message.Questions) == 0 {
				continue
			}
			message.Response, message.Authoritative, message.Additionals = true, true, nil
			if question := message.Questions[0]; question.Type == dnsmessage.TypeA {
				for _, answer := range answers {
					message.Answers = append(message.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answer).As4()},
					})
				}
			}
			if packed, err := message.Pack(); err == nil {
				server.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// A name passes registration and resolves to a private address when the event is sent: nothing may connect.
func TestSendRebinding(t *testing.T) {
	for _, answers := range [][]string{{"127.0.0.1"}, {"127.0.0.1", "10.0.0.1"}, {"0.0.0.0"}, {"169.254.169.254"}} {
		port := silentListener(t)
		client := newClient(Policy{AllowHTTP: true}, 5*time.Second, time.Now, resolver(t, answers...))
		result := client.Send(t.Context(), message(t, "http://rebind.example.com:"+port+"/"))
		if result.Outcome != Retry || !errors.Is(result.Err, ErrBlockedAddress) {
			t.Errorf("%v: %+v", answers, result)
		}
	}
}

// The dialer itself refuses, even for an address that got past registration in some other way.
func TestControl(t *testing.T) {
	port := silentListener(t)
	dialer := &net.Dialer{ControlContext: Policy{}.control}
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "::ffff:127.0.0.1", "::1"} {
		connection, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if !errors.Is(err, ErrBlockedAddress) {
			t.Errorf("%s: %v, %v", host, connection, err)
		}
	}
	if err := (Policy{}).control(t.Context(), "unix", "/run/docker.sock", nil); !errors.Is(err, ErrBlockedAddress) {
		t.Errorf("a socket in the file system: %v", err)
	}
}

func TestSendRedirect(t *testing.T) {
	port := silentListener(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler("http://localhost:"+port+"/", status))
		result := localClient().Send(t.Context(), message(t, server.URL))
		server.Close()
		if result.Outcome != Retry || result.Status != status || !errors.Is(result.Err, ErrRefused) {
			t.Errorf("%d: %+v", status, result)
		}
	}
}

// An environment that names a proxy must not open a way around the checks.
func TestSendIgnoresProxy(t *testing.T) {
	port := silentListener(t)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:"+port)
	}
	transport := NewClient(Policy{}, 0, time.Now).http.Transport.(*http.Transport)
	if transport.Proxy != nil {
		proxy, err := transport.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "example.com"}})
		t.Errorf("proxy %v, %v", proxy, err)
	}
}
