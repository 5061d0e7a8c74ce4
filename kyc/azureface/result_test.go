package azureface

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

const resultID = "b12e033e-bda7-4b83-a211-e721c661f30e"

// documented is the session that Microsoft's tutorial shows, with another token. Its status does not fit its attempts,
// and its reference type is not among the reference's.
const documented = `{"sessionId":"b12e033e-bda7-4b83-a211-e721c661f30e","authToken":"canary-of-the-token","status":"NotStarted","modelVersion":"2024-11-15",
"results":{"attempts":[
{"attemptId":2,"attemptStatus":"Succeeded","result":{"livenessDecision":"realface",
 "targets":{"color":{"faceRectangle":{"top":669,"left":203,"width":646,"height":724}}},"verifyResult":{"matchConfidence":0.08871888,"isIdentical":false},
 "digest":"B0A803BB7B26F3C8F29CD36030F8E63ED3FAF955FEEF8E01C88AB8FD89CCF761","sessionImageId":"Ae3PVWlXAmVAnXgkAFt1QSjGUWONKzWiSr2iPh9p9G4I",
 "verifyImageHash":"43B7D8E8769533C3290DBD37A84D821B2C28CB4381DF9C6784DBC4AAF7E45018"}},
{"attemptId":1,"attemptStatus":"Failed","error":{"code":"FaceWithMaskDetected","message":"canary-of-the-message",
 "targets":{"color":{"faceRectangle":{"top":1,"left":-2,"width":3,"height":4}}}}}],
"verifyReferences":[{"referenceType":"image","faceRectangle":{"top":316,"left":131,"width":498,"height":677},"qualityForRecognition":"high"}]}}`

