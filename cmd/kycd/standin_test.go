package main_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/desk"
	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/kyc/specimen"
	"kycd/vision"
)

// The stand-in is a sidecar without eyes: this test program, started under another name. What it "measures"
// on a picture stands in the picture itself, as does how long that takes and whether it ends the process.
// So a test says exactly what happens to its pictures, and the rest of the system is the real one.

const standInName = "stand-in"

// newStandIn gives the path of the program to start as a sidecar.
func newStandIn(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), standInName)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// orders are what a picture tells the stand-in.
type orders struct {
	Analysis vision.Analysis `json:"analysis"`
	Millis   int             `json:"millis,omitempty"` // how long the measurement takes
	Kill     bool            `json:"kill,omitempty"`   // then it ends the process, as a hostile picture may
	Try      int             `json:"try,omitempty"`    // makes pictures differ
}

// ordersChunk is the PNG chunk that holds them: text, as any program may add.
const ordersChunk, ordersKeyword = "tEXt", "Comment\x00"

// picture draws a small PNG that carries orders.
func (o orders) picture(t testing.TB) []byte {
	t.Helper()
	encoded, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 48, 48))); err != nil {
		t.Fatal(err)
	}
	const header = 8 + 25 // magic number and IHDR
	return bytes.Join([][]byte{b.Bytes()[:header], pngChunk(ordersChunk, ordersKeyword+string(encoded)), b.Bytes()[header:]}, nil)
}

func pngChunk(kind, body string) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, kind...), body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

func readOrders(picture []byte) (orders, error) {
	var o orders
	for rest := picture[min(8, len(picture)):]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length > len(rest)-12 {
			break
		}
		if body, ok := bytes.CutPrefix(rest[8:8+length], []byte(ordersKeyword)); ok && string(rest[4:8]) == ordersChunk {
			return o, json.Unmarshal(body, &o)
		}
		rest = rest[12+length:]
	}
	return o, errors.New("a picture without orders")
}

// obedient is the stand-in's analyzer.
type obedient struct{}

func (obedient) Analyze(ctx context.Context, picture []byte, _ vision.Ask) vision.Analysis {
	o, err := readOrders(picture)
	if err != nil {
		return vision.Analysis{Error: string(vision.CodeUnreadable), Hints: []vision.Hint{}}
	}
	select {
	case <-time.After(time.Duration(o.Millis) * time.Millisecond):
	case <-ctx.Done():
	}
	if o.Kill {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
	return o.Analysis
}

// standIn is the main function of the stand-in. It takes part exactly as kycd-vision does.
func standIn() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := standInWork(ctx, log); err != nil {
		log.Error("the stand-in failed", "error", err)
		return 1
	}
	return 0
}

func standInWork(ctx context.Context, log *slog.Logger) error {
	client, err := desk.NewClient(os.Getenv("KYCD_DESK_URL"), os.Getenv("KYCD_DESK_TOKEN"), 10*time.Second)
	if err != nil {
		return err
	}
	options, err := redis.ParseURL(os.Getenv("KYCD_REDIS"))
	if err != nil {
		return err
	}
	slots, err := strconv.Atoi(os.Getenv("KYCD_SLOTS"))
	if err != nil {
		return err
	}
	clerk := desk.NewWorker(client, obedient{}, log)
	queue := redis.NewClient(options)
	defer queue.Close()
	name := os.Getenv("KYCD_WORKER")
	server, err := worker.Start(worker.Config{
		Redis: queue, Queue: task.QueueVision, Concurrency: slots, Name: name, StopWithin: 5 * time.Second,
		Handlers: map[task.Kind]worker.Handler{task.VisionAnalyze: clerk.Do}, Log: log,
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	return clerk.Introduce(ctx, desk.Hello{Worker: name, PID: os.Getpid(), Slots: slots}, 15*time.Second)
}

// stranger is a fictional person with a licence, of whom the stand-in is told everything.
type stranger struct {
	document specimen.Document
	encoding []float32
}

// newStranger invents one. The last name and the number hold a word that occurs nowhere else, so that
// the test can look for them where they must not be.
func newStranger(rng *rand.Rand) stranger {
	now := time.Now()
	s := stranger{document: specimen.RandomDocument(rng, specimen.DriverLicense, specimen.RandomPerson(rng, now), now)}
	s.document.Person.Last = canaryName + strings.Map(func(r rune) rune { return r + 'A' - '0' }, strconv.Itoa(rng.IntN(1e6)))
	s.document.Number = fmt.Sprintf("%s%06d", canaryNumber, rng.IntN(1e6))
	s.encoding = make([]float32, 128)
	for i := range s.encoding {
		s.encoding[i] = float32(rng.NormFloat64()) / 8
	}
	return s
}

// What every stranger's last name and number begin with.
const (
	canaryName   = "ZWITSCHERLING"
	canaryNumber = "QXVKWJ77"
)

// orders say what is seen on the pictures of the stranger.
func (s stranger) orders(t testing.TB) (front, back, selfie orders) {
	t.Helper()
	d, p := s.document, s.document.Person
	payload, err := d.Barcode()
	if err != nil {
		t.Fatal(err)
	}
	day := func(iso string) string {
		at, err := time.Parse(time.DateOnly, iso)
		if err != nil {
			t.Fatal(err)
		}
		return at.Format("01/02/2006")
	}
	print := []string{
		"DRIVER LICENSE", "4d DLN " + d.Number, "1 LN " + p.Last, "2 FN " + strings.TrimSpace(p.First+" "+p.Middle),
		"3 DOB " + day(p.BirthDate), "4b EXP " + day(d.ExpiresAt), "4a ISS " + day(d.IssuedAt),
	}
	face := vision.Face{Confidence: 0.9, Quality: 0.9, Detector: "stand-in", Encoder: vision.FaceEncoder, Encoding: s.encoding}
	front.Analysis = vision.Analysis{Width: 1000, Height: 630, Text: strings.Join(print, "\n"), Words: words(print), Faces: []vision.Face{face}}
	back.Analysis = vision.Analysis{Width: 1000, Height: 630, Text: "RESTRICTIONS NONE", Barcodes: []vision.Barcode{{Format: "PDF417", Text: payload}}}
	selfie.Analysis = vision.Analysis{
		Width: 480, Height: 640, Faces: []vision.Face{face}, Liveness: &vision.Liveness{Score: 0.97, Model: "stand-in"},
	}
	return front, back, selfie
}

// licencePapers are a licence's pictures, as the stand-in understands them.
func licencePapers(t testing.TB, front, back, selfie orders) papers {
	t.Helper()
	return papers{kind: "driver_license", front: front.picture(t), back: back.picture(t), selfie: selfie.picture(t)}
}

// words lay lines of print out on a page of 1000 pixels' width.
func words(lines []string) []vision.Word {
	var all []vision.Word
	for line, text := range lines {
		x := 40
		for word := range strings.FieldsSeq(text) {
			width := 16 * len(word)
			all = append(all, vision.Word{
				Text: word, Box: vision.Box{X: x, Y: 40 + 80*line, Width: width, Height: 28}, Confidence: 0.95, Line: line,
			})
			x += width + 14
		}
	}
	return all
}
