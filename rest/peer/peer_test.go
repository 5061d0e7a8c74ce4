package peer

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func trust(t testing.TB, text string) *Proxies {
	t.Helper()
	nets, err := ParseNets(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Trust(nets)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOf(t *testing.T) {
	const proxies = "10.0.0.0/8, 192.0.2.7,2001:db8:1::/48"
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	long := strings.Repeat("1.1.1.1, ", 2000)
	for _, c := range []struct {
		name, trusted, remote string
		header                http.Header
		want                  string
	}{
		{"direct", "", "203.0.113.9:4711", header(), "203.0.113.9"},
		{"direct IPv6", "", "[2001:db8::5]:4711", header(), "2001:db8::5"},
		{"IPv4 as IPv6", "", "[::ffff:203.0.113.9]:4711", header(), "203.0.113.9"},
		{"with a zone", "", "[fe80::1%eth0]:4711", header(), "fe80::1"},
		{"no address", "", "@", header(), "invalid IP"},
		{"nobody is trusted", "", "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1"), "10.0.0.1"},
		{"a stranger's claim", proxies, "203.0.113.9:1", header("X-Forwarded-For", "198.51.100.1"), "203.0.113.9"},
		{"a stranger's claim, as a proxy", proxies, "203.0.113.9:1", header("X-Forwarded-For", "10.0.0.1"), "203.0.113.9"},
		{"one proxy", proxies, "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1"), "198.51.100.1"},
		{"one proxy, one address trusted", proxies, "192.0.2.7:1", header("X-Forwarded-For", "198.51.100.1"), "198.51.100.1"},
		{"its neighbour is not", proxies, "192.0.2.8:1", header("X-Forwarded-For", "198.51.100.1"), "192.0.2.8"},
		{"proxy as IPv4 in IPv6", proxies, "[::ffff:10.0.0.1]:1", header("X-Forwarded-For", "198.51.100.1"), "198.51.100.1"},
		{"IPv6 proxy", proxies, "[2001:db8:1::9]:1", header("X-Forwarded-For", "2001:db8:2::1"), "2001:db8:2::1"},
		{"two proxies", proxies, "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1, 10.9.9.9"), "198.51.100.1"},
		{"two headers", proxies, "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1", "X-Forwarded-For", "10.9.9.9"), "198.51.100.1"},
		{"made up in front", proxies, "10.0.0.1:1", header("X-Forwarded-For", "8.8.8.8, 127.0.0.1, 198.51.100.1, 10.9.9.9"), "198.51.100.1"},
		{"made up behind an unknown proxy", proxies, "10.0.0.1:1", header("X-Forwarded-For", "8.8.8.8, 192.0.2.200"), "192.0.2.200"},
		{"with a port", proxies, "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1:5000"), "198.51.100.1"},
		{"nonsense nearest", proxies, "10.0.0.1:1", header("X-Forwarded-For", "198.51.100.1, nonsense"), "10.0.0.1"},
		{"nonsense further", proxies, "10.0.0.1:1", header("X-Forwarded-For", "nonsense, 198.51.100.1"), "198.51.100.1"},
		{"proxies alone", proxies, "10.0.0.1:1", header("X-Forwarded-For", "10.2.2.2, 10.1.1.1"), "10.0.0.1"},
		{"empty", proxies, "10.0.0.1:1", header("X-Forwarded-For", ""), "10.0.0.1"},
		{"unspecified", proxies, "10.0.0.1:1", header("X-Forwarded-For", "0.0.0.0"), "10.0.0.1"},
		{"long", proxies, "10.0.0.1:1", header("X-Forwarded-For", long+"198.51.100.1, 10.9.9.9"), "198.51.100.1"},
		{"long, of two headers", proxies, "10.0.0.1:1", header("X-Forwarded-For", long, "X-Forwarded-For", "198.51.100.1"), "198.51.100.1"},
		{"long, of proxies", proxies, "10.0.0.1:1", header("X-Forwarded-For", strings.Repeat("10.1.1.1,", 2000)+"10.1.1.1"), "10.0.0.1"},
		{"one long item", proxies, "10.0.0.1:1", header("X-Forwarded-For", strings.Repeat("1", 5000)), "10.0.0.1"},
		{"Forwarded", proxies, "10.0.0.1:1", header("Forwarded", `for=8.8.8.8, for="[2001:db8:2::1]:99";proto=https, for=10.9.9.9`), "2001:db8:2::1"},
		{"Forwarded, hidden", proxies, "10.0.0.1:1", header("Forwarded", "for=_secret"), "10.0.0.1"},
		{"both agree", proxies, "10.0.0.1:1", header("Forwarded", "for=198.51.100.1", "X-Forwarded-For", "198.51.100.1"), "198.51.100.1"},
		{"both differ", proxies, "10.0.0.1:1", header("Forwarded", "for=8.8.8.8", "X-Forwarded-For", "198.51.100.1"), "10.0.0.1"},
		{"one says nothing", proxies, "10.0.0.1:1", header("Forwarded", "proto=https", "X-Forwarded-For", "198.51.100.1"), "10.0.0.1"},
		{"other headers", proxies, "10.0.0.1:1", header("X-Real-Ip", "8.8.8.8", "True-Client-Ip", "8.8.8.8"), "10.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.remote, Header: c.header}
			if got := trust(t, c.trusted).Of(r).Addr.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if got := new(Proxies).Of(&http.Request{RemoteAddr: "10.0.0.1:1", Header: header("X-Forwarded-For", "8.8.8.8")}).Addr.String(); got != "10.0.0.1" {
		t.Errorf("the zero value: got %s", got)
	}
}

