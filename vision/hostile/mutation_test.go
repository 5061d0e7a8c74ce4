package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kycd/vision"
	"kycd/vision/engine"
	"kycd/vision/face"
	"kycd/vision/visiontest"
)

const (
	// fewMutations are tried where KYCD_MUTATIONS does not ask for more.
	fewMutations = 150
	// hangs is far beyond what the slowest of the small pictures takes on a busy machine.
	hangs = 60 * time.Second
	// seed of the damages: a number that fails fails again.
	seed = 20260101
)

// mutations is how many damaged pictures are to be tried.
func mutations(t testing.TB) int {
	t.Helper()
	wanted := os.Getenv("KYCD_MUTATIONS")
	if wanted == "" {
		return fewMutations
	}
	n, err := strconv.Atoi(wanted)
	if err != nil || n < 100 {
		t.Fatalf("KYCD_MUTATIONS is %q, not a number from 100", wanted)
	}
	return n
}

// mutation is the damaged picture of a number, and what is asked of it. Reading print is dear, so one in eight is
// asked everything, and as many only what is printed.
func mutation(whole [][]byte, number int) ([]byte, vision.Ask) {
	rng := rand.New(rand.NewPCG(seed, uint64(number)))
	b := damaged(rng, whole[rng.IntN(len(whole))], whole)
	switch rng.IntN(8) {
	case 0:
		return b, vision.AskAll()
	case 1:
		return b, vision.Ask{Document: true, Barcodes: true, MRZ: true, Text: true}
	case 2, 3:
		return b, vision.Ask{Faces: true, Document: true, Barcodes: true, MRZ: true}
	default:
		return b, vision.Ask{Faces: true, Liveness: true, Attributes: true, Fingerprint: true}
	}
}

func openEngine(t testing.TB, slots int) *engine.Engine {
	t.Helper()
	dir := visiontest.Models(t, "dlib_face_recognition_resnet_model_v1.dat", face.YuNetFile)
	e, err := engine.New(context.Background(), engine.Config{
		ModelsDir: dir, Slots: slots, Now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tally counts outcomes. It is shared by the goroutines that try.
type tally struct {
	mutex    sync.Mutex
	outcomes map[string]int
	done     int
	wrong    []string
}

// take judges the analysis of one mutation: it must have succeeded, or tell by a code that it is the picture's fault.
func (c *tally) take(number int, a vision.Analysis) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.done++
	outcome := a.Error
	switch vision.Code(a.Error) {
	case vision.CodeEmpty, vision.CodeUnsupported, vision.CodeTruncated, vision.CodeTooManyPixels, vision.CodeTooSmall,
		vision.CodeAnimated, vision.CodeUnreadable:
	case "":
		outcome = "analysed, no face"
		if len(a.Faces) > 0 {
			outcome = "analysed, with a face"
		}
		for part, reason := range a.Unavailable {
			if reason == vision.ReasonFailed || reason == vision.ReasonTimeout {
				c.wrong = append(c.wrong, fmt.Sprintf("%d: %s %s", number, part, reason))
			}
		}
	default: // among them image_failed and image_timeout
		c.wrong = append(c.wrong, fmt.Sprintf("%d: %q", number, a.Error))
	}
	if _, err := json.Marshal(a); err != nil { // a number that is none could not be handed in
		c.wrong = append(c.wrong, fmt.Sprintf("%d: %v", number, err))
	}
	c.outcomes[outcome]++
}

func (c *tally) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.done
}

func (c *tally) report(t *testing.T) {
	t.Helper()
	for _, outcome := range slices.Sorted(maps.Keys(c.outcomes)) {
		t.Logf("%6d %s", c.outcomes[outcome], outcome)
	}
	for _, w := range c.wrong[:min(len(c.wrong), 20)] {
		t.Errorf("mutation %s", w)
	}
	if c.outcomes["analysed, no face"] == 0 || c.outcomes[string(vision.CodeTruncated)] == 0 {
		t.Error("the damages are all of one kind: they test nothing")
	}
}

// resident gives how much memory of a process lies in RAM, in MB.
func resident(t testing.TB, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	t.Fatalf("process %d has no memory", pid)
	return 0
}

// checkFlat wants the memory at the end to be what it was after the first fifth: caches and arenas are full by then. A
// few hundred pictures still fill them.
func checkFlat(t *testing.T, n int, early, late float64) {
	t.Helper()
	room := max(0.05*early, 30)
	if n < 5000 {
		room = 400
	}
	t.Logf("memory after %d: %.0f MB, after %d: %.0f MB", n/5, early, n, late)
	if late > early+room {
		t.Errorf("memory grew by %.0f MB", late-early)
	}
}

// progress prints where a long run stands.
func progress(n, done int, began time.Time) {
	if n > fewMutations && done%500 == 0 {
		fmt.Printf("%d of %d mutations after %v\n", done, n, time.Since(began).Round(time.Second))
	}
}

// Damaged JPEGs end in a code or in a result; nothing crashes, hangs or leaks.
func TestMutationsInProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	n, whole := mutations(t), wholePictures(t)
	const slots = 2
	e := openEngine(t, slots)
	defer func() {
		e.Close()
		checkMatrices(t)
	}()
	results := tally{outcomes: map[string]int{}}
	began := time.Now()
	try := func(from, to int) {
		var working sync.WaitGroup
		for first := range slots {
			working.Go(func() {
				for number := from + first; number < to; number += slots {
					b, ask := mutation(whole, number)
					ctx, cancel := context.WithTimeout(context.Background(), hangs)
					results.take(number, e.Analyze(ctx, b, ask))
					cancel()
					progress(n, results.count(), began)
				}
			})
		}
		working.Wait()
		debug.FreeOSMemory() // what Go's heap holds in reserve says nothing
	}
	try(0, n/5)
	early := resident(t, os.Getpid())
	try(n/5, n)
	late := resident(t, os.Getpid())
	t.Logf("%d mutations in %v", n, time.Since(began).Round(time.Millisecond))
	results.report(t)
	checkFlat(t, n, early, late)
}
