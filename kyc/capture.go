package kyc

import (
	"context"
	"errors"
	"fmt"
	"math"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/location"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
	"kycd/vision"
)

// The sides of what is captured.
const (
	captureFront    = capture.SideFront
	captureBack     = capture.SideBack
	captureLiveness = capture.SideLiveness
)

// maxStoredImage bounds what is read back from storage: the largest upload and its seal.
const maxStoredImage = 16 << 20

// AddDocument takes a picture of one side ("front" or "back") of the document, has it analysed, and says what the person can
// do better. A second picture of a side replaces the first.
func (s *Service) AddDocument(ctx context.Context, p auth.Principal, id, side string, place Place, image []byte) (DocumentAnswer, error) {
	container, err := inspect(image, "/image")
	if err != nil {
		return DocumentAnswer{}, err
	}
	var captured capture.Side
	switch side {
	case "front":
		captured = captureFront
	case "back":
		captured = captureBack
	default:
		return DocumentAnswer{}, invalid("/side", "must be front or back")
	}
	if err := place.validate(); err != nil {
		return DocumentAnswer{}, err
	}
	taken, known, err := earlier[documentTaken](ctx, s, p)
	if err != nil {
		return DocumentAnswer{}, err
	}
	if !known {
		if taken, err = s.takeDocument(ctx, p, id, captured, place, image, container); err != nil {
			return DocumentAnswer{}, err
		}
	}
	return s.answerDocument(ctx, p, id, taken)
}

// documentTaken is what became of a handed-in picture, before it was measured.
type documentTaken struct {
	CaptureID string `json:"capture_id"`
	Attempts  int    `json:"attempts"` // at this side, this one included
}

// takeDocument keeps the picture and leaves the work of measuring it.
func (s *Service) takeDocument(ctx context.Context, p auth.Principal, id string, side capture.Side, place Place, image []byte, container vision.Container) (documentTaken, error) {
	var none documentTaken
	row, err := find(ctx, s.db.Ent.Session, p, IDV, id)
	if err != nil {
		return none, err
	}
	check := func(row *ent.Session) error {
		if err := takesInput(row, s.now()); err != nil {
			return err
		}
		if row.DocumentType == session.DocumentTypeUnknown {
			return Errorf(CodeDocumentType, "the document type must be set first")
		}
		if _, ok := fileType(string(row.DocumentType), side); !ok {
			return Errorf(CodeDocumentSide, "a %s has no %s", row.DocumentType, side)
		}
		return nil
	}
	if err := check(row); err != nil {
		return none, err
	}
	picture, err := s.store(ctx, row, image, container)
	if err != nil {
		return none, err
	}
	taken, err := once(ctx, s, p, func(c *change) (documentTaken, error) {
		row, err := c.find(ctx, p, IDV, id) // again: the state may have moved while the image was stored
		if err != nil {
			return none, err
		}
		if err := check(row); err != nil {
			return none, err
		}
		if err := c.supersede(ctx, id, side); err != nil {
			return none, err
		}
		kind, _ := fileType(string(row.DocumentType), side)
		if err := c.capture(ctx, row, picture, shot{side: side, fileType: kind}); err != nil {
			return none, err
		}
		taken := documentTaken{CaptureID: picture.id, Attempts: row.DocumentFrontAttempts + 1}
		update, spot := c.Session.UpdateOne(row), location.CaptureTypeFrontDocImageCapture
		if side == captureFront {
			update.SetDocumentFrontGivenAt(c.now).AddDocumentFrontAttempts(1)
		} else {
			taken.Attempts = row.DocumentBackAttempts + 1
			update.SetDocumentBackGivenAt(c.now).AddDocumentBackAttempts(1)
			spot = location.CaptureTypeBackDocImageCapture
		}
		if err := update.Exec(ctx); err != nil {
			return none, Internal(err)
		}
		if err := c.locate(ctx, row, spot, place); err != nil {
			return none, err
		}
		return taken, c.note(ctx, id, actorOf(p), "document_"+string(side)+"_given", "", "", map[string]string{"capture_id": picture.id})
	})
	if err != nil || taken.CaptureID != picture.id { // the same request had been made before
		s.discard(ctx, picture)
	}
	return taken, err
}

// fileType is the storage_file_type_e of one side of a document, and whether that document has the side.
func fileType(documentType string, side capture.Side) (string, bool) {
	prefix := map[string]string{
		"driver_license": "driver_license", "identification_card": "state_id_card",
		"passport": "passport", "passport_card": "passport_card",
	}[documentType]
	if prefix == "" || (documentType == "passport" && side == captureBack) {
		return "", false
	}
	return prefix + "_" + string(side), true
}

// inspect looks at an image's container, without decoding a pixel, and translates its refusals.
func inspect(image []byte, pointer string) (vision.Container, error) {
	container, err := vision.Inspect(image)
	var refused *vision.ImageError
	switch {
	case errors.As(err, &refused):
		code := Code(refused.Code)
		return container, &Error{
			Code: code, Message: "the image cannot be used", cause: err,
			Fields: []FieldError{{Pointer: pointer, Code: string(code), Message: refused.Detail}},
		}
	case err != nil:
		return container, Internal(err)
	}
	return container, nil
}

