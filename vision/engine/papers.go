package engine

import (
	"context"
	"slices"
	"unicode/utf8"

	"kycd/kyc/aamva"
	"kycd/vision"
	"kycd/vision/barcode"
	"kycd/vision/document"
	"kycd/vision/imaging"
	"kycd/vision/mrzread"
	"kycd/vision/ocr"
	"kycd/vision/printed"
	"kycd/vision/quality"
)

const (
	// confidentText is the mean word confidence from which a page was read well. Of 36 specimens on their heads none reached 0.46.
	confidentText = 0.6
	// surelyTurned is how much surer the reader must be of one way up than of the other to be believed.
	surelyTurned = 0.1
)

// measurePapers looks for what is printed: codes, the machine-readable zone, text.
func (m *measurement) measurePapers(ctx context.Context) {
	if m.ask.Document || m.ask.Barcodes || m.ask.MRZ || m.ask.Text {
		m.lookForPage()
	}
	if m.ask.Barcodes {
		m.part(vision.PartBarcodes, func() error { return m.readBarcodes(ctx) })
	}
	if m.ask.MRZ && m.out.AAMVA == nil { // no card has both
		m.part(vision.PartMRZ, func() error { return m.readMRZ(ctx) })
	}
	if m.ask.Text {
		m.part(vision.PartText, func() error { return m.readText(ctx) })
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

// page is a document cut out, upright or on its head.
type page struct {
	picture *imaging.Picture
	outline vision.Document // in pixels of the working picture
}

// surely says that the outline was seen, not assumed.
func (p *page) surely() bool { return p != nil && p.outline.Confidence >= document.FoundConfidence }

// findPage looks for the outline and cuts the document out; nil where there is none.
func (m *measurement) findPage() (*page, error) {
	outline, found, err := document.Find(m.pic.Pix, m.pic.Width, m.pic.Height)
	if err != nil {
		return nil, err
	}
	if !found {
		if m.ask.Document {
			m.papers = append(m.papers, vision.HintNoDocument)
		}
		return nil, nil
	}
	p, err := cutPage(m.pic, outline)
	if err != nil || !m.ask.Document {
		return p, err
	}
	inSource := outline
	copy(inSource.Corners[:], m.source(outline.Corners[:]))
	inSource.DPI, inSource.Side = outline.DPI*m.pic.Scale, vision.SideUnknown
	m.out.Document = &inSource
	if !p.surely() {
		m.papers = append(m.papers, vision.HintNoDocument)
		return p, nil
	}
	m.papers = append(m.papers, quality.DocumentHints(outline)...)
	return p, nil
}

func cutPage(pic *imaging.Picture, outline vision.Document) (*page, error) {
	pix, width, height, err := document.Rectify(pic.Pix, pic.Width, pic.Height, outline, document.CardDPI)
	if err != nil {
		return nil, err
	}
	return &page{picture: imaging.New(pix, width, height), outline: outline}, nil
}

func (m *measurement) readBarcodes(ctx context.Context) error {
	found, err := m.decode(ctx, barcode.Options{Any: true, Thorough: !m.seen.surely()})
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
		b.Text = vision.PayloadText(b.Text)
		copy(b.Corners[:], m.source(b.Corners[:]))
		m.out.Barcodes = append(m.out.Barcodes, b)
	}
	if len(found) == 0 {
		m.papers = append(m.papers, vision.HintBarcodeUnreadable)
	}
	return nil
}

// decode looks for codes, where the document lies first.
func (m *measurement) decode(ctx context.Context, options barcode.Options) ([]vision.Barcode, error) {
	if m.seen.surely() {
		options.Page = &m.seen.outline.Corners
	}
	return barcode.Decode(ctx, m.pic.Gray(), m.pic.Width, m.pic.Height, options)
}

// findZone reads the machine-readable zone, where the document lies first.
func (m *measurement) findZone(ctx context.Context) (*vision.MRZ, error) {
	place := mrzread.Place{}
	if m.seen.surely() {
		place.Corners = &m.seen.outline.Corners
	}
	return m.engine.mrz.ReadPlaced(ctx, m.pic.Gray(), m.pic.Width, m.pic.Height, m.engine.now(), place)
}

// backZone tells that a zone is one that cards have on their back.
func backZone(zone *vision.MRZ) bool { return zone != nil && zone.Valid && zone.Format == "TD1" }

func (m *measurement) readMRZ(ctx context.Context) error {
	zone, err := m.findZone(ctx)
	if err != nil {
		return err
	}
	m.out.MRZ = zone
	if zone != nil && !zone.Valid {
		m.papers = append(m.papers, vision.HintMRZUnreadable)
	}
	return nil
}

// readText reads the document cut out, the right way up, and the whole picture if no document was seen or nothing could be
// read on it. Of several readings the one with the most text that Tesseract is sure of is kept.
func (m *measurement) readText(ctx context.Context) error {
	if m.engine.text == nil {
		return reasonError(vision.ReasonModelMissing)
	}
	m.model(vision.PartText, textModel, false)
	if m.seen != nil {
		ok, err := m.readEitherWay(ctx, m.seen)
		if ok || err != nil {
			return err
		}
	}
	if m.seen.surely() && len(m.out.Words) > 0 {
		return nil // the whole picture has no more of the document than the page cut out of it
	}
	text, words, err := m.engine.text.Read(ctx, m.pic.Gray(), m.pic.Width, m.pic.Height)
	if err != nil {
		return err
	}
	if sure(words) > sure(m.out.Words) {
		fields := printed.Fields(words, m.pic.Width, m.pic.Height)
		for i := range words {
			words[i].Box = scaleBox(words[i].Box, m.pic.Scale)
		}
		for name, field := range fields {
			field.Box = scaleBox(field.Box, m.pic.Scale)
			fields[name] = field
		}
		m.out.Text, m.out.Words, m.out.Fields = text, words, fields
	}
	return nil
}

// readEitherWay reads a page the way up that reads better. Most lie as they should, and which do not shows in what is read. ok tells
// that nothing else need be read.
func (m *measurement) readEitherWay(ctx context.Context, p *page) (ok bool, err error) {
	sheet, how, err := m.readPage(ctx, p)
	if err != nil || how >= confidentText {
		return how >= confidentText, err
	}
	onHead, sure, err := sheet.Upright(ctx)
	if err != nil || sure >= surelyTurned && !onHead {
		return how >= confidentText, err
	}
	turned, err := cutPage(m.pic, document.Turned(p.outline))
	if err != nil {
		return false, err
	}
	_, again, err := m.readPage(ctx, turned)
	return max(how, again) >= confidentText, err
}

// readPage reads a page, keeps what it says if it is more than what was read before, and gives the mean confidence of its words.
func (m *measurement) readPage(ctx context.Context, p *page) (sheet *ocr.Page, confidence float64, err error) {
	width, height := p.picture.Width, p.picture.Height
	if sheet, err = m.engine.text.Page(p.picture.Gray(), width, height); err != nil {
		return nil, 0, err
	}
	text, words, err := sheet.Read(ctx)
	if err != nil {
		return nil, 0, err
	}
	confidence = ocr.Confidence(words)
	if sure(words) <= sure(m.out.Words) {
		return sheet, confidence, nil
	}
	fields, err := sheet.Refine(ctx, printed.Fields(words, width, height))
	if err != nil {
		return nil, 0, err
	}
	place := p.placing(m.pic.Scale)
	for i := range words {
		words[i].Box = place(words[i].Box)
	}
	for name, field := range fields {
		field.Box = place(field.Box)
		fields[name] = field
	}
	m.out.Text, m.out.Words, m.out.Fields = text, words, fields
	if m.out.Document != nil {
		copy(m.out.Document.Corners[:], m.source(p.outline.Corners[:])) // clockwise from the upper left of the print
	}
	return sheet, confidence, nil
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

// tellSide says which side of a document the picture shows: a portrait is on the front, a barcode of a licence or a zone of an
// identity card on the back. Where what was asked for is not there, what only the other side has is looked for.
func (m *measurement) tellSide(ctx context.Context) {
	d := m.out.Document
	if d == nil {
		return
	}
	face := len(m.out.Faces) > 0
	back := m.out.AAMVA != nil || backZone(m.out.MRZ)
	switch {
	case face && !back:
		d.Side = vision.SideFront
	case back && !face:
		d.Side = vision.SideBack
	case face || back: // both are on one side, or on two cards
	case m.ask.Portrait && !m.ask.Barcodes:
		m.part(vision.PartBarcodes, func() error {
			found, err := m.decode(ctx, barcode.Options{})
			if slices.ContainsFunc(found, func(b vision.Barcode) bool { return b.Format == barcode.PDF417 }) {
				d.Side = vision.SideBack
			}
			return err
		})
		if d.Side == vision.SideUnknown && !m.ask.MRZ {
			m.part(vision.PartMRZ, func() error {
				zone, err := m.findZone(ctx)
				if backZone(zone) {
					d.Side = vision.SideBack
				}
				return err
			})
		}
	case m.ask.Barcodes && !m.ask.Faces:
		m.part(vision.PartFaces, func() error {
			found, _, err := m.slot.finder.FindPortrait(m.pic, &m.seen.outline)
			if len(found) > 0 {
				d.Side = vision.SideFront
			}
			return err
		})
	}
}
