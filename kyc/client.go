package kyc

import (
	"context"
	"crypto/rand"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/oauthclient"
	"kycd/ent/user"
	"kycd/kyc/auth"
	"kycd/kyc/webhook"
)

// CreateClient makes a user (an organisation) of that name and its first client, or another client of the
// user if there is one of that name. The secret is returned here and can never be read again.
func (s *Service) CreateClient(ctx context.Context, name string) (Credentials, error) {
	if name == "" || len(name) > 200 {
		return Credentials{}, invalid("/name", "must be 1 to 200 characters")
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
		err = c.OAuthClient.Create().SetID(out.ClientID).SetUserID(owner.ID).SetKeyID(keyID).SetName(name).
			SetSecretHash(hash).SetWebhookSecretSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
		return nil
	})
	return out, err
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
