package printed

import (
	"strings"

	"kycd/vision"
)

// Meanings of labels that stand for more than one field.
const (
	meansName    = "name"    // given names
	meansAddress = "address" // street and town
	meansNothing = "-"       // a label that only ends the value before it
)

// label is the place of a label: words from..to of its line.
type label struct {
	meaning  string
	from, to int
	numbered bool // a field number of the card design standard stands before it
	above    bool // a caption of a travel document: the value stands below
	whole    bool // a label of a whole name
}

func (l label) caption() bool { return l.above }

// phrase is one wording of a label. Words are upper case without signs.
type phrase struct {
	meaning string
	number  string // field number of the card design standard that may stand before it
	words   string
	above   bool
}

// phrases are the wordings known, of American cards (AAMVA card design standard, annex D) and of travel documents
// (ICAO 9303 part 4, the English captions). The longest that fits is taken.
func phrases() []phrase {
	return []phrase{
		{DocumentNumber, "4D", "DLN", false}, {DocumentNumber, "4D", "DL NO", false}, {DocumentNumber, "4D", "DL", false},
		{DocumentNumber, "4D", "LIC NO", false}, {DocumentNumber, "4D", "LICENSE NO", false}, {DocumentNumber, "4D", "LICENSE NUMBER", false},
		{DocumentNumber, "4D", "ID NO", false}, {DocumentNumber, "4D", "ID", false}, {DocumentNumber, "4D", "IDN", false},
		{DocumentNumber, "4D", "CUSTOMER IDENTIFIER", false}, {DocumentNumber, "4D", "NUMBER", false}, {DocumentNumber, "4D", "NO", false},
		{DocumentNumber, "4D", "DL NUMBER", false}, {DocumentNumber, "4D", "DRIVER LICENSE NO", false}, {DocumentNumber, "4D", "LIC", false},
		{DocumentNumber, "4D", "LIC NUMBER", false}, {DocumentNumber, "4D", "LICENSE", false}, {DocumentNumber, "4D", "ID NUMBER", false},
		{DocumentNumber, "4D", "IDENTIFICATION NO", false}, {DocumentNumber, "4D", "CDL", false}, {DocumentNumber, "4D", "CARD NO", false},
		{DocumentNumber, "4D", "", false},
		{BirthDate, "3", "DOB", false}, {BirthDate, "3", "DATE OF BIRTH", false}, {BirthDate, "3", "BIRTH DATE", false},
		{BirthDate, "3", "BIRTHDATE", false},
		{ExpiresAt, "4B", "EXP", false}, {ExpiresAt, "4B", "EXPIRES", false}, {ExpiresAt, "4B", "EXPIRATION DATE", false}, {ExpiresAt, "4B", "", false},
		{ExpiresAt, "4B", "EXP DATE", false}, {ExpiresAt, "4B", "EXPIRATION", false}, {ExpiresAt, "4B", "DATE OF EXPIRY", false},
		{IssuedAt, "4A", "ISS", false}, {IssuedAt, "4A", "ISSUED", false}, {IssuedAt, "4A", "ISSUE DATE", false}, {IssuedAt, "4A", "", false},
		{IssuedAt, "4A", "DATE OF ISSUE", false}, {IssuedAt, "4A", "ISS DATE", false}, {IssuedAt, "4A", "DATE ISSUED", false},
		{LastName, "1", "LAST NAME", false}, {LastName, "1", "FAMILY NAME", false}, {LastName, "1", "LN", false}, {LastName, "1", "LAST", false},
		{LastName, "1", "SURNAME", false}, {LastName, "1", "NAME", false},
		{meansName, "2", "FIRST MIDDLE", false}, {meansName, "2", "FIRSTMIDDLE", false}, {meansName, "2", "FIRST NAME", false}, {meansName, "2", "GIVEN NAMES", false},
		{meansName, "2", "GIVEN NAME", false}, {meansName, "2", "FN", false}, {meansName, "2", "FIRST", false}, {meansName, "2", "GIVEN", false},
		{meansName, "2", "FIRST NAMES", false}, {meansName, "2", "FIRST MIDDLE NAME", false},
		{meansAddress, "8", "ADDRESS", false}, {meansAddress, "8", "ADDR", false},
		{Gender, "15", "SEX", false},
		{Height, "16", "HGT", false}, {Height, "16", "HEIGHT", false}, {Height, "16", "HT", false},
		{Weight, "17", "WGT", false}, {Weight, "17", "WEIGHT", false}, {Weight, "17", "WT", false},
		{EyeColor, "18", "EYES", false}, {EyeColor, "18", "EYE", false}, {EyeColor, "18", "EYE COLOR", false},
		{HairColor, "19", "HAIR", false}, {HairColor, "19", "HAIR COLOR", false},
		{RefNumber, "5", "DD", false}, {RefNumber, "5", "DOCUMENT DISCRIMINATOR", false},
		{Class, "9", "CLASS", false}, {Restrictions, "12", "REST", false}, {Restrictions, "12", "RESTRICTIONS", false}, {Restrictions, "12", "RESTR", false},
		{Endorsements, "9A", "END", false}, {Endorsements, "9A", "ENDORSEMENTS", false},
		{Restrictions, "12", "RSTR", false}, {Class, "9", "CL", false}, {Gender, "15", "GENDER", false},
		{meansNothing, "", "DUPS", false}, {meansNothing, "", "ORGAN DONOR", false},
		{meansNothing, "", "DONOR", false}, {meansNothing, "", "VETERAN", false}, {meansNothing, "", "REAL ID", false},

		{DocumentNumber, "", "PASSPORT NO", true}, {DocumentNumber, "", "PASSPORT CARD NO", true}, {DocumentNumber, "", "DOCUMENT NO", true},
		{DocumentNumber, "", "PASSPORT NUMBER", true}, {DocumentNumber, "", "DOCUMENT NUMBER", true},
		{LastName, "", "SURNAME", true}, {meansName, "", "GIVEN NAMES", true}, {meansName, "", "GIVEN NAME", true},
		{Nationality, "", "NATIONALITY", true}, {BirthDate, "", "DATE OF BIRTH", true}, {BirthPlace, "", "PLACE OF BIRTH", true},
		{IssuedAt, "", "DATE OF ISSUE", true}, {IssuedAt, "", "ISSUED ON", true}, {IssuedAt, "", "DATE OF ISSUANCE", true},
		{ExpiresAt, "", "DATE OF EXPIRY", true}, {ExpiresAt, "", "DATE OF EXPIRATION", true}, {ExpiresAt, "", "EXPIRES ON", true},
		{Gender, "", "SEX", true}, {meansNothing, "", "AUTHORITY", true}, {meansNothing, "", "TYPE", true},
		{IssuingCountry, "", "CODE", true}, {meansNothing, "", "SIGNATURE", true},

		{DocumentNumber, "", "NO DU PASSEPORT", true}, {DocumentNumber, "", "PASSEPORT NO", true}, {DocumentNumber, "", "CARD NO", true},
		{DocumentNumber, "", "CARD NUMBER", true}, {DocumentNumber, "", "ID NUMBER", true},
		{LastName, "", "NOM", true}, {LastName, "", "APELLIDOS", true}, {LastName, "", "LAST NAME", true}, {LastName, "", "FAMILY NAME", true},
		{meansName, "", "PRENOMS", true}, {meansName, "", "PRENOM", true}, {meansName, "", "NOMBRES", true}, {meansName, "", "FORENAMES", true},
		{meansName, "", "FIRST NAME", true},
		{Nationality, "", "NATIONALITE", true}, {Nationality, "", "NACIONALIDAD", true},
		{BirthDate, "", "DATE DE NAISSANCE", true}, {BirthDate, "", "FECHA DE NACIMIENTO", true},
		{BirthPlace, "", "LIEU DE NAISSANCE", true}, {BirthPlace, "", "LUGAR DE NACIMIENTO", true},
		{IssuedAt, "", "DATE DE DELIVRANCE", true}, {IssuedAt, "", "FECHA DE EXPEDICION", true},
		{ExpiresAt, "", "DATE DEXPIRATION", true}, {ExpiresAt, "", "DATE D EXPIRATION", true}, {ExpiresAt, "", "FECHA DE CADUCIDAD", true},
		{ExpiresAt, "", "EXPIRY DATE", true}, {BirthDate, "", "DATE DE NAISS", true},
		{Gender, "", "SEXE", true}, {Gender, "", "SEXO", true}, {meansNothing, "", "AUTORITE", true}, {meansNothing, "", "AUTORIDAD", true},
	}
}

