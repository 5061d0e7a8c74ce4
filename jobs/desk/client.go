package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kycd/jobs/task"
	"kycd/vision"
)

// What a worker is told.
var (
	// ErrNothingToDo means that the work is finished or gone.
	ErrNothingToDo = errors.New("nothing to do")
	// ErrRefused means that the server will not take this request however often it is made.
	ErrRefused = errors.New("refused by the server")
	// ErrUnavailable means that the server could not be asked, or could not answer, for as long as was tried.
	ErrUnavailable = errors.New("the server is unavailable")
)

// Client is a worker's side of the desk.
type Client struct {
	url      *url.URL
	token    string
	http     *http.Client
	patience time.Duration
}

// The pauses between two tries.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// NewClient makes a client. Requests that fail because the server is away, as when it restarts, are made
// again for at most patience.
func NewClient(serverURL, token string, patience time.Duration) (*Client, error) {
	u, err := url.Parse(serverURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("desk: %q is not an http or https URL", serverURL)
	}
	if len(token) < minToken {
		return nil, fmt.Errorf("desk: the token has less than %d characters", minToken)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // images go to the server and to nobody else
	return &Client{url: u, token: token, patience: patience, http: &http.Client{
		Transport: transport,
		Timeout:   requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // nor does the token
		},
	}}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Hello says that the worker is ready.
func (c *Client) Hello(ctx context.Context, h Hello) error {
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, _, err = c.post(ctx, pathHello, body, maxHello)
	return err
}

// Begin asks for a piece of work: what to measure, and the encoded image.
func (c *Client) Begin(ctx context.Context, outboxID string) (vision.Ask, []byte, error) {
	header, image, err := c.post(ctx, path(pathBegin, outboxID), nil, maxImage)
	if err != nil {
		return vision.Ask{}, nil, err
	}
	var ask vision.Ask
	if err := json.Unmarshal([]byte(header.Get(askHeader)), &ask); err != nil {
		return vision.Ask{}, nil, fmt.Errorf("%w: no ask beside the image", ErrRefused)
	}
	return ask, image, nil
}

// Finish hands in what was measured.
func (c *Client) Finish(ctx context.Context, outboxID string, analysis vision.Analysis) error {
	body, err := json.Marshal(analysis)
	if err != nil {
		return fmt.Errorf("%w: the analysis cannot be written as JSON", ErrRefused) // a NaN
	}
	if len(body) > maxAnalysis {
		return fmt.Errorf("%w: the analysis has %d bytes", ErrRefused, len(body))
	}
	_, _, err = c.post(ctx, path(pathFinish, outboxID), body, maxHello)
	return err
}

func path(pattern, outboxID string) string {
	if !task.ValidID(outboxID) {
		outboxID = "-" // the server knows none of this name
	}
	return strings.Replace(pattern, "{outbox_id}", outboxID, 1)
}

// post makes a request until it is answered, patience is over, or ctx ends.
func (c *Client) post(ctx context.Context, path string, body []byte, limit int64) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		header, answer, err := c.try(ctx, path, body, limit)
		if !errors.Is(err, ErrUnavailable) {
			return header, answer, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(pause):
		}
	}
}

func (c *Client) try(ctx context.Context, path string, body []byte, limit int64) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Authorization", bearer+c.token)
	request.Header.Set("Content-Type", jsonType)
	if id := task.RequestID(ctx); id != "" {
		request.Header.Set(nameHeader, id)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case response.StatusCode >= 500, response.StatusCode == http.StatusTooManyRequests:
		return nil, nil, fmt.Errorf("%w: status %d", ErrUnavailable, response.StatusCode)
	case response.StatusCode == http.StatusGone, response.StatusCode == http.StatusNotFound, response.StatusCode == http.StatusConflict:
		return nil, nil, ErrNothingToDo
	case response.StatusCode >= 300:
		return nil, nil, fmt.Errorf("%w: status %d", ErrRefused, response.StatusCode)
	case int64(len(answer)) > limit:
		return nil, nil, fmt.Errorf("%w: the answer is too long", ErrRefused)
	}
	return response.Header, answer, nil
}
