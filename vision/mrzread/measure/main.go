// Command measure reads machine-readable zones in drawn documents, photographed under many conditions, and in labelled
// pictures: once with package mrzread, once with Tesseract on the zone cut out and laid straight.
//
//	go run ./vision/mrzread/measure -files FOLDER [-from SEED -each N] [-only CONDITION] [-pictures FOLDER] [-tesseract]
//
// Tesseract is helped: on drawn documents the zone is cut out by the true corners, so it has neither to be found nor
// to be straightened.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"kycd/kyc/mrz"
	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/mrzread"
	"kycd/vision/ocr"
	"kycd/vision/projective"
)

func main() {
	var o options
	flag.StringVar(&o.files, "files", "", "folder that keeps the drawn photographs from one run to the next")
	flag.Uint64Var(&o.from, "from", 1, "first seed")
	flag.Uint64Var(&o.each, "each", 6, "documents of each kind under each condition")
	flag.StringVar(&o.only, "only", "", "conditions whose names begin so; several with commas")
	flag.StringVar(&o.pictures, "pictures", "", "folder with images_expected.json")
	flag.BoolVar(&o.tesseract, "tesseract", false, "read with Tesseract too")
	flag.BoolVar(&o.verbose, "v", false, "print every reading that is not right")
	flag.Parse()
	if err := o.run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	files, only, pictures string
	from, each            uint64
	tesseract, verbose    bool
}

// tally counts readings.
type tally struct {
	shots, exact, valid, validWrong, seen int
	took                                  []time.Duration
}

func (t *tally) add(lines []string, valid, seen bool, want []string, took time.Duration) bool {
	exact, _ := same(lines, want)
	t.shots++
	t.took = append(t.took, took)
	if seen {
		t.seen++
	}
	if exact {
		t.exact++
	}
	if valid {
		t.valid++
		if !exact {
			t.validWrong++
		}
	}
	return exact && valid
}

func (t *tally) join(o tally) {
	t.shots, t.exact, t.valid = t.shots+o.shots, t.exact+o.exact, t.valid+o.valid
	t.validWrong, t.seen = t.validWrong+o.validWrong, t.seen+o.seen
	t.took = append(t.took, o.took...)
}

func (t *tally) String() string {
	sort.Slice(t.took, func(i, j int) bool { return t.took[i] < t.took[j] })
	median := time.Duration(0)
	if len(t.took) > 0 {
		median = t.took[len(t.took)/2]
	}
	return fmt.Sprintf("of %3d: found %3d, exact %3d, valid %3d, valid but not exact %d, median %d ms",
		t.shots, t.seen, t.exact, t.valid, t.validWrong, median.Milliseconds())
}

func (o options) run(ctx context.Context) error {
	reader, err := mrzread.NewReader()
	if err != nil {
		return err
	}
	var pool *ocr.Pool
	if o.tesseract {
		if pool, err = ocr.Open(ocr.Options{}); err != nil {
			return err
		}
		defer pool.Close()
	}
	if o.files != "" {
		if err := o.drawn(ctx, reader, pool); err != nil {
			return err
		}
	}
	if o.pictures != "" {
		return o.labelled(ctx, reader, pool)
	}
	return nil
}

