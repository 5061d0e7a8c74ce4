package vision

import (
	"encoding/binary"
	"hash/crc32"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// inspectPNG walks the chunks up to IEND and checks every CRC.
func inspectPNG(b []byte) (Container, error) {
	c := Container{Format: FormatPNG, Orientation: 1}
	data := false
	for pos := len(pngMagic); ; {
		if pos+12 > len(b) {
			return c, refuse(CodeTruncated, "the PNG has no end chunk")
		}
		length := int64(binary.BigEndian.Uint32(b[pos:]))
		if length > int64(len(b)-pos-12) {
			return c, refuse(CodeTruncated, "the PNG ends inside a chunk")
		}
		kind := string(b[pos+4 : pos+8])
		end := pos + 8 + int(length)
		body := b[pos+8 : end]
		if c.Width == 0 && kind != "IHDR" {
			return c, refuse(CodeUnreadable, "the PNG does not begin with its header")
		}
		if crc32.ChecksumIEEE(b[pos+4:end]) != binary.BigEndian.Uint32(b[end:]) {
			return c, refuse(CodeUnreadable, "a PNG chunk with a wrong checksum")
		}
		pos = end + 4

		switch kind {
		case "IHDR":
			if c.Width != 0 {
				return c, refuse(CodeUnreadable, "two PNG headers")
			}
			if length != 13 {
				return c, refuse(CodeUnreadable, "a PNG header of a wrong length")
			}
			width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
			if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 {
				return c, refuse(CodeUnreadable, "a PNG header with an impossible size")
			}
			if int64(width)*int64(height) > MaxImagePixels {
				return c, refuse(CodeTooManyPixels, "more than 40 megapixels")
			}
			c.Width, c.Height = int(width), int(height)
		case "acTL":
			return c, refuse(CodeAnimated, "an animated PNG")
		case "IDAT":
			data = data || length > 0
		case "eXIf":
			if o := exifOrientation(body); o != 0 {
				c.Orientation = o
			}
		case "IEND":
			if !data {
				return c, refuse(CodeUnreadable, "the PNG holds no picture")
			}
			return c, nil
		}
	}
}