func TestHTTPS(t *testing.T) {
	for _, c := range []struct {
		name, remote string
		proto        []string
		tls          bool
		want         bool
	}{
		{"plain", "203.0.113.9:1", nil, false, false},
		{"TLS", "203.0.113.9:1", nil, true, true},
		{"a stranger's claim", "203.0.113.9:1", []string{"https"}, false, false},
		{"a proxy's word", "10.0.0.1:1", []string{"https"}, false, true},
		{"in capitals", "10.0.0.1:1", []string{"HTTPS"}, false, true},
		{"a proxy without TLS", "10.0.0.1:1", []string{"http"}, false, false},
		{"all of two", "10.0.0.1:1", []string{"https, https"}, false, true},
		{"one of two", "10.0.0.1:1", []string{"https, http"}, false, false},
		{"one of two headers", "10.0.0.1:1", []string{"https", "http"}, false, false},
		{"a silent proxy", "10.0.0.1:1", nil, false, false},
		{"empty", "10.0.0.1:1", []string{""}, false, false},
		{"TLS beats a proxy's word", "10.0.0.1:1", []string{"http"}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
			if c.proto != nil {
				r.Header["X-Forwarded-Proto"] = c.proto
			}
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := trust(t, "10.0.0.0/8").Of(r).HTTPS; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestParseNets(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		" , ":                                "",
		"10.0.0.0/8":                         "10.0.0.0/8",
		"10.1.2.3/8, 192.0.2.7":              "10.0.0.0/8 192.0.2.7/32",
		"2001:db8::/32,::1":                  "2001:db8::/32 ::1/128",
		"::ffff:10.0.0.0/104,::ffff:1.2.3.4": "10.0.0.0/8 1.2.3.4/32",
		"0.0.0.0/0":                          "error",
		"::/0":                               "error",
		"::ffff:0.0.0.0/96":                  "error",
		"localhost":                          "error",
		"10.0.0.0/33":                        "error",
		"10.0.0.0/8 10.1.0.0/16":             "error",
		"fe80::1%eth0":                       "error",
		"fe80::%eth0/64":                     "error",
	} {
		nets, err := ParseNets(text)
		var got []string
		for _, n := range nets {
			got = append(got, n.String())
		}
		if line := strings.Join(got, " "); err != nil && want != "error" || err == nil && line != want {
			t.Errorf("%q: got %q, %v, want %q", text, line, err, want)
		}
	}
}

// FuzzOf: whatever the headers hold, a stranger's address is its own, and a proxy's caller has an address.
func FuzzOf(f *testing.F) {
	f.Add("198.51.100.1, 10.0.0.1", "for=198.51.100.1", "https")
	f.Add(strings.Repeat(",", 3000), `for="[::`, "")
	p := trust(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, x, forwarded, proto string) {
		h := http.Header{"X-Forwarded-For": {x}, "Forwarded": {forwarded}, "X-Forwarded-Proto": {proto}}
		stranger := p.Of(&http.Request{RemoteAddr: "203.0.113.9:1", Header: h})
		if want := (Peer{Addr: netip.MustParseAddr("203.0.113.9")}); stranger != want {
			t.Errorf("got %+v, want %+v", stranger, want)
		}
		if got := p.Of(&http.Request{RemoteAddr: "10.0.0.1:1", Header: h}).Addr; !got.IsValid() || got.Zone() != "" {
			t.Errorf("got %v", got)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	for name, c := range map[string]struct {
		trusted string
		header  http.Header
	}{
		"direct": {"", http.Header{}},
		"proxy":  {"10.0.0.0/8", http.Header{"X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Proto": {"https"}}},
	} {
		b.Run(name, func(b *testing.B) {
			p := trust(b, c.trusted)
			r := &http.Request{RemoteAddr: "10.0.0.1:4711", Header: c.header}
			b.ReportAllocs()
			for b.Loop() {
				p.Of(r)
			}
		})
	}
}
