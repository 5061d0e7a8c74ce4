package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"kycd/kyc"
)

const (
	mediaJSON      = "application/json"
	mediaForm      = "application/x-www-form-urlencoded"
	mediaMultipart = "multipart/form-data"
)

// maxShownErrors bounds the errors[] of one answer.
const maxShownErrors = 32

// bodyWait is how long a large body waits for others to leave before it is sent away.
const bodyWait = 10 * time.Second

// validate holds a request against the contract: its parameters, its body's size and media type, and the
// body itself, except that of an upload, whose handler reads it part by part (see upload.go).
func (s *server) validate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		op := x.operation
		if err := invalid(parameterErrors(r, op)); err != nil {
			s.fail(w, r, err)
			return
		}
		if op.body == nil {
			next.ServeHTTP(w, r)
			return
		}
		mediaType, err := s.admitBody(w, r, op)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if op.carriesImages() {
			weight := r.ContentLength
			if weight < 0 {
				weight = op.maxBody
			}
			if !s.bodies.acquire(r.Context(), weight, bodyWait) {
				s.fail(w, r, refuse(kyc.CodeUnavailable, "too many uploads are under way"))
				return
			}
			defer s.bodies.release(weight)
		}
		switch mediaType {
		case mediaJSON, mediaForm:
			if err := decodeBody(r, op, mediaType); err != nil {
				s.fail(w, r, err)
				return
			}
		case "": // an optional body that is not there
			r.Body = http.NoBody
			x.bodyDigest = digest(nil)
		}
		next.ServeHTTP(w, r)
	})
}

// admitBody looks at what can be known of a body without reading it, and bounds what can be read. The
// media type is empty if there is no body.
func (s *server) admitBody(w http.ResponseWriter, r *http.Request, op *operation) (string, error) {
	if r.ContentLength == 0 {
		if op.body.Required {
			return "", invalid([]kyc.FieldError{{Pointer: "", Code: "required", Message: "a body is required"}})
		}
		return "", nil
	}
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || op.schema(mediaType) == nil {
		return "", refuse(codeUnsupportedMediaType, "the body must be "+strings.Join(mediaTypes(op.body), " or "))
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return "", refuse(codeUnsupportedMediaType, "the body must not be compressed")
	}
	if r.ContentLength > op.maxBody {
		return "", tooLarge(op)
	}
	r.Body = http.MaxBytesReader(w, r.Body, op.maxBody)
	return mediaType, nil
}

func mediaTypes(body *openapi3.RequestBody) []string {
	var names []string
	for name := range body.Content {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// tooLarge is the error for a body that is larger than the operation takes.
func tooLarge(op *operation) error {
	if op.carriesImages() {
		return refuse(kyc.CodeImageTooLarge, fmt.Sprintf("the body may have at most %d bytes, and an image %d", op.maxBody, maxImageBytes))
	}
	return refuse(codePayloadTooLarge, fmt.Sprintf("the body may have at most %d bytes", op.maxBody))
}

// decodeBody reads a JSON or form body, holds it against its schema, and leaves the decoded value in
// r.Body, where the generated code takes it from: what a handler sees is exactly what was validated.
func decodeBody(r *http.Request, op *operation, mediaType string) error {
	data, err := readAll(r.Body, r.ContentLength)
	if err != nil {
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			return tooLarge(op)
		}
		return unreadable(err, "the body could not be read to its end")
	}
	if len(r.Header[headerIdempotencyKey]) > 0 {
		exchangeOf(r.Context()).bodyDigest = digest(data)
	}
	var value any
	if mediaType == mediaForm {
		form, err := url.ParseQuery(string(data))
		if err != nil {
			return refuse(kyc.CodeInvalid, "the body is not a valid form")
		}
		if value, err = formValue(form); err != nil {
			return err
		}
		r.PostForm, r.Form = form, form // the generated code looks here; without the query, which is no place for secrets
		exchangeOf(r.Context()).form = form
	} else {
		if value, err = decodeJSON(data); err != nil {
			return err
		}
		r.Body = validatedBody{value}
	}
	if err := invalid(schemaErrors(op.schema(mediaType), value)); err != nil {
		return err
	}
	spellIntegers(value)
	return nil
}

// spellIntegers writes the whole numbers in a decoded value without an exponent. The generated code's runtime reads them
// from their shortest spelling, which has one from a million on, and then takes them for no integers.
func spellIntegers(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if number, ok := integer(member); ok {
				v[name] = number
			} else {
				spellIntegers(member)
			}
		}
	case []any:
		for i, entry := range v {
			if number, ok := integer(entry); ok {
				v[i] = number
			} else {
				spellIntegers(entry)
			}
		}
	}
}

