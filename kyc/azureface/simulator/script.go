package simulator

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is how far a session or an attempt has come.
type Status string

// The statuses.
const (
	notStarted Status = "NotStarted"
	running    Status = "Running"
	succeeded  Status = "Succeeded"
	failed     Status = "Failed"
	canceled   Status = "Canceled"
)

// Outcome is what an attempt comes to.
type Outcome string

// The outcomes.
const (
	RealFace  Outcome = "realface"
	SpoofFace Outcome = "spoofface"
	Uncertain Outcome = "uncertain"
	Fails     Outcome = "error"    // the attempt fails with Script.Error
	Never     Outcome = "never"    // it never ends
	Cancels   Outcome = "canceled" // the person breaks it off
)

func outcomes() []Outcome { return []Outcome{RealFace, SpoofFace, Uncertain, Fails, Never, Cancels} }

// Script says what an attempt comes to. What is left open is a real face that is the one of the verify image.
type Script struct {
	Outcome    Outcome  `json:"outcome,omitempty"`
	Error      string   `json:"error,omitempty"`      // Azure's code; empty: FaceWithMaskDetected
	Confidence *float64 `json:"confidence,omitempty"` // of the comparison with the verify image, 0 to 1; nil: 0.92
	DelayMS    int      `json:"delay_ms,omitempty"`   // how long the attempt runs
	Tampered   bool     `json:"tampered,omitempty"`   // the device reports another digest than the server calculated
}

// What a comparison gives where no script says it.
const (
	sameFace         = 0.92
	otherFace        = 0.09
	defaultThreshold = 0.5
)

// longestDelay bounds the delays of scripts and faults.
const longestDelay = 24 * time.Hour

func (s *Script) complete() *failure {
	if s.Outcome == "" {
		s.Outcome = RealFace
	}
	if s.Outcome == Fails && s.Error == "" {
		s.Error = "FaceWithMaskDetected"
	}
	if s.Confidence == nil {
		same := sameFace
		s.Confidence = &same
	}
	switch {
	case !slices.Contains(outcomes(), s.Outcome):
		return invalid("outcome must be realface, spoofface, uncertain, error, never or canceled")
	case (s.Outcome == Fails) != (s.Error != ""), len(s.Error) > 64:
		return invalid("error belongs to the outcome error, and has 64 characters at most")
	case !(*s.Confidence >= 0 && *s.Confidence <= 1):
		return invalid("confidence must be 0 to 1")
	case s.DelayMS < 0 || time.Duration(s.DelayMS)*time.Millisecond > longestDelay:
		return invalid("delay_ms must be 0 to a day")
	}
	return nil
}

// byDevice is the script that the last four digits of a device correlation id stand for.
func byDevice(id string) Script {
	other := otherFace
	switch {
	case strings.HasSuffix(id, "0001"):
		return Script{Outcome: SpoofFace}
	case strings.HasSuffix(id, "0002"):
		return Script{Outcome: Uncertain}
	case strings.HasSuffix(id, "0003"):
		return Script{Outcome: Fails}
	case strings.HasSuffix(id, "0004"):
		return Script{Outcome: Never}
	case strings.HasSuffix(id, "0005"):
		return Script{Outcome: RealFace, Confidence: &other}
	case strings.HasSuffix(id, "0006"):
		return Script{Outcome: Cancels}
	}
	return Script{Outcome: RealFace}
}

