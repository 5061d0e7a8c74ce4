package kycd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	kycd "kycd/clients/go"
	"kycd/clients/go/api"
)

// A backend begins, and gives the device what it needs for one session.
func ExampleNew() {
	ctx, server := context.Background(), standIn()
	defer server.Close()

	client, err := kycd.New(kycd.Config{BaseURL: server.URL, ClientID: "shop", ClientSecret: "secret"})
	if err != nil {
		panic(err)
	}
	session, err := kycd.Answer(client.IdvSessionCreateWithResponse(ctx, api.IdvSessionCreate{
		Metadata: &api.Object{"customer": "7"},
	}, kycd.IdempotencyKey("verify-7")))
	if err != nil {
		panic(err)
	}
	token, err := client.SDKToken(ctx, session.SessionId)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(map[string]string{"session": token.SessionID, "client": token.ClientID}) // send token to the device
	fmt.Println(string(text), err)
	// Output: {"client":"shop","session":"01994a7e"} <nil>
}

// Whoever acts for the device takes the session from consent to decision.
func ExampleClient_SDK() {
	ctx, server := context.Background(), standIn()
	defer server.Close()
	client, err := kycd.New(kycd.Config{BaseURL: server.URL, ClientID: "shop", ClientSecret: "secret"})
	if err != nil {
		panic(err)
	}
	device, err := client.SDK("the token of an SDKToken")
	if err != nil {
		panic(err)
	}
	id, front, back, selfie := "01994a7e", []byte("front"), []byte("back"), []byte("selfie")

	step := func(_ any, err error) {
		if err != nil {
			panic(err)
		}
	}
	step(device.IdvSdkConsentAddWithResponse(ctx, api.ConsentAdd{SessionId: id, Consented: true}))
	step(device.IdvSdkDocumentTypeUpdateWithResponse(ctx, api.DocumentTypeUpdate{SessionId: id, DocumentTypeE: api.DocumentTypeEDriverLicense}))
	step(device.AddFront(ctx, kycd.DocumentPicture{SessionID: id, Latitude: 46.2, Longitude: 6.15, Image: front}))
	step(device.AddBack(ctx, kycd.DocumentPicture{SessionID: id, Latitude: 46.2, Longitude: 6.15, Image: back}))
	step(device.IdvSdkLivenessGenerateWithResponse(ctx, api.LivenessGenerate{SessionId: id, Latitude: 46.2, Longitude: 6.15}))
	step(device.IdvSdkLivenessProcessWithResponse(ctx, api.LivenessProcess{SessionId: id, Latitude: 46.2, Longitude: 6.15, Images: kycd.Frames(selfie)}))
	outcome, err := kycd.Answer(device.IdvSdkFinalizeWithResponse(ctx, api.Finalize{SessionId: id}))
	fmt.Println(outcome.Verified, outcome.StatusE, err)
	// Output: true complete <nil>
}

// A person who was verified before is recognised by a selfie alone.
func ExampleAnswer() {
	ctx, server := context.Background(), standIn()
	defer server.Close()
	client, err := kycd.New(kycd.Config{BaseURL: server.URL, ClientID: "shop", ClientSecret: "secret"})
	if err != nil {
		panic(err)
	}
	session, err := kycd.Answer(client.IdaSessionCreateWithResponse(ctx, api.IdaSessionCreate{IdentityId: "01994a80"}))
	if err != nil {
		panic(err)
	}
	id := session.SessionId
	here := api.LivenessGenerate{SessionId: id, Latitude: 46.2, Longitude: 6.15}
	if _, err := client.IdaSdkLivenessGenerateWithResponse(ctx, here); err != nil {
		panic(err)
	}
	frames := api.LivenessProcess{SessionId: id, Latitude: 46.2, Longitude: 6.15, Images: kycd.Frames([]byte("selfie"))}
	if _, err := client.IdaSdkLivenessProcessWithResponse(ctx, frames); err != nil {
		panic(err)
	}
	outcome, err := kycd.Answer(client.IdaSdkFinalizeWithResponse(ctx, api.SessionRef{SessionId: id}))
	fmt.Println(outcome.Authenticated, err)
	// Output: true <nil>
}

// An error says by its code what is wrong, and with which field.
func ExampleError() {
	server := standIn()
	defer server.Close()
	client, err := kycd.New(kycd.Config{BaseURL: server.URL, ClientID: "shop", ClientSecret: "secret"})
	if err != nil {
		panic(err)
	}
	_, err = kycd.Answer(client.IdvSessionReadWithResponse(context.Background(), api.SessionRef{SessionId: "nobody's"}))
	if refused, ok := errors.AsType[*kycd.Error](err); ok {
		fmt.Println(refused.Status, refused.Code)
	}
	// Output: 404 not_found
}

// A webhook is believed only after its signature.
func ExampleVerifyWebhook() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // as webhook create gave it
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			return
		}
		event, err := kycd.VerifyWebhook(r.Header, body, time.Now(), kycd.Tolerance, secret)
		if err != nil {
			http.Error(w, "not believed", http.StatusBadRequest)
			return
		}
		fmt.Println(event.Type, event.Data.SessionID, *event.Data.Verified)
	}

	request := httptest.NewRequest(http.MethodPost, "/kyc", nil)
	deliver(request, secret, `{"type":"idv.session.complete","timestamp":"2030-01-01T12:00:00Z","data":{"session_id":"01994a7e","verified":true}}`)
	receive(httptest.NewRecorder(), request)
	// Output: idv.session.complete 01994a7e true
}

// deliver signs a message as the server does.
func deliver(request *http.Request, secret, body string) {
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	signature, err := signer.Sign("msg_1", now, []byte(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("webhook-id", "msg_1")
	request.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	request.Header.Set("webhook-signature", signature)
	request.Body = io.NopCloser(strings.NewReader(body))
}

// standIn answers what the examples ask for.
func standIn() *httptest.Server {
	answers := map[string]string{
		"/oauth2/token":                `{"access_token":"t","token_type":"Bearer","expires_in":900,"scope":"idv"}`,
		"/v2/idv/session/create":       `{"session_id":"01994a7e"}`,
		"/v2/ida/session/create":       `{"session_id":"01994a92"}`,
		"/v2/idv/sdk/finalize":         `{"verified":true,"status_e":"complete","reasons":[],"score":0.98,"on_sanction_list":null}`,
		"/v2/ida/sdk/finalize":         `{"authenticated":true,"status_e":"complete","reasons":[]}`,
		"/v2/idv/sdk/liveness/process": `{"token":""}`,
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v2/idv/session/read" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"code":"not_found","title":"There is no such thing, or it is not yours","status":404}`)
			return
		}
		answer, found := answers[r.URL.Path]
		if !found {
			answer = "{}"
		}
		fmt.Fprint(w, answer)
	}))
}
