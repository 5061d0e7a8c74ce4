package kyc_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"kycd/ent/capture"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/vision"
)

// verified brings a person through a verification, and gives the session and the identity.
func (h *house) verified(p auth.Principal, in kyc.SessionInput) (session, identity string) {
	h.t.Helper()
	ctx := context.Background()
	session = h.give(p, in)
	h.analyse()
	out, err := h.Finalize(ctx, p, session, nil)
	must(h.t, err)
	if !out.Verified {
		h.t.Fatalf("not verified: %+v", out)
	}
	s, err := h.ReadSession(ctx, p, kyc.IDV, session)
	must(h.t, err)
	return session, *s.IdentityID
}

// show gives an authentication its live picture, of a face that differs by shift from the enrolled one.
func (h *house) show(p auth.Principal, id string, shift float32) {
	h.t.Helper()
	ctx := context.Background()
	_, err := h.GenerateLiveness(ctx, p, kyc.IDA, id, kyc.Place{})
	must(h.t, err)
	_, err = h.ProcessLiveness(ctx, p, kyc.IDA, id, kyc.Place{Latitude: 48.8577, Longitude: 2.295, IP: "192.0.2.7"}, kyc.LivenessInput{Images: [][]byte{picture(h.t)}})
	must(h.t, err)
	for _, w := range h.take(kyc.WorkAnalyze) {
		_, _, err := h.BeginAnalysis(ctx, w.ID)
		must(h.t, err)
		a := measured(h.t, "liveness")
		a.Faces[0].Encoding[1] = shift
		must(h.t, h.FinishAnalysis(ctx, w.ID, a))
	}
}

func TestAuthentication(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, hook := context.Background(), h.client("Borduria Bank"), listen(t)
		made, err := h.CreateWebhook(ctx, p, "", "backend", hook.URL)
		must(t, err)
		hook.secret = made.Secret
		idv, identity := h.verified(p, kyc.SessionInput{})
		h.take(kyc.WorkDeliver)

		id, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{Metadata: map[string]any{"payment": "77"}})
		must(t, err)
		before, err := h.ReadSDKSession(ctx, p, kyc.IDA, id)
		must(t, err)
		if before.Status != "in_progress" || before.Person.LastName != "PEPPERCORNE" || before.Authenticated != nil || before.Metadata != nil {
			t.Errorf("the device reads %+v", before)
		}
		_, err = h.FinalizeAuthentication(ctx, p, id)
		want(t, err, kyc.CodeIncomplete)
		must(t, h.UpdateSDKMetadata(ctx, p, kyc.IDA, id, map[string]any{"sdk": "1.2"}))
		h.show(p, id, 0.2)
		out, err := h.FinalizeAuthentication(ctx, p, id)
		must(t, err)
		if !out.Verified || out.Status != "complete" {
			t.Fatalf("outcome %+v", out)
		}
		s, err := h.ReadSession(ctx, p, kyc.IDA, id)
		must(t, err)
		if s.Authenticated == nil || !*s.Authenticated || s.Verified != nil || *s.IdentityID != identity || s.SDKMetadata["sdk"] != "1.2" || s.LivenessDetected == nil || !*s.LivenessDetected {
			t.Errorf("session %+v", s)
		}
		if same, err := h.Replay(ctx, p, id); err == nil || same {
			t.Error("an authentication is not among the verifications")
		}
		img, err := h.DownloadSelfie(ctx, p, id)
		must(t, err)
		if len(img.Bytes) == 0 {
			t.Error("no selfie")
		}
		spot, err := h.ReadLocation(ctx, p, kyc.IDA, id, "selfie_image_capture")
		must(t, err)
		if spot.IPAddress != "192.0.2.7" || *spot.DeviceLatitude != 48.8577 || spot.Device != "+48.8577+002.2950/" {
			t.Errorf("location %+v", spot)
		}
		_, err = h.ReadLocation(ctx, p, kyc.IDA, id, "front_doc_image_capture")
		want(t, err, kyc.CodeNotFound)

		work := h.take(kyc.WorkDeliver)
		if len(work) != 1 {
			t.Fatalf("%d deliveries", len(work))
		}
		must(t, h.DeliverWebhook(ctx, work[0].ID))
		if len(hook.bodies) != 1 || !strings.Contains(hook.bodies[0], `"ida.session.complete"`) || !strings.Contains(hook.bodies[0], `"authenticated":true`) || !strings.Contains(hook.bodies[0], identity) {
			t.Errorf("bodies %v", hook.bodies)
		}

		// The recognised face, which is a good picture, has become one that the identity is recognised by.
		if n := h.db.Ent.FaceEncoding.Query().CountX(ctx); n != 2 {
			t.Errorf("%d enrolled faces after an authentication", n)
		}

		// Somebody else is not authenticated, and the identity's faces stay what they were.
		other, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
		must(t, err)
		h.show(p, other, 1)
		out, err = h.FinalizeAuthentication(ctx, p, other)
		must(t, err)
		if out.Verified || out.Status != "complete" || !slices.Contains(out.Reasons, "face_mismatch") {
			t.Errorf("outcome of a stranger %+v", out)
		}
		if n := h.db.Ent.FaceEncoding.Query().CountX(ctx); n != 2 {
			t.Errorf("%d enrolled faces after a stranger", n)
		}

		// Neither kind exists for the other's operations.
		_, err = h.ReadSession(ctx, p, kyc.IDV, id)
		want(t, err, kyc.CodeNotFound)
		_, err = h.FinalizeAuthentication(ctx, p, idv)
		want(t, err, kyc.CodeNotFound)
		want(t, h.AddConsent(ctx, p, id, true), kyc.CodeNotFound)
		want(t, h.AnonymizeSession(ctx, p, id), kyc.CodeNotFound)
		yes, no := true, false
		for _, c := range []struct {
			q kyc.SessionQuery
			n int
		}{
			{kyc.SessionQuery{}, 2}, {kyc.SessionQuery{Verified: &yes}, 1}, {kyc.SessionQuery{Verified: &no}, 1},
			{kyc.SessionQuery{Metadata: map[string]any{"payment": "77"}}, 1}, {kyc.SessionQuery{IdentityIDs: []string{identity}}, 2}, {kyc.SessionQuery{Status: "expired"}, 0},
			{kyc.SessionQuery{SearchTerm: "ezekiel peppercorne"}, 2}, {kyc.SessionQuery{SearchTerm: "S987060974"}, 2},
			{kyc.SessionQuery{SearchTerm: id}, 1}, {kyc.SessionQuery{SearchTerm: "haddock"}, 0},
		} {
			page, err := h.ListSessions(ctx, p, kyc.IDA, c.q)
			must(t, err)
			if len(page.Sessions) != c.n {
				t.Errorf("%+v finds %d", c.q, len(page.Sessions))
			}
		}
	})
}

