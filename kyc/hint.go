package kyc

import (
	"context"
	"slices"

	"kycd/ent/capture"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/vision"
)

// DocumentAnswer is what a device is told of a picture of a document.
type DocumentAnswer struct {
	// Hints say by code what to do better: vision.Hints, or the code of an image that could not be analysed. Empty: the side
	// could be read, or its measurement takes longer than the device waits.
	Hints []string
	// Attempts counts the pictures handed in of this side, this one included.
	Attempts int
}

// hintTextUnreadable says that the print, which names the person, could not be read.
const hintTextUnreadable = "text_unreadable"

// answerDocument waits a little for the measurement of a picture and says what the device can do better. It tells nothing of
// what the document says.
func (s *Service) answerDocument(ctx context.Context, p auth.Principal, id string, taken documentTaken) (DocumentAnswer, error) {
	answer := DocumentAnswer{Hints: []string{}, Attempts: taken.Attempts}
	ready, err := s.waitAnalysed(ctx, id, s.config.DocumentWait, capture.ID(taken.CaptureID))
	if err != nil || !ready {
		return answer, err
	}
	row, err := find(ctx, s.db.Ent.Session, p, IDV, id)
	if e := AsError(err); e != nil && e.Code == CodeNotFound {
		return answer, nil // erased since the first of these requests
	}
	if err != nil || row.AnonymizedAt != nil {
		return answer, err
	}
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return answer, err
	}
	pictures, err := measuredCaptures(ctx, s.db.Ent.Capture, v, id, capture.ID(taken.CaptureID))
	if err != nil || len(pictures) == 0 { // another picture replaced it meanwhile
		return answer, err
	}
	settings, err := s.settings(ctx, s.db.Ent.DataKey, row)
	if err != nil {
		return answer, err
	}
	answer.Hints = documentHints(row.DocumentType, settings, pictures[0])
	return answer, nil
}

// documentHints say what is wrong with a picture of one side. A side from which everything could be read that it is there for is
// good, however it looks.
func documentHints(kind session.DocumentType, settings Settings, m *measured) []string {
	hints := []string{}
	if m.analysis == nil {
		return append(hints, m.code)
	}
	a := m.analysis
	unread := unreadOf(kind, settings, m)
	if wrongSide(m.side, a, unread) {
		return append(hints, string(vision.HintWrongSide))
	}
	if len(unread) == 0 {
		return hints
	}
	for _, hint := range a.Hints {
		if documentHint(hint) && !slices.Contains(unread, string(hint)) {
			hints = append(hints, string(hint))
		}
	}
	return append(hints, unread...)
}

// unreadOf names, by hint, what a side is there for and does not give.
func unreadOf(kind session.DocumentType, settings Settings, m *measured) []string {
	a := m.analysis
	var unread []string
	need := func(wanted, given bool, hint string) {
		if wanted && !given {
			unread = append(unread, hint)
		}
	}
	front := m.side == captureFront
	card := kind == session.DocumentTypeDriverLicense || kind == session.DocumentTypeIdentificationCard
	need(front && settings.Wants(CheckFaceMatch), len(a.Faces) > 0, string(vision.HintNoFace))
	zone := a.MRZ != nil && a.MRZ.Valid // which identity cards of other countries have instead of a barcode
	need(!front && card, len(a.AAMVA) > 0 || zone, string(vision.HintBarcodeUnreadable))
	need(front == (kind == session.DocumentTypePassport) && !card, zone, string(vision.HintMRZUnreadable))
	need(front, named(a), hintTextUnreadable)
	return unread
}

// named says whether the print, or the machine-readable zone beside it, names the person.
func named(a *vision.Analysis) bool {
	if a.MRZ != nil && a.MRZ.Valid {
		return true
	}
	fields := printedFields(a)
	return fields["document_number"] != "" && fields["last_name"] != "" && fields["birth_date"] != ""
}

// wrongSide says that a picture shows the other side: what only stands there was read, and what should stand here was not.
func wrongSide(side capture.Side, a *vision.Analysis, unread []string) bool {
	if len(unread) == 0 || a.Document == nil {
		return false
	}
	return side == captureFront && a.Document.Side == vision.SideBack || side == captureBack && a.Document.Side == vision.SideFront
}

// documentHint says whether a hint is one about a document. What a side should give is settled by unreadOf.
func documentHint(hint vision.Hint) bool {
	switch hint {
	case vision.HintBlurred, vision.HintGlare, vision.HintTooDark, vision.HintNoDocument, vision.HintCutOff, vision.HintTooSmall, vision.HintSeveralDocuments:
		return true
	}
	return false
}
