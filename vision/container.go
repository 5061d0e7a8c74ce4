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
	CodeTimeout       Code = "image_timeout"    // the analysis was given up; the image may be good
	CodeFailed        Code = "image_failed"     // the analysis broke down; the image may be good
)

// ImageError says why an image was refused.
type ImageError struct {
	Code   Code
	Detail string
}

func (e *ImageError) Error() string { return string(e.Code) + ": " + e.Detail }

func refuse(code Code, detail string) error { return &ImageError{Code: code, Detail: detail} }

// The bounds of an image that is accepted.
const (
	MaxImageBytes  = 15 << 20
	MaxImagePixels = 40_000_000
	MinImageSide   = 16 // px; less holds neither a face nor a line of print, nor a code of three rows

	// A progressive JPEG may walk over all its pixels once a scan, for a few bytes a scan.
	maxScanPixels = 25 * MaxImagePixels
)

// The formats, as Container.Format and Analysis.Format name them.
const (
	FormatJPEG = "jpeg"
	FormatPNG  = "png"
	FormatWebP = "webp"
)

// Container is what an image says of itself before a pixel is decoded.
type Container struct {
	Format      string // jpeg, png or webp
	Width       int    // px, as stored
	Height      int    // px, as stored
	Orientation int    // EXIF, 1..8; 1 where there is none
}

// Upright gives the size after the orientation is applied.
func (c Container) Upright() (width, height int) {
	if c.Orientation >= 5 {
		return c.Height, c.Width
	}
	return c.Width, c.Height
}

// Inspect walks the structure of an encoded image from its magic number to its end marker. It decodes no
// pixel, allocates nothing that grows with the input and reads each byte at most once, so it is safe on
// hostile bytes in a process that must live. An error is always an *ImageError.
func Inspect(b []byte) (Container, error) {
	if len(b) == 0 {
		return Container{}, refuse(CodeEmpty, "no bytes")
	}
	if len(b) > MaxImageBytes {
		return Container{}, refuse(CodeTooLarge, "more than 15 MB")
	}
	var (
		c   Container
		err error
	)
	switch {
	case hasPrefix(b, "\xff\xd8\xff"):
		c, err = inspectJPEG(b)
	case hasPrefix(b, pngMagic):
		c, err = inspectPNG(b)
	case hasPrefix(b, "RIFF") && len(b) >= 12 && string(b[8:12]) == "WEBP":
		c, err = inspectWebP(b)
	case isHEIF(b):
		return Container{}, refuse(CodeUnsupported, "HEIC and AVIF are not read; send JPEG, PNG or WebP")
	case startsKnownFormat(b):
		return Container{}, refuse(CodeTruncated, "the file ends inside its magic number")
	default:
		return Container{}, refuse(CodeUnsupported, "not a JPEG, PNG or WebP")
	}
	if err != nil {
		return Container{}, err
	}
	return c, checkSize(c.Width, c.Height)
}

// checkSize holds the bounds of width and height. The product is taken in 64 bits.
func checkSize(width, height int) error {
	if int64(width)*int64(height) > MaxImagePixels {
		return refuse(CodeTooManyPixels, "more than 40 megapixels")
	}
	if width < MinImageSide || height < MinImageSide {
		return refuse(CodeTooSmall, "a side is shorter than 16 pixels")
	}
	return nil
}

func hasPrefix(b []byte, p string) bool { return len(b) >= len(p) && string(b[:len(p)]) == p }

// startsKnownFormat tells a file cut off within its first bytes from one of another kind.
func startsKnownFormat(b []byte) bool {
	for _, magic := range []string{"\xff\xd8\xff", pngMagic, "RIFF"} {
		if len(b) < len(magic) && magic[:len(b)] == string(b) {
			return true
		}
	}
	return len(b) < 12 && hasPrefix(b, "RIFF")
}

// isHEIF recognises the ISO base media brands of HEIC and AVIF stills.
func isHEIF(b []byte) bool {
	if len(b) < 12 || string(b[4:8]) != "ftyp" {
		return false
	}
	switch string(b[8:12]) {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis":
		return true
	}
	return false
}
