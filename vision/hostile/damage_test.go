package hostile

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// damaged is a JPEG with one to three random damages. Most keep its start and end markers, so that they pass the
// inspection of the container and reach the decoder and what stands behind it. others lend parts.
func damaged(rng *rand.Rand, whole []byte, others [][]byte) []byte {
	b := bytes.Clone(whole)
	for range 1 + rng.IntN(3) {
		damage := damages()[rng.IntN(len(damages()))]
		if next := damage(rng, b, others[rng.IntN(len(others))]); len(next) > 0 {
			b = next
		}
	}
	if rng.IntN(10) > 0 && !bytes.HasSuffix(b, []byte{0xFF, 0xD9}) {
		b = append(b, 0xFF, 0xD9)
	}
	return b
}

// damages lists the ways. Each gets bytes that it may change, and those of another picture that it may not.
func damages() []func(rng *rand.Rand, b, other []byte) []byte {
	return []func(*rand.Rand, []byte, []byte) []byte{
		flipBits, overwriteHeader, deleteRun, insertRun, truncate, scrambleScan, scrambleScan,
		repeatSegment, dropSegment, swapSegments, editTables, editTables, editFrame, editFrame, editScanHeader, restartInterval, foreignScan,
	}
}

func flipBits(rng *rand.Rand, b, _ []byte) []byte {
	for range 1 + rng.IntN(16) {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
	return b
}

// telling are byte values at which parsers err.
func telling(rng *rand.Rand) byte {
	return []byte{0, 1, 0x7F, 0x80, 0xFE, 0xFF, byte(rng.Uint32())}[rng.IntN(7)]
}

func overwriteHeader(rng *rand.Rand, b, _ []byte) []byte {
	end := scanStart(b)
	for range 1 + rng.IntN(6) {
		if end > 2 {
			b[2+rng.IntN(end-2)] = telling(rng)
		}
	}
	return b
}

func deleteRun(rng *rand.Rand, b, _ []byte) []byte {
	at := rng.IntN(len(b))
	return append(b[:at], b[min(at+1+rng.IntN(64), len(b)):]...)
}

func insertRun(rng *rand.Rand, b, _ []byte) []byte {
	at := rng.IntN(len(b))
	return bytes.Join([][]byte{b[:at], noise(rng, 1+rng.IntN(64)), b[at:]}, nil)
}

func truncate(rng *rand.Rand, b, _ []byte) []byte { return b[:1+rng.IntN(len(b))] }

func noise(rng *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(rng.Uint32())
	}
	return out
}

func scrambleScan(rng *rand.Rand, b, _ []byte) []byte {
	from := scanStart(b)
	if from >= len(b)-2 {
		return b
	}
	for range 1 + rng.IntN(40) {
		if at := from + rng.IntN(len(b)-2-from); b[at] != 0xFF {
			b[at] = byte(rng.IntN(0xFF))
		}
	}
	return b
}

func repeatSegment(rng *rand.Rand, b, _ []byte) []byte {
	all := segments(b)
	if len(all) == 0 {
		return b
	}
	s := all[rng.IntN(len(all))]
	return bytes.Join([][]byte{b[:s.end], bytes.Repeat(b[s.start:s.end], 1+rng.IntN(3)), b[s.end:]}, nil)
}

func dropSegment(rng *rand.Rand, b, _ []byte) []byte {
	all := segments(b)
	if len(all) == 0 {
		return b
	}
	s := all[rng.IntN(len(all))]
	return append(b[:s.start], b[s.end:]...)
}

func swapSegments(rng *rand.Rand, b, _ []byte) []byte {
	all := segments(b)
	if len(all) < 2 {
		return b
	}
	i := rng.IntN(len(all) - 1)
	one, two := all[i], all[i+1+rng.IntN(len(all)-1-i)]
	return bytes.Join([][]byte{b[:one.start], b[two.start:two.end], b[one.end:two.start], b[one.start:one.end], b[two.end:]}, nil)
}

// editTables changes quantisation and Huffman tables, and what else applications wrote, EXIF for one.
func editTables(rng *rand.Rand, b, _ []byte) []byte {
	return edit(rng, b, func(marker byte) bool { return marker == 0xDB || marker == 0xC4 || marker >= 0xE0 })
}

// editFrame changes size, precision, components and sampling factors.
func editFrame(rng *rand.Rand, b, _ []byte) []byte {
	return edit(rng, b, func(marker byte) bool { return marker >= 0xC0 && marker <= 0xC2 })
}

// editScanHeader changes which components and coefficients a scan holds.
func editScanHeader(rng *rand.Rand, b, _ []byte) []byte {
	return edit(rng, b, func(marker byte) bool { return marker == 0xDA })
}

func edit(rng *rand.Rand, b []byte, wanted func(marker byte) bool) []byte {
	var some []segment
	for _, s := range segments(b) {
		if wanted(s.marker) && s.end-s.start > 4 {
			some = append(some, s)
		}
	}
	if len(some) == 0 {
		return b
	}
	s := some[rng.IntN(len(some))]
	for range 1 + rng.IntN(3) {
		b[s.start+4+rng.IntN(s.end-s.start-4)] = telling(rng)
	}
	return b
}

func restartInterval(rng *rand.Rand, b, _ []byte) []byte {
	return bytes.Join([][]byte{b[:2], {0xFF, 0xDD, 0, 4, byte(rng.IntN(2)), byte(rng.Uint32())}, b[2:]}, nil)
}

// foreignScan puts the pixels of another picture behind this one's header.
func foreignScan(_ *rand.Rand, b, other []byte) []byte {
	return bytes.Join([][]byte{b[:scanStart(b)], other[scanStart(other):]}, nil)
}

// segment is a marker segment with a length: b[start:end] with its marker.
type segment struct {
	marker     byte
	start, end int
}

// segments lists what stands before the first scan's data, as far as it can be followed.
func segments(b []byte) []segment {
	var all []segment
	for pos := 2; pos+4 <= len(b) && b[pos] == 0xFF; {
		end := pos + 2 + int(binary.BigEndian.Uint16(b[pos+2:]))
		if end > len(b) || end < pos+4 {
			break
		}
		all = append(all, segment{marker: b[pos+1], start: pos, end: end})
		if b[pos+1] == 0xDA {
			break
		}
		pos = end
	}
	return all
}

// scanStart is where the first scan's data begin; the end of what can be followed if there is none.
func scanStart(b []byte) int {
	if all := segments(b); len(all) > 0 {
		return all[len(all)-1].end
	}
	return min(2, len(b))
}
