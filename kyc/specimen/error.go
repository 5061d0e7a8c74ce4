package specimen

// Code is a stable reason why the press refused.
type Code string

// The reasons.
const (
	CodeTypeUnknown      Code = "document_type_unknown"
	CodePortraitMissing  Code = "portrait_missing"
	CodePortraitTooSmall Code = "portrait_too_small"
	CodeFieldMissing     Code = "field_missing"
	CodeFieldTooLong     Code = "field_too_long"
	CodeFieldUnprintable Code = "field_unprintable"
	CodeFieldUnknown     Code = "field_unknown"
	CodeFieldOutOfRange  Code = "field_out_of_range"
	CodeDatesOutOfOrder  Code = "dates_out_of_order"
	CodeNoSuchSide       Code = "no_such_side"
	CodeEncodingFailed   Code = "encoding_failed" // the barcode or the MRZ cannot hold the document
	CodeSceneInvalid     Code = "scene_invalid"
	CodeImageMissing     Code = "image_missing"
	CodeFaceUnusable     Code = "face_unusable" // the points given make no upright face
	CodeMotionOutOfRange Code = "motion_out_of_range"
)

// Error says why the press refused. Detail names the field, never its value.
type Error struct {
	Code   Code
	Detail string
	cause  error
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

func (e *Error) Unwrap() error { return e.cause }

func refuse(code Code, detail string) error { return &Error{Code: code, Detail: detail} }
