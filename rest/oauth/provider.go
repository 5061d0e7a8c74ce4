package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// provider is what the library asks. What it does not implement, the library refuses.
type provider struct {
	op.UnimplementedServer
	rules Rules
}

// refuse keeps the rules' error for the answer. The library gets, and logs, only its kind.
func refuse(ctx context.Context, err error) error {
	ctx.Value(callKey{}).(*call).err = err
	switch kyc.AsError(err).Code.Kind() {
	case kyc.KindUnauthorized:
		return oidc.ErrInvalidClient()
	case kyc.KindForbidden:
		return oidc.ErrInvalidScope()
	case kyc.KindInternal, kyc.KindUnavailable:
		return oidc.ErrServerError()
	}
	return oidc.ErrInvalidRequest()
}

// VerifyClient says which client asks. Without a secret nobody is authenticated: such a client can only exchange a
// token, which says who holds it.
func (p *provider) VerifyClient(ctx context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	switch given := r.Data; {
	case given.ClientAssertion != "" || given.ClientAssertionType != "":
		return nil, oidc.ErrInvalidClient().WithDescription("client assertions are not supported")
	case given.ClientSecret == "":
		return client{Principal: auth.Principal{ClientID: given.ClientID}, method: oidc.AuthMethodNone, grants: grantTypes(p.rules.ClientCredentials())}, nil
	}
	holder, err := p.rules.AuthenticateClient(ctx, r.Data.ClientID, r.Data.ClientSecret)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	method := oidc.AuthMethodPost
	if r.Header.Get("Authorization") != "" {
		method = oidc.AuthMethodBasic
	}
	return client{Principal: holder, method: method, grants: grantTypes(p.rules.ClientCredentials())}, nil
}

// grantTypes are what the token endpoint takes, with and without client credentials.
func grantTypes(credentials bool) []oidc.GrantType {
	if credentials {
		return []oidc.GrantType{oidc.GrantTypeClientCredentials, oidc.GrantTypeTokenExchange}
	}
	return []oidc.GrantType{oidc.GrantTypeTokenExchange}
}

// ClientCredentialsExchange is RFC 6749 §4.4, for a client that has authenticated.
func (p *provider) ClientCredentialsExchange(ctx context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest]) (*op.Response, error) {
	granted, err := p.rules.GrantToken(ctx, holderOf(r.Client), scopesOf(r.Data.Scope), r.Form.Get("session_id"))
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return tokenAnswer(granted, ""), nil
}

// TokenExchange is RFC 8693: a client that holds an access token, ours or the external issuer's, gets one for the
// device of a session.
func (p *provider) TokenExchange(ctx context.Context, r *op.ClientRequest[oidc.TokenExchangeRequest]) (*op.Response, error) {
	asked := r.Data
	switch {
	case asked.SubjectTokenType != oidc.AccessTokenType && asked.SubjectTokenType != oidc.JWTTokenType:
		return nil, oidc.ErrInvalidRequest().WithDescription("the subject_token must be an access token")
	case asked.RequestedTokenType != "" && asked.RequestedTokenType != oidc.AccessTokenType:
		return nil, oidc.ErrInvalidRequest().WithDescription("the requested_token_type can only be an access token")
	case asked.ActorToken != "" || asked.ActorTokenType != "":
		return nil, oidc.ErrInvalidRequest().WithDescription("an actor_token is not supported")
	}
	issuer := op.IssuerFromContext(ctx)
	for _, target := range slices.Concat(asked.Resource, asked.Audience) {
		if target != issuer {
			return nil, oidc.ErrInvalidTarget().WithDescription("tokens are for this service only")
		}
	}
	holder, err := p.rules.Authenticate(ctx, asked.SubjectToken)
	switch {
	case err != nil && kyc.AsError(err).Code.Kind() == kyc.KindUnauthorized: // RFC 8693 §2.2.2 has this name for it
		return nil, oidc.ErrInvalidRequest().WithDescription("the subject_token is not valid")
	case err != nil:
		return nil, refuse(ctx, err)
	case holder.ClientID != r.Client.GetID():
		return nil, oidc.ErrInvalidRequest().WithDescription("the subject_token is not the client's")
	case holder.SessionID != "":
		return nil, oidc.ErrInvalidRequest().WithDescription("the subject_token is a device's")
	}
	granted, err := p.rules.GrantToken(ctx, holder, scopesOf(asked.Scopes), r.Form.Get("session_id"))
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return tokenAnswer(granted, oidc.AccessTokenType), nil
}

