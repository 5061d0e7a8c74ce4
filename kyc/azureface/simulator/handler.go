package simulator

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxControl bounds the body of what controls the simulator: two images in base64.
const maxControl = 2*maxImage*4/3 + maxJSON

// ServeHTTP answers Azure's addresses under /face/v1.2 and the simulator's own under /simulator.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
	operation := s.serve(recorder, r)
	if s.config.Log != nil {
		s.config.Log.Info("azure face simulator", "operation", operation, "status", recorder.status)
	}
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// serve answers, and gives the operation's name.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) string {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if path[0] == "simulator" {
		return s.control(w, r, path[1:])
	}
	s.mu.Lock()
	id := s.uuid("request")
	s.mu.Unlock()
	w.Header().Set("Apim-Request-Id", id)
	operation, answer := s.route(r, path)
	// The server notices that a caller has hung up only once the body is read.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, faulty := s.fault()
	if !faulty {
		s.answer(w, r, answer)
		return operation
	}
	switch fault.Kind {
	case Throttle, Answer:
		(&failure{status: fault.Status, code: fault.Code, message: "so it was set", retryAfter: fault.RetryAfter}).write(w)
	case Drop:
		panic(http.ErrAbortHandler)
	case Cut:
		cut(w, func(w http.ResponseWriter) { s.answer(w, r, answer) })
	case Slow:
		if s.config.Sleep(r.Context(), time.Duration(fault.DelayMS)*time.Millisecond) != nil {
			panic(http.ErrAbortHandler)
		}
		s.answer(w, r, answer)
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Sign in</title>")
	}
	return operation
}

// cut sends the first half of an answer and ends the connection.
func cut(w http.ResponseWriter, answer func(http.ResponseWriter)) {
	whole := &kept{header: w.Header(), status: http.StatusOK}
	answer(whole)
	if whole.body.Len() > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
	}
	w.WriteHeader(whole.status)
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// kept is an answer that is not sent yet.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header            { return k.header }
func (k *kept) WriteHeader(status int)         { k.status = status }
func (k *kept) Write(part []byte) (int, error) { return k.body.Write(part) }

// Unwrap lets http.ResponseController through.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// operation writes an answer or gives why not.
type operation func(http.ResponseWriter, *http.Request) *failure

func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, do operation) {
	failed := s.authenticate(r)
	if failed == nil {
		failed = do(w, r)
	}
	if failed != nil {
		failed.write(w)
	}
}

