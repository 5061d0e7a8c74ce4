// Package simulator stands in for the liveness part of Azure Face, v1.2: the requests a server makes, and the device
// that films a face. It looks at no face: what it decides is written in a script. It is for tests and trying out.
//
// It is stricter than Azure where that finds mistakes: names and values must be written as documented, and fields that
// are not documented are refused.
package simulator

import (
	"bytes"
	"container/list"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultKeep is how long a session is kept after its creation.
	DefaultKeep = 48 * time.Hour
	// DefaultAttempts is how often a device may try.
	DefaultAttempts = 3
	// What the simulator holds at most. A session takes about 1 KiB, images apart.
	maxSessions   = 10_000
	maxScripts    = 1_000
	maxFaults     = 1_000
	maxImageTotal = 64 << 20
)

// Config describes a simulator.
type Config struct {
	Key      string // accepted as Ocp-Apim-Subscription-Key; the control addresses need it too
	Bearer   string // accepted as bearer token; empty: none is
	Seed     []byte // ids and tokens are made from it: with the same seed and the same calls they are the same
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error // what slow answers wait by
	Keep     time.Duration                              // how long a session lives; 0: DefaultKeep
	Attempts int                                        // how often a device may try; 0: DefaultAttempts
	Log      *slog.Logger                               // gets a line per call; nil: nobody
}

// Simulator is an http.Handler. It is safe for concurrent use.
type Simulator struct {
	config Config
	still  []byte // the session image of devices that send none

	mu         sync.Mutex
	serial     uint64
	sessions   map[string]*session // by id
	tokens     map[string]*session // by token
	images     map[string]frame    // by session image id
	imageBytes int
	order      *list.List // of *session, the oldest first
	scripts    []Script
	faults     []Fault
}

// session is one session with all its attempts.
type session struct {
	id, token  string
	place      *list.Element
	request    creation
	created    time.Time
	verifyHash string // empty: no image to verify yet
	attempts   []*attempt
	images     []string
}

// attempt is what the device did, and what comes of it when.
type attempt struct {
	id         int
	script     Script
	decided    time.Time // from then on the outcome is to be seen
	digest     string
	imageID    string
	verifyHash string
}

type frame struct {
	bytes []byte
	owned bool // counted in imageBytes
}

// New makes a simulator.
func New(config Config) (*Simulator, error) {
	switch {
	case config.Key == "" && config.Bearer == "":
		return nil, errors.New("a simulator needs a key or a token to accept")
	case len(config.Seed) == 0 || config.Now == nil || config.Sleep == nil:
		return nil, errors.New("a simulator needs a seed, a clock and a way to wait")
	case config.Keep < 0 || config.Attempts < 0:
		return nil, errors.New("a simulator keeps sessions and allows attempts")
	}
	if config.Keep == 0 {
		config.Keep = DefaultKeep
	}
	if config.Attempts == 0 {
		config.Attempts = DefaultAttempts
	}
	still, err := grey()
	if err != nil {
		return nil, err
	}
	s := &Simulator{config: config, still: still}
	s.Reset()
	return s, nil
}

// grey is a small JPEG of nothing.
func grey() ([]byte, error) {
	picture := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = color.Gray{Y: 128}.Y
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, nil)
	return b.Bytes(), err
}

// Reset forgets all sessions, scripts and faults. Ids are not given a second time.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions, s.tokens, s.images = map[string]*session{}, map[string]*session{}, map[string]frame{}
	s.order, s.imageBytes, s.scripts, s.faults = list.New(), 0, nil, nil
}

// Summary is a session as its list shows it.
type Summary struct {
	SessionID  string `json:"session_id"`
	WithVerify bool   `json:"with_verify"`
	Status     Status `json:"status"`
	Attempts   int    `json:"attempts"`
}

// Sessions lists what is kept, the oldest first.
func (s *Simulator) Sessions() []Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.forget()
	all := []Summary{}
	for e := s.order.Front(); e != nil; e = e.Next() {
		x := e.Value.(*session)
		all = append(all, Summary{SessionID: x.id, WithVerify: x.request.verify, Status: s.status(x, now), Attempts: len(x.attempts)})
	}
	return all
}

// forget removes what has come to its end, and gives the present.
func (s *Simulator) forget() time.Time {
	now := s.config.Now()
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		oldest := e.Value.(*session)
		if now.Before(oldest.created.Add(s.config.Keep)) {
			break
		}
		s.remove(oldest)
	}
	return now
}

func (s *Simulator) remove(x *session) {
	s.order.Remove(x.place)
	delete(s.sessions, x.id)
	delete(s.tokens, x.token)
	for _, id := range x.images {
		if s.images[id].owned {
			s.imageBytes -= len(s.images[id].bytes)
		}
		delete(s.images, id)
	}
}

// add keeps a new session.
func (s *Simulator) add(request creation) (*session, time.Time, *failure) {
	now := s.forget()
	if len(s.sessions) >= maxSessions {
		return nil, now, &failure{status: 429, code: "429", message: "the simulator holds no more sessions; delete some", retryAfter: 60}
	}
	x := &session{id: s.uuid("session"), request: request, created: now, verifyHash: request.verifyHash}
	x.token = s.token(x)
	x.place = s.order.PushBack(x)
	s.sessions[x.id], s.tokens[x.token] = x, x
	return x, now, nil
}

// next makes 32 bytes that look random and are not: nobody without the seed can foretell them.
func (s *Simulator) next(kind string) []byte {
	s.serial++
	mac := hmac.New(sha256.New, s.config.Seed)
	mac.Write(binary.BigEndian.AppendUint64([]byte(kind), s.serial))
	return mac.Sum(nil)
}

func (s *Simulator) uuid(kind string) string {
	b := s.next(kind)[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// token makes a token that looks like one of Azure's: a signed JWT.
func (s *Simulator) token(x *session) string {
	encode := base64.RawURLEncoding.EncodeToString
	body := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil,
		`{"iss":"kycd-azure-face-simulator","sid":%q,"exp":%d}`, x.id, x.created.Add(x.request.ttl).Unix()))
	return body + "." + encode(s.next(body))
}

func capitals(sum []byte) string { return strings.ToUpper(hex.EncodeToString(sum)) }
