package vision_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"kycd/vision"
)

// picture is a small image with some structure, so that its encodings are not trivial.
func picture(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{R: uint8(x * 3), G: uint8(y * 5), B: uint8(x * y), A: 255})
		}
	}
	return img
}

func jpegOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(width, height), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(width, height)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is a JPEG marker segment.
func segment(marker byte, body []byte) []byte {
	out := []byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}
	return append(out, body...)
}

// after puts extra bytes behind the first n.
func after(b []byte, n int, extra []byte) []byte {
	return bytes.Join([][]byte{b[:n], extra, b[n:]}, nil)
}

func chunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func ihdr(width, height uint32) []byte {
	body := binary.BigEndian.AppendUint32(nil, width)
	body = binary.BigEndian.AppendUint32(body, height)
	return chunk("IHDR", append(body, 8, 2, 0, 0, 0))
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func riffChunk(kind string, body []byte) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body))), body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// lossless is the head of a VP8L bitstream.
func lossless(width, height uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x2F}, (width-1)|(height-1)<<14)
}

func lossy(width, height uint16) []byte {
	out := []byte{0x10, 0, 0, 0x9D, 0x01, 0x2A}
	out = binary.LittleEndian.AppendUint16(out, width)
	return binary.LittleEndian.AppendUint16(out, height)
}

func extended(flags byte, width, height int) []byte {
	w, h := width-1, height-1
	return []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}
}

// tiff is an EXIF block with one orientation tag.
func tiff(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		out = []byte("MM\x00*")
	}
	out = order.AppendUint32(out, 8)
	out = order.AppendUint16(out, 1)
	out = order.AppendUint16(out, 0x0112)
	out = order.AppendUint16(out, 3)
	out = order.AppendUint32(out, 1)
	out = order.AppendUint16(out, orientation)
	return append(out, 0, 0, 0, 0, 0, 0)
}

