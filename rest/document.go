package rest

import (
	"bytes"
	"context"
	"strings"

	api "kycd/rest/generated"
)

// IdvDocumentRead answers the document, merged from its sources.
func (s *server) IdvDocumentRead(ctx context.Context, req api.IdvDocumentReadRequestObject) (api.IdvDocumentReadResponseObject, error) {
	document, err := s.service.ReadDocument(ctx, exchangeOf(ctx).principal, req.Body.SessionId)
	if err != nil {
		return nil, err
	}
	return api.IdvDocumentRead200JSONResponse(toIdvDocument(document)), nil
}

// IdvDocumentList answers what each source says.
func (s *server) IdvDocumentList(ctx context.Context, req api.IdvDocumentListRequestObject) (api.IdvDocumentListResponseObject, error) {
	take, skip := page(req.Body.Take, req.Body.Skip)
	result, err := s.service.ListDocuments(ctx, exchangeOf(ctx).principal, req.Body.SessionId, take, skip)
	if err != nil {
		return nil, err
	}
	return api.IdvDocumentList200JSONResponse{Documents: each(result.Documents, toIdvDocument), MetaCounts: counts(result.Counts)}, nil
}

// IdvDocumentDownload answers a picture. As bytes it is an attachment: nobody's browser shows what a
// stranger uploaded under this service's name.
func (s *server) IdvDocumentDownload(ctx context.Context, req api.IdvDocumentDownloadRequestObject) (api.IdvDocumentDownloadResponseObject, error) {
	x := exchangeOf(ctx)
	fileType := string(req.Body.StorageFileTypeE)
	image, err := s.service.DownloadDocument(ctx, x.principal, req.Body.SessionId, fileType)
	if err != nil {
		return nil, err
	}
	headers := api.IdvDocumentDownload200ResponseHeaders{Vary: "Accept"}
	if prefers(x.request.Header.Get("Accept"), image.ContentType, mediaJSON) == mediaJSON {
		return api.IdvDocumentDownload200JSONResponse{
			Headers: headers,
			Body:    api.Image{ContentType: image.ContentType, Image: image.Bytes},
		}, nil
	}
	extension := strings.TrimPrefix(image.ContentType, "image/")
	x.Header().Set("Content-Disposition", `attachment; filename="`+fileType+"."+extension+`"`)
	return api.IdvDocumentDownload200ImageResponse{
		Headers:       headers,
		Body:          bytes.NewReader(image.Bytes),
		ContentType:   image.ContentType,
		ContentLength: int64(len(image.Bytes)),
	}, nil
}
