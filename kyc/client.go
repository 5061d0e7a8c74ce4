package kyc

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/oauthclient"
	"kycd/ent/user"
	"kycd/kyc/auth"
	"kycd/kyc/webhook"
)

// Client is one integration of a user, as an operator sees it.
type Client struct {
	ID                string     `json:"client_id"`
	UserID            string     `json:"user_id"`
	Name              string     `json:"name"`
	Scopes            []string   `json:"scopes"`                        // what it may ask for; none: everything
	Origins           []string   `json:"origins"`                       // web origins from which its SDK may call
	RequestsPerSecond float64    `json:"requests_per_second,omitempty"` // 0: the installation's limit
	ExternalID        string     `json:"external_id,omitempty"`         // what the external issuer calls it
	CreatedAt         time.Time  `json:"created_at"`
	RevokedAt         *time.Time `json:"revoked_at,omitempty"`
}

// ClientUpdate is what an operator sets for a client. What is nil stays as it is.
type ClientUpdate struct {
	Scopes            *[]string // none named: everything but sdk, which comes with idv and ida
	Origins           *[]string // scheme://host[:port]
	RequestsPerSecond *float64  // 0: the installation's limit
	ExternalID        *string   // empty: none
	RotateSecret      bool      // the secret before is worth nothing any more
}

// maxRequestsPerSecond is a limit beyond which none is meant.
const maxRequestsPerSecond = 1e6

// CreateClient makes a user (an organisation) of that name and its first client, or another client of the
// user if there is one of that name. The secret is returned here and can never be read again.
func (s *Service) CreateClient(ctx context.Context, name string, updates ...ClientUpdate) (Credentials, error) {
	if name == "" || len(name) > 200 {
		return Credentials{}, invalid("/name", "must be 1 to 200 characters")
	}
	checked := make([]ClientUpdate, 0, len(updates))
	for _, update := range updates {
		update, err := update.checked()
		if err != nil {
			return Credentials{}, err
		}
		checked = append(checked, update)
	}
	secret, hash, err := auth.NewClientSecret(rand.Reader)
	if err != nil {
		return Credentials{}, Internal(err)
	}
	out := Credentials{ClientID: s.newID(), ClientSecret: secret, Name: name}
	err = s.change(ctx, func(c *change) error {
		owner, err := c.User.Query().Where(user.Name(name)).First(ctx)
		if ent.IsNotFound(err) {
			owner, err = c.User.Create().SetID(s.newID()).SetName(name).SetCreatedAt(c.now).Save(ctx)
		}
		if err != nil {
			return Internal(err)
		}
		out.UserID = owner.ID
		keyID, v, err := c.newVault(ctx, datakey.PurposeClient)
		if err != nil {
			return err
		}
		signing, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			return Internal(err)
		}
		out.WebhookSecret = signing
		sealed, err := v.seal("clients", "webhook_secret", out.ClientID, signing)
		if err != nil {
			return err
		}
		create := c.OAuthClient.Create().SetID(out.ClientID).SetUserID(owner.ID).SetKeyID(keyID).SetName(name).
			SetSecretHash(hash).SetWebhookSecretSealed(sealed).SetCreatedAt(c.now)
		for _, update := range checked {
			update.apply(create.Mutation())
		}
		return clientError(create.Exec(ctx))
	})
	s.tokens.clients.forget()
	return out, err
}

// UpdateClient changes what an operator set for a client. The credentials hold a secret only if it is a new one.
func (s *Service) UpdateClient(ctx context.Context, clientID string, update ClientUpdate) (Credentials, error) {
	update, err := update.checked()
	if err != nil {
		return Credentials{}, err
	}
	out := Credentials{ClientID: clientID}
	err = s.change(ctx, func(c *change) error {
		row, err := c.OAuthClient.Get(ctx, clientID)
		switch {
		case ent.IsNotFound(err):
			return notFound("client")
		case err != nil:
			return Internal(err)
		case row.RevokedAt != nil:
			return Errorf(CodeConflict, "the client was revoked")
		}
		out.UserID, out.Name = row.UserID, row.Name
		change := c.OAuthClient.UpdateOne(row)
		update.apply(change.Mutation())
		if update.RotateSecret {
			secret, hash, err := auth.NewClientSecret(rand.Reader)
			if err != nil {
				return Internal(err)
			}
			out.ClientSecret = secret
			change.SetSecretHash(hash)
		}
		return clientError(change.Exec(ctx))
	})
	s.tokens.clients.forget()
	if err != nil {
		return Credentials{}, err
	}
	return out, nil
}

// RevokeClient ends a client: it gets no more tokens, and those that it has open nothing, in every process within
// five seconds. It cannot be undone. A second call changes nothing.
func (s *Service) RevokeClient(ctx context.Context, clientID string) error {
	err := s.change(ctx, func(c *change) error {
		n, err := c.OAuthClient.Update().Where(oauthclient.ID(clientID), oauthclient.RevokedAtIsNil()).SetRevokedAt(c.now).Save(ctx)
		if err != nil {
			return Internal(err)
		}
		if n > 0 {
			return nil
		}
		known, err := c.OAuthClient.Query().Where(oauthclient.ID(clientID)).Exist(ctx)
		if err != nil {
			return Internal(err)
		}
		if !known {
			return notFound("client")
		}
		return nil
	})
	s.tokens.clients.forget()
	return err
}

