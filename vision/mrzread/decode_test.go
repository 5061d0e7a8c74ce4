package mrzread

import (
	"slices"
	"strings"
	"testing"

	"kycd/kyc/mrz"
	"kycd/vision/mrzread/glyphs"
)

// scoresOf are those of a reader that is sure of each character.
func scoresOf(lines []string, sure float32) [][]glyphs.Scores {
	out := make([][]glyphs.Scores, len(lines))
	for i, l := range lines {
		for k := range l {
			var s glyphs.Scores
			for j := range s {
				s[j] = (1 - sure) / float32(len(s)-1)
			}
			s[strings.IndexByte(glyphs.Alphabet, l[k])] = sure
			out[i] = append(out[i], s)
		}
	}
	return out
}

// zoneLines is a right zone of each layout.
func zoneLines(t *testing.T) map[mrz.Format][]string {
	t.Helper()
	out := map[mrz.Format][]string{
		mrz.FRID: {"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"},
	}
	for _, d := range []mrz.Document{
		{Format: mrz.TD1, Type: "I"}, {Format: mrz.TD2, Type: "I"}, {Format: mrz.TD3, Type: "P"},
		{Format: mrz.MRVA, Type: "V"}, {Format: mrz.MRVB, Type: "V"},
	} {
		d.Issuer, d.Nationality, d.Number, d.Sex = "UTO", "UTO", "L898902C3", "F"
		d.BirthDate, d.ExpiresAt, d.Surname, d.GivenNames, d.Optional = "1974-08-12", "2027-04-15", "ERIKSSON", "ANNA MARIA", "ZE184"
		lines, err := mrz.Compose(d)
		if err != nil {
			t.Fatal(d.Format, err)
		}
		out[d.Format] = lines
	}
	return out
}

func never(check) bool { return false }

// The rules of the columns must agree with the parser's: every right zone has all the probability, and a zone with one
// wrong check digit hardly any.
func TestRulesAgreeWithTheParser(t *testing.T) {
	for format, lines := range zoneLines(t) {
		rule := ruleOf(len(lines), len(lines[0]), lines[0][:5])
		for i, l := range lines {
			if len(rule.kinds[i]) != len(l) {
				t.Fatalf("%s: row %d has %d kinds for %d columns", format, i, len(rule.kinds[i]), len(l))
			}
		}
		d, ok := decode(scoresOf(lines, 0.9999), lines, rule, never)
		if !ok || d.holding < 0.98 || !slices.Equal(d.lines, lines) {
			t.Errorf("%s: %v %+v, want %q", format, ok, d, lines)
		}
		for _, c := range rule.checks {
			wrong := slices.Clone(lines)
			row := []byte(wrong[c.row])
			row[c.to] = '0' + (row[c.to]-'0'+5)%10
			wrong[c.row] = string(row)
			if d, ok := decode(scoresOf(wrong, 0.9999), wrong, rule, never); ok && d.holding > 0.02 {
				t.Errorf("%s: with a wrong check digit in row %d column %d the check digits hold with %.4f", format, c.row, c.to, d.holding)
			}
		}
	}
}

// What reads doubtfully is settled by the check digits and reported; what reads surely stays, right or wrong.
func TestCheckDigitsSettleDoubts(t *testing.T) {
	for format, lines := range zoneLines(t) {
		rule := ruleOf(len(lines), len(lines[0]), lines[0][:5])
		c := rule.checks[0]
		at := c.from + 4
		wrong := byte('3')
		if lines[c.row][at] == wrong {
			wrong = '9'
		}
		for _, test := range []struct {
			wrong, right float32
			settled      bool
		}{{0.55, 0.43, true}, {0.9, 0.09, true}, {0.99, 0.0003, false}} {
			scores := scoresOf(lines, 0.999)
			s := &scores[c.row][at]
			clear(s[:])
			s[strings.IndexByte(glyphs.Alphabet, wrong)] = test.wrong
			s[strings.IndexByte(glyphs.Alphabet, lines[c.row][at])] = test.right
			found, ok := spellAll(scores, len(lines[0]), today())
			if !ok {
				t.Fatalf("%s: not read", format)
			}
			if found.Document.Valid != test.settled {
				t.Errorf("%s, %v: valid %v", format, test, found.Document.Valid)
			}
			if test.settled && (!slices.Equal(found.Document.Lines, lines) || len(found.Document.Repairs) != 1) {
				t.Errorf("%s, %v: %q with %d repairs", format, test, found.Document.Lines, len(found.Document.Repairs))
			}
		}
	}
}

// Two readings that explain the check digits equally well are none.
func TestAmbiguousReadingIsNotValid(t *testing.T) {
	lines := zoneLines(t)[mrz.MRVA]
	scores := scoresOf(lines, 0.999)
	// Column 0 has weight 7 and column 3 as well: raising one and lowering the other by as much leaves the sum.
	for _, column := range []int{13, 16} {
		s := &scores[1][column]
		clear(s[:])
		c := lines[1][column]
		s[strings.IndexByte(glyphs.Alphabet, '0'+(c-'0'+1)%10)] = 0.48
		s[strings.IndexByte(glyphs.Alphabet, '0'+(c-'0'+9)%10)] = 0.47
		s[strings.IndexByte(glyphs.Alphabet, c)] = 0.05
	}
	if c, ok := spellAll(scores, 44, today()); !ok || c.Document.Valid && len(c.Document.Repairs) > 0 {
		t.Errorf("%v: valid %v, %q", ok, c.Document.Valid, c.Document.Lines)
	}
}