// Next sets what the next attempts come to that say nothing themselves, times of them.
func (s *Simulator) Next(script Script, times int) error {
	if err := script.complete(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if times < 1 || times > maxScripts-len(s.scripts) {
		return invalid(fmt.Sprintf("times must be 1 to %d", maxScripts-len(s.scripts)))
	}
	s.scripts = append(s.scripts, slices.Repeat([]Script{script}, times)...)
	return nil
}

// Try is what a device does with its token. Real devices send video to Azure themselves.
type Try struct {
	Script
	Image               []byte `json:"image,omitempty"`                 // the frame that a session image shows
	VerifyImage         []byte `json:"verify_image,omitempty"`          // where the server gave none
	DeviceCorrelationID string `json:"device_correlation_id,omitempty"` // where the server left it to the device
}

// Tried is what the device is told: not the decision.
type Tried struct {
	AttemptID int    `json:"attempt_id"`
	Status    Status `json:"status"`
	Digest    string `json:"digest,omitempty"` // to be compared with the one in the result
	Error     string `json:"error,omitempty"`
}

// Try plays the device of a session, which its token or its id names.
func (s *Simulator) Try(name string, try Try) (Tried, error) {
	scripted := try.Outcome != "" || try.Error != "" || try.Confidence != nil
	if err := try.complete(); err != nil {
		return Tried{}, err
	}
	if len(try.Image) > maxImage || len(try.VerifyImage) > maxImage {
		return Tried{}, invalid("an image has 6 MiB at most")
	}
	if len(try.VerifyImage) > 0 && !isImage(try.VerifyImage) {
		return Tried{}, invalid("verify_image must be JPEG, PNG, GIF or BMP")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.forget()
	x := s.tokens[name]
	if x == nil {
		x = s.sessions[strings.ToLower(name)]
	}
	switch {
	case x == nil || !now.Before(x.created.Add(x.request.ttl)):
		return Tried{}, &failure{status: 401, code: "InvalidToken", message: "the token is not valid, or not any more"}
	case s.status(x, now) != notStarted && (s.status(x, now) != running || x.attempts[len(x.attempts)-1].status(now) == running):
		return Tried{}, &failure{status: 409, code: "SessionNotReady", message: "the session takes no attempt now"}
	case x.request.deviceSet && !isGUID(try.DeviceCorrelationID):
		return Tried{}, invalid("device_correlation_id is left to the device, and must be a UUID")
	case !x.request.verify && len(try.VerifyImage) > 0:
		return Tried{}, invalid("the session compares with nothing")
	}
	script := try.Script
	if !scripted {
		device := x.request.device
		if x.request.deviceSet {
			device = try.DeviceCorrelationID
		}
		script = byDevice(device)
		if len(s.scripts) > 0 {
			script, s.scripts = s.scripts[0], s.scripts[1:]
		}
		script.DelayMS, script.Tampered = max(script.DelayMS, try.DelayMS), script.Tampered || try.Tampered
		if err := script.complete(); err != nil {
			return Tried{}, err
		}
	}
	hash := x.verifyHash
	if x.request.verify {
		switch {
		case hash != "" && len(try.VerifyImage) > 0:
			script = Script{Outcome: Fails, Error: "SetVerifyImageNotAllowed"}
		case hash == "" && len(try.VerifyImage) == 0:
			script = Script{Outcome: Fails, Error: "VerifyImageNotProvided"}
		case hash == "":
			sum := sha256.Sum256(try.VerifyImage)
			hash = capitals(sum[:])
		}
	}
	a := &attempt{
		id: len(x.attempts) + 1, script: script, digest: capitals(s.next("digest")), verifyHash: hash,
		decided: now.Add(time.Duration(script.DelayMS) * time.Millisecond),
	}
	if x.request.image && a.judged() {
		if s.imageBytes+len(try.Image) > maxImageTotal {
			return Tried{}, &failure{status: 413, code: "RequestEntityTooLarge", message: "the simulator holds no more images; delete sessions"}
		}
		a.imageID = s.uuid("image")
		x.images = append(x.images, a.imageID)
		s.images[a.imageID] = frame{bytes: s.still}
		if len(try.Image) > 0 {
			s.images[a.imageID] = frame{bytes: try.Image, owned: true}
			s.imageBytes += len(try.Image)
		}
	}
	x.attempts = append(x.attempts, a)
	told := Tried{AttemptID: a.id, Status: a.status(now)}
	if a.judged() {
		told.Digest = a.digest
		if script.Tampered {
			told.Digest = capitals(s.next("tampered"))
		}
	}
	if told.Status == failed {
		told.Error = script.Error
	}
	return told, nil
}

// judged tells whether the attempt comes to a decision.
func (a *attempt) judged() bool {
	return a.script.Outcome == RealFace || a.script.Outcome == SpoofFace || a.script.Outcome == Uncertain
}

func (a *attempt) status(now time.Time) Status {
	switch {
	case a.script.Outcome == Never || now.Before(a.decided):
		return running
	case a.script.Outcome == Fails:
		return failed
	case a.script.Outcome == Cancels:
		return canceled
	}
	return succeeded
}

// status of a session: that of its last attempt, but after a failed one the device may try again.
func (s *Simulator) status(x *session, now time.Time) Status {
	if len(x.attempts) == 0 {
		return notStarted
	}
	last := x.attempts[len(x.attempts)-1].status(now)
	if last == failed && len(x.attempts) < s.config.Attempts {
		return running
	}
	return last
}

// Kind is what goes wrong with a call.
type Kind string

// The kinds of faults.
const (
	Throttle Kind = "throttle" // 429
	Answer   Kind = "status"   // the status and code of the fault
	Drop     Kind = "drop"     // the connection ends without an answer
	Cut      Kind = "cut"      // it ends in the middle of the answer
	Slow     Kind = "slow"     // the answer comes after DelayMS
	Garbage  Kind = "garbage"  // a page of HTML with status 200, as of a login page in between
)

// Fault is something that goes wrong with the next calls to Azure's addresses.
type Fault struct {
	Kind       Kind   `json:"kind"`
	Calls      int    `json:"calls,omitempty"`       // how many calls it hits; 0: one
	Status     int    `json:"status,omitempty"`      // of the kind status, 400 to 599
	Code       string `json:"code,omitempty"`        // Azure's error code
	RetryAfter int    `json:"retry_after,omitempty"` // seconds; 0: the header is left out
	DelayMS    int    `json:"delay_ms,omitempty"`    // of the kind slow
}

// Fault sets what goes wrong after the faults that were set before.
func (s *Simulator) Fault(fault Fault) error {
	if fault.Calls == 0 {
		fault.Calls = 1
	}
	if fault.Kind == Throttle {
		fault.Status = 429
	}
	if fault.Code == "" {
		fault.Code = fmt.Sprint(fault.Status)
	}
	switch {
	case !slices.Contains([]Kind{Throttle, Answer, Drop, Cut, Slow, Garbage}, fault.Kind):
		return invalid("kind must be throttle, status, drop, cut, slow or garbage")
	case fault.Kind == Answer && (fault.Status < 400 || fault.Status > 599):
		return invalid("status must be 400 to 599")
	case len(fault.Code) > 64 || strings.ContainsFunc(fault.Code, func(r rune) bool { return r <= ' ' || r > '~' }):
		return invalid("code must have 64 printable characters at most")
	case fault.RetryAfter < 0 || fault.DelayMS < 0 || time.Duration(fault.DelayMS)*time.Millisecond > longestDelay:
		return invalid("retry_after and delay_ms must be 0 or more, and not more than a day")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fault.Calls < 1 || fault.Calls > maxFaults-len(s.faults) {
		return invalid(fmt.Sprintf("calls must be 1 to %d", maxFaults-len(s.faults)))
	}
	s.faults = append(s.faults, slices.Repeat([]Fault{fault}, fault.Calls)...)
	return nil
}

func (s *Simulator) fault() (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 {
		return Fault{}, false
	}
	fault := s.faults[0]
	s.faults = s.faults[1:]
	return fault, true
}
