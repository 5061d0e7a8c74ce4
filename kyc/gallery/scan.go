package gallery

import (
	"encoding/binary"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

const (
	lineFloats = 16 // a cache line, and the widest register
	groupRows  = 8  // rows that a scanner looks at together
)

// scanner looks at rows in groups of eight. rows begins on a cache line and holds len(masks) groups; a row is stride floats
// long, a whole number of lines, and so is query. Bit k of masks[i] tells that the squared distance of row 8·i+k from the query,
// as float32 arithmetic has it, is at most the threshold. A row with a NaN in it is never near.
type scanner func(rows []float32, stride int, query []float32, threshold float32, masks []byte)

// scanPortable is the scanner for machines that have none of their own.
func scanPortable(rows []float32, stride int, query []float32, threshold float32, masks []byte) {
	query = query[:stride]
	for i := range masks {
		var mask byte
		for k := range groupRows {
			row := rows[(groupRows*i+k)*stride:][:len(query)]
			var sums [4]float32
			for j := 0; j+4 <= len(query); j += 4 {
				for lane := range sums {
					d := row[j+lane] - query[j+lane]
					sums[lane] += d * d
				}
			}
			if sums[0]+sums[1]+(sums[2]+sums[3]) <= threshold {
				mask |= 1 << k
			}
		}
		masks[i] = mask
	}
}

// eachBit calls for every bit that is set, in their order. Hits are few: most of the time it skips 64 rows at once.
func eachBit(masks []byte, hit func(row int)) {
	i := 0
	for ; i+8 <= len(masks); i += 8 {
		for word := binary.LittleEndian.Uint64(masks[i:]); word != 0; word &= word - 1 {
			hit(8*i + bits.TrailingZeros64(word))
		}
	}
	for ; i < len(masks); i++ {
		for b := masks[i]; b != 0; b &= b - 1 {
			hit(8*i + bits.TrailingZeros8(b))
		}
	}
}

// misaligned is how many floats to leave out in order to begin on a cache line.
func misaligned(floats []float32) int {
	const line = 4 * lineFloats
	return int(-uintptr(unsafe.Pointer(unsafe.SliceData(floats))) % line / 4)
}

// parallel runs work on n chunks that are words long together, on as many goroutines as there are cores if so many are
// worth it. Each of them takes the numbers 0 … n−1 that no other took, in rising order.
func parallel(n, words int, work func(next func() (int, bool))) {
	const worth = 1 << 20 // words that take longer to read than a goroutine to start
	workers := min(runtime.GOMAXPROCS(0), n, max(1, words/worth))
	var taken atomic.Int64
	next := func() (int, bool) {
		i := int(taken.Add(1)) - 1
		return i, i < n
	}
	var others sync.WaitGroup
	for range workers - 1 {
		others.Go(func() { work(next) })
	}
	work(next)
	others.Wait()
}
