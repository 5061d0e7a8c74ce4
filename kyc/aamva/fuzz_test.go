package aamva

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds are payloads of every version, American and Canadian, by the book and damaged as real ones are; all invented.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	good := licence(t)
	texts := []string{
		good,
		strings.ReplaceAll(good, "\n", "|"),
		good[:4] + strings.NewReplacer("\n", " ", "\r", " ").Replace(good[4:]),
		strings.ReplaceAll(good, "\n", "\u0090\n\u0090"),
		strings.ReplaceAll(good, "\n", `\n`),
		good[:len(good)/2],
		"@\n\x1e\rANSI 6360990102DL00390187ZZ02260032DLDAAHADDOCK,ARCHIBALD\nDAG26 OPERA LANE\nDBB19820617\nDAU509\rZZZZAX\r",
		"@\n6AAMVA6360990101DL00290179DAAHADDOCK,ARCHIBALD,J,JR\nDAQ1\nDARD   \nDBA20150101\nDBC2\nDBHY",
		"@\n\x1e\rANSI 6360990001DL00310200DLDAQ1\nDCSHADDOCK\nDBBnever\r",
		"AAMVA6360990101DL0029017\xff\xfe",
		stripeText(),
		"\ufeff@\r\n\x1e\r\nANSI 636099090002DL99999999ZZ00000000DLDAQK1\r\nDCSHADDOCK\r\nDACARCHIBALD\r\nDDET\r\nDBB1985-02-28\r\n",
	}
	for version := 2; version <= latestVersion; version++ {
		elements := map[string]string{
			"DAQ": "K1", "DCS": "HADDOCK", "DCT": "ARCHIBALD,JAMES", "DBB": "02281985", "DBA": "02282031", "DBD": "01092025",
			"DBC": "1", "DAU": "072 in", "DCG": "USA", "DDD": "1", "DDH": "02282003", "DDK": "1", "DDL": "1", "DCE": "4",
		}
		kind := "DL"
		if version%2 == 0 {
			kind = "ID"
			elements["DCG"], elements["DBB"], elements["DBA"], elements["DAU"] = "CAN", "19850228", "20310228", "183 cm"
		}
		payload, err := Compose(Card{IIN: SpecimenIIN, Version: version, Subfile: kind, Elements: elements})
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(payload))
	}
	payloads := make([][]byte, len(texts))
	for i, text := range texts {
		payloads[i] = []byte(text)
	}
	return payloads
}

// examine says what must hold of every payload, however damaged.
func examine(t *testing.T, payload []byte) {
	p, err := Parse(payload)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Code == "" || e.Field != "" {
			t.Errorf("an error without a code: %v", err)
		}
		return
	}
	if len(p.Elements) == 0 || len(p.IIN) != 6 || p.Repairs == nil || p.Errors == nil || p.Subfiles == nil {
		t.Errorf("a payload without content was accepted: %+v", p)
	}
	for k, v := range p.Fields() {
		if v == "" || strings.ContainsAny(v, "\n\r\x00") || !utf8.ValidString(v) {
			t.Errorf("field %s has the value %q", k, v)
		}
	}
	for _, field := range []string{fieldBirthDate, fieldExpiresAt, fieldIssuedAt} {
		if v := p.Fields()[field]; v != "" {
			if _, err := time.Parse(time.DateOnly, v); err != nil {
				t.Errorf("%s is no date: %q", field, v)
			}
		}
	}
	for _, problem := range p.Errors {
		if problem.Code() == "" || problem.Field() == "" {
			t.Errorf("problem %q has no code or no field", problem)
		}
	}
	if _, err := json.Marshal(p.Details()); err != nil {
		t.Error(err)
	}
	p.Truncated()
	if p.StateAgreement() == "" || p.CountryAgreement() == "" {
		t.Error("an agreement says nothing")
	}
}

func FuzzParse(f *testing.F) {
	for _, payload := range seeds(f) {
		f.Add(payload)
	}
	f.Fuzz(examine)
}

// What fuzzing looks for is looked for a little in every test run.
func TestMutations(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	payloads := seeds(t)
	for range 3000 {
		payload := mutate(rng, payloads[rng.IntN(len(payloads))], payloads)
		examine(t, payload)
		if t.Failed() {
			t.Fatalf("payload %q", payload)
		}
	}
}

// mutate damages a payload in up to four places.
func mutate(rng *rand.Rand, payload []byte, others [][]byte) []byte {
	out := append([]byte(nil), payload...)
	for range 1 + rng.IntN(4) {
		if len(out) == 0 {
			return out
		}
		at := rng.IntN(len(out))
		switch rng.IntN(7) {
		case 0:
			out[at] = byte(rng.IntN(256))
		case 1:
			out = append(out[:at], out[min(at+1+rng.IntN(8), len(out)):]...)
		case 2:
			out = out[:at]
		case 3:
			n := rng.IntN(6)
			random := make([]byte, n)
			for i := range random {
				random[i] = byte(rng.IntN(256))
			}
			out = append(out[:at:at], append(random, out[at:]...)...)
		case 4:
			other := others[rng.IntN(len(others))]
			out = append(out[:at:at], other[rng.IntN(len(other)):]...)
		case 5:
			out[at] = "DLIDZ0129\n\r|@\x00\x1e "[rng.IntN(16)]
		case 6:
			out = append(out, out[at:]...)
		}
	}
	return out
}

// Whatever is handed in, the work is bounded: by the length that is refused, and linear below it.
func TestHostilePayloadsAreBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.IntN(256))
		}
		return b
	}
	head := "@\n\x1e\rANSI 636099100001DL00310200DL"
	fill := func(unit string) []byte { return []byte(head + strings.Repeat(unit, (maxLength-len(head))/len(unit))) }
	for name, payload := range map[string][]byte{
		"4000 random bytes":            random(4000),
		"random bytes behind a header": append([]byte(head), random(4000)...),
		"zeros":                        make([]byte, 4000),
		"64 KiB":                       random(64 << 10),
		"a megabyte of headers":        []byte(strings.Repeat(head, 1<<15)),
		"digits":                       []byte(strings.Repeat("ANSI 63609910", maxLength/13)),
		"line ends":                    fill("\n"),
		"one element over and over":    fill("DAC\n"),
		"blanks and ids":               fill(" DBA"),
		"pipes":                        fill("|"),
		"a directory without end":      fill("DL00310200"),
		"invalid UTF-8":                fill("\xff"),
		"replacement characters":       fill("\ufffd"),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			examine(t, payload)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			if took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("took %d bytes", used)
			}
		})
	}
}

// The errors say why by a code, and nothing of the payload.
func TestErrorsHoldNoPersonalData(t *testing.T) {
	for _, payload := range []string{"CASTAFIORE", strings.Repeat("CASTAFIORE ", 9), strings.Repeat("CASTAFIORE ", 9000)} {
		if _, err := Parse([]byte(payload)); err == nil || strings.Contains(fmt.Sprint(err), "CAST") {
			t.Errorf("error %v", err)
		}
	}
}
