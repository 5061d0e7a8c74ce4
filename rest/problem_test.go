package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// statuses is the whole mapping from kyc's codes.
var statuses = map[kyc.Code]int{
	kyc.CodeInvalid:            400,
	kyc.CodeImageMissing:       400,
	kyc.CodeImageEmpty:         400,
	kyc.CodeUnauthorized:       401,
	kyc.CodeForbidden:          403,
	kyc.CodeNotFound:           404,
	kyc.CodeErased:             404,
	kyc.CodeConsentRequired:    409,
	kyc.CodeConsentRefused:     409,
	kyc.CodeSessionComplete:    409,
	kyc.CodeSessionExpired:     409,
	kyc.CodeSessionBlocked:     409,
	kyc.CodeSessionFinalizing:  409,
	kyc.CodeDocumentType:       409,
	kyc.CodeDocumentSide:       409,
	kyc.CodeIncomplete:         409,
	kyc.CodeLivenessNotStarted: 409,
	kyc.CodeLivenessExpired:    409,
	kyc.CodeLivenessUsed:       409,
	kyc.CodeLivenessPending:    409,
	kyc.CodeLivenessForeign:    422,
	kyc.CodeLivenessFrames:     422,
	kyc.CodeLivenessProof:      422,
	kyc.CodeConflict:           409,
	kyc.CodeIdempotencyRunning: 409,
	kyc.CodeNotEnrolled:        409,
	kyc.CodeImageTooLarge:      413,
	kyc.CodeImageTooManyPixels: 413,
	kyc.CodeImageUnsupported:   415,
	kyc.CodeImageTruncated:     422,
	kyc.CodeImageTooSmall:      422,
	kyc.CodeImageAnimated:      422,
	kyc.CodeImageUnreadable:    422,
	kyc.CodeURLRefused:         422,
	kyc.CodeIdempotencyReused:  422,
	kyc.CodeTooManyRequests:    429,
	kyc.CodeUnavailable:        503,
	kyc.CodeInternal:           500,
}

// declaredCodes are all constants of type Code in package kyc, read from its source, so that a new one
// cannot be forgotten here.
func declaredCodes(t *testing.T) []kyc.Code {
	t.Helper()
	files, err := filepath.Glob("../kyc/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of kyc: %v", err)
	}
	var codes []kyc.Code
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
				for _, value := range spec.Values {
					text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					codes = append(codes, kyc.Code(text))
				}
			}
			return true
		})
	}
	return codes
}

func TestEveryCodeIsMapped(t *testing.T) {
	codes := declaredCodes(t)
	if len(codes) < 25 {
		t.Fatalf("only %d codes found in kyc's source", len(codes))
	}
	for _, code := range codes {
		want, ok := statuses[code]
		if !ok {
			t.Errorf("%s has no entry in this test", code)
		}
		if got := statusOf(code); got != want {
			t.Errorf("%s: status %d, want %d", code, got, want)
		}
		if titles()[code] == "" {
			t.Errorf("%s has no title", code)
		}
	}
	if got := statusOf("made_up"); got != http.StatusInternalServerError {
		t.Errorf("an unknown code: %d", got)
	}
}

func TestErrorsAsAnswers(t *testing.T) {
	for code, status := range statuses {
		t.Run(string(code), func(t *testing.T) {
			failure := &kyc.Error{Code: code, Message: "what went wrong", RetryAfter: 90*time.Second + time.Millisecond,
				Fields: []kyc.FieldError{{Pointer: "/a~1b", Code: "bad", Message: "is bad"}}}
			a := newTestAPI(t, failing(func() error { return fmt.Errorf("wrapped: %w", failure) }), wellProbe())
			w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`))
			p := problemOf(t, w)
			if w.Code != status || p.Code != string(code) {
				t.Errorf("status %d, code %s", w.Code, p.Code)
			}
			if code == kyc.CodeInternal {
				if len(p.Errors) != 0 || p.Detail != "an internal error occurred" {
					t.Errorf("an internal error shows %s", w.Body)
				}
			} else if p.Detail != "what went wrong" || !hasPointer(p.Errors, "/a~1b") {
				t.Errorf("not shown: %s", w.Body)
			}
			retry := w.Header().Get("Retry-After")
			if waits := status == 429 || status == 503; waits && retry != "91" || !waits && retry != "" {
				t.Errorf("Retry-After %q", retry)
			}
			_, op := a.operation(t, "idvSessionRead")
			checkAnswer(t, op, jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`), w)
		})
	}
}

