package fuzz_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// codes are the codes of errors, each with its status. They are public and stay: a new one belongs here too.
func codes() map[string]int {
	return map[string]int{
		"invalid_request": 400, "image_missing": 400, "image_empty": 400,
		"unauthorized": 401, "forbidden": 403, "not_found": 404, "erased": 404, "method_not_allowed": 405, "request_timeout": 408,
		"consent_required": 409, "consent_refused": 409, "session_complete": 409, "session_expired": 409, "session_blocked": 409,
		"session_finalizing": 409, "document_type_required": 409, "document_side_not_expected": 409, "incomplete": 409,
		"liveness_not_started": 409, "liveness_token_expired": 409, "liveness_token_used": 409, "liveness_pending": 409,
		"liveness_token_foreign": 422, "liveness_frames_mismatch": 422, "liveness_frame_refused": 422, "conflict": 409, "idempotency_in_progress": 409, "identity_not_enrolled": 409,
		"image_too_large": 413, "image_too_many_pixels": 413, "payload_too_large": 413, "uri_too_long": 414,
		"image_unsupported": 415, "unsupported_media_type": 415,
		"image_truncated": 422, "image_too_small": 422, "image_animated": 422, "image_unreadable": 422, "url_refused": 422, "idempotency_key_reused": 422,
		"too_many_requests": 429, "unavailable": 503,
	}
}

// oauthErrors are those of RFC 6749 §5.2, and the one of §4.1.2.1 for a server that cannot at the moment.
func oauthErrors() []string {
	return []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "temporarily_unavailable"}
}

// line is one connection to the server.
type line struct {
	net.Conn
	in *bufio.Reader
}

func (l *line) close() { _ = l.Conn.Close() }

// patience is how long an answer may take. What takes longer hangs.
const patience = 20 * time.Second

func (e *estate) dial() (*line, error) {
	c, err := net.Dial("tcp", e.addr)
	if err != nil {
		return nil, err
	}
	return &line{c, bufio.NewReader(c)}, nil
}

// answer is what came back.
type answer struct {
	*http.Response
	body []byte
}