func TestAuthenticationNeedsAFace(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		_, err := h.CreateAuthentication(ctx, p, "019a0000-0000-7000-8000-000000000000", kyc.SessionInput{})
		want(t, err, kyc.CodeNotFound)
		_, identity := h.verified(p, kyc.SessionInput{})
		_, err = h.CreateAuthentication(ctx, h.client("Syldavia Bank"), identity, kyc.SessionInput{})
		want(t, err, kyc.CodeNotFound)
		h.db.Ent.FaceEncoding.Delete().ExecX(ctx)
		_, err = h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
		want(t, err, kyc.CodeNotEnrolled)
	})
}

// TestEnrolment: who comes again is the same person, by the document or, with a new one, by name and face.
func TestEnrolment(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		_, first := h.verified(p, kyc.SessionInput{Metadata: map[string]any{"customer": "C-1"}})
		// come again, with what the sidecar says changed.
		come := func(name string, change func(side string, a *vision.Analysis)) (identity string, reasons []string) {
			t.Helper()
			id := h.give(p, kyc.SessionInput{})
			for _, w := range h.take(kyc.WorkAnalyze) {
				_, _, err := h.BeginAnalysis(ctx, w.ID)
				must(t, err)
				side := string(h.db.Ent.Capture.Query().Where(capture.ID(w.SubjectID)).OnlyX(ctx).Side)
				a := measured(t, side)
				change(side, &a)
				must(t, h.FinishAnalysis(ctx, w.ID, a))
			}
			out, err := h.Finalize(ctx, p, id, nil)
			must(t, err)
			s, err := h.ReadSession(ctx, p, kyc.IDV, id)
			must(t, err)
			if !out.Verified || s.IdentityID == nil {
				t.Fatalf("%s: %+v", name, out)
			}
			return *s.IdentityID, s.Reasons
		}
		renewed := func(_ string, a *vision.Analysis) {
			for i := range a.Words {
				a.Words[i].Text = strings.ReplaceAll(a.Words[i].Text, "S987060974", "S987060975")
			}
			a.Text = strings.ReplaceAll(a.Text, "S987060974", "S987060975")
			for i := range a.Barcodes {
				a.Barcodes[i].Text = strings.ReplaceAll(a.Barcodes[i].Text, "S987060974", "S987060975")
			}
		}
		face := func(shift float32) func(string, *vision.Analysis) {
			return func(side string, a *vision.Analysis) {
				renewed(side, a)
				for i := range a.Faces {
					a.Faces[i].Encoding[1] = shift
				}
			}
		}
		if id, reasons := come("the same document", func(string, *vision.Analysis) {}); id != first || !slices.Contains(reasons, "identity_joined_by_document") {
			t.Errorf("the same document: joined %v, %v", id == first, reasons)
		}
		if id, reasons := come("a renewed document", face(0.1)); id != first || !slices.Contains(reasons, "identity_joined_by_face") {
			t.Errorf("a renewed document: joined %v, %v", id == first, reasons)
		}
		// Without a name in common a face joins nobody, and is reported.
		h.db.Ent.SearchTerm.Delete().ExecX(ctx)
		if id, reasons := come("nobody known", face(0)); id == first || !slices.Equal(reasons, []string{"possible_duplicate_identity"}) {
			t.Errorf("nobody known: joined %v, %v", id == first, reasons)
		}
	})
}

