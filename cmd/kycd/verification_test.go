package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc/specimen"
)

// stopWithin is how long a server may take to end when it is asked to.
const stopWithin = 20 * time.Second

// TestVerification is the whole way of a person through the programs as they are shipped: from the session
// to the signed webhook, and what is left of it after a restart.
func TestVerification(t *testing.T) {
	t.Parallel()
	programPath(t, "kycd-vision")
	pictures, licence := newLicence(t, 41)
	eachPlace(t, 11, func(t *testing.T, p place) {
		made := p.newClient(t, "Acme")
		stranger := p.newClient(t, "Somebody else")
		server := p.serve(t).ready(t)
		backend := server.backend(t, made)
		hook := newReceiver(t)
		hook.register(t, backend)

		own := newReceiver(t) // of this one session; what comes there is signed with the client's key
		own.trust(made.WebhookSecret)
		session := backend.newSession(t, object{"metadata": object{"order": "A-17"}, "webhook_url": own.url})
		device := backend.device(t, made, session)
		device.give(t, session, pictures)
		out := device.decided(t, backend, session, 60*time.Second)
		if !out.Verified || out.Status != "complete" || len(out.Reasons) > 0 || out.Score == nil {
			t.Fatalf("decided %+v, want verified without a reason", out)
		}
		for _, at := range []*receiver{hook, own} {
			eventually(t, 10*time.Second, "the webhook arrived", func() bool { return len(at.of(t, session)) > 0 })
			news := at.of(t, session)
			if len(news) != 1 || news[0].Type != "idv.session.complete" || news[0].Data.Verified == nil || !*news[0].Data.Verified {
				t.Errorf("webhook messages: %+v", news)
			}
		}

		seen := look(t, backend, session, licence, pictures)
		foreign(t, server.backend(t, stranger), server.backend(t, stranger), session, pictures.front)
		foreign(t, backend, backend, "0190a5e4-0000-7000-8000-000000000000", pictures.front)

		server.stop(t, stopWithin)
		began := time.Now()
		server = p.serve(t)
		if err := server.answers("/live", 5*time.Second); err != nil {
			t.Fatalf("after the restart: %v", err)
		}
		// The token of before is as good as ever, and so is everything else.
		if again := look(t, backend, session, licence, pictures); again != seen {
			t.Errorf("after the restart:\n%s\nbefore:\n%s", again, seen)
		}
		t.Logf("all of it was there again %v after the start", time.Since(began).Round(time.Millisecond))
		server.ready(t)
		t.Logf("ready %v after the start", time.Since(began).Round(time.Millisecond))
		if n := len(hook.of(t, session)); n != 1 {
			t.Errorf("%d webhook messages after the restart, want the one of before", n)
		}
		server.stop(t, stopWithin)
		p.holdsNoneOf(t, append(personal(licence), made.ClientSecret, stranger.ClientSecret, backend.token, device.token, hook.secret, own.secret, own.url))
	})
}

