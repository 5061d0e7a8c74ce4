package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"kycd/jobs"
	"kycd/jobs/desk"
	"kycd/jobs/sidecar"
	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/kyc"
	"kycd/models"
	"kycd/rest"
)

func serveCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server; without further flags everything it needs is inside it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.validate(); err != nil {
				return err
			}
			log, err := c.logger(os.Stderr)
			if err != nil {
				return err
			}
			slog.SetDefault(log) // for libraries that know no other way
			s, err := startServer(cmd.Context(), c, log)
			if err != nil {
				return err
			}
			if c.environment == development {
				err = s.introduce(cmd.Context(), cmd.OutOrStdout())
			}
			if err == nil {
				select {
				case <-cmd.Context().Done():
					log.Info("stopping")
				case err = <-s.web.Failed():
				}
			}
			return errors.Join(err, s.stop())
		},
	}
	c.serveFlags(cmd)
	return cmd
}

// server is everything that runs, in the order in which it was started; stop ends it in reverse.
type server struct {
	config  config
	log     *slog.Logger
	service *kyc.Service
	url     string
	web     *rest.Web // nil until it listens
	probe   *probe
	closers []func(context.Context) error
}

// How long a stop may take. The requests under way get finishWithin: longer than the longest finalize has left to
// wait is not needed, since what it waits for is decided after the restart. What runs behind them gets stopWithin.
const (
	finishWithin = 10 * time.Second
	stopWithin   = 20 * time.Second
)

func startServer(ctx context.Context, c config, log *slog.Logger) (s *server, err error) {
	s = &server{config: c, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	store, err := c.openStore(ctx, c.environment == development || c.database == "", log)
	if err != nil {
		return s, err
	}
	s.closing(func(context.Context) error { return store.close() })

	weights, err := models.Fetch(ctx, models.Options{
		Dir: c.models, Mirror: os.Getenv("KYCD_MODELS_MIRROR"), Cache: os.Getenv("KYCD_MODELS_CACHE"),
		Predictor: os.Getenv("KYCD_MODELS_PREDICTOR"), Progress: os.Stderr,
	})
	if err != nil && c.sidecar != "none" {
		return s, fmt.Errorf("weights: %w", err)
	}
	for _, line := range weights.Degraded() {
		log.Warn("degraded: " + line)
	}

	redis.SetLogger(worker.RedisLog{Log: log})
	queue, err := jobs.Open(ctx, c.redis, log)
	if err != nil {
		return s, err
	}
	s.closing(func(context.Context) error { return queue.Close() })
	if s.service, err = c.service(ctx, store, queue, log); err != nil {
		return s, err
	}
	s.probe = &probe{store: store, queue: queue, weights: weights.Degraded()}

	sweeper := jobs.StartSweeper(queue, s.service, jobs.DefaultSweeperConfig(), log)
	s.closing(func(context.Context) error { sweeper.Stop(); return nil })
	runner, err := jobs.StartRunner(queue, s.service, jobs.DefaultRunnerConfig(), log)
	if err != nil {
		return s, err
	}
	s.closing(func(context.Context) error { runner.Stop(); return nil })
	if err := s.startVision(queue, sweeper); err != nil {
		return s, err
	}
	return s, s.listen()
}

func (s *server) closing(f func(context.Context) error) { s.closers = append(s.closers, f) }

// startVision opens the desk and, unless the sidecars are run elsewhere, starts one as a child.
func (s *server) startVision(queue *jobs.Queue, sweeper *jobs.Sweeper) error {
	c := s.config
	if c.deskToken == "" {
		c.deskToken = rand.Text()
	}
	counter, err := desk.Open(desk.Config{
		Addr: c.deskAddr, Token: c.deskToken, Analyst: s.service, Settled: jobs.Settled, Named: kyc.WithRequestID, OnHello: s.probe.hello, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.closing(counter.Close)
	if c.sidecar == "none" {
		return nil
	}
	child := sidecar.Start(sidecar.Config{
		Path: c.sidecar, Args: []string{"work"}, Log: s.log, Timing: sidecar.DefaultTiming(),
		Env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
			"KYCD_REDIS=" + queue.RedisURL(), "KYCD_DESK_URL=" + counter.URL(), "KYCD_DESK_TOKEN=" + c.deskToken,
			"KYCD_MODELS=" + c.models, "KYCD_SLOTS=" + fmt.Sprint(runtime.NumCPU()),
			"OPENCV_IO_MAX_IMAGE_PIXELS=" + fmt.Sprint(maxDecodedPixels),
			"MALLOC_ARENA_MAX=2", "MALLOC_MMAP_THRESHOLD_=1048576", // large buffers go back to the system: its memory stays flat
			"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "OMP_THREAD_LIMIT=1", // one image per core beats many threads per image
		},
		OnExit: func(worker string) { sweeper.WorkerDied(context.Background(), task.VisionAnalyze, worker) },
	})
	s.probe.supervise(child)
	s.closing(func(context.Context) error { child.Stop(); return nil })
	return nil
}

// maxDecodedPixels bounds what OpenCV decodes, for the case that an image lies about its size.
const maxDecodedPixels = 50_000_000

func (s *server) listen() error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	handler := rest.New(rest.Options{
		Service: s.service, Probe: s.probe, Log: s.log, Registry: registry, Version: version,
		Environment: s.config.environment, PublicURL: s.config.issuer, Now: time.Now,
		Limits: s.config.limits, Trusted: s.config.trusted,
	})
	listener, err := net.Listen("tcp", s.config.addr)
	if err != nil {
		return err
	}
	s.url = "http://" + listener.Addr().String()
	s.web = rest.Serve(listener, handler, s.log)
	s.log.Info("listening", "url", s.url, "environment", s.config.environment, "version", version)
	return nil
}

func (s *server) stop() error {
	var errs []error
	if s.web != nil {
		s.probe.stop()
		errs = append(errs, s.web.Stop(rest.Stopping{Drain: s.config.drain, Finish: finishWithin}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i](ctx))
	}
	s.closers = nil
	return errors.Join(errs...)
}

// introduce prints how to make a first call. A first start has no client, so it makes one for trying out,
// and keeps its secret in the data folder: a second start can then show it again.
func (s *server) introduce(ctx context.Context, out io.Writer) error {
	path := filepath.Join(s.config.data, "demo-client.json")
	var demo kyc.Credentials
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &demo); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	case errors.Is(err, os.ErrNotExist):
		clients, err := s.service.ClientCount(ctx)
		if err != nil || clients > 0 {
			return err
		}
		if demo, err = s.service.CreateClient(ctx, "Demo"); err != nil {
			return err
		}
		if b, err = json.Marshal(demo); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	default:
		return err
	}
	_, err = fmt.Fprintf(out, `
kycd is listening on %[1]s

  client id      %[2]s
  client secret  %[3]s

Try it: get a token, and create a session with it.

  curl -s -u '%[2]s:%[3]s' -d grant_type=client_credentials %[1]s/oauth2/token

Ctrl-C ends it.

`, s.url, demo.ClientID, demo.ClientSecret)
	return err
}
