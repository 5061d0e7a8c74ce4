package rest

import (
	"context"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// IdaSessionCreate begins an authentication.
func (s *server) IdaSessionCreate(ctx context.Context, req api.IdaSessionCreateRequestObject) (api.IdaSessionCreateResponseObject, error) {
	in := req.Body
	id, err := s.service.CreateAuthentication(ctx, exchangeOf(ctx).principal, in.IdentityId,
		sessionInput(in.Metadata, in.LivenessMode, in.WebhookUrl, in.Settings))
	if err != nil {
		return nil, err
	}
	return api.IdaSessionCreate200JSONResponse{SessionId: id}, nil
}

// IdaSessionList answers one page of authentications.
func (s *server) IdaSessionList(ctx context.Context, req api.IdaSessionListRequestObject) (api.IdaSessionListResponseObject, error) {
	in := value(req.Body)
	start, end, err := period(in.StartDate, in.EndDate)
	if err != nil {
		return nil, err
	}
	take, skip := page(in.Take, in.Skip)
	result, err := s.service.ListSessions(ctx, exchangeOf(ctx).principal, kyc.IDA, kyc.SessionQuery{
		Take: take, Skip: skip,
		SearchTerm:  value(in.SearchTerm),
		Status:      string(value(in.Status)),
		Start:       start,
		End:         end,
		Metadata:    value(in.Metadata),
		IdentityIDs: oneOrMany(in.IdentityId),
		ClientIDs:   oneOrMany(in.ClientId),
		UserIDs:     oneOrMany(in.UserId),
		Verified:    in.Verified,
	})
	if err != nil {
		return nil, err
	}
	return api.IdaSessionList200JSONResponse{Sessions: each(result.Sessions, toIdaSession), MetaCounts: counts(result.Counts)}, nil
}

// IdaSessionRead answers all of one authentication.
func (s *server) IdaSessionRead(ctx context.Context, req api.IdaSessionReadRequestObject) (api.IdaSessionReadResponseObject, error) {
	session, err := s.service.ReadSession(ctx, exchangeOf(ctx).principal, kyc.IDA, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdaSessionRead200JSONResponse(toIdaSession(session)), nil
}

// IdaSessionLocationRead answers where the selfie was taken.
func (s *server) IdaSessionLocationRead(ctx context.Context, req api.IdaSessionLocationReadRequestObject) (api.IdaSessionLocationReadResponseObject, error) {
	location, err := s.service.ReadLocation(ctx, exchangeOf(ctx).principal, kyc.IDA, req.Body.SessionId, string(req.Body.LocationCaptureTypeE))
	if err != nil {
		return nil, err
	}
	return api.IdaSessionLocationRead200JSONResponse(toLocation(location)), nil
}

// IdaSessionDelete erases an authentication.
func (s *server) IdaSessionDelete(ctx context.Context, req api.IdaSessionDeleteRequestObject) (api.IdaSessionDeleteResponseObject, error) {
	if err := s.service.DeleteSession(ctx, exchangeOf(ctx).principal, kyc.IDA, req.Body.SessionId); err != nil {
		return nil, err
	}
	return api.IdaSessionDelete200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdaDocumentDownload answers the selfie.
func (s *server) IdaDocumentDownload(ctx context.Context, req api.IdaDocumentDownloadRequestObject) (api.IdaDocumentDownloadResponseObject, error) {
	x := exchangeOf(ctx)
	image, err := s.service.DownloadSelfie(ctx, x.principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return x.picture(image, string(api.StorageFileTypeESelfie)), nil
}

// IdaSdkSessionRead answers what a device may know of an authentication.
func (s *server) IdaSdkSessionRead(ctx context.Context, req api.IdaSdkSessionReadRequestObject) (api.IdaSdkSessionReadResponseObject, error) {
	session, err := s.service.ReadSDKSession(ctx, exchangeOf(ctx).principal, kyc.IDA, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdaSdkSessionRead200JSONResponse(toIdaSdkSession(session)), nil
}

// IdaSdkMetadataUpdate replaces what the device says of itself.
func (s *server) IdaSdkMetadataUpdate(ctx context.Context, req api.IdaSdkMetadataUpdateRequestObject) (api.IdaSdkMetadataUpdateResponseObject, error) {
	if err := s.service.UpdateSDKMetadata(ctx, exchangeOf(ctx).principal, kyc.IDA, req.Body.SessionId, req.Body.SdkMetadata); err != nil {
		return nil, err
	}
	return api.IdaSdkMetadataUpdate200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdaSdkLivenessGenerate begins a liveness session of an authentication.
func (s *server) IdaSdkLivenessGenerate(ctx context.Context, req api.IdaSdkLivenessGenerateRequestObject) (api.IdaSdkLivenessGenerateResponseObject, error) {
	token, err := s.generateLiveness(ctx, kyc.IDA, req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdaSdkLivenessGenerate200JSONResponse{Token: token}, nil
}

// IdaSdkLivenessProcess takes the frames of a liveness session of an authentication.
func (s *server) IdaSdkLivenessProcess(ctx context.Context, req api.IdaSdkLivenessProcessRequestObject) (api.IdaSdkLivenessProcessResponseObject, error) {
	answer, err := s.processLiveness(ctx, kyc.IDA, req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdaSdkLivenessProcess200JSONResponse(answer), nil
}

// IdaSdkFinalize decides the authentication.
func (s *server) IdaSdkFinalize(ctx context.Context, req api.IdaSdkFinalizeRequestObject) (api.IdaSdkFinalizeResponseObject, error) {
	outcome, err := s.service.FinalizeAuthentication(ctx, exchangeOf(ctx).principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdaSdkFinalize200JSONResponse(toIdaOutcome(outcome)), nil
}