func (o options) wanted(name string) bool {
	for _, prefix := range strings.Split(o.only, ",") {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (o options) drawn(ctx context.Context, reader *mrzread.Reader, pool *ocr.Pool) error {
	press, err := specimen.NewPress()
	if err != nil {
		return err
	}
	var all, allOther tally
	for _, c := range conditions() {
		if !o.wanted(c.name) {
			continue
		}
		for _, kind := range []specimen.Type{specimen.Passport, specimen.PassportCard} {
			var ours, other tally
			for seed := o.from; seed < o.from+o.each; seed++ {
				s, err := take(press, o.files, c, kind, seed)
				if err != nil {
					return err
				}
				if err := o.read(ctx, reader, &ours, s.gray, s.w, s.h, s.lines, fmt.Sprintf("%s %s %d", c.name, kind, seed)); err != nil {
					return err
				}
				if pool == nil {
					continue
				}
				if err := tesseract(ctx, pool, &other, s.flat(), s.lines); err != nil {
					return err
				}
			}
			fmt.Printf("%-14s %-13s %v\n", c.name, kind, &ours)
			if pool != nil {
				fmt.Printf("%-14s %-13s %v\n", "", "  tesseract", &other)
			}
			all.join(ours)
			allOther.join(other)
		}
	}
	fmt.Printf("%-28s %v\n", "all drawn", &all)
	if pool != nil {
		fmt.Printf("%-28s %v\n", "  tesseract", &allOther)
	}
	return nil
}

func (o options) read(ctx context.Context, r *mrzread.Reader, t *tally, gray []byte, w, h int, want []string, name string) error {
	start := time.Now()
	zone, err := r.Read(ctx, gray, w, h, today())
	if err != nil {
		return err
	}
	took := time.Since(start)
	var lines []string
	if zone != nil {
		lines = zone.Lines
	}
	if !t.add(lines, zone != nil && zone.Valid, zone != nil, want, took) && o.verbose {
		fmt.Printf("  %s, %d ms: ", name, took.Milliseconds())
		if zone == nil {
			fmt.Println("not found")
		} else {
			fmt.Printf("valid %v\n    %q\n    %q\n", zone.Valid, zone.Lines, want)
		}
	}
	return nil
}

// flat is the picture of a zone cut out.
type flat struct {
	gray []byte
	w, h int
}

// flat cuts out the lower half of the document at 300 dpi by its true corners.
func (s shot) flat() flat {
	width := int(s.wide / 25.4 * 300)
	height := int(float64(width) * 88 / 125)
	if s.wide < 100 {
		height = int(float64(width) * 53.98 / 85.6)
	}
	top := height * 55 / 100
	out := flat{w: width, h: height - top}
	toPicture, ok := projective.Onto(float64(width), float64(height), s.corners)
	if !ok {
		log.Fatal("the corners of a photograph are no view of a document")
	}
	for y := top; y < height; y++ {
		for x := range width {
			at := toPicture.At(float64(x)+0.5, float64(y)+0.5)
			x0, y0 := min(max(int(at.X), 0), s.w-2), min(max(int(at.Y), 0), s.h-2)
			fx, fy := min(max(at.X-float64(x0), 0), 1), min(max(at.Y-float64(y0), 0), 1)
			i := y0*s.w + x0
			upper := float64(s.gray[i])*(1-fx) + float64(s.gray[i+1])*fx
			lower := float64(s.gray[i+s.w])*(1-fx) + float64(s.gray[i+s.w+1])*fx
			out.gray = append(out.gray, byte(upper*(1-fy)+lower*fy+0.5))
		}
	}
	return out
}

// tesseract reads a block of text in the zone's alphabet.
func tesseract(ctx context.Context, pool *ocr.Pool, t *tally, f flat, want []string) error {
	start := time.Now()
	text, _, err := pool.ReadAs(ctx, f.gray, f.w, f.h, ocr.Mode{Segmentation: ocr.Block, Whitelist: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"})
	if err != nil {
		return err
	}
	took := time.Since(start)
	d, err := mrz.ParseText(joined(text), today())
	t.add(d.Lines, err == nil && d.Valid, err == nil, want, took)
	return nil
}

// joined takes the blanks out of lines: Tesseract parts a line into words.
func joined(text string) string { return strings.ReplaceAll(text, " ", "") }

func (o options) labelled(ctx context.Context, reader *mrzread.Reader, pool *ocr.Pool) error {
	raw, err := os.ReadFile(filepath.Join(o.pictures, "images_expected.json"))
	if err != nil {
		return err
	}
	var samples []struct {
		Image string   `json:"image"`
		Lines []string `json:"expected_mrz"`
	}
	if err := json.Unmarshal(raw, &samples); err != nil {
		return err
	}
	var ours, other, whole tally
	for _, s := range samples {
		file, err := os.Open(filepath.Join(o.pictures, s.Image))
		if err != nil {
			return err
		}
		img, _, err := image.Decode(file)
		file.Close()
		if err != nil {
			return err
		}
		gray, w, h := greyOf(img)
		if err := o.read(ctx, reader, &ours, gray, w, h, s.Lines, s.Image); err != nil {
			return err
		}
		if pool == nil {
			continue
		}
		if err := tesseract(ctx, pool, &whole, flat{gray, w, h}, s.Lines); err != nil {
			return err
		}
		found, err := reader.Candidates(ctx, gray, w, h, today())
		if err != nil {
			return err
		}
		zone := flat{gray, w, h}
		if len(found) > 0 {
			zone = around(gray, w, h, found[0].Corners)
		}
		if err := tesseract(ctx, pool, &other, zone, s.Lines); err != nil {
			return err
		}
	}
	fmt.Printf("%-28s %v\n", "labelled pictures", &ours)
	if pool != nil {
		fmt.Printf("%-28s %v\n", "  tesseract, the zone", &other)
		fmt.Printf("%-28s %v\n", "  tesseract, the picture", &whole)
	}
	return nil
}

// around lays a zone straight with a margin, with capitals about 30 pixels high.
func around(gray []byte, w, h int, corners [4]vision.Point) flat {
	s := shot{gray: gray, w: w, h: h, wide: 125}
	// The zone takes the lower 23 of 88 mm and 112 of 125 mm of such a page: extend the corners upwards to that.
	up := func(lower, upper vision.Point, k float64) vision.Point {
		return vision.Point{X: lower.X + (upper.X-lower.X)*k, Y: lower.Y + (upper.Y-lower.Y)*k}
	}
	s.corners[2], s.corners[3] = up(corners[2], corners[1], -0.5), up(corners[3], corners[0], -0.5)
	s.corners[1], s.corners[0] = up(corners[2], corners[1], 3.4), up(corners[3], corners[0], 3.4)
	side := func(a, b vision.Point) (vision.Point, vision.Point) {
		return vision.Point{X: a.X - (b.X-a.X)*0.04, Y: a.Y - (b.Y-a.Y)*0.04}, vision.Point{X: b.X + (b.X-a.X)*0.04, Y: b.Y + (b.Y-a.Y)*0.04}
	}
	s.corners[0], s.corners[1] = side(s.corners[0], s.corners[1])
	s.corners[3], s.corners[2] = side(s.corners[3], s.corners[2])
	return s.flat()
}
