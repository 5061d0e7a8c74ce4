package rest

import (
	"net/http"
	"slices"
	"strings"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// authenticate lets a request through whose token has one of the operation's scopes, and notes who calls.
// Which operation needs which scope stands in openapi.yaml alone.
func (s *server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		op := x.operation
		if len(op.scopes) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		token, ok := bearerToken(r.Header)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="kycd"`)
			s.fail(w, r, refuse(kyc.CodeUnauthorized, "an Authorization header with a bearer token is needed"))
			return
		}
		principal, err := s.service.Authenticate(r.Context(), token)
		if err != nil {
			if kyc.AsError(err).Code.Kind() == kyc.KindUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="kycd", error="invalid_token"`)
			}
			s.fail(w, r, err)
			return
		}
		x.principal = principal
		if !slices.ContainsFunc(op.scopes, principal.HasScope) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="kycd", error="insufficient_scope", scope="`+string(op.scopes[0])+`"`)
			s.fail(w, r, refuse(kyc.CodeForbidden, "the token has none of the scopes that allow this: "+auth.JoinScopes(op.scopes)))
			return
		}
		if op.clientID {
			switch given := r.Header.Get("X-Client-Id"); given {
			case principal.ClientID:
			case "":
				s.fail(w, r, refuse(kyc.CodeInvalid, "the header X-Client-Id is missing",
					kyc.FieldError{Pointer: "/header/X-Client-Id", Code: "required", Message: "is required"}))
				return
			default:
				s.fail(w, r, refuse(kyc.CodeForbidden, "X-Client-Id is not the client that the token belongs to"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// bearerToken is the token of RFC 6750 §2.1. A request with two Authorization headers has none.
func bearerToken(h http.Header) (string, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}