// ListClients gives all clients, the oldest first.
func (s *Service) ListClients(ctx context.Context) ([]Client, error) {
	rows, err := s.db.Ent.OAuthClient.Query().Order(ent.Asc(oauthclient.FieldCreatedAt), ent.Asc(oauthclient.FieldID)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	list := make([]Client, 0, len(rows))
	for _, row := range rows {
		client := Client{
			ID: row.ID, UserID: row.UserID, Name: row.Name, CreatedAt: row.CreatedAt.UTC(),
			Scopes: append([]string{}, row.Scopes...), Origins: append([]string{}, row.Origins...),
		}
		if row.RequestsPerSecond != nil {
			client.RequestsPerSecond = *row.RequestsPerSecond
		}
		if row.ExternalID != nil {
			client.ExternalID = *row.ExternalID
		}
		if row.RevokedAt != nil {
			revoked := row.RevokedAt.UTC()
			client.RevokedAt = &revoked
		}
		list = append(list, client)
	}
	return list, nil
}

// checked is the update in the one form in which it is stored.
func (u ClientUpdate) checked() (ClientUpdate, error) {
	if u.Scopes != nil {
		names := make([]string, 0, len(*u.Scopes))
		for i, name := range *u.Scopes {
			if !slices.Contains(auth.Scopes(), auth.Scope(name)) {
				return u, invalid(fmt.Sprintf("/scopes/%d", i), "must be one of "+auth.JoinScopes(auth.Scopes()))
			}
			names = append(names, name)
		}
		slices.Sort(names)
		names = slices.Compact(names)
		u.Scopes = &names
	}
	if u.Origins != nil {
		origins := make([]string, 0, len(*u.Origins))
		for i, given := range *u.Origins {
			origin, ok := webOrigin(given)
			if !ok {
				return u, invalid(fmt.Sprintf("/origins/%d", i), "must be scheme://host or scheme://host:port, with http or https and without a path")
			}
			if !slices.Contains(origins, origin) {
				origins = append(origins, origin)
			}
		}
		u.Origins = &origins
	}
	if n := u.RequestsPerSecond; n != nil && !(*n >= 0 && *n <= maxRequestsPerSecond) { // NaN is neither
		return u, invalid("/requests_per_second", fmt.Sprintf("must be a number from 0 to %.0f", maxRequestsPerSecond))
	}
	if u.ExternalID != nil && len(*u.ExternalID) > 200 {
		return u, invalid("/external_id", "must be at most 200 characters")
	}
	return u, nil
}

func (u ClientUpdate) apply(m *ent.OAuthClientMutation) {
	if u.Scopes != nil {
		m.SetScopes(*u.Scopes)
	}
	if u.Origins != nil {
		m.SetOrigins(*u.Origins)
	}
	if n := u.RequestsPerSecond; n != nil && *n > 0 {
		m.SetRequestsPerSecond(*n)
	} else if n != nil {
		m.ClearRequestsPerSecond()
	}
	if id := u.ExternalID; id != nil && *id != "" {
		m.SetExternalID(*id)
	} else if id != nil {
		m.ClearExternalID()
	}
}

// clientError is the error of writing a client. Only the external id is unique.
func clientError(err error) error {
	switch {
	case err == nil:
		return nil
	case ent.IsConstraintError(err):
		e := Errorf(CodeConflict, "another client has this external id")
		e.cause = err
		return e
	}
	return Internal(err)
}

// webOrigin is an origin as browsers write it (RFC 6454 §6.2): small letters, the host in ASCII, no port where it is
// the scheme's own.
func webOrigin(given string) (string, bool) {
	u, err := url.Parse(strings.ToLower(given))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	if u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(given, "#") {
		return "", false
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		if host = addr.String(); addr.Is6() {
			host = "[" + host + "]"
		}
	} else if host, err = idna.Lookup.ToASCII(host); err != nil || host == "" {
		return "", false
	}
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") || port != "" && !portNumber(port) {
		return "", false
	}
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host, true
	}
	return u.Scheme + "://" + host + ":" + port, true
}

func portNumber(text string) bool {
	addr, err := netip.ParseAddrPort("0.0.0.0:" + text)
	return err == nil && addr.Port() != 0 && !strings.HasPrefix(text, "0")
}

// ClientCount says how many clients there are, for a first start.
func (s *Service) ClientCount(ctx context.Context) (int, error) {
	n, err := s.db.Ent.OAuthClient.Query().Where(oauthclient.RevokedAtIsNil()).Count(ctx)
	if err != nil {
		return 0, Internal(err)
	}
	return n, nil
}

// WebhookKey gives a client the secret that signs what goes to the webhook_url of its sessions.
func (s *Service) WebhookKey(ctx context.Context, clientID string) (string, error) {
	row, err := s.db.Ent.OAuthClient.Get(ctx, clientID)
	if ent.IsNotFound(err) {
		return "", notFound("client")
	}
	if err != nil {
		return "", Internal(err)
	}
	v, err := s.vault(ctx, s.db.Ent.DataKey, row.KeyID)
	if err != nil {
		return "", err
	}
	var secret string
	return secret, v.open("clients", "webhook_secret", row.ID, row.WebhookSecretSealed, &secret)
}
