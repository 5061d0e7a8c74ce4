package rest

import (
	"context"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// Service is what the handlers call: *kyc.Service. Every error of it is a *kyc.Error, or is shown as an
// internal one.
type Service interface {
	// IssueToken is the client credentials grant. Code unauthorized means the client, forbidden the scope.
	IssueToken(ctx context.Context, clientID, secret string, scopes []string, sessionID string) (kyc.Token, error)
	Authenticate(ctx context.Context, bearer string) (auth.Principal, error)
	JWKS(ctx context.Context) ([]byte, error)

	CreateSession(ctx context.Context, p auth.Principal, in kyc.SessionInput) (string, error)
	ReadSession(ctx context.Context, p auth.Principal, id string) (kyc.Session, error)
	ListSessions(ctx context.Context, p auth.Principal, q kyc.SessionQuery) (kyc.SessionPage, error)
	ReadTests(ctx context.Context, p auth.Principal, id string) (kyc.TestResults, error)

	ReadDocument(ctx context.Context, p auth.Principal, sessionID string) (kyc.Document, error)
	ListDocuments(ctx context.Context, p auth.Principal, sessionID string, take, skip int) (kyc.DocumentPage, error)
	DownloadDocument(ctx context.Context, p auth.Principal, sessionID, fileType string) (kyc.Image, error)

	UpdateSDKMetadata(ctx context.Context, p auth.Principal, id string, metadata map[string]any) error
	GenerateLiveness(ctx context.Context, p auth.Principal, id string, place kyc.Place) (token string, err error)
	ProcessLiveness(ctx context.Context, p auth.Principal, id string, place kyc.Place, images [][]byte) (token string, err error)
	ReadSDKSession(ctx context.Context, p auth.Principal, id string) (kyc.Session, error)
	AddConsent(ctx context.Context, p auth.Principal, id string, consented bool) error
	UpdateDocumentType(ctx context.Context, p auth.Principal, id, documentType string) error
	AddDocument(ctx context.Context, p auth.Principal, id, side string, place kyc.Place, image []byte) error
	Finalize(ctx context.Context, p auth.Principal, id string, settings map[string]any) (kyc.Outcome, error)

	CreateWebhook(ctx context.Context, p auth.Principal, clientID, name, url string) (kyc.Webhook, error)
	ListWebhooks(ctx context.Context, p auth.Principal, q kyc.WebhookQuery) (kyc.WebhookPage, error)
	DeleteWebhook(ctx context.Context, p auth.Principal, id string) error
}
