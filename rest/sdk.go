package rest

import (
	"context"
	"mime/multipart"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// done is the answer of operations that have nothing to say.
func done() api.DoneJSONResponse { return api.DoneJSONResponse{} }

// IdvSdkSessionRead answers what a device may know.
func (s *server) IdvSdkSessionRead(ctx context.Context, req api.IdvSdkSessionReadRequestObject) (api.IdvSdkSessionReadResponseObject, error) {
	session, err := s.service.ReadSDKSession(ctx, exchangeOf(ctx).principal, kyc.IDV, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdvSdkSessionRead200JSONResponse(toSdkSession(session)), nil
}

// IdvSdkMetadataUpdate replaces what the device says of itself.
func (s *server) IdvSdkMetadataUpdate(ctx context.Context, req api.IdvSdkMetadataUpdateRequestObject) (api.IdvSdkMetadataUpdateResponseObject, error) {
	if err := s.service.UpdateSDKMetadata(ctx, exchangeOf(ctx).principal, kyc.IDV, req.Body.SessionId, req.Body.SdkMetadata); err != nil {
		return nil, err
	}
	return api.IdvSdkMetadataUpdate200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdvSdkConsentAdd records consent, or its refusal.
func (s *server) IdvSdkConsentAdd(ctx context.Context, req api.IdvSdkConsentAddRequestObject) (api.IdvSdkConsentAddResponseObject, error) {
	if err := s.service.AddConsent(ctx, exchangeOf(ctx).principal, req.Body.SessionId, req.Body.Consented); err != nil {
		return nil, err
	}
	return api.IdvSdkConsentAdd200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdvSdkDocumentTypeUpdate says which document will be shown.
func (s *server) IdvSdkDocumentTypeUpdate(ctx context.Context, req api.IdvSdkDocumentTypeUpdateRequestObject) (api.IdvSdkDocumentTypeUpdateResponseObject, error) {
	if err := s.service.UpdateDocumentType(ctx, exchangeOf(ctx).principal, req.Body.SessionId, string(req.Body.DocumentTypeE)); err != nil {
		return nil, err
	}
	return api.IdvSdkDocumentTypeUpdate200JSONResponse{DoneJSONResponse: done()}, nil
}

// IdvSdkDocumentFrontAdd takes the picture of the front.
func (s *server) IdvSdkDocumentFrontAdd(ctx context.Context, req api.IdvSdkDocumentFrontAddRequestObject) (api.IdvSdkDocumentFrontAddResponseObject, error) {
	taken, err := s.addDocument(ctx, "front", req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdvSdkDocumentFrontAdd200JSONResponse{DocumentTakenJSONResponse: taken}, nil
}

// IdvSdkDocumentBackAdd takes the picture of the back.
func (s *server) IdvSdkDocumentBackAdd(ctx context.Context, req api.IdvSdkDocumentBackAddRequestObject) (api.IdvSdkDocumentBackAddResponseObject, error) {
	taken, err := s.addDocument(ctx, "back", req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdvSdkDocumentBackAdd200JSONResponse{DocumentTakenJSONResponse: taken}, nil
}

func (s *server) addDocument(ctx context.Context, side string, body *multipart.Reader) (api.DocumentTakenJSONResponse, error) {
	x := exchangeOf(ctx)
	up, err := readUpload(x, body)
	if err != nil {
		return api.DocumentTakenJSONResponse{}, err
	}
	if x.claim != nil {
		x.claim.Body = up.digest()
	}
	answer, err := s.service.AddDocument(ctx, x.principal, up.sessionID, side, x.place(up.latitude, up.longitude), up.image)
	if err != nil {
		return api.DocumentTakenJSONResponse{}, err
	}
	return api.DocumentTakenJSONResponse{Hints: list(answer.Hints), Attempts: answer.Attempts}, nil
}

// IdvSdkLivenessGenerate begins a liveness session of a verification.
func (s *server) IdvSdkLivenessGenerate(ctx context.Context, req api.IdvSdkLivenessGenerateRequestObject) (api.IdvSdkLivenessGenerateResponseObject, error) {
	token, err := s.generateLiveness(ctx, kyc.IDV, req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdvSdkLivenessGenerate200JSONResponse{Token: token}, nil
}

// IdvSdkLivenessProcess takes the frames of a liveness session of a verification.
func (s *server) IdvSdkLivenessProcess(ctx context.Context, req api.IdvSdkLivenessProcessRequestObject) (api.IdvSdkLivenessProcessResponseObject, error) {
	answer, err := s.processLiveness(ctx, kyc.IDV, req.Body)
	if err != nil {
		return nil, err
	}
	return api.IdvSdkLivenessProcess200JSONResponse(answer), nil
}

func (s *server) generateLiveness(ctx context.Context, kind kyc.SessionKind, in *api.LivenessGenerate) (string, error) {
	x := exchangeOf(ctx)
	return s.service.GenerateLiveness(ctx, x.principal, kind, in.SessionId, x.place(in.Latitude, in.Longitude))
}

func (s *server) processLiveness(ctx context.Context, kind kyc.SessionKind, in *api.LivenessProcess) (api.LivenessProcessed, error) {
	x := exchangeOf(ctx)
	images, err := decodeImages(value(in.Images))
	if err != nil {
		return api.LivenessProcessed{}, err
	}
	input := kyc.LivenessInput{Token: value(in.Token), Images: images, Digest: value(in.Digest)}
	for _, frame := range value(in.Frames) {
		input.Frames = append(input.Frames, kyc.FrameProof{Step: value(frame.Step), Nonce: value(frame.Nonce), At: frame.At})
	}
	answer, err := s.service.ProcessLiveness(ctx, x.principal, kind, in.SessionId, x.place(in.Latitude, in.Longitude), input)
	if err != nil {
		return api.LivenessProcessed{}, err
	}
	return toLivenessProcessed(answer), nil
}

func toLivenessProcessed(answer kyc.LivenessAnswer) api.LivenessProcessed {
	out := api.LivenessProcessed{Token: answer.Token, Hints: []api.LivenessHint{}}
	for _, hint := range answer.Hints {
		out.Hints = append(out.Hints, api.LivenessHint{Image: hint.Image, Code: hint.Code})
	}
	return out
}

// IdvSdkFinalize decides the session.
func (s *server) IdvSdkFinalize(ctx context.Context, req api.IdvSdkFinalizeRequestObject) (api.IdvSdkFinalizeResponseObject, error) {
	outcome, err := s.service.Finalize(ctx, exchangeOf(ctx).principal, req.Body.SessionId, value(req.Body.Settings))
	if err != nil {
		return nil, err
	}
	return api.IdvSdkFinalize200JSONResponse(toOutcome(outcome)), nil
}
