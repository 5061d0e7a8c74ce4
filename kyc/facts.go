package kyc

import (
	"context"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/document"
	"kycd/ent/predicate"
	"kycd/ent/session"
	"kycd/kyc/aamva"
	"kycd/kyc/crosscheck"
	"kycd/kyc/mrz"
	"kycd/kyc/scoring"
	"kycd/vision"
	"kycd/vision/printed"
)

// facts is everything a decision rests on, read once and in plain form. Deciding is then a pure function.
type facts struct {
	now           time.Time
	documentType  string
	consented     bool
	active        bool // liveness mode passive_active
	settings      Settings
	weights       scoring.Weights
	required      []need
	allowDegraded bool
	metadata      map[string]any

	front, back, live *measured
	frames            []*measured       // of the liveness check: live first, then one per step
	outside           *outsideLiveness  // what a provider outside says; nil: the frames were judged here
	copies            map[string]copied // capture id → the earlier picture that it is a copy of
	lookalikes        []lookalike       // identities of others whose face is near this one

	enrolled []enrolledFace // an authentication: the faces of the identity

	sources []source          // what each source says, the most trusted first
	merged  map[string]string // the best of them
	printed map[string]string // the print
	encoded map[string]string // the barcode or the MRZ: what print is compared with

	cut       map[string]bool // names that the barcode admits to have cut
	zoneWrong bool            // a machine-readable zone was read whose check digits are wrong
}

// source is what one part of the document says.
type source struct {
	from   document.DataSource
	fields map[string]string
}

// measured is one picture that counts: its analysis, or the code of why there is none.
type measured struct {
	id       string
	side     capture.Side
	step     int
	asked    string // the step that the challenge asked for
	digest   string // keyed hash of its bytes
	analysis *vision.Analysis
	code     string
}

// face is the main face of a picture.
func (m *measured) face() *vision.Face {
	if m == nil || m.analysis == nil || len(m.analysis.Faces) == 0 {
		return nil
	}
	return &m.analysis.Faces[0]
}

// failed says that the picture is there and could not be analysed.
func (m *measured) failed() bool { return m != nil && m.analysis == nil }

