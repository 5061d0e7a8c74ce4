package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/redis/go-redis/v9"

	"kycd/kyc"
	"kycd/kyc/specimen"
)

// canaries are what a person, and whoever sends the person, puts into every place that takes something of theirs: each is a
// word that occurs nowhere else, so that it can be looked for where nothing of the person may be.
type canaries struct {
	names []string
	texts map[string]string
}

// canaryStem begins every canary that is a word. It is what is looked for; what follows says which canary it is.
const canaryStem = "QXVKWJZPHM"

// Canaries that must be numbers.
const (
	canaryBirth     = "1953-07-19"
	canaryLatitude  = "46.2073189354262"
	canaryLongitude = "6.1594827136508"
	canaryEncoding0 = float32(0.5772157)
	canaryEncoding1 = float32(0.7182818)
)

// of gives the canary of that name, and makes it the first time.
func (c *canaries) of(name string) string {
	if text, known := c.texts[name]; known {
		return text
	}
	n := len(c.names)
	text := canaryStem + string([]byte{byte('A' + n/26), byte('A' + n%26)})
	c.names, c.texts[name] = append(c.names, name), text
	return text
}

// seeker looks for canaries, and for other bytes that must be gone, in whatever form they may be.
type seeker struct {
	folded  [][]byte // forms that are looked for in small letters
	exact   [][]byte
	numbers [][]byte // days in eight digits: inside a longer number, such as a random one, they mean nothing
	keys    [][]byte // destroyed keys
}

func newSeeker() *seeker {
	s := &seeker{}
	encoding := fmt.Sprintf("%v,%v", canaryEncoding0, canaryEncoding1)
	days := []string{"19530719", "07191953"}
	for _, text := range append(days,
		canaryStem, strings.ToLower(canaryStem), canaryBirth, "07/19/1953", "2073189354262", "1594827136508", encoding,
	) {
		small := strings.ToLower(text)
		var escaped strings.Builder
		for _, c := range small {
			fmt.Fprintf(&escaped, `\u%04x`, c)
		}
		var little, big []byte
		for _, unit := range utf16.Encode([]rune(small)) {
			little, big = append(little, byte(unit), byte(unit>>8)), append(big, byte(unit>>8), byte(unit))
		}
		if slices.Contains(days, text) {
			s.numbers = append(s.numbers, []byte(text))
		} else {
			s.folded = append(s.folded, []byte(small))
		}
		s.folded = append(s.folded, []byte(hex.EncodeToString([]byte(text))), []byte(escaped.String()), little, big)
		for shift := range 3 { // the three ways that base64 writes a text, less the ends that its neighbours change
			raw := append(bytes.Repeat([]byte{' '}, shift), text...)
			for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				encoded := []byte(alphabet.EncodeToString(raw))
				s.exact = append(s.exact, encoded[(shift*8+5)/6:len(raw)*8/6])
			}
		}
	}
	return s
}

// find says what stands in a text that should not.
func (s *seeker) find(text []byte) string {
	in := func(text []byte, forms [][]byte) string {
		for _, form := range forms {
			if at := bytes.Index(text, form); at >= 0 {
				return fmt.Sprintf("%q", text[max(0, at-20):min(len(text), at+len(form)+20)])
			}
		}
		return ""
	}
	if found := in(bytes.ToLower(text), s.folded); found != "" {
		return found
	}
	for _, number := range s.numbers {
		for end := 0; ; {
			next := bytes.Index(text[end:], number)
			if next < 0 {
				break
			}
			at := end + next
			end = at + len(number)
			if !digitAt(text, at-1) && !digitAt(text, end) {
				return fmt.Sprintf("%q", text[max(0, at-20):min(len(text), end+20)])
			}
		}
	}
	return in(text, s.exact)
}

func digitAt(text []byte, at int) bool {
	return at >= 0 && at < len(text) && text[at] >= '0' && text[at] <= '9'
}

// findKey says which destroyed key is still there.
func (s *seeker) findKey(text []byte) string {
	for _, key := range s.keys {
		if bytes.Contains(text, key) {
			return fmt.Sprintf("the destroyed key %x…", key[:8])
		}
	}
	return ""
}

