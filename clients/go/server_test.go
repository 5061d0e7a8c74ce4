package kycd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	kycd "kycd/clients/go"
	"kycd/clients/go/api"
)

// running is the server that KYCD_URL names, and its client.
func running(t *testing.T) (kycd.Config, *kycd.Client) {
	t.Helper()
	config := kycd.Config{BaseURL: os.Getenv("KYCD_URL"), ClientID: os.Getenv("KYCD_CLIENT_ID"), ClientSecret: os.Getenv("KYCD_CLIENT_SECRET")}
	if config.BaseURL == "" || config.ClientID == "" || config.ClientSecret == "" {
		t.Skip("needs a server: KYCD_URL, KYCD_CLIENT_ID, KYCD_CLIENT_SECRET")
	}
	client, err := kycd.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, client
}

// must ends the test if a call failed. It is used as must(t)(call).
func must[T any](t *testing.T) func(T, error) T {
	return func(answer T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func refused(t *testing.T, what string, err error, status int, code string) *kycd.Error {
	t.Helper()
	e, ok := errors.AsType[*kycd.Error](err)
	if !ok || e.Status != status || e.Code != code {
		t.Errorf("%s: %v, want %d %s", what, err, status, code)
		return &kycd.Error{}
	}
	return e
}

func newSession(t *testing.T, client *kycd.Client) string {
	t.Helper()
	return must[api.SessionCreated](t)(kycd.Answer(client.IdvSessionCreateWithResponse(t.Context(), api.IdvSessionCreate{}))).SessionId
}

func deviceOf(t *testing.T, client *kycd.Client, session string) *kycd.Client {
	t.Helper()
	token := must[kycd.SDKToken](t)(client.SDKToken(t.Context(), session))
	if left := time.Until(token.ExpiresAt); left <= 0 || left > 24*time.Hour {
		t.Errorf("an SDK token is good for %v", left)
	}
	return must[*kycd.Client](t)(client.SDK(token.Token))
}

func TestServer(t *testing.T) {
	config, client := running(t)
	ctx := t.Context()
	ref := api.SessionRef{SessionId: newSession(t, client)}

	if pong := must[api.Pong](t)(kycd.Answer(client.PingWithResponse(ctx))); !pong.Pong {
		t.Errorf("%+v", pong)
	}
	session := must[api.IdvSession](t)(kycd.Answer(client.IdvSessionReadWithResponse(ctx, ref)))
	if session.SessionId != ref.SessionId || session.StatusE != api.StatusEInProgress || session.CreatedAt.IsZero() {
		t.Errorf("%+v", session)
	}

	_, err := client.IdvSessionReadWithResponse(ctx, api.SessionRef{SessionId: "0190a5e4-0000-7000-8000-000000000000"})
	if e := refused(t, "nobody's session", err, 404, "not_found"); e.RequestID == "" || e.Title == "" {
		t.Errorf("%+v", e)
	}
	_, err = client.IdvSessionListWithResponse(ctx, api.IdvSessionList{Skip: new(int32(-1))})
	if e := refused(t, "a negative skip", err, 400, "invalid_request"); len(e.Fields) != 1 || e.Fields[0].Pointer != "/skip" {
		t.Errorf("%+v", e)
	}
	wrong := config
	wrong.ClientSecret = "wrong"
	_, err = must[*kycd.Client](t)(kycd.New(wrong)).IdvSessionReadWithResponse(ctx, ref)
	refused(t, "a wrong secret", err, 401, "invalid_client")

	weights := must[api.IdvWeights](t)(kycd.Answer(client.IdvWeightsGetWithResponse(ctx, nil)))
	if weights.IdvSessionTolerance <= 0 || weights.IdvSessionTolerance > 1 {
		t.Errorf("%+v", weights)
	}

	device := deviceOf(t, client, ref.SessionId)
	_, err = device.IdvSdkDocumentTypeUpdateWithResponse(ctx, api.DocumentTypeUpdate{SessionId: ref.SessionId, DocumentTypeE: api.DocumentTypeEPassport})
	refused(t, "a document before consent", err, 409, "consent_required")
	must[any](t)(device.IdvSdkConsentAddWithResponse(ctx, api.ConsentAdd{SessionId: ref.SessionId, Consented: true}))
	must[any](t)(device.IdvSdkDocumentTypeUpdateWithResponse(ctx, api.DocumentTypeUpdate{SessionId: ref.SessionId, DocumentTypeE: api.DocumentTypeEPassport}))
	_, err = device.AddFront(ctx, kycd.DocumentPicture{SessionID: ref.SessionId, Image: []byte("no picture")})
	refused(t, "no picture", err, 415, "image_unsupported")
	_, err = device.IdvSessionReadWithResponse(ctx, ref)
	refused(t, "a device that reads as a backend", err, 403, "forbidden")
}

// Whatever is sent with one key at the same time happens once.
func TestServerIdempotency(t *testing.T) {
	_, client := running(t)
	key := kycd.IdempotencyKey(fmt.Sprintf("go-%d", time.Now().UnixNano()))
	var mu sync.Mutex
	ids := map[string]bool{}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			made, err := kycd.Answer(client.IdvSessionCreateWithResponse(t.Context(), api.IdvSessionCreate{}, key))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[made.SessionId] = true
		})
	}
	group.Wait()
	if len(ids) != 1 {
		t.Errorf("%d sessions of one key", len(ids))
	}
	other := api.IdvSessionCreate{Metadata: &api.Object{"other": true}}
	_, err := client.IdvSessionCreateWithResponse(t.Context(), other, key)
	refused(t, "another body", err, 422, "idempotency_key_reused")
}

