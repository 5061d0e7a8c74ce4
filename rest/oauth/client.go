package oauth

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"kycd/kyc/auth"
)

// client is a client as the library asks about it. Most of what can be asked is about people who sign in, which
// nobody does here.
type client struct {
	auth.Principal
	method oidc.AuthMethod
	grants []oidc.GrantType
}

var _ op.Client = client{}

// holderOf is the principal of a client that VerifyClient made.
func holderOf(c op.Client) auth.Principal { return c.(client).Principal }

func (c client) GetID() string                                                   { return c.ClientID }
func (c client) AuthMethod() oidc.AuthMethod                                     { return c.method }
func (c client) GrantTypes() []oidc.GrantType                                    { return c.grants }
func (c client) IsScopeAllowed(scope string) bool                                { return c.HasScope(auth.Scope(scope)) }
func (c client) AccessTokenType() op.AccessTokenType                             { return op.AccessTokenTypeJWT }
func (c client) ApplicationType() op.ApplicationType                             { return op.ApplicationTypeWeb }
func (c client) RedirectURIs() []string                                          { return nil }
func (c client) PostLogoutRedirectURIs() []string                                { return nil }
func (c client) ResponseTypes() []oidc.ResponseType                              { return nil }
func (c client) LoginURL(string) string                                          { return "" }
func (c client) IDTokenLifetime() time.Duration                                  { return 0 }
func (c client) DevMode() bool                                                   { return false }
func (c client) RestrictAdditionalIdTokenScopes() func(scopes []string) []string { return noScopes }
func (c client) RestrictAdditionalAccessTokenScopes() func(scopes []string) []string {
	return noScopes
}
func (c client) IDTokenUserinfoClaimsAssertion() bool { return false }
func (c client) ClockSkew() time.Duration             { return 0 }

func noScopes([]string) []string { return nil }
