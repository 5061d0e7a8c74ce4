package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"kycd/kyc"
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

// IdvDocumentDownload answers a picture.
func (s *server) IdvDocumentDownload(ctx context.Context, req api.IdvDocumentDownloadRequestObject) (api.IdvDocumentDownloadResponseObject, error) {
	x, fileType := exchangeOf(ctx), string(req.Body.StorageFileTypeE)
	image, err := s.service.DownloadDocument(ctx, x.principal, req.Body.SessionId, fileType)
	if err != nil {
		return nil, err
	}
	return x.picture(image, fileType), nil
}

// picture is the answer of all operations that give one: its bytes, or, where Accept prefers it, JSON with the
// bytes in base64.
type picture struct {
	image  kyc.Image
	name   string // of the file, without its ending
	asJSON bool
}

// picture makes an image the answer to a request, in the form that the request prefers.
func (e *exchange) picture(image kyc.Image, name string) picture {
	return picture{image, name, prefers(e.request.Header.Get("Accept"), image.ContentType, mediaJSON) == mediaJSON}
}

// write answers. As bytes it is an attachment: nobody's browser shows what a stranger uploaded under this
// service's name.
func (p picture) write(w http.ResponseWriter) error {
	w.Header().Set("Vary", "Accept")
	if p.asJSON {
		writeJSON(w, http.StatusOK, mediaJSON, api.Image{ContentType: p.image.ContentType, Image: p.image.Bytes})
		return nil
	}
	extension := strings.TrimPrefix(p.image.ContentType, "image/")
	w.Header().Set("Content-Type", p.image.ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(p.image.Bytes)))
	w.Header().Set("Content-Disposition", `attachment; filename="`+p.name+"."+extension+`"`)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(p.image.Bytes)
	return err
}

// VisitIdvDocumentDownloadResponse makes it an answer of the operation.
func (p picture) VisitIdvDocumentDownloadResponse(w http.ResponseWriter) error { return p.write(w) }

// VisitIdaDocumentDownloadResponse makes it an answer of the operation.
func (p picture) VisitIdaDocumentDownloadResponse(w http.ResponseWriter) error { return p.write(w) }

// VisitIdentityImageReadResponse makes it an answer of the operation.
func (p picture) VisitIdentityImageReadResponse(w http.ResponseWriter) error { return p.write(w) }