// TestErasure plants canaries wherever something of a person can be given, verifies and authenticates the person, and reads
// all of it. Then the person is erased, and looked for in everything that the installation is made of.
func TestErasure(t *testing.T) {
	t.Parallel()
	eachPlace(t, 14, func(t *testing.T, p place) {
		p.sidecar = newStandIn(t)
		made := p.newClient(t, "Acme")
		server := p.serve(t, "--log-level", "debug").ready(t)
		v := &visit{t: t, place: p, server: server, made: made, canaries: &canaries{texts: map[string]string{}}, seek: newSeeker()}
		v.plain = server.backend(t, made)
		v.keyed = v.plain
		v.keyed.http = &http.Client{Transport: &labelled{v.plain.http.Transport, v.canaries}, Timeout: 60 * time.Second}
		v.hook = newReceiver(t)
		v.hook.register(t, v.plain)

		v.verify()
		v.authenticate()
		v.misbehave()
		v.mustBeReadable()
		v.mustHoldKeys()
		v.nothingIn("Redis", v.redisContents())

		v.plain.post("/v2/identity/anonymize", object{"identity_id": v.identity}).must(t, "identity anonymize", nil)
		v.mustBeAnonymous()
		v.plain.post("/v2/identity/anonymize", object{"identity_id": v.identity}).must(t, "identity anonymize again", nil)
		v.plain.post("/v2/idv/session/anonymize", object{"session_id": v.idv}).must(t, "session anonymize again", nil)
		v.mustBeAnonymous()
		for range 2 {
			v.plain.post("/v2/idv/session/delete", object{"session_id": v.idv}).must(t, "session delete", nil)
			v.plain.post("/v2/ida/session/delete", object{"session_id": v.ida}).must(t, "authentication delete", nil)
		}
		v.mustBeDeleted()
		v.mustBeGone()
		server.stop(t, stopWithin)
		v.mustBeGoneFromFiles()
		if len(v.canaries.names) < 20 {
			t.Errorf("only %d canaries", len(v.canaries.names))
		}
		t.Logf("%d canaries, %d destroyed keys", len(v.canaries.names), len(v.seek.keys))
	})
}

// TestErasureSurvivesKills kills the server as soon as it has said that a person is erased, and at moments before that. After
// the restart the person is gone, or, if nothing was said, still whole.
func TestErasureSurvivesKills(t *testing.T) {
	t.Parallel()
	eachPlace(t, 15, func(t *testing.T, p place) {
		p.sidecar = newStandIn(t)
		made := p.newClient(t, "Acme")
		moments := []time.Duration{-1, 0, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
		if p.database != "" {
			moments = []time.Duration{-1, 5 * time.Millisecond}
		}
		for _, moment := range moments {
			server := p.serve(t, "--log-level", "debug").ready(t)
			v := &visit{t: t, place: p, server: server, made: made, canaries: &canaries{texts: map[string]string{}}, seek: newSeeker(), plain: server.backend(t, made)}
			v.keyed = v.plain
			v.verify()
			v.mustHoldKeys()
			answered := make(chan answer, 1)
			go func() {
				answered <- v.plain.post("/v2/identity/anonymize", object{"identity_id": v.identity})
			}()
			var said answer
			if moment < 0 { // as soon as the answer is there
				said = <-answered
				said.must(t, "identity anonymize", nil)
				server.kill()
			} else {
				time.Sleep(moment)
				server.kill()
				said = <-answered
			}
			if left := v.pictures(); said.done() && len(left) > 0 {
				t.Errorf("the erasure was confirmed, and %d pictures are there", len(left))
			}
			if found := v.keyInFiles(); said.done() && found != "" {
				t.Errorf("the erasure was confirmed, and %s", found)
			}
			v.server = p.serve(t, "--log-level", "debug").ready(t)
			if v.anonymous() {
				v.mustBeAnonymous()
				eventually(t, 30*time.Second, "the pictures are gone", func() bool { return len(v.pictures()) == 0 && v.count("captures", "true") == 0 })
				eventually(t, 30*time.Second, "the destroyed keys are gone", func() bool { return v.keyInFiles() == "" })
			} else {
				if said.done() {
					t.Fatalf("killed after %v: the erasure that was confirmed did not happen", moment)
				}
				v.mustBeReadable()
				v.plain.post("/v2/identity/anonymize", object{"identity_id": v.identity}).must(t, "identity anonymize", nil)
			}
			v.mustBeGone()
			v.server.stop(t, stopWithin)
			v.mustBeGoneFromFiles()
		}
	})
}

// visit is one person's way through an installation.
type visit struct {
	place
	t        testing.TB
	server   *running
	made     kyc.Credentials
	canaries *canaries
	seek     *seeker
	plain    caller
	keyed    caller // every request of it has an idempotency key
	hook     *receiver

	idv, ida, identity string
	papers             papers
	asked              []question
}

// labelled puts a label on every request: an idempotency key that is the same for the same question, and what browsers add.
type labelled struct {
	http.RoundTripper
	canaries *canaries
}

// RoundTrip implements http.RoundTripper.
func (l *labelled) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", l.canaries.of("user agent"))
	r.Header.Set("Cookie", "visitor="+l.canaries.of("cookie"))
	r.Header.Set("Referer", "https://shop.example/"+l.canaries.of("referer"))
	if body := r.GetBody; body != nil && r.URL.Path != "/oauth2/token" {
		content, err := body()
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		_, _ = io.WriteString(sum, r.URL.Path+" ")
		if _, err := io.Copy(sum, content); err != nil {
			return nil, err
		}
		r.Header.Set("Idempotency-Key", l.canaries.of("idempotency key")+"-"+hex.EncodeToString(sum.Sum(nil)[:12]))
	}
	return l.RoundTripper.RoundTrip(r)
}

