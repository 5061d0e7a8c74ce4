package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Scope is a part of the API that a token opens.
type Scope string

const (
	ScopeIDV       Scope = "idv"       // sessions that verify a person for the first time
	ScopeIDA       Scope = "ida"       // sessions that recognise a verified person
	ScopeIdentity  Scope = "identity"  // verified identities
	ScopeWebhook   Scope = "webhook"   // webhook endpoints
	ScopeConfig    Scope = "config"    // weights and requirements
	ScopeDashboard Scope = "dashboard" // the dashboards' GraphQL API
	ScopeSDK       Scope = "sdk"       // the operations of one device in one session
)

// Scopes are all scopes that exist.
func Scopes() []Scope {
	return []Scope{ScopeIDV, ScopeIDA, ScopeIdentity, ScopeWebhook, ScopeConfig, ScopeDashboard, ScopeSDK}
}

// ParseScopes reads a list parted by spaces (RFC 6749 §3.3). The result is sorted and free of repetitions; an
// unknown scope is ErrInvalidScope, an empty list is no error.
func ParseScopes(list string) ([]Scope, error) {
	var scopes []Scope
	for _, name := range strings.Fields(list) {
		if !slices.Contains(Scopes(), Scope(name)) {
			return nil, fmt.Errorf("%w: there is a scope that does not exist", ErrInvalidScope)
		}
		scopes = append(scopes, Scope(name))
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}

// JoinScopes is the inverse of ParseScopes.
func JoinScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	return strings.Join(names, " ")
}

// checkBinding holds a token for a device to its session: sdk never stands without a session, and a token with a
// session opens nothing else, because a device gives its token away to whoever takes it apart.
func checkBinding(scopes []Scope, sessionID string) error {
	bound := sessionID != ""
	if slices.Contains(scopes, ScopeSDK) != bound || bound && len(scopes) != 1 {
		return fmt.Errorf("%w: sdk goes with a session_id and with no other scope", ErrInvalidScope)
	}
	return nil
}
