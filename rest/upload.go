package rest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"kycd/kyc"
)

const (
	// maxImageBytes bounds one picture as it is sent.
	maxImageBytes = 15 << 20
	// maxFieldBytes bounds a text part beside a picture.
	maxFieldBytes = 4 << 10
	// maxParts bounds the parts of an upload; the contract knows four.
	maxParts = 16
	// maxBodiesInFlight bounds the large bodies that are in memory at one time, all requests together.
	maxBodiesInFlight = 256 << 20
)

// budget bounds the bytes of large bodies that are in memory at one time, so that many uploads at once
// wait for each other instead of ending the process.
type budget struct{ bytes *semaphore.Weighted }

func newBudget(limit int64) budget { return budget{semaphore.NewWeighted(limit)} }

// acquire takes n bytes of the budget, waiting at most patience for them.
func (b budget) acquire(ctx context.Context, n int64, patience time.Duration) bool {
	if b.bytes.TryAcquire(n) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.bytes.Acquire(ctx, n) == nil
}

func (b budget) release(n int64) { b.bytes.Release(n) }

// upload is a picture with what was sent beside it.
type upload struct {
	sessionID           string
	latitude, longitude float64
	image               []byte
}

// readUpload reads the parts of an upload. Nothing touches the disk, and of the image no more than
// maxImageBytes is ever in memory.
func readUpload(x *exchange, reader *multipart.Reader) (upload, error) {
	fields := map[string]any{}
	var image []byte
	for n := 0; ; n++ {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return upload{}, uploadError(x.operation, err)
		}
		if n == maxParts {
			return upload{}, refuse(kyc.CodeInvalid, fmt.Sprintf("an upload has at most %d parts", maxParts))
		}
		name := part.FormName()
		if _, twice := fields[name]; twice {
			return upload{}, invalid([]kyc.FieldError{{Pointer: pointer("", name), Code: "repeated", Message: "is given more than once"}})
		}
		if name != "image" {
			text, err := readPart(part, maxFieldBytes, 0)
			if err != nil {
				return upload{}, uploadError(x.operation, err)
			}
			if text == nil {
				return upload{}, invalid([]kyc.FieldError{{Pointer: pointer("", name), Code: "too_long", Message: fmt.Sprintf("must have at most %d bytes", maxFieldBytes)}})
			}
			fields[name] = string(text)
			continue
		}
		if image, err = readPart(part, maxImageBytes, x.request.ContentLength); err != nil {
			return upload{}, uploadError(x.operation, err)
		}
		if image == nil {
			return upload{}, imageTooLarge("/image")
		}
		fields[name] = "" // so that the schema sees that it is there
	}
	if err := invalid(schemaErrors(x.operation.schema(mediaMultipart), fields)); err != nil {
		return upload{}, err
	}
	up := upload{sessionID: fields["session_id"].(string), image: image}
	var bad []kyc.FieldError
	up.latitude, bad = degrees(bad, "/latitude", fields["latitude"].(string), 90)
	up.longitude, bad = degrees(bad, "/longitude", fields["longitude"].(string), 180)
	if err := invalid(bad); err != nil {
		return upload{}, err
	}
	if _, ok := fields["image"]; !ok {
		return upload{}, refuse(kyc.CodeImageMissing, "there is no part named image",
			kyc.FieldError{Pointer: "/image", Code: string(kyc.CodeImageMissing), Message: "is required"})
	}
	return up, nil
}

// readPart reads a part into memory. The result is nil if it has more than limit bytes. atMost, where it
// is positive, is known to bound the part's size, and saves growing the buffer bit by bit.
func readPart(part io.Reader, limit, atMost int64) ([]byte, error) {
	var buf bytes.Buffer
	if atMost > 0 {
		buf.Grow(int(min(limit, atMost)) + bytes.MinRead + 1) // ReadFrom asks for MinRead bytes of room
	}
	if _, err := buf.ReadFrom(io.LimitReader(part, limit+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > limit {
		return nil, nil
	}
	if buf.Len() == 0 {
		return []byte{}, nil
	}
	return buf.Bytes(), nil
}

// uploadError is what a failure to read an upload means.
func uploadError(op *operation, err error) error {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return tooLarge(op)
	}
	return unreadable(err, "the body is not a complete multipart form")
}

func imageTooLarge(at string) error {
	return refuse(kyc.CodeImageTooLarge, fmt.Sprintf("an image may have at most %d bytes", maxImageBytes),
		kyc.FieldError{Pointer: at, Code: string(kyc.CodeImageTooLarge), Message: fmt.Sprintf("must have at most %d bytes", maxImageBytes)})
}

// degrees reads a coordinate that was sent as text, and adds to bad if it is none.
func degrees(bad []kyc.FieldError, at, text string, limit float64) (float64, []kyc.FieldError) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, append(bad, kyc.FieldError{Pointer: at, Code: "type", Message: "must be a number"})
	}
	if !(v >= -limit && v <= limit) { // also refuses NaN
		return 0, append(bad, kyc.FieldError{Pointer: at, Code: "range", Message: fmt.Sprintf("must be from %v to %v", -limit, limit)})
	}
	return v, bad
}

// decodeImages reads pictures in base64. A data: URL's prefix is dropped: what the bytes are is found out
// from the bytes.
func decodeImages(texts []string) ([][]byte, error) {
	images := make([][]byte, len(texts))
	for i, text := range texts {
		at := pointer("/images", strconv.Itoa(i))
		if strings.HasPrefix(text, "data:") {
			_, text, _ = strings.Cut(text, ",")
		}
		if base64.RawStdEncoding.DecodedLen(len(text)) > maxImageBytes+2 { // padding and all
			return nil, imageTooLarge(at)
		}
		image, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, invalid([]kyc.FieldError{{Pointer: at, Code: "base64", Message: "must be base64"}})
		}
		if len(image) > maxImageBytes {
			return nil, imageTooLarge(at)
		}
		images[i] = image
	}
	return images, nil
}