// verify makes the person known, with canaries in everything that is given.
func (v *visit) verify() {
	t, c := v.t, v.canaries
	own := newReceiver(t)
	own.trust(v.made.WebhookSecret)
	v.idv = v.keyed.newSession(t, object{
		"metadata": object{
			c.of("metadata key"): c.of("metadata value"),
			"deep":               []any{object{c.of("nested key"): []any{object{"x": c.of("nested value")}}}},
			"unicode":            c.of("unicode") + "-Ünïcødé \u202e\u0301",
		},
		"settings": object{
			c.of("settings key"): object{"y": c.of("settings value")}, "locale": c.of("locale"),
			"redirect_url": "https://" + strings.ToLower(c.of("redirect host")) + ".example/" + c.of("redirect path"),
		},
		"webhook_url": own.url + "/" + c.of("webhook path") + "?q=" + c.of("webhook query"),
	})
	front, back, selfie := v.person().orders(t)
	front.Analysis.Text += "\n" + c.of("printed text")
	back.Analysis.Text += "\n" + c.of("printed text of the back")
	back.Analysis.Barcodes[0].Text += "ZZA" + c.of("barcode") + "\r"
	selfie.Analysis.Text = c.of("text on the selfie")
	for _, o := range []*orders{&front, &back, &selfie} {
		o.Millis = 200 // so that work lies on the queue for a while
	}
	v.papers = licencePapers(t, front, back, selfie)
	device := v.keyed.device(t, v.made, v.idv)
	device.post("/v2/idv/sdk/metadata/update", object{"session_id": v.idv, "sdk_metadata": object{}}).refused(t, "before consent", http.StatusConflict,
		"consent_required")
	device.consent(v.idv, true).must(t, "consent", nil)
	device.kindOf(v.idv, v.papers.kind).must(t, "document type", nil)
	device.post("/v2/idv/sdk/metadata/update", object{
		"session_id": v.idv, "sdk_metadata": object{c.of("sdk metadata key"): object{"z": c.of("sdk metadata value")}},
	}).must(t, "sdk metadata", nil)
	v.upload(device, "front", v.papers.front, c.of("file name"))
	given := make(chan struct{}) // an upload is answered when the picture was measured
	go func() {
		defer close(given)
		v.upload(device, "back", v.papers.back, c.of("file name"))
	}()
	var working []byte
	eventually(t, 10*time.Second, "there is work on the queue", func() bool {
		working = v.redisContents()
		return bytes.Contains(working, []byte("vision:analyze"))
	})
	<-given
	v.nothingIn("Redis, with work on it,", working)
	v.show(device, "idv", v.idv, v.papers.selfie)
	var out outcome
	device.post("/v2/idv/sdk/finalize", object{"session_id": v.idv, "settings": object{"note": c.of("finalize settings")}}).must(t, "finalize", &out)
	if !out.Verified {
		t.Fatalf("not verified: %+v", out)
	}
	eventually(t, 10*time.Second, "the webhook arrived", func() bool { return len(own.of(t, v.idv)) > 0 })
	for _, e := range own.of(t, v.idv) {
		v.nothingIn("a webhook", []byte(e.Body))
	}
	var read struct {
		Identity string `json:"identity_id"`
	}
	v.plain.post("/v2/idv/session/read", object{"session_id": v.idv}).must(t, "session read", &read)
	v.identity = read.Identity
	v.ask()
}