// ask sends a request on a connection and reads the answer. With half, nothing more will come from here.
func (l *line) ask(wire []byte, method string, half bool) (*answer, error) {
	if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	sent := make(chan struct{})
	go func() { // a server that has heard enough answers before all is said
		defer close(sent)
		_, _ = l.Write(wire)
		if half {
			_ = l.Conn.(*net.TCPConn).CloseWrite()
		}
	}()
	defer func() { <-sent }()
	for {
		response, err := http.ReadResponse(l.in, &http.Request{Method: method})
		if err != nil {
			l.close() // so that the writing ends too
			return nil, err
		}
		if response.StatusCode == http.StatusContinue {
			continue
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.Close {
			l.close()
		}
		return &answer{response, body}, err
	}
}

// send sends a request on a connection that was kept, or on a new one.
func (e *estate) send(wire []byte, method string, once bool) (*answer, error) {
	if !once {
		select {
		case kept := <-e.lines:
			got, err := kept.ask(wire, method, false)
			if err == nil {
				e.keep(kept, got)
				return got, nil
			}
			// The server may have closed it meanwhile.
		default:
		}
	}
	l, err := e.dial()
	if err != nil {
		return nil, err
	}
	got, err := l.ask(wire, method, once)
	if err != nil || once {
		l.close()
		return got, err
	}
	e.keep(l, got)
	return got, nil
}

func (e *estate) keep(l *line, got *answer) {
	if got.Close || l.in.Buffered() > 0 {
		l.close()
		return
	}
	select {
	case e.lines <- l:
	default:
		l.close()
	}
}

// judge says what is wrong with the answer to an attempt.
func (e *estate) judge(a *attempt, got *answer) []string {
	var bad []string
	complain := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	bad = append(bad, e.judgeAnyway(got)...)
	if request := got.Header.Get("X-Request-Id"); request == "" {
		complain("there is no X-Request-Id")
	} else if given := a.header("X-Request-Id"); given != nil && harmless.MatchString(given.value.(string)) && request != given.value {
		complain("X-Request-Id is %s", request)
	}
	if len(a.want.statuses) > 0 && !slices.Contains(a.want.statuses, got.StatusCode) {
		complain("status %d, want one of %v", got.StatusCode, a.want.statuses)
	}
	if a.method != a.op.Method || strings.HasPrefix(a.note, "path ") { // it may be another operation's answer
		return bad
	}
	if err := a.op.takes(got, a.method == http.MethodHead); err != nil {
		complain("the answer is not what the contract says: %v", err)
	}
	if got.StatusCode < 400 {
		return bad
	}
	var problem struct {
		Code      string
		RequestID string `json:"request_id"`
		Error     string
		Errors    []struct{ Pointer, Code string }
	}
	if err := json.Unmarshal(got.body, &problem); err != nil {
		complain("the error is not JSON: %v", err)
		return bad
	}
	if a.op.oauth {
		if !slices.Contains(oauthErrors(), problem.Error) {
			complain("error %q", problem.Error)
		}
		if a.want.taken {
			complain("a good request for a token is refused")
		}
		return bad
	}
	if a.want.named && !slices.ContainsFunc(problem.Errors, func(f struct{ Pointer, Code string }) bool {
		return about(f.Pointer, a.want.pointer) && (a.want.code == "" || f.Code == a.want.code)
	}) {
		complain("the error does not name %q (%s)", a.want.pointer, a.want.code)
	}
	if a.want.taken && (got.StatusCode == http.StatusBadRequest || got.StatusCode == http.StatusUnsupportedMediaType && problem.Code == "unsupported_media_type") {
		for _, f := range problem.Errors {
			if !slices.ContainsFunc(a.want.doubtful, func(p string) bool { return p == f.Pointer || strings.HasPrefix(f.Pointer, p+"/") }) {
				complain("the contract takes what is refused at %q (%s)", f.Pointer, f.Code)
			}
		}
		if len(problem.Errors) == 0 && len(a.want.doubtful) == 0 {
			complain("the contract takes what is refused")
		}
	}
	return bad
}

// about tells whether one JSON pointer is the other, or is above or below it.
func about(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

var harmless = regexp.MustCompile(`^[A-Za-z0-9._-]{8,128}$`)

// judgeAnyway says what is wrong with an answer whatever was asked.
func (e *estate) judgeAnyway(got *answer) []string {
	var bad []string
	complain := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	has := func(name string) {
		if len(got.Header[name]) == 0 {
			complain("there is no %s", name)
		}
	}
	if got.StatusCode >= 500 && got.StatusCode != http.StatusServiceUnavailable {
		complain("status %d", got.StatusCode)
	}
	for _, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "Cache-Control", "Referrer-Policy"} {
		has(name)
	}
	switch got.StatusCode {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		has("Retry-After")
	case http.StatusUnauthorized:
		has("Www-Authenticate")
	case http.StatusMethodNotAllowed:
		has("Allow")
	}
	var head bytes.Buffer
	_ = got.Header.Write(&head) // into memory
	if what := e.watch.inside(head.Bytes()); what != "" {
		complain("the header holds %s", what)
	}
	if got.StatusCode < 400 {
		if bytes.Contains(got.body, []byte("kycs_")) || bytes.Contains(got.body, e.watch.data) {
			complain("the answer holds a secret")
		}
		return bad
	}
	if what := e.watch.inside(got.body); what != "" {
		complain("the error holds %s", what)
	}
	switch mediaType := got.Header.Get("Content-Type"); {
	case got.Request.Method == http.MethodHead:
	case mediaType == "application/problem+json":
		var problem struct {
			Status    int
			Code      string
			RequestID string `json:"request_id"`
			Detail    string
			Errors    []struct{ Pointer, Message string }
		}
		if err := json.Unmarshal(got.body, &problem); err != nil {
			complain("the error is not JSON: %v", err)
		}
		if want, known := codes()[problem.Code]; !known || want != got.StatusCode || problem.Status != got.StatusCode {
			complain("status %d (in the body %d) with the code %q", got.StatusCode, problem.Status, problem.Code)
		}
		if problem.RequestID != got.Header.Get("X-Request-Id") {
			complain("the error is of request %q", problem.RequestID)
		}
		for _, f := range problem.Errors {
			if !wellFormed.MatchString(f.Pointer) {
				complain("%q is no JSON pointer", f.Pointer)
			}
			problem.Detail += f.Message
		}
		if strings.Contains(problem.Detail, canary) {
			complain("the error repeats what was sent")
		}
	case mediaType == "application/json": // of the token endpoint
		if strings.Contains(string(got.body), canary) {
			complain("the error repeats what was sent")
		}
	default:
		complain("an error of type %q", mediaType)
	}
	return bad
}

// wellFormed are JSON pointers (RFC 6901).
var wellFormed = regexp.MustCompile(`^(/([^~/]|~[01])*)*$`)

// takes holds an answer against the contract: its status, headers, media type and schema, and that it has no member which
// the contract does not name.
func (op *operation) takes(got *answer, head bool) error {
	request, err := http.NewRequest(op.Method, "http://kyc.example.com"+op.Path, nil)
	if err != nil {
		return err
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, Route: &op.Route},
		Status:                 got.StatusCode, Header: got.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: head},
	}
	input.SetBodyBytes(got.body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		return err
	}
	described := op.Operation.Responses.Status(got.StatusCode)
	if described == nil {
		described = op.Operation.Responses.Default()
	}
	content := described.Value.Content.Get(got.Header.Get("Content-Type"))
	if head || content == nil || !strings.Contains(got.Header.Get("Content-Type"), "json") {
		return nil
	}
	value, err := decoded(got.body)
	if err != nil {
		return err
	}
	if names := unnamed(content.Schema.Value, value, ""); len(names) > 0 {
		return fmt.Errorf("members that the contract does not name: %s", strings.Join(names, ", "))
	}
	return nil
}

// unnamed lists the members of a value for which a schema that names members has no name.
func unnamed(s *openapi3.Schema, v any, at string) []string {
	if len(s.AllOf) == 1 {
		s = s.AllOf[0].Value
	}
	var names []string
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch property := s.Properties[name]; {
			case property != nil:
				names = append(names, unnamed(property.Value, member, at+"/"+name)...)
			case len(s.Properties) > 0:
				names = append(names, at+"/"+name)
			}
		}
	case []any:
		for i, entry := range v {
			if s.Items != nil {
				names = append(names, unnamed(s.Items.Value, entry, at+"/"+strconv.Itoa(i))...)
			}
		}
	}
	return names
}
