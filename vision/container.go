package vision

// Code is a stable reason why an image was refused.
type Code string

// The reasons. They are answers to the person who sent the image, so none speaks of libraries.
const (
	CodeEmpty         Code = "image_empty"
	CodeTooLarge      Code = "image_too_large"       // bytes
	CodeUnsupported   Code = "image_unsupported"     // not JPEG, PNG or WebP
	CodeTruncated     Code = "image_truncated"       // the container ends before its end marker
	CodeTooManyPixels Code = "image_too_many_pixels" // a decompression bomb, or simply too big
	CodeTooSmall      Code = "image_too_small"
	CodeAnimated      Code = "image_animated"
	CodeUnreadable    Code = "image_unreadable" // the container is whole, its content is not
)

// ImageError says why an image was refused.
type ImageError struct {
	Code   Code
	Detail string
}

func (e *ImageError) Error() string { return string(e.Code) + ": " + e.Detail }
