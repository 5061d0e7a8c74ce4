package torch

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// pen writes pickles as PyTorch does.
type pen []byte

func (p pen) proto() pen        { return append(p, 0x80, 2) }
func (p pen) op(b ...byte) pen  { return append(p, b...) }
func (p pen) number(n byte) pen { return append(p, 'K', n) }
func (p pen) text(s string) pen {
	return append(binary.LittleEndian.AppendUint32(append(p, 'X'), uint32(len(s))), s...)
}
func (p pen) global(name string) pen {
	return append(append(append(p, 'c'), strings.Replace(name, " ", "\n", 1)...), '\n')
}

// array is one tensor and its storage.
type array struct {
	name, key, class string
	shape, strides   []byte
	offset           byte
	values           []float32
}

// tensor writes _rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict()).
func (p pen) tensor(a array) pen {
	p = p.global("torch._utils _rebuild_tensor_v2").op('(', '(').text("storage").global("torch " + a.class).text(a.key).text("cuda:0")
	p = p.number(byte(len(a.values))).op('N', 't', 'Q').number(a.offset)
	for _, dims := range [][]byte{a.shape, a.strides} {
		p = p.op('(')
		for _, d := range dims {
			p = p.number(d)
		}
		p = p.op('t')
	}
	return p.op(0x89).global("collections OrderedDict").op(')', 'R', 't', 'R')
}

func file(arrays ...array) []byte {
	p := pen{}.proto().op(0x8A, 10).op([]byte(magic)...).op('.')
	p = p.proto().op('M', 0xE9, 0x03, '.')
	p = p.proto().op('}', 'q', 0, '(').text("little_endian").op(0x88, 'u', '.')
	p = p.proto().global("collections OrderedDict").op('q', 0, ')', 'R', 'q', 1, '(')
	for _, a := range arrays {
		p = p.text(a.name).tensor(a)
	}
	// The dictionary's own attribute: {"_metadata": OrderedDict()}.
	p = p.op('u', '}').text("_metadata").op('h', 0, ')', 'R', 's', 'b', '.')
	p = p.proto().op(']', 'q', 0, '(')
	for _, a := range arrays {
		p = p.text(a.key)
	}
	p = p.op('e', '.')
	for _, a := range arrays {
		p = binary.LittleEndian.AppendUint64(p, uint64(len(a.values)))
		for _, v := range a.values {
			if a.class == "LongStorage" {
				p = binary.LittleEndian.AppendUint64(p, uint64(v))
				continue
			}
			p = binary.LittleEndian.AppendUint32(p, math.Float32bits(v))
		}
	}
	return p
}

var (
	matrix  = array{"module.a.weight", "111", "FloatStorage", []byte{2, 3}, []byte{3, 1}, 0, []float32{1, 2, 3, 4, 5, 6}}
	counter = array{"module.a.count", "222", "LongStorage", nil, nil, 0, []float32{7}}
	part    = array{"module.b.bias", "333", "FloatStorage", []byte{2, 1}, []byte{1, 9}, 1, []float32{8, 9, 10}}
)

func TestReadState(t *testing.T) {
	got, err := ReadState(file(matrix, counter, part))
	if err != nil {
		t.Fatal(err)
	}
	a, b := got["module.a.weight"], got["module.b.bias"]
	if len(got) != 2 || !slices.Equal(a.Shape, []int{2, 3}) || !slices.Equal(a.Values, matrix.values) {
		t.Errorf("read %v", got)
	}
	if !slices.Equal(b.Shape, []int{2, 1}) || !slices.Equal(b.Values, []float32{9, 10}) {
		t.Errorf("part of an array: %v", b)
	}
}

func TestReadStateRefuses(t *testing.T) {
	change := func(a array, f func(a *array)) array { f(&a); return a }
	good := file(matrix)
	for name, data := range map[string][]byte{
		"nothing":                     nil,
		"a zip file, the newer form":  []byte("PK\x03\x04 and so on"),
		"another magic number":        slices.Concat(pen{}.proto().op(0x8A, 1, 5, '.'), good),
		"a column":                    file(change(matrix, func(a *array) { a.strides = []byte{1, 2} })),
		"strides missing":             file(change(matrix, func(a *array) { a.strides = []byte{3} })),
		"beyond its array":            file(change(matrix, func(a *array) { a.offset = 1 })),
		"more than its array":         file(change(matrix, func(a *array) { a.shape = []byte{3, 3} })),
		"half precision":              file(change(matrix, func(a *array) { a.class = "HalfStorage" })),
		"another key":                 []byte(strings.Replace(string(good), "X\x03\x00\x00\x00111e.", "X\x03\x00\x00\x00112e.", 1)),
		"an array twice":              file(matrix, matrix),
		"numbers cut off":             good[:len(good)-1],
		"an array of another length":  slices.Concat(good[:len(good)-32], []byte{5}, good[len(good)-31:]),
		"a call of the system":        pen{}.proto().op(0x8A, 10).op([]byte(magic)...).op('.').proto().op('M', 0xE9, 0x03, '.').global("os system").op('(').text("true").op('t', 'R', '.'),
		"a list instead of a dict":    slices.Concat([]byte(good[:15]), pen{}.proto().op('M', 0xE9, 0x03, '.', ']', '.', ']', '.')),
		"text of four gigabytes":      slices.Concat([]byte(good[:15]), []byte{'X', 0xff, 0xff, 0xff, 0x7f}),
		"text of a negative length":   slices.Concat([]byte(good[:15]), []byte{'X', 0xff, 0xff, 0xff, 0xff}),
		"a mark for a value":          slices.Concat([]byte(good[:15]), []byte("((R")),
		"nothing on the stack":        slices.Concat([]byte(good[:15]), []byte("u")),
		"nothing that was remembered": slices.Concat([]byte(good[:15]), []byte("h\x07")),
	} {
		if got, err := ReadState(data); err == nil {
			t.Errorf("%s: read %v", name, got)
		}
	}
	if _, err := ReadState(good); err != nil {
		t.Errorf("the sound one: %v", err)
	}
}

// Many tensors of one array would make much of little.
func TestNoTensorSharesItsNumbers(t *testing.T) {
	big := array{"module.a", "1", "FloatStorage", []byte{250}, []byte{1}, 0, make([]float32, 250)}
	p := pen(nil)
	for range 100 {
		p = p.text("again").tensor(big)
	}
	data := file(big)
	at := strings.Index(string(data), "u}X\x09\x00\x00\x00_metadata")
	if _, err := ReadState(slices.Concat(data[:at], p, data[at:])); err == nil || !strings.Contains(err.Error(), "not in the file") {
		t.Errorf("error %v", err)
	}
}

func TestDamagedStateNeverPanics(t *testing.T) {
	data := file(matrix, counter, part)
	for end := range data {
		if _, err := ReadState(data[:end]); err == nil {
			t.Errorf("read a file cut off at %d of %d", end, len(data))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := slices.Clone(data)
		for range 1 + random.IntN(4) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		tensors, err := ReadState(b)
		for _, v := range tensors {
			if len(v.Values) > len(b) {
				t.Errorf("%d values of %d bytes, %v", len(v.Values), len(b), err)
			}
		}
	}
}

func FuzzReadState(f *testing.F) {
	f.Add(file(matrix, counter, part))
	f.Add(file())
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := ReadState(data)
		if err != nil && tensors != nil {
			t.Errorf("%d tensors and %v", len(tensors), err)
		}
	})
}