// findLabels marks the labels of every line. Whether a wording is a caption, with its value below, or stands before its
// value cannot be told from itself: a travel document has captions, a card does not.
func (p *page) findLabels() {
	known := phrases()
	wordings := make([][]string, len(known))
	for i, ph := range known {
		wordings[i] = strings.Fields(ph.words)
	}
	for li := range p.lines {
		words := p.lines[li].words
		keys := make([]string, len(words))
		for i, w := range words {
			keys[i] = key(w.Text)
		}
		for i := 0; i < len(words); {
			best, found := label{}, false
			for k, ph := range known {
				if ph.above != p.travel {
					continue
				}
				to, numbered, ok := ph.match(wordings[k], keys, i)
				if !ok || !numbered && !p.free(li, i) || !numbered && ph.weak() && !ph.stated(words[i].Text) {
					continue
				}
				if !found || to > best.to {
					best, found = label{meaning: ph.meaning, from: i, to: to, numbered: numbered, above: ph.above, whole: ph.words == "NAME"}, true
				}
			}
			if !found {
				i++
				continue
			}
			// A caption begins with its first language, known or not: the value stands under that.
			for p.travel && best.from > 0 && !apart(words, best.from) && !p.lines[li].labelled(best.from-1) {
				best.from--
			}
			p.lines[li].labels = append(p.lines[li].labels, best)
			i = best.to
		}
	}
}

// free says whether a label may begin at a word: where it stands apart, or right behind another label or a stroke, as the second
// language of a caption does.
func (p *page) free(li, i int) bool {
	labels, words := p.lines[li].labels, p.lines[li].words
	if apart(words, i) {
		return true
	}
	return p.travel && (len(labels) > 0 && labels[len(labels)-1].to == i || words[i-1].Text == "/" || strings.HasPrefix(words[i].Text, "/"))
}

