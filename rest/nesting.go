package rest

import (
	"bytes"
	"encoding/json"

	"kycd/kyc"
)

// maxDepth is how deep arrays and objects of a body may be nested. The contract nests three deep; the rest is for
// metadata. Without a bound of ours whoever walks the value would go as deep as the decoder, which is 10,000.
const maxDepth = 64

// decodeJSON reads exactly one JSON value (RFC 8259). Nesting beyond maxDepth is refused before anything is decoded,
// and so is a member that an object has twice: readers differ in which of the two they take, so what was validated
// here could be read otherwise there. The error is a *kyc.Error of code invalid_request.
func decodeJSON(data []byte) (any, error) {
	depth, members := shape(data)
	if depth > maxDepth {
		return nil, refuse(kyc.CodeInvalid, "the body is nested too deep")
	}
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return nil, refuse(kyc.CodeInvalid, "the body is not valid JSON")
	}
	if countMembers(value) != members {
		return nil, refuse(kyc.CodeInvalid, "an object of the body has a member more than once")
	}
	return value, nil
}

// shape is how deep a JSON text is nested and how many members its objects have together, as they stand there. Of
// what is not JSON it says anything. It takes one pass, and no memory; what is in strings is skipped.
func shape(data []byte) (deepest, members int) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case ':':
			members++
		case '"':
			i += stringEnd(data[i+1:]) + 1
		}
	}
	return deepest, members
}

// stringEnd is where the quotation mark stands that ends a string: the first before which there is an even number of
// backslashes. It is the length of the text if there is none.
func stringEnd(text []byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(text[from:], '"')
		if n < 0 {
			return len(text)
		}
		end := from + n
		first := end
		for first > from && text[first-1] == '\\' {
			first--
		}
		if (end-first)%2 == 0 {
			return end
		}
		from = end + 1
	}
}

// countMembers is how many members the objects of a decoded value have together. It goes no deeper than maxDepth.
func countMembers(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		n = len(v)
		for _, member := range v {
			n += countMembers(member)
		}
	case []any:
		for _, entry := range v {
			n += countMembers(entry)
		}
	}
	return n
}