// facts gathers what is known of a session, inside the transaction that will decide it.
func (c *change) facts(ctx context.Context, row *ent.Session) (*facts, error) {
	v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
	if err != nil {
		return nil, err
	}
	f := &facts{
		now: c.now, documentType: string(row.DocumentType), consented: row.Consented != nil && *row.Consented,
		active: row.LivenessMode == "passive_active", allowDegraded: c.s.config.AllowDegraded,
	}
	raw := map[string]any{}
	if err := firstError(v.open("sessions", "settings", row.ID, row.SettingsSealed, &raw),
		v.open("sessions", "metadata", row.ID, row.MetadataSealed, &f.metadata)); err != nil {
		return nil, err
	}
	if f.settings, err = ParseSettings(raw); err != nil {
		return nil, err
	}
	if f.weights, err = weights(ctx, c.WeightsVersion, row.WeightsID); err != nil {
		return nil, err
	}
	if f.required, err = required(ctx, c.Requirement, row.UserID, row.ClientID, f.documentType); err != nil {
		return nil, err
	}
	captures, err := measuredCaptures(ctx, c.Capture, v, row.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range captures {
		switch m.side {
		case captureFront:
			f.front = m
		case captureBack:
			f.back = m
		}
	}
	if f.frames = liveFrames(captures); len(f.frames) > 0 {
		f.live = f.frames[0]
	}
	if row.LivenessProvider == session.LivenessProviderAzure {
		if f.outside, err = c.outsideLiveness(ctx, v, row.ID); err != nil {
			return nil, err
		}
	}
	if f.copies, err = c.s.copiesOf(ctx, c.Tx.Client(), row, captures); err != nil {
		return nil, err
	}
	if row.Kind == session.KindIdv {
		if f.lookalikes, err = c.s.lookalikes(ctx, c.Tx.Client(), row.UserID, f.live.face(), f.weights.VerifiedAccountFaceEncodingTolerance); err != nil {
			return nil, err
		}
	}
	f.read()
	return f, nil
}

// measuredCaptures opens the pictures of a session that count.
func measuredCaptures(ctx context.Context, captures *ent.CaptureClient, v vault, sessionID string, which ...predicate.Capture) ([]*measured, error) {
	rows, err := captures.Query().Where(capture.SessionID(sessionID), capture.Superseded(false)).Where(which...).Order(ent.Asc(capture.FieldStep)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	list := make([]*measured, 0, len(rows))
	for _, row := range rows {
		m := &measured{
			id: row.ID, side: row.Side, step: row.Step, asked: row.Asked, digest: row.DigestTerm, code: row.AnalysisCode,
		}
		if row.AnalysisStatus == capture.AnalysisStatusDone {
			m.analysis = &vision.Analysis{}
			if err := v.open("captures", "analysis", row.ID, row.AnalysisSealed, m.analysis); err != nil {
				return nil, err
			}
		}
		list = append(list, m)
	}
	return list, nil
}

// read works out what the document says: from the barcode, the machine-readable zone and the print.
func (f *facts) read() {
	add := func(from document.DataSource, fields map[string]string) {
		if len(fields) > 0 {
			f.sources = append(f.sources, source{from: from, fields: fields})
		}
	}
	for _, side := range []*measured{f.back, f.front} {
		if side == nil || side.analysis == nil {
			continue
		}
		for _, code := range side.analysis.Barcodes {
			payload, err := aamva.Parse([]byte(code.Text))
			if code.Format == "PDF417" && err == nil && f.encoded == nil {
				f.encoded, f.cut = payload.Fields(), payload.Truncated()
				add(document.DataSourcePdf417, f.encoded)
			}
		}
	}
	for _, side := range []*measured{f.front, f.back} {
		zone, found := f.zoneOf(side)
		if !found || f.gave(string(document.DataSourceMrz)) {
			continue
		}
		if len(zone.CheckDigits) == 0 {
			continue // some licences have zones without any: nothing proves that they were read right
		}
		if !zone.Valid { // what it says may not be believed, but it is there
			f.zoneWrong = true
			continue
		}
		if !side.analysis.MRZ.Valid {
			continue // letters that no check digit covers were too uncertain
		}
		add(document.DataSourceMrz, zone.Fields())
		if f.encoded == nil {
			f.encoded = zone.Fields()
		}
	}
	if f.front != nil && f.front.analysis != nil {
		f.printed = printedFields(f.front.analysis)
		add(document.DataSourceOcrFront, f.printed)
	}
	if f.back != nil && f.back.analysis != nil {
		add(document.DataSourceOcrBack, printedFields(f.back.analysis))
	}
	said := make([]map[string]string, 0, len(f.sources))
	for _, s := range f.sources {
		said = append(said, s.fields)
	}
	f.merged = crosscheck.Merge(said...)
}

// zoneOf reads the machine-readable zone of a picture again, as the rules know it; false if there is none.
func (f *facts) zoneOf(side *measured) (mrz.Document, bool) {
	if side == nil || side.analysis == nil || side.analysis.MRZ == nil {
		return mrz.Document{}, false
	}
	zone, err := mrz.Parse(side.analysis.MRZ.Lines, f.now)
	return zone, err == nil
}

// printedFields are what the print says. A value that no second reading confirmed says nothing.
func printedFields(a *vision.Analysis) map[string]string {
	fields := map[string]string{}
	read := a.Fields
	if read == nil { // measured before fields were
		read = printed.Fields(a.Words, a.Width, a.Height)
	}
	for name, field := range read {
		if field.Confidence >= vision.Doubtful {
			fields[name] = field.Value
		}
	}
	return fields
}