// look reads everything that the API says of a decided session, checks it against the truth, and gives it as
// one text.
func look(t testing.TB, backend caller, session string, licence specimen.Document, pictures papers) string {
	t.Helper()
	ref := object{"session_id": session}
	var all strings.Builder
	read := func(path string, body object, out any) {
		t.Helper()
		a := backend.post(path, body)
		a.must(t, path, out)
		fmt.Fprintf(&all, "%s %s\n", path, a.body)
	}

	var view struct {
		Status    string `json:"status_e"`
		Verified  *bool
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		BirthDate string `json:"birth_date"`
		Metadata  object
		History   []struct{ Event, Actor string }
	}
	read("/v2/idv/session/read", ref, &view)
	p := licence.Person
	if view.Status != "complete" || view.Verified == nil || !*view.Verified || view.FirstName != p.First || view.LastName != p.Last || view.BirthDate != p.BirthDate {
		t.Errorf("session read: %+v, want a verified %s %s", view, p.First, p.Last)
	}
	if view.Metadata["order"] != "A-17" {
		t.Errorf("session read: metadata %v", view.Metadata)
	}
	var events []string
	for _, entry := range view.History {
		events = append(events, entry.Event)
	}
	for _, one := range []string{"created", "consent_given", "document_type_set", "document_front_given", "document_back_given", "liveness_processed", "finalize_requested", "decide"} {
		if n := strings.Count(" "+strings.Join(events, " ")+" ", " "+one+" "); n != 1 {
			t.Errorf("history has %d × %s: %v", n, one, events)
		}
	}

	var list struct {
		Sessions []struct {
			ID string `json:"session_id"`
		}
		Counts map[string]int `json:"meta_counts"`
	}
	for _, filter := range []object{{}, {"metadata": object{"order": "A-17"}}, {"search_term": licence.Number}, {"search_term": p.Last}, {"status": "complete"}} {
		read("/v2/idv/session/list", filter, &list)
		if len(list.Sessions) != 1 || list.Sessions[0].ID != session || list.Counts["total"] != 1 || list.Counts["complete"] != 1 {
			t.Errorf("session list %v: %+v", filter, list)
		}
	}
	read("/v2/idv/session/list", object{"search_term": "NOBODY OF THIS NAME"}, &list)
	if len(list.Sessions) != 0 {
		t.Errorf("session list finds %d sessions of nobody", len(list.Sessions))
	}

	var tests struct {
		NameCrosscheck   *bool `json:"name_crosscheck"`
		NumberCrosscheck *bool `json:"document_number_crosscheck"`
		Decision         *struct {
			Verdict string
			Score   *float64
			Pieces  []struct {
				Name, State         string
				Value, Contribution *float64
				Weight              float64
			}
		}
	}
	read("/v2/idv/session/test/read", ref, &tests)
	if tests.NameCrosscheck == nil || !*tests.NameCrosscheck || tests.NumberCrosscheck == nil || !*tests.NumberCrosscheck {
		t.Errorf("test read: the print does not agree with the barcode: %+v", tests)
	}
	if d := tests.Decision; d == nil || d.Verdict != "verified" || d.Score == nil {
		t.Errorf("test read: no decision: %+v", tests.Decision)
	} else {
		for _, piece := range d.Pieces {
			if slices.Contains([]string{"not_run", "unavailable"}, piece.State) && (piece.Value != nil || piece.Weight != 0) {
				t.Errorf("test read: %s was not measured and counts", piece.Name)
			}
		}
	}

	var best struct {
		Number    string `json:"document_number"`
		ExpiresAt string `json:"expires_at"`
		LastName  string `json:"last_name"`
		Merged    bool
	}
	read("/v2/idv/document/read", ref, &best)
	if best.Number != licence.Number || best.ExpiresAt != licence.ExpiresAt || best.LastName != p.Last || !best.Merged {
		t.Errorf("document read: %+v, want %s", best, licence.Number)
	}
	var documents struct {
		Documents []struct {
			Source string `json:"data_source_e"`
			Merged bool
		}
		Counts map[string]int `json:"meta_counts"`
	}
	read("/v2/idv/document/list", ref, &documents)
	var sources []string
	for _, d := range documents.Documents {
		sources = append(sources, d.Source)
	}
	if !slices.Contains(sources, "pdf417") || !slices.Contains(sources, "ocr_front") || documents.Counts["total"] != len(sources) {
		t.Errorf("document list: %v, %v", sources, documents.Counts)
	}

	for kind, sent := range map[string][]byte{
		"driver_license_front": pictures.front, "driver_license_back": pictures.back, "selfie": pictures.selfie, "liveness_passive": pictures.selfie,
	} {
		a := backend.post("/v2/idv/document/download", object{"session_id": session, "storage_file_type_e": kind})
		if !a.done() || a.header.Get("Content-Type") != "image/jpeg" || !bytes.Equal(a.body, sent) {
			t.Errorf("document download %s: %d, %d bytes of %s, want the %d that were sent", kind, a.status, len(a.body), a.header.Get("Content-Type"), len(sent))
		}
	}
	backend.post("/v2/idv/document/download", object{"session_id": session, "storage_file_type_e": "passport_front"}).refused(t, "a picture that was not sent", 404, "not_found")
	return all.String()
}

