package vision

import "bytes"

// JPEG markers that Inspect tells apart (ITU-T T.81, table B.1).
const (
	jpegTEM  = 0x01
	jpegSOF0 = 0xC0 // baseline
	jpegSOF2 = 0xC2 // progressive; SOF1, extended sequential, lies between
	jpegDHT  = 0xC4
	jpegJPG  = 0xC8
	jpegDAC  = 0xCC
	jpegSOFF = 0xCF // the last SOF
	jpegRST0 = 0xD0
	jpegSOI  = 0xD8
	jpegEOI  = 0xD9
	jpegSOS  = 0xDA
	jpegAPP1 = 0xE1
	jpegAPPE = 0xEE // Adobe's
)

// inspectJPEG walks the marker segments up to EOI. What follows EOI is left alone: telephones store
// previews and films there.
func inspectJPEG(b []byte) (Container, error) {
	c := Container{Format: FormatJPEG, Orientation: 1}
	scans := int64(0)
	inks, adobe := false, false
	pos := 2 // after SOI
	for {
		marker, next, ok := jpegMarker(b, pos)
		if !ok {
			if next < len(b) {
				return c, refuse(CodeUnreadable, "no JPEG marker where one must stand")
			}
			return c, refuse(CodeTruncated, "the JPEG has no end marker")
		}
		pos = next
		switch {
		case marker == jpegEOI:
			if c.Width == 0 || scans == 0 {
				return c, refuse(CodeUnreadable, "the JPEG ends before its picture")
			}
			return c, nil
		case marker == jpegSOI:
			return c, refuse(CodeUnreadable, "a second JPEG start marker")
		case marker == jpegTEM || marker >= jpegRST0 && marker <= jpegRST0+7:
			continue // stands alone, has no length
		}
		if pos+2 > len(b) {
			return c, refuse(CodeTruncated, "the JPEG ends inside a segment")
		}
		length := int(b[pos])<<8 | int(b[pos+1])
		if length < 2 {
			return c, refuse(CodeUnreadable, "a JPEG segment shorter than its own length")
		}
		if pos+length > len(b) {
			return c, refuse(CodeTruncated, "the JPEG ends inside a segment")
		}
		body := b[pos+2 : pos+length]
		pos += length

		switch {
		case marker >= jpegSOF0 && marker <= jpegSOFF && marker != jpegDHT && marker != jpegJPG && marker != jpegDAC:
			if err := c.readFrame(marker, body); err != nil {
				return c, err
			}
			inks = body[5] == 4
		case marker == jpegSOS:
			if c.Width == 0 {
				return c, refuse(CodeUnreadable, "a JPEG scan before its frame")
			}
			if scans++; scans*int64(c.Width)*int64(c.Height) > maxScanPixels {
				return c, refuse(CodeTooManyPixels, "too many progressive scans for this size")
			}
			if inks && !adobe {
				// Nobody says whether they are inverted: decoders show each other's negatives.
				return c, refuse(CodeUnsupported, "a JPEG of four inks without Adobe's marker")
			}
			pos = skipEntropyCoded(b, pos)
		case marker == jpegAPP1 && hasPrefix(body, "Exif\x00\x00"):
			if o := exifOrientation(body[6:]); o != 0 {
				c.Orientation = o
			}
		case marker == jpegAPPE && hasPrefix(body, "Adobe"):
			adobe = true
		}
	}
}

// readFrame takes the size from a start-of-frame segment. A second one is refused: decoders differ in
// which of two they believe.
func (c *Container) readFrame(marker byte, body []byte) error {
	if marker > jpegSOF2 {
		return refuse(CodeUnsupported, "a lossless, hierarchical or arithmetic-coded JPEG")
	}
	if c.Width != 0 {
		return refuse(CodeUnreadable, "two JPEG frames in one picture")
	}
	if len(body) < 6 {
		return refuse(CodeUnreadable, "a JPEG frame header without its size")
	}
	if body[0] != 8 {
		return refuse(CodeUnsupported, "a JPEG of more than 8 bits a sample")
	}
	c.Height = int(body[1])<<8 | int(body[2])
	c.Width = int(body[3])<<8 | int(body[4])
	if c.Width == 0 || c.Height == 0 {
		return refuse(CodeUnreadable, "a JPEG frame without a size")
	}
	return checkSize(c.Width, c.Height)
}

// jpegMarker reads the marker at pos, skipping fill bytes. ok is false where no marker stands; next is then
// len(b) if the input simply ended.
func jpegMarker(b []byte, pos int) (marker byte, next int, ok bool) {
	if pos < len(b) && b[pos] != 0xFF {
		return 0, pos, false
	}
	for pos < len(b) && b[pos] == 0xFF {
		pos++
	}
	if pos >= len(b) {
		return 0, len(b), false
	}
	if b[pos] == 0 {
		return 0, pos, false
	}
	return b[pos], pos + 1, true
}

// skipEntropyCoded returns the position of the marker that ends the entropy-coded data at pos: the first
// 0xFF that is neither stuffed (FF 00) nor a restart marker.
func skipEntropyCoded(b []byte, pos int) int {
	for {
		i := bytes.IndexByte(b[pos:], 0xFF)
		if i < 0 || pos+i+1 >= len(b) {
			return len(b)
		}
		pos += i
		switch next := b[pos+1]; {
		case next == 0 || next >= jpegRST0 && next <= jpegRST0+7:
			pos += 2
		case next == 0xFF:
			pos++
		default:
			return pos
		}
	}
}
