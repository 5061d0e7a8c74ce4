package kyc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kycd/ent"
	"kycd/ent/oauthclient"
	"kycd/kyc/auth"
)

// ClientCredentials tells whether a client gets tokens here for its secret. It does not where an external issuer
// gives them; then the secret still proves who asks for a token exchange.
func (s *Service) ClientCredentials() bool {
	return s.config.External == nil || s.config.External.AlsoBuiltin
}

// AuthenticateClient says who a client is, by its secret, and what it may ask for. The principal has no token.
func (s *Service) AuthenticateClient(ctx context.Context, clientID, secret string) (auth.Principal, error) {
	client, err := s.db.Ent.OAuthClient.Query().Where(oauthclient.ID(clientID), oauthclient.RevokedAtIsNil()).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return auth.Principal{}, Internal(err)
	}
	var hash []byte
	if client != nil {
		hash = client.SecretHash
	}
	if !auth.CheckSecret(secret, hash) { // compared also when there is no such client: both take the same time
		return auth.Principal{}, Errorf(CodeUnauthorized, "the client is unknown or the secret is wrong")
	}
	return auth.Principal{UserID: client.UserID, ClientID: client.ID, Scopes: clientScopes(client.Scopes)}, nil
}

// clientScopes is what a client may ask for: what an operator named, or everything. A token for a session's device
// needs no name of its own: whoever may lead the session may hand it out.
func clientScopes(named []string) []auth.Scope {
	if len(named) == 0 {
		return slices.DeleteFunc(auth.Scopes(), func(scope auth.Scope) bool { return scope == auth.ScopeSDK })
	}
	var scopes []auth.Scope
	for _, scope := range auth.Scopes() {
		if slices.Contains(named, string(scope)) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// GrantToken gives a token to a client that proved who it is, by its secret (RFC 6749 §4.4) or by a token that it
// holds already (RFC 8693). It opens no more than the holder may: without scopes all of that. Scope sdk with a
// session id gives a short token for that session alone, and nothing else is given for a token.
func (s *Service) GrantToken(ctx context.Context, holder auth.Principal, scopes []string, sessionID string) (Token, error) {
	asked, err := auth.ParseScopes(strings.Join(scopes, " "))
	if err != nil {
		return Token{}, &Error{Code: CodeForbidden, Message: "one of the scopes does not exist", cause: err}
	}
	device := slices.Contains(asked, auth.ScopeSDK)
	exchanged := holder.TokenID != "" || holder.External
	switch {
	case !exchanged && !s.ClientCredentials():
		return Token{}, Errorf(CodeForbidden, "an external issuer gives the clients' tokens")
	case holder.SessionID != "":
		return Token{}, Errorf(CodeForbidden, "a device's token gives no other")
	case exchanged && !device:
		return Token{}, Errorf(CodeForbidden, "a token is exchanged for one of scope sdk only")
	}
	grant := auth.Grant{UserID: holder.UserID, ClientID: holder.ClientID, Scopes: asked, SessionID: sessionID, Life: s.config.TokenLifetime}
	if device {
		grant.Life = s.config.SDKTokenLifetime
		session, err := find(ctx, s.db.Ent.Session, holder, "", sessionID)
		if err != nil {
			return Token{}, err
		}
		if kind := auth.Scope(session.Kind); !holder.HasScope(kind) && !holder.HasScope(auth.ScopeSDK) {
			return Token{}, Errorf(CodeForbidden, "scope sdk in this session needs the scope %s", kind)
		}
	} else if grant.Scopes, err = within(asked, holder.Scopes, sessionID); err != nil {
		return Token{}, err
	}
	return s.issue(ctx, grant)
}

// within are the scopes asked for, if the holder has them all, and without any asked for all that it has.
func within(asked, has []auth.Scope, sessionID string) ([]auth.Scope, error) {
	if len(asked) == 0 && sessionID == "" {
		asked = slices.DeleteFunc(slices.Clone(has), func(scope auth.Scope) bool { return scope == auth.ScopeSDK })
		if len(asked) == 0 {
			return nil, Errorf(CodeForbidden, "the client may have no scope but sdk")
		}
	}
	for _, scope := range asked {
		if !slices.Contains(has, scope) {
			return nil, Errorf(CodeForbidden, "the client may not have the scope %s", scope)
		}
	}
	return asked, nil
}

func (s *Service) issue(ctx context.Context, grant auth.Grant) (Token, error) {
	// A key that another server retired must not sign for longer than it stays published.
	if err := s.reloadKeys(ctx, signingFresh); err != nil {
		return Token{}, err
	}
	token, _, err := s.tokens.issuer.Issue(grant)
	switch {
	case errors.Is(err, auth.ErrInvalidScope):
		return Token{}, &Error{Code: CodeForbidden, Message: "scope sdk stands alone and goes with a session_id", cause: err}
	case err != nil:
		return Token{}, Internal(err)
	}
	granted := make([]string, 0, len(grant.Scopes))
	for _, scope := range grant.Scopes {
		granted = append(granted, string(scope))
	}
	return Token{AccessToken: token, ExpiresIn: grant.Life, Scopes: granted}, nil
}

// IssueToken is the client credentials grant (RFC 6749 §4.4) in one step.
func (s *Service) IssueToken(ctx context.Context, clientID, secret string, scopes []string, sessionID string) (Token, error) {
	holder, err := s.AuthenticateClient(ctx, clientID, secret)
	if err != nil {
		return Token{}, err
	}
	return s.GrantToken(ctx, holder, scopes, sessionID)
}

// Authenticate reads an access token. The token of a client that was revoked, or may no longer do what the token
// says, opens nothing, at most clientsFresh later.
func (s *Service) Authenticate(ctx context.Context, bearer string) (auth.Principal, error) {
	p, err := s.tokens.verifier.Verify(ctx, bearer)
	if errors.Is(err, auth.ErrUnknownKey) {
		if err := s.reloadKeys(ctx, unknownKeyEvery); err != nil {
			return auth.Principal{}, err
		}
		p, err = s.tokens.verifier.Verify(ctx, bearer)
	}
	if err != nil {
		return auth.Principal{}, tokenError(ctx, err)
	}
	client, err := s.account(ctx, p)
	if err != nil {
		return auth.Principal{}, err
	}
	if client == nil || client.revoked {
		return auth.Principal{}, tokenError(ctx, auth.ErrInvalidToken)
	}
	p.UserID, p.ClientID = client.userID, client.id
	if p.SessionID == "" {
		p.Scopes = slices.DeleteFunc(p.Scopes, func(scope auth.Scope) bool { return !slices.Contains(client.scopes, scope) })
	}
	return p, nil
}

// tokenError says why a token is not accepted. Only a forger could use to know more.
func tokenError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return Internal(ctx.Err())
	case errors.Is(err, auth.ErrIssuerUnavailable):
		return &Error{Code: CodeUnavailable, Message: "the issuer of the access token does not answer", RetryAfter: 5 * time.Second, cause: err}
	}
	return &Error{Code: CodeUnauthorized, Message: "the access token is not valid", cause: err}
}

// JWKS is the public half of the signing keys, as JSON.
func (s *Service) JWKS(ctx context.Context) ([]byte, error) {
	if err := s.reloadKeys(ctx, signingFresh); err != nil { // what is known goes on to hold
		s.log.WarnContext(ctx, "the signing keys cannot be read again", "cause", err)
	}
	return s.tokens.issuer.JWKS(), nil
}
