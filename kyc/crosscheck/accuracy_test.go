package crosscheck

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"kycd/kyc/aamva"
	"kycd/kyc/kyctest"
)

// misread gives text as a bad reader would: rate is the chance of an error per character. Four errors of five are likely
// ones (a like character, one dropped), the fifth is any character for any other.
func misread(text string, rate float64, random *rand.Rand) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(text) {
		if random.Float64() >= rate || r == ' ' {
			b.WriteRune(r)
			continue
		}
		switch random.IntN(5) {
		case 0:
			b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[random.IntN(36)])
		case 1: // dropped
		default:
			b.WriteRune(likeness(r, random))
		}
	}
	return b.String()
}

func likeness(r rune, random *rand.Rand) rune {
	var like []rune
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
		if c != r && r < 0x80 && alike(byte(r), byte(c)) {
			like = append(like, c)
		}
	}
	if len(like) == 0 {
		return r
	}
	return like[random.IntN(len(like))]
}

type rates struct{ honest, accepted, forged, missed int }

// measure reads every document with errors and compares it with itself, and with one name, number or birth date exchanged
// for another document's.
func measure(documents []map[string]string, rate float64, random *rand.Rand) rates {
	var m rates
	for round := range 24 {
		for i, encoded := range documents {
			printed := map[string]string{}
			for field, value := range encoded {
				printed[field] = value
				// What has a type of its own was parsed before it comes here, or would be no date.
				if !strings.HasSuffix(field, "_at") && field != "birth_date" && field != "gender" {
					printed[field] = misread(value, rate, random)
				}
			}
			m.honest++
			if Compare(printed, encoded).Similarity >= tolerance {
				m.accepted++
			}
			other := documents[(i+1+round)%len(documents)]
			field := []string{"last_name", "first_name", "document_number", "birth_date"}[round%4]
			a, b := strings.ToUpper(other[field]), strings.ToUpper(encoded[field])
			if a == "" || b == "" || strings.Contains(a, b) || strings.Contains(b, a) {
				continue // nothing other to plant
			}
			planted := maps.Clone(encoded)
			planted[field] = other[field]
			m.forged++
			if Compare(printed, planted).Similarity >= tolerance {
				m.missed++
			}
		}
	}
	return m
}

// The corpus is the text of real card layouts; the reader is simulated, so the figures hold for this model of a reader.
func TestAccuracyOnCards(t *testing.T) {
	raw, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		File string `json:"file"`
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	var documents []map[string]string
	for _, r := range records {
		payload, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/"+r.File))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := aamva.Parse(payload); err == nil {
			documents = append(documents, p.Fields())
		}
	}
	if len(documents) < 40 {
		t.Fatalf("%d documents", len(documents))
	}
	bounds(t, documents)
}

// The same on invented people, whose names are short and alike, without test data.
func TestAccuracyOnInventedPeople(t *testing.T) {
	surnames := []string{"Castafiore", "Haddock", "Calculus", "Thompson", "Alcazar", "Lampion", "Rastapopoulos", "Müller", "Wagg", "Oliveira"}
	given := []string{"Bianca", "Archibald", "Cuthbert", "Rosa", "Peggy", "Jolyon", "Roberto", "Ana", "Jo", "Tintin", "Nestor", "Irma"}
	var documents []map[string]string
	random := rand.New(rand.NewPCG(7, 7))
	for i, s := range surnames {
		for j, g := range given {
			number := make([]byte, 9)
			for k := range number {
				number[k] = byte('0' + random.IntN(10))
			}
			documents = append(documents, map[string]string{
				"last_name": s, "first_name": g, "document_number": string(number),
				"birth_date": "19" + string(rune('5'+i%5)) + string(rune('0'+j%10)) + "-0" + string(rune('1'+j%9)) + "-1" + string(rune('0'+i)),
				"street":     string(rune('1'+j%9)) + "2 Opera Lane", "city": "Windhover", "state": "ZZ", "postal_code": "00042",
			})
		}
	}
	bounds(t, documents)
}

func bounds(t *testing.T, documents []map[string]string) {
	t.Helper()
	// What must hold of honest documents gets less as the reader gets worse; what must hold of forged ones does not.
	least := map[float64]float64{0: 1, 0.01: 0.97, 0.03: 0.9, 0.06: 0.75}
	for _, rate := range slices.Sorted(maps.Keys(least)) {
		m := measure(documents, rate, rand.New(rand.NewPCG(1, 2)))
		accepted, missed := float64(m.accepted)/float64(m.honest), float64(m.missed)/float64(m.forged)
		t.Logf("reader's errors %.0f %%: %d honest, %.2f %% accepted; %d forged, %.2f %% missed",
			100*rate, m.honest, 100*accepted, m.forged, 100*missed)
		if accepted < least[rate] || m.honest < 900 {
			t.Errorf("errors %.0f %%: %.3f of %d honest accepted, want %.2f", 100*rate, accepted, m.honest, least[rate])
		}
		if missed > 0.005 || m.forged < 500 {
			t.Errorf("errors %.0f %%: %d of %d forged were missed", 100*rate, m.missed, m.forged)
		}
	}
}
