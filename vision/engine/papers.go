package engine

import (
	"context"
	"strings"
	"unicode/utf8"

	"kycd/kyc/aamva"
	"kycd/vision"
	"kycd/vision/barcode"
	"kycd/vision/document"
	"kycd/vision/imaging"
	"kycd/vision/ocr"
)

// confidentText is the mean word confidence from which a reading is not tried again with the document turned
// on its head.
const confidentText = 0.6

// measurePapers looks for what is printed: the document's outline, codes, the machine-readable zone, text.
func (m *measurement) measurePapers(ctx context.Context) {
	if m.ask.Document || m.ask.MRZ || m.ask.Text {
		m.lookForPage()
	}
	if m.ask.Barcodes {
		m.part(vision.PartBarcodes, func() error { return m.readBarcodes(ctx) })
	}
	if m.ask.MRZ {
		m.part(vision.PartMRZ, func() error { return m.readMRZ(ctx, m.seen) })
	}
	if m.ask.Text {
		m.part(vision.PartText, func() error { return m.readText(ctx, m.seen) })
	}
}

// lookForPage looks for the document once.
func (m *measurement) lookForPage() {
	if m.looked {
		return
	}
	m.looked = true
	m.part(vision.PartDocument, func() (err error) {
		m.seen, err = m.findPage()
		return err
	})
}

// page is a document cut out upright.
type page struct {
	picture *imaging.Picture
	outline vision.Document // in pixels of the working picture
}

// findPage looks for the outline and cuts the document out; nil where there is none.
func (m *measurement) findPage() (*page, error) {
	outline, found, err := document.Find(m.pic.Pix, m.pic.Width, m.pic.Height)
	if err != nil {
		return nil, err
	}
	if !found || outline.Confidence < document.FoundConfidence {
		if m.ask.Document {
			m.papers = append(m.papers, vision.HintNoDocument)
		}
		if !found {
			return nil, nil
		}
	}
	if m.ask.Document {
		inSource := outline
		copy(inSource.Corners[:], m.source(outline.Corners[:]))
		m.out.Document = &inSource
	}
	return cutPage(m.pic, outline)
}

func cutPage(pic *imaging.Picture, outline vision.Document) (*page, error) {
	pix, width, height, err := document.Rectify(pic.Pix, pic.Width, pic.Height, outline, document.CardDPI)
	if err != nil {
		return nil, err
	}
	return &page{picture: imaging.New(pix, width, height), outline: outline}, nil
}

func (m *measurement) readBarcodes(ctx context.Context) error {
	found, err := barcode.Decode(ctx, m.pic.Gray(), m.pic.Width, m.pic.Height, barcode.Options{Any: true, Thorough: true})
	if err != nil {
		return err
	}
	m.out.Barcodes = make([]vision.Barcode, 0, len(found))
	for _, b := range found {
		if m.out.AAMVA == nil && b.Format == barcode.PDF417 {
			// A code that is no licence's is an ordinary find.
			if payload, err := aamva.Parse([]byte(b.Text)); err == nil {
				m.out.AAMVA = payload.Elements
			}
		}
		b.Text = asUTF8(b.Text)
		copy(b.Corners[:], m.source(b.Corners[:]))
		m.out.Barcodes = append(m.out.Barcodes, b)
	}
	if len(found) == 0 {
		m.papers = append(m.papers, vision.HintBarcodeUnreadable)
	}
	return nil
}

// asUTF8 reads a payload that is no UTF-8 as ISO 8859-1, so that it survives JSON.
func asUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// readMRZ reads the zone from the picture, and from the document cut out of it if that fails.
func (m *measurement) readMRZ(ctx context.Context, seen *page) error {
	pictures := []*imaging.Picture{m.pic}
	if seen != nil {
		pictures = append(pictures, seen.picture)
	}
	for _, pic := range pictures {
		zone, err := m.engine.mrz.Read(ctx, pic.Gray(), pic.Width, pic.Height, m.engine.now())
		if err != nil {
			return err
		}
		if zone != nil && (m.out.MRZ == nil || zone.Valid) {
			m.out.MRZ = zone
		}
		if m.out.MRZ != nil && m.out.MRZ.Valid {
			break
		}
	}
	return nil
}

// readText reads the document cut out, either way up, and the whole picture if neither reads well or no document
// was seen. Of several readings the one with the most text that Tesseract is sure of is kept.
func (m *measurement) readText(ctx context.Context, seen *page) error {
	if m.engine.text == nil {
		return reasonError(vision.ReasonModelMissing)
	}
	m.model(vision.PartText, textModel, false)
	if seen != nil {
		ok, err := m.readPage(ctx, seen)
		if ok || err != nil {
			return err
		}
		turned, err := cutPage(m.pic, document.Turned(seen.outline))
		if err != nil {
			return err
		}
		if ok, err = m.readPage(ctx, turned); ok || err != nil {
			return err
		}
	}
	text, words, err := m.engine.text.Read(ctx, m.pic.Gray(), m.pic.Width, m.pic.Height)
	if err != nil {
		return err
	}
	if sure(words) > sure(m.out.Words) {
		for i := range words {
			words[i].Box = scaleBox(words[i].Box, m.pic.Scale)
		}
		m.out.Text, m.out.Words = text, words
	}
	return nil
}

// readPage reads a page and keeps what it says if it is more than what was read before. ok tells that no other
// reading need be tried.
func (m *measurement) readPage(ctx context.Context, p *page) (ok bool, err error) {
	text, words, err := m.engine.text.Read(ctx, p.picture.Gray(), p.picture.Width, p.picture.Height)
	if err != nil {
		return false, err
	}
	if sure(words) > sure(m.out.Words) {
		m.out.Text, m.out.Words = text, p.place(words, m.pic.Scale)
	}
	return ocr.Confidence(words) >= confidentText, nil
}

// sure counts the characters of words, each by its word's confidence; words more likely wrong than right do
// not count.
func sure(words []vision.Word) float64 {
	sum := 0.0
	for _, w := range words {
		if w.Confidence >= 0.5 {
			sum += w.Confidence * float64(utf8.RuneCountInString(w.Text))
		}
	}
	return sum
}

func scaleBox(b vision.Box, scale float64) vision.Box {
	return boxAround([]vision.Point{
		{X: float64(b.X) * scale, Y: float64(b.Y) * scale},
		{X: float64(b.X+b.Width) * scale, Y: float64(b.Y+b.Height) * scale},
	})
}

// textModel names the language data that Tesseract reads with.
const textModel = "tesseract-eng"
