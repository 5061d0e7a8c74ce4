package sweep

import "testing"

func TestSumReadsEverything(t *testing.T) {
	for _, n := range []int{0, 1, 7, 127, 128, 129, 256, 1000} {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i % 8) // small whole numbers: exact in any order
		}
		var want float32
		for _, v := range values {
			want += v
		}
		if got := Sum(values); got != want {
			t.Errorf("%d values: %v, want %v", n, got, want)
		}
	}
}

func TestPortable(t *testing.T) {
	values := make([]float32, lot)
	for i := range values {
		values[i] = float32(i)
	}
	if got, want := portable(values), float32(lot*(lot-1)/2); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
