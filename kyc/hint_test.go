package kyc

import (
	"slices"
	"testing"

	"kycd/ent/capture"
	"kycd/ent/session"
	"kycd/vision"
)

// TestDocumentHints: a side that gave everything is good however it looks; what it lacks is named, with what may be the cause.
func TestDocumentHints(t *testing.T) {
	fields := map[string]vision.Field{
		"document_number": {Value: "K1234567", Confidence: 0.9}, "last_name": {Value: "CASTAFIORE", Confidence: 0.9},
		"birth_date": {Value: "1980-02-03", Confidence: 0.9},
	}
	card := func(side string) *vision.Document { return &vision.Document{Type: "id1", Side: side} }
	zone := func(valid bool) *vision.MRZ { return &vision.MRZ{Format: "TD3", Valid: valid} }
	blurred := []vision.Hint{vision.HintBlurred, vision.HintUpsideDown, vision.HintFaceTooSmall}
	for name, c := range map[string]struct {
		kind session.DocumentType
		side capture.Side
		off  string // a check that is switched off
		a    *vision.Analysis
		want []string
	}{
		"front, all read":              {"driver_license", captureFront, "", &vision.Analysis{Hints: blurred, Fields: fields, Faces: make([]vision.Face, 1)}, nil},
		"front without face":           {"driver_license", captureFront, "", &vision.Analysis{Fields: fields, Hints: []vision.Hint{vision.HintNoFace}}, []string{"no_face"}},
		"front without face, unneeded": {"driver_license", captureFront, CheckFaceMatch, &vision.Analysis{Fields: fields}, nil},
		"front, blurred":               {"driver_license", captureFront, "", &vision.Analysis{Hints: blurred, Faces: make([]vision.Face, 1)}, []string{"blurred", "text_unreadable"}},
		"front, uncertain print": {
			"driver_license", captureFront, "",
			&vision.Analysis{Faces: make([]vision.Face, 1), Fields: map[string]vision.Field{
				"document_number": {Value: "K1234567", Confidence: vision.Doubtful / 2}, "last_name": fields["last_name"], "birth_date": fields["birth_date"],
			}},
			[]string{"text_unreadable"},
		},
		"a cat":                        {"driver_license", captureFront, "", &vision.Analysis{Hints: []vision.Hint{vision.HintNoFace, vision.HintNoDocument}}, []string{"no_document", "no_face", "text_unreadable"}},
		"back, read":                   {"identification_card", captureBack, "", &vision.Analysis{Hints: []vision.Hint{vision.HintCutOff}, AAMVA: map[string]string{"DAQ": "K1234567"}}, nil},
		"back with a zone":             {"identification_card", captureBack, "", &vision.Analysis{MRZ: zone(true)}, nil},
		"back, another code":           {"identification_card", captureBack, "", &vision.Analysis{Barcodes: []vision.Barcode{{Format: "QRCode"}}}, []string{"barcode_unreadable"}},
		"back, cut off":                {"driver_license", captureBack, "", &vision.Analysis{Hints: []vision.Hint{vision.HintCutOff, vision.HintBarcodeUnreadable}}, []string{"cut_off", "barcode_unreadable"}},
		"front instead of back":        {"driver_license", captureBack, "", &vision.Analysis{Document: card(vision.SideFront), Hints: []vision.Hint{vision.HintGlare}}, []string{"wrong_side"}},
		"back instead of front":        {"driver_license", captureFront, "", &vision.Analysis{Document: card(vision.SideBack)}, []string{"wrong_side"}},
		"passport":                     {"passport", captureFront, "", &vision.Analysis{MRZ: zone(true), Faces: make([]vision.Face, 1)}, nil},
		"passport, wrong check digits": {"passport", captureFront, "", &vision.Analysis{MRZ: zone(false), Faces: make([]vision.Face, 1), Fields: fields}, []string{"mrz_unreadable"}},
		"passport card's back":         {"passport_card", captureBack, "", &vision.Analysis{}, []string{"mrz_unreadable"}},
		"passport card's front":        {"passport_card", captureFront, "", &vision.Analysis{Faces: make([]vision.Face, 1), Fields: fields}, nil},
		"damaged":                      {"passport", captureFront, "", nil, []string{"image_corrupt"}},
	} {
		settings, err := ParseSettings(map[string]any{"checks": map[string]any{}})
		if c.off != "" {
			settings, err = ParseSettings(map[string]any{"checks": map[string]any{c.off: false}})
		}
		if err != nil {
			t.Fatal(err)
		}
		got := documentHints(c.kind, settings, &measured{side: c.side, analysis: c.a, code: "image_corrupt"})
		if got == nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