// foreign checks that a session that is not the caller's does not exist for it, whatever it asks.
func foreign(t testing.TB, backend, device caller, session string, picture []byte) {
	t.Helper()
	ref := object{"session_id": session}
	for what, a := range map[string]answer{
		"session read":      backend.post("/v2/idv/session/read", ref),
		"session test read": backend.post("/v2/idv/session/test/read", ref),
		"document read":     backend.post("/v2/idv/document/read", ref),
		"document list":     backend.post("/v2/idv/document/list", ref),
		"document download": backend.post("/v2/idv/document/download", object{"session_id": session, "storage_file_type_e": "selfie"}),
		"sdk session read":  device.post("/v2/idv/sdk/session/read", ref),
		"sdk metadata":      device.post("/v2/idv/sdk/metadata/update", object{"session_id": session, "sdk_metadata": object{}}),
		"consent":           device.consent(session, true),
		"document type":     device.kindOf(session, "passport"),
		"document front":    device.upload("front", session, picture, "front.jpg"),
		"document back":     device.upload("back", session, picture, "back.jpg"),
		"liveness generate": device.generate(session),
		"liveness process":  device.process(session, picture),
		"finalize":          device.finalize(session),
	} {
		a.refused(t, what+" of a session that is not ours", 404, "not_found")
	}
}

// personal lists what of a person may stand nowhere in the open.
func personal(d specimen.Document) []string {
	p := d.Person
	return []string{d.Number, d.Ref, p.Last, p.First, p.Street, p.City, p.BirthDate, strings.ReplaceAll(p.BirthDate, "-", "")}
}

// holdsNoneOf looks through everything that the installation wrote: the log, and every file and table of its
// store. The texts must be there neither as they are, nor in small letters, base64 or hexadecimal.
func (p place) holdsNoneOf(t testing.TB, texts []string) {
	t.Helper()
	var forms []string
	for _, text := range texts {
		if len(text) < 6 {
			continue // stands somewhere by chance
		}
		forms = append(forms, text, strings.ToLower(text), hex.EncodeToString([]byte(text)))
		for shift := range 3 { // the three ways that base64 writes a text, less the ends that its neighbours change
			encoded := base64.RawStdEncoding.EncodeToString(append(bytes.Repeat([]byte{' '}, shift), text...))
			if middle := encoded[4 : len(encoded)-2]; len(middle) >= 6 {
				forms = append(forms, middle)
			}
		}
	}
	search := func(where string, b []byte) {
		for _, form := range forms {
			if bytes.Contains(b, []byte(form)) {
				t.Errorf("%s holds %q", where, form)
			}
		}
	}
	files := 0
	for _, root := range []string{p.data, p.log} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			search(path, b)
			files++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 5 { // log, master key and three pictures
		t.Errorf("only %d files were looked through", files)
	}
	if p.database != "" {
		p.eachRow(t, func(table, row string) { search("table "+table, []byte(row)) })
	}
}

// eachRow gives every row of a PostgreSQL database as text; bytes stand there in hexadecimal.
func (p place) eachRow(t testing.TB, each func(table, row string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", p.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(text string, scan func(*sql.Rows) error) {
		rows, err := db.QueryContext(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	var tables []string
	query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", func(rows *sql.Rows) error {
		tables = append(tables, "")
		return rows.Scan(&tables[len(tables)-1])
	})
	count := 0
	for _, table := range tables {
		query(`SELECT x::text FROM "`+table+`" x`, func(rows *sql.Rows) error {
			var row string
			count++
			err := rows.Scan(&row)
			each(table, row)
			return err
		})
	}
	if count < 10 {
		t.Errorf("only %d rows in %d tables", count, len(tables))
	}
}
