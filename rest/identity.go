package rest

import (
	"context"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// IdentityList answers one page of identities.
func (s *server) IdentityList(ctx context.Context, req api.IdentityListRequestObject) (api.IdentityListResponseObject, error) {
	in := value(req.Body)
	start, end, err := period(in.StartDate, in.EndDate)
	if err != nil {
		return nil, err
	}
	take, skip := page(in.Take, in.Skip)
	result, err := s.service.ListIdentities(ctx, exchangeOf(ctx).principal, kyc.IdentityQuery{
		Take: take, Skip: skip,
		SearchTerm: value(in.SearchTerm),
		Start:      start,
		End:        end,
		Metadata:   value(in.Metadata),
		ClientIDs:  oneOrMany(in.ClientId),
		UserIDs:    oneOrMany(in.UserId),
	})
	if err != nil {
		return nil, err
	}
	return api.IdentityList200JSONResponse{Identities: each(result.Identities, toIdentity), MetaCounts: counts(result.Counts)}, nil
}

// IdentityRead answers identities by id or by metadata.
func (s *server) IdentityRead(ctx context.Context, req api.IdentityReadRequestObject) (api.IdentityReadResponseObject, error) {
	in := value(req.Body)
	ids := append(oneOrMany(in.IdentityId), value(in.IdentityIds)...)
	identities, err := s.service.ReadIdentities(ctx, exchangeOf(ctx).principal, ids, value(in.Metadata))
	if err != nil {
		return nil, err
	}
	return api.IdentityRead200JSONResponse(toIdentities(identities)), nil
}

// IdentitySdkStatusRead tells a device whether the person is verified.
func (s *server) IdentitySdkStatusRead(ctx context.Context, req api.IdentitySdkStatusReadRequestObject) (api.IdentitySdkStatusReadResponseObject, error) {
	verified, err := s.service.IdentityVerified(ctx, exchangeOf(ctx).principal, req.Body.IdentityId)
	if err != nil {
		return nil, err
	}
	return api.IdentitySdkStatusRead200JSONResponse{Verified: verified}, nil
}

// IdentityDocumentRead answers the document that an identity was verified with.
func (s *server) IdentityDocumentRead(ctx context.Context, req api.IdentityDocumentReadRequestObject) (api.IdentityDocumentReadResponseObject, error) {
	document, err := s.service.ReadIdentityDocument(ctx, exchangeOf(ctx).principal, req.Body.IdentityId, string(req.Body.DocumentTypeE))
	if err != nil {
		return nil, err
	}
	return api.IdentityDocumentRead200JSONResponse(toIdentityDocument(document)), nil
}

// IdentityImageRead answers a picture of the session that verified an identity.
func (s *server) IdentityImageRead(ctx context.Context, req api.IdentityImageReadRequestObject) (api.IdentityImageReadResponseObject, error) {
	x, fileType := exchangeOf(ctx), string(req.Body.StorageFileTypeE)
	image, err := s.service.ReadIdentityImage(ctx, x.principal, req.Body.IdentityId, fileType)
	if err != nil {
		return nil, err
	}
	return x.picture(image, fileType), nil
}

// IdentityAnonymize erases the person from an identity.
func (s *server) IdentityAnonymize(ctx context.Context, req api.IdentityAnonymizeRequestObject) (api.IdentityAnonymizeResponseObject, error) {
	if err := s.service.AnonymizeIdentity(ctx, exchangeOf(ctx).principal, req.Body.IdentityId); err != nil {
		return nil, err
	}
	return api.IdentityAnonymize200JSONResponse{DoneJSONResponse: done()}, nil
}
