package azureface

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// Mode is what the person is asked for.
type Mode string

const (
	// Passive: look at the camera.
	Passive Mode = "passive"
	// PassiveActive: as Passive, and where the light is bad, move the head.
	PassiveActive Mode = "passive_active"
)

// wire is the mode as Azure writes it, empty for one that does not exist.
func (m Mode) wire() string {
	switch m {
	case Passive:
		return "Passive"
	case PassiveActive:
		return "PassiveActive"
	}
	return ""
}

const (
	// MinTTL, DefaultTTL and MaxTTL are what Azure allows for the life of a session's token.
	MinTTL     = time.Minute
	DefaultTTL = 10 * time.Minute
	MaxTTL     = 24 * time.Hour
	// MaxVerifyImageBytes is what Azure takes of a picture.
	MaxVerifyImageBytes = 6 << 20
)

// VerifyImage is the face that the person in front of the camera is compared with. However it is printed, it shows no byte.
type VerifyImage struct {
	Bytes       []byte
	ContentType string // image/jpeg, image/png, image/gif or image/bmp
}

// String shows the size alone.
func (v VerifyImage) String() string {
	return fmt.Sprintf("azureface.VerifyImage{%d bytes}", len(v.Bytes))
}

// GoString implements fmt.GoStringer.
func (v VerifyImage) GoString() string { return v.String() }

// Format implements fmt.Formatter.
func (v VerifyImage) Format(state fmt.State, _ rune) { fmt.Fprint(state, v.String()) }

// LogValue implements slog.LogValuer.
func (v VerifyImage) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON implements json.Marshaler. What it gives cannot be read back.
func (v VerifyImage) MarshalJSON() ([]byte, error) { return json.Marshal(v.String()) }

// Hash is the SHA-256 of the picture as Azure writes it.
func (v VerifyImage) Hash() string {
	sum := sha256.Sum256(v.Bytes)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// filename is what the part must have, though its content decides.
func (v VerifyImage) filename() string {
	switch v.ContentType {
	case "image/jpeg":
		return "verify.jpg"
	case "image/png":
		return "verify.png"
	case "image/gif":
		return "verify.gif"
	case "image/bmp":
		return "verify.bmp"
	}
	return ""
}

// SessionRequest describes a session to create.
type SessionRequest struct {
	Mode                Mode
	DeviceCorrelationID string        // a UUID that is the same for each session of one device; Azure slows devices down by it
	EnableSessionImage  bool          // Azure keeps the frame that it decided by, see Client.Image
	ModelVersion        string        // empty: Azure's default
	TTL                 time.Duration // whole seconds, MinTTL to MaxTTL; 0: DefaultTTL

	Verify                    *VerifyImage // nil: liveness only
	ReturnVerifyImageHash     bool         // with Verify only
	VerifyConfidenceThreshold *float64     // 0 to 1, with Verify only; nil: Azure's default
}

// Session is what Azure created. However it is printed, it shows no token.
type Session struct {
	ID         string
	AuthToken  string // for the device alone
	WithVerify bool
	Model      string
	Expires    time.Time // when the token ends, at the latest; by this machine's clock
}

// String shows the id alone.
func (s Session) String() string { return "azureface.Session{" + s.ID + "}" }

// GoString implements fmt.GoStringer.
func (s Session) GoString() string { return s.String() }

// Format implements fmt.Formatter.
func (s Session) Format(state fmt.State, _ rune) { fmt.Fprint(state, s.String()) }

// LogValue implements slog.LogValuer.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON implements json.Marshaler. What it gives cannot be read back.
func (s Session) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// validate fails with ErrBadRequest, and fills in what is left open.
func (r *SessionRequest) validate() error {
	if r.TTL == 0 {
		r.TTL = DefaultTTL
	}
	threshold := r.VerifyConfidenceThreshold
	switch {
	case r.Mode.wire() == "":
		return refuse("the mode is not known")
	case !isUUID(r.DeviceCorrelationID):
		return refuse("the device correlation id must be a UUID")
	case r.TTL < MinTTL || r.TTL > MaxTTL || r.TTL%time.Second != 0:
		return refuse("the life of the token must be 60 to 86400 whole seconds")
	case r.ModelVersion != "" && !modelVersion(r.ModelVersion):
		return refuse("the model version must be a date")
	case r.Verify == nil && (r.ReturnVerifyImageHash || threshold != nil):
		return refuse("what belongs to a verification needs an image to verify")
	case threshold != nil && !(*threshold >= 0 && *threshold <= 1):
		return refuse("the confidence threshold must be 0 to 1")
	case r.Verify != nil && r.Verify.filename() == "":
		return refuse("the image to verify must be JPEG, PNG, GIF or BMP")
	case r.Verify != nil && (len(r.Verify.Bytes) == 0 || len(r.Verify.Bytes) > MaxVerifyImageBytes):
		return refuse("the image to verify must have 1 byte to 6 MiB")
	}
	return nil
}

// modelVersion tells whether a text can be the name of a model: a date, perhaps with a stage behind it.
func modelVersion(name string) bool {
	return len(name) <= 32 && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '.'
	})
}

