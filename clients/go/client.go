// Package kycd is the Go client of a kycd server, for backends and for devices.
//
// Methods and types are generated from the server's contract (package api); this package adds what every caller needs:
// tokens that are fetched, kept and renewed, typed errors, further tries with idempotency keys, and the
// verification of webhooks.
//
//	client, err := kycd.New(kycd.Config{BaseURL: "https://kyc.example.com", ClientID: id, ClientSecret: secret})
//	session, err := kycd.Answer(client.IdvSessionCreateWithResponse(ctx, api.IdvSessionCreate{}))
//	token, err := client.SDKToken(ctx, session.SessionId) // for the person's device
package kycd

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kycd/clients/go/api"
)

//go:generate go tool oapi-codegen -config codegen.yaml ../../rest/openapi.yaml

// Config says which server, and who calls.
type Config struct {
	// BaseURL is where the server is, such as https://kyc.example.com.
	BaseURL  string
	ClientID string
	// ClientSecret is for backends alone; a device gets an SDKToken.
	ClientSecret string
	// Scopes to ask for; none means all that the client has.
	Scopes []string
	// Token gives access tokens, instead of ClientSecret: those of the external issuer that the server trusts, or a
	// device's SDKToken. It is called for every request, and once more with the token that was refused.
	Token func(ctx context.Context, refused string) (string, error)
	// HTTPClient's Transport is used, and its Timeout, which bounds a call with all its tries. Default http.DefaultTransport.
	HTTPClient *http.Client
	// Retries is how often a call is tried again at most: 0 means 3, less than 0 never.
	Retries int
	// Timeout bounds one try; 0 means 35 s, with pictures 125 s, for finalize 135 s.
	Timeout time.Duration
}

const defaultRetries = 3

// Client calls every operation of the contract: XWithResponse is the operation X. It is safe for concurrent use.
//
// An error is an *Error when the server refused, the context's when that ended, and otherwise means that no answer came; what was
// asked may then have happened or not.
type Client struct {
	*api.ClientWithResponses
	config Config
	world  world
	tokens tokenSource
	plain  doer // for the token endpoint
}

// New makes a client. It sends nothing yet.
func New(config Config) (*Client, error) { return newClient(config, realWorld()) }

func newClient(config Config, w world) (*Client, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("kycd: BaseURL must be an http or https URL without user, query and fragment")
	}
	if (config.ClientSecret == "") == (config.Token == nil) {
		return nil, errors.New("kycd: one of ClientSecret and Token is needed, and not both")
	}
	config.BaseURL = strings.TrimRight(config.BaseURL, "/")
	config.Scopes = slices.Clone(config.Scopes)
	c := &Client{config: config, world: w, plain: newDoer(config, w, fixedToken(""))}
	if config.Token != nil {
		c.tokens = givenTokens{config.Token}
	} else {
		c.tokens = newCachedTokens(w.now, c.clientCredentials)
	}
	return c, c.connect()
}

// connect makes the generated client use the tokens.
func (c *Client) connect() (err error) {
	c.ClientWithResponses, err = api.NewClientWithResponses(c.config.BaseURL, api.WithHTTPClient(newDoer(c.config, c.world, c.tokens)))
	return err
}

// SDK is the device's client for the token of an SDKToken. It can be given to whoever acts for the device: it knows no secret.
func (c *Client) SDK(token string) (*Client, error) {
	config := c.config
	config.ClientSecret, config.Scopes = "", nil
	device := &Client{config: config, world: c.world, plain: c.plain, tokens: fixedToken(token)}
	return device, device.connect()
}

// Answer gives what an operation answered, without the HTTP around it:
//
//	session, err := kycd.Answer(client.IdvSessionReadWithResponse(ctx, api.SessionRef{SessionId: id}))
func Answer[T any](response interface{ GetJSON200() *T }, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if answer := response.GetJSON200(); answer != nil {
		return *answer, nil
	}
	return none, errors.New("kycd: the answer is no object of status 200; look at the response's other fields")
}

// IdempotencyKey names what a POST does: another POST with the same key and body has no second effect and gets the first
// one's answer, for 24 hours. Without it every call makes a key of its own, and keeps it over its tries.
func IdempotencyKey(key string) api.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set(headerIdempotencyKey, key)
		return nil
	}
}
