package rest

import (
	"context"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// WebhookCreate registers an endpoint and answers its secret, this once.
func (s *server) WebhookCreate(ctx context.Context, req api.WebhookCreateRequestObject) (api.WebhookCreateResponseObject, error) {
	webhook, err := s.service.CreateWebhook(ctx, exchangeOf(ctx).principal, value(req.Body.ClientId), req.Body.Name, req.Body.Url)
	if err != nil {
		return nil, err
	}
	return api.WebhookCreate200JSONResponse{Id: webhook.ID, Secret: webhook.Secret}, nil
}

// WebhookList answers one page of endpoints.
func (s *server) WebhookList(ctx context.Context, req api.WebhookListRequestObject) (api.WebhookListResponseObject, error) {
	in := value(req.Body)
	take, skip := page(in.Take, in.Skip)
	result, err := s.service.ListWebhooks(ctx, exchangeOf(ctx).principal, kyc.WebhookQuery{
		ClientID: value(in.ClientId), SearchTerm: value(in.SearchTerm), Take: take, Skip: skip,
	})
	if err != nil {
		return nil, err
	}
	webhooks := each(result.Webhooks, func(w kyc.Webhook) api.Webhook { return toWebhook(w, result.PerWebhook[w.ID]) })
	return api.WebhookList200JSONResponse{Webhooks: webhooks, Statistics: counts(result.Statistics)}, nil
}

// WebhookDelete removes an endpoint.
func (s *server) WebhookDelete(ctx context.Context, req api.WebhookDeleteRequestObject) (api.WebhookDeleteResponseObject, error) {
	if err := s.service.DeleteWebhook(ctx, exchangeOf(ctx).principal, req.Body.Id); err != nil {
		return nil, err
	}
	return api.WebhookDelete200JSONResponse{DoneJSONResponse: done()}, nil
}
