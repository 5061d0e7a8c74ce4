package fuzz_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestWire sends bytes that are no request, or only nearly one. Much of it never reaches the API: then the server's own
// refusal is as good, if it is one of those that HTTP has for that (RFC 9112 has 501 and 505 for what a server does not
// know).
func TestWire(t *testing.T) {
	e := openEstate(t, "")
	cases(t, 10)
	good := []string{
		fmt.Sprintf("POST /v2/idv/session/read HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n"+`{"session_id":"ab"}`, e.main.token),
		"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n",
		"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n",
		fmt.Sprintf("POST /v2/idv/sdk/document/front/add HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-Client-Id: %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 64\r\n\r\n"+
			"--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n\xff\xd8\xff\r\n--b--", e.main.token, e.main.Principal.ClientID),
	}
	rapid.Check(t, func(t *rapid.T) {
		wire := rapid.Custom(func(t *rapid.T) text { return mutilate(t, pick(t, good...)) }).Draw(t, "wire")
		l, err := e.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		method, _, _ := strings.Cut(string(wire), " ")
		got, err := l.ask(wire, method, true)
		if err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Fatalf("%s\nhangs: %v", shown(wire), err)
			}
			return // a closed connection is an answer too
		}
		if got.Header.Get("X-Request-Id") == "" {
			if !plainRefusal(got) {
				t.Fatalf("%s\nneither the API nor the server answers so: %s", shown(wire), got.shown())
			}
			return
		}
		if bad := e.judgeAnyway(got); len(bad) > 0 {
			t.Fatalf("%s\n%s\n%s%s", strings.Join(bad, "\n"), shown(wire), got.shown(), strings.Join(e.watch.errors(got.Header.Get("X-Request-Id")), "\n"))
		}
		if got.StatusCode == http.StatusOK && len(got.body) == 0 && method != http.MethodHead && method != http.MethodOptions {
			t.Fatalf("%s\nan empty success", shown(wire))
		}
	})
}

// plainRefusal tells the refusals of the server below the API.
func plainRefusal(got *answer) bool {
	switch got.StatusCode {
	case http.StatusOK: // OPTIONS * asks whether anybody is there
		return got.Request.Method == http.MethodOptions && len(got.body) == 0
	case http.StatusBadRequest, http.StatusExpectationFailed, http.StatusRequestHeaderFieldsTooLarge, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") || len(got.body) == 0
	}
	return false
}

// text is what rapid reports in a readable way.
type text []byte

// GoString shows it.
func (x text) GoString() string { return shown(x) }

