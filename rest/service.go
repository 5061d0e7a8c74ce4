package rest

import (
	"context"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
	"kycd/rest/oauth"
)

// Service is what the handlers call: *kyc.Service. Every error of it is a *kyc.Error, or is shown as an
// internal one.
type Service interface {
	oauth.Rules
	// ClientSettings are what an operator set for a client. It is asked at every request.
	ClientSettings(ctx context.Context, clientID string) (kyc.ClientSettings, error)
	Origins

	CreateSession(ctx context.Context, p auth.Principal, in kyc.SessionInput) (string, error)
	CreateAuthentication(ctx context.Context, p auth.Principal, identityID string, in kyc.SessionInput) (string, error)
	ReadSession(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error)
	// SessionVersion grows with every change of what ReadSession gives of a verification.
	SessionVersion(ctx context.Context, p auth.Principal, id string) (int, error)
	ListSessions(ctx context.Context, p auth.Principal, kind kyc.SessionKind, q kyc.SessionQuery) (kyc.SessionPage, error)
	ReadLocation(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id, captureType string) (kyc.Location, error)
	ReadTests(ctx context.Context, p auth.Principal, id string) (kyc.TestResults, error)
	AnonymizeSession(ctx context.Context, p auth.Principal, id string) error
	DeleteSession(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string) error

	ReadDocument(ctx context.Context, p auth.Principal, sessionID string) (kyc.Document, error)
	ListDocuments(ctx context.Context, p auth.Principal, sessionID string, take, skip int) (kyc.DocumentPage, error)
	DownloadDocument(ctx context.Context, p auth.Principal, sessionID, fileType string) (kyc.Image, error)
	// DownloadSelfie is the live picture of an authentication.
	DownloadSelfie(ctx context.Context, p auth.Principal, sessionID string) (kyc.Image, error)

	UpdateSDKMetadata(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string, metadata map[string]any) error
	GenerateLiveness(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place) (token string, err error)
	ProcessLiveness(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place, in kyc.LivenessInput) (kyc.LivenessAnswer, error)
	ReadSDKSession(ctx context.Context, p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error)
	AddConsent(ctx context.Context, p auth.Principal, id string, consented bool) error
	UpdateDocumentType(ctx context.Context, p auth.Principal, id, documentType string) error
	AddDocument(ctx context.Context, p auth.Principal, id, side string, place kyc.Place, image []byte) (kyc.DocumentAnswer, error)
	Finalize(ctx context.Context, p auth.Principal, id string, settings map[string]any) (kyc.Outcome, error)
	FinalizeAuthentication(ctx context.Context, p auth.Principal, id string) (kyc.Outcome, error)

	ListIdentities(ctx context.Context, p auth.Principal, q kyc.IdentityQuery) (kyc.IdentityPage, error)
	// ReadIdentities gives those of the ids and of the metadata, all if neither is given; an id that is not the
	// caller's is an error.
	ReadIdentities(ctx context.Context, p auth.Principal, ids []string, metadata map[string]any) ([]kyc.Identity, error)
	IdentityVerified(ctx context.Context, p auth.Principal, id string) (bool, error)
	ReadIdentityDocument(ctx context.Context, p auth.Principal, id, documentType string) (kyc.Document, error)
	ReadIdentityImage(ctx context.Context, p auth.Principal, id, fileType string) (kyc.Image, error)
	AnonymizeIdentity(ctx context.Context, p auth.Principal, id string) error

	Requirements(ctx context.Context, p auth.Principal, q kyc.RequirementQuery) ([]kyc.Requirement, error)
	UpdateRequirements(ctx context.Context, p auth.Principal, r kyc.Requirement) error
	// Weights gives those that a new session of the client (or of the user, if only that is named) starts with.
	Weights(ctx context.Context, p auth.Principal, clientID, userID string) (kyc.WeightsVersion, error)
	WeightsByID(ctx context.Context, p auth.Principal, id string) (kyc.WeightsVersion, error)
	UpdateWeights(ctx context.Context, p auth.Principal, clientID, userID string, w scoring.Weights) (kyc.WeightsVersion, error)

	// Recall and Remember keep the answers to questions that came with an idempotency key.
	Recall(ctx context.Context, p auth.Principal, claim *kyc.Claim) ([]byte, error)
	Remember(ctx context.Context, p auth.Principal, claim *kyc.Claim, answer []byte) ([]byte, error)

	CreateWebhook(ctx context.Context, p auth.Principal, clientID, name, url string) (kyc.Webhook, error)
	ListWebhooks(ctx context.Context, p auth.Principal, q kyc.WebhookQuery) (kyc.WebhookPage, error)
	DeleteWebhook(ctx context.Context, p auth.Principal, id string) error
}
