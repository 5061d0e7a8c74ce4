package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"kycd/kyc"
	"kycd/kyc/auth"
	api "kycd/rest/generated"
)

// OauthToken is the token endpoint. The errors become those of RFC 6749 in fail.
func (s *server) OauthToken(ctx context.Context, req api.OauthTokenRequestObject) (api.OauthTokenResponseObject, error) {
	form := req.Body
	id, secret, err := clientCredentials(exchangeOf(ctx).request, value(form.ClientId), value(form.ClientSecret))
	if err != nil {
		return nil, err
	}
	if form.GrantType != "client_credentials" {
		return nil, refuse(codeUnsupportedGrantType, "the only grant type is client_credentials")
	}
	token, err := s.service.IssueToken(ctx, id, secret, strings.Fields(value(form.Scope)), value(form.SessionId))
	if err != nil {
		return nil, err
	}
	return api.OauthToken200JSONResponse{
		Headers: api.OauthToken200ResponseHeaders{CacheControl: "no-store", Pragma: "no-cache"},
		Body: api.Token{
			AccessToken: token.AccessToken,
			TokenType:   "Bearer",
			ExpiresIn:   int(token.ExpiresIn.Seconds()),
			Scope:       strings.Join(token.Scopes, " "),
		},
	}, nil
}

// clientCredentials are the client's id and secret, from the header or from the body (RFC 6749 §2.3.1).
func clientCredentials(r *http.Request, bodyID, bodySecret string) (id, secret string, err error) {
	if r.Header.Get("Authorization") == "" {
		if bodyID == "" || bodySecret == "" {
			return "", "", refuse(kyc.CodeUnauthorized, "the client must authenticate, by HTTP Basic or by client_id and client_secret")
		}
		return bodyID, bodySecret, nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", refuse(kyc.CodeUnauthorized, "the Authorization header is not of scheme Basic")
	}
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if err1 != nil || err2 != nil || id == "" {
		return "", "", refuse(kyc.CodeUnauthorized, "the client's id and secret must be form-urlencoded in the Authorization header")
	}
	if bodySecret != "" || bodyID != "" && bodyID != id {
		return "", "", refuse(kyc.CodeInvalid, "the client must authenticate in one way only")
	}
	return id, secret, nil
}

// OauthJwks answers the public keys.
func (s *server) OauthJwks(ctx context.Context, _ api.OauthJwksRequestObject) (api.OauthJwksResponseObject, error) {
	keys, err := s.service.JWKS(ctx)
	if err != nil {
		return nil, err
	}
	return keySet(keys), nil
}

// keySet is a JSON Web Key Set as it was encoded by whoever holds the keys.
type keySet []byte

// VisitOauthJwksResponse makes it an answer of the operation.
func (k keySet) VisitOauthJwksResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", mediaJSON)
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(k)
	return err
}

// OauthMetadata answers where tokens come from.
func (s *server) OauthMetadata(ctx context.Context, _ api.OauthMetadataRequestObject) (api.OauthMetadataResponseObject, error) {
	base := s.reachedAt(exchangeOf(ctx).request)
	scopes := make([]string, 0, len(auth.Scopes()))
	for _, scope := range auth.Scopes() {
		scopes = append(scopes, string(scope))
	}
	return api.OauthMetadata200JSONResponse{
		Issuer:                            base,
		TokenEndpoint:                     base + "/oauth2/token",
		JwksUri:                           base + "/.well-known/jwks.json",
		ScopesSupported:                   scopes,
		ResponseTypesSupported:            []string{},
		GrantTypesSupported:               []string{"client_credentials"},
		TokenEndpointAuthMethodsSupported: []string{"client_secret_basic", "client_secret_post"},
		ServiceDocumentation:              base + "/docs",
	}, nil
}
