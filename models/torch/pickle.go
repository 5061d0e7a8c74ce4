package torch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// errEnd says that a pickle goes on where the file does not.
var errEnd = errors.New("the file ends too early")

// What lies on the stack of a pickle, besides string, int and bool.
type (
	none    struct{}
	mark    struct{}
	integer []byte // a long one, little-endian
	global  string // "module name"
	tuple   []any
	list    struct{ items []any }
	dict    struct {
		keys   []any
		values []any
	}
)

// pickle runs the pickles that lie behind one another in a file. It knows the operations with which PyTorch writes a
// dictionary of tensors and no others, calls nothing that a pickle names, and allocates no more than the file is long.
type pickle struct {
	data []byte // what is left
	// reduce stands for calling a global, and load for what lies outside of the pickle.
	reduce func(callable global, arguments tuple) (any, error)
	load   func(id tuple) (any, error)

	stack []any
	memo  map[int]any
}

// next runs one pickle and gives its value.
func (p *pickle) next() (any, error) {
	p.stack, p.memo = nil, map[int]any{}
	for {
		b, err := p.take(1)
		if err != nil {
			return nil, err
		}
		if b[0] == '.' {
			return p.pop()
		}
		if err := p.step(b[0]); err != nil {
			return nil, err
		}
	}
}

func (p *pickle) step(operation byte) error {
	switch operation {
	case 0x80: // PROTO
		_, err := p.take(1)
		return err
	case 'N':
		p.push(none{})
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		p.push(operation == 0x88)
	case '}':
		p.push(&dict{})
	case ']':
		p.push(&list{})
	case ')':
		p.push(tuple{})
	case '(':
		p.push(mark{})
	case 'K', 'M', 'J': // BININT1, BININT2, BININT
		return p.pushNumber(map[byte]int{'K': 1, 'M': 2, 'J': 4}[operation])
	case 0x8A: // LONG1
		b, err := p.sized(1)
		p.push(integer(b))
		return err
	case 'X': // BINUNICODE
		b, err := p.sized(4)
		p.push(string(b))
		return err
	case 'c': // GLOBAL
		return p.pushGlobal()
	case 'q', 'r': // BINPUT, LONG_BINPUT
		return p.put(map[byte]int{'q': 1, 'r': 4}[operation])
	case 'h', 'j': // BINGET, LONG_BINGET
		return p.get(map[byte]int{'h': 1, 'j': 4}[operation])
	case 't':
		items, err := p.popMarked()
		p.push(tuple(items))
		return err
	case 0x85, 0x86: // TUPLE1, TUPLE2
		items, err := p.popN(int(operation) - 0x84)
		p.push(tuple(items))
		return err
	case 'e': // APPENDS
		return p.appendItems()
	case 's', 'u': // SETITEM, SETITEMS
		return p.setItems(operation == 'u')
	case 'b': // BUILD: attributes of an object, which no tensor needs
		_, err := p.popN(1)
		return err
	case 'Q': // BINPERSID
		id, err := p.popN(1)
		if err != nil {
			return err
		}
		t, ok := id[0].(tuple)
		if !ok {
			return errors.New("an outside object without a name")
		}
		v, err := p.load(t)
		p.push(v)
		return err
	case 'R': // REDUCE
		call, err := p.popN(2)
		if err != nil {
			return err
		}
		callable, ok := call[0].(global)
		arguments, listed := call[1].(tuple)
		if !ok || !listed {
			return errors.New("a call of something that is no function")
		}
		v, err := p.reduce(callable, arguments)
		p.push(v)
		return err
	default:
		return fmt.Errorf("unknown operation 0x%02x", operation)
	}
	return nil
}

func (p *pickle) push(v any) { p.stack = append(p.stack, v) }

func (p *pickle) pop() (any, error) {
	items, err := p.popN(1)
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// popN takes the last n values. A mark is none.
func (p *pickle) popN(n int) ([]any, error) {
	if len(p.stack) < n {
		return nil, errors.New("the stack is empty")
	}
	items := append([]any(nil), p.stack[len(p.stack)-n:]...)
	for _, v := range items {
		if _, ok := v.(mark); ok {
			return nil, errors.New("a mark where a value should be")
		}
	}
	p.stack = p.stack[:len(p.stack)-n]
	return items, nil
}

// popMarked takes what lies above the last mark, and the mark.
func (p *pickle) popMarked() ([]any, error) {
	for i := len(p.stack) - 1; i >= 0; i-- {
		if _, ok := p.stack[i].(mark); ok {
			items := append([]any(nil), p.stack[i+1:]...)
			p.stack = p.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// take reads n bytes.
func (p *pickle) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.data) {
		return nil, errEnd
	}
	b := p.data[:n]
	p.data = p.data[n:]
	return b, nil
}

// number reads a little-endian integer of 1, 2 or 4 bytes; only that of 4 has a sign.
func (p *pickle) number(size int) (int, error) {
	b, err := p.take(size)
	if err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return int(b[0]), nil
	case 2:
		return int(binary.LittleEndian.Uint16(b)), nil
	}
	return int(int32(binary.LittleEndian.Uint32(b))), nil
}

// sized reads bytes behind their number.
func (p *pickle) sized(size int) ([]byte, error) {
	n, err := p.number(size)
	if err != nil {
		return nil, err
	}
	return p.take(n)
}

func (p *pickle) pushNumber(size int) error {
	n, err := p.number(size)
	p.push(n)
	return err
}

// pushGlobal reads a module and a name, a line each.
func (p *pickle) pushGlobal() error {
	var names [2]string
	for i := range names {
		end := bytes.IndexByte(p.data, '\n')
		if end < 0 {
			return errEnd
		}
		line, err := p.take(end + 1)
		if err != nil {
			return err
		}
		names[i] = string(line[:end])
	}
	p.push(global(names[0] + " " + names[1]))
	return nil
}

func (p *pickle) put(size int) error {
	at, err := p.number(size)
	if err != nil {
		return err
	}
	if len(p.stack) == 0 {
		return errors.New("nothing to remember")
	}
	p.memo[at] = p.stack[len(p.stack)-1]
	return nil
}

func (p *pickle) get(size int) error {
	at, err := p.number(size)
	if err != nil {
		return err
	}
	v, ok := p.memo[at]
	if !ok {
		return errors.New("nothing remembered")
	}
	p.push(v)
	return nil
}

func (p *pickle) appendItems() error {
	items, err := p.popMarked()
	if err != nil {
		return err
	}
	if len(p.stack) > 0 {
		if l, ok := p.stack[len(p.stack)-1].(*list); ok {
			l.items = append(l.items, items...)
			return nil
		}
	}
	return errors.New("nothing to append to")
}

func (p *pickle) setItems(many bool) error {
	var items []any
	var err error
	if many {
		items, err = p.popMarked()
	} else {
		items, err = p.popN(2)
	}
	if err != nil {
		return err
	}
	if len(p.stack) > 0 && len(items)%2 == 0 {
		if d, ok := p.stack[len(p.stack)-1].(*dict); ok {
			for i := 0; i < len(items); i += 2 {
				d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
			}
			return nil
		}
	}
	return errors.New("nothing to set an item of")
}