// integer is a whole number that a float64 holds exactly, in its plain spelling.
func integer(value any) (json.Number, bool) {
	v, ok := value.(float64)
	if !ok || v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
		return "", false
	}
	return json.Number(strconv.FormatInt(int64(v), 10)), true
}

// validatedBody hands a decoded value to oapi-codegen's runtime, which looks for the method ValidatedValue.
type validatedBody struct{ value any }

func (b validatedBody) ValidatedValue() any { return b.value }
func (validatedBody) Close() error          { return nil }
func (validatedBody) Read([]byte) (int, error) {
	return 0, errors.New("the body was decoded already, and does not fit the type made from its schema")
}

// readAll reads size bytes into memory of just that size, or, where the size is not known (-1), all.
func readAll(body io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return io.ReadAll(body)
	}
	data := make([]byte, size)
	n, err := io.ReadFull(body, data)
	return data[:n], err
}

// formValue is a form as a JSON object of strings. A parameter given twice is an error (RFC 6749 §3.2).
func formValue(form url.Values) (any, error) {
	object := make(map[string]any, len(form))
	for name, values := range form {
		if len(values) > 1 {
			return nil, refuse(kyc.CodeInvalid, "a parameter is given more than once")
		}
		object[name] = values[0]
	}
	return object, nil
}

// invalid is the error for bad fields, or nil if there are none.
func invalid(fields []kyc.FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	if len(fields) > maxShownErrors {
		fields = fields[:maxShownErrors]
	}
	return refuse(kyc.CodeInvalid, "the request does not have the form that the contract asks for", fields...)
}

// schemaErrors holds a decoded body against a schema, and its texts against what a database takes.
func schemaErrors(schema *openapi3.Schema, value any) []kyc.FieldError {
	all := fieldErrors("", schema.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.MultiErrors()))
	if !storable(value) {
		all = append(all, textErrors("", value)...)
	}
	return all
}

// storable tells whether PostgreSQL can store all texts in a decoded value: they must be UTF-8 without a NUL.
func storable(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.IndexByte(v, 0) < 0 && utf8.ValidString(v)
	case []any:
		for _, item := range v {
			if !storable(item) {
				return false
			}
		}
	case map[string]any:
		for name, item := range v {
			if !storable(name) || !storable(item) {
				return false
			}
		}
	}
	return true
}

// textErrors names what is not storable in a decoded value. The name of a member is a fault of its object.
func textErrors(at string, value any) []kyc.FieldError {
	bad := []kyc.FieldError{{Pointer: at, Code: "text", Message: "must be text in UTF-8 without NUL characters"}}
	switch v := value.(type) {
	case []any:
		bad = nil
		for i, item := range v {
			if !storable(item) {
				bad = append(bad, textErrors(pointer(at, strconv.Itoa(i)), item)...)
			}
		}
	case map[string]any:
		for name := range v {
			if !storable(name) {
				return bad
			}
		}
		bad = nil
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !storable(v[name]) {
				bad = append(bad, textErrors(pointer(at, name), v[name])...)
			}
		}
	}
	return bad
}

// parameterErrors holds headers, path and query against the contract. Pointers begin with where they stand.
//
// openapi3filter.ValidateRequest would do this too, but it reads the whole body into memory before it looks
// at the security requirements, whatever its options say.
func parameterErrors(r *http.Request, op *operation) []kyc.FieldError {
	if len(op.parameters) == 0 {
		return nil
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, Route: &op.route, PathParams: pathParams(r), Options: &openapi3filter.Options{MultiError: true},
	}
	var all []kyc.FieldError
	for _, parameter := range op.parameters {
		if parameter.In == openapi3.ParameterInHeader {
			all = append(all, headerErrors(r, parameter)...)
			continue
		}
		at := pointer("", parameter.In, parameter.Name)
		if raw := rawParameter(input, parameter); !storable(raw) {
			all = append(all, textErrors(at, raw)...)
			continue
		}
		err := openapi3filter.ValidateParameter(r.Context(), input, parameter)
		if err == nil {
			continue
		}
		if errors.Is(err, openapi3filter.ErrInvalidRequired) {
			all = append(all, kyc.FieldError{Pointer: at, Code: "required", Message: "is required"})
			continue
		}
		var fields []kyc.FieldError
		if bad, ok := errors.AsType[*openapi3filter.RequestError](err); ok {
			fields = fieldErrors(at, bad.Err)
		}
		if len(fields) == 0 {
			fields = []kyc.FieldError{{Pointer: at, Code: "invalid", Message: "is not valid"}}
		}
		all = append(all, fields...)
	}
	return all
}