// mutilate changes bytes of a request, or something that HTTP reads in more than one way.
func mutilate(t *rapid.T, request string) text {
	head, content, _ := strings.Cut(request, "\r\n\r\n")
	line := func(text string) string { return head + "\r\n" + text + "\r\n\r\n" + content }
	switch below(t, 3) {
	case 0:
		return text(line(pick(t,
			"Content-Length: 3", "Content-Length: -1", "Content-Length: 18446744073709551616", "Content-Length: 0x10", "Content-Length: 5, 5", "Content-Length:",
			"Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
			"Transfer-Encoding : chunked", "Transfer-Encoding:\vchunked", " folded: x", "\tfolded", "no colon", ": no name", "a b: c", "x: \x00", "x: a\rb",
			"x\x00: a", "é: x", "X-Ü: \xff\xfe",
			"Host: y", "Host: ", "Expect: 100-continue", "Expect: nonsense", "Expect: 100-continue\r\nExpect: 100-continue",
			"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
			"Connection: Upgrade\r\nUpgrade: websocket", "Trailer: Authorization", "Authorization: Bearer x", "X: "+strings.Repeat("x", 40<<10),
			strings.Repeat("X: x\r\n", 3000)+"Y: y",
			"Content-Type: application/json\r\nContent-Type: text/plain", "Content-Type: multipart/form-data",
			"Content-Type: multipart/form-data; boundary="+strings.Repeat("b", 100), "Content-Type: multipart/form-data; boundary=\"\"",
		)))
	case 1:
		first, rest, _ := strings.Cut(request, "\r\n")
		method, target, _ := strings.Cut(strings.TrimSuffix(first, " HTTP/1.1"), " ")
		return text(pick(t,
			method+" "+target+" HTTP/1.0", method+" "+target+" HTTP/2.0", method+" "+target+" HTTP/9.9", method+" "+target+" http/1.1", method+" "+target,
			method+"  "+target+" HTTP/1.1",
			" "+first, "\r\n"+first, first+" ", "PRI * HTTP/2.0", "OPTIONS * HTTP/1.1", "CONNECT 127.0.0.1:9 HTTP/1.1", "CONNECT "+target+" HTTP/1.1",
			method+" http://evil.example"+target+" HTTP/1.1",
			method+" //"+target+" HTTP/1.1", method+" "+target+"\x00 HTTP/1.1", method+" "+target+"\x7f HTTP/1.1", method+" "+target+"%2 HTTP/1.1",
			method+" ü HTTP/1.1", method+" ?"+target+" HTTP/1.1",
			"M\x00 "+target+" HTTP/1.1", strings.Repeat("M", 5000)+" "+target+" HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
			method+" "+target+strings.Repeat("/", 40<<10)+" HTTP/1.1",
		) + "\r\n" + rest)
	default:
		wire := []byte(request)
		for range 1 + below(t, 4) {
			at := below(t, len(wire))
			switch below(t, 5) {
			case 0:
				wire[at] = byte(below(t, 256))
			case 1:
				wire = wire[:max(1, at)]
			case 2:
				wire = append(wire[:at], append([]byte(pick(t, "\r\n", "\x00", "\n", ":", " ", "%", "{\"", "\xff", "\r\n\r\n")), wire[at:]...)...)
			case 3:
				to := min(len(wire), at+1+below(t, 20))
				wire = append(wire[:at], wire[to:]...)
			default:
				wire = append(bytes.Clone(wire[:at]), append(bytes.Clone(wire[at:]), wire[at:]...)...)
			}
			if len(wire) == 0 {
				return text("\r\n")
			}
		}
		return wire
	}
}

// TestNowhere asks for what no operation is at: made up paths, and the pages of the documentation in odd ways.
func TestNowhere(t *testing.T) {
	e := openEstate(t, "")
	cases(t, 20)
	rapid.Check(t, func(t *rapid.T) {
		wire := rapid.Custom(func(t *rapid.T) text {
			path := pick(t, "/docs", "/docs/", "/docs/quickstart", "/openapi.json", "/openapi.yaml", "/graphql", "/favicon.ico", "/v2", "/v2/",
				"/v3/idv/session/read", "/.git/config", "/.well-known/", "/debug/pprof/", "/kycd.db", "/oauth2/", "/oauth2/authorize")
			path += pick(t, "", "", "/..%2f..%2fetc/passwd", "/../../openapi.yaml", "?", "?q="+canary, "/"+canary, "%00", "//", "/%2e%2e/", "\u202e", "#",
				"/"+strings.Repeat("a/", 500))
			method := pick(t, "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW")
			return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", method, path, pick(t,
				"Accept: text/html", "Range: bytes=0-9", "Range: bytes=9-0", "If-None-Match: *", "If-Match: \"x\"",
				"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "Accept-Encoding: gzip", "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT",
				"Authorization: Bearer "+canary, "Origin: https://evil.example"))
		}).Draw(t, "wire")
		l, err := e.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		method, _, _ := strings.Cut(string(wire), " ")
		got, err := l.ask(wire, method, false)
		if err != nil {
			t.Fatalf("%s\n%v", shown(wire), err)
		}
		if got.Header.Get("X-Request-Id") == "" && plainRefusal(got) {
			return
		}
		bad := e.judgeAnyway(got)
		if got.Header.Get("X-Request-Id") == "" {
			bad = append(bad, "there is no X-Request-Id")
		}
		if len(bad) > 0 {
			t.Fatalf("%s\n%s\n%s%s", strings.Join(bad, "\n"), shown(wire), got.shown(), strings.Join(e.watch.errors(got.Header.Get("X-Request-Id")), "\n"))
		}
	})
}
