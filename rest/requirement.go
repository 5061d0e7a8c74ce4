package rest

import (
	"context"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// IdvRequirementsGet answers which fields a document must give.
func (s *server) IdvRequirementsGet(ctx context.Context, req api.IdvRequirementsGetRequestObject) (api.IdvRequirementsGetResponseObject, error) {
	rules, err := s.service.Requirements(ctx, exchangeOf(ctx).principal, kyc.RequirementQuery{
		ClientID:   value(req.Params.ClientId),
		UserID:     value(req.Params.UserId),
		Type:       string(value(req.Params.TypeE)),
		DataSource: string(value(req.Params.DataSourceE)),
	})
	if err != nil {
		return nil, err
	}
	return api.IdvRequirementsGet200JSONResponse{Requirements: each(rules, toIdvRequirement)}, nil
}

// IdvRequirementsUpdate replaces the rule for one document type and data source.
func (s *server) IdvRequirementsUpdate(ctx context.Context, req api.IdvRequirementsUpdateRequestObject) (api.IdvRequirementsUpdateResponseObject, error) {
	if err := s.service.UpdateRequirements(ctx, exchangeOf(ctx).principal, fromIdvRequirementsUpdate(*req.Body)); err != nil {
		return nil, err
	}
	return api.IdvRequirementsUpdate200JSONResponse{DoneJSONResponse: done()}, nil
}

// Each requirable field has a line here and one below.

func toIdvRequirement(r kyc.Requirement) api.IdvRequirement {
	return api.IdvRequirement{
		ClientId:               r.ClientID,
		UserId:                 r.UserID,
		TypeE:                  enum[api.DocumentTypeE](r.Type),
		DataSourceE:            enum[api.DataSourceE](r.DataSource),
		DocumentNumberRequired: r.Fields["document_number"],
		RefNumberRequired:      r.Fields["ref_number"],
		IssueAtRequired:        r.Fields["issue_at"],
		ExpiresAtRequired:      r.Fields["expires_at"],
		IssuingCountryRequired: r.Fields["issuing_country"],
		IssuingStateRequired:   r.Fields["issuing_state"],
		FirstNameRequired:      r.Fields["first_name"],
		MiddleNameRequired:     r.Fields["middle_name"],
		LastNameRequired:       r.Fields["last_name"],
		NameSuffixRequired:     r.Fields["name_suffix"],
		StreetRequired:         r.Fields["street"],
		CityRequired:           r.Fields["city"],
		StateRequired:          r.Fields["state"],
		PostalCodeRequired:     r.Fields["postal_code"],
		BirthDateRequired:      r.Fields["birth_date"],
		GenderRequired:         r.Fields["gender"],
		HeightRequired:         r.Fields["height"],
		WeightRequired:         r.Fields["weight"],
		EyeColorRequired:       r.Fields["eye_color"],
		HairColorRequired:      r.Fields["hair_color"],
		ClassRequired:          r.Fields["class"],
		MentionsRequired:       r.Fields["mentions"],
		RestrictionsRequired:   r.Fields["restrictions"],
		RawBarcodeRequired:     r.Fields["raw_barcode"],
		FaceEncodingRequired:   r.Fields["face_encoding"],
		UpdatedAt:              utc(r.UpdatedAt),
	}
}

func fromIdvRequirementsUpdate(in api.IdvRequirementsUpdate) kyc.Requirement {
	return kyc.Requirement{
		ClientID:   text(value(in.ClientId)),
		UserID:     text(value(in.UserId)),
		Type:       string(in.TypeE),
		DataSource: string(in.DataSourceE),
		Fields: map[string]bool{
			"document_number": in.DocumentNumberRequired,
			"ref_number":      in.RefNumberRequired,
			"issue_at":        in.IssueAtRequired,
			"expires_at":      in.ExpiresAtRequired,
			"issuing_country": in.IssuingCountryRequired,
			"issuing_state":   in.IssuingStateRequired,
			"first_name":      in.FirstNameRequired,
			"middle_name":     in.MiddleNameRequired,
			"last_name":       in.LastNameRequired,
			"name_suffix":     in.NameSuffixRequired,
			"street":          in.StreetRequired,
			"city":            in.CityRequired,
			"state":           in.StateRequired,
			"postal_code":     in.PostalCodeRequired,
			"birth_date":      in.BirthDateRequired,
			"gender":          in.GenderRequired,
			"height":          in.HeightRequired,
			"weight":          in.WeightRequired,
			"eye_color":       in.EyeColorRequired,
			"hair_color":      in.HairColorRequired,
			"class":           in.ClassRequired,
			"mentions":        in.MentionsRequired,
			"restrictions":    in.RestrictionsRequired,
			"raw_barcode":     in.RawBarcodeRequired,
			"face_encoding":   in.FaceEncodingRequired,
		},
	}
}
