// Package oauth is the authorization server: the token endpoint, the keys and the discovery document. A library reads
// the requests and writes the answers as RFC 6749, RFC 8693 and OpenID Connect have them; the rules say who gets what.
package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// Where the documents are, below the issuer's URL.
const (
	TokenPath     = "/oauth2/token"
	KeysPath      = "/.well-known/jwks.json"
	DiscoveryPath = oidc.DiscoveryEndpoint
)

// Rules decides: *kyc.Service. Every error of it is a *kyc.Error.
type Rules interface {
	// ClientCredentials tells whether a client gets tokens for its secret.
	ClientCredentials() bool
	// AuthenticateClient says what a client may ask for. Code unauthorized means the client.
	AuthenticateClient(ctx context.Context, clientID, secret string) (auth.Principal, error)
	// Authenticate says who an access token speaks for. Code unauthorized means the token.
	Authenticate(ctx context.Context, bearer string) (auth.Principal, error)
	// GrantToken makes a token for a client, or for the holder of a token. Code forbidden means the scope.
	GrantToken(ctx context.Context, holder auth.Principal, scopes []string, sessionID string) (kyc.Token, error)
	JWKS(ctx context.Context) ([]byte, error)
}

// Refusal is an error of the protocol (RFC 6749 §5.2). Its description may quote what the caller sent.
type Refusal struct{ Name, Description string }

// Error says which.
func (r *Refusal) Error() string { return "oauth: " + r.Name }

// Status is the refusal's HTTP status.
func (r *Refusal) Status() int {
	if r.Name == string(oidc.InvalidClient) {
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// Answer is what is to be answered when nothing was refused.
type Answer struct {
	Header http.Header
	Body   []byte
}

// Server answers. It is safe for concurrent use.
type Server struct{ library http.Handler }

// New makes a server that asks the rules.
func New(rules Rules) *Server {
	return &Server{library: op.RegisterServer(
		&provider{rules: rules},
		op.Endpoints{Token: op.NewEndpoint(TokenPath), JwksURI: op.NewEndpoint(KeysPath)},
		op.WithServerCORSOptions(nil),
	)}
}

// Token answers a token request, whose form was read into r.PostForm. The error is a *Refusal, or what the rules said.
func (s *Server) Token(r *http.Request, issuer string) (Answer, error) {
	if err := checkAuthorization(r); err != nil {
		return Answer{}, err
	}
	if given := r.PostForm.Get("grant_type"); !slices.Contains(grantTypes(true), oidc.GrantType(given)) {
		return Answer{}, &Refusal{string(oidc.UnsupportedGrantType), "the grant types are client_credentials and token exchange"}
	}
	return s.serve(r, issuer)
}

// Keys answers the public keys.
func (s *Server) Keys(r *http.Request) (Answer, error) { return s.serve(r, "") }

// Discovery answers where everything is, as OpenID Connect Discovery 1.0 has it.
func (s *Server) Discovery(r *http.Request, issuer string) (Answer, error) {
	return s.serve(r, issuer)
}

// checkAuthorization holds the client's authentication against RFC 6749 §2.3.1. The library would answer 400 where
// §5.2 asks for 401, and log the part of a secret that is not well encoded.
func checkAuthorization(r *http.Request) error {
	switch headers := r.Header.Values("Authorization"); {
	case len(headers) > 1:
		return &Refusal{string(oidc.InvalidRequest), "there is more than one Authorization header"}
	case len(headers) == 0 && r.PostForm.Get("client_id") == "":
		return &Refusal{string(oidc.InvalidClient), "the client must authenticate, by HTTP Basic or by client_id and client_secret"}
	case len(headers) == 0:
		return nil
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return &Refusal{string(oidc.InvalidClient), "the Authorization header is not of scheme Basic"}
	}
	id, err1 := url.QueryUnescape(name)
	_, err2 := url.QueryUnescape(password)
	if err1 != nil || err2 != nil || id == "" {
		return &Refusal{string(oidc.InvalidClient), "the client's id and secret must be form-urlencoded in the Authorization header"}
	}
	if r.PostForm.Has("client_secret") || r.PostForm.Has("client_id") && r.PostForm.Get("client_id") != id {
		return &Refusal{string(oidc.InvalidRequest), "the client must authenticate in one way only"}
	}
	return nil
}

// serve lets the library answer what is at the request's path.
func (s *Server) serve(r *http.Request, issuer string) (Answer, error) {
	call := &call{}
	ctx := context.WithValue(op.ContextWithIssuer(r.Context(), issuer), callKey{}, call)
	inner := r.Clone(ctx)
	inner.Form = inner.PostForm // without the query, which is no place for secrets
	inner.URL.RawQuery = ""     // the library refuses a broken one, which means nothing here
	recorded := &recorder{header: http.Header{}, status: http.StatusOK}
	s.library.ServeHTTP(recorded, inner)
	if call.err != nil {
		return Answer{}, call.err
	}
	if recorded.status != http.StatusOK {
		var refusal struct {
			Name        string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal(recorded.body.Bytes(), &refusal); err != nil || refusal.Name == "" || recorded.status >= http.StatusInternalServerError {
			return Answer{}, kyc.Internal(fmt.Errorf("the OAuth library answered %d", recorded.status))
		}
		if refusal.Description == "" {
			refusal.Description = refusal.Name
		}
		return Answer{}, &Refusal{refusal.Name, refusal.Description}
	}
	return Answer{Header: recorded.header, Body: recorded.body.Bytes()}, nil
}

// call is one request on its way through the library, which would make a text of the rules' error.
type call struct{ err error }

type callKey struct{}

// recorder is an http.ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(status int)         { r.status = status }
func (r *recorder) Write(body []byte) (int, error) { return r.body.Write(body) }
