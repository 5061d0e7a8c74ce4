package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	// Timeout bounds one attempt from the look-up of the name to the end of the answer.
	Timeout = 15 * time.Second
	// An answer's content has no meaning; a little is read so that the connection can be used again.
	maxAnswerBytes = 16 << 10
	maxHeaderBytes = 16 << 10
)

// Outcome says what an attempt means for the delivery.
type Outcome string

const (
	// Delivered: the endpoint answered 2xx.
	Delivered Outcome = "delivered"
	// Retry: the attempt failed and may succeed later.
	Retry Outcome = "retry"
	// Throttled: as Retry, and the endpoint is overloaded (429, 502, 504): send it less.
	Throttled Outcome = "throttled"
	// Gone: the endpoint answered 410: disable it.
	Gone Outcome = "gone"
)

// Result is what one attempt came to.
type Result struct {
	Outcome Outcome
	// Status is the HTTP status, 0 without an answer.
	Status int
	// RetryAfter is the wait that the endpoint asked for, 0 if none.
	RetryAfter time.Duration
	// Err is nil when delivered, context.Canceled when the caller ended the attempt, else wraps a Code.
	Err error
	// Duration is how long the attempt took.
	Duration time.Duration
}

// Message is one event on its way to one endpoint.
type Message struct {
	// ID is the same on every attempt; receivers drop repetitions by it.
	ID string
	// URL was accepted by Policy.ParseURL.
	URL string
	// Body is what Event.Encode gave.
	Body []byte
	// Secrets sign the message, the current one first.
	Secrets []string
}

// Client sends messages. It is safe for concurrent use.
type Client struct {
	policy  Policy
	timeout time.Duration
	now     func() time.Time
	http    *http.Client
}

// NewClient makes a client that keeps to policy. now is the clock. timeout bounds an attempt; 0 means Timeout.
//
// No proxy of the environment is used: through one, the addresses that are connected to could not be checked.
func NewClient(policy Policy, timeout time.Duration, now func() time.Time) *Client {
	return newClient(policy, timeout, now, net.DefaultResolver)
}

func newClient(policy Policy, timeout time.Duration, now func() time.Time, resolver *net.Resolver) *Client {
	if timeout <= 0 {
		timeout = Timeout
	}
	dialer := &net.Dialer{Timeout: timeout, ControlContext: policy.control, Resolver: resolver}
	return &Client{policy: policy, timeout: timeout, now: now, http: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true, // an answer that unpacks to more than it weighs is of no use to us
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send makes one attempt. It never fails otherwise than by its Result, whose error quotes neither address nor body.
func (c *Client) Send(ctx context.Context, message Message) Result {
	start := c.now()
	result := c.send(ctx, message, start)
	result.Duration = c.now().Sub(start)
	return result
}

func (c *Client) send(ctx context.Context, message Message, at time.Time) Result {
	if _, err := c.policy.ParseURL(message.URL); err != nil {
		return Result{Outcome: Retry, Err: err}
	}
	signature, err := Sign(message.ID, at, message.Body, message.Secrets...)
	if err != nil {
		return Result{Outcome: Retry, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, message.URL, bytes.NewReader(message.Body))
	if err != nil {
		return Result{Outcome: Retry, Err: ErrInvalidURL}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "kycd-webhook/1")
	request.Header.Set(standardwebhooks.HeaderWebhookID, message.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)

	response, err := c.http.Do(request)
	if err != nil {
		return Result{Outcome: Retry, Err: transportError(err)}
	}
	defer response.Body.Close()
	// The status has decided already; an answer that does not end must not take it back.
	io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswerBytes))
	return classify(response.StatusCode, response.Header.Get("Retry-After"), c.now())
}

// transportError gives the code alone: causes quote addresses, which may hold a receiver's own secrets.
func transportError(err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, ErrBlockedAddress):
		return ErrBlockedAddress
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	default:
		return ErrUnreachable
	}
}

// classify says what a status means: Standard Webhooks 1.0.0, "Deliverability and reliability".
func classify(status int, retryAfter string, now time.Time) Result {
	result := Result{Status: status, RetryAfter: parseRetryAfter(retryAfter, now), Err: ErrRefused}
	switch {
	case status >= 200 && status <= 299:
		return Result{Status: status, Outcome: Delivered}
	case status == http.StatusGone:
		result.Outcome = Gone
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		result.Outcome = Throttled
	default:
		result.Outcome = Retry
	}
	return result
}

// parseRetryAfter reads both forms of the header (RFC 9110 §10.2.3), seconds and a date, within 0 and a day; anything
// else is 0.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxWait)
	}
	return 0
}
