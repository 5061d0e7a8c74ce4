package webhook

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// FuzzDestination: an address that is taken leads to a public host by https, and nowhere else however it is read; what is
// refused is refused by a typed error.
func FuzzDestination(f *testing.F) {
	for _, seed := range []string{
		"https://hooks.example.com/kyc", "https://hooks.example.com:443/a?b=c", "https://HOOKS.example.com./", "https://8.8.8.8/", "https://[2606:4700::1111]/",
		"https://[::ffff:8.8.8.8]/",
		"http://hooks.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://a.localhost./", "https://2130706433/",
		"https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
		"https://user@hooks.example.com/", "https://hooks.example.com\\@127.0.0.1/", "https://hooks.example.com#@127.0.0.1/", "https://hooks.example.com:0/",
		"https://hooks.example.com:99999/", "https://hooks.example.com:/",
		"https:hooks.example.com", "https:///x", "https://", "//hooks.example.com/", "https://169.254.169.254/latest", "https://[fe80::1%25eth0]/",
		"https://ⓗooks.example.com/", "https://hooks.example.com\t/", "https://a..b/", "https://-/", "https://_.x/",
		"HTTPS://hooks.example.com/", "https://hooks%2eexample.com/", "https://[2002:7f00:1::]/", "https://[64:ff9b::7f00:1]/", "https://１２７.0.0.1/",
		"https://x/" + strings.Repeat("a", 2040),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		parsed, err := Policy{}.ParseURL(address)
		if err != nil {
			if !errors.Is(err, ErrInvalidURL) && !errors.Is(err, ErrBlockedAddress) {
				t.Fatalf("%q: %v", address, err)
			}
			if len(address) > 12 && strings.Contains(err.Error(), address) {
				t.Fatalf("the error repeats %q", address)
			}
			return
		}
		if parsed.Scheme != "https" || parsed.User != nil || parsed.Fragment != "" || parsed.Opaque != "" || parsed.Hostname() == "" || len(address) > maxURLBytes {
			t.Fatalf("%q is taken as %#v", address, parsed)
		}
		request, err := http.NewRequest(http.MethodPost, parsed.String(), nil)
		if err != nil {
			t.Fatalf("%q cannot be called: %v", address, err)
		}
		host := request.URL.Hostname()
		if host != parsed.Hostname() {
			t.Fatalf("%q: checked %q, called %q", address, parsed.Hostname(), host)
		}
		if ip, err := netip.ParseAddr(host); err == nil {
			if !public(ip) || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip.Is4In6() {
				t.Fatalf("%q leads to %v", address, ip)
			}
			return
		}
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		last := name[strings.LastIndexByte(name, '.')+1:]
		if name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last,
			"0x") && strings.Trim(last[2:], "0123456789abcdef") == "" {
			t.Fatalf("%q leads to %q", address, host)
		}
		if strings.ContainsFunc(host, func(c rune) bool { return c > '~' || c <= ' ' || strings.ContainsRune(`/\@:#?%[]`, c) }) {
			t.Fatalf("%q leads to %q", address, host)
		}
		if again, err := (Policy{}).ParseURL(parsed.String()); len(parsed.String()) <= maxURLBytes && (err != nil || again.Host != parsed.Host) {
			t.Fatalf("%q written anew is refused: %v", address, err)
		}
	})
}
