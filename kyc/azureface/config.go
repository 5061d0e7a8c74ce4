// Package azureface speaks the liveness part of the Azure Face REST API, v1.2: it creates a session whose token a device
// takes to Azure's own capture library, asks for the result, and deletes the session.
package azureface

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	// DefaultAPIVersion is the version that the paths, fields and values of this package belong to.
	DefaultAPIVersion = "v1.2"
	// DefaultTimeout bounds one call, its retries included.
	DefaultTimeout = 15 * time.Second
	// maxKeyBytes is far more than a key or an Entra token has.
	maxKeyBytes = 16 << 10
)

// TokenSource gives a Microsoft Entra access token of the scope https://cognitiveservices.azure.com/.default. It is asked
// before every request and should keep its token until shortly before its end.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// Config says where Azure is and who calls. Either Key or TokenSource is needed. However it is printed, it shows no key.
type Config struct {
	Endpoint    string        // https://NAME.cognitiveservices.azure.com; http only to this machine, for the simulator
	Key         string        // of the resource, sent as Ocp-Apim-Subscription-Key
	TokenSource TokenSource   // instead of a key
	APIVersion  string        // empty: DefaultAPIVersion
	Timeout     time.Duration // of one call with its retries; 0: DefaultTimeout
	HTTP        *http.Client  // nil: one that NewHTTP makes; its redirects and cookies are not used
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error // waits, or fails with the context's error; nil: Sleep
}

// String shows everything but the key.
func (c Config) String() string {
	who := "none"
	switch {
	case c.Key != "":
		who = "key"
	case c.TokenSource != nil:
		who = "token"
	}
	endpoint := "invalid"
	if base, err := parseEndpoint(c.Endpoint); err == nil { // what is refused may hold a password
		endpoint = base
	}
	return fmt.Sprintf("azureface.Config{endpoint %s, version %s, credential %s}", endpoint, c.version(), who)
}

// GoString implements fmt.GoStringer.
func (c Config) GoString() string { return c.String() }

// Format implements fmt.Formatter: no verb shows the key.
func (c Config) Format(state fmt.State, _ rune) { fmt.Fprint(state, c.String()) }

// LogValue implements slog.LogValuer.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON implements json.Marshaler. What it gives cannot be read back.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

func (c Config) version() string {
	if c.APIVersion == "" {
		return DefaultAPIVersion
	}
	return c.APIVersion
}

// Validate fails with ErrInvalidConfig.
func (c Config) Validate() error {
	_, err := c.base()
	return err
}

// base checks everything and gives the address that the paths are put behind.
func (c Config) base() (string, error) {
	invalid := func(what string) (string, error) { return "", &Error{Code: ErrInvalidConfig, what: what} }
	endpoint, err := parseEndpoint(c.Endpoint)
	switch {
	case err != nil:
		return "", err
	case c.Key == "" && c.TokenSource == nil:
		return invalid("a key or a token source is needed")
	case c.Key != "" && c.TokenSource != nil:
		return invalid("a key and a token source are given")
	case c.Key != "" && !headerText(c.Key):
		return invalid("the key has characters that no key has")
	case !apiVersion().MatchString(c.version()):
		return invalid("the version must look like v1.2")
	case c.Timeout < 0:
		return invalid("the time-out must be 0 or more")
	}
	return endpoint + "/face/" + c.version(), nil
}

func apiVersion() *regexp.Regexp {
	return regexp.MustCompile(`^v[0-9]{1,2}\.[0-9]{1,2}(-preview(\.[0-9]{1,2})?)?$`)
}

// parseEndpoint gives the endpoint without a slash at its end.
func parseEndpoint(endpoint string) (string, error) {
	invalid := func(what string) (string, error) { return "", &Error{Code: ErrInvalidConfig, what: what} }
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.Hostname() == "", u.Opaque != "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return invalid("the endpoint must be a URL without user, query and fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return invalid("the endpoint must begin with https, or lead to this machine")
	case u.Path != u.EscapedPath(), strings.Contains(u.Path, "//"), strings.Contains(u.Path, ".."):
		return invalid("the endpoint's path is not a plain one")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// headerText tells whether a text is printable ASCII without a space, as keys and tokens are.
func headerText(text string) bool {
	return text != "" && len(text) <= maxKeyBytes && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// NewHTTP makes the HTTP client that Config.HTTP stands for. A proxy of the environment is used, since an egress proxy is
// often the only way out.
func NewHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 32 << 10,
		DisableCompression:     true, // an answer that unpacks to more than it weighs is of no use to us
	}}
}

// Sleep waits for d, or fails with the context's error as soon as that ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
