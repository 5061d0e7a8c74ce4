package rest

import (
	"context"

	"kycd/kyc"
	"kycd/kyc/scoring"
	api "kycd/rest/generated"
)

// IdvWeightsGet answers the weights that a new session starts with.
func (s *server) IdvWeightsGet(ctx context.Context, req api.IdvWeightsGetRequestObject) (api.IdvWeightsGetResponseObject, error) {
	version, err := s.service.Weights(ctx, exchangeOf(ctx).principal, value(req.Params.ClientId), value(req.Params.UserId))
	if err != nil {
		return nil, err
	}
	return api.IdvWeightsGet200JSONResponse(toIdvWeights(version)), nil
}

// IdvWeightsGetById answers one version of the weights, also an earlier one.
func (s *server) IdvWeightsGetById(ctx context.Context, req api.IdvWeightsGetByIdRequestObject) (api.IdvWeightsGetByIdResponseObject, error) {
	version, err := s.service.WeightsByID(ctx, exchangeOf(ctx).principal, req.Id)
	if err != nil {
		return nil, err
	}
	return api.IdvWeightsGetById200JSONResponse(toIdvWeights(version)), nil
}

// IdvWeightsUpdate makes a new version of the weights.
func (s *server) IdvWeightsUpdate(ctx context.Context, req api.IdvWeightsUpdateRequestObject) (api.IdvWeightsUpdateResponseObject, error) {
	in := req.Body
	version, err := s.service.UpdateWeights(ctx, exchangeOf(ctx).principal, value(in.ClientId), value(in.UserId), fromIdvWeightsUpdate(*in))
	if err != nil {
		return nil, err
	}
	return api.IdvWeightsUpdate200JSONResponse{IdvWeightsId: version.ID}, nil
}

// Each weight and tolerance has a line here and one below.

func toIdvWeights(v kyc.WeightsVersion) api.IdvWeights {
	w := v.Weights
	return api.IdvWeights{
		Id:                                   v.ID,
		CreatedAt:                            v.CreatedAt.UTC(),
		ClientId:                             v.ClientID,
		UserId:                               v.UserID,
		OnboardingFaceEncodingTolerance:      w.OnboardingFaceEncodingTolerance,
		VerifiedAccountFaceEncodingTolerance: w.VerifiedAccountFaceEncodingTolerance,
		DriverLicenseFuzzyMatchTolerance:     w.DriverLicenseFuzzyMatchTolerance,
		DriverLicenseFuzzyMatchWeight:        w.DriverLicenseFuzzyMatchWeight,
		StateIdFuzzyMatchTolerance:           w.StateIDFuzzyMatchTolerance,
		StateIdFuzzyMatchWeight:              w.StateIDFuzzyMatchWeight,
		PassportFuzzyMatchTolerance:          w.PassportFuzzyMatchTolerance,
		PassportFuzzyMatchWeight:             w.PassportFuzzyMatchWeight,
		PassportCardFuzzyMatchTolerance:      w.PassportCardFuzzyMatchTolerance,
		PassportCardFuzzyMatchWeight:         w.PassportCardFuzzyMatchWeight,
		OfacFuzzyMatchTolerance:              w.OfacFuzzyMatchTolerance,
		OfacFuzzyMatchWeight:                 w.OfacFuzzyMatchWeight,
		SuspiciousWordsWeight:                w.SuspiciousWordsWeight,
		ImageManipulationWeight:              w.ImageManipulationWeight,
		OnlineDuplicationWeight:              w.OnlineDuplicationWeight,
		IsIdentityDocumentWeight:             w.IsIdentityDocumentWeight,
		AamvaMatchTolerance:                  w.AamvaMatchTolerance,
		AamvaMatchWeight:                     w.AamvaMatchWeight,
		IdvSessionTolerance:                  w.IdvSessionTolerance,
		MinimumLivenessTolerance:             w.MinimumLivenessTolerance,
		PassiveActiveSkipTolerance:           w.PassiveActiveSkipTolerance,
		GenderProbabilityTolerance:           w.GenderProbabilityTolerance,
		GenderWeight:                         w.GenderWeight,
		ExpressionTolerance:                  w.ExpressionTolerance,
		AgeTolerance:                         w.AgeTolerance,
		AgeWeight:                            w.AgeWeight,
		DirectionTolerance:                   w.DirectionTolerance,
	}
}

func fromIdvWeightsUpdate(in api.IdvWeightsUpdate) scoring.Weights {
	return scoring.Weights{
		OnboardingFaceEncodingTolerance:      in.OnboardingFaceEncodingTolerance,
		VerifiedAccountFaceEncodingTolerance: in.VerifiedAccountFaceEncodingTolerance,
		DriverLicenseFuzzyMatchTolerance:     in.DriverLicenseFuzzyMatchTolerance,
		DriverLicenseFuzzyMatchWeight:        in.DriverLicenseFuzzyMatchWeight,
		StateIDFuzzyMatchTolerance:           in.StateIdFuzzyMatchTolerance,
		StateIDFuzzyMatchWeight:              in.StateIdFuzzyMatchWeight,
		PassportFuzzyMatchTolerance:          in.PassportFuzzyMatchTolerance,
		PassportFuzzyMatchWeight:             in.PassportFuzzyMatchWeight,
		PassportCardFuzzyMatchTolerance:      in.PassportCardFuzzyMatchTolerance,
		PassportCardFuzzyMatchWeight:         in.PassportCardFuzzyMatchWeight,
		OfacFuzzyMatchTolerance:              in.OfacFuzzyMatchTolerance,
		OfacFuzzyMatchWeight:                 in.OfacFuzzyMatchWeight,
		SuspiciousWordsWeight:                in.SuspiciousWordsWeight,
		ImageManipulationWeight:              in.ImageManipulationWeight,
		OnlineDuplicationWeight:              in.OnlineDuplicationWeight,
		IsIdentityDocumentWeight:             in.IsIdentityDocumentWeight,
		AamvaMatchTolerance:                  in.AamvaMatchTolerance,
		AamvaMatchWeight:                     in.AamvaMatchWeight,
		IdvSessionTolerance:                  in.IdvSessionTolerance,
		MinimumLivenessTolerance:             in.MinimumLivenessTolerance,
		PassiveActiveSkipTolerance:           in.PassiveActiveSkipTolerance,
		GenderProbabilityTolerance:           in.GenderProbabilityTolerance,
		GenderWeight:                         in.GenderWeight,
		ExpressionTolerance:                  in.ExpressionTolerance,
		AgeTolerance:                         in.AgeTolerance,
		AgeWeight:                            in.AgeWeight,
		DirectionTolerance:                   in.DirectionTolerance,
	}
}