// scopesOf are the names of a list that the library parted at each single blank.
func scopesOf(list oidc.SpaceDelimitedArray) []string { return strings.Fields(strings.Join(list, " ")) }

// token is the answer of RFC 6749 §5.1 and RFC 8693 §2.2.1.
type token struct {
	AccessToken     string         `json:"access_token"`
	IssuedTokenType oidc.TokenType `json:"issued_token_type,omitempty"`
	TokenType       string         `json:"token_type"`
	ExpiresIn       int64          `json:"expires_in"` // seconds
	Scope           string         `json:"scope"`
}

func tokenAnswer(granted kyc.Token, issued oidc.TokenType) *op.Response {
	answer := op.NewResponse(token{
		AccessToken: granted.AccessToken, IssuedTokenType: issued, TokenType: oidc.BearerToken,
		ExpiresIn: int64(granted.ExpiresIn / time.Second), Scope: strings.Join(granted.Scopes, " "),
	})
	answer.Header.Set("Cache-Control", "no-store")
	answer.Header.Set("Pragma", "no-cache")
	return answer
}

// publicFor is how long others may keep the keys and the discovery document. A new key signs at once; who does not
// know it asks again.
const publicFor = "public, max-age=300"

// Keys answers the JSON Web Key Set as the rules wrote it.
func (p *provider) Keys(ctx context.Context, _ *op.Request[struct{}]) (*op.Response, error) {
	keys, err := p.rules.JWKS(ctx)
	if err != nil {
		return nil, refuse(ctx, err)
	}
	return &op.Response{Header: http.Header{"Cache-Control": {publicFor}}, Data: json.RawMessage(keys)}, nil
}

// discovery is the library's document, with an entry that must not be missing though it is empty: nobody signs in
// here, so there is no authorization endpoint and no response type.
type discovery struct {
	*oidc.DiscoveryConfiguration
	ResponseTypesSupported []string `json:"response_types_supported"`
}

// Discovery answers where the endpoints are.
func (p *provider) Discovery(ctx context.Context, _ *op.Request[struct{}]) (*op.Response, error) {
	issuer := op.IssuerFromContext(ctx)
	return &op.Response{Header: http.Header{"Cache-Control": {publicFor}}, Data: discovery{
		DiscoveryConfiguration: &oidc.DiscoveryConfiguration{
			Issuer: issuer, TokenEndpoint: issuer + TokenPath, JwksURI: issuer + KeysPath,
			ScopesSupported: Scopes(), GrantTypesSupported: grantTypes(p.rules.ClientCredentials()),
			SubjectTypesSupported: []string{"public"}, IDTokenSigningAlgValuesSupported: []string{string(jose.ES256)},
			TokenEndpointAuthMethodsSupported: authMethods(), ServiceDocumentation: issuer + "/docs",
		},
		ResponseTypesSupported: []string{},
	}}, nil
}

// Scopes are the names of all scopes.
func Scopes() []string {
	var names []string
	for _, scope := range auth.Scopes() {
		names = append(names, string(scope))
	}
	return names
}

// GrantTypes are the names of the grants that the rules allow.
func GrantTypes(rules Rules) []string {
	var names []string
	for _, grant := range grantTypes(rules.ClientCredentials()) {
		names = append(names, string(grant))
	}
	return names
}

func authMethods() []oidc.AuthMethod {
	return []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodNone}
}

// AuthMethods are the names of the ways in which a client may authenticate.
func AuthMethods() []string {
	var names []string
	for _, method := range authMethods() {
		names = append(names, string(method))
	}
	return names
}
