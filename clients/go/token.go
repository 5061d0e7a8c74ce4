package kycd

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// tokenSource is where the access tokens of requests come from.
type tokenSource interface {
	// token gives one that is good for now, and is another one than refused.
	token(ctx context.Context, refused string) (string, error)
	// renewable reports whether there may be another when one is refused.
	renewable() bool
}

type fixedToken string

func (t fixedToken) token(context.Context, string) (string, error) { return string(t), nil }
func (fixedToken) renewable() bool                                 { return false }

type givenTokens struct {
	give func(ctx context.Context, refused string) (string, error)
}

func (g givenTokens) token(ctx context.Context, refused string) (string, error) {
	return g.give(ctx, refused)
}
func (givenTokens) renewable() bool { return true }

// grant is an answer of the token endpoint.
type grant struct {
	token   string
	expires time.Time
}

// renewBefore is how long before its end a token is renewed; one that lives less than 5 minutes, when nine tenths of its
// life are over.
const renewBefore = 30 * time.Second

// cachedTokens keeps a token until shortly before its end. However many requests need a new one, one asks for it.
type cachedTokens struct {
	now     func() time.Time
	ask     func(context.Context) (grant, error)
	turn    chan struct{} // holds one while the fields below are used
	held    string
	renewAt time.Time
}

func newCachedTokens(now func() time.Time, ask func(context.Context) (grant, error)) *cachedTokens {
	return &cachedTokens{now: now, ask: ask, turn: make(chan struct{}, 1)}
}

func (c *cachedTokens) renewable() bool { return true }

func (c *cachedTokens) token(ctx context.Context, refused string) (string, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	began := c.now()
	if c.held != "" && c.held != refused && began.Before(c.renewAt) {
		return c.held, nil
	}
	given, err := c.ask(ctx)
	if err != nil {
		return "", err
	}
	c.held, c.renewAt = given.token, given.expires.Add(-min(renewBefore, given.expires.Sub(began)/10))
	return c.held, nil
}

// SDKToken is what a device needs for one session; it can be sent to it as JSON. The TypeScript client reads the same form.
type SDKToken struct {
	ClientID  string    `json:"clientId"`
	SessionID string    `json:"sessionId"`
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// SDKToken gets a token for the device that does this session, IDV or IDA. It is good for minutes and for nothing else.
func (c *Client) SDKToken(ctx context.Context, sessionID string) (SDKToken, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"sdk"}, "session_id": {sessionID}}
	if c.config.ClientSecret == "" { // RFC 8693
		subject, err := c.tokens.token(ctx, "")
		if err != nil {
			return SDKToken{}, err
		}
		form.Set("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
		form.Set("client_id", c.config.ClientID)
		form.Set("subject_token", subject)
		form.Set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
	}
	given, err := c.grant(ctx, form)
	if err != nil {
		return SDKToken{}, err
	}
	return SDKToken{ClientID: c.config.ClientID, SessionID: sessionID, Token: given.token, ExpiresAt: given.expires.UTC()}, nil
}

func (c *Client) clientCredentials(ctx context.Context) (grant, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(c.config.Scopes) > 0 {
		form.Set("scope", strings.Join(c.config.Scopes, " "))
	}
	return c.grant(ctx, form)
}

// grant asks the token endpoint.
func (c *Client) grant(ctx context.Context, form url.Values) (grant, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.BaseURL+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return grant{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.config.ClientSecret != "" { // RFC 6749 §2.3.1: each is encoded by itself
		request.SetBasicAuth(url.QueryEscape(c.config.ClientID), url.QueryEscape(c.config.ClientSecret))
	}
	response, err := c.plain.Do(request)
	if err != nil {
		return grant{}, err
	}
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		return grant{}, &Error{Status: response.StatusCode, Code: CodeUnexpectedAnswer, Title: "the token endpoint answered no token"}
	}
	return grant{token: answer.AccessToken, expires: c.world.now().Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}