// person is somebody with a licence of canaries.
func (v *visit) person() stranger {
	now, c := time.Now(), v.canaries
	rng := rand.New(rand.NewPCG(1, 2))
	s := stranger{document: specimen.RandomDocument(rng, specimen.DriverLicense, specimen.RandomPerson(rng, now), now), encoding: make([]float32, 128)}
	d := &s.document
	d.Number, d.Ref = c.of("document number"), c.of("document reference")
	d.Person.First, d.Person.Middle, d.Person.Last, d.Person.Suffix = c.of("first name"), c.of("middle name"), c.of("last name"), ""
	d.Person.Street, d.Person.City, d.Person.BirthDate = "7 "+c.of("street"), c.of("city"), canaryBirth
	s.encoding[0], s.encoding[1] = canaryEncoding0, canaryEncoding1
	return s
}

// upload sends a picture from where the canaries are.
func (v *visit) upload(device caller, side string, picture []byte, name string) {
	v.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for field, value := range map[string]string{"session_id": v.idv, "latitude": canaryLatitude, "longitude": canaryLongitude} {
		_ = w.WriteField(field, value) // into memory
	}
	part, err := w.CreateFormFile("image", name+".png")
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = part.Write(picture)
	_ = w.Close()
	request, err := http.NewRequest(http.MethodPost, device.url+"/v2/idv/sdk/document/"+side+"/add", &form)
	if err == nil {
		request.Header.Set("Content-Type", w.FormDataContentType())
	}
	device.send(request, err).must(v.t, side, nil)
}

// show gives the selfie.
func (v *visit) show(device caller, kind, session string, picture []byte) {
	v.t.Helper()
	body := object{"session_id": session, "latitude": json.Number(canaryLatitude), "longitude": json.Number(canaryLongitude)}
	device.post("/v2/"+kind+"/sdk/liveness/generate", body).must(v.t, "liveness generate", nil)
	body["images"] = []string{base64.StdEncoding.EncodeToString(picture)}
	device.post("/v2/"+kind+"/sdk/liveness/process", body).must(v.t, "liveness process", nil)
}

// authenticate recognises the person again.
func (v *visit) authenticate() {
	t, c := v.t, v.canaries
	var made struct {
		SessionID string `json:"session_id"`
	}
	v.keyed.post("/v2/ida/session/create", object{
		"identity_id": v.identity, "metadata": object{c.of("authentication metadata key"): c.of("authentication metadata")},
		"settings": object{"note": c.of("authentication settings")}, "webhook_url": v.hook.url + "/" + c.of("authentication webhook"),
	}).must(t, "authentication create", &made)
	v.ida = made.SessionID
	device := v.keyed.device(t, v.made, v.ida)
	device.post("/v2/ida/sdk/metadata/update", object{"session_id": v.ida, "sdk_metadata": object{"k": c.of("authentication sdk metadata")}}).must(t,
		"sdk metadata", nil)
	_, _, selfie := v.person().orders(t)
	selfie.Analysis.Text = c.of("text on the second selfie")
	v.show(device, "ida", v.ida, selfie.picture(t))
	var out struct{ Authenticated bool }
	device.post("/v2/ida/sdk/finalize", object{"session_id": v.ida}).must(t, "authentication finalize", &out)
	if !out.Authenticated {
		t.Fatal("not authenticated")
	}
	v.ask()
}

