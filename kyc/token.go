package kyc

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"kycd/ent"
	"kycd/ent/oauthclient"
	"kycd/ent/systemkey"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
)

// tokens signs and reads the installation's own tokens.
type tokens struct {
	issuer   *auth.Issuer
	verifier *auth.Verifier
}

// openTokens opens, or on the first start makes, the signing key. It is wrapped by the master key.
func (c *change) openTokens(ctx context.Context, master *seal.Master) (*tokens, error) {
	rows, err := c.SystemKey.Query().Where(systemkey.Purpose(purposeSigning), systemkey.RetiredAtIsNil()).Order(ent.Desc(systemkey.FieldCreatedAt)).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		row, err := c.newSigningKey(ctx, master)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	var keys []*auth.SigningKey
	for _, row := range rows {
		wrapped, sealed, err := unpack(row.Wrapped)
		if err != nil {
			return nil, err
		}
		key, err := master.Unwrap(ctx, wrapped, []byte(purposeSigning+"/"+row.ID))
		if err != nil {
			return nil, err
		}
		jwk, err := key.Open(sealed, []byte(purposeSigning))
		if err != nil {
			return nil, err
		}
		signing, err := auth.ParseSigningKey(jwk)
		if err != nil {
			return nil, err
		}
		keys = append(keys, signing)
	}
	name := c.s.config.Issuer
	issuer, err := auth.NewIssuer(name, name, keys, c.s.now, rand.Reader)
	if err != nil {
		return nil, err
	}
	return &tokens{issuer: issuer, verifier: auth.NewVerifier(name, name, issuer, c.s.now, rememberedTokens)}, nil
}

// rememberedTokens is how many verified tokens are not verified again.
const rememberedTokens = 10_000

func (c *change) newSigningKey(ctx context.Context, master *seal.Master) (*ent.SystemKey, error) {
	id := c.s.newID()
	signing, err := auth.NewSigningKey()
	if err != nil {
		return nil, err
	}
	jwk, err := signing.PrivateJWK()
	if err != nil {
		return nil, err
	}
	wrapped, key, err := master.NewDataKey(ctx, []byte(purposeSigning+"/"+id))
	if err != nil {
		return nil, err
	}
	sealed, err := key.Seal(jwk, []byte(purposeSigning))
	if err != nil {
		return nil, err
	}
	return c.SystemKey.Create().SetID(id).SetPurpose(purposeSigning).SetWrapped(pack(wrapped, sealed)).SetCreatedAt(c.now).Save(ctx)
}

// pack puts a wrapped key and what it sealed into one column.
func pack(wrapped, sealed []byte) []byte {
	out := []byte{byte(len(wrapped) >> 8), byte(len(wrapped))}
	return append(append(out, wrapped...), sealed...)
}

func unpack(b []byte) (wrapped, sealed []byte, err error) {
	if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
		return nil, nil, errors.New("a system key is cut off")
	}
	n := int(b[0])<<8 + int(b[1])
	return b[2 : 2+n], b[2+n:], nil
}

// clientScopes is what a client may ask for. The sdk scope comes only bound to a session.
func clientScopes() []auth.Scope {
	return slices.DeleteFunc(auth.Scopes(), func(scope auth.Scope) bool { return scope == auth.ScopeSDK })
}

// IssueToken is the client credentials grant (RFC 6749 §4.4). Without scopes a client gets all of its own;
// scope sdk with a session id gives a short token for that session alone.
func (s *Service) IssueToken(ctx context.Context, clientID, secret string, scopes []string, sessionID string) (Token, error) {
	client, err := s.db.Ent.OAuthClient.Query().Where(oauthclient.ID(clientID), oauthclient.RevokedAtIsNil()).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return Token{}, Internal(err)
	}
	var hash []byte
	if client != nil {
		hash = client.SecretHash
	}
	if !auth.CheckSecret(secret, hash) { // compared also when there is no such client: both take the same time
		return Token{}, Errorf(CodeUnauthorized, "the client is unknown or the secret is wrong")
	}
	asked, err := auth.ParseScopes(strings.Join(scopes, " "))
	if err != nil {
		return Token{}, &Error{Code: CodeForbidden, Message: "one of the scopes does not exist", cause: err}
	}
	grant := auth.Grant{UserID: client.UserID, ClientID: client.ID, Scopes: asked, SessionID: sessionID, Life: s.config.TokenLifetime}
	if len(asked) == 0 && sessionID == "" {
		grant.Scopes = clientScopes()
	}
	if slices.Contains(asked, auth.ScopeSDK) {
		grant.Life = s.config.SDKTokenLifetime
		if _, err := find(ctx, s.db.Ent.Session, auth.Principal{UserID: client.UserID, ClientID: client.ID}, "", sessionID); err != nil {
			return Token{}, err
		}
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

// Authenticate reads an access token.
func (s *Service) Authenticate(ctx context.Context, bearer string) (auth.Principal, error) {
	p, err := s.tokens.verifier.Verify(ctx, bearer)
	if err != nil {
		return auth.Principal{}, &Error{Code: CodeUnauthorized, Message: "the access token is not valid", cause: err}
	}
	return p, nil
}

// JWKS is the public half of the signing keys, as JSON.
func (s *Service) JWKS(context.Context) ([]byte, error) { return s.tokens.issuer.JWKS(), nil }

// Challenge is what a liveness token says, readable by the SDK.
type Challenge struct {
	ID        string   `json:"jti"`
	Nonce     string   `json:"nonce"`
	SessionID string   `json:"session_id"`
	Mode      string   `json:"mode"`
	Steps     []string `json:"steps"`
	Expires   int64    `json:"exp"` // Unix seconds
}

// challengeType is the typ of liveness tokens.
const challengeType = "liveness+jwt"
