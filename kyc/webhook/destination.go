package webhook

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// maxURLBytes bounds an endpoint's address.
const maxURLBytes = 2048

// Policy says where events may go. The zero Policy allows https to public addresses.
type Policy struct {
	// AllowNets are networks that are not public and to which the operator allows deliveries all the same, such as
	// 127.0.0.0/8 for a demonstration. They are given as networks and not as a switch, so that to allow a company's
	// own network does not open the address at which a cloud hands out credentials.
	AllowNets []netip.Prefix
	// AllowHTTP allows addresses without TLS.
	AllowHTTP bool
}

// ParseURL checks the address of an endpoint when it is registered. It refuses other schemes, user names in the
// address, fragments, addresses that Policy does not allow, and numbers in place of a host that some resolvers take
// for an address (2130706433, 0x7f.1). Names are resolved when an event is sent, and checked then.
func (p Policy) ParseURL(address string) (*url.URL, error) {
	if len(address) > maxURLBytes {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrInvalidURL, maxURLBytes)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be parsed", ErrInvalidURL)
	}
	switch {
	case parsed.Scheme != "https" && !(parsed.Scheme == "http" && p.AllowHTTP):
		return nil, fmt.Errorf("%w: it does not begin with https://", ErrInvalidURL)
	case parsed.User != nil:
		return nil, fmt.Errorf("%w: it holds a user name", ErrInvalidURL)
	case parsed.Fragment != "" || strings.HasSuffix(address, "#"):
		return nil, fmt.Errorf("%w: it holds a fragment", ErrInvalidURL)
	case parsed.Opaque != "":
		return nil, fmt.Errorf("%w: it has no host", ErrInvalidURL)
	case strings.HasSuffix(parsed.Host, ":"):
		return nil, fmt.Errorf("%w: its port is missing", ErrInvalidURL)
	}
	if port := parsed.Port(); port != "" {
		if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			return nil, fmt.Errorf("%w: its port is not between 1 and 65535", ErrInvalidURL)
		}
	}
	if err := p.checkHost(parsed.Hostname()); err != nil {
		return nil, err
	}
	return parsed, nil
}

// checkHost looks at what can be known of a host without resolving it.
func (p Policy) checkHost(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		if !p.allows(ip) {
			return ErrBlockedAddress
		}
		return nil
	}
	if !validHost(host) {
		return fmt.Errorf("%w: its host is not a name", ErrInvalidURL)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		if !p.allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
			return ErrBlockedAddress
		}
	}
	return nil
}

// validHost accepts names of ASCII letters, digits, hyphens and underscores. The last label must not look like a
// number: by the URL standard such a host is an IPv4 address in one of its old spellings.
func validHost(host string) bool {
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
		last = strings.ToLower(label)
	}
	if strings.Trim(last, "0123456789") == "" {
		return false
	}
	hex, found := strings.CutPrefix(last, "0x")
	return !found || strings.Trim(hex, "0123456789abcdef") != ""
}

// control has the form of net.Dialer.ControlContext. It sees the address that is connected to, after every
// resolution and redirect, so a name that changes its mind between check and use gains nothing.
func (p Policy) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return ErrBlockedAddress
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ErrBlockedAddress
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !p.allows(ip) {
		return ErrBlockedAddress
	}
	return nil
}

// allows tells whether an event may be sent to ip.
func (p Policy) allows(ip netip.Addr) bool {
	if public(ip) {
		return true
	}
	// An IPv4 address in IPv6 clothes is the IPv4 address; a zone names an interface of ours and is never allowed.
	plain := ip.Unmap()
	for _, network := range p.AllowNets {
		if network.Contains(plain) {
			return true
		}
	}
	return false
}

// public tells whether ip is an address of the public internet, by IANA's registries of special-purpose addresses
// (RFC 6890 and its successors). IPv6 is the other way round: of all its addresses only 2000::/3 is in public use,
// which leaves out loopback, mapped IPv4, NAT64 (64:ff9b::/96), unique local, link local and multicast.
func public(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false
	}
	for _, network := range specialNets() {
		if network.Contains(ip) {
			return false
		}
	}
	return ip.IsValid()
}

// specialNets are the networks inside IPv4 and 2000::/3 that are not public.
func specialNets() [22]netip.Prefix {
	return [...]netip.Prefix{
		v4(0, 0, 0, 0, 8),                          // this network
		v4(10, 0, 0, 0, 8),                         // private
		v4(100, 64, 0, 0, 10),                      // shared by a carrier's customers; also some clouds' metadata
		v4(127, 0, 0, 0, 8),                        // loopback
		v4(168, 63, 129, 16, 32),                   // Azure's platform address, public in form only
		v4(169, 254, 0, 0, 16),                     // link local; most clouds' metadata
		v4(172, 16, 0, 0, 12),                      // private
		v4(192, 0, 0, 0, 24),                       // protocol assignments
		v4(192, 0, 2, 0, 24),                       // documentation
		v4(192, 88, 99, 0, 24),                     // relays of 6to4
		v4(192, 168, 0, 0, 16),                     // private
		v4(198, 18, 0, 0, 15),                      // benchmarks
		v4(198, 51, 100, 0, 24),                    // documentation
		v4(203, 0, 113, 0, 24),                     // documentation
		v4(224, 0, 0, 0, 4),                        // multicast
		v4(240, 0, 0, 0, 4),                        // reserved; broadcast
		netip.MustParsePrefix("2001::/23"),         // protocol assignments, with Teredo: IPv4 inside
		netip.MustParsePrefix("2001:db8::/32"),     // documentation
		netip.MustParsePrefix("2002::/16"),         // 6to4: IPv4 inside
		netip.MustParsePrefix("2620:4f:8000::/48"), // sink of private reverse look-ups
		netip.MustParsePrefix("3ffe::/16"),         // the former test network
		netip.MustParsePrefix("3fff::/20"),         // documentation
	}
}

func v4(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits)
}
