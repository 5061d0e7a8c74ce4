package seal

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// NormalName brings a person's name into the form that is indexed: case folded, marks stripped, letters with a
// stroke or ligature taken apart, apostrophes dropped, every other sign a single space. "O’Brien-Müller" and
// "OBRIEN MULLER" agree. The digraphs of passports (MUELLER for Müller) are another spelling: index both.
func NormalName(name string) string {
	var words strings.Builder
	gap := false
	for _, r := range fold(name) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = true
			continue
		}
		if gap && words.Len() > 0 {
			words.WriteByte(' ')
		}
		gap = false
		words.WriteRune(r)
	}
	return words.String()
}

// NormalNumber brings a document number into the form that is indexed: upper case letters and digits without marks,
// nothing else.
func NormalNumber(number string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, cases.Upper(language.Und).String(fold(number)))
}

// fold takes case, marks, ligatures and apostrophes away. It repeats until nothing changes any more, because a folded
// letter may decompose and a decomposed one may fold.
func fold(name string) string {
	name = strings.ToValidUTF8(name, " ")
	for range 4 {
		folded := cases.Fold().String(norm.NFKD.String(strings.Map(dropApostrophe, name)))
		folded = stripMarks(norm.NFKD.String(folded))
		folded = plainLetters(strings.Map(dropApostrophe, folded))
		if folded == name {
			break
		}
		name = folded
	}
	return name
}

func stripMarks(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return r
	}, text)
}

// dropApostrophe removes every sign that is used as an apostrophe, modifier letters included: they are letters to
// Unicode and would otherwise stay.
func dropApostrophe(r rune) rune {
	switch r {
	case '\'', '’', '‘', '`', '´', 'ʼ', 'ʻ', 'ʹ', '′', '＇':
		return -1
	}
	return r
}

// plainLetters replaces Latin letters that Unicode does not decompose, as passports transliterate them where one
// letter suffices (ICAO Doc 9303 part 3, table 6.A).
func plainLetters(text string) string {
	return strings.NewReplacer(
		"ø", "o", "ł", "l", "đ", "d", "ð", "d", "ħ", "h", "ı", "i", "ŋ", "n", "ŧ", "t",
		"æ", "ae", "œ", "oe", "þ", "th", "ß", "ss",
	).Replace(text)
}