func TestInspectAccepts(t *testing.T) {
	whole, pngWhole := jpegOf(t, 120, 80), pngOf(t, 120, 80)
	const pngHead = 8 + 25
	exif := func(o uint16) []byte {
		return segment(0xE1, append([]byte("Exif\x00\x00"), tiff(binary.BigEndian, o)...))
	}
	tests := []struct {
		name        string
		data        []byte
		format      string
		width       int
		height      int
		orientation int
	}{
		{"jpeg", whole, vision.FormatJPEG, 120, 80, 1},
		{"jpeg turned", after(whole, 2, exif(6)), vision.FormatJPEG, 120, 80, 6},
		{"jpeg with impossible orientation", after(whole, 2, exif(9)), vision.FormatJPEG, 120, 80, 1},
		{"jpeg with fill bytes", after(whole, 2, []byte{0xFF, 0xFF}), vision.FormatJPEG, 120, 80, 1},
		{"jpeg of four inks", bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xEE, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")),
			segment(0xC0, []byte{8, 0, 80, 0, 120, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0}), segment(0xDA, []byte{1, 1, 0, 0, 0, 0}), {0xFF, 0xD9}}, nil),
			vision.FormatJPEG, 120, 80, 1},
		{"jpeg with a film behind it", append(bytes.Clone(whole), "ftypmp42"...), vision.FormatJPEG, 120, 80, 1},
		{"png", pngWhole, vision.FormatPNG, 120, 80, 1},
		{"png turned", after(pngWhole, pngHead, chunk("eXIf", tiff(binary.LittleEndian, 3))), vision.FormatPNG, 120, 80, 3},
		{"webp lossy", riff(riffChunk("VP8 ", lossy(100, 50))), vision.FormatWebP, 100, 50, 1},
		{"webp lossless", riff(riffChunk("VP8L", lossless(99, 51))), vision.FormatWebP, 99, 51, 1},
		{"webp extended, turned", riff(riffChunk("VP8X", extended(8, 100, 50)), riffChunk("VP8 ", lossy(100, 50)),
			riffChunk("EXIF", tiff(binary.LittleEndian, 8))), vision.FormatWebP, 100, 50, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := vision.Inspect(test.data)
			if err != nil {
				t.Fatal(err)
			}
			want := vision.Container{Format: test.format, Width: test.width, Height: test.height, Orientation: test.orientation}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestInspectRefuses(t *testing.T) {
	whole, pngWhole := jpegOf(t, 120, 80), pngOf(t, 120, 80)
	const pngHead = 8 + 25
	wrongCRC := bytes.Clone(pngWhole)
	wrongCRC[len(wrongCRC)-20] ^= 1
	frame := segment(0xC0, []byte{8, 0, 80, 0, 120, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1})
	fourInks := segment(0xC0, []byte{8, 0, 80, 0, 120, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0})
	bomb := func(width, height uint32) []byte {
		return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), ihdr(width, height), chunk("IDAT", []byte{1}), chunk("IEND", nil)}, nil)
	}
	scans := bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xC2, []byte{8, 0x17, 0x70, 0x17, 0x70, 1, 1, 0x11, 0})}, nil)
	for range 30 {
		scans = append(scans, segment(0xDA, []byte{1, 1, 0, 0, 0, 0})...)
	}
	scans = append(scans, 0xFF, 0xD9)

	tests := []struct {
		name string
		data []byte
		code vision.Code
	}{
		{"nothing", nil, vision.CodeEmpty},
		{"too many bytes", make([]byte, vision.MaxImageBytes+1), vision.CodeTooLarge},
		{"text renamed", []byte("This is a text, whatever its name says."), vision.CodeUnsupported},
		{"gif", []byte("GIF89a\x80\x00\x80\x00\x00\x00\x00;"), vision.CodeUnsupported},
		{"heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), vision.CodeUnsupported},
		{"riff that is a sound", []byte("RIFF\x10\x00\x00\x00WAVEfmt "), vision.CodeUnsupported},
		{"two bytes of a jpeg", whole[:2], vision.CodeTruncated},
		{"half a jpeg", whole[:len(whole)/2], vision.CodeTruncated},
		{"jpeg without end marker", whole[:len(whole)-2], vision.CodeTruncated},
		{"jpeg cut within a segment", whole[:30], vision.CodeTruncated},
		{"jpeg without picture", []byte{0xFF, 0xD8, 0xFF, 0xD9}, vision.CodeUnreadable},
		{"jpeg of two frames", after(whole, 2, frame), vision.CodeUnreadable},
		{"jpeg of 65500 by 65500", bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xC0, []byte{8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0}), {0xFF, 0xD9}}, nil), vision.CodeTooManyPixels},
		{"jpeg without height", bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xC0, []byte{8, 0, 0, 0, 99, 1, 1, 0x11, 0}), {0xFF, 0xD9}}, nil), vision.CodeUnreadable},
		{"jpeg of 12 bits", bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xC1, []byte{12, 0, 99, 0, 99, 1, 1, 0x11, 0}), {0xFF, 0xD9}}, nil), vision.CodeUnsupported},
		{"lossless jpeg", bytes.Join([][]byte{{0xFF, 0xD8}, segment(0xC3, []byte{8, 0, 99, 0, 99, 1, 1, 0x11, 0}), {0xFF, 0xD9}}, nil), vision.CodeUnsupported},
		{"jpeg of four inks without Adobe's marker", bytes.Join([][]byte{{0xFF, 0xD8}, fourInks, segment(0xDA, []byte{1, 1, 0, 0, 0, 0}), {0xFF, 0xD9}}, nil), vision.CodeUnsupported},
		{"jpeg of 30 scans over 36 megapixels", scans, vision.CodeTooManyPixels},
		{"jpeg too small", jpegOf(t, 15, 200), vision.CodeTooSmall},
		{"half a png", pngWhole[:len(pngWhole)/2], vision.CodeTruncated},
		{"png without end chunk", pngWhole[:len(pngWhole)-12], vision.CodeTruncated},
		{"png cut in its magic number", pngWhole[:5], vision.CodeTruncated},
		{"png with a wrong checksum", wrongCRC, vision.CodeUnreadable},
		{"png of 50 gigapixels", bomb(250_000, 200_000), vision.CodeTooManyPixels},
		{"png whose size overflows 32 bits", bomb(65_537, 65_536), vision.CodeTooManyPixels},
		{"png without size", bomb(0, 100), vision.CodeUnreadable},
		{"png without data", bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), ihdr(99, 99), chunk("IEND", nil)}, nil), vision.CodeUnreadable},
		{"animated png", after(pngWhole, pngHead, chunk("acTL", make([]byte, 8))), vision.CodeAnimated},
		{"webp shorter than it says", riff(riffChunk("VP8 ", lossy(100, 50)))[:25], vision.CodeTruncated},
		{"animated webp", riff(riffChunk("VP8X", extended(2, 100, 50)), riffChunk("ANIM", make([]byte, 6))), vision.CodeAnimated},
		{"webp with frames but no flag", riff(riffChunk("VP8X", extended(0, 100, 50)), riffChunk("ANMF", make([]byte, 16))), vision.CodeAnimated},
		{"webp with a giant canvas", riff(riffChunk("VP8X", extended(0, 1<<24, 1<<24)), riffChunk("VP8 ", lossy(100, 50))), vision.CodeTooManyPixels},
		{"webp of another size than its canvas", riff(riffChunk("VP8X", extended(0, 100, 60)), riffChunk("VP8 ", lossy(100, 50))), vision.CodeUnreadable},
		{"webp without picture", riff(riffChunk("ICCP", make([]byte, 4))), vision.CodeUnreadable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := vision.Inspect(test.data)
			var refused *vision.ImageError
			if !errors.As(err, &refused) {
				t.Fatalf("got error %v, want an ImageError", err)
			}
			if refused.Code != test.code {
				t.Errorf("got %v, want code %s", err, test.code)
			}
		})
	}
}