// TestNamesake: the same name and birth date with another face is another person.
func TestNamesake(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		_, first := h.verified(p, kyc.SessionInput{})
		id := h.give(p, kyc.SessionInput{})
		for _, w := range h.take(kyc.WorkAnalyze) {
			_, _, err := h.BeginAnalysis(ctx, w.ID)
			must(t, err)
			a := measured(t, string(h.db.Ent.Capture.GetX(ctx, w.SubjectID).Side))
			for i := range a.Faces {
				a.Faces[i].Encoding[0], a.Faces[i].Encoding[2] = 0, 1
			}
			for i := range a.Words {
				a.Words[i].Text = strings.ReplaceAll(a.Words[i].Text, "S987060974", "S987060975")
			}
			for i := range a.Barcodes {
				a.Barcodes[i].Text = strings.ReplaceAll(a.Barcodes[i].Text, "S987060974", "S987060975")
			}
			must(t, h.FinishAnalysis(ctx, w.ID, a))
		}
		out, err := h.Finalize(ctx, p, id, nil)
		must(t, err)
		s, err := h.ReadSession(ctx, p, kyc.IDV, id)
		must(t, err)
		if !out.Verified || s.IdentityID == nil || *s.IdentityID == first {
			t.Errorf("outcome %+v, identity %v", out, s.IdentityID)
		}
	})
}