// headerErrors holds one header against the contract. All of the contract's headers are single texts, which need none
// of ValidateParameter's decoding, and are on nearly every request.
func headerErrors(r *http.Request, parameter *openapi3.Parameter) []kyc.FieldError {
	values := r.Header.Values(parameter.Name)
	if len(values) == 0 && !parameter.Required {
		return nil
	}
	if len(values) == 1 {
		err := parameter.Schema.Value.VisitJSON(values[0], openapi3.VisitAsRequest(), openapi3.MultiErrors())
		if err == nil {
			return nil
		}
		return fieldErrors(pointer("", parameter.In, parameter.Name), err)
	}
	bad := kyc.FieldError{Pointer: pointer("", parameter.In, parameter.Name), Code: "repeated", Message: "is given more than once"}
	if len(values) == 0 {
		bad.Code, bad.Message = "required", "is required"
	}
	return []kyc.FieldError{bad}
}

// rawParameter is what the caller wrote for a parameter of path or query, without its escapes.
func rawParameter(input *openapi3filter.RequestValidationInput, parameter *openapi3.Parameter) string {
	if parameter.In == openapi3.ParameterInQuery {
		return strings.Join(input.GetQueryParams()[parameter.Name], "")
	}
	raw := input.PathParams[parameter.Name]
	if text, err := url.PathUnescape(raw); err == nil {
		return text
	}
	return raw
}

// fieldErrors turns what kin-openapi found into pointers, codes and words of our own: its texts quote the
// schema, and could quote the value.
func fieldErrors(prefix string, err error) []kyc.FieldError {
	var all []kyc.FieldError
	switch e := err.(type) { //nolint:errorlint // a tree of errors is walked, node by node
	case nil:
		return nil
	case openapi3.MultiError:
		for _, each := range e {
			all = append(all, fieldErrors(prefix, each)...)
		}
	case *openapi3.SchemaError:
		code, message := schemaMessage(e)
		all = append(all, kyc.FieldError{Pointer: pointer(prefix, e.JSONPointer()...), Code: code, Message: message})
	}
	slices.SortStableFunc(all, func(a, b kyc.FieldError) int { return strings.Compare(a.Pointer, b.Pointer) })
	return all
}

// schemaMessage says which rule of a schema was broken, without the value that broke it.
func schemaMessage(e *openapi3.SchemaError) (code, message string) {
	schema := e.Schema
	switch e.SchemaField {
	case "required":
		return "required", "is required"
	case "nullable":
		return "null", "must not be null"
	case "type":
		if schema.Type != nil {
			return "type", "must be of type " + strings.Join(schema.Type.Slice(), " or ")
		}
	case "enum":
		names := make([]string, len(schema.Enum))
		for i, name := range schema.Enum {
			names[i] = fmt.Sprint(name)
		}
		return "enum", "must be one of " + strings.Join(names, ", ")
	case "minLength":
		if schema.MinLength == 1 {
			return "empty", "must not be empty"
		}
		return "too_short", fmt.Sprintf("must have at least %d characters", schema.MinLength)
	case "maxLength":
		return "too_long", fmt.Sprintf("must have at most %d characters", *schema.MaxLength)
	case "maxItems":
		return "too_many", fmt.Sprintf("must have at most %d entries", *schema.MaxItems)
	case "minimum":
		return "too_small", fmt.Sprintf("must be at least %v", *schema.Min)
	case "maximum":
		return "too_large", fmt.Sprintf("must be at most %v", *schema.Max)
	case "pattern", "format":
		return "format", "does not have the right format"
	case "oneOf":
		return "type", "is of none of the types that are taken"
	}
	return "invalid", "is not valid"
}

// pointer is a JSON pointer (RFC 6901).
func pointer(prefix string, path ...string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for _, name := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}