// Every proper prefix of a whole file is cut off, and must be seen to be.
func TestInspectEveryPrefix(t *testing.T) {
	for _, whole := range [][]byte{jpegOf(t, 64, 48), pngOf(t, 64, 48), riff(riffChunk("VP8X", extended(0, 100, 50)), riffChunk("VP8 ", lossy(100, 50)))} {
		for n := 1; n < len(whole); n++ {
			_, err := vision.Inspect(whole[:n])
			var refused *vision.ImageError
			if !errors.As(err, &refused) || refused.Code != vision.CodeTruncated {
				t.Fatalf("%d of %d bytes: got %v, want %s", n, len(whole), err, vision.CodeTruncated)
			}
		}
	}
}

func TestContainerUpright(t *testing.T) {
	for orientation := 1; orientation <= 8; orientation++ {
		width, height := vision.Container{Width: 3, Height: 2, Orientation: orientation}.Upright()
		if turned := orientation >= 5; turned != (width == 2 && height == 3) {
			t.Errorf("orientation %d: %d×%d", orientation, width, height)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(jpegOf(f, 40, 40))
	f.Add(pngOf(f, 40, 40))
	f.Add(riff(riffChunk("VP8X", extended(8, 100, 50)), riffChunk("VP8 ", lossy(100, 50)), riffChunk("EXIF", tiff(binary.LittleEndian, 8))))
	f.Add(after(jpegOf(f, 40, 40), 2, segment(0xE1, append([]byte("Exif\x00\x00"), tiff(binary.BigEndian, 6)...))))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := vision.Inspect(data)
		if err != nil {
			var refused *vision.ImageError
			if !errors.As(err, &refused) || refused.Code == "" {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if c.Width < vision.MinImageSide || c.Height < vision.MinImageSide ||
			int64(c.Width)*int64(c.Height) > vision.MaxImagePixels || c.Orientation < 1 || c.Orientation > 8 {
			t.Fatalf("accepted %+v", c)
		}
	})
}