// scalar is a field of the request. In JSON it stands as it is, in a form as text.
type scalar struct {
	name  string
	value any // string, bool, int or float64
}

// scalars are the fields of the request, the image aside, in a fixed order. What is left to Azure is left out.
func (r SessionRequest) scalars() []scalar {
	fields := []scalar{
		{"livenessOperationMode", r.Mode.wire()},
		{"deviceCorrelationId", strings.ToLower(r.DeviceCorrelationID)},
		{"enableSessionImage", r.EnableSessionImage},
	}
	if r.ModelVersion != "" {
		fields = append(fields, scalar{"livenessModelVersion", r.ModelVersion})
	}
	fields = append(fields, scalar{"authTokenTimeToLiveInSeconds", int(r.TTL / time.Second)})
	if r.Verify != nil {
		fields = append(fields, scalar{"returnVerifyImageHash", r.ReturnVerifyImageHash})
	}
	if r.VerifyConfidenceThreshold != nil {
		fields = append(fields, scalar{"verifyConfidenceThreshold", math.Abs(*r.VerifyConfidenceThreshold)}) // -0 is 0
	}
	return fields
}

// Create begins a session. It fails with an *Error; ErrBadRequest with status 0 means that nothing was sent.
func (c *Client) Create(ctx context.Context, r SessionRequest) (Session, error) {
	if err := r.validate(); err != nil {
		return Session{}, err
	}
	encode := r.json
	if r.Verify != nil {
		encode = r.form
	}
	body, contentType, err := encode()
	if err != nil {
		return Session{}, refuse("the request cannot be written")
	}
	expires := c.now().Add(r.TTL) // before Azure's clock begins, so never too late
	got, err := c.do(ctx, call{
		method: http.MethodPost, path: sessionsPath(r.Verify != nil), contentType: contentType, body: body,
		accept: "application/json", limit: maxAnswerBytes,
	})
	if err != nil {
		return Session{}, err
	}
	session, err := parseSession(got)
	session.WithVerify, session.Expires = r.Verify != nil, expires
	if err != nil {
		return Session{}, err
	}
	return session, nil
}

// Delete ends a session: Azure revokes its token and removes its data. One that is gone already is no error.
func (c *Client) Delete(ctx context.Context, id string, withVerify bool) error {
	if !pathSegment(id) {
		return refuse("the session's id is not one")
	}
	_, err := c.do(ctx, call{
		method: http.MethodDelete, path: sessionsPath(withVerify) + "/" + id, accept: "application/json", limit: maxAnswerBytes,
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Image gives the frame that Azure decided by, as Azure gives it (JPEG as a rule), 15 MiB at most.
func (c *Client) Image(ctx context.Context, sessionImageID string) ([]byte, error) {
	if !pathSegment(sessionImageID) {
		return nil, refuse("the session image's id is not one")
	}
	got, err := c.do(ctx, call{
		method: http.MethodGet, path: "/sessionImages/" + sessionImageID, accept: "application/octet-stream", limit: maxImageBytes,
	})
	if err != nil {
		return nil, err
	}
	if len(got.body) == 0 {
		return nil, &Error{Code: ErrMalformedAnswer, Status: got.status, RequestID: got.requestID, what: "the image is empty"}
	}
	return got.body, nil
}

func sessionsPath(withVerify bool) string {
	if withVerify {
		return "/detectLivenessWithVerify-sessions"
	}
	return "/detectLiveness-sessions"
}

func (r SessionRequest) json() (body []byte, contentType string, err error) {
	fields := make(map[string]any)
	for _, field := range r.scalars() {
		fields[field.name] = field.value
	}
	body, err = json.Marshal(fields)
	return body, "application/json", err
}

// form writes one part per field and the picture as a file.
func (r SessionRequest) form() (body []byte, contentType string, err error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	// A picture cannot hold its own hash, so the boundary cannot occur in it, whoever made it.
	if err := form.SetBoundary("kycd" + r.Verify.Hash()); err != nil {
		return nil, "", err
	}
	for _, field := range r.scalars() {
		if err := form.WriteField(field.name, formText(field.value)); err != nil {
			return nil, "", err
		}
	}
	header := make(textproto.MIMEHeader)
	header.Set("Content-Disposition", `form-data; name="verifyImage"; filename="`+r.Verify.filename()+`"`)
	header.Set("Content-Type", r.Verify.ContentType)
	part, err := form.CreatePart(header)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(r.Verify.Bytes); err != nil {
		return nil, "", err
	}
	err = form.Close()
	return b.Bytes(), form.FormDataContentType(), err
}

func formText(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64) // fmt would write 1e-05
	}
	return fmt.Sprint(value)
}
