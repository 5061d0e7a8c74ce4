package gallery

// Code is a stable reason why a gallery refused.
type Code string

// The reasons.
const (
	CodeIDInvalid     Code = "id_invalid"
	CodeLengthWrong   Code = "length_wrong"
	CodeNotFinite     Code = "not_finite"
	CodeRadiusInvalid Code = "radius_invalid"
	CodeLimitInvalid  Code = "limit_invalid"
	CodeFull          Code = "full"
)

// Error says why a gallery refused. Detail names the argument, never its value.
type Error struct {
	Code   Code
	Detail string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

func refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }
