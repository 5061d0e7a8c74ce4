package kyc

// This file only bridges the time until the cached ClientSettings and AllowedOrigin are in client.go: delete it then.

import (
	"context"
	"slices"

	"kycd/ent/oauthclient"
)

// ClientSettings gives what an operator set for a client.
func (s *Service) ClientSettings(ctx context.Context, clientID string) (ClientSettings, error) {
	row, err := s.db.Ent.OAuthClient.Get(ctx, clientID)
	if err != nil {
		return ClientSettings{}, Internal(err)
	}
	set := ClientSettings{Origins: row.Origins}
	if row.RequestsPerSecond != nil {
		set.RequestsPerSecond = *row.RequestsPerSecond
	}
	return set, nil
}

// AllowedOrigin says whether a web page of that origin may call for the client, or for any client if none is named.
func (s *Service) AllowedOrigin(ctx context.Context, clientID, origin string) bool {
	query := s.db.Ent.OAuthClient.Query().Where(oauthclient.RevokedAtIsNil())
	if clientID != "" {
		query.Where(oauthclient.ID(clientID))
	}
	rows, err := query.All(ctx)
	if err != nil {
		return false
	}
	for _, row := range rows {
		if slices.Contains(row.Origins, origin) {
			return true
		}
	}
	return false
}
