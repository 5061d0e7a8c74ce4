package mrz

import (
	"strconv"
	"strings"
)

// RepairKind says what was changed.
type RepairKind string

// The kinds of repair.
const (
	RepairCharacter RepairKind = "character" // a look-alike that cannot stand in its column, such as O among digits
	RepairFiller    RepairKind = "filler"    // letters read into the fillers behind the names
	RepairLength    RepairKind = "length"    // a run of fillers read too short or too long
	RepairRows      RepairKind = "rows"      // rows that stood on one line
)

// Repair is one change made to what was read. Row and Column count from 0; a change of length has Column -1
// and the two lengths in From and To.
type Repair struct {
	Kind      RepairKind `json:"kind"`
	Field     string     `json:"field,omitempty"`
	Row       int        `json:"row"`
	Column    int        `json:"column"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Confirmed bool       `json:"confirmed"` // a check digit that covers the place holds afterwards
}

// asDigit and asLetter give the look-alike of the other class. Only pairs that share their shape in OCR-B are
// listed; a letter such as A has none and stays an error.
func asDigit(c byte) (byte, bool) {
	switch c {
	case 'O', 'Q', 'D':
		return '0', true
	case 'I', 'L':
		return '1', true
	case 'Z':
		return '2', true
	case 'S':
		return '5', true
	case 'G':
		return '6', true
	case 'B':
		return '8', true
	}
	return 0, false
}

func asLetter(c byte) (byte, bool) {
	switch c {
	case '0':
		return 'O', true
	case '1':
		return 'I', true
	case '2':
		return 'Z', true
	case '5':
		return 'S', true
	case '6':
		return 'G', true
	case '8':
		return 'B', true
	}
	return 0, false
}

// retype gives c as its column demands it, and whether that is a change.
func retype(c byte, mask byte) (byte, bool) {
	switch {
	case mask == maskDigit && c >= 'A' && c <= 'Z':
		return asDigit(c)
	case mask == maskLetter && c >= '0' && c <= '9':
		return asLetter(c)
	}
	return c, false
}

// grid is a zone under repair.
type grid struct {
	layout  layout
	rows    [][]byte
	masks   [][]byte
	repairs []Repair
}

func newGrid(l layout, rows []string) *grid {
	g := &grid{layout: l}
	for i, r := range rows {
		g.rows = append(g.rows, []byte(r))
		g.masks = append(g.masks, []byte(l.masks[i]))
	}
	return g
}

func (g *grid) text(f field) string { return string(g.rows[f.row][f.from:f.to]) }

// checkHolds says whether the check digit of a field is right.
func (g *grid) checkHolds(f field) bool {
	from, to := g.layout.checked(f)
	return checkHolds(string(g.rows[f.row][from:to]), g.rows[f.row][f.check])
}

// repairAll makes the repairs that the columns' types justify. A place under a check digit is changed only if the
// check digit holds afterwards; so a wrong check digit stays wrong, and what was read stays as it was.
func (g *grid) repairAll() {
	for _, f := range g.layout.fields {
		if f.check == noCheck {
			g.retypeUnchecked(f)
		}
	}
	g.typeNumberByIssuer()
	for _, f := range g.layout.fields {
		if f.check != noCheck {
			g.retypeChecked(f)
		}
	}
	g.retypeComposite()
	if (g.layout.format == FRID || g.layout.format == FRDL) && g.compositeHolds() {
		for i := range g.repairs {
			g.repairs[i].Confirmed = true // their composite covers every column
		}
	}
}

// typeNumberByIssuer narrows the number's columns where the issuer's numbers have a known shape: those of the
// United States are a letter or digit and eight digits.
func (g *grid) typeNumberByIssuer() {
	issuer, _ := g.layout.field(fieldIssuer)
	number, ok := g.layout.field(fieldNumber)
	if !ok || g.text(issuer) != "USA" || g.layout.visa() {
		return
	}
	for c := number.from + 1; c < number.to; c++ {
		g.masks[number.row][c] = maskDigit
	}
}

func (g *grid) retypeUnchecked(f field) {
	if f.name == fieldNames || f.name == fieldSurname || f.name == fieldGiven {
		g.clearTail(f)
	}
	for c := f.from; c < f.to; c++ {
		old := g.rows[f.row][c]
		if to, changed := retype(old, g.masks[f.row][c]); changed {
			g.rows[f.row][c] = to
			g.note(f.name, f.row, c, old, to, false)
		}
	}
}

func (g *grid) retypeChecked(f field) {
	mask, old := g.masks[f.row], append([]byte(nil), g.rows[f.row]...)
	if g.checkHolds(f) && !g.hasForeign(f) {
		return
	}
	var changed []int
	for c := f.from; c <= f.check; c++ { // the check digit stands directly behind its field
		if to, ok := retype(old[c], mask[c]); ok {
			g.rows[f.row][c] = to
			changed = append(changed, c)
		}
	}
	if len(changed) == 0 {
		return
	}
	if !g.checkHolds(f) {
		g.rows[f.row] = old
		return
	}
	for _, c := range changed {
		g.note(f.name, f.row, c, old[c], g.rows[f.row][c], true)
	}
}

// hasForeign says whether a column of the field holds what its type forbids. A letter among digits can satisfy a
// check digit by chance (B counts 11, like 1), so a check digit that holds does not excuse it.
func (g *grid) hasForeign(f field) bool {
	for c := f.from; c < f.to; c++ {
		if _, changed := retype(g.rows[f.row][c], g.masks[f.row][c]); changed {
			return true
		}
	}
	return false
}

// typed says whether the field holds only what the layout lets stand there. Letters among digits can satisfy a check
// digit, but are no date.
func (g *grid) typed(f field) bool {
	for c := f.from; c < f.to; c++ {
		if !fits(g.rows[f.row][c], g.layout.masks[f.row][c]) {
			return false
		}
	}
	return true
}

func (g *grid) retypeComposite() {
	if g.layout.composite == nil || g.compositeHolds() {
		return
	}
	r, c := g.layout.compositeRow, g.layout.compositeCol
	old := g.rows[r][c]
	to, changed := retype(old, maskDigit)
	if !changed {
		return
	}
	g.rows[r][c] = to
	if !g.compositeHolds() {
		g.rows[r][c] = old
		return
	}
	g.note(fieldComposite, r, c, old, to, true)
}

func (g *grid) compositeHolds() bool {
	if g.layout.composite == nil {
		return false
	}
	var b strings.Builder
	for _, s := range g.layout.composite {
		b.Write(g.rows[s.row][s.from:s.to])
	}
	digit := g.rows[g.layout.compositeRow][g.layout.compositeCol]
	return digit != filler && checkHolds(b.String(), digit)
}

// covers says whether a check digit of the layout covers part of a row.
func (l layout) covers(row int) bool {
	for _, f := range l.fields {
		if f.row == row && f.check != noCheck {
			return true
		}
	}
	for _, s := range l.composite {
		if s.row == row {
			return true
		}
	}
	return false
}

// clearTail turns the letters that readers see in the fillers behind the names (K, C, L, S, E for <, and 5 for the S) back into
// fillers. It touches only a tail that starts at a filler and is mostly fillers, so that no name is lost: a name
// consists of other letters too, or stands between two single fillers.
func (g *grid) clearTail(f field) {
	row := g.rows[f.row]
	start := f.to
	for start > f.from && strings.IndexByte("<KCLSE5", row[start-1]) >= 0 {
		start--
	}
	for start < f.to && row[start] != filler {
		start++
	}
	tail := row[start:f.to]
	letters := 0
	for _, c := range tail {
		if c != filler {
			letters++
		}
	}
	if letters == 0 || len(tail) < 6 || letters*2 > len(tail) || tail[0] != filler || tail[1] != filler {
		return
	}
	// "<<" may also part the surname from the given names: then what follows is the name, not the tail.
	if !strings.Contains(string(row[f.from:start]), "<<") {
		return
	}
	for c := start; c < f.to; c++ {
		if row[c] != filler {
			g.note(f.name, f.row, c, row[c], filler, false)
			g.repairs[len(g.repairs)-1].Kind = RepairFiller
			row[c] = filler
		}
	}
}

func (g *grid) note(name string, row, col int, from, to byte, confirmed bool) {
	g.repairs = append(g.repairs, Repair{
		Kind: RepairCharacter, Field: name, Row: row, Column: col,
		From: string(rune(from)), To: string(rune(to)), Confirmed: confirmed,
	})
}

// maxStretch is how many fillers a reader may have dropped or doubled on one row.
const maxStretch = 3

// fit makes a row as wide as the layout wants by lengthening or shortening its longest run of fillers, which is
// where readers miscount. It answers false if the row is off by more, or has no such run.
func fit(row string, width int) (string, bool) {
	missing := width - len(row)
	if missing == 0 {
		return row, true
	}
	if missing > maxStretch || -missing > maxStretch {
		return "", false
	}
	at, length := longestRun(row)
	if length < 2 || length+missing < 1 {
		return "", false
	}
	return row[:at] + strings.Repeat("<", length+missing) + row[at+length:], true
}

func longestRun(row string) (at, length int) {
	for i := 0; i < len(row); {
		if row[i] != filler {
			i++
			continue
		}
		j := i
		for j < len(row) && row[j] == filler {
			j++
		}
		if j-i > length {
			at, length = i, j-i
		}
		i = j
	}
	return at, length
}

func lengthRepair(row, from, to int) Repair {
	return Repair{Kind: RepairLength, Row: row, Column: -1, From: strconv.Itoa(from), To: strconv.Itoa(to)}
}
