package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	api "kycd/rest/generated"
	"kycd/rest/oauth"
)

// OauthToken is the token endpoint. What the rules refuse becomes an error of RFC 6749 in fail.
func (s *server) OauthToken(ctx context.Context, _ api.OauthTokenRequestObject) (api.OauthTokenResponseObject, error) {
	x := exchangeOf(ctx)
	r := x.request.WithContext(ctx)
	r.PostForm = x.form
	answer, err := s.oauth.Token(r, s.reachedAt(r))
	if refusal, ok := errors.AsType[*oauth.Refusal](err); ok {
		return tokenRefusal{refusal}, nil
	}
	if err != nil {
		return nil, err
	}
	return oauthAnswer(answer), nil
}

// tokenRefusal is an error of the token endpoint that the protocol itself knows.
type tokenRefusal struct{ *oauth.Refusal }

// VisitOauthTokenResponse makes it an answer of the operation.
func (t tokenRefusal) VisitOauthTokenResponse(w http.ResponseWriter) error {
	status := t.Status()
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", basicChallenge)
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, status, mediaJSON, api.OAuthError{Error: t.Name, ErrorDescription: oauthText(t.Description)})
	return nil
}

// basicChallenge asks for a client's id and secret.
const basicChallenge = `Basic realm="kycd", charset="UTF-8"`

// oauthAnswer is an answer that the OAuth server has written.
type oauthAnswer oauth.Answer

func (a oauthAnswer) write(w http.ResponseWriter) error {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", mediaJSON)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	_, err := w.Write(a.Body)
	return err
}

// VisitOauthTokenResponse makes it an answer of the operation.
func (a oauthAnswer) VisitOauthTokenResponse(w http.ResponseWriter) error { return a.write(w) }

// VisitOauthJwksResponse makes it an answer of the operation.
func (a oauthAnswer) VisitOauthJwksResponse(w http.ResponseWriter) error { return a.write(w) }

// OauthJwks answers the public keys.
func (s *server) OauthJwks(ctx context.Context, _ api.OauthJwksRequestObject) (api.OauthJwksResponseObject, error) {
	answer, err := s.oauth.Keys(exchangeOf(ctx).request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	return oauthAnswer(answer), nil
}

// OauthMetadata answers where tokens come from (RFC 8414).
func (s *server) OauthMetadata(ctx context.Context, _ api.OauthMetadataRequestObject) (api.OauthMetadataResponseObject, error) {
	base := s.reachedAt(exchangeOf(ctx).request)
	return api.OauthMetadata200JSONResponse{
		Issuer:                            base,
		TokenEndpoint:                     base + oauth.TokenPath,
		JwksUri:                           base + oauth.KeysPath,
		ScopesSupported:                   oauth.Scopes(),
		ResponseTypesSupported:            []string{},
		GrantTypesSupported:               oauth.GrantTypes(s.service),
		TokenEndpointAuthMethodsSupported: oauth.AuthMethods(),
		ServiceDocumentation:              base + "/docs",
	}, nil
}

// openIDConfiguration answers the same at the place where libraries of OpenID Connect look it up.
func (s *server) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	answer, err := s.oauth.Discovery(r, s.reachedAt(r))
	if err == nil {
		err = oauthAnswer(answer).write(w)
	}
	if err != nil {
		s.fail(w, r, err)
	}
}
