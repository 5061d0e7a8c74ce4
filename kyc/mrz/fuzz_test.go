package mrz

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds are zones of every layout, specimens of the standards or invented, and damaged ones.
func seeds() []string {
	return []string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
		"P<UT0ERIK55ON<<ANNA<MAR1A<<<<<<<<<KK<<<<<C<<\nL898902C36UTO740BIZZF12041S9ZE184226B<<<<<1O",
		"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
		"I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
		"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
		"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
		"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<",
		"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n9409923102854CORINNE<<<<<<<6512068F4",
		"D1FRA13AA000026181231MARTIN<<9",
		"AAA001D<<\nFACHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<",
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		"V<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n<<<<<<<<<0<<<<<<<<<0<<<<<<<<<<<<<<<<",
		"\xff«‹?\n<<<<\n", "<<", "", "\n\n\n",
	}
}

// examine says what must hold of every text, however damaged. Lines go to both doors.
func examine(t *testing.T, text string) {
	check := func(d Document, err error) {
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Code == "" || e.Field != "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if d.Repairs == nil || d.Errors == nil || d.CheckDigits == nil {
			t.Error("a list is null")
		}
		if len(d.CheckDigits) == 0 && d.Format != CHDL {
			t.Error("no check digit was looked at")
		}
		if d.Valid && d.Number == "" {
			t.Error("a zone without a number is valid")
		}
		wrong := false
		for _, right := range d.CheckDigits {
			wrong = wrong || !right
		}
		reported := false
		for _, p := range d.Errors {
			reported = reported || p.Code == ProblemCheckDigit
		}
		if wrong != reported || (wrong && d.Valid) {
			t.Errorf("check digits %v, valid %v, errors %v", d.CheckDigits, d.Valid, d.Errors)
		}
		for k, v := range d.Fields() {
			if v == "" || !utf8.ValidString(v) {
				t.Errorf("field %s has the value %q", k, v)
			}
		}
		l, ok := layoutOf(d.Format)
		if !ok || len(d.Lines) != len(l.masks) {
			t.Fatalf("%d rows of a %s", len(d.Lines), d.Format)
		}
		for i, line := range d.Lines {
			if len(line) != len(l.masks[i]) {
				t.Errorf("row of %d columns", len(line))
			}
		}
		if _, _, national := l.national(); !d.Valid || national { // one text can be read as a TD2 and as a French card
			return
		}
		again, err := Parse(d.Lines, now)
		if err != nil || !again.Valid || len(again.Repairs) != 0 || !equalDocuments(again, d) {
			t.Errorf("what was repaired reads differently: %v\n%+v\n%+v", err, d, again)
		}
	}
	check(Parse(strings.Split(text, "\n"), now))
	check(ParseText(text, now))
}

func FuzzParse(f *testing.F) {
	for _, text := range seeds() {
		f.Add(text)
	}
	f.Fuzz(examine)
}

// What fuzzing looks for is looked for a little in every test run.
func TestMutations(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	texts := seeds()
	for range 3000 {
		text := mutate(rng, texts[rng.IntN(len(texts))], texts)
		examine(t, text)
		if t.Failed() {
			t.Fatalf("text %q", text)
		}
	}
}

// mutate damages a text in up to four places.
func mutate(rng *rand.Rand, text string, others []string) string {
	const alphabet = "<<<<\n\nOI1L0SZB8G5?VPD\xff Äk"
	for range 1 + rng.IntN(4) {
		if text == "" {
			return text
		}
		at := rng.IntN(len(text))
		c := string(alphabet[rng.IntN(len(alphabet))])
		switch rng.IntN(6) {
		case 0:
			text = text[:at] + c + text[at+1:]
		case 1:
			text = text[:at] + text[min(at+1+rng.IntN(3), len(text)):]
		case 2:
			text = text[:at] + c + text[at:]
		case 3:
			text = text[:at] + "\n" + others[rng.IntN(len(others))]
		case 4:
			text = text[at:] + text[:at]
		case 5:
			text += "\n" + text[at:]
		}
	}
	return text
}

// No single wrong character in a place under a check digit passes for right: a substitution changes the sum, unless the two
// characters weigh the same.
func TestWrongCharactersAreReported(t *testing.T) {
	rows := strings.Split(seeds()[0], "\n")
	for c := range rows[1] {
		for _, to := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<" {
			wrong := []byte(rows[1])
			if wrong[c] == byte(to) {
				continue
			}
			wrong[c] = byte(to)
			d, err := Parse([]string{rows[0], string(wrong)}, now)
			if err != nil {
				t.Fatal(err)
			}
			if d.Valid && d.Lines[1] != rows[1] && !sameWeight(rows[1][c], byte(to)) && c != 20 && (c < 10 || c > 12) {
				t.Errorf("column %d: %c for %c is valid: %s", c, to, rows[1][c], d.Lines[1])
			}
		}
	}
}

func sameWeight(a, b byte) bool {
	x, _ := charValue(a)
	y, _ := charValue(b)
	return (x-y)%10 == 0
}

// Whatever is handed in, the work is bounded: by the length that is refused, and linear below it.
func TestHostileTextsAreBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(256))
		}
		return string(b)
	}
	for name, text := range map[string]string{
		"4000 random bytes":    random(4000),
		"64 KiB":               random(maxText),
		"a megabyte":           random(1 << 20),
		"zeros":                strings.Repeat("\x00", maxText),
		"fillers":              strings.Repeat("<", maxText),
		"rows of fillers":      strings.Repeat(strings.Repeat("<", 30)+"\n", maxText/31),
		"passport on passport": strings.Repeat(seeds()[0]+"\n", maxText/90),
		"cards":                strings.Repeat(seeds()[2]+"\n", maxText/93),
		"one column each":      strings.Repeat("<\n", maxText/2),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			examine(t, text)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("took %d bytes", used)
			}
			t.Logf("%v, %d KiB", took, (after.TotalAlloc-before.TotalAlloc)>>10)
		})
	}
}