func TestServerWebhook(t *testing.T) {
	_, client := running(t)
	ctx := t.Context()
	type message struct {
		header http.Header
		body   []byte
	}
	arrived := make(chan message, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			arrived <- message{r.Header, body}
		}
	}))
	defer receiver.Close()
	hook := must[api.WebhookCreated](t)(kycd.Answer(client.WebhookCreateWithResponse(ctx, api.WebhookCreate{Name: "test of the Go client", Url: receiver.URL})))
	defer func() {
		if _, err := client.WebhookDeleteWithResponse(context.WithoutCancel(ctx), api.WebhookDelete{Id: hook.Id}); err != nil {
			t.Error(err)
		}
	}()
	id := newSession(t, client)
	must[any](t)(client.IdvSessionAnonymizeWithResponse(ctx, api.SessionRef{SessionId: id}))
	for within := time.After(20 * time.Second); ; {
		select {
		case <-within:
			t.Fatal("no webhook of the session")
		case m := <-arrived:
			event, err := kycd.VerifyWebhook(m.header, m.body, time.Now(), kycd.Tolerance, hook.Secret)
			if err != nil {
				t.Fatal(err)
			}
			if event.Data.SessionID != id {
				continue // another test's
			}
			if event.Type != "idv.session.anonymized" || event.ID == "" {
				t.Errorf("%+v", event)
			}
			if _, err := kycd.VerifyWebhook(m.header, append(m.body, ' '), time.Now(), kycd.Tolerance, hook.Secret); !errors.Is(err, kycd.ErrSignature) {
				t.Error(err)
			}
			return
		}
	}
}

// A person is verified, and recognised again. KYCD_PICTURES is a folder with front.jpg and back.jpg of
// their driver's licence, selfie.jpg, and later.jpg, another picture of their face.
func TestServerVerification(t *testing.T) {
	_, client := running(t)
	folder := os.Getenv("KYCD_PICTURES")
	if folder == "" {
		t.Skip("needs pictures: KYCD_PICTURES")
	}
	picture := func(name string) []byte {
		return must[[]byte](t)(os.ReadFile(filepath.Join(folder, name)))
	}
	front, selfie := picture("front.jpg"), picture("selfie.jpg")
	ctx, id := t.Context(), newSession(t, client)
	ref, device := api.SessionRef{SessionId: id}, deviceOf(t, client, id)
	must[any](t)(device.IdvSdkConsentAddWithResponse(ctx, api.ConsentAdd{SessionId: id, Consented: true}))
	must[any](t)(device.IdvSdkDocumentTypeUpdateWithResponse(ctx, api.DocumentTypeUpdate{SessionId: id, DocumentTypeE: api.DocumentTypeEDriverLicense}))
	must[api.DocumentTaken](t)(device.AddFront(ctx, kycd.DocumentPicture{SessionID: id, Latitude: 46.2, Longitude: 6.15, Image: front}))
	must[api.DocumentTaken](t)(device.AddBack(ctx, kycd.DocumentPicture{SessionID: id, Latitude: 46.2, Longitude: 6.15, Image: picture("back.jpg")}))
	must[any](t)(device.IdvSdkLivenessGenerateWithResponse(ctx, api.LivenessGenerate{SessionId: id, Latitude: 46.2, Longitude: 6.15}))
	must[any](t)(device.IdvSdkLivenessProcessWithResponse(ctx, api.LivenessProcess{SessionId: id, Latitude: 46.2, Longitude: 6.15, Images: kycd.Frames(selfie)}))
	must[any](t)(device.IdvSdkFinalizeWithResponse(ctx, api.Finalize{SessionId: id}))

	session := must[api.IdvSession](t)(kycd.Answer(client.IdvSessionReadWithResponse(ctx, ref)))
	for end := time.Now().Add(time.Minute); session.StatusE != api.StatusEComplete && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		session = must[api.IdvSession](t)(kycd.Answer(client.IdvSessionReadWithResponse(ctx, ref)))
	}
	if session.Verified == nil || !*session.Verified || session.IdentityId == nil {
		t.Fatalf("%s %v, want verified", session.StatusE, session.Reasons)
	}
	download := api.IdvDocumentDownload{SessionId: id, StorageFileTypeE: api.StorageFileTypeEDriverLicenseFront}
	if got := must[*api.IdvDocumentDownloadResponse](t)(client.IdvDocumentDownloadWithResponse(ctx, download)); !bytes.Equal(got.Body, front) || got.ContentType() != "image/jpeg" {
		t.Errorf("%d bytes of %s", len(got.Body), got.ContentType())
	}

	again := must[api.SessionCreated](t)(kycd.Answer(client.IdaSessionCreateWithResponse(ctx, api.IdaSessionCreate{IdentityId: *session.IdentityId}))).SessionId
	device = deviceOf(t, client, again)
	must[any](t)(device.IdaSdkLivenessGenerateWithResponse(ctx, api.LivenessGenerate{SessionId: again, Latitude: 46.2, Longitude: 6.15}))
	must[any](t)(device.IdaSdkLivenessProcessWithResponse(ctx, api.LivenessProcess{SessionId: again, Latitude: 46.2, Longitude: 6.15, Images: kycd.Frames(picture("later.jpg"))}))
	outcome := must[api.IdaOutcome](t)(kycd.Answer(device.IdaSdkFinalizeWithResponse(ctx, api.SessionRef{SessionId: again})))
	if !outcome.Authenticated || outcome.StatusE != api.StatusEComplete {
		t.Errorf("%+v, want authenticated", outcome)
	}
}