// misbehave puts canaries where they are refused: what is logged of a refusal must not repeat them.
func (v *visit) misbehave() {
	v.t.Helper()
	c := v.canaries.of("refused")
	form := func(values ...string) answer {
		request, err := http.NewRequest(http.MethodPost, v.plain.url+"/oauth2/token", strings.NewReader(strings.Join(values, "&")))
		if err == nil {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		anonymous := v.plain
		anonymous.token = ""
		return anonymous.send(request, err)
	}
	stranger, elsewhere := v.plain, v.plain
	stranger.token, elsewhere.clientID = c, c
	credentials := "client_id=" + v.made.ClientID + "&client_secret=" + v.made.ClientSecret
	for what, a := range map[string]answer{
		"grant type":    form("grant_type="+c, credentials),
		"scope":         form("grant_type=client_credentials", "scope="+c, credentials),
		"client":        form("grant_type=client_credentials", "client_id="+c, "client_secret="+c),
		"half a client": form("grant_type=client_credentials", "client_id="+c),
		"session":       form("grant_type=client_credentials", "scope=sdk", "session_id="+c, credentials),
		"broken form":   form("grant_type=client_credentials", "scope=%zz"+c, credentials),
		"exchange":      form("grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "subject_token="+c, "subject_token_type="+c, credentials),
		"field":         v.plain.post("/v2/idv/session/list", object{"status": c, "take": c, "metadata": []string{c}}),
		"id":            v.plain.post("/v2/idv/session/read", object{"session_id": c}),
		"settings":      v.plain.post("/v2/idv/session/create", object{"settings": object{"checks": object{c: true}, "max_attempts": c}}),
		"webhook":       v.plain.post("/v2/idv/session/create", object{"webhook_url": "gopher://" + c}),
		"path":          v.plain.post("/v2/"+c, object{}),
		"query":         v.plain.post("/.well-known/jwks.json?"+c+"=%zz&;"+c, object{}),
		"token":         stranger.post("/v2/idv/session/list", object{}),
		"client id":     elsewhere.post("/v2/idv/sdk/session/read", object{"session_id": v.idv}),
	} {
		if a.err != nil || a.status < 400 || a.status >= 500 {
			v.t.Errorf("a %s that is a canary: %s", what, a)
		}
	}
}

// question is one that tells of the person before the erasure. Of what exists no more it asks for what is not there.
type question struct {
	path    string
	body    object
	session bool // about one session: once that is deleted, the answer is 404
}

// ask lists all questions that tell of the person.
func (v *visit) ask() {
	c := v.canaries
	of := func(id string, more ...any) object {
		body := object{"session_id": id}
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	v.asked = []question{
		{"/v2/idv/session/read", of(v.idv), true}, {"/v2/idv/sdk/session/read", of(v.idv), true}, {"/v2/idv/session/test/read", of(v.idv), true},
		{"/v2/idv/document/read", of(v.idv), true}, {"/v2/idv/document/list", of(v.idv), true},
		{"/v2/idv/session/list", object{}, false}, {"/v2/idv/session/list", object{"search_term": c.of("last name")}, false},
		{"/v2/idv/session/list", object{"search_term": c.of("document number")}, false}, {"/v2/idv/session/list", object{"search_term": c.of("searched")}, false},
		{"/v2/idv/session/list", object{"metadata": object{c.of("metadata key"): c.of("metadata value")}}, false},
		{"/v2/identity/list", object{}, false}, {"/v2/identity/list", object{"search_term": c.of("first name")}, false},
		{"/v2/identity/read", object{"identity_id": v.identity}, false}, {"/v2/identity/sdk/status/read", object{"identity_id": v.identity}, false},
		{"/v2/identity/document/read", object{"identity_id": v.identity, "document_type_e": "driver_license"}, false},
		{"/v2/identity/image/read", object{"identity_id": v.identity, "storage_file_type_e": "selfie"}, false},
	}
	for _, kind := range []string{"front_doc_image_capture", "back_doc_image_capture", "selfie_image_capture"} {
		v.asked = append(v.asked, question{"/v2/idv/session/location/read", of(v.idv, "location_capture_type_e", kind), true})
	}
	for _, kind := range []string{"driver_license_front", "driver_license_back", "selfie"} {
		v.asked = append(v.asked, question{"/v2/idv/document/download", of(v.idv, "storage_file_type_e", kind), true})
	}
	if v.ida == "" {
		return
	}
	v.asked = append(v.asked,
		question{"/v2/ida/session/read", of(v.ida), true}, question{"/v2/ida/sdk/session/read", of(v.ida), true},
		question{"/v2/ida/session/list", object{"identity_id": v.identity}, false}, question{"/v2/ida/document/download", of(v.ida), true},
		question{"/v2/ida/session/location/read", of(v.ida, "location_capture_type_e", "selfie_image_capture"), true})
}

// mustBeReadable checks, twice, that what is looked for later is there before, so that not to find it means something.
func (v *visit) mustBeReadable() {
	v.t.Helper()
	var all bytes.Buffer
	for range 2 {
		for _, q := range v.asked {
			a := v.keyed.post(q.path, q.body)
			if !a.done() {
				v.t.Fatalf("%s %v: %s", q.path, q.body, a)
			}
			all.Write(a.body)
		}
	}
	unseen := []string{ // what nobody is ever told again: how somebody asked, and what was not understood
		"user agent", "cookie", "referer", "idempotency key", "refused", "searched", "file name", "webhook path", "webhook query", "authentication webhook",
	}
	texts := all.Bytes()
	for _, name := range v.canaries.names {
		if !slices.Contains(unseen, name) && !bytes.Contains(bytes.ToLower(texts), bytes.ToLower([]byte(v.canaries.of(name)))) {
			v.t.Errorf("no answer tells the %s", name)
		}
	}
	for _, number := range []string{canaryBirth, canaryLatitude, canaryLongitude} {
		if !bytes.Contains(texts, []byte(number)) {
			v.t.Errorf("no answer tells %s", number)
		}
	}
	if v.seek.find(texts) == "" {
		v.t.Error("the canaries are not found where they are")
	}
}

// nothingIn fails the test if a canary stands in a text.
func (v *visit) nothingIn(where string, text []byte) {
	v.t.Helper()
	if found := v.seek.find(text); found != "" {
		v.t.Errorf("%s holds a canary: %s", where, found)
	}
}

// anonymous says whether the identity was anonymized.
func (v *visit) anonymous() bool {
	v.t.Helper()
	var read struct {
		At *time.Time `json:"anonymized_at"`
	}
	v.plain.post("/v2/identity/read", object{"identity_id": v.identity}).must(v.t, "identity read", &read)
	return read.At != nil
}

// mustBeAnonymous checks that no question is answered with something of the person: neither a new one, nor one that was
// answered before under the same idempotency key.
func (v *visit) mustBeAnonymous() {
	v.t.Helper()
	for _, c := range []caller{v.plain, v.keyed} {
		for _, q := range v.asked {
			a := c.post(q.path, q.body)
			v.nothingIn(q.path, a.body)
			if !a.done() && a.status != http.StatusNotFound {
				v.t.Errorf("%s %v: %s", q.path, q.body, a)
			}
		}
	}
	var identity map[string]any
	v.plain.post("/v2/identity/read", object{"identity_id": v.identity}).must(v.t, "identity read", &identity)
	v.mustNotBeFound()
	v.isEmpty("identity", identity, "first_name", "middle_name", "last_name", "birth_date", "street", "city", "metadata")
	sessions := map[string]string{"/v2/idv/session/read": v.idv}
	if v.ida != "" {
		sessions["/v2/ida/session/read"] = v.ida
	}
	for path, id := range sessions {
		var session map[string]any
		v.plain.post(path, object{"session_id": id}).must(v.t, path, &session)
		v.isEmpty(path, session, "first_name", "middle_name", "last_name", "metadata", "settings", "webhook_url")
		if history, _ := session["history"].([]any); len(history) < 5 {
			v.t.Errorf("%s: the history has %d entries", path, len(history))
		}
		if session["status_e"] != "complete" {
			v.t.Errorf("%s: the state is %v", path, session["status_e"])
		}
	}
}

// mustNotBeFound checks that no search leads to what was erased, and that what was measured and indexed is not there.
func (v *visit) mustNotBeFound() {
	v.t.Helper()
	for _, q := range v.asked {
		if q.body["search_term"] == nil && q.body["metadata"] == nil {
			continue
		}
		var page struct {
			Counts map[string]int `json:"meta_counts"`
		}
		v.plain.post(q.path, q.body).must(v.t, q.path, &page)
		if page.Counts["total"] != 0 {
			v.t.Errorf("%s %v finds %d", q.path, q.body, page.Counts["total"])
		}
	}
	sessions := "('" + v.idv + "', '" + v.ida + "')"
	for table, where := range map[string]string{
		"search_terms": "owner_id IN " + sessions + " OR owner_id = '" + v.identity + "'", "face_encodings": "identity_id = '" + v.identity + "'",
		"documents": "session_id IN " + sessions, "locations": "session_id IN " + sessions,
		"idempotency_keys": "NOT effect AND created_at < (SELECT anonymized_at FROM identities WHERE id = '" + v.identity + "')",
	} {
		if count := v.count(table, where); count != 0 {
			v.t.Errorf("%d rows of %s stay", count, table)
		}
	}
}

// count says how many rows of a table there are.
func (v *visit) count(table, where string) (count int) {
	v.t.Helper()
	count = -1
	v.query("SELECT count(*) FROM "+table+" WHERE "+where, func(rows *sql.Rows) error { return rows.Scan(&count) })
	return count
}

// isEmpty checks that a view tells when it was anonymized, and nothing else of some fields.
func (v *visit) isEmpty(what string, view map[string]any, fields ...string) {
	v.t.Helper()
	if at, _ := view["anonymized_at"].(string); at == "" {
		v.t.Errorf("%s: it does not say that it was anonymized", what)
	}
	for _, field := range fields {
		value, there := view[field]
		if some, ok := value.(map[string]any); !there || value != nil && !(ok && len(some) == 0) {
			v.t.Errorf("%s: %s is %v", what, field, value)
		}
	}
}

// mustBeDeleted checks that there is no such session any more.
func (v *visit) mustBeDeleted() {
	v.t.Helper()
	for _, c := range []caller{v.plain, v.keyed} {
		for _, q := range v.asked {
			a := c.post(q.path, q.body)
			v.nothingIn(q.path, a.body)
			if q.session {
				a.refused(v.t, q.path, http.StatusNotFound, "not_found")
			}
		}
	}
}

// mustBeGone looks through what a running installation holds.
func (v *visit) mustBeGone() {
	v.t.Helper()
	for _, accept := range []string{"application/json", "text/plain", "application/openmetrics-text"} {
		request, err := http.NewRequest(http.MethodGet, v.server.url()+"/metrics", nil)
		if err == nil {
			request.Header.Set("Accept", accept)
		}
		a := v.plain.send(request, err)
		a.must(v.t, "metrics", nil)
		v.nothingIn("/metrics as "+accept, a.body)
	}
	v.nothingIn("Redis", v.redisContents())
	if left, rows := v.pictures(), v.count("captures", "true"); len(left) > 0 || rows != 0 {
		v.t.Errorf("%d pictures stay, %d rows: %v", len(left), rows, left)
	}
	if v.count("histories", "event = 'anonymized' AND session_id = '"+v.idv+"'") != 1 {
		v.t.Error("the history does not tell of one erasure")
	}
	if v.database == "" {
		v.lookThroughFiles() // with the write-ahead log as it is
		return
	}
	v.lookThroughTables()
}

// mustBeGoneFromFiles looks through what an installation leaves behind.
func (v *visit) mustBeGoneFromFiles() {
	v.t.Helper()
	v.lookThroughFiles()
	log, err := os.ReadFile(v.log)
	if err != nil {
		v.t.Fatal(err)
	}
	v.nothingIn("the log", log)
	if !bytes.Contains(log, []byte("level=DEBUG")) {
		v.t.Error("the log does not tell everything")
	}
	if v.database != "" {
		v.lookThroughCluster()
	}
}

// lookThroughFiles looks for canaries and destroyed keys in every file below the folder of data.
func (v *visit) lookThroughFiles() {
	v.t.Helper()
	files := 0
	err := filepath.WalkDir(v.data, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the write-ahead log comes and goes
		}
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		v.nothingIn(path, b)
		if found := v.seek.findKey(b); found != "" {
			v.t.Errorf("%s holds %s", path, found)
		}
		return err
	})
	if err != nil || files == 0 {
		v.t.Errorf("%d files were looked through: %v", files, err)
	}
}

// keyInFiles says which destroyed key is in a file of SQLite.
func (v *visit) keyInFiles() string {
	v.t.Helper()
	for _, name := range []string{"kycd.db", "kycd.db-wal"} {
		b, err := os.ReadFile(filepath.Join(v.data, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.t.Fatal(err)
		}
		if found := v.seek.findKey(b); found != "" {
			return name + " holds " + found
		}
	}
	return ""
}

// pictures are the files in the folder of images.
func (v *visit) pictures() []string {
	v.t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(v.data, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return files
}

// query asks the database for rows, from outside.
func (v *visit) query(text string, scan func(*sql.Rows) error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db := v.openDatabase()
	defer db.Close()
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		v.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visit) openDatabase() *sql.DB {
	v.t.Helper()
	driver, source := "pgx", v.database
	if source == "" {
		driver, source = "sqlite", "file:"+v.data+"/kycd.db?mode=ro&_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		v.t.Fatal(err)
	}
	return db
}

// mustHoldKeys notes the keys that an erasure is to destroy, and checks that they are found where they lie now.
func (v *visit) mustHoldKeys() {
	v.t.Helper()
	v.seek.keys = nil
	v.query(`SELECT wrapped FROM data_keys WHERE purpose IN ('session', 'identity') AND wrapped IS NOT NULL`, func(rows *sql.Rows) error {
		v.seek.keys = append(v.seek.keys, nil)
		return rows.Scan(&v.seek.keys[len(v.seek.keys)-1])
	})
	if len(v.seek.keys) < 2 {
		v.t.Fatalf("%d data keys", len(v.seek.keys))
	}
	if v.database != "" {
		db := v.openDatabase()
		defer db.Close()
		if _, err := db.ExecContext(v.t.Context(), "ANALYZE"); err != nil { // as PostgreSQL does by itself when there are more
			v.t.Fatal(err)
		}
		return
	}
	if v.keyInFiles() == "" {
		v.t.Error("the keys are not found where they are")
	}
}

// lookThroughTables looks through every column of every row of PostgreSQL.
func (v *visit) lookThroughTables() {
	v.t.Helper()
	v.eachRow(v.t, func(table, row string) {
		v.nothingIn("table "+table, []byte(row))
		for _, key := range v.seek.keys {
			if strings.Contains(row, hex.EncodeToString(key)) {
				v.t.Errorf("table %s holds a destroyed key", table)
			}
		}
	})
}

// lookThroughCluster looks through PostgreSQL's own files, where they can be read: the tables after they were written anew,
// and the log of changes, which keeps what was sealed but never held anything of the person.
func (v *visit) lookThroughCluster() {
	v.t.Helper()
	var dir string
	var oid int64
	v.query(`SELECT current_setting('data_directory'), (SELECT oid FROM pg_database WHERE datname = current_database())`,
		func(rows *sql.Rows) error { return rows.Scan(&dir, &oid) })
	tables := filepath.Join(dir, "base", strconv.FormatInt(oid, 10))
	if _, err := os.ReadDir(tables); err != nil {
		v.t.Logf("PostgreSQL's files cannot be read from here: %v", err)
		return
	}
	eventually(v.t, 30*time.Second, "no table holds a destroyed key", func() bool {
		v.rewriteTables()
		found := ""
		v.eachClusterFile(tables, func(_ string, content []byte) {
			if found == "" {
				found = v.seek.findKey(content)
			}
		})
		return found == ""
	})
	for _, folder := range []string{tables, filepath.Join(dir, "pg_wal")} {
		v.eachClusterFile(folder, v.nothingIn)
	}
}

// rewriteTables lets PostgreSQL write its tables without the rows that are gone. It keeps those that somebody may still see:
// a process that began before they went, and be it to gather statistics or to log in, and so it may take more than one try.
func (v *visit) rewriteTables() {
	v.t.Helper()
	db := v.openDatabase()
	defer db.Close()
	for _, statement := range []string{"VACUUM FULL", "CHECKPOINT"} {
		if _, err := db.ExecContext(v.t.Context(), statement); err != nil {
			v.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// eachClusterFile gives every file of a folder of PostgreSQL, which other tests use too: files come and go.
func (v *visit) eachClusterFile(folder string, look func(path string, content []byte)) {
	v.t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		files++
		look(path, content)
		return err
	})
	if err != nil || files == 0 {
		v.t.Errorf("%d files of %s were looked through: %v", files, folder, err)
	}
}

// redisContents are all keys and values of the queue, also of the one that is inside the program: its sidecar knows where.
func (v *visit) redisContents() []byte {
	t, ctx := v.t, context.Background()
	t.Helper()
	address := v.redis
	if address == "" {
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", v.server.vision(t)))
		if err != nil {
			t.Fatal(err)
		}
		for entry := range strings.SplitSeq(string(environment), "\x00") {
			if value, ok := strings.CutPrefix(entry, "KYCD_REDIS="); ok {
				address = value
			}
		}
	}
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal("the queue's address is no URL")
	}
	client := redis.NewClient(options)
	defer client.Close()
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Error("the queue has no keys at all")
	}
	var all bytes.Buffer
	for _, key := range keys {
		kind, err := client.Type(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		switch kind {
		case "string":
			value, err = client.Get(ctx, key).Result()
		case "hash":
			value, err = client.HGetAll(ctx, key).Result()
		case "list":
			value, err = client.LRange(ctx, key, 0, -1).Result()
		case "set":
			value, err = client.SMembers(ctx, key).Result()
		case "zset":
			value, err = client.ZRangeWithScores(ctx, key, 0, -1).Result()
		case "none": // gone meanwhile
		default:
			t.Errorf("the queue has a key of type %s", kind)
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %v\n", key, value)
	}
	return all.Bytes()
}
