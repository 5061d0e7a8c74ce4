package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// demoAPI calls the public REST API as any integrator would: it knows addresses and fields, and nothing of the server.
type demoAPI struct {
	base, clientID, secret string
	http                   *http.Client
}

// demoRequestTime bounds one request. Finalize, the longest, waits 20 s for the analyses.
const demoRequestTime = time.Minute

// mostAnswerBytes bounds what is read of an answer.
const mostAnswerBytes = 4 << 20

func newDemoAPI(base, clientID, secret string) *demoAPI {
	return &demoAPI{base: base, clientID: clientID, secret: secret, http: &http.Client{
		Timeout: demoRequestTime,
		// A redirect would carry the secret to somewhere that nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// demoRefusal is an answer that is no success. It says what the server said, by code, and nothing that was sent.
type demoRefusal struct {
	path   string
	status int
	code   string // of the problem; empty if the answer was none
	fields []string
}

func (e *demoRefusal) Error() string {
	code := e.code
	if code == "" {
		code = "an answer without a code"
	}
	text := fmt.Sprintf("%s answered %d %s", e.path, e.status, code)
	if len(e.fields) > 0 {
		text += " (" + strings.Join(e.fields, ", ") + ")"
	}
	return text
}

// backend asks for the token of a backend.
func (a *demoAPI) backend(ctx context.Context) (demoCaller, error) {
	token, err := a.token(ctx, url.Values{"grant_type": {"client_credentials"}, "scope": {"idv ida identity webhook"}})
	return demoCaller{api: a, token: token}, err
}

// device asks for the token of a device, which is good for one session.
func (a *demoAPI) device(ctx context.Context, sessionID string) (demoCaller, error) {
	token, err := a.token(ctx, url.Values{"grant_type": {"client_credentials"}, "scope": {"sdk"}, "session_id": {sessionID}})
	return demoCaller{api: a, token: token, device: true}, err
}

func (a *demoAPI) token(ctx context.Context, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(a.clientID), url.QueryEscape(a.secret)) // RFC 6749 §2.3.1
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
	}
	if err := a.do(request, &answer); err != nil {
		return "", err
	}
	if answer.AccessToken == "" || !strings.EqualFold(answer.TokenType, "bearer") {
		return "", errors.New("/oauth2/token answered no bearer token")
	}
	return answer.AccessToken, nil
}

// demoCaller is a backend or a device with its token.
type demoCaller struct {
	api    *demoAPI
	token  string
	device bool
}

// post sends in as JSON and reads the answer into out, unless out is nil.
func (c demoCaller) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.send(ctx, path, "application/json", body, out)
}

// upload sends a picture of one side of the document.
func (c demoCaller) upload(ctx context.Context, path, sessionID string, picture []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"session_id", sessionID}, {"latitude", demoLatitude}, {"longitude", demoLongitude}} {
		if err := form.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="image"; filename="image.jpg"`},
		"Content-Type":        {"image/jpeg"},
	})
	if err != nil {
		return err
	}
	if _, err := part.Write(picture); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	return c.send(ctx, path, form.FormDataContentType(), body.Bytes(), nil)
}

func (c demoCaller) send(ctx context.Context, path, contentType string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+c.token)
	if c.device {
		request.Header.Set("X-Client-Id", c.api.clientID)
	}
	return c.api.do(request, out)
}

// do sends a request and reads its answer.
func (a *demoAPI) do(request *http.Request, out any) error {
	request.Header.Set("Accept", "application/json, application/problem+json")
	answer, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswerBytes))
	if err != nil {
		return fmt.Errorf("%s: %w", request.URL.Path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return refusal(request.URL.Path, answer.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s answered something else than was agreed: %w", request.URL.Path, err)
	}
	return nil
}

// refusal reads problem details (RFC 9457), or the token endpoint's error (RFC 6749 §5.2).
func refusal(path string, status int, body []byte) error {
	var problem struct {
		Code   string `json:"code"`
		Error  string `json:"error"`
		Errors []struct {
			Pointer string `json:"pointer"`
			Code    string `json:"code"`
		} `json:"errors"`
	}
	e := &demoRefusal{path: path, status: status}
	if json.Unmarshal(body, &problem) != nil {
		return e
	}
	if e.code = problem.Code; e.code == "" {
		e.code = problem.Error
	}
	for _, field := range problem.Errors {
		e.fields = append(e.fields, field.Pointer+" "+field.Code)
	}
	return e
}