// weak says whether a wording is too short or too common to be believed as it comes, without its number.
func (ph phrase) weak() bool { return len(ph.words) < 3 || common(ph.words) }

// stated says whether a word is the whole wording in capitals, as labels of cards are set. Ordinary words that name too much are
// never believed.
func (ph phrase) stated(word string) bool {
	switch ph.words {
	case "", "NUMBER", "NO", "FIRST", "LAST", "GIVEN":
		return false
	}
	return strings.Trim(word, ".:#") == ph.words
}

// apart says whether a word begins a line or stands clear of the word before it, as labels do and words of a sentence do not.
func apart(words []vision.Word, i int) bool {
	if i == 0 {
		return true
	}
	before, here := words[i-1].Box, words[i].Box
	return here.X-before.X-before.Width > max(before.Height, here.Height)
}

// travels says whether the page is that of a passport, a passport card or an identity card with captions.
func travels(lines []line) bool {
	passport, card := 0, 0
	for _, l := range lines {
		for _, w := range l.words {
			switch key(w.Text) {
			case "PASSPORT", "NATIONALITY", "PASSEPORT", "SURNAME", "NATIONALITE", "NATIONALITYNATIONALITE", "SURNAMENOM":
				passport++
			case "LICENSE", "LICENCE", "DRIVER", "IDENTIFICATION", "DLN", "4D":
				card++
			}
		}
	}
	return passport > card
}

// match tries the phrase on the words from i on: number and wording, the wording alone, or a number glued to it. A short or
// common wording counts only with its number; with its number, small print may be misread further than without.
func (ph phrase) match(wording, keys []string, i int) (to int, numbered, ok bool) {
	at := i
	slack := 0
	if ph.number != "" {
		rest, glued := strings.CutPrefix(keys[at], ph.number)
		switch {
		case keys[at] == "":
		case alike(keys[at], ph.number):
			numbered = true
			at++
		case glued && len(wording) == 0 && len(ph.number) == 2 && len(rest) <= 5 && !strings.ContainsAny(rest+ph.number[1:], "0123456789"):
			// "4dDtNn": the number tells enough.
			return at + 1, true, true
		case glued && len(wording) > 0 && len(rest) >= 2 && near(rest, wording[0], 1+len(wording[0])/5):
			numbered = true
			wording = wording[1:]
			at++
		case len(wording) > 0 && len(ph.number)+len(wording[0]) >= 7 && near(keys[at], ph.number+wording[0], 1):
			// "s8ADDRESS": a speck before the number.
			numbered = true
			wording = wording[1:]
			at++
		}
		if numbered {
			slack = 1
		}
	}
	if !numbered && ph.words == "" {
		return 0, false, false
	}
	for k := 0; k < len(wording); k++ {
		w := wording[k]
		if at < len(keys) && k+1 < len(wording) && keys[at] == w+wording[k+1] {
			// "Card.No." is one word to the reader.
			k++
			at++
			continue
		}
		allowed := slack
		if len(w) > 5 || len(w) > 4 && ph.above || numbered && len(w) > 3 {
			allowed++
		}
		if len(w) < 3 {
			allowed = 0
		}
		if at >= len(keys) || !alike(keys[at], w) && !near(keys[at], w, allowed) {
			return 0, false, false
		}
		at++
	}
	return at, numbered, at > i
}

// common says whether a wording is also an ordinary word on documents.
func common(wording string) bool {
	switch wording {
	case "NAME", "NUMBER", "FIRST", "LAST", "GIVEN", "END", "REST", "ISS":
		return true
	}
	return false
}

// key is a word without signs and accents, in capitals.
func key(s string) string {
	s = strings.ToUpper(s)
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) >= 0 {
		s = unaccented().Replace(s)
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unaccented replaces the accented capitals of the captions' languages.
func unaccented() *strings.Replacer {
	return strings.NewReplacer("É", "E", "È", "E", "Ê", "E", "À", "A", "Á", "A", "Â", "A", "Ó", "O", "Ô", "O", "Í", "I", "Ú", "U", "Û", "U", "Ç", "C", "Ñ", "N")
}

// alike allows the readings that OCR confuses.
func alike(got, want string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range len(got) {
		if unconfused(got[i]) != unconfused(want[i]) {
			return false
		}
	}
	return true
}

// unconfused maps characters that look alike to one of them.
func unconfused(c byte) byte {
	switch c {
	case 'O', 'Q':
		return '0'
	case 'I', 'L', '|':
		return '1'
	case 'S':
		return '5'
	case 'B':
		return '8'
	case 'Z':
		return '2'
	}
	return c
}

// near says whether no more than so many letters changed, added or left out turn a into b.
func near(a, b string, most int) bool {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return false
	}
	if most == 0 {
		return a == b
	}
	before := make([]int, len(b)+1)
	for j := range before {
		before[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := before[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, before[j+1]+1, row[j]+1)
		}
		before = row
	}
	return before[len(b)] <= most
}