func (s *Simulator) authenticate(r *http.Request) *failure {
	same := func(given, want string) bool {
		return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if same(r.Header.Get("Ocp-Apim-Subscription-Key"), s.config.Key) || same(bearer, s.config.Bearer) {
		return nil
	}
	return &failure{status: 401, code: "401", message: "access is denied: no valid subscription key and no valid token"}
}

// route finds the operation. Azure's paths do not depend on capitals.
func (s *Simulator) route(r *http.Request, path []string) (name string, do operation) {
	unknown := func(http.ResponseWriter, *http.Request) *failure {
		return &failure{status: 404, code: "404", message: "there is no such resource"}
	}
	if len(path) < 3 || len(path) > 4 || !strings.EqualFold(path[0], "face") || !strings.EqualFold(path[1], "v1.2") {
		return "unknown", unknown
	}
	resource, verify, id := strings.ToLower(path[2]), false, ""
	if len(path) == 4 {
		id = path[3]
	}
	switch resource {
	case "detectlivenesswithverify-sessions":
		resource, verify = "session", true
	case "detectliveness-sessions":
		resource = "session"
	case "sessionimages":
	default:
		return "unknown", unknown
	}
	switch {
	case resource == "session" && id == "" && r.Method == http.MethodPost:
		return "create", s.create(verify)
	case resource == "session" && id != "" && r.Method == http.MethodGet:
		return "result", s.result(id, verify)
	case resource == "session" && id != "" && r.Method == http.MethodDelete:
		return "delete", s.delete(id, verify)
	case resource == "sessionimages" && id != "" && r.Method == http.MethodGet:
		return "image", s.image(id)
	}
	return "unknown", func(http.ResponseWriter, *http.Request) *failure {
		return &failure{status: 405, code: "405", message: "the resource does not know the method"}
	}
}

func (s *Simulator) create(verify bool) operation {
	return func(w http.ResponseWriter, r *http.Request) *failure {
		request, failed := readCreation(r, verify)
		if failed != nil {
			return failed
		}
		s.mu.Lock()
		x, now, failed := s.add(request)
		var body sessionBody
		if failed == nil {
			body = s.body(x, now)
		}
		s.mu.Unlock()
		if failed == nil {
			writeJSON(w, http.StatusOK, body)
		}
		return failed
	}
}

// find gives a session of that kind. The caller holds the lock.
func (s *Simulator) find(id string, verify bool) (*session, time.Time, *failure) {
	now := s.forget()
	x := s.sessions[strings.ToLower(id)]
	if x == nil || x.request.verify != verify {
		return nil, now, &failure{status: 404, code: "SessionNotFound", message: "there is no such session"}
	}
	return x, now, nil
}

func (s *Simulator) result(id string, verify bool) operation {
	return func(w http.ResponseWriter, _ *http.Request) *failure {
		s.mu.Lock()
		x, now, failed := s.find(id, verify)
		var body sessionBody
		if failed == nil {
			body = s.body(x, now)
		}
		s.mu.Unlock()
		if failed == nil {
			writeJSON(w, http.StatusOK, body)
		}
		return failed
	}
}

func (s *Simulator) delete(id string, verify bool) operation {
	return func(w http.ResponseWriter, _ *http.Request) *failure {
		s.mu.Lock()
		defer s.mu.Unlock()
		x, _, failed := s.find(id, verify)
		if failed == nil {
			s.remove(x)
			w.WriteHeader(http.StatusNoContent)
		}
		return failed
	}
}

func (s *Simulator) image(id string) operation {
	return func(w http.ResponseWriter, _ *http.Request) *failure {
		s.mu.Lock()
		s.forget()
		picture, found := s.images[id]
		s.mu.Unlock()
		if !found {
			return &failure{status: 404, code: "SessionImageNotFound", message: "there is no such session image"}
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(picture.bytes)
		return nil
	}
}

// sessionBody is a session as Azure writes it.
type sessionBody struct {
	SessionID    string `json:"sessionId"`
	AuthToken    string `json:"authToken"`
	Status       Status `json:"status"`
	ModelVersion string `json:"modelVersion"`
	Results      struct {
		Attempts         []attemptBody    `json:"attempts"`
		VerifyReferences *[]referenceBody `json:"verifyReferences,omitempty"`
	} `json:"results"`
}

type attemptBody struct {
	AttemptID     int         `json:"attemptId"`
	AttemptStatus Status      `json:"attemptStatus"`
	Result        *resultBody `json:"result,omitempty"`
	Error         *errorBody  `json:"error,omitempty"`
}

type resultBody struct {
	LivenessDecision Outcome     `json:"livenessDecision"`
	Targets          targetsBody `json:"targets"`
	Digest           string      `json:"digest"`
	SessionImageID   string      `json:"sessionImageId,omitempty"`
	VerifyResult     *verifyBody `json:"verifyResult,omitempty"`
	VerifyImageHash  string      `json:"verifyImageHash,omitempty"`
}

type errorBody struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Targets targetsBody `json:"targets"`
}

type targetsBody struct {
	Color struct {
		FaceRectangle rectangleBody `json:"faceRectangle"`
	} `json:"color"`
}

type rectangleBody struct {
	Top    int `json:"top"`
	Left   int `json:"left"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

type verifyBody struct {
	MatchConfidence float64 `json:"matchConfidence"`
	IsIdentical     bool    `json:"isIdentical"`
}

type referenceBody struct {
	ReferenceType         string        `json:"referenceType"`
	FaceRectangle         rectangleBody `json:"faceRectangle"`
	QualityForRecognition string        `json:"qualityForRecognition"`
}

// body writes a session, its last attempt first. The caller holds the lock.
func (s *Simulator) body(x *session, now time.Time) sessionBody {
	b := sessionBody{SessionID: x.id, AuthToken: x.token, Status: s.status(x, now), ModelVersion: x.request.model}
	b.Results.Attempts = []attemptBody{}
	for i := len(x.attempts) - 1; i >= 0; i-- {
		b.Results.Attempts = append(b.Results.Attempts, x.attempts[i].body(x.request, now))
	}
	if x.request.verify {
		references := []referenceBody{}
		if x.verifyHash != "" {
			references = append(references, referenceBody{
				ReferenceType: "Color", FaceRectangle: rectangleBody{Top: 98, Left: 131, Width: 233, Height: 300}, QualityForRecognition: "high",
			})
		}
		b.Results.VerifyReferences = &references
	}
	return b
}

func (a *attempt) body(request creation, now time.Time) attemptBody {
	b := attemptBody{AttemptID: a.id, AttemptStatus: a.status(now)}
	var targets targetsBody
	targets.Color.FaceRectangle = rectangleBody{Top: 669, Left: 203, Width: 646, Height: 724}
	switch b.AttemptStatus {
	case failed:
		b.Error = &errorBody{Code: a.script.Error, Message: "so it was set", Targets: targets}
	case canceled:
		b.Error = &errorBody{Code: "UserCanceledSession", Message: "the person broke it off", Targets: targets}
	case succeeded:
		b.Result = &resultBody{LivenessDecision: a.script.Outcome, Targets: targets, Digest: a.digest, SessionImageID: a.imageID}
		if request.verify {
			b.Result.VerifyResult = &verifyBody{MatchConfidence: *a.script.Confidence, IsIdentical: *a.script.Confidence >= request.threshold}
		}
		if request.returnHash {
			b.Result.VerifyImageHash = a.verifyHash
		}
	}
	return b
}

// control answers the simulator's own addresses: the device's with its token, the others with the key.
func (s *Simulator) control(w http.ResponseWriter, r *http.Request, path []string) string {
	at := r.Method + " /simulator/" + strings.Join(path, "/")
	device := len(path) == 3 && path[0] == "sessions" && path[2] == "attempt" && r.Method == http.MethodPost
	if device {
		at = "attempt"
	} else if failed := s.authenticate(r); failed != nil {
		failed.write(w)
		return "control"
	}
	var answer any = struct{}{}
	var err error
	switch at {
	case "attempt":
		var try Try
		if err = read(r, &try); err == nil {
			answer, err = s.Try(path[1], try)
		}
	case "POST /simulator/next":
		var next struct {
			Script
			Times int `json:"times"`
		}
		next.Times = 1
		if err = read(r, &next); err == nil {
			err = s.Next(next.Script, next.Times)
		}
	case "POST /simulator/faults":
		var fault Fault
		if err = read(r, &fault); err == nil {
			err = s.Fault(fault)
		}
	case "POST /simulator/reset":
		s.Reset()
	case "GET /simulator/sessions":
		answer = map[string]any{"sessions": s.Sessions()}
	default:
		err = &failure{status: 404, code: "404", message: "there is no such address"}
	}
	if failed, ok := errors.AsType[*failure](err); ok {
		failed.write(w)
	} else {
		writeJSON(w, http.StatusOK, answer)
	}
	if device {
		return "attempt"
	}
	return "control"
}

// read reads a JSON object; no body is an empty one.
func read(r *http.Request, to any) error {
	body, failed := readAll(r.Body, maxControl)
	if failed != nil {
		return failed
	}
	if len(body) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil || decoder.More() {
		return invalid("the body must be a JSON object of the documented fields")
	}
	return nil
}
