package kycd

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime/multipart"
	"strconv"

	"kycd/clients/go/api"
)

// DocumentPicture is a picture of one side of a document, and where it was taken: degrees, WGS 84.
type DocumentPicture struct {
	SessionID           string
	Latitude, Longitude float64
	// Image is JPEG, PNG or WebP, at most 15 MiB.
	Image []byte
}

// AddFront sends the front of the document, and is told what the person can do better.
func (c *Client) AddFront(ctx context.Context, p DocumentPicture) (api.DocumentTaken, error) {
	contentType, form, err := p.form()
	if err != nil {
		return api.DocumentTaken{}, err
	}
	return Answer(c.IdvSdkDocumentFrontAddWithBodyWithResponse(ctx, contentType, form))
}

// AddBack sends the back of the document, and is told what the person can do better.
func (c *Client) AddBack(ctx context.Context, p DocumentPicture) (api.DocumentTaken, error) {
	contentType, form, err := p.form()
	if err != nil {
		return api.DocumentTaken{}, err
	}
	return Answer(c.IdvSdkDocumentBackAddWithBodyWithResponse(ctx, contentType, form))
}

func (p DocumentPicture) form() (contentType string, form io.Reader, err error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range [][2]string{
		{"session_id", p.SessionID},
		{"latitude", strconv.FormatFloat(p.Latitude, 'f', -1, 64)},
		{"longitude", strconv.FormatFloat(p.Longitude, 'f', -1, 64)},
	} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return "", nil, err
		}
	}
	part, err := w.CreateFormFile("image", "image")
	if err != nil {
		return "", nil, err
	}
	if _, err := part.Write(p.Image); err != nil {
		return "", nil, err
	}
	return w.FormDataContentType(), &body, w.Close()
}

// Frames encodes the frames of a liveness session as LivenessProcess wants them.
func Frames(images ...[]byte) *[]string {
	frames := make([]string, len(images))
	for i, image := range images {
		frames[i] = base64.StdEncoding.EncodeToString(image)
	}
	return &frames
}
