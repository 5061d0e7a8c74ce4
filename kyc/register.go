package kyc

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kycd/ent/oauthclient"
	"kycd/kyc/auth"
)

const (
	// clientsFresh is how old what a process knows of the clients may be. A revocation is felt everywhere within five
	// seconds, by the requests that were under way too.
	clientsFresh = 4 * time.Second
	// strangersEvery is how often a client of the external issuer that is not known makes a process look again.
	strangersEvery = time.Second
	// clientsWithin bounds a look at the clients, for which other requests wait.
	clientsWithin = 2 * time.Second
)

// register is what this process knows of the clients: all of them, as they stood at most clientsFresh ago. So a
// request costs no query, and a stranger's client id neither a query nor memory.
type register struct {
	mu    sync.Mutex // one look at the table at a time
	known atomic.Pointer[clients]
}

// clients is the table of clients at one time, never changed after it was made.
type clients struct {
	at         time.Time
	byID       map[string]*account
	byExternal map[string]*account
	origins    map[string]bool // of all clients together
}

// account is one client. A revoked one is known too.
type account struct {
	id, userID string
	scopes     []auth.Scope
	settings   ClientSettings
	revoked    bool
}

// forget makes the next request look again, after this process changed a client.
func (r *register) forget() { r.known.Store(nil) }

// clients gives the clients as they stood at most age ago.
func (s *Service) clients(ctx context.Context, age time.Duration) (*clients, error) {
	r := &s.tokens.clients
	if known := r.known.Load(); known != nil && s.now().Sub(known.at) < age {
		return known, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.known.Load(); known != nil && s.now().Sub(known.at) < age {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, clientsWithin)
	defer cancel()
	next := &clients{at: s.now(), byID: make(map[string]*account), byExternal: make(map[string]*account), origins: make(map[string]bool)}
	rows, err := s.db.Ent.OAuthClient.Query().Select(oauthclient.FieldID, oauthclient.FieldUserID, oauthclient.FieldScopes, oauthclient.FieldOrigins,
		oauthclient.FieldRequestsPerSecond, oauthclient.FieldExternalID, oauthclient.FieldRevokedAt).All(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	for _, row := range rows {
		client := &account{
			id: row.ID, userID: row.UserID, scopes: clientScopes(row.Scopes), revoked: row.RevokedAt != nil,
			settings: ClientSettings{Origins: row.Origins},
		}
		if row.RequestsPerSecond != nil {
			client.settings.RequestsPerSecond = *row.RequestsPerSecond
		}
		next.byID[row.ID] = client
		if row.ExternalID != nil {
			next.byExternal[*row.ExternalID] = client
		}
		for _, origin := range row.Origins {
			next.origins[origin] = next.origins[origin] || !client.revoked
		}
	}
	r.known.Store(next)
	return next, nil
}

// of is the client that a principal names, or nil.
func (c *clients) of(p auth.Principal) *account {
	if p.External {
		if client := c.byExternal[p.ClientID]; client != nil {
			return client
		}
	}
	return c.byID[p.ClientID]
}

// account is the client that a verified token names; nil if there is none. One that is not known may have been made
// a moment ago.
func (s *Service) account(ctx context.Context, p auth.Principal) (*account, error) {
	known, err := s.clients(ctx, clientsFresh)
	if err != nil {
		return nil, err
	}
	if client := known.of(p); client != nil {
		return client, nil
	}
	var age time.Duration // of our own tokens every client exists
	if p.External {
		age = strangersEvery
	}
	if known, err = s.clients(ctx, age); err != nil {
		return nil, err
	}
	return known.of(p), nil
}

// ClientSettings is what an operator set for a client, at most clientsFresh old. The caller must not change it.
func (s *Service) ClientSettings(ctx context.Context, clientID string) (ClientSettings, error) {
	client, err := s.account(ctx, auth.Principal{ClientID: clientID})
	if err != nil {
		return ClientSettings{}, err
	}
	if client == nil {
		return ClientSettings{}, notFound("client")
	}
	return client.settings, nil
}

// AllowedOrigin tells whether a page of that origin may call as the client. A browser asks first without saying for
// which client; no client id stands for any. Where it cannot be told, the answer is no.
func (s *Service) AllowedOrigin(ctx context.Context, clientID, origin string) bool {
	known, err := s.clients(ctx, clientsFresh)
	if err != nil {
		return false
	}
	if clientID == "" {
		return known.origins[origin]
	}
	client := known.byID[clientID]
	return client != nil && !client.revoked && slices.Contains(client.settings.Origins, origin)
}
