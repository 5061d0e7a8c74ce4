package azureface

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Status is how far a session or an attempt has come.
type Status string

// The statuses. An answer with any other is malformed.
const (
	NotStarted Status = "NotStarted"
	Running    Status = "Running"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	Canceled   Status = "Canceled"
)

func (s Status) known() bool {
	return slices.Contains([]Status{NotStarted, Running, Succeeded, Failed, Canceled}, s)
}

// Decision is what Azure takes the face for.
type Decision string

// The decisions. An answer with any other is malformed. An attempt without one is Undecided.
const (
	Undecided Decision = ""
	RealFace  Decision = "realface"
	Uncertain Decision = "uncertain"
	SpoofFace Decision = "spoofface"
)

// Score is the liveness that kycd's tolerances are compared with. Azure gives no number of its own, so this mapping is
// fixed: realface 1, uncertain 0.5, spoofface 0; what is undecided was not measured.
func (d Decision) Score() (score float64, measured bool) {
	switch d {
	case RealFace:
		return 1, true
	case Uncertain:
		return 0.5, true
	case SpoofFace:
		return 0, true
	}
	return 0, false
}

// Rectangle is where the face is, in pixels of Azure's frame.
type Rectangle struct {
	Top    int `json:"top"`
	Left   int `json:"left"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Verification is how the face compares with the verify image.
type Verification struct {
	Confidence float64 `json:"match_confidence"` // 0 to 1; Azure's own scale
	Identical  bool    `json:"is_identical"`     // the confidence reaches the session's threshold
}

// Attempt is one try of the device. Whatever is not known is empty.
type Attempt struct {
	ID              int           `json:"attempt_id"` // from 1
	Status          Status        `json:"status"`
	Decision        Decision      `json:"decision,omitempty"` // of a succeeded attempt alone
	Face            *Rectangle    `json:"face,omitempty"`
	Digest          string        `json:"digest,omitempty"` // of what the device sent, see DigestMatches
	SessionImageID  string        `json:"session_image_id,omitempty"`
	Verification    *Verification `json:"verification,omitempty"`
	VerifyImageHash string        `json:"verify_image_hash,omitempty"` // SHA-256 in capitals, see VerifyImage.Hash
	Error           string        `json:"error,omitempty"`             // Azure's code of why it failed, such as FaceWithMaskDetected
}

// DigestMatches tells whether the device reports the digest that Azure calculated. If not, what it says was changed on
// its way, and the attempt cannot be believed.
func (a Attempt) DigestMatches(reported string) bool {
	return a.Digest != "" && subtle.ConstantTimeCompare([]byte(strings.ToUpper(a.Digest)), []byte(strings.ToUpper(reported))) == 1
}

// Reference is the face that Azure found in the verify image.
type Reference struct {
	Type    string    `json:"type,omitempty"`
	Face    Rectangle `json:"face"`
	Quality string    `json:"quality,omitempty"` // for recognition: low, medium or high
}

// Result is a session as Azure knows it now. It holds no token.
type Result struct {
	SessionID  string      `json:"session_id"`
	Status     Status      `json:"status"`
	Model      string      `json:"model_version,omitempty"`
	Attempts   []Attempt   `json:"attempts"` // by ID
	References []Reference `json:"references,omitempty"`
}

// Decided gives the attempt that the session is judged by: the one taken for the most alive, of equals the last. The
// verification is read from the same attempt, so that a living face and the right face must be one face.
func (r Result) Decided() (Attempt, bool) {
	best, most, found := Attempt{}, -1.0, false
	for _, attempt := range r.Attempts {
		if score, measured := attempt.Decision.Score(); measured && score >= most {
			best, most, found = attempt, score, true
		}
	}
	return best, found
}

// Score is the score of the decision; a session without a decided attempt was not measured.
func (r Result) Score() (score float64, measured bool) {
	attempt, _ := r.Decided()
	return attempt.Decision.Score()
}

// Final tells whether nothing more is to be waited for.
func (r Result) Final() bool {
	if r.Status == Succeeded || r.Status == Failed || r.Status == Canceled {
		return true
	}
	_, decided := r.Decided()
	return decided
}

// Result asks how far a session has come.
func (c *Client) Result(ctx context.Context, id string, withVerify bool) (Result, error) {
	if !pathSegment(id) {
		return Result{}, refuse("the session's id is not one")
	}
	got, err := c.do(ctx, call{
		method: http.MethodGet, path: sessionsPath(withVerify) + "/" + id, accept: "application/json", limit: maxAnswerBytes,
	})
	if err != nil {
		return Result{}, err
	}
	return parseResult(got, id)
}

// How Wait asks: a decision is there within a second or two of the device's upload.
const (
	firstPoll   = 250 * time.Millisecond
	slowestPoll = 2 * time.Second
	// enduredFailures is how many requests in a row may fail in passing before Wait gives up.
	enduredFailures = 3
)

// Wait asks until the session is final, for atMost or, with 0, the time-out of one call. If the device has not finished
// by then, the error is ErrPending. Failures that may pass are endured, three in a row are not. Beside an error the result
// is what was last known.
func (c *Client) Wait(ctx context.Context, id string, withVerify bool, atMost time.Duration) (Result, error) {
	if atMost <= 0 {
		atMost = c.timeout
	}
	deadline := c.now().Add(atMost)
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	var known Result
	failures := 0
	for pause := firstPoll; ; pause = min(pause*3/2, slowestPoll) {
		result, err := c.Result(ctx, id, withVerify)
		failed, _ := errors.AsType[*Error](err)
		wait := pause
		switch {
		case failed == nil && result.Final():
			return result, nil
		case failed == nil:
			known, failures = result, 0
			failed = &Error{Code: ErrPending}
		case failures+1 == enduredFailures, !failed.Transient():
			return known, failed
		case ctx.Err() != nil:
			return known, unfinished(known, failed)
		default:
			failures++
			wait = max(pause, failed.RetryAfter)
		}
		if c.now().Add(wait).After(deadline) {
			return known, failed
		}
		if ended := c.sleep(ctx, wait); ended != nil {
			return known, unfinished(known, transportError(ended))
		}
	}
}

// unfinished is why a wait ended early: if only the time was up, and Azure did answer before, the device is late.
func unfinished(known Result, failed *Error) *Error {
	if failed.Code == ErrTimeout && known.SessionID != "" {
		failed.Code = ErrPending
	}
	return failed
}

// What an answer may hold at most.
const (
	maxAttempts   = 64
	maxReferences = 16
	maxTextBytes  = 256
	maxTokenBytes = 16 << 10
	maxPixels     = 1 << 20 // a coordinate
)

// wireSession is a session as Azure writes it.
type wireSession struct {
	SessionID    string `json:"sessionId"`
	AuthToken    string `json:"authToken"`
	Status       Status `json:"status"`
	ModelVersion string `json:"modelVersion"`
	Results      *struct {
		Attempts         *[]wireAttempt  `json:"attempts"`
		VerifyReferences []wireReference `json:"verifyReferences"`
	} `json:"results"`
}

type wireAttempt struct {
	ID     int         `json:"attemptId"`
	Status Status      `json:"attemptStatus"`
	Result *wireResult `json:"result"`
	Error  *struct {
		Code    string       `json:"code"`
		Targets *wireTargets `json:"targets"`
	} `json:"error"`
}

type wireTargets struct {
	Color *struct {
		Face *Rectangle `json:"faceRectangle"`
	} `json:"color"`
}

type wireResult struct {
	Decision       *Decision    `json:"livenessDecision"`
	Targets        *wireTargets `json:"targets"`
	Digest         string       `json:"digest"`
	SessionImageID string       `json:"sessionImageId"`
	Verify         *struct {
		Confidence *float64 `json:"matchConfidence"`
		Identical  *bool    `json:"isIdentical"`
	} `json:"verifyResult"`
	VerifyImageHash string `json:"verifyImageHash"`
}

type wireReference struct {
	Type    string    `json:"referenceType"`
	Face    Rectangle `json:"faceRectangle"`
	Quality string    `json:"qualityForRecognition"`
}

// parseSession reads the answer to a creation.
func parseSession(got answer) (Session, error) {
	bad := func(what string) (Session, error) {
		return Session{}, &Error{Code: ErrMalformedAnswer, Status: got.status, RequestID: got.requestID, what: what}
	}
	var wire wireSession
	if err := decode(got, &wire); err != nil {
		return Session{}, err
	}
	switch {
	case !pathSegment(wire.SessionID):
		return bad("the session's id")
	case !headerText(wire.AuthToken) || len(wire.AuthToken) > maxTokenBytes:
		return bad("the session's token")
	case !wire.Status.known():
		return bad("the session's status")
	case !plainText(wire.ModelVersion):
		return bad("the model's version")
	}
	return Session{ID: wire.SessionID, AuthToken: wire.AuthToken, Model: wire.ModelVersion}, nil
}

// parseResult reads a session's state. What decides must be there and known; what is evidence alone may be missing.
func parseResult(got answer, id string) (Result, error) {
	bad := func(what string) (Result, error) {
		return Result{}, &Error{Code: ErrMalformedAnswer, Status: got.status, RequestID: got.requestID, what: what}
	}
	var wire wireSession
	if err := decode(got, &wire); err != nil {
		return Result{}, err
	}
	switch {
	case !strings.EqualFold(wire.SessionID, id):
		return bad("it is of another session")
	case !wire.Status.known():
		return bad("the session's status")
	case !plainText(wire.ModelVersion):
		return bad("the model's version")
	case wire.Results == nil || wire.Results.Attempts == nil:
		return bad("it has no list of attempts")
	case len(*wire.Results.Attempts) > maxAttempts || len(wire.Results.VerifyReferences) > maxReferences:
		return bad("its lists are too long")
	}
	result := Result{SessionID: wire.SessionID, Status: wire.Status, Model: wire.ModelVersion, Attempts: []Attempt{}}
	for _, given := range *wire.Results.Attempts {
		attempt, err := given.attempt()
		if err != nil {
			return bad(err.what)
		}
		result.Attempts = append(result.Attempts, attempt)
	}
	slices.SortFunc(result.Attempts, func(a, b Attempt) int { return a.ID - b.ID })
	for i, attempt := range result.Attempts {
		if i > 0 && attempt.ID == result.Attempts[i-1].ID {
			return bad("two attempts have one number")
		}
	}
	for _, given := range wire.Results.VerifyReferences {
		if !plainText(given.Type) || !plainText(given.Quality) || !given.Face.valid() {
			return bad("a reference")
		}
		result.References = append(result.References, Reference(given))
	}
	return result, nil
}

func (w wireAttempt) attempt() (Attempt, *Error) {
	a := Attempt{ID: w.ID, Status: w.Status}
	switch {
	case w.ID < 1 || w.ID > 1<<20:
		return a, malformed("an attempt's number")
	case !w.Status.known():
		return a, malformed("an attempt's status")
	case w.Status == Succeeded && w.Result == nil, w.Result != nil && w.Error != nil, w.Status == Succeeded && w.Error != nil:
		return a, malformed("an attempt's result does not fit its status")
	}
	targets := (*wireTargets)(nil)
	if w.Error != nil {
		targets = w.Error.Targets
		if a.Error = w.Error.Code; !plainCode(a.Error) {
			a.Error = "Unknown" // it decides nothing
		}
	}
	if r := w.Result; r != nil {
		targets = r.Targets
		if err := r.read(&a); err != nil {
			return a, err
		}
	}
	if targets != nil && targets.Color != nil && targets.Color.Face != nil {
		if a.Face = targets.Color.Face; !a.Face.valid() {
			return a, malformed("a face's place")
		}
	}
	return a, nil
}

func (w wireResult) read(a *Attempt) *Error {
	if w.Decision != nil {
		if _, known := w.Decision.Score(); !known {
			return malformed("the decision")
		}
		if a.Status == Succeeded { // a result of anything else is not one yet
			a.Decision = *w.Decision
		}
	}
	switch {
	case !plainText(w.Digest):
		return malformed("the digest")
	case w.SessionImageID != "" && !pathSegment(w.SessionImageID):
		return malformed("the session image's id")
	case w.VerifyImageHash != "" && !isSHA256(w.VerifyImageHash):
		return malformed("the verify image's hash")
	}
	a.Digest, a.SessionImageID, a.VerifyImageHash = w.Digest, w.SessionImageID, strings.ToUpper(w.VerifyImageHash)
	if w.Verify == nil {
		return nil
	}
	if w.Verify.Identical == nil || w.Verify.Confidence == nil || !(*w.Verify.Confidence >= 0 && *w.Verify.Confidence <= 1) {
		return malformed("the verification")
	}
	a.Verification = &Verification{Confidence: *w.Verify.Confidence, Identical: *w.Verify.Identical}
	return nil
}

func (r Rectangle) valid() bool {
	within := func(v int) bool { return v >= -maxPixels && v <= maxPixels } // a face may reach over the edge
	return within(r.Top) && within(r.Left) && within(r.Width) && within(r.Height) && r.Width >= 0 && r.Height >= 0
}

// plainText tells whether a text is short and printable ASCII; it may be empty.
func plainText(text string) bool {
	return len(text) <= maxTextBytes && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func isSHA256(text string) bool {
	sum, err := hex.DecodeString(text)
	return err == nil && len(sum) == 32
}
