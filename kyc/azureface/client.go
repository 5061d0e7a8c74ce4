package azureface

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// maxAnswerBytes bounds an answer that is not an image. A session with three attempts takes about 3 KiB.
	maxAnswerBytes = 1 << 20
	// maxImageBytes bounds a session image; it is also the most that kycd takes of a picture.
	maxImageBytes = 15 << 20
	// maxRetries is how often a request that Azure had no time for (429, 503) is sent again within one call.
	maxRetries = 3
	// firstDelay is the wait before the first retry where Azure asks for none; each further one doubles it.
	firstDelay = 500 * time.Millisecond
	// maxRetryAfter bounds what an answer can ask for.
	maxRetryAfter = time.Hour
)

// Client calls Azure. It is safe for concurrent use and holds nothing that could be printed and should not be.
type Client struct {
	base      string
	timeout   time.Duration
	http      *http.Client
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
	authorise func(*http.Request) error
	reveals   func(string) bool // tells whether a text holds the key
}

// New makes a client. Nothing is asked of Azure yet. It fails with ErrInvalidConfig.
func New(config Config) (*Client, error) {
	base, err := config.base()
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, timeout: config.Timeout, now: config.Now, sleep: config.Sleep}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.sleep == nil {
		c.sleep = Sleep
	}
	given := config.HTTP
	if given == nil {
		given = NewHTTP()
	}
	own := *given
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key goes nowhere else
	c.http = &own
	if key := config.Key; key != "" {
		c.reveals = func(text string) bool { return strings.Contains(text, key) }
		c.authorise = func(request *http.Request) error {
			request.Header.Set("Ocp-Apim-Subscription-Key", key)
			return nil
		}
		return c, nil
	}
	source := config.TokenSource
	c.reveals = func(string) bool { return false } // a token is longer than any text that is kept
	c.authorise = func(request *http.Request) error {
		token, err := source.Token(request.Context())
		switch {
		case err != nil && request.Context().Err() != nil:
			return request.Context().Err()
		case err != nil:
			return &Error{Code: ErrUnauthorised, what: "no access token can be had"}
		case !headerText(token):
			return &Error{Code: ErrUnauthorised, what: "the access token has characters that no token has"}
		}
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	return c, nil
}

// call is one request, which may be sent several times.
type call struct {
	method, path string
	contentType  string
	body         []byte
	accept       string
	limit        int64
}

// answer is a response of status 200 to 299.
type answer struct {
	status    int
	body      []byte
	requestID string
}

// do sends a request, again if Azure has no time for it, until it is answered or the time is up.
func (c *Client) do(ctx context.Context, request call) (answer, error) {
	deadline := c.now().Add(c.timeout)
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	delay := firstDelay
	for retry := 0; ; retry++ {
		got, err := c.send(ctx, request)
		if err == nil {
			return got, nil
		}
		if retry == maxRetries || err.Status != http.StatusTooManyRequests && err.Status != http.StatusServiceUnavailable {
			return answer{}, err
		}
		wait := max(delay, err.RetryAfter)
		if c.now().Add(wait).After(deadline) {
			return answer{}, err // the caller may come back later, and knows when
		}
		if ended := c.sleep(ctx, wait); ended != nil {
			return answer{}, transportError(ended)
		}
		delay *= 2
	}
}

func (c *Client) send(ctx context.Context, what call) (answer, *Error) {
	request, err := http.NewRequestWithContext(ctx, what.method, c.base+what.path, bytes.NewReader(what.body))
	if err != nil {
		return answer{}, refuse("the request cannot be made")
	}
	request.Header.Set("Accept", what.accept)
	request.Header.Set("User-Agent", "kycd-azureface/1")
	if what.contentType != "" {
		request.Header.Set("Content-Type", what.contentType)
	}
	if err := c.authorise(request); err != nil {
		if own, ok := errors.AsType[*Error](err); ok {
			return answer{}, own
		}
		return answer{}, transportError(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, transportError(err)
	}
	defer response.Body.Close()
	id := requestID(response.Header)
	body, err := io.ReadAll(io.LimitReader(response.Body, what.limit+1))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return answer{}, c.statusError(response, body, id) // the status has decided, however the body ends
	}
	if err != nil {
		failed := transportError(err)
		failed.RequestID = id
		return answer{}, failed
	}
	if int64(len(body)) > what.limit {
		return answer{}, &Error{Code: ErrMalformedAnswer, Status: response.StatusCode, RequestID: id, what: "it is too large"}
	}
	return answer{status: response.StatusCode, body: body, requestID: id}, nil
}

// transportError gives the code alone: causes quote addresses, which hold session ids.
func transportError(err error) *Error {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Code: ErrCanceled, cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: ErrTimeout, cause: context.DeadlineExceeded}
	case ok && timeout.Timeout():
		return &Error{Code: ErrTimeout}
	default:
		return &Error{Code: ErrUnreachable}
	}
}

// statusError says what a status outside 200–299 means.
func (c *Client) statusError(response *http.Response, body []byte, id string) *Error {
	e := &Error{
		Status: response.StatusCode, RequestID: id, Reason: c.reason(response.Header, body),
		RetryAfter: parseRetryAfter(response.Header.Get("Retry-After"), c.now()),
	}
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized:
		e.Code = ErrUnauthorised
	case status == http.StatusForbidden:
		e.Code = ErrForbidden
	case status == http.StatusNotFound, status == http.StatusGone:
		e.Code = ErrNotFound
	case status == http.StatusTooManyRequests:
		e.Code = ErrThrottled
	case status == http.StatusRequestTimeout:
		e.Code = ErrTimeout
	case status >= 400 && status <= 499:
		e.Code = ErrBadRequest
	case status >= 500 && status <= 599:
		e.Code = ErrUnavailable
	default: // a redirect above all
		e.Code = ErrMalformedAnswer
	}
	return e
}

// reason is Azure's error code, from the header or the body, if it looks like one. The message is left alone: it may
// quote what was sent.
func (c *Client) reason(header http.Header, body []byte) string {
	name := header.Get("X-Ms-Error-Code")
	if name == "" {
		var content struct {
			Error struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		if json.Unmarshal(body, &content) != nil {
			return ""
		}
		name = content.Error.Code
	}
	if !plainCode(name) || c.reveals(name) {
		return ""
	}
	return name
}

// plainCode tells whether a text looks like one of Azure's codes: letters and digits, not many.
func plainCode(text string) bool {
	return len(text) > 0 && len(text) <= 48 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// requestID is Azure's id of the request, if it is one.
func requestID(header http.Header) string {
	id := header.Get("Apim-Request-Id")
	if !isUUID(id) {
		return ""
	}
	return strings.ToLower(id)
}

func isUUID(text string) bool {
	return regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`).MatchString(text)
}

// pathSegment tells whether an id of Azure's can stand in a path as it is.
func pathSegment(id string) bool {
	return len(id) > 0 && len(id) <= 128 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// parseRetryAfter reads both forms of the header (RFC 9110 §10.2.3), seconds and a date, within 0 and an hour; anything
// else is 0.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}

// decode reads a JSON document, which must be all there is. Fields that are not known are skipped.
func decode(got answer, to any) error {
	if err := json.Unmarshal(got.body, to); err != nil { // it also fails on anything behind the document
		return &Error{Code: ErrMalformedAnswer, Status: got.status, RequestID: got.requestID, what: "it is not the JSON document expected"}
	}
	return nil
}
