package rest

import (
	"context"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// IdvSessionCreate begins a verification.
func (s *server) IdvSessionCreate(ctx context.Context, req api.IdvSessionCreateRequestObject) (api.IdvSessionCreateResponseObject, error) {
	in := value(req.Body)
	id, err := s.service.CreateSession(ctx, exchangeOf(ctx).principal, kyc.SessionInput{
		Metadata:     value(in.Metadata),
		LivenessMode: string(livenessMode(string(value(in.LivenessMode)))),
		WebhookURL:   value(in.WebhookUrl),
		Settings:     value(in.Settings),
	})
	if err != nil {
		return nil, err
	}
	return api.IdvSessionCreate200JSONResponse{SessionId: id}, nil
}

// IdvSessionList answers one page of sessions.
func (s *server) IdvSessionList(ctx context.Context, req api.IdvSessionListRequestObject) (api.IdvSessionListResponseObject, error) {
	in := value(req.Body)
	start, err := dateOrTime("/start_date", in.StartDate, false)
	if err != nil {
		return nil, err
	}
	end, err := dateOrTime("/end_date", in.EndDate, true)
	if err != nil {
		return nil, err
	}
	take, skip := page(in.Take, in.Skip)
	result, err := s.service.ListSessions(ctx, exchangeOf(ctx).principal, kyc.SessionQuery{
		Take: take, Skip: skip,
		SearchTerm:  value(in.SearchTerm),
		Status:      string(value(in.Status)),
		Start:       start,
		End:         end,
		Metadata:    value(in.Metadata),
		IdentityIDs: oneOrMany(in.IdentityId),
		ClientIDs:   oneOrMany(in.ClientId),
		UserID:      oneOrMany(in.UserId),
	})
	if err != nil {
		return nil, err
	}
	return api.IdvSessionList200JSONResponse{Sessions: each(result.Sessions, toIdvSession), MetaCounts: counts(result.Counts)}, nil
}

// IdvSessionRead answers all of one session.
func (s *server) IdvSessionRead(ctx context.Context, req api.IdvSessionReadRequestObject) (api.IdvSessionReadResponseObject, error) {
	session, err := s.service.ReadSession(ctx, exchangeOf(ctx).principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdvSessionRead200JSONResponse(toIdvSession(session)), nil
}

// IdvSessionTestRead answers what each check said.
func (s *server) IdvSessionTestRead(ctx context.Context, req api.IdvSessionTestReadRequestObject) (api.IdvSessionTestReadResponseObject, error) {
	tests, err := s.service.ReadTests(ctx, exchangeOf(ctx).principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdvSessionTestRead200JSONResponse(toIdvSessionTests(tests)), nil
}

// The size of a page: what it is without a wish, and what no wish exceeds.
const (
	defaultTake = 20
	maxTake     = 200
)

func page(take, skip *int32) (int, int) {
	n := int(value(take))
	if n == 0 {
		n = defaultTake
	}
	return min(n, maxTake), int(value(skip))
}
