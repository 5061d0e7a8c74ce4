package kycd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

const headerIdempotencyKey = "Idempotency-Key"

const (
	// firstPause is the longest pause before the second try; it doubles with every further one up to longestPause.
	firstPause   = 500 * time.Millisecond
	longestPause = 8 * time.Second
	// longestRetryAfter: a server that asks to wait longer is left to the caller, who sees how long in the error.
	longestRetryAfter = time.Minute
)

// How long one try may take: a little more than the server gives itself, so that its own answer comes first.
const (
	plainTimeout    = 35 * time.Second
	pictureTimeout  = 125 * time.Second
	decisionTimeout = 135 * time.Second
)

// world is what a client takes from the world around it.
type world struct {
	now    func() time.Time
	random func() float64 // from 0 up to, and without, 1
	sleep  func(context.Context, time.Duration) error
	newKey func() string
}

func realWorld() world {
	return world{now: time.Now, random: rand.Float64, sleep: sleep, newKey: uuid.NewString}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transport is an http.RoundTripper that says who calls, and tries again where that may help. It reads the
// whole answer, so that one that breaks off is tried again too.
type transport struct {
	base     http.RoundTripper
	world    world
	clientID string
	tokens   tokenSource
	retries  int
	timeout  time.Duration
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	tokens := t.tokens
	if !strings.Contains(request.URL.Path, "/v2/") { // open to everybody
		tokens = fixedToken("")
	}
	header := t.header(request)
	refused := ""
	for retry := 0; ; {
		token, err := tokens.token(ctx, refused)
		if err != nil {
			return nil, err
		}
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		response, answer, err := t.once(request, header, body)
		if err == nil && response.StatusCode == http.StatusUnauthorized && tokens.renewable() && refused == "" {
			refused = token // it may have been withdrawn before its time; nothing was done yet
			continue
		}
		pause, again := t.pause(response, answer, err, retry)
		if ctx.Err() != nil || !again || retry >= t.retries {
			return response, err
		}
		retry++
		if err := t.world.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// header is what every try sends.
func (t *transport) header(request *http.Request) http.Header {
	header := request.Header.Clone()
	path := request.URL.Path
	if strings.Contains(path, "/sdk/") {
		header.Set("X-Client-Id", t.clientID)
	}
	if strings.Contains(path, "/v2/") && request.Method == http.MethodPost && header.Get(headerIdempotencyKey) == "" {
		header.Set(headerIdempotencyKey, t.world.newKey())
	}
	if header.Get("Accept") == "" {
		header.Set("Accept", "application/json")
		if isDownload(path) {
			header.Set("Accept", "image/*")
		}
	}
	return header
}

// once is one try, until the end of the answer's body.
func (t *transport) once(request *http.Request, header http.Header, body []byte) (*http.Response, []byte, error) {
	timeout := t.timeout
	if timeout == 0 {
		timeout = timeoutOf(request.URL.Path)
	}
	ctx, cancel := context.WithTimeout(request.Context(), timeout)
	defer cancel()
	try := request.Clone(ctx)
	try.Header = header
	if body != nil {
		try.Body = io.NopCloser(bytes.NewReader(body))
		try.ContentLength = int64(len(body))
		try.GetBody = nil
	}
	response, err := t.base.RoundTrip(try)
	if err == nil {
		var answer []byte
		answer, err = io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil {
			response.Body = io.NopCloser(bytes.NewReader(answer))
			response.Request = request
			return response, answer, nil
		}
	}
	switch {
	case request.Context().Err() != nil:
		err = request.Context().Err()
	case ctx.Err() != nil:
		err = fmt.Errorf("no answer within %v: %w", timeout, context.DeadlineExceeded)
	}
	return nil, nil, err
}

// pause says whether another try may help, and how long to wait before it.
func (t *transport) pause(response *http.Response, answer []byte, err error, retry int) (time.Duration, bool) {
	jitter := time.Duration(t.world.random() * float64(min(longestPause, firstPause<<min(retry, 10))))
	if err != nil {
		return jitter, true
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
	case http.StatusServiceUnavailable:
		if isState(response) {
			return 0, false
		}
	case http.StatusConflict:
		var problem struct {
			Code string `json:"code"`
		}
		if json.Unmarshal(answer, &problem) != nil || problem.Code != codeInProgress {
			return 0, false
		}
	default:
		return 0, false
	}
	asked := parseRetryAfter(response.Header.Get("Retry-After"), t.world.now())
	return asked + jitter, asked <= longestRetryAfter
}

// readBody takes the body into memory: it is the same bytes in every try.
func readBody(request *http.Request) ([]byte, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return nil, nil
	}
	defer request.Body.Close()
	return io.ReadAll(request.Body)
}

func isDownload(path string) bool {
	return strings.HasSuffix(path, "/document/download") || strings.HasSuffix(path, "/identity/image/read")
}

func timeoutOf(path string) time.Duration {
	switch {
	case strings.HasSuffix(path, "/sdk/finalize"):
		return decisionTimeout
	case isDownload(path), strings.HasSuffix(path, "/front/add"), strings.HasSuffix(path, "/back/add"), strings.HasSuffix(path, "/liveness/process"):
		return pictureTimeout
	default:
		return plainTimeout
	}
}

// isState reports that an answer is a state of health, which is no problem document also where it is a bad one.
func isState(response *http.Response) bool {
	return response.StatusCode == http.StatusServiceUnavailable && mediaType(response) == "application/json" && response.Request.Method == http.MethodGet
}

func mediaType(response *http.Response) string {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// doer is what the generated client sends with: whatever is no success becomes an *Error.
type doer struct {
	http *http.Client
	now  func() time.Time
}

func newDoer(config Config, w world, tokens tokenSource) doer {
	inner := http.Client{}
	if config.HTTPClient != nil {
		inner = *config.HTTPClient
	}
	base := inner.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	retries := config.Retries
	if retries == 0 {
		retries = defaultRetries
	}
	inner.Transport = &transport{base: base, world: w, clientID: config.ClientID, tokens: tokens, retries: retries, timeout: config.Timeout}
	// What is sent is meant for this server and nobody else.
	inner.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return doer{http: &inner, now: w.now}
}

// Do implements api.HttpRequestDoer.
func (d doer) Do(request *http.Request) (*http.Response, error) {
	response, err := d.http.Do(request)
	if err != nil {
		if refused, ok := errors.AsType[*Error](err); ok { // of the token endpoint
			return nil, refused
		}
		return nil, err
	}
	expected := response.StatusCode == http.StatusOK && (mediaType(response) == "application/json" || isDownload(request.URL.Path))
	if expected || isState(response) {
		return response, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return nil, refusal(response.StatusCode, response.Header, body, d.now())
}
