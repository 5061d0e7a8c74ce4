// Package torch reads the weights of PyTorch: a dictionary of tensors in the file format of its versions before 1.6, which
// is a sequence of pickles and then the numbers.
package torch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Tensor is one array, in row-major order.
type Tensor struct {
	Shape  []int
	Values []float32
}

// storage is an array of numbers behind the pickles.
type storage struct {
	kind    global
	count   int
	content []byte
}

// view is a tensor that has not got its numbers yet.
type view struct {
	from   *storage
	offset int
	shape  []int
}

// The classes that a state dictionary names.
const (
	classDict   global = "collections OrderedDict"
	classTensor global = "torch._utils _rebuild_tensor_v2"
	classFloats global = "torch FloatStorage"
	classLongs  global = "torch LongStorage"
)

// magic is what such a file begins with: the number 0x1950a86a20f9469cfc6c.
const magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

const protocol = 1001

// ReadState gives the tensors of float32 of a state dictionary by name. Counters and other whole numbers are left out.
func ReadState(data []byte) (map[string]Tensor, error) {
	storages := map[string]*storage{}
	p := &pickle{data: data, reduce: call, load: func(id tuple) (any, error) { return declare(storages, id) }}
	state, err := readHeader(p)
	if err != nil {
		return nil, err
	}
	if err := readStorages(p, storages); err != nil {
		return nil, err
	}
	tensors := map[string]Tensor{}
	left := len(data) / 4 // no number belongs to two tensors
	for i, k := range state.keys {
		name, ok := k.(string)
		v, isView := state.values[i].(*view)
		if !ok || !isView {
			return nil, errors.New("the dictionary holds something that is no tensor")
		}
		if v.from.kind != classFloats {
			continue
		}
		t, err := v.read(left)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		left -= len(t.Values)
		tensors[name] = t
	}
	return tensors, nil
}

// readHeader reads the pickles up to the dictionary.
func readHeader(p *pickle) (*dict, error) {
	first, err := p.next()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if m, ok := first.(integer); !ok || string(m) != magic {
		return nil, errors.New("not a file of PyTorch's older format")
	}
	version, err := p.next()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if version != protocol {
		return nil, errors.New("unknown version of the format")
	}
	if _, err := p.next(); err != nil { // the machine that wrote it
		return nil, fmt.Errorf("header: %w", err)
	}
	v, err := p.next()
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	state, ok := v.(*dict)
	if !ok {
		return nil, errors.New("not a dictionary of tensors")
	}
	return state, nil
}

// readStorages gives the storages their bytes, in the order in which the file lists them.
func readStorages(p *pickle, storages map[string]*storage) error {
	v, err := p.next()
	if err != nil {
		return fmt.Errorf("list of arrays: %w", err)
	}
	order, ok := v.(*list)
	if !ok {
		return errors.New("list of arrays: not a list")
	}
	for _, k := range order.items {
		key, ok := k.(string)
		s := storages[key]
		if !ok || s == nil || s.content != nil {
			return errors.New("list of arrays: an unknown one, or one twice")
		}
		head, err := p.take(8)
		if err != nil {
			return err
		}
		if binary.LittleEndian.Uint64(head) != uint64(s.count) {
			return errors.New("an array has another length than the dictionary says")
		}
		if s.content, err = p.take(s.count * s.width()); err != nil {
			return err
		}
	}
	return nil
}

func (s *storage) width() int {
	if s.kind == classLongs {
		return 8
	}
	return 4
}

// declare makes the storage that a pickle names: ("storage", class, key, device, count, nil).
func declare(storages map[string]*storage, id tuple) (any, error) {
	if len(id) != 6 || id[0] != "storage" {
		return nil, errors.New("an outside object that is no array")
	}
	kind, _ := id[1].(global)
	key, keyed := id[2].(string)
	count, counted := id[4].(int)
	_, whole := id[5].(none)
	if (kind != classFloats && kind != classLongs) || !keyed || !counted || count < 0 || count > math.MaxInt32 || !whole {
		return nil, errors.New("an array of unknown kind")
	}
	if s := storages[key]; s != nil {
		if s.kind != kind || s.count != count {
			return nil, errors.New("an array of two kinds")
		}
		return s, nil
	}
	s := &storage{kind: kind, count: count}
	storages[key] = s
	return s, nil
}

// call stands for the two functions that a state dictionary is made with.
func call(callable global, arguments tuple) (any, error) {
	switch {
	case callable == classDict && len(arguments) == 0:
		return &dict{}, nil
	case callable == classTensor && len(arguments) == 6:
		from, ok := arguments[0].(*storage)
		offset, offsetOK := arguments[1].(int)
		shape, shapeOK := numbers(arguments[2])
		strides, stridesOK := numbers(arguments[3])
		if !ok || !offsetOK || offset < 0 || !shapeOK || !stridesOK || len(strides) != len(shape) {
			return nil, errors.New("a tensor of unknown form")
		}
		if !contiguous(shape, strides) {
			return nil, errors.New("a tensor that does not lie in one piece")
		}
		return &view{from: from, offset: offset, shape: shape}, nil
	}
	return nil, fmt.Errorf("a call of %q", string(callable))
}

func numbers(v any) ([]int, bool) {
	t, ok := v.(tuple)
	out := make([]int, len(t))
	for i := range t {
		n, isInt := t[i].(int)
		out[i], ok = n, ok && isInt && n >= 0
	}
	return out, ok
}

// contiguous says whether the strides are those of row-major order. The stride of a dimension of one is never used.
func contiguous(shape, strides []int) bool {
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != step {
			return false
		}
		if shape[i] > 0 && step > math.MaxInt32/shape[i] {
			return false
		}
		step *= shape[i]
	}
	return true
}

// read takes the tensor's numbers, at most limit, from its storage.
func (v *view) read(limit int) (Tensor, error) {
	n := 1
	for _, d := range v.shape {
		n *= d // contiguous has bounded the product
	}
	if n > limit || v.offset > v.from.count || n > v.from.count-v.offset || len(v.from.content) != 4*v.from.count {
		return Tensor{}, errors.New("its numbers are not in the file")
	}
	t := Tensor{Shape: v.shape, Values: make([]float32, n)}
	for i := range t.Values {
		t.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(v.from.content[4*(v.offset+i):]))
	}
	return t, nil
}
