package kyc_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"kycd/kyc"
)

// TestSearchHowMuchItMayBe: as much metadata, and as many words, as a request has room for are kept and searched for.
func TestSearchHowMuchItMayBe(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		metadata := map[string]any{}
		for i := range 8000 {
			metadata[fmt.Sprintf("%x", i)] = 1.0
		}
		id, identity := h.verified(p, kyc.SessionInput{Metadata: metadata})
		other := maps.Clone(metadata)
		other["1f"] = 2.0
		words := strings.Repeat("ezekiel peppercorne ", 1500)
		for _, c := range []struct {
			metadata map[string]any
			search   string
			found    bool
		}{
			{metadata, "", true}, {other, "", false}, {nil, words, true}, {metadata, words, true}, {nil, words + "nobody", false},
			{nil, strings.Join(strings.Split(fmt.Sprintf("%0*d", 3000, 0), ""), " "), false},
		} {
			sessions, err := h.ListSessions(ctx, p, kyc.IDV, kyc.SessionQuery{Metadata: c.metadata, SearchTerm: c.search})
			must(t, err)
			if found := len(sessions.Sessions) == 1 && sessions.Sessions[0].ID == id; found != c.found {
				t.Errorf("%d members, %.30q: %d sessions", len(c.metadata), c.search, len(sessions.Sessions))
			}
			identities, err := h.ListIdentities(ctx, p, kyc.IdentityQuery{Metadata: c.metadata, SearchTerm: c.search})
			must(t, err)
			if found := len(identities.Identities) == 1 && identities.Identities[0].ID == identity; found != c.found {
				t.Errorf("%d members, %.30q: %d identities", len(c.metadata), c.search, len(identities.Identities))
			}
		}
	})
}