func TestIdentities(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p, stranger := context.Background(), h.client("Borduria Bank"), h.client("Syldavia Bank")
		_, id := h.verified(p, kyc.SessionInput{Metadata: map[string]any{"customer": "C-1"}})
		page, err := h.ListIdentities(ctx, p, kyc.IdentityQuery{})
		must(t, err)
		if len(page.Identities) != 1 || page.Counts["total"] != 1 || page.Counts["verified"] != 1 {
			t.Fatalf("identities %+v", page)
		}
		got := page.Identities[0]
		if got.ID != id || got.Person.FirstName != "EZEKIEL" || got.City == "" || got.DocumentFrontGivenAt == nil || got.LivenessDetected == nil || got.Score == nil || got.Metadata["customer"] != "C-1" {
			t.Errorf("identity %+v", got)
		}
		for _, q := range []kyc.IdentityQuery{
			{SearchTerm: "ezekiel peppercorne"}, {SearchTerm: "s987060974"}, {SearchTerm: id}, {Metadata: map[string]any{"customer": "C-1"}}, {ClientIDs: []string{p.ClientID}},
		} {
			if page, err := h.ListIdentities(ctx, p, q); err != nil || len(page.Identities) != 1 {
				t.Errorf("%+v finds %d, %v", q, len(page.Identities), err)
			}
			if page, err := h.ListIdentities(ctx, stranger, q); err != nil || len(page.Identities) != 0 || page.Counts["total"] != 0 {
				t.Errorf("%+v finds %d for a stranger, %v", q, len(page.Identities), err)
			}
		}
		for _, q := range []kyc.IdentityQuery{{SearchTerm: "haddock"}, {Metadata: map[string]any{"customer": "C-2"}}, {UserIDs: []string{stranger.UserID}}} {
			if page, err := h.ListIdentities(ctx, p, q); err != nil || len(page.Identities) != 0 {
				t.Errorf("%+v finds %d, %v", q, len(page.Identities), err)
			}
		}
		if known, err := h.ReadIdentities(ctx, p, []string{id}, nil); err != nil || len(known) != 1 {
			t.Errorf("read: %v, %v", known, err)
		}
		_, err = h.ReadIdentities(ctx, p, []string{id, stranger.ClientID}, nil)
		want(t, err, kyc.CodeNotFound)
		if ok, err := h.IdentityVerified(ctx, p, id); err != nil || !ok {
			t.Errorf("verified: %v, %v", ok, err)
		}
		doc, err := h.ReadIdentityDocument(ctx, p, id, "driver_license")
		must(t, err)
		if doc.Fields["document_number"] != "S987060974" {
			t.Errorf("document %v", doc.Fields)
		}
		_, err = h.ReadIdentityDocument(ctx, p, id, "passport")
		want(t, err, kyc.CodeNotFound)
		for _, fileType := range []string{"driver_license_front", "driver_license_back", "selfie", "liveness_passive"} {
			if img, err := h.ReadIdentityImage(ctx, p, id, fileType); err != nil || len(img.Bytes) == 0 {
				t.Errorf("%s: %v", fileType, err)
			}
		}
		_, err = h.ReadIdentityImage(ctx, p, id, "passport_front")
		want(t, err, kyc.CodeNotFound)
		for name, call := range map[string]func() error{
			"read":      func() error { _, err := h.ReadIdentities(ctx, stranger, []string{id}, nil); return err },
			"status":    func() error { _, err := h.IdentityVerified(ctx, stranger, id); return err },
			"document":  func() error { _, err := h.ReadIdentityDocument(ctx, stranger, id, "unknown"); return err },
			"image":     func() error { _, err := h.ReadIdentityImage(ctx, stranger, id, "selfie"); return err },
			"anonymize": func() error { return h.AnonymizeIdentity(ctx, stranger, id) },
		} {
			if e := kyc.AsError(call()); e == nil || e.Code != kyc.CodeNotFound {
				t.Errorf("%s by a stranger: %v", name, e)
			}
		}
		// A device sees whom its session is about, and nobody else.
		ida, err := h.CreateAuthentication(ctx, p, id, kyc.SessionInput{})
		must(t, err)
		device := p
		device.SessionID = ida
		if ok, err := h.IdentityVerified(ctx, device, id); err != nil || !ok {
			t.Errorf("the device: %v, %v", ok, err)
		}
		device.SessionID = stranger.ClientID
		_, err = h.IdentityVerified(ctx, device, id)
		want(t, err, kyc.CodeNotFound)
	})
}

// TestSiblingClients: two clients of one organisation know one person by one identity, and each keeps its own documents.
func TestSiblingClients(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		first, second := h.client("Borduria Bank"), h.client("Borduria Bank")
		if first.UserID != second.UserID || first.ClientID == second.ClientID {
			t.Fatalf("not siblings: %+v %+v", first, second)
		}
		session, id := h.verified(first, kyc.SessionInput{})
		_, err := h.ReadIdentities(ctx, second, []string{id}, nil)
		want(t, err, kyc.CodeNotFound)
		mine, same := h.verified(second, kyc.SessionInput{})
		if same != id {
			t.Fatal("one person has two identities")
		}
		for p, own := range map[string]struct {
			caller  auth.Principal
			session string
		}{"first": {first, session}, "second": {second, mine}} {
			doc, err := h.ReadIdentityDocument(ctx, own.caller, id, "unknown")
			must(t, err)
			if doc.SessionID != own.session {
				t.Errorf("the %s client reads the other's document", p)
			}
		}
		must(t, h.DeleteSession(ctx, second, kyc.IDV, mine))
		_, err = h.ReadIdentityImage(ctx, second, id, "selfie")
		want(t, err, kyc.CodeNotFound)
		if img, err := h.ReadIdentityImage(ctx, first, id, "selfie"); err != nil || len(img.Bytes) == 0 {
			t.Errorf("the first client: %v", err)
		}
	})
}
