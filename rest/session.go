package rest

import (
	"context"
	"encoding/json"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// IdvSessionCreate begins a verification.
func (s *server) IdvSessionCreate(ctx context.Context, req api.IdvSessionCreateRequestObject) (api.IdvSessionCreateResponseObject, error) {
	in := value(req.Body)
	id, err := s.service.CreateSession(ctx, exchangeOf(ctx).principal, sessionInput(in.Metadata, in.LivenessMode, in.WebhookUrl, in.Settings))
	if err != nil {
		return nil, err
	}
	return api.IdvSessionCreate200JSONResponse{SessionId: id}, nil
}

// IdvSessionList answers one page of verifications.
func (s *server) IdvSessionList(ctx context.Context, req api.IdvSessionListRequestObject) (api.IdvSessionListResponseObject, error) {
	in := value(req.Body)
	start, end, err := period(in.StartDate, in.EndDate)
	if err != nil {
		return nil, err
	}
	take, skip := page(in.Take, in.Skip)
	result, err := s.service.ListSessions(ctx, exchangeOf(ctx).principal, kyc.IDV, kyc.SessionQuery{
		Take: take, Skip: skip,
		SearchTerm:  value(in.SearchTerm),
		Status:      string(value(in.Status)),
		Start:       start,
		End:         end,
		Metadata:    value(in.Metadata),
		IdentityIDs: oneOrMany(in.IdentityId),
		ClientIDs:   oneOrMany(in.ClientId),
		UserIDs:     oneOrMany(in.UserId),
	})
	if err != nil {
		return nil, err
	}
	return api.IdvSessionList200JSONResponse{Sessions: each(result.Sessions, toIdvSession), MetaCounts: counts(result.Counts)}, nil
}

// IdvSessionRead answers all of one verification.
//
// A backend that waits asks again and again: what has not changed is sent as it was.
func (s *server) IdvSessionRead(ctx context.Context, req api.IdvSessionReadRequestObject) (api.IdvSessionReadResponseObject, error) {
	p, id := exchangeOf(ctx).principal, req.Body.SessionId
	version, err := s.service.SessionVersion(ctx, p, id) // before the reading: what is kept is never older than its version
	if err != nil {
		return nil, err
	}
	if body := s.kept.find(id, version, s.now()); body != nil {
		return encodedSession(body), nil
	}
	session, err := s.service.ReadSession(ctx, p, kyc.IDV, id)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(toIdvSession(session))
	if err != nil {
		return nil, kyc.Internal(err)
	}
	body = append(body, '\n')
	s.kept.keep(id, version, body, s.now())
	return encodedSession(body), nil
}

// IdvSessionTestRead answers what each check said.
func (s *server) IdvSessionTestRead(ctx context.Context, req api.IdvSessionTestReadRequestObject) (api.IdvSessionTestReadResponseObject, error) {
	tests, err := s.service.ReadTests(ctx, exchangeOf(ctx).principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdvSessionTestRead200JSONResponse(toIdvSessionTests(tests)), nil
}

// IdvSessionLocationRead answers where a picture of a verification was taken.
func (s *server) IdvSessionLocationRead(ctx context.Context, req api.IdvSessionLocationReadRequestObject) (api.IdvSessionLocationReadResponseObject, error) {
	location, err := s.service.ReadLocation(ctx, exchangeOf(ctx).principal, kyc.IDV, req.Body.SessionId, string(req.Body.LocationCaptureTypeE))
	if err != nil {
		return nil, err
	}
	return api.IdvSessionLocationRead200JSONResponse(toLocation(location)), nil
}

// IdvSessionAnonymize erases the person from a verification.
func (s *server) IdvSessionAnonymize(ctx context.Context, req api.IdvSessionAnonymizeRequestObject) (api.IdvSessionAnonymizeResponseObject, error) {
	if err := s.service.AnonymizeSession(ctx, exchangeOf(ctx).principal, req.Body.SessionId); err != nil {
		return nil, err
	}
	s.kept.drop(req.Body.SessionId)
	return api.IdvSessionAnonymize200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdvSessionDelete erases a verification.
func (s *server) IdvSessionDelete(ctx context.Context, req api.IdvSessionDeleteRequestObject) (api.IdvSessionDeleteResponseObject, error) {
	if err := s.service.DeleteSession(ctx, exchangeOf(ctx).principal, kyc.IDV, req.Body.SessionId); err != nil {
		return nil, err
	}
	s.kept.drop(req.Body.SessionId)
	return api.IdvSessionDelete200JSONResponse{DoneJSONResponse: done()}, nil
}