// TestNoSecretReachesTheCaller makes every operation fail with a secret in the cause, in each way in which
// an error can come about.
func TestNoSecretReachesTheCaller(t *testing.T) {
	const secret = "canary-4711"
	ends := map[string]func() error{
		"internal": func() error { return kyc.Internal(errors.New("select " + secret)) },
		"wrapped":  func() error { return fmt.Errorf("%s: %w", secret, kyc.Internal(errors.New(secret))) },
		"foreign":  func() error { return errors.New(secret) },
		"code":     func() error { return kyc.Errorf("made_up", "%s", secret) },
		"panic":    func() error { panic(secret) },
		"panicked": func() error { panic(errors.New(secret)) },
	}
	for name, end := range ends {
		a := newTestAPI(t, failing(end), wellProbe())
		for at, op := range a.contract.operations {
			t.Run(name+"/"+op.id, func(t *testing.T) {
				w := a.do(a.sample(t, at, op))
				if reachesService := strings.HasPrefix(at.path, "/v2/") || op.id == "oauthToken" || op.id == "oauthJwks"; !reachesService {
					return
				}
				if w.Code != http.StatusInternalServerError {
					t.Errorf("status %d", w.Code)
				}
				if strings.Contains(w.Body.String(), secret) || strings.Contains(fmt.Sprint(w.Header()), secret) {
					t.Errorf("the answer tells the secret: %v %s", w.Header(), w.Body)
				}
			})
		}
	}
}

func TestCauseIsLogged(t *testing.T) {
	a := newTestAPI(t, failing(func() error { return kyc.Internal(errors.New("the disk is full")) }), wellProbe())
	a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`))
	if log := a.log.String(); !strings.Contains(log, `"cause":"the disk is full"`) || !strings.Contains(log, `"request_id":"request-0001"`) {
		t.Errorf("log: %s", log)
	}
}

func TestContextErrors(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		a := newTestAPI(t, failing(func() error { return kyc.Internal(context.DeadlineExceeded) }), wellProbe())
		w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`))
		if p := problemOf(t, w); w.Code != 503 || p.Code != "unavailable" || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	t.Run("caller gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		a := newTestAPI(t, failing(func() error { cancel(); return kyc.Internal(context.Canceled) }), wellProbe())
		w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`).WithContext(ctx))
		if w.Body.Len() != 0 || !strings.Contains(a.log.String(), `"status":499`) || strings.Contains(a.log.String(), "request failed") {
			t.Errorf("body %q, log %s", w.Body, a.log)
		}
	})
}

func TestPathsAndMethods(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for _, path := range []string{"/nowhere", "/v2", "/v2/idv/session/read/", "/v2/idv/session/../session/read", "//", "/%00"} {
		w := a.do(request(http.MethodGet, path, "", ""))
		if p := problemOf(t, w); w.Code != http.StatusNotFound || p.Code != "not_found" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for method, path := range map[string]string{http.MethodDelete: "/", "BREW": "/ping", http.MethodTrace: "/docs"} {
		w := a.do(request(method, path, "", ""))
		if p := problemOf(t, w); w.Code != http.StatusMethodNotAllowed || p.Code != "method_not_allowed" {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	w := a.do(request(http.MethodPut, "/ping", "", ""))
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow %q", got)
	}
	if w := a.do(request(http.MethodHead, "/healthz", "", "")); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func TestRequestID(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for given, want := range map[string]string{
		"":                       "request-0001",
		"caller.id_42-x":         "caller.id_42-x",
		"short":                  "request-0001",
		"with blank inside":      "request-0001",
		"evil\"}\n{injected":     "request-0001",
		strings.Repeat("a", 129): "request-0001",
		strings.Repeat("a", 128): strings.Repeat("a", 128),
		"ümlaut-ümlaut":          "request-0001",
	} {
		r := request(http.MethodGet, "/nowhere", "", "")
		r.Header["X-Request-Id"] = []string{given}
		w := a.do(r)
		if got := w.Header().Get("X-Request-Id"); got != want || problemOf(t, w).RequestID != want {
			t.Errorf("%q became %q", given, got)
		}
	}
	plain := New(Options{Service: &fake{}, Probe: wellProbe()})
	first, second := httptest.NewRecorder(), httptest.NewRecorder()
	plain.ServeHTTP(first, request(http.MethodGet, "/ping", "", ""))
	plain.ServeHTTP(second, request(http.MethodGet, "/ping", "", ""))
	if a, b := first.Header().Get("X-Request-Id"), second.Header().Get("X-Request-Id"); a == b || len(a) < 20 {
		t.Errorf("ids %q and %q", a, b)
	}
}

// TestLog wants one line a request, with nothing of its query, its body or its token.
func TestLog(t *testing.T) {
	service := &fake{authenticate: func(string) (auth.Principal, error) { return everyScope(), nil }}
	a := newTestAPI(t, service, wellProbe())
	r := jsonRequest("/v2/idv/session/read?query=canary-1", `{"session_id":"canary-2"}`)
	r.Header.Set("Authorization", "Bearer canary-3")
	r.Header.Set("User-Agent", "canary-4")
	a.do(r)
	a.do(request("CANARY-5", "/canary-6", "", ""))
	lines := strings.Split(strings.TrimSpace(a.log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), a.log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"method": "POST", "route": "/v2/idv/session/read", "status": 200.0, "request_id": "request-0001", "client_id": testClient} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	if strings.Contains(strings.ToLower(a.log.String()), "canary") {
		t.Errorf("the log tells too much: %s", a.log)
	}
}

func TestSecureHeaders(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for _, path := range []string{"/ping", "/nowhere", "/docs"} {
		h := a.do(request(http.MethodGet, path, "", "")).Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "frame-ancestors 'none'"} {
			if !strings.Contains(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
	if got := a.do(request(http.MethodGet, "/ping", "", "")).Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}
