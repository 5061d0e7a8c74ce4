// Package fuzz_test sends the server requests that nobody wrote by hand: drawn from openapi.yaml, half of them as it wants
// them, half of them broken in one place. A failure is made small, and is repeated by the seed that it prints.
package fuzz_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"pgregory.net/rapid"

	"kycd/ent/database/databasetest"
	"kycd/kyc/auth"
)

// usualCases is how many requests are made; KYCD_FUZZ_CASES makes it another number.
const usualCases = 10_000

// maxTarget is how long the path and query of a request may surely be.
const maxTarget = 8 << 10

// leastCases is how many of them each operation gets.
const leastCases = 50

func TestMain(m *testing.M) {
	for _, mediaType := range []string{"image/jpeg", "application/openmetrics-text"} {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.FileBodyDecoder)
	}
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "10s"} { // the command line may say otherwise
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// cases shares the requests out.
func cases(t testing.TB, among int) {
	t.Helper()
	total := usualCases
	if given := os.Getenv("KYCD_FUZZ_CASES"); given != "" {
		var err error
		if total, err = strconv.Atoi(given); err != nil {
			t.Fatal("KYCD_FUZZ_CASES is no number")
		}
	}
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(strings.TrimLeft(arg, "-"), "rapid.checks") }) {
		return // the command line says how many each gets
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(max(leastCases, (total+among-1)/among))); err != nil {
		t.Fatal(err)
	}
}

// TestOperations sends every operation of openapi.yaml good and bad requests. Whatever is asked, the answer must be one
// that the contract describes, and tell nothing of the inside; what the contract forbids must be refused, and named; what it
// takes must not be refused as malformed.
func TestOperations(t *testing.T) {
	operate(t, "", 1)
}

// TestOperationsOnPostgres is the same, with fewer requests, on the database that takes other texts, times and numbers.
func TestOperationsOnPostgres(t *testing.T) {
	operate(t, databasetest.Postgres(t), 4)
}

// operate runs one of so many parts of the requests on a database.
func operate(t *testing.T, database string, part int) {
	doc, operations := contract(t)
	e := openEstate(t, database)
	cases(t, len(operations)*part)
	tally := &tally{counts: map[string]*count{}}
	t.Run("each", func(t *testing.T) {
		for _, op := range operations {
			t.Run(op.id, func(t *testing.T) {
				t.Parallel()
				drawn := op.attempts()
				rapid.Check(t, func(t *rapid.T) { e.try(t, drawn.Draw(t, "request"), tally) })
			})
		}
	})
	tally.report(t, doc, operations)
}

// try makes a request and judges the answer; a second time where the request has an idempotency key and says so.
func (e *estate) try(t *rapid.T, a *attempt, tally *tally) {
	wire, err := e.compose(a)
	if err != nil {
		t.Fatalf("the request cannot be made: %v", err)
	}
	if doubt := e.doubt(a, wire); doubt != "" {
		t.Fatalf("the request is not what was meant: %s\n%s", doubt, shown(wire))
	}
	once := a.framing == tooShort || a.framing == tooLong
	got, err := e.send(wire, a.method, once)
	if err != nil {
		if a.want.silence {
			tally.add(a, 0)
			return
		}
		t.Fatalf("%s\nno answer: %v", shown(wire), err)
	}
	if bad := e.judge(a, got); len(bad) > 0 {
		t.Fatalf("%s\n%s\n%s\n\n%s%s", strings.Join(bad, "\n"), a.GoString(), shown(wire), got.shown(), strings.Join(e.watch.errors(got.Header.Get("X-Request-Id")), "\n"))
	}
	tally.add(a, got.StatusCode)
	if !a.twice || got.StatusCode != http.StatusOK || a.method != http.MethodPost {
		return
	}
	again, err := e.send(wire, a.method, once)
	if err != nil {
		t.Fatalf("%s\nno answer the second time: %v", shown(wire), err)
	}
	kept := strings.HasPrefix(got.Header.Get("Content-Type"), "application/json")
	if kept && a.op.asks() && again.Header.Get("Idempotency-Replayed") == "false" {
		return // an erasure, which another test asked for meanwhile, made the server forget what it had answered
	}
	if kept && (again.StatusCode != http.StatusOK || string(again.body) != string(got.body) || again.Header.Get("Idempotency-Replayed") != "true") {
		t.Fatalf("the second answer is another one\n%s\n%s\n\n%s", shown(wire), got.shown(), again.shown())
	}
}

// compose finds the ids and tokens of a request, and gives it as it is sent.
func (e *estate) compose(a *attempt) (wire []byte, failed error) {
	o := a.op.tenant(e)
	known := map[ref]string{}
	find := func(v any) string {
		switch v := v.(type) {
		case string:
			return v
		case raw:
			return string(v)
		case bool:
			return strconv.FormatBool(v)
		case ref:
			id, ok := known[v]
			if !ok {
				var err error
				if id, err = e.find(o, v); err != nil {
					failed = fmt.Errorf("%v: %w", v, err)
				}
				known[v] = id
			}
			return id
		case secret:
			if v.good {
				return o.ClientSecret
			}
			return o.ClientSecret[:len(o.ClientSecret)-1]
		}
		return ""
	}
	credential := func(v any) string {
		switch v := v.(type) {
		case basic:
			return v.header(o)
		case credentials:
			return "Bearer " + e.token(o, v, func() string { return find(a.body.session()) })
		}
		return find(v)
	}
	return a.wire(credential), failed
}

