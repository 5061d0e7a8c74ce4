package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	maxImage = 6 << 20 // what Azure takes of a picture
	maxJSON  = 64 << 10
	maxForm  = maxImage + maxJSON
	maxField = 1 << 10
	maxParts = 32

	defaultModel = "2024-11-15"
	defaultTTL   = 600
)

// creation is what a session was asked for.
type creation struct {
	verify     bool
	active     bool
	device     string
	deviceSet  bool // the device says it itself
	image      bool
	model      string
	ttl        time.Duration
	returnHash bool
	threshold  float64
	verifyHash string // of the picture that came with the request
}

// fields are the scalars of a request as JSON values, wherever they came from.
type fields map[string]json.RawMessage

// fieldTypes are the documented fields, and whether a form's text is a JSON string.
func fieldTypes(verify bool) map[string]bool {
	types := map[string]bool{
		"livenessOperationMode": true, "deviceCorrelationId": true, "deviceCorrelationIdSetInClient": false,
		"enableSessionImage": false, "livenessModelVersion": true, "authTokenTimeToLiveInSeconds": false,
	}
	if verify {
		types["returnVerifyImageHash"], types["verifyConfidenceThreshold"] = false, false
	}
	return types
}

// readCreation reads the body of a creation in either form.
func readCreation(r *http.Request, verify bool) (creation, *failure) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "application/json":
		given, failed := readJSON(r)
		if failed != nil {
			return creation{}, failed
		}
		return given.creation(verify)
	case err == nil && media == "multipart/form-data" && verify:
		given, picture, failed := readForm(r, params["boundary"])
		if failed != nil {
			return creation{}, failed
		}
		c, failed := given.creation(verify)
		sum := sha256.Sum256(picture)
		c.verifyHash = capitals(sum[:])
		return c, failed
	}
	return creation{}, &failure{status: 415, code: "UnsupportedMediaType", message: "the content type is not one of this operation"}
}

func readJSON(r *http.Request) (fields, *failure) {
	body, failed := readAll(r.Body, maxJSON)
	if failed != nil {
		return nil, failed
	}
	var given fields
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return nil, invalid("the body must be a JSON object")
	}
	return given, nil
}

// readForm reads one part per scalar and the picture.
func readForm(r *http.Request, boundary string) (fields, []byte, *failure) {
	body, failed := readAll(r.Body, maxForm)
	if failed != nil {
		return nil, nil, failed
	}
	given, picture := fields{}, []byte(nil)
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == maxParts {
			return nil, nil, invalid("the body is not the form that its content type says")
		}
		name := part.FormName()
		if _, twice := given[name]; twice || name == "verifyImage" && picture != nil {
			return nil, nil, invalid("a field is given twice")
		}
		if name == "verifyImage" {
			if part.FileName() == "" {
				return nil, nil, invalid("the part verifyImage must have a filename")
			}
			if picture, failed = readAll(part, maxImage); failed != nil {
				return nil, nil, failed
			}
			if !isImage(picture) {
				return nil, nil, &failure{status: 400, code: "InvalidImage", message: "the image must be JPEG, PNG, GIF or BMP"}
			}
			continue
		}
		text, failed := readAll(part, maxField)
		if failed != nil {
			return nil, nil, failed
		}
		isText, known := fieldTypes(true)[name]
		if !known {
			return nil, nil, invalid("a field is not known")
		}
		value := json.RawMessage(text)
		if isText {
			if value, err = json.Marshal(string(text)); err != nil {
				return nil, nil, invalid("a field is not text")
			}
		}
		given[name] = value
	}
	if picture == nil {
		return nil, nil, invalid("the form needs the part verifyImage")
	}
	return given, picture, nil
}

func readAll(from io.Reader, most int64) ([]byte, *failure) {
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	switch {
	case err != nil:
		return nil, invalid("the body ends too early")
	case int64(len(body)) > most:
		return nil, &failure{status: 413, code: "RequestEntityTooLarge", message: "the body or a part of it is too large"}
	}
	return body, nil
}

// creation checks every field as the reference describes it.
func (f fields) creation(verify bool) (creation, *failure) {
	for name := range f {
		if _, known := fieldTypes(verify)[name]; !known {
			return creation{}, invalid("a field is not known")
		}
	}
	c := creation{verify: verify, model: defaultModel, threshold: defaultThreshold}
	mode, seconds := "", defaultTTL
	var device *string
	for name, to := range map[string]any{
		"livenessOperationMode": &mode, "deviceCorrelationId": &device, "deviceCorrelationIdSetInClient": &c.deviceSet,
		"enableSessionImage": &c.image, "livenessModelVersion": &c.model, "authTokenTimeToLiveInSeconds": &seconds,
		"returnVerifyImageHash": &c.returnHash, "verifyConfidenceThreshold": &c.threshold,
	} {
		if value, given := f[name]; given && json.Unmarshal(value, to) != nil {
			return creation{}, invalid("the field " + name + " has the wrong type")
		}
	}
	switch {
	case mode != "Passive" && mode != "PassiveActive":
		return creation{}, invalid("livenessOperationMode must be Passive or PassiveActive")
	case c.deviceSet && device != nil:
		return creation{}, invalid("deviceCorrelationId must be null when the client sets it")
	case !c.deviceSet && (device == nil || !isGUID(*device)):
		return creation{}, invalid("deviceCorrelationId must be a GUID")
	case !slices.Contains([]string{"2024-11-15", "2025-05-20"}, c.model):
		return creation{}, invalid("livenessModelVersion is not known")
	case seconds < 60 || seconds > 86400:
		return creation{}, invalid("authTokenTimeToLiveInSeconds must be 60 to 86400")
	case !(c.threshold >= 0 && c.threshold <= 1):
		return creation{}, invalid("verifyConfidenceThreshold must be 0 to 1")
	}
	c.active, c.ttl = mode == "PassiveActive", time.Duration(seconds)*time.Second
	if device != nil {
		c.device = *device
	}
	return c, nil
}

func isGUID(text string) bool {
	return regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`).MatchString(text)
}

// isImage tells by the first bytes whether content is of a kind that Azure takes.
func isImage(content []byte) bool {
	for _, start := range []string{"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF87a", "GIF89a", "BM"} {
		if bytes.HasPrefix(content, []byte(start)) {
			return true
		}
	}
	return false
}

// failure is an answer that is not what was asked for, in Azure's shape.
type failure struct {
	status        int
	code, message string
	retryAfter    int // seconds; 0: none
}

// Error implements error. What was sent is not repeated.
func (f *failure) Error() string { return "azure face simulator: " + f.code + ": " + f.message }

func (f *failure) write(w http.ResponseWriter) {
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	w.Header().Set("X-Ms-Error-Code", f.code)
	writeJSON(w, f.status, map[string]any{"error": map[string]string{"code": f.code, "message": f.message}})
}

func invalid(message string) *failure {
	return &failure{status: 400, code: "BadArgument", message: message}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
