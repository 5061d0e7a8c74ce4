package gallery

import "golang.org/x/sys/cpu"

// fastest is the scanner for this machine. Wider registers would not make it faster: it waits for the memory.
func fastest() scanner {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return scanAVX2
	}
	return scanPortable
}

func scanAVX2(rows []float32, stride int, query []float32, threshold float32, masks []byte) {
	if stride <= 0 || stride%lineFloats != 0 || len(query) < stride || len(rows) < len(masks)*groupRows*stride {
		panic("gallery: rows, query and masks do not fit") // the code below checks no bounds
	}
	if len(masks) > 0 {
		nearAVX2(&rows[0], len(masks), 4*stride, &query[0], threshold, &masks[0])
	}
}

// nearAVX2 looks at groups of eight rows of stride bytes each, a multiple of 64. It needs AVX2 and FMA.
//
//go:noescape
func nearAVX2(rows *float32, groups, stride int, query *float32, threshold float32, masks *byte)
