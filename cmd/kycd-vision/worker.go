package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"kycd/jobs/desk"
	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/vision"
	"kycd/vision/engine"
)

const workHelp = `Takes images from the queue, measures them and hands the results to the server.

It has no flags, because some of what it needs is secret:
  KYCD_REDIS       Redis URL of the queue
  KYCD_DESK_URL    where the server gives out images
  KYCD_DESK_TOKEN  the secret shared with the server
  KYCD_MODELS      folder of the weights
  KYCD_SLOTS       images measured at the same time (default: one per core)`

func workCommand() *cobra.Command {
	return &cobra.Command{
		Use: "work", Short: "Measure the images that the queue asks for, until stopped", Long: workHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := readWorkSettings(os.Getenv)
			if err != nil {
				return err
			}
			if err := boundPixels(os.Getenv, os.Environ()); err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			redis.SetLogger(worker.RedisLog{Log: log})
			return work(cmd.Context(), settings, log)
		},
	}
}

// workSettings is what the environment says.
type workSettings struct {
	redis          *redis.Options
	deskURL, token string
	models, worker string
	slots          int
	parent         int // process id of the server that started this one; 0 for none
}

func readWorkSettings(env func(string) string) (workSettings, error) {
	s := workSettings{
		deskURL: env("KYCD_DESK_URL"), token: env("KYCD_DESK_TOKEN"), models: env("KYCD_MODELS"), worker: env("KYCD_WORKER"),
		slots: runtime.NumCPU(),
	}
	for _, name := range []string{"KYCD_REDIS", "KYCD_DESK_URL", "KYCD_DESK_TOKEN", "KYCD_MODELS"} {
		if env(name) == "" {
			return s, fmt.Errorf("%s is not set", name)
		}
	}
	var err error
	if s.redis, err = redis.ParseURL(env("KYCD_REDIS")); err != nil {
		return s, errors.New("KYCD_REDIS is not a redis:// or rediss:// URL") // the cause quotes its password
	}
	s.redis.ContextTimeoutEnabled = true
	for name, number := range map[string]*int{"KYCD_SLOTS": &s.slots, "KYCD_PARENT": &s.parent} {
		if given := env(name); given != "" {
			if *number, err = strconv.Atoi(given); err != nil || *number < 1 {
				return s, fmt.Errorf("%s is %q, not a number from 1", name, given)
			}
		}
	}
	if s.worker == "" {
		s.worker = "vision-" + rand.Text()
	}
	return s, nil
}

// pixelsVariable bounds what OpenCV decodes. It is read once, when the library is loaded, which is before
// main: so a process that lacks it must begin again with it.
const (
	pixelsVariable = "OPENCV_IO_MAX_IMAGE_PIXELS"
	maxPixels      = vision.MaxImagePixels + vision.MaxImagePixels/4
)

func boundPixels(env func(string) string, environ []string) error {
	if env(pixelsVariable) != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(environ, fmt.Sprintf("%s=%d", pixelsVariable, maxPixels),
		"MALLOC_ARENA_MAX=2", "MALLOC_MMAP_THRESHOLD_=1048576")) // large buffers go back to the system
}

// How long is waited for what.
const (
	deskPatience = time.Minute      // for the server to come back, with a result in hand
	stopWithin   = 8 * time.Second  // for images under way; the server kills its child after ten
	helloEvery   = 15 * time.Second // between two introductions
	parentEvery  = time.Second      // between two looks at the parent
	warmUpWithin = 30 * time.Second // for the first, slow image
	warmUpSide   = 320              // px; enough for every network, and a quarter of the wait
)

var (
	errHung     = errors.New("an analysis hangs: this process must be started anew")
	errOrphaned = errors.New("the server that started this process is gone")
)

// work serves until ctx ends. An error means that the process should be started anew.
func work(ctx context.Context, settings workSettings, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2) // room for each that may send: the parent's watch and the introduction
	go watchParent(ctx, settings.parent, func() { failed <- errOrphaned })

	began := time.Now()
	eng, err := engine.New(ctx, engine.Config{ModelsDir: settings.models, Slots: settings.slots, Now: time.Now})
	if err != nil {
		return err
	}
	loaded := time.Now()
	if err := warmUp(ctx, eng, settings.slots); err != nil {
		return err
	}
	log.Info("ready to measure", "slots", settings.slots, "loading", loaded.Sub(began).Round(time.Millisecond),
		"first_images", time.Since(loaded).Round(time.Millisecond))
	client, err := desk.NewClient(settings.deskURL, settings.token, deskPatience)
	if err != nil {
		return err
	}
	defer client.Close()
	clerk := desk.NewWorker(client, eng, log)

	queue := redis.NewClient(settings.redis)
	server, err := worker.Start(worker.Config{
		Redis: queue, Queue: task.QueueVision, Concurrency: settings.slots, Name: settings.worker, StopWithin: stopWithin,
		Handlers: map[task.Kind]worker.Handler{task.VisionAnalyze: clerk.Do}, Log: log,
	})
	if err != nil {
		return err
	}
	go func() {
		err := clerk.Introduce(ctx, desk.Hello{
			Worker: settings.worker, PID: os.Getpid(), Slots: settings.slots, Models: eng.Models(), Degraded: eng.Degraded(),
		}, helloEvery)
		if err != nil {
			failed <- err
		}
	}()

	select {
	case <-ctx.Done():
	case err = <-failed:
	case <-clerk.Hung():
		err = errHung
	}
	server.Stop()
	_ = queue.Close() // nothing is under way on it
	if err == nil {
		eng.Close() // after a hang it would wait for ever
	}
	return err
}

// warmUp has every slot measure an empty picture once: the first run through a network is several times
// slower than those that follow, and weights that cannot be used show here and not on somebody's photo.
func warmUp(ctx context.Context, analyzer desk.Analyzer, slots int) error {
	ctx, cancel := context.WithTimeout(ctx, warmUpWithin)
	defer cancel()
	blank := image.NewGray(image.Rect(0, 0, warmUpSide, warmUpSide))
	for i := range blank.Pix {
		blank.Pix[i] = byte(96 + i%64)
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, blank, nil); err != nil {
		return err
	}
	results := make([]vision.Analysis, slots)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = analyzer.Analyze(ctx, encoded.Bytes(), vision.AskAll()) })
	}
	wg.Wait()
	for _, result := range results {
		if result.Error != "" {
			return fmt.Errorf("the first analysis failed: %s", result.Error)
		}
	}
	return nil
}

// watchParent calls gone when the process that started this one is its parent no more. The kernel of Linux
// ends the child itself; elsewhere this is all there is.
func watchParent(ctx context.Context, parent int, gone func()) {
	if parent == 0 {
		return
	}
	tick := time.NewTicker(parentEvery)
	defer tick.Stop()
	for {
		if os.Getppid() != parent {
			gone()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
