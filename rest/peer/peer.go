// Package peer says who is at the other end of a request: its address and whether it speaks TLS, also where
// proxies stand between. What a proxy says of them is believed only of proxies that the operator named; of
// anybody else the same headers are a stranger's claim, and are ignored.
package peer

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/realclientip/realclientip-go"
)

// Peer is the other end of a request.
type Peer struct {
	Addr  netip.Addr // without a zone, IPv4 never as IPv6; the zero Addr where there is none, as on a Unix socket
	HTTPS bool       // it speaks TLS, with us or with the first trusted proxy
}

// Proxies are those whose word counts. The zero value trusts nobody.
type Proxies struct {
	trusted                  []netip.Prefix
	xForwardedFor, forwarded realclientip.RightmostTrustedRangeStrategy
}

// The headers in which proxies say for whom they ask.
const (
	headerXForwardedFor   = "X-Forwarded-For"
	headerForwarded       = "Forwarded"
	headerXForwardedProto = "X-Forwarded-Proto"
)

// maxList is how much of a list of addresses is read, in bytes from its end, where the nearest proxies write.
// A caller can make the rest as long as it likes.
const maxList = 1 << 10

// ParseNets reads addresses and networks that are parted by commas: 10.0.0.0/8,192.0.2.7,2001:db8::/32.
func ParseNets(text string) ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			addr, err := netip.ParseAddr(item)
			if err != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("%q is neither an address nor a network", item)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if prefix = unmap(prefix); prefix.Bits() == 0 {
			return nil, fmt.Errorf("%q would trust everybody", item)
		}
		nets = append(nets, prefix)
	}
	return nets, nil
}

// unmap writes a network of IPv4 addresses in IPv6 form as one of IPv4, without stray bits.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// Trust makes Proxies of the networks that they stand in.
func Trust(nets []netip.Prefix) (*Proxies, error) {
	p := &Proxies{trusted: make([]netip.Prefix, len(nets))}
	ranges := make([]net.IPNet, len(nets))
	for i, prefix := range nets {
		p.trusted[i] = unmap(prefix)
		addr := p.trusted[i].Addr()
		ranges[i] = net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(p.trusted[i].Bits(), addr.BitLen())}
	}
	var err error
	if p.xForwardedFor, err = realclientip.NewRightmostTrustedRangeStrategy(headerXForwardedFor, ranges); err != nil {
		return nil, err
	}
	if p.forwarded, err = realclientip.NewRightmostTrustedRangeStrategy(headerForwarded, ranges); err != nil {
		return nil, err
	}
	return p, nil
}

// Of says who sent a request.
func (p *Proxies) Of(r *http.Request) Peer {
	who := Peer{Addr: address(r.RemoteAddr), HTTPS: r.TLS != nil}
	if !p.trusts(who.Addr) {
		return who
	}
	if addr, ok := p.claimed(r.Header); ok {
		who.Addr = addr
	}
	who.HTTPS = who.HTTPS || saysHTTPS(r.Header[headerXForwardedProto])
	return who
}

func (p *Proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// claimed is the address that the nearest proxies pass on: the first from the end that is not one of theirs.
// A proxy writes one of the two headers and hands on whatever a caller put into the other. So if both are there
// and differ, one is made up, nobody can say which, and neither counts.
func (p *Proxies) claimed(h http.Header) (netip.Addr, bool) {
	x, hasX := h[headerXForwardedFor]
	f, hasF := h[headerForwarded]
	var fromX, fromF netip.Addr
	if hasX {
		fromX = address(p.xForwardedFor.ClientIP(http.Header{headerXForwardedFor: tail(x)}, ""))
	}
	if hasF {
		fromF = address(p.forwarded.ClientIP(http.Header{headerForwarded: tail(f)}, ""))
	}
	switch {
	case hasX && hasF && fromX != fromF:
		return netip.Addr{}, false
	case hasF:
		return fromF, fromF.IsValid()
	default:
		return fromX, fromX.IsValid()
	}
}

// tail is the end of a list, in whole items and at most maxList bytes.
func tail(values []string) []string {
	left := maxList
	for i := len(values) - 1; i >= 0; i-- {
		if n := len(values[i]); n <= left {
			left -= n
			continue
		}
		_, rest, _ := strings.Cut(values[i][len(values[i])-left:], ",") // the first item may be cut
		return append([]string{rest}, values[i+1:]...)
	}
	return values
}

// saysHTTPS tells whether every proxy on the way was asked by TLS.
func saysHTTPS(values []string) bool {
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			if !strings.EqualFold(strings.TrimSpace(item), "https") {
				return false
			}
		}
	}
	return len(values) > 0
}

// address reads an address with or without a port; the zero Addr if it is none.
func address(text string) netip.Addr {
	if port, err := netip.ParseAddrPort(text); err == nil {
		return port.Addr().Unmap().WithZone("")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
