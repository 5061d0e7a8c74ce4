package live_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/kyctest/house"
)

// TestScopes holds every operation against every token: with one of its scopes it is let in, with none it is not, without
// a token it is asked for one, and a device's token opens what is for devices.
func TestScopes(t *testing.T) {
	all, s := operations(t), serve(t, house.Options{})
	of, other := s.tenant(t, "Borduria Bank"), s.tenant(t, "Syldavia Bank")
	_, identity := s.identity(t, of, kyc.SessionInput{})
	tokens := map[string]string{ // by what they are for
		"sdk of a verification":    s.grant(t, of.credentials, "sdk", s.verification(t, of, kyc.SessionInput{}, challenged)),
		"sdk of an authentication": s.grant(t, of.credentials, "sdk", s.authentication(t, of, identity, kyc.SessionInput{}, challenged)),
	}
	for _, scope := range auth.Scopes() {
		if scope != auth.ScopeSDK {
			tokens[string(scope)] = s.grant(t, of.credentials, string(scope), "")
		}
	}
	scopeOf := func(token string) string { name, _, _ := strings.Cut(token, " "); return name }

	for _, op := range all {
		t.Run(op.id, func(t *testing.T) {
			t.Parallel()
			if want := scopesAt(op.path); !slices.Equal(op.scopes, want) {
				t.Errorf("it needs one of %v, want %v", op.scopes, want)
			}
			q := op.example(t)
			for _, p := range places(op) { // there is nothing to find: only the door speaks
				q = q.with(p, uuid.Must(uuid.NewV7()).String())
				if schema := op.properties()[p.name]; schema != nil && schema.Value.Type.Is("array") {
					q = q.with(p, []any{})
				}
			}
			q = q.from(of.caller.ClientID)
			if len(op.scopes) == 0 {
				if op.media == "" { // the token endpoint has its own way to ask who calls
					if a := s.ask(t, q); a.status != http.StatusOK {
						t.Errorf("without a token: %s", a)
					}
				}
				return
			}

			for name, header := range map[string][]string{
				"no header": nil, "empty": {""}, "no token": {"Bearer "}, "nonsense": {"Bearer x.y.z"}, "another scheme": {"Basic " + tokens["idv"]},
				"twice": {"Bearer " + tokens["idv"], "Bearer " + tokens["idv"]}, "damaged": {"Bearer " + tokens["idv"][:len(tokens["idv"])-4] + "AAAA"},
			} {
				stranger := q
				stranger.header = q.header.Clone()
				if stranger.header == nil {
					stranger.header = http.Header{}
				}
				stranger.header["Authorization"] = header
				a := s.ask(t, stranger)
				challenge := a.header.Get("WWW-Authenticate")
				if a.status != http.StatusUnauthorized || a.code() != "unauthorized" || !strings.HasPrefix(challenge, "Bearer ") {
					t.Errorf("%s: %s, WWW-Authenticate %q", name, a, challenge)
				}
			}

			let := 0
			for name, token := range tokens {
				q.token = token
				a := s.ask(t, q)
				challenge := a.header.Get("WWW-Authenticate")
				if slices.Contains(op.scopes, scopeOf(name)) {
					let++
					if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status >= 500 || challenge != "" {
						t.Errorf("with %s: %s", name, a)
					}
					continue
				}
				if a.status != http.StatusForbidden || a.code() != "forbidden" ||
					!strings.Contains(challenge, `error="insufficient_scope"`) || !namesScope(challenge, op.scopes) {
					t.Errorf("with %s: %s, WWW-Authenticate %q", name, a, challenge)
				}
			}
			if let < len(op.scopes) {
				t.Errorf("%d tokens were for %v", let, op.scopes)
			}

			if !op.takesClientID() {
				return
			}
			for name := range tokens {
				if !slices.Contains(op.scopes, scopeOf(name)) {
					continue
				}
				q.token = tokens[name]
				for clientID, want := range map[string]int{
					"": http.StatusBadRequest, other.caller.ClientID: http.StatusForbidden, uuid.Must(uuid.NewV7()).String(): http.StatusForbidden,
				} {
					foreign := q.from(clientID)
					if clientID == "" {
						foreign.header.Del("X-Client-Id")
					}
					a := s.ask(t, foreign)
					if a.status != want || want == http.StatusBadRequest && !a.pointsAt("/header/X-Client-Id") || want == http.StatusForbidden && a.code() != "forbidden" {
						t.Errorf("with %s and X-Client-Id %q: %s", name, clientID, a)
					}
				}
			}
		})
	}
}

// scopesAt are the scopes of which whoever calls a path needs one: it is no accident of openapi.yaml who may do what.
func scopesAt(path string) []string {
	for _, group := range []struct {
		prefix string
		scopes []string
	}{ // the longer prefix first
		{"/v2/idv/requirements", []string{"config"}},
		{"/v2/idv/weights", []string{"config"}},
		{"/v2/idv/sdk/", []string{"sdk", "idv"}},
		{"/v2/idv/", []string{"idv"}},
		{"/v2/ida/sdk/", []string{"sdk", "ida"}},
		{"/v2/ida/", []string{"ida"}},
		{"/v2/identity/sdk/", []string{"sdk", "identity", "ida"}},
		{"/v2/identity/", []string{"identity"}},
		{"/v2/webhook/", []string{"webhook"}},
	} {
		if strings.HasPrefix(path, group.prefix) {
			return group.scopes
		}
	}
	return nil
}

// namesScope tells whether a challenge names a scope that would do.
func namesScope(challenge string, scopes []string) bool {
	_, rest, _ := strings.Cut(challenge, `scope="`)
	named, _, closed := strings.Cut(rest, `"`)
	if !closed || named == "" {
		return false
	}
	for scope := range strings.FieldsSeq(named) {
		if !slices.Contains(scopes, scope) {
			return false
		}
	}
	return true
}
