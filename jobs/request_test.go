package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"kycd/ent/database/databasetest"
	"kycd/jobs/desk"
	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/kyc"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
	"kycd/rest"
	"kycd/vision"
)

// nobody measures nothing.
type nobody struct{}

func (nobody) Analyze(context.Context, []byte, vision.Ask) vision.Analysis {
	return vision.Analysis{Error: string(vision.CodeTimeout)}
}

// well is a probe of what is always well.
type well struct{}

func (well) Live(context.Context) error           { return nil }
func (well) Ready(context.Context) rest.Readiness { return rest.Readiness{Ready: true} }
func (well) Health(context.Context) rest.Health   { return rest.Health{Status: rest.HealthOK} }

// TestARequestIsFoundInTheLogOfItsWork follows the id of one request: over HTTP into the database, on the queue, to the
// worker, over the desk, and into the work that follows from the result.
func TestARequestIsFoundInTheLogOfItsWork(t *testing.T) {
	const id = "caller-4711.front"
	ctx := context.Background()
	dir := t.TempDir()
	master, err := seal.OpenMaster(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(ctx, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	q := openQueue(t, "")
	service, err := kyc.New(ctx, kyc.Deps{
		DB: databasetest.Open(t, "", dir), Master: master, Blobs: blobs, Notifier: q, Now: time.Now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Config: kyc.DefaultConfig(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var named safeBuffer // what the desk tells the rules
	d, err := desk.Open(desk.Config{
		Token: deskToken, Analyst: service, Settled: Settled, Log: quiet(),
		Named: func(ctx context.Context, id string) context.Context {
			_, _ = io.WriteString(&named, id+"\n")
			return kyc.WithRequestID(ctx, id)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(ctx) })
	client, err := desk.NewClient(d.URL(), deskToken, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	var log safeBuffer
	server, err := worker.Start(worker.Config{
		Redis: q.redis, Queue: task.QueueVision, Concurrency: 1, Name: "w", StopWithin: time.Second, Log: quiet(),
		Handlers: map[task.Kind]worker.Handler{task.VisionAnalyze: desk.NewWorker(client, nobody{}, textLog(&log)).Do},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)

	credentials, err := service.CreateClient(ctx, "Shop")
	if err != nil {
		t.Fatal(err)
	}
	api := rest.New(rest.Options{Service: service, Probe: well{}})
	call := func(path, token, contentType, body string) map[string]any {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-Client-Id", credentials.ClientID)
		r.Header.Set("X-Request-Id", id)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: status %d: %s", path, w.Code, w.Body)
		}
		return answer
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {credentials.ClientID}, "client_secret": {credentials.ClientSecret}}
	token := call("/oauth2/token", "", "application/x-www-form-urlencoded", form.Encode())["access_token"].(string)
	session := call("/v2/idv/session/create", token, "application/json", `{}`)["session_id"].(string)
	call("/v2/idv/sdk/consent/add", token, "application/json", `{"session_id":"`+session+`","consented":true}`)
	call("/v2/idv/sdk/document/type/update", token, "application/json", `{"session_id":"`+session+`","document_type_e":"passport"}`)
	contentType, body := picture(t, session)
	call("/v2/idv/sdk/document/front/add", token, contentType, body)

	eventually(t, 10*time.Second, "the picture was looked at", func() bool { return strings.Contains(log.String(), "msg=analysed") })
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, "request_id="+id) {
			t.Errorf("the log does not name the request: %s", line)
		}
	}
	if got, want := named.String(), id+"\n"+id+"\n"; got != want {
		t.Errorf("the rules were told %q, want %q: at the beginning and at the end", got, want)
	}
}

// TestTheLogOfTheServersWorkNamesItsRequest: work done and work failed, and what the rules make under it.
func TestTheLogOfTheServersWorkNamesItsRequest(t *testing.T) {
	var log safeBuffer
	q := openQueue(t, "")
	rows := newOutbox(time.Hour)
	told := make(chan string, 2)
	rows.run = func(ctx context.Context, id string, _ int) error {
		told <- kyc.RequestID(ctx)
		if id == "row-1" {
			return kyc.Errorf(kyc.CodeUnavailable, "away")
		}
		return nil
	}
	runner, err := StartRunner(q, rows, DefaultRunnerConfig(), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runner.Stop)
	work := rows.add(task.SessionDecide, 2)
	work[0].RequestID, work[1].RequestID = "caller-4711.a", "caller-4711.b"
	q.Enqueue(context.Background(), work)
	if got := []string{<-told, <-told}; !slices.Contains(got, "caller-4711.a") || !slices.Contains(got, "caller-4711.b") {
		t.Errorf("the rules were told %v", got)
	}
	eventually(t, 5*time.Second, "both are logged", func() bool {
		text := log.String()
		return strings.Contains(text, `msg="work done" request_id=caller-4711.a kind=session:decide outbox_id=row-0`) &&
			strings.Contains(text, `msg="work failed" request_id=caller-4711.b kind=session:decide outbox_id=row-1 code=unavailable`)
	})
}

// picture is an upload with a picture that is large enough.
func picture(t *testing.T, session string) (contentType, body string) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 1000, 640))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 7)
	}
	img.Set(0, 0, color.White)
	var encoded, out bytes.Buffer
	if err := jpeg.Encode(&encoded, img, nil); err != nil {
		t.Fatal(err)
	}
	w := multipart.NewWriter(&out)
	for name, text := range map[string]string{"session_id": session, "latitude": "52.5", "longitude": "13.4"} {
		if err := w.WriteField(name, text); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("image", "front.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(encoded.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), out.String()
}