func TestParseResult(t *testing.T) {
	got, err := parseResult(answer{status: 200, body: []byte(documented)}, strings.ToUpper(resultID))
	want := Result{SessionID: resultID, Status: NotStarted, Model: "2024-11-15", Attempts: []Attempt{
		{ID: 1, Status: Failed, Error: "FaceWithMaskDetected", Face: &Rectangle{1, -2, 3, 4}},
		{
			ID: 2, Status: Succeeded, Decision: RealFace, Face: &Rectangle{669, 203, 646, 724}, Verification: &Verification{0.08871888, false},
			Digest:          "B0A803BB7B26F3C8F29CD36030F8E63ED3FAF955FEEF8E01C88AB8FD89CCF761",
			SessionImageID:  "Ae3PVWlXAmVAnXgkAFt1QSjGUWONKzWiSr2iPh9p9G4I",
			VerifyImageHash: "43B7D8E8769533C3290DBD37A84D821B2C28CB4381DF9C6784DBC4AAF7E45018",
		},
	}, References: []Reference{{"image", Rectangle{316, 131, 498, 677}, "high"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if !got.Final() || !got.Attempts[1].DigestMatches("b0a803bb7b26f3c8f29cd36030f8e63ed3faf955feef8e01c88ab8fd89ccf761") ||
		got.Attempts[1].DigestMatches("b0a803bb") || got.Attempts[0].DigestMatches("") {
		t.Errorf("%+v", got)
	}
	kept, err := json.Marshal(got)
	if err != nil || strings.Contains(string(kept), "canary") {
		t.Errorf("%s, %v", kept, err)
	}
	var again Result
	if err := json.Unmarshal(kept, &again); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("written and read: %+v, %v", again, err)
	}
}

// What decides is known or the answer is malformed; what is evidence may be missing.
func TestParseResultStrictly(t *testing.T) {
	const rectangle = `{"top":1,"left":1,"width":1,"height":1}`
	wrap := func(attempts string) string {
		return `{"sessionId":"` + resultID + `","status":"Running","results":{"attempts":` + attempts + `}}`
	}
	one := func(status, rest string) string {
		return wrap(`[{"attemptId":1,"attemptStatus":"` + status + `"` + rest + `}]`)
	}
	result := func(fields string) string { return one("Succeeded", `,"result":{`+fields+`}`) }
	many := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"attemptId":%d,"attemptStatus":"Failed"}`, i+1))
		}
		return wrap("[" + strings.Join(list, ",") + "]")
	}
	for name, tt := range map[string]struct {
		body     string
		good     bool
		score    float64
		measured bool
	}{
		"no attempt":                         {wrap("[]"), true, 0, false},
		"a bare decision":                    {result(`"livenessDecision":"realface"`), true, 1, true},
		"uncertain":                          {result(`"livenessDecision":"uncertain"`), true, 0.5, true},
		"a spoof":                            {result(`"livenessDecision":"spoofface"`), true, 0, true},
		"no decision":                        {result(`"digest":"AB"`), true, 0, false},
		"null decision":                      {result(`"livenessDecision":null`), true, 0, false},
		"the decision of a failed attempt":   {one("Failed", `,"result":{"livenessDecision":"realface"}`), true, 0, false},
		"the decision of a running attempt":  {one("Running", `,"result":{"livenessDecision":"realface"}`), true, 0, false},
		"the decision of a canceled attempt": {one("Canceled", `,"result":{"livenessDecision":"realface"}`), true, 0, false},
		"a failure without an error":         {one("Failed", ``), true, 0, false},
		"a strange error":                    {one("Failed", `,"error":{"code":"a b c"}`), true, 0, false},
		"unknown fields":                     {one("Running", `,"clientInformation":[{"ip":"192.0.2.1"}],"abuseMonitoringResult":{"isAbuseDetected":false}`), true, 0, false},
		"no target":                          {result(`"livenessDecision":"realface","targets":{}`), true, 1, true},
		"as many as there may be":            {many(maxAttempts), true, 0, false},

		"nothing":                     {``, false, 0, false},
		"null":                        {`null`, false, 0, false},
		"a list":                      {`[]`, false, 0, false},
		"something behind it":         {wrap("[]") + "{}", false, 0, false},
		"another session":             {strings.Replace(wrap("[]"), "b12e", "c12e", 1), false, 0, false},
		"no session":                  {`{"status":"Running","results":{"attempts":[]}}`, false, 0, false},
		"an unknown status":           {strings.Replace(wrap("[]"), "Running", "Started", 1), false, 0, false},
		"a status in small letters":   {strings.Replace(wrap("[]"), "Running", "running", 1), false, 0, false},
		"no results":                  {`{"sessionId":"` + resultID + `","status":"Succeeded"}`, false, 0, false},
		"no attempts":                 {`{"sessionId":"` + resultID + `","status":"Succeeded","results":{}}`, false, 0, false},
		"null attempts":               {wrap("null"), false, 0, false},
		"too many":                    {many(maxAttempts + 1), false, 0, false},
		"two of one number":           {wrap(`[{"attemptId":1,"attemptStatus":"Failed"},{"attemptId":1,"attemptStatus":"Failed"}]`), false, 0, false},
		"a null attempt":              {wrap(`[null]`), false, 0, false},
		"no number":                   {wrap(`[{"attemptStatus":"Failed"}]`), false, 0, false},
		"a negative number":           {wrap(`[{"attemptId":-1,"attemptStatus":"Failed"}]`), false, 0, false},
		"a fraction":                  {wrap(`[{"attemptId":1.5,"attemptStatus":"Failed"}]`), false, 0, false},
		"an unknown attempt status":   {one("Done", ""), false, 0, false},
		"no attempt status":           {one("", ""), false, 0, false},
		"success without a result":    {one("Succeeded", ""), false, 0, false},
		"success with an error":       {one("Succeeded", `,"result":{"livenessDecision":"realface"},"error":{"code":"X"}`), false, 0, false},
		"failure with both":           {one("Failed", `,"result":{},"error":{"code":"X"}`), false, 0, false},
		"an unknown decision":         {result(`"livenessDecision":"maybe"`), false, 0, false},
		"a decision in capitals":      {result(`"livenessDecision":"RealFace"`), false, 0, false},
		"an empty decision":           {result(`"livenessDecision":""`), false, 0, false},
		"a decision that is a number": {result(`"livenessDecision":1`), false, 0, false},
		"an unknown one, unfinished":  {one("Running", `,"result":{"livenessDecision":"maybe"}`), false, 0, false},
		"a confidence above 1":        {result(`"livenessDecision":"realface","verifyResult":{"matchConfidence":1.1,"isIdentical":true}`), false, 0, false},
		"a negative confidence":       {result(`"livenessDecision":"realface","verifyResult":{"matchConfidence":-0.1,"isIdentical":true}`), false, 0, false},
		"a confidence beyond numbers": {result(`"livenessDecision":"realface","verifyResult":{"matchConfidence":1e999,"isIdentical":true}`), false, 0, false},
		"no confidence":               {result(`"livenessDecision":"realface","verifyResult":{"isIdentical":true}`), false, 0, false},
		"no word of who it is":        {result(`"livenessDecision":"realface","verifyResult":{"matchConfidence":1}`), false, 0, false},
		"identical as text":           {result(`"livenessDecision":"realface","verifyResult":{"matchConfidence":1,"isIdentical":"true"}`), false, 0, false},
		"half a hash":                 {result(`"livenessDecision":"realface","verifyImageHash":"AB"`), false, 0, false},
		"an id that is a path":        {result(`"livenessDecision":"realface","sessionImageId":"../x"`), false, 0, false},
		"a digest with a line":        {result(`"livenessDecision":"realface","digest":"a\nb"`), false, 0, false},
		"an endless digest":           {result(`"livenessDecision":"realface","digest":"` + strings.Repeat("a", 257) + `"`), false, 0, false},
		"a face of negative size":     {result(`"livenessDecision":"realface","targets":{"color":{"faceRectangle":{"top":1,"left":1,"width":-1,"height":1}}}`), false, 0, false},
		"a face far away":             {result(`"livenessDecision":"realface","targets":{"color":{"faceRectangle":{"top":99999999,"left":1,"width":1,"height":1}}}`), false, 0, false},
		"a reference with a line": {`{"sessionId":"` + resultID + `","status":"Running","results":{"attempts":[],"verifyReferences":[{"referenceType":"a\u0000","faceRectangle":` + rectangle + `}]}}`,
			false, 0, false},
		"a version with a line": {`{"sessionId":"` + resultID + `","status":"Running","modelVersion":"a\nb","results":{"attempts":[]}}`, false, 0, false},
	} {
		got, err := parseResult(answer{status: 200, body: []byte(tt.body)}, resultID)
		if (err == nil) != tt.good || err != nil && (!errors.Is(err, ErrMalformedAnswer) || !reflect.DeepEqual(got, Result{})) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if score, measured := got.Score(); score != tt.score || measured != tt.measured {
			t.Errorf("%s: score %v, %v", name, score, measured)
		}
	}
}

func TestDecided(t *testing.T) {
	attempt := func(id int, decision Decision, same bool) Attempt {
		return Attempt{ID: id, Status: Succeeded, Decision: decision, Verification: &Verification{Identical: same}}
	}
	for name, tt := range map[string]struct {
		attempts []Attempt
		want     int // the attempt's number, 0: none
	}{
		"none":                           {nil, 0},
		"undecided":                      {[]Attempt{{ID: 1, Status: Failed}}, 0},
		"one":                            {[]Attempt{attempt(1, SpoofFace, true)}, 1},
		"a real one after a spoof":       {[]Attempt{attempt(1, SpoofFace, true), attempt(2, RealFace, false)}, 2},
		"a real one before a spoof":      {[]Attempt{attempt(1, RealFace, false), attempt(2, SpoofFace, true)}, 1},
		"uncertain beside a spoof":       {[]Attempt{attempt(1, Uncertain, false), attempt(2, SpoofFace, true)}, 1},
		"of equals the last":             {[]Attempt{attempt(1, RealFace, true), attempt(2, RealFace, false)}, 2},
		"the undecided do not interfere": {[]Attempt{{ID: 1, Status: Failed}, attempt(2, Uncertain, true), {ID: 3, Status: Running}}, 2},
	} {
		got, decided := Result{Attempts: tt.attempts}.Decided()
		if got.ID != tt.want || decided != (tt.want != 0) {
			t.Errorf("%s: %+v, %v", name, got, decided)
		}
	}
}

// FuzzParseResult: whatever is answered, what is taken has a known status, known decisions and numbers within their
// bounds; what is refused is refused by a typed error.
func FuzzParseResult(f *testing.F) {
	f.Add([]byte(documented))
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"sessionId":"` + resultID + `","status":"Running","results":{"attempts":[]}}`,
		strings.Replace(documented, "realface", "spoofface", 1), strings.Replace(documented, "0.08871888", "1e0", 1),
		strings.Replace(documented, "Succeeded", "Canceled", 1), strings.Replace(documented, `"attemptId":1`, `"attemptId":2`, 1),
		strings.Replace(documented, "realface", "uncertain", 1), strings.Replace(documented, "sessionId", "SESSIONID", 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		session, err := parseSession(answer{status: 200, body: body})
		if err != nil && (!errors.Is(err, ErrMalformedAnswer) || session != (Session{})) {
			t.Fatalf("%v, %v", session, err)
		}
		if err == nil && (!pathSegment(session.ID) || !headerText(session.AuthToken)) {
			t.Fatalf("%q, %q", session.ID, session.AuthToken)
		}
		got, err := parseResult(answer{status: 200, body: body}, resultID)
		if err != nil {
			if !errors.Is(err, ErrMalformedAnswer) || !reflect.DeepEqual(got, Result{}) {
				t.Fatalf("%+v, %v", got, err)
			}
			return
		}
		if !got.Status.known() || got.Attempts == nil || len(got.Attempts) > maxAttempts || len(got.References) > maxReferences {
			t.Fatalf("%+v", got)
		}
		last, decided := 0, false
		for _, a := range got.Attempts {
			_, measured := a.Decision.Score()
			decided = decided || measured
			if a.ID <= last || !a.Status.known() || measured != (a.Decision != Undecided) || measured && a.Status != Succeeded {
				t.Fatalf("%+v", a)
			}
			if v := a.Verification; v != nil && (math.IsNaN(v.Confidence) || v.Confidence < 0 || v.Confidence > 1) {
				t.Fatalf("%+v", v)
			}
			if a.SessionImageID != "" && !pathSegment(a.SessionImageID) || a.Error != "" && !plainCode(a.Error) || len(a.Digest) > maxTextBytes {
				t.Fatalf("%+v", a)
			}
			last = a.ID
		}
		score, measured := got.Score()
		if measured != decided || score < 0 || score > 1 {
			t.Fatalf("score %v, %v of %+v", score, measured, got)
		}
		if kept, err := json.Marshal(got); err != nil || len(kept) > 1<<20 {
			t.Fatalf("%d bytes, %v", len(kept), err)
		}
	})
}
