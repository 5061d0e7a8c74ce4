package rest

import (
	"bytes"
	"errors"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"kycd/kyc"
)

// FuzzReadUpload reads uploads of any bytes. What is taken must be complete and in range, and be read again as the same; what
// is not must be refused by a public error.
func FuzzReadUpload(f *testing.F) {
	a := newTestAPI(f, plainService(), wellProbe())
	_, op := a.operation(f, "idvSdkDocumentFrontAdd")
	const boundary = "b"
	part := func(header, body string) string { return "--b\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	field := func(name, value string) string { return part(`Content-Disposition: form-data; name="`+name+`"`, value) }
	where := field("session_id", "s") + field("latitude", "52.5") + field("longitude", "-13.25")
	picture := part(`Content-Disposition: form-data; name="image"; filename="a.jpg"`+"\r\nContent-Type: image/jpeg", "\xff\xd8\xff")
	for _, seed := range []string{
		where + picture + "--b--\r\n", picture + where + "--b--", where + "--b--", where + picture, where + picture + where + "--b--", "", "--b--", "--b\r\n\r\n\r\n--b--",
		field("session_id", "s") + field("latitude", "NaN") + field("longitude", "1e400") + picture + "--b--",
		field("session_id", "\x00") + field("latitude", "0x1p-2") + field("longitude", "1_0") + picture + "--b--",
		strings.ReplaceAll(where+picture, "\r\n", "\n") + "--b--", "preamble\r\n" + where + picture + "--b--epilogue",
		part(`Content-Disposition: form-data; name*=utf-8''session_id`, "s") + where + "--b--",
		part("Content-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=\"image\"", "/9j/") + where + "--b--",
		where + part(`Content-Disposition: attachment; name="image"`, "x") + "--b--", where + strings.Repeat(field("x", "y"), maxParts) + "--b--",
		where + part("Content-Disposition: form-data; name=\"image\"\r\n"+strings.Repeat("X: y\r\n", 50)+"Z: z", "x") + "--b--",
	} {
		f.Add([]byte(seed))
	}
	read := func(body []byte) (upload, error) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		return readUpload(&exchange{request: r, operation: op}, multipart.NewReader(r.Body, boundary))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		up, err := read(body)
		if err != nil {
			e, ok := errors.AsType[*kyc.Error](err)
			if !ok || e.Code != kyc.CodeInvalid && e.Code != kyc.CodeImageMissing && e.Code != kyc.CodeImageTooLarge {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		if up.sessionID == "" || !storable(up.sessionID) || up.image == nil || len(up.image) > maxImageBytes {
			t.Fatalf("taken: session %q, %d bytes", up.sessionID, len(up.image))
		}
		if !(math.Abs(up.latitude) <= 90) || !(math.Abs(up.longitude) <= 180) {
			t.Fatalf("taken: %v %v", up.latitude, up.longitude)
		}
		var again bytes.Buffer
		w := multipart.NewWriter(&again)
		if err := w.SetBoundary(boundary); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(up.image, []byte("--b")) || strings.Contains(up.sessionID, "--b") {
			return // it would end there
		}
		for name, value := range map[string]string{"session_id": up.sessionID, "latitude": degreesText(up.latitude), "longitude": degreesText(up.longitude),
			"image": string(up.image)} {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		same, err := read(again.Bytes())
		if err != nil || same.digest() != up.digest() {
			t.Fatalf("read again: %+v, %v, want %+v", same, err, up)
		}
	})
}

func degreesText(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