// header is HTTP Basic as RFC 6749 wants it, or nearly.
func (b basic) header(o *tenant) string {
	id, password := url.QueryEscape(o.Principal.ClientID), url.QueryEscape(o.ClientSecret)
	text := base64.StdEncoding.EncodeToString([]byte(id + ":" + password))
	if b.good {
		return "Basic " + text
	}
	return []string{
		"Basic", "Basic " + text[:len(text)/2], "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+password[:8])),
		"Bearer " + o.token, "Basic " + base64.StdEncoding.EncodeToString([]byte("%zz:%zz\x00")),
	}[b.n]
}

// token is what credentials stand for.
func (e *estate) token(o *tenant, c credentials, session func() string) string {
	parts := strings.Split(o.token, ".")
	switch c {
	case device:
		return e.scoped(o, auth.ScopeSDK, session())
	case narrow:
		return e.scoped(o, auth.ScopeDashboard, "")
	case cut:
		return o.token[:len(o.token)-1]
	case altered:
		claims, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return ""
		}
		other := strings.Replace(string(claims), `"iat":`, `"iat":1`, 1)
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(other)) + "." + parts[2]
	case unsigned:
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) + "." + parts[1] + "."
	}
	return o.token
}

// doubt asks the schema whether a request is as good or as bad as it was meant to be: the test must not be wrong about it.
func (e *estate) doubt(a *attempt, wire []byte) string {
	if target, _, _ := strings.Cut(string(wire), " HTTP/1.1\r\n"); len(target) > maxTarget {
		if a.want.statuses != nil {
			a.want.statuses = append(a.want.statuses, http.StatusRequestURITooLong)
		}
		a.want.taken, a.want.named = false, false
		return ""
	}
	if a.body.form != "application/json" {
		return ""
	}
	if a.size > a.op.maxBody {
		if a.want.taken {
			a.forbid("a body that got too large", http.StatusRequestEntityTooLarge)
		} else if len(a.want.statuses) > 0 {
			a.want.statuses, a.want.named = append(a.want.statuses, http.StatusRequestEntityTooLarge), false
		}
		return ""
	}
	if a.framing != measured {
		return ""
	}
	_, text, _ := strings.Cut(string(wire), "\r\n\r\n")
	value, err := decoded([]byte(text))
	switch taken := err == nil && a.op.schema.VisitJSON(value, openapi3.VisitAsRequest()) == nil; {
	case a.want.taken && !taken:
		return "the schema refuses it"
	case a.want.named && strings.HasSuffix(a.note, fmt.Sprintf("broken at %q", a.want.pointer)) && !strings.HasPrefix(a.note, "text") && taken:
		return "the schema takes it"
	}
	return ""
}

// shown is a text for a report: its beginning, and what cannot be printed in its place.
func shown(text []byte) string {
	const most = 3000
	if len(text) > most {
		return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
	}
	return fmt.Sprintf("%q", text)
}

func (a *answer) shown() string { return fmt.Sprintf("%s %v\n%s\n", a.Status, a.Header, shown(a.body)) }

// tally counts what was sent and what came back.
type tally struct {
	mu     sync.Mutex
	counts map[string]*count
}

type count struct {
	all, proper int
	statuses    map[int]int
}

func (c *tally) add(a *attempt, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.counts[a.op.id]
	if n == nil {
		n = &count{statuses: map[int]int{}}
		c.counts[a.op.id] = n
	}
	n.all++
	n.statuses[status]++
	if a.want.taken {
		n.proper++
	}
}

// report says how much was tried, and fails the test if that was too little.
func (c *tally) report(t *testing.T, doc *openapi3.T, operations []*operation) {
	t.Helper()
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // only some were asked for
	}
	var lines []string
	all, statuses := 0, map[int]int{}
	for _, op := range operations {
		n := c.counts[op.id]
		if n == nil {
			n = &count{}
		}
		good := 0
		for status, times := range n.statuses {
			if status >= 200 && status < 300 {
				good += times
			}
			statuses[status] += times
		}
		all += n.all
		lines = append(lines, fmt.Sprintf("%5d requests, %5d proper, %5d done  %s", n.all, n.proper, good, op.id))
		if n.all < leastCases && !testing.Short() {
			t.Errorf("%s got %d requests, want %d", op, n.all, leastCases)
		}
		if good == 0 {
			t.Errorf("%s was never done", op)
		}
	}
	slices.Sort(lines)
	t.Logf("%d requests to %d operations of %s %s, statuses %v\n%s", all, len(operations), doc.Info.Title, doc.Info.Version, statuses, strings.Join(lines, "\n"))
}
