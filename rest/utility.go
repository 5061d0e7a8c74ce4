package rest

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"

	api "kycd/rest/generated"
)

// Root answers who is there.
func (s *server) Root(context.Context, api.RootRequestObject) (api.RootResponseObject, error) {
	return api.Root200JSONResponse{
		Service:       "kycd",
		Description:   "Self-hosted identity verification",
		Version:       s.version,
		Environment:   s.environment,
		Timestamp:     s.timestamp(),
		Documentation: "/docs",
		Health:        "/health",
		Status:        "/status",
	}, nil
}

// Ping answers that the service is reached.
func (s *server) Ping(context.Context, api.PingRequestObject) (api.PingResponseObject, error) {
	return api.Ping200JSONResponse{Pong: true, Timestamp: s.timestamp()}, nil
}

// ApiStatus answers where to look further.
func (s *server) ApiStatus(context.Context, api.ApiStatusRequestObject) (api.ApiStatusResponseObject, error) {
	return api.ApiStatus200JSONResponse{
		Service:     "kycd",
		Version:     s.version,
		Environment: s.environment,
		Timestamp:   s.timestamp(),
		Uptime:      s.uptime(),
		Endpoints: api.ApiEndpoints{
			Health: "/health", Ready: "/ready", Live: "/live", Metrics: "/metrics", Docs: "/docs", ApiSpec: "/openapi.json",
		},
	}, nil
}

// Version answers the version.
func (s *server) Version(context.Context, api.VersionRequestObject) (api.VersionResponseObject, error) {
	return api.Version200JSONResponse{Version: s.version}, nil
}

// LivenessProbe answers whether a restart is needed.
func (s *server) LivenessProbe(ctx context.Context, _ api.LivenessProbeRequestObject) (api.LivenessProbeResponseObject, error) {
	body := api.LiveStatus{Status: HealthOK, Timestamp: s.timestamp(), Uptime: s.uptime()}
	if err := s.probe.Live(ctx); err != nil {
		body.Status = HealthError
		return api.LivenessProbe503JSONResponse(body), nil
	}
	return api.LivenessProbe200JSONResponse(body), nil
}

// ReadinessProbe answers whether requests can be served, and what was looked at.
func (s *server) ReadinessProbe(ctx context.Context, _ api.ReadinessProbeRequestObject) (api.ReadinessProbeResponseObject, error) {
	ready := s.probe.Ready(ctx)
	body := api.ReadyStatus{Status: HealthOK, Timestamp: s.timestamp(), Checks: texts(ready.Checks)}
	if !ready.Ready {
		body.Status = HealthError
		return api.ReadinessProbe503JSONResponse(body), nil
	}
	return api.ReadinessProbe200JSONResponse(body), nil
}

// SimpleHealth answers a load balancer whether to send requests.
func (s *server) SimpleHealth(ctx context.Context, _ api.SimpleHealthRequestObject) (api.SimpleHealthResponseObject, error) {
	body := api.SimpleHealth{Status: HealthOK, Timestamp: s.timestamp()}
	if !s.probe.Ready(ctx).Ready {
		body.Status = HealthError
		return api.SimpleHealth503JSONResponse(body), nil
	}
	return api.SimpleHealth200JSONResponse(body), nil
}

// Health answers how each dependency is doing.
func (s *server) Health(ctx context.Context, _ api.HealthRequestObject) (api.HealthResponseObject, error) {
	h := s.probe.Health(ctx)
	body := api.Health{
		Status:      api.HealthE(h.Status),
		Timestamp:   s.timestamp(),
		Uptime:      s.uptime(),
		Version:     s.version,
		Environment: s.environment,
		Checks:      api.HealthChecks{Database: h.Database, Cache: h.Cache, Storage: h.Storage, ExternalServices: texts(h.ExternalServices)},
		Details: api.HealthDetails{
			Database: object(h.Details.Database), Cache: object(h.Details.Cache), Storage: object(h.Details.Storage),
			ExternalServices: object(h.Details.ExternalServices), Degraded: list(h.Degraded),
		},
		Error: text(h.Error),
	}
	if h.Status == HealthError {
		return api.Health503JSONResponse(body), nil
	}
	return api.Health200JSONResponse(body), nil
}

// SystemMetrics answers the figures of the process, or, where Accept prefers text, all of Prometheus'.
func (s *server) SystemMetrics(ctx context.Context, _ api.SystemMetricsRequestObject) (api.SystemMetricsResponseObject, error) {
	x := exchangeOf(ctx)
	x.Header().Set("Vary", "Accept")
	if prefers(x.request.Header.Get("Accept"), mediaJSON, "text/plain", "application/openmetrics-text") != mediaJSON {
		return exposition{s.prometheus, x.request}, nil
	}
	user, system := cpuTime()
	return api.SystemMetrics200JSONResponse{
		Timestamp: s.timestamp(),
		System: api.SystemFigures{
			Uptime:      s.uptime(),
			Memory:      memory(),
			Cpu:         api.SystemCpu{User: user.Microseconds(), System: system.Microseconds()},
			Pid:         os.Getpid(),
			NodeVersion: runtime.Version(),
			Platform:    runtime.GOOS,
		},
		Environment: api.SystemEnvironment{NodeEnv: s.environment, Version: s.version},
	}, nil
}

// exposition is the answer in Prometheus' format.
type exposition struct {
	handler http.Handler
	request *http.Request
}

// VisitSystemMetricsResponse makes it an answer of the operation.
func (e exposition) VisitSystemMetricsResponse(w http.ResponseWriter) error {
	e.handler.ServeHTTP(w, e.request)
	return nil
}

// memory is what the process holds, in bytes.
func memory() api.SystemMemory {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/total:bytes"},
	}
	metrics.Read(samples)
	bytes := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	heap := bytes(0) + bytes(1) + bytes(2)
	return api.SystemMemory{Used: bytes(0), Total: heap, External: bytes(4) - bytes(3) - heap, Rss: residentBytes()}
}

// residentBytes is the process's memory as the system counts it: now where /proc tells, else at its highest.
func residentBytes() int64 {
	if data, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(data)); len(fields) > 1 {
			if pages, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss // bytes there, KiB elsewhere
	}
	return usage.Maxrss << 10
}

// cpuTime is what the process has used since its start.
func cpuTime() (user, system time.Duration) {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0, 0
	}
	return time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())
}

func (s *server) timestamp() time.Time { return s.now().UTC() }

// uptime is in seconds.
func (s *server) uptime() float64 { return s.now().Sub(s.started).Seconds() }