func (p Place) validate() error {
	if math.IsNaN(p.Latitude) || math.Abs(p.Latitude) > 90 {
		return invalid("/latitude", "must lie between -90 and 90")
	}
	if math.IsNaN(p.Longitude) || math.Abs(p.Longitude) > 180 {
		return invalid("/longitude", "must lie between -180 and 180")
	}
	return nil
}

// picture is an image that lies in storage, sealed, and is not yet in the database.
type picture struct {
	id, blobKey, contentType, digest string
	size, width, height              int
}

// store seals the image and puts it into storage. The row that makes it count is written afterwards: a
// crash in between leaves a blob that nobody can open.
func (s *Service) store(ctx context.Context, row *ent.Session, image []byte, container vision.Container) (picture, error) {
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return picture{}, err
	}
	pic := picture{
		id: s.newID(), contentType: "image/" + container.Format, size: len(image), width: container.Width, height: container.Height,
		digest: s.index.Term(row.UserID, "image", string(image)),
	}
	pic.blobKey = "sessions/" + row.ID + "/" + pic.id
	sealed, err := v.key.Seal(image, seal.Row("captures", "image", pic.id))
	if err != nil {
		return picture{}, Internal(err)
	}
	if err := s.blobs.Put(ctx, pic.blobKey, sealed); err != nil {
		return picture{}, &Error{Code: CodeUnavailable, Message: "the image could not be stored; try again", RetryAfter: retrySoon, cause: fmt.Errorf("put image: %w", err)}
	}
	return pic, nil
}

// discard removes an image whose row was not written.
func (s *Service) discard(ctx context.Context, pics ...picture) {
	for _, pic := range pics {
		if err := s.blobs.Delete(context.WithoutCancel(ctx), pic.blobKey); err != nil {
			s.log.Warn("an image without a row stays in storage", "capture_id", pic.id)
		}
	}
}

// shot is what a picture was taken of.
type shot struct {
	side     capture.Side
	fileType string // storage_file_type_e
	step     int    // liveness: 0 passive, 1..4 active
	asked    string // the step that the challenge asked for
}

// capture writes the row of a stored picture, and the work of analysing it.
func (c *change) capture(ctx context.Context, row *ent.Session, pic picture, of shot) error {
	err := c.Capture.Create().SetID(pic.id).SetSessionID(row.ID).SetSide(of.side).SetFileType(of.fileType).SetStep(of.step).SetAsked(of.asked).
		SetBlobKey(pic.blobKey).SetContentType(pic.contentType).SetSize(pic.size).SetWidth(pic.width).SetHeight(pic.height).
		SetDigestTerm(pic.digest).SetCreatedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return c.add(ctx, WorkAnalyze, pic.id, row.ID)
}

// supersede makes earlier pictures of these sides count no more. They stay, as what was sent.
func (c *change) supersede(ctx context.Context, sessionID string, sides ...capture.Side) error {
	err := c.Capture.Update().Where(capture.SessionID(sessionID), capture.SideIn(sides...), capture.Superseded(false)).SetSuperseded(true).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// locate keeps where a picture was taken.
func (c *change) locate(ctx context.Context, row *ent.Session, spot location.CaptureType, place Place) error {
	v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
	if err != nil {
		return err
	}
	id := c.s.newID()
	sealed, err := v.seal("locations", "place", id, place)
	if err != nil {
		return err
	}
	err = c.Location.Create().SetID(id).SetSessionID(row.ID).SetCaptureType(spot).SetPlaceSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// DownloadDocument gives the picture of one storage_file_type_e that counts.
func (s *Service) DownloadDocument(ctx context.Context, p auth.Principal, sessionID, fileType string) (Image, error) {
	return s.download(ctx, p, IDV, sessionID, fileType)
}

func (s *Service) download(ctx context.Context, p auth.Principal, kind SessionKind, sessionID, fileType string) (Image, error) {
	row, err := find(ctx, s.db.Ent.Session, p, kind, sessionID)
	if err != nil {
		return Image{}, err
	}
	return s.picture(ctx, row, fileType)
}

// picture gives the newest picture of a session and file type that counts.
func (s *Service) picture(ctx context.Context, row *ent.Session, fileType string) (Image, error) {
	if fileType == "selfie" { // the passive frame is the selfie
		fileType = "liveness_passive"
	}
	pic, err := s.db.Ent.Capture.Query().Where(capture.SessionID(row.ID), capture.FileType(fileType), capture.Superseded(false)).
		Order(ent.Desc(capture.FieldCreatedAt)).First(ctx)
	if ent.IsNotFound(err) {
		return Image{}, notFound("image")
	}
	if err != nil {
		return Image{}, Internal(err)
	}
	b, err := s.image(ctx, row, pic)
	if err != nil {
		return Image{}, err
	}
	return Image{ContentType: pic.ContentType, Bytes: b}, nil
}

// image fetches and opens a stored picture.
func (s *Service) image(ctx context.Context, row *ent.Session, pic *ent.Capture) ([]byte, error) {
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return nil, err
	}
	sealed, err := s.blobs.Get(ctx, pic.BlobKey, maxStoredImage)
	if err != nil {
		return nil, &Error{Code: CodeUnavailable, Message: "the image could not be read; try again", RetryAfter: retrySoon, cause: fmt.Errorf("get image: %w", err)}
	}
	b, err := v.key.Open(sealed, seal.Row("captures", "image", pic.ID))
	if err != nil {
		return nil, Internal(err)
	}
	return b, nil
}
