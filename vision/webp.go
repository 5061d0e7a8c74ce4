package vision

import "encoding/binary"

// inspectWebP walks the chunks of the RIFF container.
func inspectWebP(b []byte) (Container, error) {
	c := Container{Format: FormatWebP, Orientation: 1}
	size := int64(binary.LittleEndian.Uint32(b[4:]))
	if size+8 > int64(len(b)) {
		return c, refuse(CodeTruncated, "the WebP is shorter than it says")
	}
	if size < 4 {
		return c, refuse(CodeUnreadable, "a WebP container of a wrong length")
	}
	b = b[:size+8] // what follows the container is left alone

	canvasWidth, canvasHeight := 0, 0
	for pos := 12; pos < len(b); {
		if pos+8 > len(b) {
			return c, refuse(CodeTruncated, "the WebP ends inside a chunk")
		}
		kind := string(b[pos : pos+4])
		length := int64(binary.LittleEndian.Uint32(b[pos+4:]))
		if length > int64(len(b)-pos-8) {
			return c, refuse(CodeTruncated, "the WebP ends inside a chunk")
		}
		body := b[pos+8 : pos+8+int(length)]
		pos += 8 + int(length) + int(length&1)

		switch kind {
		case "VP8X":
			if len(body) < 10 {
				return c, refuse(CodeUnreadable, "a WebP header of a wrong length")
			}
			if body[0]&0x02 != 0 {
				return c, refuse(CodeAnimated, "an animated WebP")
			}
			canvasWidth, canvasHeight = 1+uint24(body[4:]), 1+uint24(body[7:])
			if int64(canvasWidth)*int64(canvasHeight) > MaxImagePixels {
				return c, refuse(CodeTooManyPixels, "more than 40 megapixels")
			}
		case "ANIM", "ANMF":
			return c, refuse(CodeAnimated, "an animated WebP")
		case "VP8 ", "VP8L":
			if c.Width != 0 {
				return c, refuse(CodeUnreadable, "two pictures in one WebP")
			}
			var ok bool
			if c.Width, c.Height, ok = webpFrameSize(kind, body); !ok {
				return c, refuse(CodeUnreadable, "a WebP picture without a size")
			}
		case "EXIF":
			tiff := body
			if hasPrefix(tiff, "Exif\x00\x00") {
				tiff = tiff[6:]
			}
			if o := exifOrientation(tiff); o != 0 {
				c.Orientation = o
			}
		}
	}
	if c.Width == 0 {
		return c, refuse(CodeUnreadable, "the WebP holds no picture")
	}
	if canvasWidth != 0 && (canvasWidth != c.Width || canvasHeight != c.Height) {
		return c, refuse(CodeUnreadable, "a WebP whose picture does not fill its canvas")
	}
	return c, nil
}

// webpFrameSize reads the size from the head of a lossy (RFC 6386 §9.1) or lossless bitstream.
func webpFrameSize(kind string, body []byte) (width, height int, ok bool) {
	switch kind {
	case "VP8 ":
		if len(body) < 10 || body[0]&1 != 0 || string(body[3:6]) != "\x9d\x01\x2a" {
			return 0, 0, false // no key frame
		}
		width = int(binary.LittleEndian.Uint16(body[6:])) & 0x3FFF
		height = int(binary.LittleEndian.Uint16(body[8:])) & 0x3FFF
	case "VP8L":
		if len(body) < 5 || body[0] != 0x2F {
			return 0, 0, false
		}
		bits := binary.LittleEndian.Uint32(body[1:])
		width = 1 + int(bits&0x3FFF)
		height = 1 + int(bits>>14&0x3FFF)
	}
	return width, height, width > 0 && height > 0
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
